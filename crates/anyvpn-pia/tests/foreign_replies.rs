//! A page that is not from PIA says nothing about the account, its token, the list of servers or a
//! port.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{
    Accounts as _, ConfigRequest, Error, ErrorKind, ListPortForwards as _, NewPortForward,
    PortForwards as _, ServerConfigs as _, SignOut as _,
};
use anyvpn_lab::harness::still_sandbox;
use anyvpn_pia::{Credential, Limits, MemoryStore, Password, Pia, Settings};
use anyvpn_sandbox::{Fault, FaultRule};
use world::{PASSWORD, USERNAME, World};

/// Pages with the same statuses as PIA's refusals.
fn html() -> impl Iterator<Item = Fault> {
    [400, 401, 402, 403, 404, 409].map(Fault::Html).into_iter()
}

/// The pages above, and the answers of gateways and other services.
fn pages() -> impl Iterator<Item = Fault> {
    let named = [
        "empty-401",
        "json-401-empty",
        "json-401-error",
        "json-403-message",
        "json-404-message",
        "json-409-error",
    ];
    html().chain(named.map(Fault::Wire))
}

/// Answers the next request of an operation with a page, and returns what its caller gets.
async fn with_page<T>(
    world: &World,
    operation: &str,
    page: Fault,
    call: impl Future<Output = Result<T, Error>>,
) -> Error {
    let rule = FaultRule::once(&format!("pia.{operation}"), page.clone());
    world.sandbox.inject(rule).unwrap();
    call.await.map(drop).expect_err(&format!("{operation}: {page:?}"))
}

#[track_caller]
fn assert_foreign(error: &Error, page: &Fault) {
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{page:?}: {error}");
}

#[tokio::test]
async fn a_web_page_neither_renews_the_token_nor_refuses_the_password() {
    let world = World::on(still_sandbox()).await;
    let minute = Duration::from_secs(60);
    let time = anyvpn_lab::time::of_sandbox(world.sandbox.clock()).with_endless(minute);
    let limits = Limits { attempt: minute * 2, call: minute * 60, ..Limits::default() };
    let builder = Pia::builder().clock(Arc::new(time)).limits(limits);
    let client = world::client(&world.sandbox, builder);
    for page in pages() {
        let password = Password::new(USERNAME, PASSWORD.into());
        let pia = client.with_sign_in(password, Arc::new(MemoryStore::new(None)));
        let before = world.arrived("create-token");
        let error = with_page(&world, "create-token", page.clone(), pia.account()).await;
        assert_foreign(&error, &page);
        // A refused password is never sent again.
        world.sandbox.clock().advance(minute);
        pia.account().await.unwrap();
        let error = with_page(&world, "get-account", page.clone(), pia.account()).await;
        assert_foreign(&error, &page);
        assert_eq!(world.arrived("create-token"), before + 2, "{page:?}");
    }
}

#[tokio::test]
async fn a_page_does_not_say_that_a_token_has_ended() {
    let world = World::new(0).await;
    let tokens = world.service().tokens(USERNAME);
    let credential = Credential::new(Settings::new().with("token", world.token.as_str()));
    for page in pages() {
        let sign_out = world.pia.revoke_credential(&credential);
        let error = with_page(&world, "expire-token", page.clone(), sign_out).await;
        assert_foreign(&error, &page);
    }
    assert_eq!(world.service().tokens(USERNAME), tokens);
}

#[tokio::test]
async fn no_region_is_unknown_because_a_page_came() {
    let world = World::new(0).await;
    for page in pages().chain([Fault::Html(200)]) {
        let request = ConfigRequest::wireguard("atlantis");
        let obtained = world.pia.obtain_config(&request);
        let error = with_page(&world, "list-servers", page.clone(), obtained).await;
        assert_foreign(&error, &page);
    }
    assert_eq!(world.arrived("add-key"), 0);
}

/// A VPN server has proved its name, so its 401 and 402 count. No other status means that a port is
/// lost, unless PIA's own text says so.
#[tokio::test]
async fn no_port_is_replaced_because_a_page_came() {
    let world = World::on(still_sandbox()).await;
    let port = world.pia.create_port_forward(NewPortForward::new()).await.unwrap();
    let reserved = world.service().reserved();
    for page in html() {
        let create = world.pia.create_port_forward(NewPortForward::new());
        let created = with_page(&world, "bind-port", page.clone(), create).await;
        let renew = world.pia.renew_port_forward(&port);
        let renewed = with_page(&world, "bind-port", page.clone(), renew).await;
        for error in [created, renewed] {
            match error.status() {
                Some(401) => assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}"),
                Some(402) => assert_eq!(error.kind(), ErrorKind::ServiceExpired, "{error}"),
                _ => assert_foreign(&error, &page),
            }
        }
    }
    assert_eq!(world.service().reserved(), reserved);
    let listed = world.pia.list_port_forwards(None).await.unwrap();
    assert_eq!(listed, [port]);
}
