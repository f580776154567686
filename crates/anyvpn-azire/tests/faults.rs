#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Runs every operation with every fault. Writes `docs/faults-azire.md`.

mod world;

use anyvpn_azire::Secret;
use anyvpn_azire::ops::{CreateToken, CreateUser};
use anyvpn_core::ListPortForwards;
use anyvpn_lab::matrix;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::canary::Canary;
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
    canary.assert_silent();
}

/// A program that creates a port because listing failed would use up the daily allowance.
#[tokio::test]
async fn nothing_creates_a_port_because_a_list_failed() {
    let world = World::new(0).await;
    let before = world.sandbox.azire().ports(world::USERNAME);
    let pages = [200, 401, 403, 404, 406].map(Fault::Html);
    for fault in [Fault::Status(500), Fault::Wire("reset-after"), Fault::Wire("half-json")]
        .into_iter()
        .chain(pages)
    {
        world
            .sandbox
            .inject(FaultRule {
                operation: Some("azire.list-port-forwards".to_owned()),
                ..FaultRule::always(fault)
            })
            .unwrap();
        let list =
            ListPortForwards::list_port_forwards(&world.azire, Some(world.device.ipv4_address))
                .await;
        assert!(list.is_err(), "{list:?}");
        world.sandbox.clear_faults();
    }
    assert_eq!(world.sandbox.azire().ports(world::USERNAME), before);
}
