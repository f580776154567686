//! `anyvpn port status`: shows the state of a keeper.

use std::path::PathBuf;
use std::time::Duration;

use anyvpn::{Clock as _, Timestamp};
use anyvpn_http::SystemClock;
use clap::Args;
use serde_json::Value;

use super::port_keep;
use crate::context::Context;
use crate::failure::Failure;
use crate::text::{listing, reason, when};

/// A keeper writes at least once a minute.
const STALE: Duration = Duration::from_secs(3 * 60);

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn port status
  anyvpn port status --file /run/anyvpn/status.json --json | jq .port.port")]
pub struct Status {
    /// The file that `anyvpn port keep` writes [default: the one that it writes by default]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub fn run(context: &Context, args: &Status) -> Result<(), Failure> {
    let path = match &args.file {
        Some(file) => Some(file.clone()),
        None => port_keep::default_status(context, context.provider()?),
    };
    let path = path.ok_or_else(|| {
        Failure::usage("there is no home folder to look in").hint("name the file with --file")
    })?;
    let shown = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::not_found(format!("cannot read {shown}: {}", reason(&error)))
            .hint("start anyvpn port keep, or name its file with --file")
    })?;
    let status: Value = serde_json::from_str(&text)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Failure::other(format!("{shown} was not written by anyvpn port keep")))?;
    let at = time(&status["at"]);
    if at.is_some_and(|at| {
        Duration::try_from(SystemClock.now().duration_since(at)).is_ok_and(|age| age > STALE)
    }) {
        let since = at.map(when).unwrap_or_default();
        context.output.note(&format!("nothing was written since {since}: is the keeper running?"));
    }
    context.output.answer(&status, || people(&status))
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Formats the status as a listing.
fn people(status: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let port = &status["port"];
    let mut pairs = vec![(
        "Port",
        port["port"].as_u64().map_or("none is open".to_owned(), |port| port.to_string()),
    )];
    if port["local_port"] != port["port"] {
        pairs.extend(port["local_port"].as_u64().map(|local| ("Leads to port", local.to_string())));
    }
    pairs.extend(text(&port["protocols"]).map(|protocols| ("Protocols", protocols)));
    pairs.extend(text(&port["address"]).map(|address| ("Public address", address)));
    pairs.extend(time(&port["expires_at"]).map(|end| ("Open until", when(end))));
    pairs.extend(time(&port["verified_at"]).map(|at| ("Seen open", when(at))));
    let interface = text(&status["tunnel"]["interface"]);
    pairs.push(("Tunnel", interface.unwrap_or_else(|| "down".to_owned())));
    pairs.extend(text(&status["phase"]).map(|phase| ("State", phase.replace('-', " "))));
    pairs.extend(text(&status["problem"]).map(|problem| ("Problem", problem)));
    pairs.extend(time(&status["next_at"]).map(|at| ("Next step", when(at))));
    let clients: Vec<(String, String)> = status["clients"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|client| {
            let state = match (client["in_sync"].as_bool(), text(&client["problem"])) {
                (Some(true), _) => "listens on the port".to_owned(),
                (_, Some(problem)) => problem,
                _ => "not in sync".to_owned(),
            };
            (text(&client["name"]).unwrap_or_default(), state)
        })
        .collect();
    pairs.extend(clients.iter().map(|(name, state)| (name.as_str(), state.clone())));
    listing(pairs)
}
