//! The command line.

use std::num::ParseIntError;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};
use vendorbridge::EntityKey;

use crate::{completions, doctor, report, tail, timeline, when, why};

/// The longest time `status` looks back, in hours: each is a few queries per vendor.
pub const MAX_HOURS: u8 = 48;

/// Sends events to a Vendorbridge deployment, says what became of them, and holds vendors back.
#[derive(Debug, Parser)]
#[command(name = "vendorbridge", version, propagate_version = true)]
#[command(
    after_help = "Region, credentials and endpoint come from the usual AWS variables and files: AWS_PROFILE, \
    AWS_REGION, AWS_ENDPOINT_URL, …\n\n\
    Exit codes: 0 done, 1 failed, 2 wrong command line, 3 done and the answer is bad news (`why`: not at the vendor; \
    `doctor`: a fault; `reconcile`: a difference is left; `replay`: event records that cannot be read), 130 stopped by Ctrl-C. Colours go to a terminal only, unless NO_COLOR is set."
)]
pub struct Args {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// The deployed stack: it is asked for table, bus and vendors
    #[arg(
        long,
        global = true,
        env = "VENDORBRIDGE_STACK",
        default_value = "vendorbridge",
        value_name = "NAME",
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub stack: String,
    /// Print JSON for programs instead of tables
    #[arg(long, global = true)]
    pub json: bool,
    /// How wide a table may be
    #[arg(
        long,
        global = true,
        env = "COLUMNS",
        default_value = "120",
        value_parser = width,
        value_name = "COLUMNS",
        hide_env_values = true
    )]
    pub width: u16,
}

/// A shell may export an empty COLUMNS.
fn width(text: &str) -> Result<u16, ParseIntError> {
    match text {
        "" => Ok(120),
        text => text.parse(),
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put events on the bus
    Send(Send),
    /// Say what became of events and entities
    Status(Status),
    /// Say how a vendor stands, pause it, resume it
    Vendor(Vendor),
    /// Serve a page on this machine that shows how everything stands, and repairs
    Console(crate::console::Options),
    /// Say why an entity is, or is not, at a vendor
    Why(why::Options),
    /// Show all events of an entity at a vendor
    Timeline(timeline::Options),
    /// Count the events of a time by vendor, status or hour
    Report(report::Options),
    /// Show events as they are settled
    Tail(tail::Options),
    /// Check the deployment: permissions, queues, timeouts, routes, secrets, what is overdue
    Doctor(doctor::Options),
    /// Print a shell's completions
    Completions(completions::Options),
    /// Ask for entities again at one vendor, or say what that would send
    Replay(crate::replay::Options),
    /// Bring dead letters back into their lanes
    Redrive(crate::redrive::Options),
    /// Ask for everything that the source has of a type, below live traffic
    Backfill(crate::backfill::Options),
    /// Compare the source with the vendor, and repair what differs
    Reconcile(crate::reconcile::Options),
}

/// The options of `send`.
#[derive(Debug, Clone, clap::Args)]
pub struct Send {
    /// JSON files with one event or an array of them, as the bus delivers them; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Check the files and send nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The options of `status`.
#[derive(Debug, Clone, clap::Args)]
pub struct Status {
    /// Only this vendor
    #[arg(long)]
    pub vendor: Option<String>,
    /// Where one entity stands, such as `customer/c-4711`
    #[arg(long, value_name = "TYPE/ID")]
    pub entity: Option<EntityKey>,
    /// How far to look back for events
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_HOURS)), conflicts_with = "entity")]
    pub hours: u8,
}

/// The options of `vendor`.
#[derive(Debug, Clone, clap::Args)]
pub struct Vendor {
    /// What to do with it.
    #[command(subcommand)]
    pub action: VendorAction,
}

/// What can be done with a vendor.
#[derive(Debug, Clone, Subcommand)]
pub enum VendorAction {
    /// List all vendors: state, what waits, queues, latest outcome
    List,
    /// Let a few waiting entities find out at once whether the vendor is well again
    Probe(Probe),
    /// Say whether it is called, why not, and how many entities wait
    Show(Show),
    /// Call it no more, until it is resumed; what is to be done waits
    Pause(Pause),
    /// Lift a pause
    Resume(Resume),
}

/// The options of `vendor show`.
#[derive(Debug, Clone, clap::Args)]
pub struct Show {
    /// The vendor's name
    pub vendor: String,
}

/// The options of `vendor probe`.
#[derive(Debug, Clone, clap::Args)]
pub struct Probe {
    /// The vendor's name
    pub vendor: String,
    /// How long to wait for what they find
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = when::duration)]
    pub wait: SignedDuration,
}

/// The options of `vendor pause`.
#[derive(Debug, Clone, clap::Args)]
pub struct Pause {
    /// The vendor's name
    pub vendor: String,
    /// Why, for whoever looks: it stands in the ledger with every entity that waits
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// When it ends by itself: a time such as `2026-12-01T04:00:00Z`, or a duration from now such as `8h` or `1h 30m`
    #[arg(long, value_name = "TIME", value_parser = when::ahead, allow_hyphen_values = true)]
    pub until: Option<Timestamp>,
}

/// The options of `vendor resume`.
#[derive(Debug, Clone, clap::Args)]
pub struct Resume {
    /// The vendor's name
    pub vendor: String,
    /// Also let probes go at once if its circuit is open; they close it if they go well
    #[arg(long)]
    pub close_circuit: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use vendorbridge::clock::{Clock, SystemClock};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn global_options_stand_on_either_side() {
        for line in [
            ["vendorbridge", "--stack", "s", "status"],
            ["vendorbridge", "status", "--stack", "s"],
        ] {
            assert_eq!(Args::try_parse_from(line).unwrap().global.stack, "s");
        }
    }

    #[test]
    fn a_bad_entity_key_is_explained() {
        for (key, expected) in [("c-4711", "`type/id`"), ("customer/", "an entity id")] {
            let error = Args::try_parse_from(["vendorbridge", "status", "--entity", key]).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_pause_ends_at_a_time_or_after_a_while() {
        let until = |text: &str| {
            let line = ["vendorbridge", "vendor", "pause", "mailchimp", "--until", text];
            Args::try_parse_from(line)
                .map(|args| match args.command {
                    Command::Vendor(Vendor {
                        action: VendorAction::Pause(pause),
                    }) => pause.until.unwrap(),
                    other => panic!("expected a pause, found {other:?}"),
                })
                .map_err(|error| error.to_string())
        };
        let time: Timestamp = "2126-12-01T04:00:00Z".parse().unwrap();
        assert_eq!(until("2126-12-01T04:00:00Z"), Ok(time));
        let hours = until("1h 30m").unwrap().duration_since(SystemClock.now());
        assert!((89..=90).contains(&hours.as_mins()), "{hours}");
        for (wrong, expected) in [
            ("2020-01-01T00:00:00Z", "that is over"),
            ("-8h", "that is over"),
            ("16:00", "with its zone"),
        ] {
            let error = until(wrong).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
