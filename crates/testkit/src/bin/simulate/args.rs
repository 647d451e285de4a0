//! What the command takes.

use clap::Parser;
use vendorbridge::sabotage::Sabotage;
use vendorbridge_testkit::simulation::{Kind, Options, SABOTAGES};

/// Runs the real engine among models of everything around it.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
pub(crate) struct Args {
    /// Run this seed, twice, and show what happened
    #[arg(long, conflicts_with_all = ["day", "json"])]
    pub(crate) seed: Option<u64>,
    /// How many seeds to run
    #[arg(long, default_value_t = 1000)]
    pub(crate) seeds: u64,
    /// The first of them; the seed of a day
    #[arg(long, default_value_t = 0)]
    pub(crate) from: u64,
    /// End after this many broken runs
    #[arg(long, default_value_t = 10)]
    pub(crate) most: usize,
    /// Show all lines of a replay, not only those of the entity concerned
    #[arg(long, requires = "seed")]
    pub(crate) all: bool,
    /// Play one long run at a steady rate
    #[arg(long)]
    pub(crate) day: bool,
    /// Changes a second, with --day
    #[arg(long, default_value_t = 50.0)]
    pub(crate) rate: f64,
    /// How long it lasts, with --day
    #[arg(long, default_value_t = 24)]
    pub(crate) hours: u64,
    /// How many entities there are, with --day
    #[arg(long, default_value_t = 20_000)]
    pub(crate) entities: usize,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Set messages aside after this many deliveries instead of the template's hundred
    #[arg(long)]
    pub(crate) max_receives: Option<u32>,
    /// Let all vendors be of this kind, such as `Booking`
    #[arg(long, value_parser = kind)]
    pub(crate) kind: Option<Kind>,
    /// Put a fault into the engine, by its name, such as `NoReservation`
    #[arg(long, value_parser = sabotage)]
    pub(crate) sabotage: Option<Sabotage>,
}

impl Args {
    /// How to run a seed.
    pub(crate) fn options(&self) -> Options {
        Options {
            is_recording: self.seed.is_some(),
            sabotage: self.sabotage,
            kind: self.kind,
            max_receives: self.max_receives,
        }
    }
}

fn kind(name: &str) -> Result<Kind, String> {
    let named = Kind::ALL.into_iter().find(|kind| format!("{kind:?}") == name);
    named.ok_or_else(|| format!("expected one of {:?}", Kind::ALL))
}

fn sabotage(name: &str) -> Result<Sabotage, String> {
    let named = SABOTAGES.into_iter().find(|fault| format!("{fault:?}") == name);
    named.ok_or_else(|| format!("expected one of {SABOTAGES:?}"))
}
