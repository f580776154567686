use anyvpn_sandbox::vpnscript::ServiceState;
use anyvpn_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::vpnscript_world::{ACCEPT, World, send};

async fn control(world: &World, action: &str, input: Value) -> Answer {
    let path = format!("/_sandbox/vpnscript/{action}");
    world.client.send_raw("POST", &path, input).await.answer()
}

#[tokio::test]
async fn the_eight_operations_are_listed() {
    let names = anyvpn_sandbox::operations();
    let own: Vec<_> = names.iter().filter_map(|name| name.strip_prefix("vpnscript.")).collect();
    let expected = [
        "create-token",
        "get-account",
        "list-servers",
        "get-openvpn-profile",
        "get-openvpn-auth",
        "list-wireguard-configs",
        "create-wireguard-config",
        "delete-wireguard-config",
    ];
    assert_eq!(own, expected);
}

#[tokio::test]
async fn it_stands_below_a_path_and_refuses_what_it_does_not_know() {
    let world = World::new(0).await;
    let url = world.sandbox.vpnscript_url();
    assert_eq!(url, format!("{}/vpnscript", world.sandbox.url()));
    let unknown = world.get("/nothing").await;
    assert_eq!((unknown.status, unknown.json()), (404, json!({ "message": "Not Found" })));
    let method = world.send("POST", "/account", json!({})).await;
    assert_eq!((method.status, method.json()), (405, json!({ "message": "Method Not Allowed" })));
    let fault = Fault::TooManyRequests { retry_after: None };
    world.sandbox.inject(FaultRule::once("vpnscript.get-account", fault)).unwrap();
    let limited = world.get("/account").await;
    assert_eq!((limited.status, limited.json()), (429, json!({ "message": "Too Many Requests" })));
    assert_eq!(world.get("/account").await.status, 200);
}

#[tokio::test]
async fn the_work_is_done_before_a_reset_and_logged() {
    let world = World::new(0).await;
    let operation = "vpnscript.create-wireguard-config";
    world.sandbox.inject(FaultRule::once(operation, Fault::Wire("reset-after"))).unwrap();
    let headers = format!("{ACCEPT}content-type: application/json\r\n");
    let path = "/vpnscript/api/wireguard/create";
    let request = world.client.request("POST", path, &headers, r#"{"server_id":2}"#);
    world.client.raw(&request).await.assert_reset();
    assert_eq!(world.service().configs("liam").len(), 1);
    let received = world.sandbox.received().pop().unwrap();
    assert_eq!(
        (received.operation, received.status, received.effect),
        (Some(operation), None, true)
    );
    assert_eq!(received.body, br#"{"server_id":2}"#);
}

#[tokio::test]
async fn the_log_contains_no_secret() {
    let world = World::new(0).await;
    let canary = "canary-5f2a";
    let nobody = Client::new(&world.sandbox);
    let carrier = world.client.with_token(canary);
    let field = json!({
        "username": "liam", "password": canary, "device_name": "desk", "token": canary,
        "server_id": [canary], "config_id": { "password": canary },
    });
    for (method, path) in [
        ("POST", "/auth/token"),
        ("GET", "/account"),
        ("GET", "/servers"),
        ("POST", "/wireguard/create"),
        ("DELETE", "/wireguard/delete"),
    ] {
        send(&carrier, method, path, field.clone()).await;
        send(&nobody, method, &format!("{path}?password={canary}"), field.clone()).await;
    }
    let log = world.sandbox.received();
    assert_eq!(log.len(), 10);
    for entry in &log {
        let shown = format!("{entry:?} {}", String::from_utf8_lossy(&entry.body));
        assert!(!shown.contains(canary), "{shown}");
    }
    let sign_in: Value = serde_json::from_slice(&log[0].body).unwrap();
    assert_eq!((&sign_in["username"], &sign_in["device_name"]), (&json!("liam"), &json!("desk")));
}

#[tokio::test]
async fn it_is_controlled_over_http() {
    let world = World::new(0).await;
    let noah = json!({ "username": "noah", "password": "secret" });
    let token = control(&world, "add-account", noah).await.json();
    let noah = world.client.with_token(token["token"].as_str().unwrap());
    let status = async || send(&noah, "GET", "/openvpn/auth", Value::Null).await.json();
    assert_eq!(status().await["success"], true);

    for (state, message) in [
        ("none", json!("You do not have any service.")),
        ("inactive", json!("Your service is not active.")),
        ("expired", json!("Your service is expired.")),
        ("active", Value::Null),
    ] {
        let input = json!({ "username": "noah", "state": state });
        assert_eq!(control(&world, "set-service", input).await.status, 200);
        assert_eq!(status().await["message"], message);
    }
    let input = json!({ "username": "liam", "reason": "Abuse" });
    assert_eq!(control(&world, "suspend", input).await.status, 200);
    assert_eq!(world.get("/servers").await.json()["suspend_reason"], "Abuse");

    assert_eq!(control(&world, "set-job-duration", json!({ "seconds": 0 })).await.status, 200);
    assert_eq!(control(&world, "fail-next-job", json!({ "reason": "Busy" })).await.status, 200);
    send(&noah, "POST", "/wireguard/create", json!({ "server_id": 2 })).await;
    let failed = world.service().configs("noah").pop().unwrap();
    assert_eq!(failed.fail_reason.as_deref(), Some("Busy"));
    let hostile = control(&world, "add-hostile-servers", json!({})).await.json();
    assert_eq!(hostile, json!({ "openvpn": 8, "wireguard": 9 }));
}

#[tokio::test]
async fn invalid_control_requests_are_reported() {
    let world = World::new(0).await;
    for (action, input, reason) in [
        ("fly", json!({}), "no action \"fly\""),
        ("suspend", json!({}), "\"username\" is missing"),
        ("suspend", json!({ "username": "nobody" }), "there is no account \"nobody\""),
        ("set-service", json!({ "username": "liam", "state": "gone" }), "unknown state \"gone\""),
        ("set-service", json!({ "username": "nobody", "state": "none" }), "there is no account"),
        ("set-job-duration", json!({ "seconds": -1 }), "must be a whole number"),
        ("fail-next-job", json!({ "reason": "Busy", "times": 2 }), "unknown field \"times\""),
    ] {
        let answer = control(&world, action, input).await;
        assert_eq!(answer.status, 400, "{action}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(reason), "{error}");
    }
    // As many as possible, without a panic.
    let add = async |name: String| {
        control(&world, "add-account", json!({ "username": name, "password": "" })).await.status
    };
    for number in 1..1000 {
        assert_eq!(add(number.to_string()).await, 200);
    }
    assert_eq!(add("more".to_owned()).await, 400);
    assert!(!world.service().set_service("more", ServiceState::None));
    for _ in 1..1000 {
        world.service().add_account("liam", "secret");
    }
    let sign_in = json!({ "username": "liam", "password": "secret", "device_name": "desk" });
    assert_eq!(world.send("POST", "/auth/token", sign_in).await.status, 503);
    assert_eq!(add("liam".to_owned()).await, 400);
    assert_eq!(world.service().tokens("liam"), 1000);
}
