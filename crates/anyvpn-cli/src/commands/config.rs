//! `anyvpn config`

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyvpn::{
    Config as Text, ConfigRequest, ObtainedConfig, PrivateKey, Protocol, Provider, PublicKey,
    Secret, ServerConfig, ServerConfigs, Timestamp,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::ability;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::Pending;
use crate::secrets::read;
use crate::text::{Column, age, plain, table};

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Config {
    /// Get a WireGuard configuration for a server, which registers a device
    Get {
        /// The server, as `anyvpn server list` names it
        server: String,
        #[command(flatten)]
        options: Options,
    },
    /// List what was got and is valid
    List,
    /// Make what was got invalid
    Revoke {
        /// The id that `anyvpn config list` shows
        id: String,
    },
    /// Give what was got another key, and get the configuration with it
    Rotate {
        /// The id that `anyvpn config list` shows
        id: String,
        /// The server, as `anyvpn server list` names it
        server: String,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Args)]
pub struct Options {
    /// Write the configuration to FILE, for its owner alone; without this, to stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long, requires = "output")]
    force: bool,
    /// With --json and without --output: print the private key too
    #[arg(long)]
    reveal: bool,
    /// Use the private key in FILE (`-`: stdin) instead of a new one
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// Write the server's address instead of its name
    #[arg(long)]
    ip_endpoint: bool,
    /// Connect to this UDP port of the server
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    endpoint_port: Option<u16>,
    /// Resolvers to use inside the tunnel, instead of the provider's
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    dns: Option<Vec<IpAddr>>,
    /// Leave the resolvers as they are
    #[arg(long, conflicts_with = "dns")]
    no_dns: bool,
    /// The largest packet in bytes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(68..))]
    mtu: Option<u16>,
    /// Keep the tunnel open with a packet every so many seconds
    #[arg(long, value_name = "SECONDS")]
    keepalive: Option<u16>,
    /// Leave IPv6 out
    #[arg(long)]
    ipv4_only: bool,
}

#[derive(Serialize)]
struct Obtained<'a> {
    id: Option<&'a str>,
    protocol: Protocol,
    server: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a str>,
    /// Of a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_key_valid: Option<bool>,
}

#[derive(Serialize)]
struct ListAnswer {
    configs: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: Option<String>,
    protocol: Protocol,
    status: String,
    addresses: Vec<IpAddr>,
    public_keys: Vec<PublicKey>,
    created_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Revoked<'a> {
    id: &'a str,
    revoked: bool,
}

pub async fn run(
    context: &Context,
    provider: &dyn Provider,
    command: Config,
) -> Result<(), Failure> {
    let configs = ability(provider, provider.server_configs(), "server-configs")?;
    match command {
        Config::Get { server, options } => get(context, configs, &server, &options).await,
        Config::List => list(context, configs).await,
        Config::Revoke { id } => {
            configs.revoke(&id).await.map_err(|error| {
                Failure::from(error).where_missing("anyvpn config list shows the ids")
            })?;
            let answer = Revoked { id: &id, revoked: true };
            let text = || format!("{} is revoked.", plain(&id));
            context.output.answer(&answer, text)
        }
        Config::Rotate { id, server, options } => {
            rotate(context, configs, &id, &server, &options).await
        }
    }
}

async fn get(
    context: &Context,
    configs: &dyn ServerConfigs,
    server: &str,
    options: &Options,
) -> Result<(), Failure> {
    let request = options.request(context, server)?;
    let file = options.file()?;
    let obtained = configs.obtain(&request).await.map_err(|error| {
        Failure::from(error).where_missing("anyvpn server list shows the servers")
    })?;
    let lost = |failure: Failure| match &obtained.id {
        // The device may be an old one; with the key at hand the same command gets it again.
        Some(_) if request.wireguard.private_key.is_some() => {
            failure.hint("your key is registered: get the configuration again with it")
        }
        Some(id) => Failure::other(format!("{failure}; the provider made {id} nevertheless"))
            .hint(format!("remove it: anyvpn config revoke {id}")),
        None => failure,
    };
    Delivery { server, obtained: &obtained, old_key_valid: None }
        .deliver(context, options, file, lost)
}

async fn rotate(
    context: &Context,
    configs: &dyn ServerConfigs,
    id: &str,
    server: &str,
    options: &Options,
) -> Result<(), Failure> {
    let request = options.request(context, server)?;
    let file = options.file()?;
    let rotated = configs.rotate(id, &request).await.map_err(|error| {
        Failure::from(error).where_missing("see anyvpn config list, and anyvpn server list")
    })?;
    let id = rotated.config.id.as_deref().unwrap_or(id);
    let lost = |failure: Failure| {
        Failure::other(format!("{failure}; {id} has another key nevertheless"))
            .hint(format!("rotate again: anyvpn config rotate {id} {server}"))
    };
    Delivery { server, obtained: &rotated.config, old_key_valid: Some(rotated.old_key_valid) }
        .deliver(context, options, file, lost)?;
    if rotated.old_key_valid {
        let note = "The old key works too: the provider has no call that removes one alone.";
        context.output.note(note);
    }
    Ok(())
}

/// A configuration on its way to the person.
struct Delivery<'a> {
    server: &'a str,
    obtained: &'a ServerConfig,
    old_key_valid: Option<bool>,
}

impl Delivery<'_> {
    /// Writes the configuration where it belongs. `lost` adds to a failure what is left at the
    /// provider, whose key nobody has then: so a closed pipe is no quiet end here.
    fn deliver(
        self,
        context: &Context,
        options: &Options,
        file: Option<Pending>,
        lost: impl Fn(Failure) -> Failure,
    ) -> Result<(), Failure> {
        let (protocol, text, redacted) = match &self.obtained.config {
            Text::WireGuard(it) => (Protocol::WireGuard, it.to_secret(), it.redacted()),
            _ => return Err(lost(Failure::other("its form is not known"))),
        };
        let output = context.output;
        let path = file.as_ref().map(|file| file.path().to_owned());
        let shown = if options.reveal { text.expose() } else { &redacted };
        let answer = Obtained {
            id: self.obtained.id.as_deref(),
            protocol,
            server: self.server,
            path: path.as_ref().map(|path| path.display().to_string()),
            config: path.is_none().then_some(shown),
            old_key_valid: self.old_key_valid,
        };
        match (file, &path) {
            (Some(file), Some(path)) => {
                file.write(&text).map_err(lost)?;
                let id = answer.id.map(|id| format!(", id {id}")).unwrap_or_default();
                output.answer(&answer, || plain(&format!("{}{id}", path.display())))
            }
            _ if output.json => output.document(&answer).map_err(lost),
            _ => output.secret(&text).map_err(lost),
        }
    }
}

impl Options {
    fn request(&self, context: &Context, server: &str) -> Result<ConfigRequest, Failure> {
        let key_is_shown = self.path().is_some() || !context.output.json || self.reveal;
        if !key_is_shown && self.private_key_file.is_none() {
            return Err(Failure::usage("the new private key would be made and never shown")
                .hint("add --output FILE or --reveal; nothing was changed"));
        }
        let mut request = ConfigRequest::wireguard(server);
        let wireguard = &mut request.wireguard;
        if let Some(file) = &self.private_key_file {
            let key: Secret = read(file)?;
            wireguard.private_key = Some(PrivateKey::from_base64(&key)?);
        }
        wireguard.ip_endpoint = self.ip_endpoint;
        wireguard.port = self.endpoint_port;
        wireguard.dns = if self.no_dns { Some(Vec::new()) } else { self.dns.clone() };
        wireguard.mtu = self.mtu;
        wireguard.keepalive = self.keepalive;
        wireguard.ipv4_only = self.ipv4_only;
        Ok(request)
    }

    /// The file to write; `None` for stdout.
    fn path(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    fn file(&self) -> Result<Option<Pending>, Failure> {
        let pending = |path| Pending::new(path, self.force);
        self.path().map(pending).transpose()
    }
}

async fn list(context: &Context, configs: &dyn ServerConfigs) -> Result<(), Failure> {
    let row = |config: ObtainedConfig| Row {
        id: config.id,
        name: config.name,
        protocol: config.protocol,
        status: config.status.to_string(),
        addresses: config.addresses,
        public_keys: config.public_keys,
        created_at: config.created_at,
    };
    let answer = ListAnswer { configs: configs.list().await?.into_iter().map(row).collect() };
    context.output.answer(&answer, || list_text(&answer.configs))
}

fn list_text(configs: &[Row]) -> String {
    if configs.is_empty() {
        return "There are no configurations.".to_owned();
    }
    let row = |config: &Row| {
        let addresses: Vec<_> = config.addresses.iter().map(IpAddr::to_string).collect();
        vec![
            config.id.clone(),
            config.name.clone().unwrap_or_default(),
            addresses.join("\n"),
            config.public_keys.len().to_string(),
            config.created_at.map(age).unwrap_or_default(),
        ]
    };
    let columns = [
        Column::Text("ID"),
        Column::Text("NAME"),
        Column::Text("ADDRESSES"),
        Column::Number("KEYS"),
        Column::Text("MADE"),
    ];
    table(&columns, configs.iter().map(row).collect())
}
