//! `anyvpn sandbox`

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

/// The account of each provider that is there from the beginning.
const LOGIN: &str = "demo";
/// It protects nothing: the accounts are imitated too. Some providers want a strong one.
const PASSWORD: &str = "Demo-Password-1";

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn sandbox > sandbox.env &    Serve, and write down where and as whom
  . ./sandbox.env                   Now all commands of this shell go there
  anyvpn sandbox --variation azire.created-ip-is-bare")]
pub struct Sandbox {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What all names, numbers and choices follow from; 0 answers as the live services were seen to
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Let the sandbox differ from seed 0 in this way; can be given several times
    #[arg(long, value_name = "NAME")]
    variation: Vec<String>,
    /// List the names for --variation, and what each changes
    #[arg(long)]
    list_variations: bool,
    /// Listen where other machines can reach it; nothing in a sandbox is secured
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
        // So one ends it, and there is nothing to say.
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
    let mut who = format!("It has an account at each provider: user name {LOGIN}");
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
            who.push_str(&format!(", at {}\n{username}", info.title));
        }
        accounts.push(json!({ "provider": info.name, "login": username, "password": PASSWORD }));
    }
    // Of several that are set, the one without `--provider`.
    let first = accounts.first().and_then(|account| account["provider"].as_str());
    variables.extend(first.map(|first| ("ANYVPN_PROVIDER".to_owned(), first.to_owned())));
    let mut answer = json!({
        "url": url,
        "environment": variables.iter().cloned().collect::<BTreeMap<_, _>>(),
        "accounts": accounts,
        "data_plane": null,
    });
    context.output.note(&format!(
        "The sandbox listens at {url} until Ctrl-C.\n{who}; password {PASSWORD}. Elsewhere:"
    ));
    if let Some(data_plane::Description { document, text }) = network {
        context.output.note(&text);
        answer["data_plane"] = document;
    }
    context.output.answer(&answer, || {
        let lines =
            variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value)));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    sandbox.wait().await;
    Err(Failure::other(match sandbox.data_plane_failure() {
        Some(why) => format!("the data plane failed: {why}"),
        None => "the sandbox stopped".to_owned(),
    }))
}

/// A value as a shell takes it: VPN Script's tokens have a `|`.
fn quoted(value: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    match value.chars().all(is_plain) {
        true => value.into(),
        false => format!("'{}'", value.replace('\'', r"'\''")).into(),
    }
}

/// The failure for a sandbox that did not start.
pub fn not_started(error: StartError) -> Failure {
    match error {
        StartError::NotLoopback(address) => {
            Failure::usage(format!("other machines could reach {address}"))
                .hint("listen on 127.0.0.1, or allow it with --allow-other-machines")
        }
        StartError::UnknownVariation(name) => {
            Failure::usage(format!("no variation is named {name:?}"))
                .hint("run `anyvpn sandbox --list-variations` to see the names")
        }
        StartError::Listen { address, source } => {
            let why = reason(&source);
            Failure::other(format!("{address} cannot be listened on: {why}"))
                .hint("choose another address or port with --listen")
        }
        StartError::DataPlane { source } => {
            Failure::other(format!("the data plane failed: {}", reason(&source)))
        }
        other => Failure::other(other.to_string()),
    }
}
