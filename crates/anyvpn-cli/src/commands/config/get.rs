//! `anyvpn config get` and `anyvpn config rotate`, for one server.

use std::path::PathBuf;

use anyvpn::{
    Ability, Config, Error, ErrorKind, Protocol, Provider, Secret, Server, ServerConfig,
    ServerConfigs,
};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use futures_util::TryStreamExt as _;

use super::content::Content;
use super::delivery::{Delivery, Unread, configuration, made, revoke};
use super::named_keys;
use super::openvpn::OpenVpn;
use super::options::Options;
use crate::commands::server::{Filter, protocol};
use crate::context::Context;
use crate::failure::Failure;
use crate::labels::Labels;
use crate::text::{command_line, nearest, shell_word};

const MANY: &str = "Many servers";
/// The most servers with the same name that an error lists.
const CANDIDATES: usize = 5;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn config get se-sto --output se-sto.conf   Write a file for wg-quick
  anyvpn config get se-sto --qr                   Print a QR code for a phone
  anyvpn config get --all --country se --output-dir sweden")]
pub struct Get {
    /// The server's id or name from `anyvpn server list`
    #[arg(required_unless_present = "all", value_parser = NonEmptyStringValueParser::new())]
    server: Option<String>,
    /// The protocol [default: one that the server supports, preferably wireguard]
    #[arg(long, value_name = "NAME", value_parser = protocol())]
    pub(super) protocol: Option<Protocol>,
    /// Accept a configuration that anyvpn cannot read, and write it without any check
    #[arg(long, conflicts_with_all = ["all", "qr", "qr_file"])]
    raw: bool,
    #[command(flatten)]
    pub(super) options: Options,
    #[command(flatten)]
    pub(super) openvpn: OpenVpn,
    /// Get a configuration for every matching server, into --output-dir
    #[arg(long, requires = "output_dir", help_heading = MANY)]
    #[arg(conflicts_with_all = ["server", "output", "qr", "qr_file", "reveal"])]
    all: bool,
    /// The folder for the files of --all
    #[arg(long, value_name = "FOLDER", requires = "all", help_heading = MANY)]
    pub(super) output_dir: Option<PathBuf>,
    #[command(flatten, next_help_heading = MANY)]
    pub(super) filter: Filter,
}

impl Get {
    pub fn is_for_all(&self) -> bool {
        self.all
    }
}

#[derive(Args)]
pub struct Rotate {
    /// The id from `anyvpn config list`
    id: String,
    /// The server's id or name from `anyvpn server list`
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    server: String,
    #[command(flatten)]
    options: Options,
}

pub async fn get(
    context: &Context,
    provider: &dyn Provider,
    configs: &dyn ServerConfigs,
    args: Get,
) -> Result<(), Failure> {
    let Get { server, protocol, options, openvpn, filter, raw, .. } = args;
    let server = server.unwrap_or_default();
    if filter.is_given() {
        return Err(Failure::usage("--country, --city and --free need --all")
            .hint("to list matching servers, use them with anyvpn server list"));
    }
    let key = options.key()?;
    let own_key = key.is_some();
    let (server, protocol) = match protocol {
        Some(protocol) => (server, protocol),
        None if !provider.info().capabilities.can(Ability::OpenVpn) => {
            (server, Protocol::WireGuard)
        }
        // The checks of the options need to know the protocol.
        None => {
            let server = find(configs, &server, None).await?;
            let protocol = preferred_protocol(&server).ok_or_else(|| {
                Failure::unsupported(format!(
                    "{} supports {}, for which anyvpn has no configurations",
                    server.id,
                    protocols(&server)
                ))
                .hint("to list suitable servers: anyvpn server list --protocol wireguard")
            })?;
            (server.id, protocol)
        }
    };
    let targets = options.targets(context, &protocol, &openvpn)?;
    let form = targets.form(&options, &openvpn)?;
    let mut request = options.wireguard.request(&server, protocol.clone(), key);
    let obtained = match configs.obtain_config(&request).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            request.server = find(configs, &server, Some(no_server(error))).await?.id;
            configs.obtain_config(&request).await
        }
        obtained => obtained,
    };
    let server = request.server;
    let obtained = match obtained {
        Ok(obtained) => obtained,
        Err(error) => {
            return match unreadable(&error) {
                Some((id, text)) if raw => {
                    let unread = Unread { server: &server, id, protocol: &protocol, text };
                    unread.deliver(context, &options, targets)
                }
                Some((id, _)) => {
                    let revoke = revoke(id);
                    Err(Failure::from(error)
                        .hint(format!("write it unchecked with --raw, or remove it: {revoke}")))
                }
                None => Err(no_server(error)),
            };
        }
    };
    let lost = |failure: Failure| left(failure, &obtained, own_key);
    let content = Content::of(&obtained.config, form).map_err(lost)?;
    content.check(options.allow_directives, |line| context.output.explain(line)).map_err(lost)?;
    let delivered = Delivery { server: &server, obtained: &obtained, old_key_valid: None }
        .deliver(context, &options, targets, content, lost);
    name_device(context, &options, &obtained).await;
    delivered
}

/// Stores the user's name for the device. A failure is only a note, because the configuration works
/// without it.
pub(super) async fn name_device(context: &Context, options: &Options, obtained: &ServerConfig) {
    let (Some(name), Config::WireGuard(config)) = (&options.wireguard.name, &obtained.config)
    else {
        return;
    };
    if obtained.id.is_none() {
        let why = "this provider does not list configurations, so no command would show it";
        context.output.note(&format!("The name of the device was not stored: {why}"));
        return;
    }
    let key = config.private_key().public_key();
    if let Err(failure) = Labels::change(context, |labels| labels.set(key, name.clone())).await {
        context.output.note(&format!("The name of the device was not stored: {failure}"));
    }
}

/// Adds to a failure that the configuration exists at the provider.
pub(super) fn left(failure: Failure, obtained: &ServerConfig, own_key: bool) -> Failure {
    match &obtained.id {
        // We do not suggest removing it: the device may be an old one, and the same command gets
        // its configuration again.
        Some(id) if own_key => failure
            .leaving("your key is registered", "run the command again with the same key")
            .with_leftover(configuration(id)),
        Some(id) => made(failure, id),
        None => failure,
    }
}

/// Returns the id and the text of a configuration that was created but could not be read.
fn unreadable(error: &Error) -> Option<(&str, &Secret)> {
    error.left_behind().iter().find_map(|leftover| Some((leftover.id(), leftover.text.as_ref()?)))
}

pub(super) fn no_server(error: Error) -> Failure {
    Failure::from(error).where_missing("to list the servers: anyvpn server list")
}

/// Finds the server with this id, or else the only server with this id or name in any case. `refused` is
/// the failure if the provider has already said that there is no server with this id.
async fn find(
    configs: &dyn ServerConfigs,
    wanted: &str,
    refused: Option<Failure>,
) -> Result<Server, Failure> {
    let mut all = configs.servers();
    let mut servers = Vec::new();
    loop {
        match all.try_next().await {
            Ok(Some(server)) if server.id == wanted => return refused.map_or(Ok(server), Err),
            Ok(Some(server)) => servers.push(server),
            Ok(None) => break,
            Err(error) => return Err(refused.unwrap_or_else(|| error.into())),
        }
    }
    let lower = wanted.to_lowercase();
    let is_meant =
        |server: &&Server| [&server.id, &server.name].iter().any(|it| it.to_lowercase() == lower);
    let shown = |server: &Server| format!("{} ({})", shell_word(&server.id), server.name);
    let meant: Vec<&Server> = servers.iter().filter(is_meant).collect();
    match meant[..] {
        [server] => return Ok(server.clone()),
        [] => {}
        [..] => {
            let ids: Vec<_> = meant.iter().take(CANDIDATES).map(|server| shown(server)).collect();
            let why = format!("{} servers are named {wanted:?}", meant.len());
            return Err(Failure::usage(why).hint(format!("use the id: {}", ids.join(", "))));
        }
    }
    let failure = refused.unwrap_or_else(|| no_server(all.left_out().unknown("server", wanted)));
    Err(match most_similar(&servers, &lower) {
        Some(server) if failure.is_not_found() => {
            let server = shown(server);
            failure.hint(format!("did you mean {server}? to list all: anyvpn server list"))
        }
        _ => failure,
    })
}

/// Finds the server whose id, name or city is the most similar to `wanted`, in lower case.
fn most_similar<'a>(servers: &'a [Server], wanted: &str) -> Option<&'a Server> {
    let names = |server: &Server| {
        let names = [Some(&server.id), Some(&server.name), server.city.as_ref()];
        names.into_iter().flatten().map(|name| name.to_lowercase()).collect::<Vec<_>>()
    };
    let all: Vec<String> = servers.iter().flat_map(names).collect();
    let similar = nearest(wanted, all.iter().map(|name| &**name))?;
    servers.iter().find(|server| names(server).iter().any(|name| name == similar))
}

/// Returns the protocol to use for a server, WireGuard first.
pub(super) fn preferred_protocol(server: &Server) -> Option<Protocol> {
    let known = [Protocol::WireGuard, Protocol::OpenVpn];
    known.into_iter().find(|protocol| server.protocols.contains(protocol))
}

/// Lists the protocols of a server in words.
pub(super) fn protocols(server: &Server) -> String {
    let protocols: Vec<_> = server.protocols.iter().map(Protocol::as_str).collect();
    if protocols.is_empty() { "no protocol".to_owned() } else { protocols.join(" and ") }
}

pub async fn rotate(
    context: &Context,
    configs: &dyn ServerConfigs,
    args: Rotate,
) -> Result<(), Failure> {
    let Rotate { id, server, mut options } = args;
    let mut request = options.wireguard.request(&server, Protocol::WireGuard, options.key()?);
    let openvpn = OpenVpn::default();
    let targets = options.targets(context, &Protocol::WireGuard, &openvpn)?;
    let form = targets.form(&options, &openvpn)?;
    if options.wireguard.name.is_none() {
        let keys = named_keys(configs, &id).await;
        options.wireguard.name =
            Labels::read().ok().and_then(|labels| labels.of(&keys).map(str::to_owned));
    }
    let missing = |error: Error| {
        Failure::from(error)
            .where_missing("check the ids: anyvpn config list, and anyvpn server list")
    };
    let rotated = match configs.rotate_config(&id, &request).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            request.server = find(configs, &server, Some(missing(error))).await?.id;
            configs.rotate_config(&id, &request).await
        }
        rotated => rotated,
    };
    let rotated = rotated.map_err(missing)?;
    let server = request.server;
    let id = rotated.config.id.as_deref().unwrap_or(&id);
    let lost = |failure: Failure| {
        failure
            .leaving(
                &format!("{id} has a new key now"),
                format!("rotate again: {}", command_line(&["config", "rotate"], &[id, &server])),
            )
            .with_leftover(configuration(id))
    };
    let content = Content::of(&rotated.config.config, form).map_err(lost)?;
    content.check(options.allow_directives, |line| context.output.explain(line)).map_err(lost)?;
    let (obtained, old_key_valid) = (&rotated.config, Some(rotated.old_key_valid));
    let delivered = Delivery { server: &server, obtained, old_key_valid }
        .deliver(context, &options, targets, content, lost);
    name_device(context, &options, obtained).await;
    delivered?;
    if rotated.old_key_valid {
        context.output.note("The old key still works, because the provider did not remove it.");
    }
    Ok(())
}
