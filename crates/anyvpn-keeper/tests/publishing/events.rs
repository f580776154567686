//! The events between two snapshots.

use anyvpn_keeper::publish::Event;
use anyvpn_keeper::{ClientStatus, Phase, Snapshot};
use serde_json::{Value, json};

use crate::{nothing, open};

/// Returns the events as a program and as a person reads them.
fn told(before: Option<&Snapshot>, now: &Snapshot) -> (Vec<Value>, Vec<String>) {
    let events = Event::between(before, now);
    let lines: Vec<Value> =
        events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    lines.iter().for_each(|line| crate::check_schema("port-keep", line));
    (lines, events.iter().map(ToString::to_string).collect())
}

fn sentences(before: &Snapshot, now: &Snapshot) -> Vec<String> {
    told(Some(before), now).1
}

#[test]
fn a_first_port_is_told_in_order() {
    let (lines, sentences) = told(None, &open(50123));
    let at = "2026-12-01T12:00:00Z";
    let expected = [
        json!({ "at": at, "generation": 3, "event": "tunnel-up", "interface": "wg0" }),
        json!({ "at": at, "generation": 3, "event": "port-opened", "port": 50123, "old_port": null,
                "expires_at": "2027-02-28T00:00:00Z" }),
        json!({ "at": at, "generation": 3, "event": "port-verified", "port": 50123 }),
        json!({ "at": at, "generation": 3, "event": "client-in-sync", "client": "qbittorrent" }),
    ];
    assert_eq!(lines, expected);
    let expected = [
        "The tunnel wg0 is up.",
        "Port 50123 is open until 2027-02-28T00:00:00Z.",
        "Port 50123 was seen open.",
        "qbittorrent listens on the port.",
    ];
    assert_eq!(sentences, expected);
}

#[test]
fn only_what_changed_is_told() {
    let before = open(50123);
    let mut now = before.clone();
    now.at = "2026-12-01T13:00:00Z".parse().unwrap();
    let port = now.port.as_mut().unwrap();
    port.verified_at = Some(now.at);
    port.expires_at = None;
    assert_eq!(sentences(&before, &now), [""; 0]);

    let mut changed = open(50999);
    changed.previous_port = Some(50123);
    changed.port.as_mut().unwrap().expires_at = None;
    let expected = ["Port 50999 is open. It was 50123 before.", "Port 50999 was seen open."];
    assert_eq!(sentences(&before, &changed), expected);

    let mut another = before.clone();
    another.tunnel.as_mut().unwrap().index = 6;
    assert_eq!(sentences(&before, &another), ["The tunnel wg0 is up."]);
}

#[test]
fn what_goes_wrong_is_told_once() {
    let before = open(50123);
    let mut lost = nothing();
    lost.problem = Some("The provider does not answer.".to_owned());
    lost.next_at = Some(lost.at);
    lost.counters.hook_failures = 1;
    let mut client = ClientStatus::new("qbittorrent");
    client.asked_at = Some(lost.at);
    client.problem = Some("it refuses the credentials".to_owned());
    lost.clients = vec![client, ClientStatus::new("deluge")];
    let expected = [
        "Waiting for the tunnel.",
        "Port 50123 is closed.",
        "qbittorrent does not listen on the port: it refuses the credentials",
        "A hook failed. It is run again later.",
        "The provider does not answer. The next attempt is at 1970-01-01T00:00:00Z.",
    ];
    assert_eq!(sentences(&before, &lost), expected);
    assert_eq!(sentences(&lost, &lost), [""; 0]);

    let mut well = lost.clone();
    well.problem = None;
    well.clients[0].problem = None;
    well.phase = Phase::Stopping;
    let expected =
        ["qbittorrent does not listen on the port.", "The problem is over.", "Stopping."];
    assert_eq!(sentences(&lost, &well), expected);
}
