//! The options of `console`.

/// The options of `console`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub port: u16,
    /// Open the page in the browser of this desktop
    #[arg(long)]
    pub open: bool,
}
