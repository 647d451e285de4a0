//! Opening the page in the desktop's browser.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::CliError;

/// What opens a file with the program of a person's choice.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// The file that led the browser to the page; it goes with the console.
#[derive(Debug)]
pub(super) struct Opened(PathBuf);

impl Drop for Opened {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

/// Opens `url` by way of a file that only this user can read: a command line, with the token in it, everyone on the machine
/// can.
///
/// # Errors
/// If the file cannot be written, or there is no browser.
pub(super) async fn browse(url: &str) -> Result<Opened, CliError> {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("vendorbridge-console-{}.html", std::process::id()));
    let text =
        format!("<!doctype html><meta http-equiv=refresh content=\"0;url={url}\"><title>Console</title>\n");
    // One that is there already may be somebody else's trap.
    let written = write_new(&file, &text);
    written.map_err(|error| CliError::File {
        file: file.display().to_string(),
        error,
    })?;
    let file = Opened(file);
    match Command::new(OPENER).arg(&file.0).status().await {
        Ok(status) if status.success() => Ok(file),
        Ok(status) => Err(no_browser(&status.to_string())),
        Err(error) => Err(no_browser(&error.to_string())),
    }
}

fn no_browser(found: &str) -> CliError {
    CliError::Call {
        action: "opening the browser",
        message: format!("{OPENER}: {found}; open the address yourself, without --open"),
    }
}

fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
