//! `anyvpn config`: WireGuard and OpenVPN configurations.

mod all;
mod content;
mod delivery;
mod formats;
mod get;
mod openvpn;
mod options;

use std::net::IpAddr;

use anyvpn::{Ability, ObtainedConfig, Protocol, Provider, PublicKey, ServerConfigs, Timestamp};
use clap::Subcommand;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::labels::Labels;
use crate::text::{Column, age, plain, table};
use crate::work::ability;

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  anyvpn config get se-sto --output se-sto.conf
  anyvpn config list")]
pub enum Config {
    /// Get a configuration for a server; for WireGuard, this registers a new key
    Get(Box<get::Get>),
    /// List your active configurations
    List,
    /// Revoke a configuration
    Revoke {
        /// The id from `anyvpn config list`
        id: String,
    },
    /// Replace the key of a WireGuard configuration, and get it again
    Rotate(Box<get::Rotate>),
}

#[derive(Serialize)]
struct ListAnswer {
    configs: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: Option<String>,
    /// The name that the user gave to the device.
    label: Option<String>,
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
    let configs = ability(context, provider, provider.server_configs(), Ability::ServerConfigs)?;
    match command {
        Config::Get(args) if args.is_for_all() => all::run(context, configs, *args).await,
        Config::Get(args) => get::get(context, provider, configs, *args).await,
        Config::List => list(context, configs).await,
        Config::Revoke { id } => {
            let keys = named_keys(configs, &id).await;
            configs.revoke_config(&id).await.map_err(|error| {
                Failure::from(error).where_missing("to list the ids: anyvpn config list")
            })?;
            if !keys.is_empty() {
                // If this fails, the name stays. That is harmless, because a key is never used again.
                let _ = Labels::change(context, |labels| labels.remove(&keys)).await;
            }
            let answer = Revoked { id: &id, revoked: true };
            let text = || format!("Revoked {}.", plain(&id));
            context.output.answer(&answer, text)
        }
        Config::Rotate(args) => get::rotate(context, configs, *args).await,
    }
}

/// Returns the keys of a device. The list is empty if the user has not named any device.
async fn named_keys(configs: &dyn ServerConfigs, id: &str) -> Vec<PublicKey> {
    if Labels::read().map_or(true, |labels| labels.is_empty()) {
        return Vec::new();
    }
    let configs = configs.list_configs().await.unwrap_or_default();
    let config = configs.into_iter().find(|config| config.id == id);
    config.map(|config| config.public_keys).unwrap_or_default()
}

async fn list(context: &Context, configs: &dyn ServerConfigs) -> Result<(), Failure> {
    let labels = Labels::read().unwrap_or_else(|failure| {
        context.output.note(&failure.to_string());
        Labels::default()
    });
    let row = |config: ObtainedConfig| Row {
        id: config.id,
        name: config.name,
        label: labels.of(&config.public_keys).map(str::to_owned),
        protocol: config.protocol,
        status: config.status.to_string(),
        addresses: config.addresses,
        public_keys: config.public_keys,
        created_at: config.created_at,
    };
    let answer =
        ListAnswer { configs: configs.list_configs().await?.into_iter().map(row).collect() };
    context.output.answer(&answer, || list_text(&answer.configs))
}

fn list_text(configs: &[Row]) -> String {
    if configs.is_empty() {
        return "You have no configurations.".to_owned();
    }
    let row = |config: &Row| {
        let addresses: Vec<_> = config.addresses.iter().map(IpAddr::to_string).collect();
        vec![
            config.id.clone(),
            config.label.as_ref().or(config.name.as_ref()).cloned().unwrap_or_default(),
            config.status.clone(),
            addresses.join("\n"),
            config.public_keys.len().to_string(),
            config.created_at.map(age).unwrap_or_default(),
        ]
    };
    let columns = [
        Column::Text("ID"),
        Column::Text("NAME"),
        Column::State("STATUS"),
        Column::Text("ADDRESSES"),
        Column::Number("KEYS"),
        Column::Text("CREATED"),
    ];
    table(&columns, configs.iter().map(row).collect())
}
