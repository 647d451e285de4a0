//! The stack that `template.yaml` makes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use serde_json::Value;
use tokio::process::Command;
use vendorbridge_cli::deployment::Deployment;

use super::{Aws, CloudError, project};

/// A deployed stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// What its outputs say.
    pub deployment: Deployment,
}

impl Stack {
    /// Deploys a template with `sam deploy`; an existing stack is updated.
    ///
    /// `parameters` travel in a file below `work`, since settings are JSON and SAM takes quotes out of arguments.
    ///
    /// # Errors
    /// With SAM's own output if the deployment fails.
    pub async fn deploy(
        aws: &Aws,
        name: &str,
        template: &Path,
        parameters: &BTreeMap<String, String>,
        work: &Path,
    ) -> Result<Self, CloudError> {
        let file = work.join("parameters.yaml");
        std::fs::create_dir_all(work).map_err(CloudError::io(work.display().to_string()))?;
        // JSON is YAML; a text of digits or `true` stays a text.
        let text = serde_json::to_string_pretty(parameters).unwrap_or_default();
        std::fs::write(&file, text).map_err(CloudError::io(file.display().to_string()))?;
        sam(
            aws,
            &[
                "deploy",
                "--stack-name",
                name,
                "--template-file",
                &template.display().to_string(),
                "--no-confirm-changeset",
                "--no-progressbar",
                "--parameter-overrides",
                &format!("file://{}", file.display()),
            ],
        )
        .await?;
        let deployment = Deployment::of_stack(&aws.cloudformation, name).await?;
        Ok(Self {
            name: name.to_owned(),
            deployment,
        })
    }

    /// Removes the stack and what it holds.
    ///
    /// # Errors
    /// With SAM's own output if that fails.
    pub async fn delete(&self, aws: &Aws) -> Result<(), CloudError> {
        sam(aws, &["delete", "--stack-name", &self.name, "--no-prompts"]).await
    }

    /// An output of the stack, by its name in `template.yaml`.
    ///
    /// # Errors
    /// If the stack has no such output.
    pub fn output(&self, name: &str) -> Result<&str, CloudError> {
        self.deployment
            .outputs
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| CloudError::Aws {
                what: "the stack's outputs",
                reason: format!("expected `{name}`, found none"),
            })
    }

    /// Sets the value of a vendor's secret.
    ///
    /// # Errors
    /// If Secrets Manager refuses it.
    pub async fn set_secret(&self, aws: &Aws, vendor: &str, value: &Value) -> Result<(), CloudError> {
        self.put_secret(aws, &format!("SecretArn{vendor}"), value).await
    }

    /// Sets the value of the secret that an output names.
    ///
    /// # Errors
    /// If Secrets Manager refuses it.
    pub async fn put_secret(&self, aws: &Aws, output: &str, value: &Value) -> Result<(), CloudError> {
        let arn = self.output(output)?;
        let put = aws
            .secrets
            .put_secret_value()
            .secret_id(arn)
            .secret_string(value.to_string())
            .send()
            .await;
        put.map(|_| ()).map_err(|error| CloudError::Aws {
            what: "PutSecretValue",
            reason: DisplayErrorContext(error).to_string(),
        })
    }
}

async fn sam(aws: &Aws, arguments: &[&str]) -> Result<(), CloudError> {
    let sam = project().join(".venv/tools/bin/sam");
    let mut command = Command::new(&sam);
    command
        .args(arguments)
        .current_dir(project())
        .stdin(Stdio::null())
        // The project's defaults, also for a template that stands elsewhere.
        .arg("--config-file")
        .arg(project().join("samconfig.toml"))
        .env("SAM_CLI_TELEMETRY", "0")
        .env("SAM_CLI_POLL_DELAY", "0.5")
        .kill_on_drop(true);
    if let Some(endpoint) = &aws.endpoint {
        command
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env_remove("AWS_PROFILE");
    }
    let what = format!("{} (run `make setup` first)", sam.display());
    let output = command.output().await.map_err(CloudError::io(what))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    Err(CloudError::Failed {
        what: format!("sam {}", arguments.join(" ")),
        output: text,
    })
}

/// Writes a copy of `template.yaml` from which one vendor is cut, as a person would: its name in the list, its settings
/// parameter and its row of the mapping. Answers with the copy's path below `work`.
///
/// # Errors
/// If the template cannot be read, or the vendor is not in it.
pub fn without_vendor(vendor: &str, work: &Path) -> Result<PathBuf, CloudError> {
    let template = project().join("template.yaml");
    let text = std::fs::read_to_string(&template).map_err(CloudError::io("template.yaml"))?;
    let (from, to) = (format!("# vendor: {vendor}"), format!("# end vendor: {vendor}"));
    let mut cutting = false;
    let mut blocks = 0;
    let mut kept = String::new();
    for line in text.lines() {
        cutting |= line.trim() == from;
        if !cutting {
            kept.push_str(&line_without(line, vendor));
            kept.push('\n');
        }
        if line.trim() == to {
            cutting = false;
            blocks += 1;
        }
    }
    if blocks == 0 {
        let reason = format!("expected blocks `{from}` … `{to}`, found none");
        return Err(CloudError::Aws {
            what: "template.yaml",
            reason,
        });
    }
    std::fs::create_dir_all(work).map_err(CloudError::io(work.display().to_string()))?;
    let copy = work.join("template.yaml");
    std::fs::write(&copy, kept).map_err(CloudError::io(copy.display().to_string()))?;
    // `CodeUri` is relative to the template.
    let target = work.join("target");
    if !target.exists() {
        std::os::unix::fs::symlink(project().join("target"), &target)
            .map_err(CloudError::io("a link to target"))?;
    }
    Ok(copy)
}

/// Takes the vendor's name out of the default of `Vendors`.
fn line_without(line: &str, vendor: &str) -> String {
    match line.split_once("Default: ") {
        Some((indent, names)) if names.split(',').any(|name| name == vendor) => {
            let names: Vec<_> = names.split(',').filter(|name| *name != vendor).collect();
            format!("{indent}Default: {}", names.join(","))
        }
        _ => line.to_owned(),
    }
}
