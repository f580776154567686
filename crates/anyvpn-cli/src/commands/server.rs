//! `anyvpn server`

use anyvpn::{Protocol, Provider, Server as Found};
use clap::Subcommand;
use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::ability;
use crate::context::Context;
use crate::failure::Failure;
use crate::text::{Column, table};

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Server {
    /// List the servers that there are configurations for
    List,
}

#[derive(Serialize)]
struct Answer {
    servers: Vec<Row>,
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
    let Server::List = command;
    let configs = ability(provider, provider.server_configs(), "server-configs")?;
    let servers: Vec<Row> = configs.servers().map_ok(row).try_collect().await?;
    let answer = Answer { servers };
    context.output.answer(&answer, || text(&answer.servers))
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

fn text(servers: &[Row]) -> String {
    if servers.is_empty() {
        return "There are no servers.".to_owned();
    }
    let row = |server: &Row| {
        let protocols: Vec<_> = server.protocols.iter().map(Protocol::as_str).collect();
        vec![
            server.id.clone(),
            server.name.clone(),
            server.host.clone().unwrap_or_else(|| "(none now)".to_owned()),
            protocols.join(" "),
        ]
    };
    let columns = ["SERVER", "PLACE", "HOST", "PROTOCOLS"].map(Column::Text);
    table(&columns, servers.iter().map(row).collect())
}
