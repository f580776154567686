//! A reply that is not from VPNGN says nothing about a customer or a credential, so it leads to no
//! creation and no token refresh.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_http::{MemoryStore, Operation as _};
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_vpngn::ErrorKind;
use anyvpn_vpngn::ops::{AddClient, GetProducts, TokenRefresh};
use world::{Credential, EMAIL, World, newcomer};

/// Any refusal by VPNGN can mean that it does not know the customer, so a page must not count as
/// one.
#[tokio::test]
async fn a_web_page_never_leads_to_a_creation() {
    let named = ["json-403-message", "json-404-error", "json-404-problem", "empty-404"];
    let named = named.map(Fault::Wire);
    let world = World::new(0).await;
    for fault in [400, 401, 403, 404, 406].map(Fault::Html).into_iter().chain(named) {
        world.sandbox.inject(FaultRule::once("vpngn.get-products", fault.clone())).unwrap();
        let vpngn = world.vpngn(Credential::SecretKey);
        let error = vpngn.ensure_client(newcomer("new@example.com")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{fault:?}: {error}");
    }
    assert_eq!(world.arrived(AddClient::ID), 0);
}

#[tokio::test]
async fn a_web_page_with_401_does_not_refresh_the_token() {
    let world = World::new(0).await;
    let store = Arc::new(MemoryStore::new(Some(world.tokens())));
    let vpngn = world.vpngn(Credential::None).with_session(EMAIL, store).await.unwrap();
    for fault in [Fault::Html(401), Fault::Wire("json-401-empty")] {
        world.sandbox.inject(FaultRule::once("vpngn.get-products", fault)).unwrap();
        let products = GetProducts { email: EMAIL.to_owned() };
        let error = vpngn.call(products).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    }
    assert_eq!(world.arrived(TokenRefresh::ID), 0);
}
