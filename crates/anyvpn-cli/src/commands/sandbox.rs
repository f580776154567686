//! `anyvpn sandbox`: a local server that imitates the providers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyvpn_sandbox::{Sandbox as Server, StartError, Variation};
use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::data_plane;
use crate::failure::Failure;
use crate::provider_settings::address_setting;
use crate::signals;
use crate::text::reason;
use crate::work::wait_here;

/// The user name of the account that the sandbox creates at each provider.
const LOGIN: &str = "demo";
/// It protects nothing, because the accounts are imitations. Some providers require a strong password.
const PASSWORD: &str = "Demo-Password-1";

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn sandbox > sandbox.env &    Start the sandbox and write its variables
  . ./sandbox.env                   Use the sandbox in this shell
  anyvpn sandbox --variation azire.created-ip-is-bare")]
pub struct Sandbox {
    /// The address to listen on; port 0 chooses a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Seed for names, numbers and choices; 0 behaves as the live services were observed to
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Change the behaviour of seed 0 in this way; can be repeated
    #[arg(long, value_name = "NAME")]
    variation: Vec<String>,
    /// List the variations and what each changes
    #[arg(long)]
    list_variations: bool,
    /// Allow other machines to connect; the sandbox has no security
    #[arg(long)]
    allow_other_machines: bool,
    /// Let forwarded ports really forward, in network namespaces with wireguard-go (Linux)
    #[arg(long, conflicts_with = "allow_other_machines")]
    data_plane: bool,
}

pub fn run(context: &Context, args: Sandbox) -> Result<(), Failure> {
    if args.list_variations {
        return list_variations(context);
    }
    let served = wait_here(context, serve(context, args));
    match served.as_ref().err().and_then(Failure::signal) {
        // A signal is the normal way to end the sandbox, so there is no error to print.
        Some(signal) => signals::end(signal),
        None => served,
    }
}

fn list_variations(context: &Context) -> Result<(), Failure> {
    let entry = |Variation { name, what, .. }| json!({ "name": name, "what": what });
    let answer = json!({ "variations": Variation::all().map(entry).collect::<Vec<_>>() });
    let width = Variation::all().map(|variation| variation.name.len()).max().unwrap_or_default();
    context.output.answer(&answer, || {
        let line = |Variation { name, what, .. }| format!("{name:width$}  {what}");
        Variation::all().map(line).collect::<Vec<_>>().join("\n")
    })
}

async fn serve(context: &Context, args: Sandbox) -> Result<(), Failure> {
    let mut builder = Server::builder().listen(args.listen).seed(args.seed);
    for name in args.variation {
        builder = builder.variation(name);
    }
    if args.allow_other_machines {
        builder = builder.allow_other_machines();
    }
    let mut network = None;
    if args.data_plane {
        let (with_network, description) = data_plane::add(builder)?;
        (builder, network) = (with_network, Some(description));
    }
    let sandbox = builder.start().await.map_err(not_started)?;
    let url = sandbox.url();
    let (mut variables, mut accounts) = (Vec::new(), Vec::new());
    let mut other_names = Vec::new();
    for info in context.registry.infos() {
        let Some(login) = sandbox.add_login(info.name, LOGIN, PASSWORD) else { continue };
        let key =
            address_setting(info).map(|setting| (setting.key, sandbox.provider_url(info.name)));
        let values = key.into_iter().chain(login.credentials);
        variables.extend(
            values.filter_map(|(key, value)| Some((info.setting(key)?.variable(info.name), value))),
        );
        let username = login.username;
        if username.is_empty() {
            continue;
        }
        if username != LOGIN {
            other_names.push(format!("At {}, the user name is {username}.", info.title));
        }
        accounts.push(json!({ "provider": info.name, "login": username, "password": PASSWORD }));
    }
    // The variables name several providers. This one chooses the first of them as the default.
    let first = accounts.first().and_then(|account| account["provider"].as_str());
    variables.extend(first.map(|first| ("ANYVPN_PROVIDER".to_owned(), first.to_owned())));
    let mut answer = json!({
        "url": url,
        "environment": variables.iter().cloned().collect::<BTreeMap<_, _>>(),
        "accounts": accounts,
        "data_plane": null,
    });
    let mut note = network.map_or_else(String::new, |network| {
        answer["data_plane"] = network.document;
        network.text + "\n"
    });
    context.output.answer(&answer, || {
        let lines =
            variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value)));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    // The variables fill a screen, so what to do comes after them.
    note.push_str(&format!(
        "Sandbox running at {url}. To use it, set these variables in another terminal.\n\
         Sign in with user name {LOGIN} and password {PASSWORD}.\n"
    ));
    for other in other_names {
        note.push_str(&format!("{other}\n"));
    }
    context.output.note(&format!("{note}Press Ctrl-C to stop."));
    sandbox.wait().await;
    Err(Failure::other(match sandbox.data_plane_failure() {
        Some(why) => format!("the data plane failed: {why}"),
        None => "the sandbox stopped".to_owned(),
    }))
}

/// Quotes a value for a shell. VPN Script's tokens contain a `|`.
fn quoted(value: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    match value.chars().all(is_plain) {
        true => value.into(),
        false => format!("'{}'", value.replace('\'', r"'\''")).into(),
    }
}

/// Returns the failure for a sandbox that did not start.
pub fn not_started(error: StartError) -> Failure {
    match error {
        StartError::NotLoopback(address) => {
            Failure::usage(format!("other machines can connect to {address}"))
                .hint("listen on 127.0.0.1, or add --allow-other-machines")
        }
        StartError::UnknownVariation(name) => Failure::usage(format!("unknown variation {name:?}"))
            .hint("to list all: anyvpn sandbox --list-variations"),
        StartError::Listen { address, source } => {
            let why = reason(&source);
            Failure::other(format!("cannot listen on {address}: {why}"))
                .hint("choose another address or port with --listen")
        }
        StartError::DataPlane { source } => {
            Failure::other(format!("the data plane failed: {}", reason(&source)))
        }
        other => Failure::other(other.to_string()),
    }
}
