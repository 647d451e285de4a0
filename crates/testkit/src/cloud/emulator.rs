//! The emulator as a process that ends with us.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{CloudError, project};

/// The launcher says when it is ready within this time, or something is wrong.
const START_WITHIN: Duration = Duration::from_mins(1);
/// It ends within this time after its standard input is closed.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// How the emulator is started.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// Where it keeps its log and its files; must not be shared.
    pub state: PathBuf,
    /// Whether roles and queue policies are enforced.
    pub enforce_roles: bool,
    /// The share of events that EventBridge delivers twice, and the seed that picks them.
    pub duplicates: Option<(f64, u64)>,
}

/// A running emulator. Dropping it ends it and all function processes.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    log: PathBuf,
    child: Child,
}

#[derive(Deserialize)]
struct Ready {
    endpoint: String,
    log: PathBuf,
}

impl Emulator {
    /// Starts the emulator on a free port of the loopback interface and waits until it answers.
    ///
    /// # Errors
    /// If `make setup` was not run, or the emulator does not start.
    pub async fn start(options: &EmulatorOptions) -> Result<Self, CloudError> {
        let python = project().join(".venv/cloud/bin/python");
        let mut command = Command::new(&python);
        command
            .arg("-B")
            .arg(project().join("infra/local/cloud.py"))
            .args(["--port", "0", "--with-parent", "--state"])
            .arg(&options.state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if options.enforce_roles {
            command.arg("--auth");
        }
        if let Some((share, seed)) = options.duplicates {
            command.args(["--duplicate", &share.to_string(), "--seed", &seed.to_string()]);
        }
        let what = format!("{} (run `make setup` first)", python.display());
        let mut child = command.spawn().map_err(CloudError::io(what))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            let ready = tokio::time::timeout(START_WITHIN, stdout.read_line(&mut line)).await;
            ready
                .map_err(|_| CloudError::Late {
                    what: "the emulator".to_owned(),
                    seconds: START_WITHIN.as_secs(),
                })?
                .map_err(CloudError::io("the emulator's standard output"))?;
        }
        if let Ok(Ready { endpoint, log }) = serde_json::from_str(&line) {
            return Ok(Self { endpoint, log, child });
        }
        let mut output = line;
        if let Some(mut stderr) = child.stderr.take() {
            stderr
                .read_to_string(&mut output)
                .await
                .map_err(CloudError::io("the emulator"))?;
        }
        Err(CloudError::Failed {
            what: "the emulator".to_owned(),
            output,
        })
    }

    /// Where it listens, such as `http://127.0.0.1:4571`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where it logs, with what the functions log.
    #[must_use]
    pub fn log(&self) -> &PathBuf {
        &self.log
    }

    /// The launcher's process id.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it and waits until it is gone.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        if tokio::time::timeout(STOP_WITHIN, self.child.wait())
            .await
            .is_err()
        {
            // The launcher's own children notice that it is gone.
            let _ = self.child.kill().await;
        }
    }
}
