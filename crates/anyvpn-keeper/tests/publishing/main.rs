//! What the keeper publishes: the bytes, and what readers see while they change.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod control_api;
mod events;
mod files;
mod metrics;
mod observer;
#[cfg(unix)]
mod readers;
#[cfg(unix)]
mod systemd;

use anyvpn_core::{PortProtocols, Timestamp};
use anyvpn_keeper::{ClientStatus, OpenPort, Phase, Snapshot, Tunnel};

/// Returns the status while the port is open and all is well.
fn open(port: u16) -> Snapshot {
    let at = "2026-12-01T12:00:00Z".parse().unwrap();
    let mut snapshot = Snapshot::new(at);
    snapshot.generation = 3;
    snapshot.phase = Phase::Holding;
    snapshot.tunnel = Some(Tunnel::new("wg0", 5, vec!["10.0.16.9".parse().unwrap()]));
    let mut open = OpenPort::new(port, PortProtocols::Both);
    open.address = Some("192.0.2.7".parse().unwrap());
    open.expires_at = Some("2027-02-28T00:00:00Z".parse().unwrap());
    open.verified_at = Some("2026-12-01T11:59:58.5Z".parse().unwrap());
    snapshot.port = Some(open);
    let mut client = ClientStatus::new("qbittorrent");
    client.in_sync = true;
    client.asked_at = Some(at);
    snapshot.clients = vec![client];
    snapshot.counters.changes = 2;
    snapshot.counters.creates = 1;
    snapshot
}

/// Returns the status before the first look at the port.
fn nothing() -> Snapshot {
    Snapshot::new(Timestamp::UNIX_EPOCH)
}

/// Fails if a value does not match its schema.
fn check_schema(name: &str, value: &serde_json::Value) {
    let path = format!("{}/../../docs/schema/v1/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator =
        jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}\n{value:#}");
}
