//! `/v3/portforwardings/check`: whether a port of the caller answers.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{body, invalid};
use super::ports::PORTS;
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

const CONNECT_LIMIT: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Report {
    status: &'static str,
    message: &'static str,
    data: Checked,
}

#[derive(Serialize)]
struct Checked {
    source_ip: IpAddr,
    port: u16,
}

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
    let data = Checked { source_ip, port };
    match open {
        true => Reply::json(200, &Report { status: "success", message: "Port is open", data }),
        false => Reply::json(closed, &Report { status: "error", message: "Port is closed", data }),
    }
}
