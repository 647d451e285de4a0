//! `vendorbridge doctor`: checks a deployment. What may not be read is a finding of its own, and the rest goes on.

mod checks;
mod facts;
mod read;
mod routes;

use futures::future::join_all;
use serde::Serialize;
use vendorbridge::clock::{Clock, SystemClock};

use crate::args::Global;
use crate::session::Session;
use crate::{CliError, Exit, Outcome, output};

/// The options of `doctor`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only this vendor
    #[arg(long)]
    pub vendor: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Look at it, or it could not be checked.
    Warning,
    /// Something does not work, or will not.
    Fault,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The vendor, or null for the stack.
    pub vendor: Option<String>,
    /// What was checked.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found, and what was expected where it is not so.
    pub found: String,
    /// What to do, or null.
    pub remedy: Option<String>,
}

/// What `doctor --json` prints:
///
/// ```json
/// {"stack": "vendorbridge", "faults": 1, "warnings": 0, "findings": [
///   {"vendor": "mailchimp", "check": "visibility timeout", "level": "fault",
///    "found": "expected at least 6 × the function's timeout of 60 s, found 30 s: vendorbridge-mailchimp.fifo",
///    "remedy": "…"}]}
/// ```
///
/// Every field is always there; what does not apply is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    stack: String,
    faults: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

impl Report {
    /// Reads what is deployed and checks it, the vendors side by side.
    pub async fn read(session: &Session, vendors: &[&str]) -> Self {
        let now = SystemClock.now();
        let of_vendors = vendors.iter().map(async |vendor| {
            let facts = Box::pin(read::facts(session, vendor)).await;
            checks::vendor(&facts, &session.stack, now)
        });
        let (of_vendors, failures) = futures::join!(join_all(of_vendors), read::set_aside(session));
        let mut findings = checks::stack(&failures);
        findings.extend(of_vendors.into_iter().flatten());
        Self::of(&session.stack, findings)
    }

    fn of(stack: &str, findings: Vec<Finding>) -> Self {
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        Self {
            stack: stack.to_owned(),
            faults: count(Level::Fault),
            warnings: count(Level::Warning),
            findings,
        }
    }

    /// The findings for people, the worst last.
    #[must_use]
    pub fn text(&self, width: u16) -> String {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.level);
        let mut table = output::table(&["level", "vendor", "check", "found", "what to do"], width);
        table.add_rows(findings.into_iter().map(|finding| {
            let level = match finding.level {
                Level::Ok => "OK",
                Level::Warning => "WARNING",
                Level::Fault => "FAULT",
            };
            [
                level,
                output::or_dash(finding.vendor.as_deref()),
                finding.check,
                &finding.found,
                finding.remedy.as_deref().unwrap_or_default(),
            ]
            .map(str::to_owned)
        }));
        let number =
            |count: usize, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        format!(
            "{}\n{} of {}, {}\n",
            output::lines(&table),
            number(self.faults, "fault"),
            self.stack,
            number(self.warnings, "warning")
        )
    }
}

/// Checks the deployment.
///
/// # Errors
/// If the stack cannot be read, or the vendor is not deployed.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let vendors = session.deployment.chosen(options.vendor.as_deref())?;
    let report = Report::read(&session, &vendors).await;
    let code = if report.faults > 0 {
        Exit::BadNews
    } else {
        Exit::Done
    };
    output::answer(global, &report, Report::text).map(|outcome| outcome.ending(code))
}

#[cfg(test)]
mod tests;
