#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! An error names a configuration that was created but cannot be returned, with the provider's
//! text.

mod world;

use anyvpn_core::{Advice, ConfigRequest, Error, ErrorKind, LeftoverKind, ServerConfigs};
use anyvpn_sandbox::vpnscript::Server;
use world::World;

/// A server whose configurations have port 0, which no parser accepts.
fn unreadable(world: &World) -> String {
    let server = Server { port: 0, ..Server::wireguard("Zero") };
    world.service().add_server(server).to_string()
}

fn assert_left(world: &World, error: &Error) {
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    assert_eq!(error.advice(), Advice::ReadBack);
    let [leftover] = error.left_behind() else { panic!("{error}") };
    let [id] = world.ids()[..] else { panic!("{:?}", world.ids()) };
    assert_eq!((leftover.kind, leftover.id()), (LeftoverKind::Configuration, &*id.to_string()));
    let text = leftover.text.as_ref().unwrap().expose();
    assert!(text.starts_with("[Interface]\nPrivateKey = ") && text.contains(":0\n"));
    let key = text.lines().nth(1).unwrap().strip_prefix("PrivateKey = ").unwrap();
    assert!(!format!("{error} {error:?}").contains(key));
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_named_with_its_text_and_made_once() {
    let world = World::new(0).await;
    let request = ConfigRequest::wireguard(unreadable(&world));
    for _ in 0..3 {
        assert_left(&world, &world.vpn.obtain_config(&request).await.unwrap_err());
    }
    assert_eq!(world.arrived("create-wireguard-config"), 1);
    // Once it is deleted, nothing is in the way.
    let id = world.ids()[0].to_string();
    world.vpn.revoke_config(&id).await.unwrap();
    assert_left(&world, &world.vpn.obtain_config(&request).await.unwrap_err());
    assert_eq!(world.arrived("create-wireguard-config"), 2);
}

#[tokio::test]
async fn a_rotation_to_one_that_cannot_be_read_names_it_and_keeps_the_old_one() {
    let world = World::new(0).await;
    let (old, _) = world.obtain(world::WIREGUARD).await.unwrap();
    let request = ConfigRequest::wireguard(unreadable(&world));
    let error = world.vpn.rotate_config(&old.to_string(), &request).await.unwrap_err();
    let [leftover] = error.left_behind() else { panic!("{error}") };
    assert_ne!(leftover.id(), old.to_string());
    assert_eq!(world.ids().len(), 2);
}
