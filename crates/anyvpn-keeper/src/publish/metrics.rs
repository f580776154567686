//! The metrics of a snapshot.

use std::collections::BTreeMap;

use anyvpn_core::{MetricsText, Timestamp};

use crate::Snapshot;

/// Writes the metrics in Prometheus' classic text format.
#[must_use]
pub fn metrics(snapshot: &Snapshot) -> String {
    let open = snapshot.port.as_ref();
    let mut text = MetricsText::default();

    let up = if open.is_some() { 1.0 } else { 0.0 };
    text.gauge("anyvpn_port_up", "Whether a forwarded port is open, as far as is known.")
        .sample(&[], up);
    let number = open.map_or(0, |open| open.port);
    text.gauge("anyvpn_port", "The forwarded port, 0 if none is open.").sample(&[], number.into());
    let interface = snapshot.tunnel.as_ref().map_or("", |tunnel| &tunnel.interface);
    let protocols = open.map(|open| open.protocols.to_string()).unwrap_or_default();
    text.gauge("anyvpn_port_info", "The tunnel's interface and the forwarded protocols, always 1.")
        .sample(&[("interface", interface), ("protocols", &protocols)], 1.0);

    let moments = [
        (
            "anyvpn_port_expires_timestamp_seconds",
            "When the port closes unless it is renewed.",
            open.and_then(|open| open.expires_at),
        ),
        (
            "anyvpn_port_verified_timestamp_seconds",
            "When the port was last seen open.",
            open.and_then(|open| open.verified_at),
        ),
        (
            "anyvpn_keeper_heartbeat_timestamp_seconds",
            "When the keeper last made progress.",
            Some(snapshot.at),
        ),
    ];
    for (name, help, moment) in moments {
        if let Some(moment) = moment {
            text.gauge(name, help).sample(&[], seconds(moment));
        }
    }

    let counters = &snapshot.counters;
    for (name, help, count) in [
        ("anyvpn_port_changes_total", "Changes of the published port.", counters.changes),
        ("anyvpn_port_creates_total", "Port forwards created at the provider.", counters.creates),
        ("anyvpn_hook_failures_total", "Runs of hooks that failed.", counters.hook_failures),
    ] {
        text.counter(name, help).sample(&[], count as f64);
    }

    // A name that occurs twice would make the whole page invalid.
    let mut clients = BTreeMap::new();
    for client in &snapshot.clients {
        *clients.entry(&*client.name).or_insert(true) &= client.in_sync;
    }
    if !clients.is_empty() {
        let mut metric = text.gauge(
            "anyvpn_client_in_sync",
            "Whether the client was last seen to listen on the port.",
        );
        for (name, in_sync) in clients {
            metric.sample(&[("client", name)], if in_sync { 1.0 } else { 0.0 });
        }
    }
    text.into_string()
}

fn seconds(moment: Timestamp) -> f64 {
    moment.as_millisecond() as f64 / 1e3
}
