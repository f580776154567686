#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! The stream of servers is read page by page from the client's own base URL, and bounded.

mod world;

use std::sync::Arc;

use anyvpn_core::{ErrorKind, Protocol, Server, ServerConfigs};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_vpnscript::ops::ListServers;
use anyvpn_vpnscript::{Error, VpnScript};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use world::World;

async fn servers(vpn: &VpnScript) -> Result<Vec<Server>, Error> {
    vpn.servers().try_collect().await
}

#[tokio::test]
async fn the_pages_come_from_the_clients_own_base_url() {
    for seed in 0..6 {
        let world = World::new(seed).await;
        world.service().add_servers(243);
        // The URLs in the replies name another host, and lack the page size.
        let page = world.vpn.call(ListServers { paginate: Some(100), page: Some(1) }).await;
        assert_eq!(page.unwrap().last_page, Some(3));
        world.sandbox.clear_received();
        let servers = servers(&world.vpn.clone().with_page_size(100)).await.unwrap();
        let received = world.sandbox.received();
        let queries: Vec<_> = received.iter().map(|it| it.query.as_str()).collect();
        assert_eq!(queries, ["paginate=100&page=1", "paginate=100&page=2", "paginate=100&page=3"]);
        assert!(received.iter().all(|it| it.path == "/vpnscript/api/servers"));
        let ids = servers.iter().map(|it| it.id.parse::<u64>().unwrap());
        assert!(ids.eq(1..=250), "seed {seed}: not the provider's order");
    }
}

#[tokio::test]
async fn the_page_size_is_the_configured_one() {
    let world = World::new(0).await;
    for (size, requests) in [(1, 7), (3, 3), (7, 1), (0, 7)] {
        world.sandbox.clear_received();
        let vpn = world.vpn.clone().with_page_size(size);
        assert_eq!(servers(&vpn).await.unwrap().len(), 7);
        assert_eq!(world.arrived("list-servers"), requests, "{size} a page");
    }
}

#[tokio::test]
async fn the_stream_sends_nothing_before_it_is_polled_and_no_page_too_many() {
    let world = World::new(0).await;
    let vpn = world.vpn.clone().with_page_size(2).with_prefetch(false);
    let mut stream = vpn.servers();
    assert_eq!(world.arrived("list-servers"), 0);
    for _ in 0..2 {
        stream.try_next().await.unwrap().unwrap();
    }
    assert_eq!(world.arrived("list-servers"), 1);
}

#[tokio::test]
async fn only_the_next_page_is_fetched_ahead() {
    let pages = (1..=9).map(|number| page(number, 9, 2 * number - 2..2 * number));
    let (vpn, script) = scripted(pages);
    let vpn = vpn.with_page_size(2);
    let mut stream = vpn.servers();
    assert_eq!(script.arrived(), 0);
    for taken in 1..=18 {
        let server = stream.try_next().await.unwrap().unwrap();
        assert_eq!(server.id, (taken - 1).to_string());
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let page = usize::div_ceil(taken, 2);
        assert_eq!(script.arrived(), 9.min(page + 1), "after {taken}");
    }
    assert!(stream.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_dropped_stream_fetches_nothing_more() {
    let pages = (1..=9).map(|number| page(number, 9, 2 * number - 2..2 * number));
    let (vpn, script) = scripted(pages);
    let vpn = vpn.with_page_size(2);
    let mut stream = vpn.servers();
    stream.try_next().await.unwrap().unwrap();
    drop(stream);
    let before = script.arrived();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(script.arrived(), before);
    assert!(before < 9, "it was not ended");
}

#[tokio::test]
async fn a_server_is_converted_to_the_neutral_type() {
    let world = World::new(0).await;
    let servers = servers(&world.vpn).await.unwrap();
    let first = &servers[0];
    // The sample's city is empty, and so is its host.
    assert_eq!(first.city.as_deref(), Some("Frankfurt"));
    assert_eq!(first.host.as_deref(), Some("127.0.0.1"));
    assert_eq!(first.country_code.as_deref(), Some("de"));
    assert_eq!((&first.protocols[..], first.free_slots), (&[Protocol::OpenVpn][..], None));
    assert_eq!(servers[1].protocols, [Protocol::WireGuard]);
    assert_eq!(servers[1].free_slots, Some(253));
    assert_eq!(servers[5].protocols, [Protocol::from("ikev2")]);
}

/// Returns a client of an installation with these answers, and the script of its answers.
fn scripted(replies: impl IntoIterator<Item = impl ToString>) -> (VpnScript, Script) {
    let steps = replies.into_iter().map(|body| Step::json(200, &body.to_string()));
    let script = Script::new(steps);
    let builder = VpnScript::builder("https://vpn.example.com/panel").token("t");
    (world::client(builder.transport(Arc::new(script.clone()))), script)
}

fn page(number: u64, last: u64, ids: std::ops::Range<u64>) -> Value {
    let server = |id| json!({"id": id, "name": format!("Server {id}"), "protocol": "openvpn"});
    let data: Vec<_> = ids.map(server).collect();
    let elsewhere = "https://elsewhere.example.com/api/servers?page=1";
    json!({
        "current_page": number, "data": data, "last_page": last, "per_page": "100",
        "next_page_url": elsewhere, "path": elsewhere, "first_page_url": elsewhere,
    })
}

#[tokio::test]
async fn the_urls_of_a_reply_are_never_used() {
    let (vpn, script) = scripted([page(1, 2, 0..2), page(2, 2, 2..3)]);
    assert_eq!(servers(&vpn).await.unwrap().len(), 3);
    let sent: Vec<_> = script.sent().iter().map(|it| it.uri().to_string()).collect();
    let base = "https://vpn.example.com/panel/api/servers?paginate=750";
    assert_eq!(sent, [format!("{base}&page=1"), format!("{base}&page=2")]);
}

#[tokio::test]
async fn a_list_without_pages_is_complete() {
    let mut unpaged = page(1, 9, 0..5);
    unpaged = json!({"data": unpaged["data"].take()});
    let (vpn, script) = scripted([unpaged]);
    assert_eq!(servers(&vpn).await.unwrap().len(), 5);
    assert_eq!(script.arrived(), 1);
}

#[tokio::test]
async fn a_lie_about_the_last_page_comes_to_its_end() {
    let (vpn, script) = scripted([page(1, 1_000_000, 0..2), page(2, 1_000_000, 0..0)]);
    assert_eq!(servers(&vpn).await.unwrap().len(), 2);
    assert_eq!(script.arrived(), 2);
}

#[tokio::test]
async fn a_list_without_a_last_page_ends_at_an_empty_page() {
    let simple = |number, ids| {
        let mut page = page(number, 0, ids);
        page.as_object_mut().unwrap().remove("last_page");
        page
    };
    let (vpn, script) = scripted([simple(1, 0..2), simple(2, 2..3), simple(3, 0..0)]);
    assert_eq!(servers(&vpn).await.unwrap().len(), 3);
    assert_eq!(script.arrived(), 3);
}

#[tokio::test]
async fn endless_pages_of_one_server_are_an_error() {
    let page = |number: u32| {
        let server = r#"{"id":1,"name":"","protocol":""}"#;
        let last = number + 1;
        format!(r#"{{"current_page":{number},"last_page":{last},"data":[{server}]}}"#)
    };
    // A server that is also on the next page has moved there, or seems to have.
    let (vpn, script) = scripted([1, 2].repeat(4).into_iter().map(page));
    let mut stream = vpn.servers();
    assert_eq!(stream.try_next().await.unwrap().unwrap().id, "1");
    let error = stream.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(script.arrived(), 8);
    assert!(stream.try_next().await.unwrap().is_none(), "it goes on after the error");
}

#[tokio::test]
async fn always_the_same_page_is_an_error() {
    let (vpn, script) = scripted([page(1, 3, 0..2), page(1, 3, 0..2), page(1, 3, 0..2)]);
    let mut stream = vpn.servers();
    for _ in 0..2 {
        stream.try_next().await.unwrap().unwrap();
    }
    let error = stream.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    assert!(error.detail().unwrap().contains("page 2 was requested"), "{error}");
    assert_eq!(script.arrived(), 2);
    assert!(stream.try_next().await.unwrap().is_none(), "it goes on after the error");
}

/// Returns the maximum memory of the process, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
const URL: &str = "ANYVPN_TEST_STREAM_URL";

/// The other process of the test below. It streams, and reports the count and the maximum memory.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn child_of_the_memory_test() {
    let Some(url) = std::env::var_os(URL) else { return };
    let builder = VpnScript::builder(url.to_str().unwrap());
    let vpn = world::client(builder.token(std::env::var("ANYVPN_TEST_STREAM_TOKEN").unwrap()));
    let mut stream = vpn.servers();
    let mut count = 0;
    while stream.try_next().await.unwrap().is_some() {
        count += 1;
    }
    println!("\nstreamed {count} {}", peak());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn twenty_thousand_servers_take_no_more_memory_than_two_hundred() {
    let mut peaks = Vec::new();
    for many in [200, 20_000] {
        let world = World::new(0).await;
        world.service().add_servers(many - 7);
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "child_of_the_memory_test", "--nocapture", "--test-threads=1"])
            .env(URL, world.sandbox.vpnscript_url())
            .env("ANYVPN_TEST_STREAM_TOKEN", &world.token);
        let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = text.lines().find_map(|line| line.strip_prefix("streamed "));
        let told = told.unwrap_or_else(|| panic!("{text}\n{output:?}"));
        let (count, peak) = told.split_once(' ').unwrap();
        assert_eq!(count, many.to_string());
        assert_eq!(world.arrived("list-servers"), many.div_ceil(750));
        peaks.push(peak.parse::<u64>().unwrap());
    }
    let more = peaks[1].saturating_sub(peaks[0]);
    println!("peak memory: {} KiB for 200 servers, {} KiB for 20,000", peaks[0], peaks[1]);
    assert!(more < 5 * 1024, "{more} KiB more");
}
