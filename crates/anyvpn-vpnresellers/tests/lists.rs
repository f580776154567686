//! Reads the list of accounts page by page: no account is missed or listed twice.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::collections::BTreeSet;

use anyvpn_http::Operation as _;
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use anyvpn_vpnresellers::ops::{ListAccounts, ListServers};
use anyvpn_vpnresellers::{Customers, ErrorKind, ListCustomers, ServerConfigs};
use futures_util::TryStreamExt;
use world::{RESELLER, World};

/// Creates a world with this many more accounts.
async fn crowded(seed: u64, accounts: usize) -> World {
    let world = World::new(seed).await;
    for number in 0..accounts {
        world.sandbox.vpnresellers().add_account(RESELLER, &format!("acme_{number:04}"), "secret");
    }
    world
}

#[tokio::test]
async fn every_customer_of_every_page_is_found_and_listed_once() {
    for seed in 0..24 {
        let world = crowded(seed, 250).await;
        let reseller = world.reseller();
        let all: Vec<_> = reseller.list_customers().try_collect().await.unwrap();
        let names: BTreeSet<_> = all.iter().map(|customer| customer.key.clone()).collect();
        assert_eq!((all.len(), names.len()), (252, 252), "seed {seed}");
        assert_eq!(world.arrived(ListAccounts::ID), 3, "seed {seed}");
        for name in ["acme_0000", "acme_0099", "acme_0100", "acme_0249"] {
            let found = reseller.find_customer(name).await.unwrap();
            assert_eq!(found.unwrap().key, name, "seed {seed}");
        }
        assert!(reseller.find_customer("acme_025").await.unwrap().is_none(), "seed {seed}");
    }
}

/// By default a page has 15 accounts, for callers that request no size.
#[tokio::test]
async fn a_page_has_fifteen_unless_a_number_is_given() {
    let world = crowded(0, 20).await;
    let page = |per_page| ListAccounts { page: Some(2), per_page };
    let usual = world.reseller().call(page(None)).await.unwrap();
    assert_eq!((usual.accounts.len(), usual.per_page, usual.total), (7, Some(15), Some(22)));
    let ten = world.reseller().call(page(Some(10))).await.unwrap();
    assert_eq!((ten.accounts.len(), ten.last_page), (10, Some(3)));
}

/// If a customer is deleted between two pages, another one moves to the page that was already read.
#[tokio::test]
async fn a_list_that_changes_between_two_pages_is_read_again() {
    let world = crowded(0, 150).await;
    let reseller = world.reseller();
    let mut list = reseller.list_customers();
    let mut seen = vec![list.try_next().await.unwrap().unwrap().key];
    reseller.close_customer("acme_0003").await.unwrap();
    seen.extend(list.map_ok(|customer| customer.key).try_collect::<Vec<_>>().await.unwrap());
    let names: BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), names.len()), (152, 152));
    assert!(names.contains(&"acme_0149".to_owned()));
}

/// Without the number of the last page, an account on a later page would count as absent.
#[tokio::test]
async fn a_list_that_does_not_say_its_last_page_is_unexpected() {
    use anyvpn_testkit::scripted::{Script, Step};
    let body = r#"{"data":[],"code":200}"#;
    let script = Script::new([Step::json(200, body)]);
    let builder = anyvpn_vpnresellers::VpnResellers::builder().token("t");
    let reseller = builder.transport(std::sync::Arc::new(script)).build().unwrap();
    let error = reseller.find_customer("jo").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    assert!(error.to_string().contains("`meta`"), "{error}");
}

/// A page from another sender is not the end of the list.
#[tokio::test]
async fn a_failed_page_fails_the_whole_list() {
    let world = crowded(0, 150).await;
    let rule =
        FaultRule { skip: 1, ..FaultRule::once("vpnresellers.list-accounts", Fault::Html(404)) };
    world.sandbox.inject(rule).unwrap();
    let error = world.reseller().find_customer("acme_0149").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
}

#[tokio::test]
async fn servers_that_come_by_page_are_asked_for_a_hundred_at_a_time() {
    let builder = Sandbox::builder().variation("vpnresellers.servers-come-by-page");
    let world = World::from(builder).await;
    let all: Vec<_> = world.reseller().servers().try_collect().await.unwrap();
    assert_eq!((all.len(), world.arrived(ListServers::ID)), (18, 1));
}
