//! The requests of the protocol as operations, which can be called by name.

use anyvpn_core::{Error, FieldInfo, FieldKind, OperationId, OperationInfo, Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Mapping, SENDS};
use crate::wire::{MapProtocol, MapRequest};
use crate::{INFO, NatPmp};

pub(crate) const GET_ADDRESS: OperationId = OperationId::new("natpmp", "get-address");
pub(crate) const MAP_UDP_PORT: OperationId = OperationId::new("natpmp", "map-udp-port");
pub(crate) const MAP_TCP_PORT: OperationId = OperationId::new("natpmp", "map-tcp-port");

/// All operations.
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: GET_ADDRESS,
        replay: Replay::Safe,
        method: "UDP",
        path: "opcode 0",
        summary: "Reads the gateway's public address.",
        fields: &[],
        reply_has_secret: false,
    },
    map(MAP_UDP_PORT, "opcode 1", "Maps a UDP port, renews its mapping or ends it."),
    map(MAP_TCP_PORT, "opcode 2", "Maps a TCP port, renews its mapping or ends it."),
];

const fn map(id: OperationId, path: &'static str, summary: &'static str) -> OperationInfo {
    OperationInfo {
        id,
        replay: Replay::Idempotent,
        method: "UDP",
        path,
        summary,
        fields: FIELDS,
        reply_has_secret: false,
    }
}

const FIELDS: &[FieldInfo] = &[
    field("internal_port", true, "The port on this machine; 0 for the mapped one."),
    field("external_port", false, "The number to request; 0 or absent for any."),
    field("lifetime_seconds", true, "The lifetime in seconds; 0 ends the mapping."),
];

const fn field(name: &'static str, required: bool, doc: &'static str) -> FieldInfo {
    FieldInfo { name, kind: FieldKind::Integer, required, doc }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoInput {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapInput {
    internal_port: u16,
    #[serde(default)]
    external_port: u16,
    lifetime_seconds: u32,
}

/// Runs an operation by name.
pub(crate) async fn call(natpmp: &NatPmp, name: &str, input: Value) -> Result<Value, Error> {
    let Some(operation) = INFO.operation(name).map(|operation| operation.id) else {
        return Err(INFO.unknown_operation(name));
    };
    let wrong = |error: serde_json::Error| {
        Error::invalid("input", error.to_string()).with_operation(operation)
    };
    if operation == GET_ADDRESS {
        let NoInput {} = serde_json::from_value(input).map_err(wrong)?;
        let (address, epoch) = natpmp.inner().session().await?.address().await?;
        return Ok(json!({ "address": address, "epoch_seconds": epoch.as_secs() }));
    }
    let protocol = if operation == MAP_TCP_PORT { MapProtocol::Tcp } else { MapProtocol::Udp };
    let MapInput { internal_port, external_port, lifetime_seconds: lifetime } =
        serde_json::from_value(input).map_err(wrong)?;
    let request = MapRequest { protocol, internal_port, external_port, lifetime };
    let Mapping { internal_port, external_port, lifetime, epoch, .. } =
        natpmp.inner().session().await?.map(request, SENDS).await?;
    Ok(json!({
        "internal_port": internal_port,
        "external_port": external_port,
        "lifetime_seconds": lifetime.as_secs(),
        "epoch_seconds": epoch.as_secs(),
    }))
}
