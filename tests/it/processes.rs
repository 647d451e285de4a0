//! The processes of the functions, and their end.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use vendorbridge_testkit::cloud::World;

/// Lets the queue hand out again what a killed process held as soon as the function's own timeout, in seconds, allows: tests
/// wait for it in real time. Sooner, two would work on it at once.
pub(crate) async fn shorten_visibility(world: &World, vendor: &str, function_timeout: u32) {
    world
        .aws
        .sqs
        .set_queue_attributes()
        .queue_url(world.stack.output(&format!("QueueUrl{vendor}")).unwrap())
        .attributes(
            QueueAttributeName::VisibilityTimeout,
            function_timeout.to_string(),
        )
        .send()
        .await
        .unwrap();
}

/// Kills every function process of this world's emulator, and nothing else; answers with how many.
pub(crate) fn kill_functions(world: &World) -> usize {
    let launcher = world
        .emulator
        .as_ref()
        .and_then(vendorbridge_testkit::cloud::Emulator::pid);
    let launcher = launcher.expect("an emulator of our own");
    let processes: HashMap<u32, (u32, String)> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // `pid (name) state ppid …`; the name may contain anything.
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
            Some((pid, (rest.split(' ').nth(1)?.parse().ok()?, name.to_owned())))
        })
        .collect();
    let is_ours = |mut pid: u32| {
        while let Some((parent, _)) = processes.get(&pid) {
            if *parent == launcher {
                return true;
            }
            pid = *parent;
        }
        false
    };
    let functions: Vec<_> = processes
        .iter()
        .filter(|(pid, (_, name))| name == "bootstrap" && is_ours(**pid))
        .map(|(pid, _)| pid.to_string())
        .collect();
    let status = std::process::Command::new("kill")
        .arg("-9")
        .args(&functions)
        .status()
        .unwrap();
    assert!(status.success());
    functions.len()
}
