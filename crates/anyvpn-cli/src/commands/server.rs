//! `anyvpn server`: the list of servers.

use anyvpn::{Ability, LeftOut, Protocol, Provider, Server as Found};
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use futures_util::TryStreamExt as _;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::list_document::ListDocument;
use crate::text::{Column, table};
use crate::work::ability;

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  anyvpn server list")]
pub enum Server {
    /// List the servers for which you can get a configuration
    #[command(after_help = "\
Examples:
  anyvpn server list --country se --free
  anyvpn server list --json | jq -r '.servers[].id'")]
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only servers that support this protocol
        #[arg(long, value_name = "NAME", value_parser = protocol())]
        protocol: Option<Protocol>,
    },
}

/// Options that select servers by place.
#[derive(Args, Clone)]
pub struct Filter {
    /// Only servers in this country, given by name or by a code such as se
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    country: Option<String>,
    /// Only servers in this city
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    city: Option<String>,
    /// Only servers with a free slot
    #[arg(long)]
    free: bool,
}

impl Filter {
    pub fn is_given(&self) -> bool {
        self.country.is_some() || self.city.is_some() || self.free
    }

    pub fn fits(&self, server: &Found) -> bool {
        let is = |wanted: &Option<String>, found: &[&Option<String>]| {
            wanted.as_ref().is_none_or(|wanted| {
                let wanted = wanted.to_lowercase();
                found.iter().copied().flatten().any(|found| found.to_lowercase() == wanted)
            })
        };
        is(&self.country, &[&server.country, &server.country_code])
            && is(&self.city, &[&server.city])
            && !(self.free && server.free_slots == Some(0))
    }
}

/// Parses a protocol for which there are configurations.
pub fn protocol() -> impl TypedValueParser<Value = Protocol> {
    PossibleValuesParser::new(["wireguard", "openvpn"]).map(|name| Protocol::from(&*name))
}

/// The elements of the provider's list that could not be read.
#[derive(Serialize)]
pub struct Lack<'a> {
    count: usize,
    reasons: &'a [String],
}

impl<'a> From<&'a LeftOut> for Lack<'a> {
    fn from(left_out: &'a LeftOut) -> Self {
        Self { count: left_out.count, reasons: &left_out.reasons }
    }
}

/// Prints a note if parts of the list could not be read.
pub fn tell_left_out(context: &Context, left_out: &LeftOut) {
    if !left_out.is_empty() {
        context.output.note(&format!("The list is not complete: {left_out}."));
    }
}

/// The properties of the JSON document that follow the list of servers.
#[derive(Serialize)]
struct Rest<'a> {
    left_out: Lack<'a>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    country: Option<String>,
    country_code: Option<String>,
    city: Option<String>,
    host: Option<String>,
    protocols: Vec<Protocol>,
    free_slots: Option<u32>,
}

pub async fn run(
    context: &Context,
    provider: &dyn Provider,
    command: Server,
) -> Result<(), Failure> {
    let Server::List { filter, protocol } = command;
    let configs = ability(context, provider, provider.server_configs(), Ability::ServerConfigs)?;
    let mut servers = configs.servers();
    let fits = |server: &Found| {
        protocol.as_ref().is_none_or(|protocol| server.protocols.contains(protocol))
            && filter.fits(server)
    };
    if context.output.json {
        // Print each server when it arrives, so that a long list does not fill the memory.
        let mut document = ListDocument::new("servers");
        while let Some(server) = servers.try_next().await? {
            if fits(&server) {
                document.push(&row(server))?;
            }
        }
        return document.finish(&Rest { left_out: servers.left_out().into() });
    }
    let mut rows = Vec::new();
    let mut any = false;
    while let Some(server) = servers.try_next().await? {
        any = true;
        if fits(&server) {
            rows.push(row(server));
        }
    }
    tell_left_out(context, servers.left_out());
    context.output.lines(&text(&rows, any))
}

fn row(server: Found) -> Row {
    Row {
        id: server.id,
        name: server.name,
        country: server.country,
        country_code: server.country_code,
        city: server.city,
        host: server.host,
        protocols: server.protocols,
        free_slots: server.free_slots,
    }
}

fn text(servers: &[Row], any: bool) -> String {
    if servers.is_empty() {
        return if any { "No server matches." } else { "There are no servers." }.to_owned();
    }
    let row = |server: &Row| {
        let protocols: Vec<_> = server.protocols.iter().map(Protocol::as_str).collect();
        let country = server.country.as_ref().filter(|country| !server.name.contains(&**country));
        let place = country.map(|country| format!("{}, {country}", server.name));
        vec![
            server.id.clone(),
            place.unwrap_or_else(|| server.name.clone()),
            server.host.clone().unwrap_or_else(|| "(offline)".to_owned()),
            protocols.join(" "),
            server.free_slots.map(|free| free.to_string()).unwrap_or_default(),
        ]
    };
    let columns = [
        Column::Text("SERVER"),
        Column::Text("LOCATION"),
        Column::Text("HOST"),
        Column::Text("PROTOCOLS"),
        Column::Number("FREE SLOTS"),
    ];
    table(&columns, servers.iter().map(row).collect())
}
