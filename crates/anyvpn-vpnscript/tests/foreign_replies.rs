#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! A page that is not from VPN Script says nothing about the account: it makes no list empty,
//! deletes nothing, and returns no configuration.

mod world;

use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind, ServerConfigs};
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_vpnscript::ops::CreateWireGuardConfig;
use world::{SMALL, WIREGUARD, World, obtain};

/// Answers the listings after the first `skip` with a gateway's 404.
fn hide_the_list(world: &World, skip: u32) {
    let list = Some("vpnscript.list-wireguard-configs".to_owned());
    let rule = FaultRule::always(Fault::Html(404));
    world.sandbox.inject(FaultRule { operation: list, skip, ..rule }).unwrap();
}

#[track_caller]
fn assert_foreign(error: &Error) {
    assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedReply, Some(404)), "{error}");
    assert!(error.detail().unwrap().contains("base URL"), "{error}");
}

#[tokio::test]
async fn a_404_from_a_gateway_is_not_an_empty_list() {
    let world = World::new(0).await;
    world.obtain(WIREGUARD).await.unwrap();
    hide_the_list(&world, 0);
    assert_foreign(&world.vpn.list_configs().await.unwrap_err());
}

/// Laravel answers an unknown path with a bare message and 404.
#[tokio::test]
async fn a_base_url_that_ends_with_api_does_not_look_like_an_empty_list() {
    let world = World::new(0).await;
    world.obtain(WIREGUARD).await.unwrap();
    let url = format!("{}/api", world.sandbox.vpnscript_url());
    let vpn = world::client(world.builder().base_url(url).token(world.token.as_str()));
    assert_foreign(&vpn.list_configs().await.unwrap_err());
}

#[tokio::test]
async fn a_gateways_404_after_a_deletion_does_not_say_that_it_is_done() {
    let world = World::new(0).await;
    let (id, _) = world.obtain(WIREGUARD).await.unwrap();
    world.service().set_job_duration(Duration::from_secs(60));
    hide_the_list(&world, 0);
    let error = world.vpn.revoke_config(&id.to_string()).await.unwrap_err();
    assert_foreign(&error);
    assert_eq!(error.advice(), Advice::ReadBack);
    assert_eq!(world.ids(), [id]);
}

#[tokio::test]
async fn nothing_is_created_after_a_look_that_a_gateway_answered() {
    let world = World::new(0).await;
    let (older, _) = world.obtain(WIREGUARD).await.unwrap();
    let list = "vpnscript.list-wireguard-configs";
    world.sandbox.inject(FaultRule::once(list, Fault::Html(404))).unwrap();
    world.sandbox.clear_received();
    assert_foreign(&world.obtain(WIREGUARD).await.map(|(id, _)| id).unwrap_err());
    assert_eq!(world.arrived("create-wireguard-config"), 0);
    assert_eq!(world.arrived("delete-wireguard-config"), 0);
    assert_eq!(world.ids(), [older]);
}

#[tokio::test]
async fn a_gateways_404_does_not_say_that_a_pending_one_is_gone() {
    let world = World::new(0).await;
    world.service().set_job_duration(Duration::from_secs(20));
    // The listing before the creation and the one that finds the new configuration succeed.
    hide_the_list(&world, 2);
    let error = world.obtain(WIREGUARD).await.map(|(id, _)| id).unwrap_err();
    assert_foreign(&error);
    assert_eq!(error.advice(), Advice::ReadBack);
    let [id] = world.ids()[..] else { panic!("{:?}", world.ids()) };
    let left: Vec<_> = error.left_behind().iter().map(|leftover| leftover.id()).collect();
    assert_eq!(left, [id.to_string()], "{error}");
    assert_eq!(world.arrived("delete-wireguard-config"), 0);
}

/// The listing before a creation is about one server, and only one refusal says that the server has
/// no configuration.
#[tokio::test]
async fn a_disabled_server_is_not_an_empty_list() {
    let world = World::new(0).await;
    world.vpn.call(CreateWireGuardConfig { server_id: 5 }).await.unwrap();
    world.service().change_server(5, |server| server.enabled = false);
    let error = obtain(&world.other(), SMALL).await.map(|(id, _)| id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(error.message(), Some("The server is not found or enabled."));
    assert_eq!(error.operation().unwrap().name(), "list-wireguard-configs");
    assert_eq!(world.arrived("create-wireguard-config"), 1);
}
