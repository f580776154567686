#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every operation with every fault: how often it arrives, what the caller gets, and that no secret
//! comes out. Writes `docs/replay-azire.md`.

mod world;

use anyvpn_azire::ops::{CreateToken, CreateUser, OPERATIONS, call_by_name};
use anyvpn_azire::{Azire, Secret};
use anyvpn_http::Limits;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::{document, faults};
use world::{PASSWORD, World};

#[tokio::test]
async fn every_operation_with_every_fault() {
    let canary = Canary::of_the_log();
    canary.mark(PASSWORD);
    let table = faults::table("AzireVPN", OPERATIONS, &canary, async |trial| {
        let world = World::new(0).await;
        for secret in [&world.token, world.spare_token.key.expose()] {
            canary.mark(secret);
        }
        canary.mark(world.private_key.to_secret().expose());
        let azire = world::quick(Azire::builder().base_url(world.sandbox.azire_url()))
            .token(world.token.as_str())
            .limits(Limits { attempt: trial.attempt, ..Limits::default() })
            .build()
            .unwrap();
        trial.begin(&world.sandbox);
        let outcome = world.call_with(&azire, trial.operation).await;
        canary.hears(format!("{azire:?} {:?} {:?}", world.spare_token, world.private_key));
        (world.sandbox, outcome)
    })
    .await;
    document::check("../../docs/replay-azire.md", None, &table);

    let password = Secret::from(PASSWORD);
    let create = CreateUser {
        username: "a".to_owned(),
        password: password.clone(),
        email: None,
        currency: None,
        affiliate_code: None,
        referral_code: None,
    };
    let sign_in =
        CreateToken { username: None, password: Some(password), device_name: None, comment: None };
    canary.hears(format!("{create:?} {sign_in:?} {}", serde_json::to_string(&create).unwrap()));
    assert!(canary.heard().contains("azire.create-user"), "the log was not heard");
    canary.assert_silent();
}

/// A program that creates a port because listing failed would burn the day's allowance.
#[tokio::test]
async fn nothing_creates_a_port_because_a_list_failed() {
    use anyvpn_core::PortForwards;
    let world = World::new(0).await;
    let before = world.sandbox.azire().ports(world::USERNAME);
    for fault in [Fault::Status(500), Fault::Html(200), Fault::ResetAfter, Fault::HalfJson] {
        world.sandbox.inject(FaultRule {
            operation: Some("azire.list-port-forwards".to_owned()),
            ..FaultRule::always(fault)
        });
        let list = PortForwards::list(&world.azire, world.device.ipv4_address).await;
        assert!(list.is_err(), "{list:?}");
        world.sandbox.clear_faults();
    }
    assert_eq!(world.sandbox.azire().ports(world::USERNAME), before);
}

#[tokio::test]
async fn no_server_is_an_error_that_says_so() {
    // Held but not listened on, so that nobody else begins to.
    let port = tokio::net::TcpSocket::new_v4().unwrap();
    port.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}/azire", port.local_addr().unwrap());
    let azire = world::quick(Azire::builder().base_url(url)).token("t").build().unwrap();
    faults::without_a_server(OPERATIONS, async |id| {
        call_by_name(azire.client(), id.name(), serde_json::json!({}), false).await
    })
    .await;
}
