//! What a status means for each call, and that a page from something other than AzireVPN means none
//! of it.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_azire::ops::{CreateIp, CreatePortForward, UpdatePassword};
use anyvpn_core::{Advice, ErrorKind, PrivateKey};
use anyvpn_sandbox::azire::Quirks;
use anyvpn_sandbox::{Fault, FaultRule};
use world::{PASSWORD, World};

/// Only the creation of ports has a known cap, and any server can answer 406 to an `Accept` header
/// that it does not support.
#[tokio::test]
async fn a_406_is_the_days_cap_on_new_ports_and_nothing_else() {
    let world = World::new(0).await;
    for operation in world::operations() {
        let cap = operation.name() == "create-port-forward";
        let own = if cap { ErrorKind::QuotaReached } else { ErrorKind::Refused };
        for (fault, kind) in
            [(Fault::Status(406), own), (Fault::Html(406), ErrorKind::UnexpectedReply)]
        {
            world.sandbox.inject(FaultRule::once(&operation.to_string(), fault)).unwrap();
            let error = world.call(operation).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (kind, Some(406)), "{operation}: {error}");
        }
    }
}

#[tokio::test]
async fn a_device_without_free_ports_is_a_limit_for_any_status() {
    for status in [422, 403] {
        let seed = (0..).find(|seed| Quirks::from_seed(*seed).too_many == status).unwrap();
        let world = World::new(seed).await;
        let internal_ipv4 = world.device.ipv4_address;
        let create = CreatePortForward { internal_ipv4, expires_in: None, hidden: None };
        let error = loop {
            match world.azire.call(create.clone()).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), error.status()), (ErrorKind::Refused, Some(status)), "{error}");
        assert_eq!(error.message(), Some("The device has no port left."));
        // The error names the invalid input.
        let error = world.azire.call(CreatePortForward { expires_in: Some(9999), ..create }).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.fields().contains_key("expires_in"), "{error}");
    }
}

#[tokio::test]
async fn an_expired_account_does_not_renew_the_token() {
    let world = World::new(0).await;
    world.sandbox.azire().suspend(world::USERNAME, true);
    let key = PrivateKey::generate().unwrap().public_key().to_string();
    let error = world.azire.call(CreateIp { key }).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Refused, Some(403)), "{error}");
}

/// A 404 confirms a deletion, but it must not count as a successful change.
#[tokio::test]
async fn a_404_after_a_lost_change_is_not_a_success() {
    let world = World::new(0).await;
    for then in [Fault::Status(404), Fault::Html(404)] {
        for fault in [Fault::Wire("reset-before"), then] {
            world.sandbox.inject(FaultRule::once("azire.update-password", fault)).unwrap();
        }
        let new_password = format!("{PASSWORD}-new").into();
        let error = world.azire.call(UpdatePassword { new_password }).await.unwrap_err();
        assert_eq!(error.advice(), Advice::ReadBack, "{error}");
    }
}
