//! The metrics: their bytes, and what a parser of the text format reads.

use std::collections::{BTreeMap, BTreeSet};

use anyvpn_keeper::ClientStatus;
use anyvpn_keeper::publish::metrics;

use crate::{nothing, open};

#[test]
fn the_page_of_an_open_port() {
    let expected = "\
# HELP anyvpn_port_up Whether a forwarded port is open, as far as is known.
# TYPE anyvpn_port_up gauge
anyvpn_port_up 1
# HELP anyvpn_port The forwarded port, 0 if none is open.
# TYPE anyvpn_port gauge
anyvpn_port 50123
# HELP anyvpn_port_info The tunnel's interface and the forwarded protocols, always 1.
# TYPE anyvpn_port_info gauge
anyvpn_port_info{interface=\"wg0\",protocols=\"tcp+udp\"} 1
# HELP anyvpn_port_expires_timestamp_seconds When the port closes unless it is renewed.
# TYPE anyvpn_port_expires_timestamp_seconds gauge
anyvpn_port_expires_timestamp_seconds 1803772800
# HELP anyvpn_port_verified_timestamp_seconds When the port was last seen open.
# TYPE anyvpn_port_verified_timestamp_seconds gauge
anyvpn_port_verified_timestamp_seconds 1796126398.5
# HELP anyvpn_keeper_heartbeat_timestamp_seconds When the keeper last made progress.
# TYPE anyvpn_keeper_heartbeat_timestamp_seconds gauge
anyvpn_keeper_heartbeat_timestamp_seconds 1796126400
# HELP anyvpn_port_changes_total Changes of the published port.
# TYPE anyvpn_port_changes_total counter
anyvpn_port_changes_total 2
# HELP anyvpn_port_creates_total Port forwards created at the provider.
# TYPE anyvpn_port_creates_total counter
anyvpn_port_creates_total 1
# HELP anyvpn_hook_failures_total Runs of hooks that failed.
# TYPE anyvpn_hook_failures_total counter
anyvpn_hook_failures_total 0
# HELP anyvpn_client_in_sync Whether the client was last seen to listen on the port.
# TYPE anyvpn_client_in_sync gauge
anyvpn_client_in_sync{client=\"qbittorrent\"} 1
";
    assert_eq!(metrics(&open(50123)), expected);
}

/// Returns the samples of a page by name and labels. Panics if a scraper would refuse the page.
fn parse(page: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut described) = (BTreeMap::new(), BTreeSet::new());
    let mut current = (String::new(), String::new());
    assert!(page.ends_with('\n'));
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(described.insert(name.to_owned()) && !text.is_empty(), "{line}");
            current = (name.to_owned(), String::new());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(name == current.0 && ["gauge", "counter"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            current.1 = kind.to_owned();
        } else {
            // A name or a label's value can contain spaces, but the value and a timestamp cannot.
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(is_name && name == current.0 && !current.1.is_empty(), "{line}");
            let is_whole =
                series == name || series.starts_with(&format!("{name}{{")) && series.ends_with('}');
            assert!(is_whole, "{line}");
            assert_eq!(samples.insert(series.to_owned(), value.parse().unwrap()), None, "{line}");
        }
    }
    samples
}

#[test]
fn a_scraper_finds_what_is_known_and_nothing_else() {
    let mut twice = open(1);
    twice.clients.push(ClientStatus::new("qbittorrent"));
    twice.clients.push(ClientStatus::new("a \"quoted\\one\"\n"));
    let samples = parse(&metrics(&twice));
    assert_eq!(samples["anyvpn_client_in_sync{client=\"qbittorrent\"}"], 0.0);
    assert_eq!(samples[r#"anyvpn_client_in_sync{client="a \"quoted\\one\"\n"}"#], 0.0);

    let samples = parse(&metrics(&nothing()));
    assert_eq!((samples["anyvpn_port_up"], samples["anyvpn_port"]), (0.0, 0.0));
    let unknown =
        ["anyvpn_port_expires_timestamp_seconds", "anyvpn_port_verified_timestamp_seconds"];
    assert!(unknown.iter().all(|name| !samples.contains_key(*name)), "{samples:?}");
}
