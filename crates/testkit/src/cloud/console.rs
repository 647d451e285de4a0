//! The console as a process that ends with us.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{CloudError, World};

/// It says where it is within this time, or something is wrong.
const START_WITHIN: Duration = Duration::from_secs(30);
/// It ends within this time after it was asked to.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A running `vendorbridge console`. Dropping it ends it.
#[derive(Debug)]
pub struct Console {
    url: String,
    child: Child,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
}

impl Console {
    /// Starts this `command` for a world's stack and waits until it can be called.
    ///
    /// # Errors
    /// If the command is not built, or does not start.
    pub async fn start(world: &World, command: &Path) -> Result<Self, CloudError> {
        let what = || format!("{} (run `cargo build -p vendorbridge-cli`)", command.display());
        let mut process = Command::new(command);
        process
            .args(["--stack", &world.stack.name, "--json", "console"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if let Some(endpoint) = &world.aws.endpoint {
            process
                .env("AWS_ENDPOINT_URL", endpoint)
                .env("AWS_REGION", "us-east-1")
                .env("AWS_ACCESS_KEY_ID", "test")
                .env("AWS_SECRET_ACCESS_KEY", "test")
                .env_remove("AWS_PROFILE");
        }
        let mut child = process.spawn().map_err(CloudError::io(what()))?;
        let mut text = String::new();
        if let Some(stdout) = child.stdout.take() {
            let reading = read_json(BufReader::new(stdout), &mut text);
            let read = tokio::time::timeout(START_WITHIN, reading).await;
            read.map_err(|_| CloudError::Late {
                what: "the console".to_owned(),
                seconds: START_WITHIN.as_secs(),
            })?
            .map_err(CloudError::io(what()))?;
        }
        match serde_json::from_str(&text) {
            Ok(Ready { url }) => Ok(Self { url, child }),
            Err(_) => Err(CloudError::Failed {
                what: "the console".to_owned(),
                output: text,
            }),
        }
    }

    /// Its address, with the token.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it as Ctrl-C does, and answers whether it says that all went well.
    pub async fn stop(mut self) -> bool {
        if let Some(id) = self.child.id() {
            let _ = Command::new("kill")
                .args(["-INT", &id.to_string()])
                .status()
                .await;
        }
        let ended = tokio::time::timeout(STOP_WITHIN, self.child.wait()).await;
        matches!(ended, Ok(Ok(status)) if status.success())
    }
}

/// Reads up to the end of the first JSON object: the process itself goes on.
async fn read_json(mut stdout: impl AsyncReadExt + Unpin, text: &mut String) -> std::io::Result<()> {
    let mut bytes = [0; 256];
    while !text.trim_end().ends_with('}') {
        let length = stdout.read(&mut bytes).await?;
        if length == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    Ok(())
}
