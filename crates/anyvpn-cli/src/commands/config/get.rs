//! `anyvpn config get` and `anyvpn config rotate`, for one server.

use std::path::PathBuf;

use anyvpn::{
    Ability, Config, Error, ErrorKind, Protocol, Provider, Secret, Server, ServerConfig,
    ServerConfigs,
};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use futures_util::{StreamExt as _, TryStreamExt as _};

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
/// How many servers are searched for a similar name.
const CANDIDATES: usize = 2000;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn config get se-sto --output se-sto.conf   Write a file for wg-quick
  anyvpn config get se-sto --qr                   Print a QR code for a phone
  anyvpn config get --all --country se --output-dir sweden")]
pub struct Get {
    /// The server's id from `anyvpn server list`
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
    /// The server's id from `anyvpn server list`
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
    let protocol = match protocol {
        Some(protocol) => protocol,
        None if !provider.info().capabilities.can(Ability::OpenVpn) => Protocol::WireGuard,
        // The checks of the options need to know the protocol.
        None => protocol_of(configs, &server).await?,
    };
    let targets = options.targets(context, &protocol, &openvpn)?;
    let form = targets.form(&options, &openvpn)?;
    let request = options.wireguard.request(&server, protocol.clone(), key);
    let obtained = match configs.obtain_config(&request).await {
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
                None => Err(missing(configs, &server, error).await),
            };
        }
    };
    let lost = |failure: Failure| left(failure, &obtained, own_key);
    let content = Content::of(&obtained.config, form).map_err(lost)?;
    content.check(options.allow_directives, |line| context.output.explain(line)).map_err(lost)?;
    let delivered = Delivery { server: &server, obtained: &obtained, old_key_valid: None }
        .deliver(context, &options, targets, content, lost);
    name_device(context, &options, &obtained.config).await;
    delivered
}

/// Stores the user's name for the device. A failure is only a note, because the configuration works
/// without it.
pub(super) async fn name_device(context: &Context, options: &Options, config: &Config) {
    let (Some(name), Config::WireGuard(config)) = (&options.wireguard.name, config) else { return };
    let key = config.private_key().public_key();
    if let Err(failure) = Labels::change(context, |labels| labels.set(key, name.clone())).await {
        context.output.note(&format!("The name of the device was not stored: {failure}"));
    }
}

/// Adds to a failure that the configuration exists at the provider.
pub(super) fn left(failure: Failure, obtained: &ServerConfig, own_key: bool) -> Failure {
    match &obtained.id {
        // We do not suggest to remove it: the device may be an old one, and the same command gets its
        // configuration again.
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

/// Looks up the protocol to use for a server.
async fn protocol_of(configs: &dyn ServerConfigs, id: &str) -> Result<Protocol, Failure> {
    let mut servers = configs.servers();
    while let Some(server) = servers.try_next().await? {
        if server.id.eq_ignore_ascii_case(id) {
            return preferred_protocol(&server).ok_or_else(|| {
                Failure::unsupported(format!(
                    "{id} supports {}, for which anyvpn has no configurations",
                    protocols(&server)
                ))
                .hint("to list suitable servers: anyvpn server list --protocol wireguard")
            });
        }
    }
    // The wanted server may be one that could not be read, so this is not proof that it does not exist.
    let error = servers.left_out().unknown("server", id);
    Err(missing(configs, id, error).await)
}

/// Returns the failure for a server. If there is no such server, the hint suggests a similar one.
async fn missing(configs: &dyn ServerConfigs, wanted: &str, error: Error) -> Failure {
    let meant = match error.kind() {
        ErrorKind::NotFound => meant(configs, wanted).await,
        _ => None,
    };
    let failure = no_server(error);
    match meant {
        Some(Server { id, name, .. }) => {
            let id = shell_word(&id);
            failure.hint(format!("did you mean {id} ({name})? to list all: anyvpn server list"))
        }
        None => failure,
    }
}

/// Finds the server whose id, name or city is the most similar.
async fn meant(configs: &dyn ServerConfigs, wanted: &str) -> Option<Server> {
    let servers: Vec<Server> = configs.servers().take(CANDIDATES).try_collect().await.ok()?;
    let names = |server: &Server| {
        let names = [Some(&server.id), Some(&server.name), server.city.as_ref()];
        names.into_iter().flatten().map(|name| name.to_lowercase()).collect::<Vec<_>>()
    };
    let all: Vec<String> = servers.iter().flat_map(names).collect();
    let meant = nearest(&wanted.to_lowercase(), all.iter().map(|word| &**word))?;
    servers.iter().find(|server| names(server).iter().any(|word| word == meant)).cloned()
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
    let request = options.wireguard.request(&server, Protocol::WireGuard, options.key()?);
    let openvpn = OpenVpn::default();
    let targets = options.targets(context, &Protocol::WireGuard, &openvpn)?;
    let form = targets.form(&options, &openvpn)?;
    if options.wireguard.name.is_none() {
        let keys = named_keys(configs, &id).await;
        options.wireguard.name =
            Labels::read().ok().and_then(|labels| labels.of(&keys).map(str::to_owned));
    }
    let rotated = configs.rotate_config(&id, &request).await.map_err(|error| {
        Failure::from(error)
            .where_missing("check the ids: anyvpn config list, and anyvpn server list")
    })?;
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
    name_device(context, &options, &obtained.config).await;
    delivered?;
    if rotated.old_key_valid {
        context.output.note("The old key still works, because the provider did not remove it.");
    }
    Ok(())
}
