use std::time::Duration;

use anyvpn_sandbox::vpnscript::{ConfigState, Server, ServiceState};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::vpnscript_world::{
    IKEV2, OPENVPN, SMALL, STARTED, WIREGUARD, World, assert_invalid, send,
};

const LATER: &str = "2026-01-01T00:00:02.000000Z";
const NO_CONFIGS: &str = "No configuration found for this server.";
const PENDING: &str = "The WireGuard configuration is pending creation or deletion.";
const FULL: &str = "The server has reached the maximum allowed user limit. Please try again later \
                    or choose a different server.";
const LIMIT: &str = "Looks like you reached maximum allowed device limit on your plan. Please \
                     retry after disconnecting from OpenVPN or deleting WireGuard configurations \
                     that you have generated before.";

async fn slots(world: &World, server: u64) -> (Value, Value) {
    let mut server = world.data("/servers").await[server as usize - 1].take();
    (server["wg_available_slots"].take(), server["wg_slots"].take())
}

fn states(world: &World) -> Vec<(u64, ConfigState)> {
    world.service().configs("liam").iter().map(|config| (config.id, config.state)).collect()
}

#[tokio::test]
async fn a_configuration_is_made_and_deleted_in_time() {
    let world = World::new(0).await;
    world.assert_refused(&world.get("/wireguard/configs?server_id=2").await, NO_CONFIGS);
    let created = world.create(WIREGUARD).await;
    assert_eq!(created.status, 200);
    let message = "WireGuard configuration create job dispatched. It will be completed shortly.";
    assert_eq!(created.json(), json!({ "status": true, "message": message }));

    let pending = json!({
        "id": 1, "config": null, "status": 0, "fail_reason": null,
        "created_at": STARTED, "updated_at": STARTED,
    });
    let answer = world.get("/wireguard/configs").await.json();
    assert_eq!(answer, json!({ "status": true, "message": null, "data": [pending] }));
    world.assert_refused(&world.delete(1).await, PENDING);
    world.pass(1);
    assert_eq!(world.data("/wireguard/configs").await, json!([pending]));
    world.pass(1);
    let active = world.data("/wireguard/configs?server_id=2").await;
    let text = active[0]["config"].as_str().unwrap();
    let expected = json!([{
        "id": 1, "config": text, "status": 1, "fail_reason": null,
        "created_at": STARTED, "updated_at": LATER,
    }]);
    assert_eq!(active, expected);
    world.pass(86_400);
    assert_eq!(world.data("/wireguard/configs").await, active);

    let deleted = world.delete(1).await;
    assert_eq!(deleted.status, 200);
    let message = "WireGuard configuration delete job dispatched. It will be completed shortly.";
    assert_eq!(deleted.json(), json!({ "success": true, "message": message }));
    let going = world.data("/wireguard/configs").await;
    assert_eq!((&going[0]["status"], &going[0]["config"]), (&json!(2), &json!(null)));
    assert_eq!(going[0]["updated_at"], "2026-01-02T00:00:02.000000Z");
    world.assert_refused(&world.delete(1).await, PENDING);
    world.pass(2);
    world.assert_refused(&world.get("/wireguard/configs").await, NO_CONFIGS);
    let unknown = "The WireGuard configuration is not found.";
    world.assert_refused(&world.delete(1).await, unknown);
}

#[tokio::test]
async fn a_configuration_has_keys_that_fit_its_server() {
    let world = World::new(0).await;
    let server = Server { address: [127, 0, 0, 7].into(), port: 7777, ..Server::wireguard("") };
    let server = world.service().add_server(server);
    for _ in 0..2 {
        world.create(server).await;
    }
    world.pass(2);
    let texts: Vec<String> =
        world.service().configs("liam").into_iter().map(|it| it.text.unwrap()).collect();
    assert_eq!(world.data("/wireguard/configs").await[1]["config"], texts[1]);
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
        line.unwrap().to_owned()
    };
    let bytes = |key: &str| <[u8; 32]>::try_from(STANDARD.decode(key).unwrap()).unwrap();
    let secret = StaticSecret::from(bytes(&world.service().server_key(server)));
    let public = STANDARD.encode(PublicKey::from(&secret));
    for (number, text) in (2..).zip(&texts) {
        let private = bytes(&value(text, "PrivateKey"));
        // Keys as `wg genkey` prints them.
        assert_eq!((private[0] & 7, private[31] & 0xc0), (0, 0x40));
        bytes(&value(text, "PresharedKey"));
        assert_eq!(value(text, "PublicKey"), public);
        assert_eq!(value(text, "Address"), format!("10.66.0.{number}/32"));
        assert_eq!(value(text, "Endpoint"), "127.0.0.7:7777");
        assert_eq!(value(text, "AllowedIPs"), "0.0.0.0/0, ::/0");
    }
    assert_ne!(value(&texts[0], "PrivateKey"), value(&texts[1], "PrivateKey"));
    // Each server has its own addresses.
    world.create(WIREGUARD).await;
    world.pass(2);
    let other = world.service().configs("liam").pop().unwrap().text.unwrap();
    assert_eq!(value(&other, "Address"), "10.66.0.2/32");
    assert_ne!(world.service().server_key(server), world.service().server_key(WIREGUARD));
}

#[tokio::test]
async fn two_at_once_are_queued_in_order() {
    let world = World::new(0).await;
    let create = || {
        let client = world.client.clone();
        let body = json!({ "server_id": WIREGUARD });
        tokio::spawn(async move { send(&client, "POST", "/wireguard/create", body).await })
    };
    for call in [create(), create()] {
        assert_eq!(call.await.unwrap().status, 200);
    }
    let pending = ConfigState::PendingCreation;
    assert_eq!(states(&world), [(1, pending), (2, pending)]);
    world.pass(1);
    world.create(WIREGUARD).await;
    world.pass(1);
    let active = ConfigState::Active;
    assert_eq!(states(&world), [(1, active), (2, active), (3, pending)]);
    let listed = world.data("/wireguard/configs?server_id=2").await;
    assert_eq!(listed[2]["created_at"], "2026-01-01T00:00:01.000000Z");

    // Ids are never used again.
    world.delete(2).await;
    world.pass(2);
    world.create(WIREGUARD).await;
    assert_eq!(states(&world).last(), Some(&(4, pending)));
}

#[tokio::test]
async fn jobs_take_the_configured_time() {
    let world = World::new(0).await;
    world.service().set_job_duration(Duration::ZERO);
    world.create(WIREGUARD).await;
    assert_eq!(world.data("/wireguard/configs").await[0]["status"], 1);
    world.service().set_job_duration(Duration::MAX);
    world.delete(1).await;
    world.pass(1_000_000_000);
    assert_eq!(states(&world), [(1, ConfigState::PendingDeletion)]);
}

#[tokio::test]
async fn a_failed_creation_returns_the_reason_and_uses_no_slot() {
    let world = World::new(0).await;
    world.service().set_devices("liam", 1);
    world.service().fail_next_job("No route to host");
    world.create(SMALL).await;
    assert_eq!(slots(&world, SMALL).await, (json!(1), json!(1)));
    world.pass(2);
    let failed = world.data("/wireguard/configs").await;
    assert_eq!((&failed[0]["status"], &failed[0]["config"]), (&json!(0), &json!(null)));
    assert_eq!(failed[0]["fail_reason"], "No route to host");
    assert_eq!(failed[0]["updated_at"], LATER);
    assert_eq!(slots(&world, SMALL).await, (json!(2), json!(0)));

    assert_eq!(world.create(SMALL).await.status, 200);
    world.pass(2);
    let active = world.service().configs("liam").pop().unwrap();
    assert_eq!((active.id, active.state, active.fail_reason), (2, ConfigState::Active, None));
    assert_eq!(world.delete(1).await.status, 200);
    world.pass(2);
    assert_eq!(states(&world), [(2, ConfigState::Active)]);
}

#[tokio::test]
async fn a_failed_deletion_tells_why_and_can_be_tried_again() {
    let world = World::new(0).await;
    world.create(WIREGUARD).await;
    world.pass(2);
    world.service().fail_next_job("Busy");
    world.delete(1).await;
    world.pass(2);
    let failed = world.data("/wireguard/configs").await;
    assert_eq!((&failed[0]["status"], &failed[0]["fail_reason"]), (&json!(2), &json!("Busy")));
    assert_eq!(slots(&world, WIREGUARD).await.1, 1);
    assert_eq!(world.delete(1).await.status, 200);
    assert_eq!(world.data("/wireguard/configs").await[0]["fail_reason"], Value::Null);
    world.pass(2);
    assert!(states(&world).is_empty());
}

#[tokio::test]
async fn some_jobs_fail_as_the_seed_has_it() {
    let failed = async |seed: u64, percent: u8| {
        let world = World::new(seed).await;
        world.service().set_devices("liam", 100);
        world.service().fail_jobs(percent);
        for _ in 0..100 {
            world.create(WIREGUARD).await;
        }
        world.pass(2);
        let configs = world.service().configs("liam");
        let failed = configs.iter().filter(|config| config.fail_reason.is_some());
        failed.map(|config| config.id).collect::<Vec<_>>()
    };
    let some = failed(1, 30).await;
    assert!((10..50).contains(&some.len()), "{some:?}");
    assert_eq!(failed(1, 30).await, some);
    assert_ne!(failed(2, 30).await, some);
    assert_eq!(failed(1, 100).await.len(), 100);
    assert_eq!(failed(1, 0).await.len(), 0);
}

#[tokio::test]
async fn slots_and_devices_end() {
    let world = World::new(0).await;
    world.service().add_account("noah", "secret");
    for _ in 0..2 {
        assert_eq!(world.create(SMALL).await.status, 200);
    }
    assert_eq!(slots(&world, SMALL).await, (json!(0), json!(2)));
    world.assert_refused(&world.create(SMALL).await, FULL);
    world.pass(2);
    world.delete(1).await;
    // Until it is gone, it takes up a slot.
    world.assert_refused(&world.create(SMALL).await, FULL);
    world.pass(2);
    assert_eq!(world.create(SMALL).await.status, 200);

    world.service().set_devices("liam", 3);
    assert_eq!(world.create(WIREGUARD).await.status, 200);
    world.assert_refused(&world.create(WIREGUARD).await, LIMIT);
    // The server's refusal has priority over the plan's.
    world.assert_refused(&world.create(SMALL).await, FULL);
    assert_eq!(states(&world).len(), 3);

    let none = Server { slots: 0, ..Server::wireguard("") };
    let none = world.service().add_server(none);
    world.assert_refused(&world.create(none).await, FULL);
}

#[tokio::test]
async fn calls_are_refused_as_documented() {
    let world = World::new(0).await;
    let not_wireguard = "The server is not using WireGuard protocol.";
    let not_found = "The server is not found or enabled.";
    for (server, message) in
        [(OPENVPN, not_wireguard), (IKEV2, not_wireguard), (999, not_found), (0, not_found)]
    {
        let answer = world.create(server).await;
        assert_eq!(answer.json(), json!({ "success": false, "message": message }));
        world.assert_refused(&answer, message);
        let listed = world.get(&format!("/wireguard/configs?server_id={server}")).await;
        world.assert_refused(&listed, message);
    }
    let unknown = "The WireGuard configuration is not found.";
    world.assert_refused(&world.delete(1).await, unknown);
    world.assert_refused(
        &world.send("DELETE", "/wireguard/delete?config_id=-1", Value::Null).await,
        unknown,
    );
    for body in [json!({}), json!({ "server_id": "two" }), json!({ "server_id": 1.5 })] {
        assert_invalid(&world.send("POST", "/wireguard/create", body).await, &["server_id"]);
    }
    assert_invalid(&world.get("/wireguard/configs?server_id=x").await, &["server_id"]);
    assert_invalid(&world.send("DELETE", "/wireguard/delete", Value::Null).await, &["config_id"]);

    for (state, message) in [
        (ServiceState::None, "You do not have any service."),
        (ServiceState::Inactive, "Your service is not active."),
        (ServiceState::Expired, "Your service is expired."),
    ] {
        world.service().set_service("liam", state);
        world.assert_refused(&world.create(WIREGUARD).await, message);
        world.assert_refused(&world.get("/wireguard/configs").await, message);
    }
    assert!(states(&world).is_empty());
}

#[tokio::test]
async fn one_account_sees_nothing_of_another() {
    let world = World::new(0).await;
    let noah = world.client.with_token(&world.service().add_account("noah", "secret").token);
    world.create(WIREGUARD).await;
    world.pass(2);
    let unknown = "The WireGuard configuration is not found.";
    let body = json!({ "config_id": 1 });
    world.assert_refused(&send(&noah, "DELETE", "/wireguard/delete", body).await, unknown);
    let list = send(&noah, "GET", "/wireguard/configs", Value::Null).await;
    world.assert_refused(&list, NO_CONFIGS);
    assert_eq!(states(&world), [(1, ConfigState::Active)]);
}

#[tokio::test]
async fn a_list_is_of_one_server_or_of_all() {
    let world = World::new(0).await;
    for server in [WIREGUARD, SMALL, WIREGUARD] {
        world.create(server).await;
    }
    let ids = async |query: &str| {
        let list = world.data(&format!("/wireguard/configs{query}")).await;
        list.as_array().unwrap().iter().map(|it| it["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [1, 2, 3]);
    assert_eq!(ids("?server_id=2").await, [1, 3]);
    assert_eq!(ids("?server_id=5").await, [2]);
    world.assert_refused(&world.get("/wireguard/configs?server_id=4").await, NO_CONFIGS);
}
