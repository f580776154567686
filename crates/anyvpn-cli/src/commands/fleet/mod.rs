//! `anyvpn fleet`: keeps a reseller's customers as a shop's orders say.

mod intake;
mod metrics;
mod people;
mod place;
mod report;
mod run;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use self::place::{KeySource, Place};
use crate::context::Context;
use crate::failure::Failure;
use crate::work::{wait, wait_here, wait_or_drain};

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  anyvpn fleet import orders.csv && anyvpn fleet plan")]
pub enum Fleet {
    /// Import orders from a file; no call is made to the provider
    #[command(after_help = "\
A CSV file begins with the names of its columns: id, key, and any of profile,
plan, country, wanted (active, suspended or closed), end and revision.
The same order again changes nothing. To change an order, raise its revision.
The CSV of an export can be imported too; its passwords are not imported.

Examples:
  anyvpn fleet import orders.csv --dry-run
  anyvpn fleet import orders.csv
  shop-export | anyvpn fleet import - --format jsonl")]
    Import(Import),
    /// Show what would be done for the orders that wait, without doing it
    Plan(Plan),
    /// Do what the orders say, until nothing is left to do
    #[command(after_help = "\
The exit code is 10 if orders are parked or drifted, so that a person has to
decide, and 3 if the provider refused the credentials of a profile.

Examples:
  anyvpn fleet run
  anyvpn fleet plan --output plan.json && anyvpn fleet run --plan plan.json
  anyvpn fleet run --service --metrics 127.0.0.1:9469")]
    Run(Box<Run>),
    /// Show how many orders are in which state
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// List the orders
    List(List),
    /// Show what happened to an order, and why
    Explain(OfOrder),
    /// Try orders again, or all orders of a stopped profile
    Retry(Retry),
    /// Give a customer who was there before to the order
    #[command(after_help = "The customer gets the order's plan, state and password.")]
    Adopt(Adopt),
    /// Give an order up; its customer stays as it is
    Release(Adopt),
    /// Print the orders with their state, and with the passwords if asked
    Export(Export),
}

#[derive(Args)]
pub struct Import {
    /// The file with the orders, or - for stdin
    file: PathBuf,
    /// Check the orders and say what would be imported; write nothing
    #[arg(long)]
    dry_run: bool,
    /// The form of the file; by default its name says it
    #[arg(long, value_enum)]
    format: Option<intake::FileFormat>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    key: KeySource,
}

#[derive(Args)]
pub struct Plan {
    /// Write the plan to FILE, for `anyvpn fleet run --plan FILE`
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    caps: Caps,
    #[command(flatten)]
    adopt: Policy,
    #[command(flatten)]
    place: Place,
}

/// Limits for what is done at once.
#[derive(Args, Clone, Copy)]
pub struct Caps {
    /// Fail if more than N customers would be changed
    #[arg(long, value_name = "N")]
    max_changes: Option<u64>,
    /// Fail if more than PERCENT of all orders would be changed
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(..=100))]
    max_share: Option<u64>,
}

/// What the orders may take over.
#[derive(Args, Clone, Copy)]
pub struct Policy {
    /// Which existing customers an order may adopt: none, those found after a creation whose reply was
    /// lost, or also those who existed before it
    #[arg(long, value_enum, default_value_t)]
    adopt: AdoptPolicy,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub enum AdoptPolicy {
    #[default]
    Never,
    InDoubt,
    Foreign,
}

#[derive(Args)]
pub struct Run {
    /// Do this plan, and nothing if it no longer holds
    #[arg(long, value_name = "FILE", conflicts_with = "service")]
    plan: Option<PathBuf>,
    /// Run until SIGTERM, and finish the calls that were begun; tells systemd when it is ready
    #[arg(long)]
    service: bool,
    /// How many orders are handled at the same time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    in_flight: u32,
    /// For how many seconds an order is reserved for the worker that claimed it; a call may use half of
    /// that time
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(2..=86400))]
    lease: u64,
    /// Limit an operation for all workers, as PROFILE/create=6/min; can be given several times
    #[arg(long, value_name = "LIMIT")]
    budget: Vec<run::BudgetArgument>,
    /// After how many hours the customers of done orders are read again, to find changes; 0 for never
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    sweep: u64,
    /// Serve metrics for Prometheus at this address of this machine
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<std::net::SocketAddr>,
    #[command(flatten)]
    caps: Caps,
    #[command(flatten)]
    adopt: Policy,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    key: KeySource,
}

#[derive(Args)]
pub struct List {
    /// Only orders in this state
    #[arg(long, value_enum)]
    state: Option<report::StateName>,
    /// At most N orders
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Only orders whose ids come after this one
    #[arg(long, value_name = "ORDER")]
    after: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct OfOrder {
    /// The order's id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    order: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct Retry {
    /// The orders' ids; without any, the stopped profile that --profile names is resumed
    #[arg(value_name = "ORDER")]
    orders: Vec<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct Adopt {
    /// The orders' ids
    #[arg(value_name = "ORDER", required = true)]
    orders: Vec<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct Export {
    /// Print the passwords, where the customer is known to have it
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    key: KeySource,
}

pub fn run(context: &Context, command: Fleet) -> Result<(), Failure> {
    match command {
        Fleet::Import(args) => wait(context, intake::import(context, args)),
        Fleet::Plan(args) => wait(context, run::plan(context, args)),
        Fleet::Run(args) => {
            wait_or_drain(context, async |stop| run::run(context, *args, stop).await)
        }
        Fleet::Status { place } => wait_here(context, report::status(context, place)),
        Fleet::List(args) => wait_here(context, report::list(context, args)),
        Fleet::Explain(args) => wait_here(context, report::explain(context, args)),
        Fleet::Retry(args) => wait_here(context, people::retry(context, args)),
        Fleet::Adopt(args) => wait_here(context, people::adopt(context, args)),
        Fleet::Release(args) => wait_here(context, people::release(context, args)),
        Fleet::Export(args) => wait_here(context, report::export(context, args)),
    }
}
