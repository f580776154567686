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

const MANY: &str = "Many servers at once";
/// The servers of which one may have been meant.
const CANDIDATES: usize = 2000;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn config get se-sto --output se-sto.conf   A file for wg-quick
  anyvpn config get se-sto --qr                   A code for a telephone
  anyvpn config get --all --country se --output-dir sweden")]
pub struct Get {
    /// The server, as `anyvpn server list` names it
    #[arg(required_unless_present = "all", value_parser = NonEmptyStringValueParser::new())]
    server: Option<String>,
    /// The protocol; without this, what the server speaks
    #[arg(long, value_name = "NAME", value_parser = protocol())]
    pub(super) protocol: Option<Protocol>,
    /// Get the provider's text also where anyvpn cannot read it; nothing in it is checked then
    #[arg(long, conflicts_with_all = ["all", "qr", "qr_file"])]
    raw: bool,
    #[command(flatten)]
    pub(super) options: Options,
    #[command(flatten)]
    pub(super) openvpn: OpenVpn,
    /// Get one for every server, or those that the next options choose, into --output-dir
    #[arg(long, requires = "output_dir", help_heading = MANY)]
    #[arg(conflicts_with_all = ["server", "output", "qr", "qr_file", "reveal"])]
    all: bool,
    /// The folder for --all
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
    /// The id that `anyvpn config list` shows
    id: String,
    /// The server, as `anyvpn server list` names it
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
        return Err(Failure::usage("--country, --city and --free choose among --all")
            .hint("anyvpn server list takes them too"));
    }
    let key = options.key()?;
    let own_key = key.is_some();
    let protocol = match protocol {
        Some(protocol) => protocol,
        None if !provider.info().capabilities.can(Ability::OpenVpn) => Protocol::WireGuard,
        // Before what is refused for a protocol, it must be known.
        None => spoken_by(configs, &server).await?,
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
                        .hint(format!("get it as it is with --raw, or remove it: {revoke}")))
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

/// Keeps the name that the person gave to the device. Without it, the configuration works as well.
pub(super) async fn name_device(context: &Context, options: &Options, config: &Config) {
    let (Some(name), Config::WireGuard(config)) = (&options.wireguard.name, config) else { return };
    let key = config.private_key().public_key();
    if let Err(failure) = Labels::change(context, |labels| labels.set(key, name.clone())).await {
        context.output.note(&format!("The name was not kept: {failure}"));
    }
}

/// Adds what is left at the provider, although the configuration came to nothing.
pub(super) fn left(failure: Failure, obtained: &ServerConfig, own_key: bool) -> Failure {
    match &obtained.id {
        // The device may be an old one; with the key at hand the same command gets it again.
        Some(id) if own_key => failure
            .leaving("your key is registered", "get the configuration again with it")
            .with_leftover(configuration(id)),
        Some(id) => made(failure, id),
        None => failure,
    }
}

/// The id and the text of a configuration that was made and could not be read.
fn unreadable(error: &Error) -> Option<(&str, &Secret)> {
    error.left_behind().iter().find_map(|leftover| Some((leftover.id(), leftover.text.as_ref()?)))
}

pub(super) fn no_server(error: Error) -> Failure {
    Failure::from(error).where_missing("anyvpn server list shows the servers")
}

async fn spoken_by(configs: &dyn ServerConfigs, id: &str) -> Result<Protocol, Failure> {
    let mut servers = configs.servers();
    while let Some(server) = servers.try_next().await? {
        if server.id.eq_ignore_ascii_case(id) {
            return spoken(&server).ok_or_else(|| {
                Failure::unsupported(format!("anyvpn has no configurations for {}", words(&server)))
                    .hint("anyvpn server list --protocol wireguard, or openvpn")
            });
        }
    }
    // A server that was left out of the list may be the one that is wanted.
    let left_out = servers.left_out();
    let error = if left_out.is_empty() {
        Error::new(ErrorKind::NotFound).with_detail(format!("there is no server {id:?}"))
    } else {
        let why = format!("no server that can be read is {id:?}; {left_out}");
        Error::new(ErrorKind::UnexpectedReply).with_detail(why)
    };
    Err(missing(configs, id, error).await)
}

/// The failure for a server, which says what was meant where there is none of that name.
async fn missing(configs: &dyn ServerConfigs, wanted: &str, error: Error) -> Failure {
    let meant = match error.kind() {
        ErrorKind::NotFound => meant(configs, wanted).await,
        _ => None,
    };
    let failure = no_server(error);
    match meant {
        Some(Server { id, name, .. }) => {
            let id = shell_word(&id);
            failure.hint(format!("did you mean {id} ({name})? anyvpn server list shows all"))
        }
        None => failure,
    }
}

/// The server whose id, name or city is the nearest.
async fn meant(configs: &dyn ServerConfigs, wanted: &str) -> Option<Server> {
    let servers: Vec<Server> = configs.servers().take(CANDIDATES).try_collect().await.ok()?;
    let words = |server: &Server| {
        let words = [Some(&server.id), Some(&server.name), server.city.as_ref()];
        words.into_iter().flatten().map(|word| word.to_lowercase()).collect::<Vec<_>>()
    };
    let all: Vec<String> = servers.iter().flat_map(words).collect();
    let meant = nearest(&wanted.to_lowercase(), all.iter().map(|word| &**word))?;
    servers.iter().find(|server| words(server).iter().any(|word| word == meant)).cloned()
}

/// The protocol to take, of those that a server speaks.
pub(super) fn spoken(server: &Server) -> Option<Protocol> {
    let known = [Protocol::WireGuard, Protocol::OpenVpn];
    known.into_iter().find(|protocol| server.protocols.contains(protocol))
}

/// What a server speaks, in words.
pub(super) fn words(server: &Server) -> String {
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
        Failure::from(error).where_missing("see anyvpn config list, and anyvpn server list")
    })?;
    let id = rotated.config.id.as_deref().unwrap_or(&id);
    let lost = |failure: Failure| {
        failure
            .leaving(
                &format!("{id} has another key nevertheless"),
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
        context.output.note("The old key works too: the provider did not remove it.");
    }
    Ok(())
}
