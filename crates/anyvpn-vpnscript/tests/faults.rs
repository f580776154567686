#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Runs every operation with every fault. Writes `docs/faults-vpnscript.md`.

mod world;

use anyvpn_core::ErrorKind;
use anyvpn_lab::matrix;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::canary::Canary;
use anyvpn_vpnscript::ops::CreateToken;
use anyvpn_vpnscript::{Password, Secret};
use world::harness::Harness;
use world::{PASSWORD, World};

#[test]
fn every_operation_with_every_fault() {
    let memory = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    matrix::check::<Harness>(memory);
}

#[test]
fn debug_output_of_inputs_contains_no_secret() {
    let canary = Canary::default();
    canary.mark(PASSWORD);
    let password = Secret::from(PASSWORD);
    let (username, device_name) = ("liam".to_owned(), "laptop".to_owned());
    let sign_in = CreateToken { username, password: password.clone(), device_name };
    let person = Password::new("liam", password, "laptop");
    canary.hears(format!("{sign_in:?} {person:?} {}", serde_json::to_string(&sign_in).unwrap()));
    canary.assert_silent();
}

/// A program that creates a configuration because listing failed would use up the plan's devices.
#[tokio::test]
async fn nothing_creates_a_config_because_a_list_failed() {
    let world = World::new(0).await;
    let pages = [200, 401, 403, 404, 406].map(Fault::Html);
    for fault in [Fault::Status(500), Fault::Wire("reset-after"), Fault::Wire("half-json")]
        .into_iter()
        .chain(pages)
    {
        let operation = Some("vpnscript.list-wireguard-configs".to_owned());
        world.sandbox.inject(FaultRule { operation, ..FaultRule::always(fault) }).unwrap();
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
