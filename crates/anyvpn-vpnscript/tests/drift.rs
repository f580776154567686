#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! A list of servers that changes while its pages are read, contradicts itself, or never ends.

mod world;

use std::sync::Arc;

use anyvpn_core::{ErrorKind, Server, ServerConfigs};
use anyvpn_http::Limits;
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_vpnscript::{Error, VpnScript};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

/// Returns a client of an installation that sends these pages, and the script of its answers.
fn scripted(pages: impl IntoIterator<Item = Value>, limits: Limits) -> (VpnScript, Script) {
    let script = Script::new(pages.into_iter().map(|page| Step::json(200, &page.to_string())));
    let builder = VpnScript::builder("https://vpn.example.com").token("t").limits(limits);
    let vpn = world::client(builder.transport(Arc::new(script.clone())));
    (vpn.with_page_size(2), script)
}

/// Returns a page of a list of `total` servers, two on each page.
fn page(number: u64, total: u64, ids: &[u64]) -> Value {
    let server = |id| json!({"id": id, "name": format!("Server {id}"), "protocol": "openvpn"});
    let data: Vec<_> = ids.iter().map(server).collect();
    json!({
        "current_page": number, "data": data, "last_page": total.div_ceil(2), "per_page": "2",
        "total": total,
    })
}

/// Returns the ids of the received servers, and the error after them.
async fn read(vpn: &VpnScript) -> (Vec<u64>, Option<Error>) {
    let items: Vec<Result<Server, Error>> = vpn.servers().collect().await;
    let (mut ids, mut error) = (Vec::new(), None);
    for item in items {
        assert!(error.is_none(), "something comes after the error");
        match item {
            Ok(server) => ids.push(server.id.parse().unwrap()),
            Err(end) => error = Some(end),
        }
    }
    (ids, error)
}

#[track_caller]
fn ends_well(read: (Vec<u64>, Option<Error>), expected: &[u64]) {
    assert!(read.1.is_none(), "{:?}", read.1);
    assert_eq!(read.0, expected);
}

#[tokio::test]
async fn a_server_that_is_inserted_between_two_pages_moves_none_out_and_repeats_none() {
    // 9 is inserted at the front after the first page was read, so 1 moves to the second page.
    let pages =
        [page(1, 3, &[0, 1]), page(2, 4, &[1, 2]), page(1, 4, &[9, 0]), page(2, 4, &[1, 2])];
    let (vpn, script) = scripted(pages, Limits::default());
    ends_well(read(&vpn).await, &[0, 1, 9, 2]);
    assert_eq!(script.arrived(), 4);
}

#[tokio::test]
async fn a_server_that_is_removed_between_two_pages_hides_none() {
    // Without 0, 2 moves to the first page, which was already read.
    let pages = [page(1, 4, &[0, 1]), page(2, 3, &[3]), page(1, 3, &[1, 2]), page(2, 3, &[3])];
    let (vpn, _) = scripted(pages, Limits::default());
    ends_well(read(&vpn).await, &[0, 1, 2, 3]);
}

#[tokio::test]
async fn a_change_that_leaves_the_total_is_seen_by_a_server_that_comes_twice() {
    let pages =
        [page(1, 4, &[0, 1]), page(2, 4, &[1, 2]), page(1, 4, &[9, 0]), page(2, 4, &[1, 2])];
    let (vpn, _) = scripted(pages, Limits::default());
    ends_well(read(&vpn).await, &[0, 1, 9, 2]);
}

#[tokio::test]
async fn another_size_of_a_page_is_a_change() {
    let other = json!({
        "current_page": 2, "data": [{"id": 3, "name": "", "protocol": "openvpn"}], "last_page": 2,
        "per_page": 3, "total": 4,
    });
    let pages = [page(1, 4, &[0, 1]), other, page(1, 4, &[0, 1]), page(2, 4, &[2, 3])];
    let (vpn, _) = scripted(pages, Limits::default());
    ends_well(read(&vpn).await, &[0, 1, 2, 3]);
}

#[tokio::test]
async fn a_list_that_changes_each_time_is_an_error_in_the_end() {
    let pages = (0..100).map(|turn| page(turn % 2 + 1, turn + 3, &[2 * turn, 2 * turn + 1]));
    let (vpn, script) = scripted(pages, Limits::default());
    let (ids, error) = read(&vpn).await;
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.detail().unwrap().contains("changed"), "{error}");
    assert_eq!((ids.len(), script.arrived()), (8, 8));
}

#[tokio::test]
async fn fewer_servers_than_the_total_are_an_error() {
    let mut cut = page(1, 5, &[0, 1]);
    cut["last_page"] = json!(1);
    // A server that occurs twice on a page is one server.
    for (pages, expected) in [
        (vec![cut], "2 of 5 servers"),
        (vec![page(1, 3, &[0, 1]), page(2, 3, &[])], "2 of 3 servers"),
        (vec![page(1, 2, &[0, 0])], "1 of 2 servers"),
        (vec![json!({"data": [], "total": 3})], "0 of 3 servers"),
    ] {
        let (vpn, _) = scripted(pages, Limits::default());
        let error = read(&vpn).await.1.unwrap();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
        assert!(error.detail().unwrap().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_list_that_never_ends_ends_at_the_bound() {
    let pages =
        (1..1_000_u64).map(|number| page(number, 2_000_000_000, &[2 * number, 2 * number + 1]));
    let limits = Limits { list: 100_000, ..Limits::default() };
    for prefetch in [false, true] {
        let (vpn, script) = scripted(pages.clone(), limits);
        let (ids, error) = read(&vpn.with_prefetch(prefetch)).await;
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
        assert!(error.detail().unwrap().contains("100000 bytes"), "{error}");
        assert!((300..400).contains(&ids.len()), "{}", ids.len());
        assert!(script.arrived() < 200, "{}", script.arrived());
    }
}

#[tokio::test]
async fn long_texts_count_towards_the_bound() {
    let mut long = page(1, 4, &[0, 1]);
    long["data"][0]["name"] = json!("x".repeat(100_000));
    let limits = Limits { list: 100_000, ..Limits::default() };
    let (vpn, _) = scripted([long, page(2, 4, &[2, 3])], limits);
    let error = vpn.servers().try_for_each(async |_| Ok(())).await.unwrap_err();
    assert!(error.detail().unwrap().contains("100000 bytes"), "{error}");
}

#[tokio::test]
async fn an_unreadable_server_is_skipped_counted_and_logged_once() {
    let mut first = page(1, 4, &[0, 1]);
    first["data"][1]["id"] = json!("one");
    // The list changes, and the server is missed twice.
    let pages = [first.clone(), page(2, 5, &[2, 3]), first, page(2, 4, &[2, 3])];
    let (vpn, _) = scripted(pages, Limits::default());
    let mut servers = vpn.servers();
    let ids: Vec<_> = (&mut servers).map_ok(|server| server.id).try_collect().await.unwrap();
    assert_eq!(ids, ["0", "2", "3"]);
    let left_out = servers.left_out();
    assert_eq!(left_out.count, 1);
    assert!(left_out.reasons[0].starts_with("element 1, at `id`: "), "{left_out}");
}

#[tokio::test]
async fn a_server_without_a_name_is_named_by_its_id() {
    let mut nameless = page(1, 2, &[0, 7]);
    nameless["data"][0]["name"] = Value::Null;
    nameless["data"][1].as_object_mut().unwrap().remove("name");
    let (vpn, _) = scripted([nameless], Limits::default());
    let names: Vec<_> = vpn.servers().map_ok(|server| server.name).try_collect().await.unwrap();
    assert_eq!(names, ["0", "7"]);
}
