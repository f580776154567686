//! `anyvpn config`

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyvpn::{
    Config as Text, ConfigRequest, ObtainedConfig, PrivateKey, Protocol, PublicKey, Secret,
    ServerConfig, ServerConfigs, Timestamp,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::ability;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::Pending;
use crate::secrets::read;
use crate::text::{Column, plain, table, when};

#[derive(Subcommand)]
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
    path: Option<&'a Path>,
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

pub async fn run(context: &Context, command: Config) -> Result<(), Failure> {
    let provider = context.open()?;
    let configs = ability(&*provider, provider.server_configs(), "server-configs")?;
    match command {
        Config::Get { server, options } => get(context, configs, &server, &options).await,
        Config::List => list(context, configs).await,
        Config::Revoke { id } => {
            configs.revoke(&id).await?;
            let answer = Revoked {
                id: &id,
                revoked: true,
            };
            let text = || format!("{} is revoked.", plain(&id));
            context.output.answer(&answer, text)
        }
        Config::Rotate {
            id,
            server,
            options,
        } => rotate(context, configs, &id, &server, &options).await,
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
    let obtained = configs.obtain(&request).await?;
    let delivered = deliver(context, &obtained, server, file, options, None);
    delivered.map_err(|failure| match &obtained.id {
        Some(id) => left_behind(&failure, id).hint(format!("remove it: anyvpn config revoke {id}")),
        None => failure,
    })
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
    let rotated = configs.rotate(id, &request).await?;
    let (obtained, old_key_valid) = (rotated.config, rotated.old_key_valid);
    let delivered = deliver(context, &obtained, server, file, options, Some(old_key_valid));
    let id = obtained.id.as_deref().unwrap_or(id);
    delivered.map_err(|failure| {
        left_behind(&failure, id).hint(format!("rotate again: anyvpn config rotate {id} {server}"))
    })?;
    if old_key_valid {
        let note = "the old key works too: the provider has no call that removes one alone";
        context.output.note(note);
    }
    Ok(())
}

/// The provider made it, and nobody has its key: also a closed pipe is an error then.
fn left_behind(failure: &Failure, id: &str) -> Failure {
    Failure::other(format!("{failure}; the provider made {id}, whose key is lost"))
}

/// Writes the configuration where it belongs.
fn deliver(
    context: &Context,
    obtained: &ServerConfig,
    server: &str,
    file: Option<Pending>,
    options: &Options,
    old_key_valid: Option<bool>,
) -> Result<(), Failure> {
    let (protocol, text, shown) = match &obtained.config {
        Text::WireGuard(config) => (Protocol::WireGuard, config.to_secret(), config.redacted()),
        _ => return Err(Failure::other("this form of configuration is not known")),
    };
    let output = context.output;
    let mut answer = Obtained {
        id: obtained.id.as_deref(),
        protocol,
        server,
        path: None,
        config: None,
        old_key_valid,
    };
    if let Some(file) = file {
        let path = file.path().to_owned();
        file.write(&text)?;
        answer.path = Some(&path);
        let id = obtained.id.as_ref().map(|id| format!(" (id {})", plain(id)));
        let line = || {
            let path = plain(&path.display().to_string());
            format!("{path} is written{}.", id.unwrap_or_default())
        };
        // The key is safe in the file, whoever reads stdout.
        return output.answer(&answer, line).or_else(ignore_closed_pipe);
    }
    if output.json {
        answer.config = Some(if options.reveal { text.expose() } else { &shown });
        return output.document(&answer);
    }
    output.secret(&text)
}

fn ignore_closed_pipe(failure: Failure) -> Result<(), Failure> {
    if failure.is_closed_pipe() {
        Ok(())
    } else {
        Err(failure)
    }
}

impl Options {
    fn request(&self, context: &Context, server: &str) -> Result<ConfigRequest, Failure> {
        let key_is_shown = self.output.is_some() || !context.output.json || self.reveal;
        if !key_is_shown && self.private_key_file.is_none() {
            return Err(
                Failure::usage("the new private key would be made and never shown")
                    .hint("add --output FILE or --reveal; nothing was changed"),
            );
        }
        let mut request = ConfigRequest::wireguard(server);
        let wireguard = &mut request.wireguard;
        if let Some(file) = &self.private_key_file {
            let key: Secret = read(file)?;
            wireguard.private_key = Some(PrivateKey::from_base64(&key)?);
        }
        wireguard.ip_endpoint = self.ip_endpoint;
        wireguard.port = self.endpoint_port;
        wireguard.dns = if self.no_dns {
            Some(Vec::new())
        } else {
            self.dns.clone()
        };
        wireguard.mtu = self.mtu;
        wireguard.keepalive = self.keepalive;
        wireguard.ipv4_only = self.ipv4_only;
        Ok(request)
    }

    fn file(&self) -> Result<Option<Pending>, Failure> {
        let path = self.output.as_ref().filter(|path| *path != Path::new("-"));
        path.map(|path| Pending::new(path, self.force)).transpose()
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
    let answer = ListAnswer {
        configs: configs.list().await?.into_iter().map(row).collect(),
    };
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
            config.created_at.map(when).unwrap_or_default(),
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
