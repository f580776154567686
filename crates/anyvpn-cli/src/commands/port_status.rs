//! `anyvpn port status`: shows the state of a keeper.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyvpn::{Clock as _, Timestamp};
use anyvpn_http::SystemClock;
use anyvpn_keeper::publish::StatusLock;
use clap::Args;
use serde_json::Value;

use super::port_keep;
use crate::context::Context;
use crate::failure::Failure;
use crate::text::{command_line, listing, reason, when};

/// A keeper writes at least once a minute.
const STALE: Duration = Duration::from_secs(3 * 60);
/// The exit code of `--exit-code` if the keeper is not running. Failures have lower codes.
const NOT_RUNNING: u8 = 10;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn port status
  anyvpn port status --exit-code --quiet || echo the keeper is not running
  anyvpn port status --file /run/anyvpn/status.json --json | jq .port.port")]
pub struct Status {
    /// The file that `anyvpn port keep` writes [default: the one that it writes by default]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Exit with code 10 if the keeper is not running
    #[arg(long)]
    exit_code: bool,
}

pub fn run(context: &Context, args: &Status) -> Result<(), Failure> {
    let path = match &args.file {
        Some(file) => file.clone(),
        None => find(context)?,
    };
    let shown = path.display();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| no_status(format!("cannot read {shown}: {}", reason(&error))))?;
    let mut status: Value = serde_json::from_str(&text)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Failure::other(format!("{shown} was not written by anyvpn port keep")))?;
    let running = StatusLock::is_held(&path);
    let keeper = keeper(&running, time(&status["at"]));
    let is_running = running.ok();
    status["running"] = is_running.into();
    context.output.answer(&status, || {
        let known = people(&status, is_running == Some(false));
        keeper.into_iter().chain([known]).collect::<Vec<_>>().join("\n\n")
    })?;
    match args.exit_code && is_running == Some(false) {
        true => Err(Failure::answered(NOT_RUNNING)),
        false => Ok(()),
    }
}

/// Finds the file of the keeper that is meant. This needs neither the provider's settings nor credentials.
fn find(context: &Context) -> Result<PathBuf, Failure> {
    if let Some(file) = port_keep::service_status() {
        return Ok(file);
    }
    let homeless =
        || Failure::usage("there is no home folder to look in").hint("name the file with --file");
    if let Some(profile) = context.named_profile() {
        return port_keep::profile_status(&profile).ok_or_else(homeless);
    }
    if let Some(info) = context.typed_provider().or(context.variable_provider()?) {
        return port_keep::default_status(context, info).ok_or_else(homeless);
    }
    let mut files = port_keep::user_statuses();
    if files.len() > 1 && files.iter().any(|file| is_running(file)) {
        files.retain(|file| is_running(file));
    }
    if files.len() > 1
        && let Ok(info) = context.provider()
        && let Some(file) = port_keep::default_status(context, info)
        && files.contains(&file)
    {
        return Ok(file);
    }
    match &files[..] {
        [] => Err(no_status("no keeper has written what it knows".to_owned())),
        [only] => Ok(only.clone()),
        [first, ..] => {
            Err(Failure::usage("several keepers have written what they know").hint(choose(first)))
        }
    }
}

fn choose(file: &Path) -> String {
    let file = file.display().to_string();
    format!(
        "choose with --file, for example: {}",
        command_line(&["port", "status", "--file", &file], &[])
    )
}

fn is_running(file: &Path) -> bool {
    StatusLock::is_held(file).unwrap_or(false)
}

fn no_status(what: String) -> Failure {
    Failure::not_found(what).hint("start anyvpn port keep, or name its file with --file")
}

/// Says in a sentence why the status may not be true any more. `None` if the keeper is running.
fn keeper(running: &io::Result<bool>, at: Option<Timestamp>) -> Option<String> {
    let age = at.and_then(|at| Duration::try_from(SystemClock.now().duration_since(at)).ok());
    let written = at.map_or_else(|| "at an unknown time".to_owned(), when);
    match running {
        Ok(false) => Some(format!(
            "The keeper is not running (last written {written}).\nThis is what it knew then:"
        )),
        Ok(true) if age.is_some_and(|age| age > STALE) => {
            Some(format!("The keeper is running, but does nothing (last written {written})."))
        }
        Ok(true) => None,
        Err(error) => Some(format!(
            "It cannot be seen whether the keeper is running: {} (last written {written}).",
            reason(error)
        )),
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Formats a time in the future, or `now` if it has passed.
fn upcoming(at: Timestamp) -> String {
    if at > SystemClock.now() { when(at) } else { "now".to_owned() }
}

/// Formats the status as a listing. Of a keeper that is gone, it has only what outlives the keeper.
fn people(status: &Value, is_gone: bool) -> String {
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
    if !is_gone {
        pairs.extend(text(&status["phase"]).map(|phase| ("State", phase.replace('-', " "))));
    }
    pairs.extend(text(&status["problem"]).map(|problem| ("Problem", problem)));
    if !is_gone {
        pairs.extend(time(&status["next_at"]).map(|at| ("Next step", upcoming(at))));
    }
    let clients: Vec<(String, String)> = status["clients"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|client| {
            let state = match (client["in_sync"].as_bool(), text(&client["problem"])) {
                (Some(true), _) => "listens on the port".to_owned(),
                (_, Some(problem)) => match time(&client["next_at"]).filter(|_| !is_gone) {
                    Some(next) => format!("{problem}; next attempt: {}", upcoming(next)),
                    None => problem,
                },
                _ => "not in sync".to_owned(),
            };
            (text(&client["name"]).unwrap_or_default(), state)
        })
        .collect();
    pairs.extend(clients.iter().map(|(name, state)| (name.as_str(), state.clone())));
    listing(pairs)
}
