//! Each choice that the document leaves open, in all its forms.

use anyvpn_sandbox::vpnscript::{ConfigState, Flag, MessageKey, Quirks, ServiceState};
use serde_json::{Value, json};

use crate::vpnscript_world::{WIREGUARD, World};

#[test]
fn seed_0_takes_the_document_by_its_word() {
    let quirks = Quirks::from_seed(0);
    assert_eq!((quirks.flag, quirks.message_key), (Flag::Documented, MessageKey::Message));
    assert_eq!(quirks.refused, 200);
    assert!(quirks.created_at_is_null && quirks.no_configs_is_refused);
    assert!(!quirks.ids_are_text && !quirks.per_page_is_number && !quirks.flag_is_number);
}

#[tokio::test]
async fn the_flag_and_the_message() {
    for number in [false, true] {
        let flag = |on: bool| if number { json!(u8::from(on)) } else { json!(on) };
        for (form, names) in [
            (Flag::Documented, ["success", "status", "status", "success"]),
            (Flag::Success, ["success"; 4]),
            (Flag::Status, ["status", "status", "status", "status"]),
        ] {
            let world = World::with(|it| it.flag == form && it.flag_is_number == number).await;
            let answers = [
                world.get("/account").await,
                world.create(WIREGUARD).await,
                world.get("/wireguard/configs").await,
            ];
            for (answer, name) in answers.iter().zip(names) {
                let json = answer.json();
                assert_eq!(json[name], flag(true));
                let other = if name == "status" { "success" } else { "status" };
                assert_eq!(json.get(other), None);
            }
            let refused = world.delete(99).await.json();
            assert_eq!(refused[names[3]], flag(false));
            assert_eq!(refused.as_object().unwrap().len(), 2);
        }
    }
    for key in [MessageKey::Message, MessageKey::Error, MessageKey::Errors] {
        let world = World::with(|it| it.message_key == key).await;
        assert!(world.create(WIREGUARD).await.json()["message"].is_string());
        let refused = world.delete(99).await;
        world.assert_refused(&refused, "The WireGuard configuration is not found.");
    }
}

#[tokio::test]
async fn the_status_of_refusals() {
    for status in [200, 400, 403, 404, 422] {
        let world = World::with(|it| it.refused == status).await;
        assert_eq!(world.delete(99).await.status, status);
        assert_eq!(world.create(1).await.status, status);
        // The sign-in's errors are documented.
        let wrong = json!({ "username": "liam", "password": "wrong", "device_name": "desk" });
        let answer = world.send("POST", "/auth/token", wrong).await;
        let message = "The provided credentials are incorrect.";
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json(), json!({ "success": false, "message": message }));
    }
}

#[tokio::test]
async fn ids_and_switches() {
    for text in [false, true] {
        let world = World::with(|it| it.ids_are_text == text).await;
        let id = |number: u64| if text { json!(number.to_string()) } else { json!(number) };
        world.create(WIREGUARD).await;
        let servers = world.data("/servers").await;
        assert_eq!((&servers[0]["id"], &servers[0]["config_id"]), (&id(1), &id(1)));
        assert_eq!(world.data("/wireguard/configs").await[0]["id"], id(1));
        let user = world.data("/account").await;
        assert_eq!((&user["user_id"], &user["service"][0]["plan_id"]), (&id(1), &id(3)));
        assert_eq!(world.data("/openvpn/auth").await["service_id"], id(1));
    }
    for boolean in [false, true] {
        let world = World::with(|it| it.switches_are_boolean == boolean).await;
        let on = if boolean { json!(true) } else { json!(1) };
        assert_eq!(world.data("/account").await["service"][0]["auto_renew"], on);
        assert_eq!(world.data("/openvpn/auth").await["enabled"], on);
    }
    for number in [false, true] {
        let world = World::with(|it| it.per_page_is_number == number).await;
        let page = world.get("/servers?paginate=2").await.json();
        assert_eq!(page["per_page"], if number { json!(2) } else { json!("2") });
    }
}

#[tokio::test]
async fn times() {
    for (offset, time) in
        [(false, "2026-01-01T00:00:00.000000Z"), (true, "2026-01-01T02:00:00+02:00")]
    {
        let world = World::with(|it| it.times_have_offset == offset).await;
        assert_eq!(world.data("/account").await["updated_at"], time);
        assert_eq!(world.data("/openvpn/auth").await["created_at"], time);
    }
    for null in [true, false] {
        let world = World::with(|it| it.created_at_is_null == null).await;
        assert_eq!(world.data("/account").await["created_at"].is_null(), null);
        let world = World::with(|it| it.next_payment_is_null == null).await;
        let user = world.data("/account").await;
        assert_eq!(user["service"][0]["next_payment"].is_null(), null);
    }
}

#[tokio::test]
async fn refusals_that_are_or_are_not() {
    for named in [false, true] {
        let world = World::with(|it| it.profile_names_the_state == named).await;
        world.service().set_service("liam", ServiceState::Expired);
        let message =
            if named { "Your service is expired." } else { "You do not have an active service." };
        world.assert_refused(&world.get("/openvpn/profile?server_id=1").await, message);
    }
    for refused in [true, false] {
        let world = World::with(|it| it.no_configs_is_refused == refused).await;
        let answer = world.get("/wireguard/configs?server_id=2").await;
        match refused {
            true => world.assert_refused(&answer, "No configuration found for this server."),
            false => assert_eq!(answer.json()["data"], json!([])),
        }
    }
    for may in [true, false] {
        let world = World::with(|it| it.suspended_may_read_account == may).await;
        world.service().suspend("liam", Some("Abuse"));
        let answer = world.get("/account").await;
        assert_eq!(answer.status, if may { 200 } else { 400 });
        let json = answer.json();
        let told = if may { &json["data"]["suspend_reason"] } else { &json["suspend_reason"] };
        assert_eq!(told, "Abuse");
    }
}

#[tokio::test]
async fn failed_jobs() {
    for (may, again) in [(true, true), (true, false), (false, true), (false, false)] {
        let world = World::with(|it| {
            it.failed_may_be_deleted == may && it.failed_deletion_is_active == again
        })
        .await;
        world.create(WIREGUARD).await;
        world.pass(2);
        world.service().fail_next_job("Busy");
        world.delete(1).await;
        world.service().fail_next_job("Busy");
        world.create(WIREGUARD).await;
        world.pass(2);
        let configs = world.service().configs("liam");
        assert!(configs.iter().all(|config| config.fail_reason.as_deref() == Some("Busy")));
        let state = if again { ConfigState::Active } else { ConfigState::PendingDeletion };
        assert_eq!(configs[0].state, state);
        assert_eq!(configs[0].text.is_some(), again);

        let pending = "The WireGuard configuration is pending creation or deletion.";
        for (config, deletable) in [(1, may || again), (2, may)] {
            let answer = world.delete(config).await;
            match deletable {
                true => assert_eq!(answer.status, 200),
                false => world.assert_refused(&answer, pending),
            }
        }
    }
}

#[tokio::test]
async fn one_seed_gives_one_course_of_things() {
    let course = async |seed: u64| {
        let world = World::new(seed).await;
        let sign_in = json!({ "username": "liam", "password": "secret", "device_name": "desk" });
        world.service().set_job_duration(std::time::Duration::ZERO);
        let mut answers = Vec::new();
        for (method, path, body) in [
            ("POST", "/auth/token", sign_in),
            ("GET", "/account", Value::Null),
            ("GET", "/servers", Value::Null),
            ("GET", "/openvpn/profile?server_id=1", Value::Null),
            ("GET", "/openvpn/auth", Value::Null),
            ("POST", "/wireguard/create", json!({ "server_id": 2 })),
            ("GET", "/wireguard/configs", Value::Null),
            ("DELETE", "/wireguard/delete", json!({ "config_id": 1 })),
        ] {
            let answer = world.send(method, path, body).await;
            answers.push((answer.status, answer.body));
        }
        answers
    };
    assert_eq!(course(7).await, course(7).await);
    assert_eq!(course(0).await, course(0).await);
    assert_ne!(course(7).await, course(8).await);
}
