//! `/v3/portforwardings/check`: whether a port of the caller answers.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{body, invalid};
use super::ports::PORTS;
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

const CONNECT_LIMIT: Duration = Duration::from_millis(500);

/// The documented sample of the call by POST is in truth a GET of this route with a query: the port
/// in the path counts.
pub(super) fn port_of_path(call: &Call) -> Result<u16, Reply> {
    port(Fields::of_param(call, "port"))
}

pub(super) fn port_of_body(call: &Call) -> Result<u16, Reply> {
    port(body(call)?)
}

fn port(mut fields: Fields) -> Result<u16, Reply> {
    let port = fields.required_integer("port", PORTS);
    fields.done().map_err(invalid)?;
    // Within the range of ports, by the check above.
    Ok(port as u16)
}

/// Tries the port, and tells. A closed port is an answer and no refusal, whatever its status.
pub(super) async fn report(source_ip: IpAddr, port: u16, closed: u16) -> Reply {
    // Nobody but this machine is connected to: the sandbox is not to scan others' ports.
    let open = source_ip.is_loopback()
        && timeout(CONNECT_LIMIT, TcpStream::connect((source_ip, port)))
            .await
            .is_ok_and(|connected| connected.is_ok());
    let (status, word, message) = match open {
        true => (200, "success", "Port is open"),
        false => (closed, "error", "Port is closed"),
    };
    let data = json!({ "source_ip": source_ip, "port": port });
    Reply::json(status, &json!({ "status": word, "message": message, "data": data }))
}
