#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every operation with every fault: how often it arrives, what the caller gets, and that no secret
//! comes out. Writes `docs/replay-vpnscript.md`.

mod world;

use std::time::Duration;

use anyvpn_core::ErrorKind;
use anyvpn_http::{Limits, RetryPolicy};
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::{document, faults};
use anyvpn_vpnscript::ops::{CreateToken, GetOpenVpnAuth, OPERATIONS, call_by_name};
use anyvpn_vpnscript::{Password, Secret, VpnScript};
use world::{PASSWORD, World};

#[tokio::test]
async fn every_operation_with_every_fault() {
    let canary = Canary::of_the_log();
    canary.mark(PASSWORD);
    let table = faults::table("VPN Script", OPERATIONS, &canary, async |trial| {
        let world = World::new(0).await;
        canary.mark(&world.token);
        let (id, config) = world.obtain(world::WIREGUARD).await.unwrap();
        canary.mark(config.private_key().to_secret().expose());
        let preshared = config.peers()[0].preshared_key.clone().unwrap();
        canary.mark(preshared.to_secret().expose());
        let auth = world.vpn.call(GetOpenVpnAuth {}).await.unwrap();
        canary.mark(auth.password.expose());
        let limits = Limits { attempt: trial.attempt, ..Limits::default() };
        let vpn = world::quick(&world.sandbox).token(world.token.as_str()).limits(limits);
        let vpn = world::client(vpn);
        trial.begin(&world.sandbox);
        let input = World::inputs(trial.operation, id).swap_remove(0);
        let outcome = call_by_name(vpn.client(), trial.operation.name(), input, false).await;
        canary.hears(format!("{vpn:?} {auth:?} {config:?}"));
        (world.sandbox, outcome)
    })
    .await;
    document::check("../../docs/replay-vpnscript.md", None, &table);

    let password = Secret::from(PASSWORD);
    let sign_in = CreateToken {
        username: "liam".to_owned(),
        password: password.clone(),
        device_name: "laptop".to_owned(),
    };
    let person = Password::new("liam", password, "laptop");
    canary.hears(format!("{sign_in:?} {person:?} {}", serde_json::to_string(&sign_in).unwrap()));
    assert!(canary.heard().contains("vpnscript.create-token"), "the log was not heard");
    canary.assert_silent();
}

/// A program that creates a configuration because listing failed would use up the plan's devices.
#[tokio::test]
async fn nothing_creates_a_config_because_a_list_failed() {
    let world = World::new(0).await;
    for fault in [Fault::Status(500), Fault::Html(200), Fault::ResetAfter, Fault::HalfJson] {
        let operation = Some("vpnscript.list-wireguard-configs".to_owned());
        world.sandbox.inject(FaultRule { operation, ..FaultRule::always(fault) });
        let error = world.obtain(world::WIREGUARD).await.map(|(id, _)| id).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Unavailable | ErrorKind::UnexpectedReply | ErrorKind::Unreachable
            ),
            "{error}"
        );
        world.sandbox.clear_faults();
    }
    assert_eq!(world.arrived("create-wireguard-config"), 0);
    assert_eq!(world.ids(), [0; 0]);
}

#[tokio::test]
async fn no_server_is_an_error_that_says_so() {
    // Held but not listened on, so that nobody else begins to.
    let port = tokio::net::TcpSocket::new_v4().unwrap();
    port.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", port.local_addr().unwrap());
    let retry = RetryPolicy { first_delay: Duration::from_millis(1), ..RetryPolicy::default() };
    let vpn = VpnScript::builder(url).retry(retry).token("token").build().unwrap();
    faults::without_a_server(OPERATIONS, async |id| {
        call_by_name(vpn.client(), id.name(), serde_json::json!({}), false).await
    })
    .await;
}
