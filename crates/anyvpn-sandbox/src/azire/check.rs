//! `/v3/portforwardings/check`: whether a port of the caller is open.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{body, invalid};
use super::ports::PORTS;
use crate::data_plane::DataPlane;
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

const CONNECT_LIMIT: Duration = Duration::from_millis(500);

/// Reads the port from the path. The query is ignored: the documented sample of the POST call sends one
/// with a GET to this path.
pub(super) fn port_of_path(call: &Call) -> Result<u16, Reply> {
    port(Fields::of_param(call, "port"))
}

pub(super) fn port_of_body(call: &Call) -> Result<u16, Reply> {
    port(body(call)?)
}

fn port(mut fields: Fields) -> Result<u16, Reply> {
    let port = fields.required_integer("port", PORTS);
    fields.done().map_err(invalid)?;
    // The check above keeps it within the range of ports.
    Ok(port as u16)
}

/// Connects to the port and reports the result. A closed port is an answer, not a refusal, whatever its
/// status.
pub(super) fn report(
    source_ip: IpAddr,
    port: u16,
    closed: u16,
    data_plane: Option<&dyn DataPlane>,
) -> impl Future<Output = Reply> + Send + use<> {
    let address = SocketAddr::new(source_ip, port);
    let is_open = match data_plane {
        // The call came from inside the data plane's network, where the port is too.
        Some(data_plane) if !source_ip.is_loopback() => data_plane.connects(address),
        _ => Box::pin(connects(address)),
    };
    async move { reply(source_ip, port, closed, is_open.await) }
}

async fn connects(address: SocketAddr) -> bool {
    // Only this machine is checked, because the sandbox must not scan the ports of others.
    address.ip().is_loopback()
        && timeout(CONNECT_LIMIT, TcpStream::connect(address))
            .await
            .is_ok_and(|connected| connected.is_ok())
}

fn reply(source_ip: IpAddr, port: u16, closed: u16, open: bool) -> Reply {
    let (status, word, message) = match open {
        true => (200, "success", "Port is open"),
        false => (closed, "error", "Port is closed"),
    };
    let data = json!({ "source_ip": source_ip, "port": port });
    Reply::json(status, &json!({ "status": word, "message": message, "data": data }))
}
