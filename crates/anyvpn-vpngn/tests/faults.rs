//! Runs every operation with every fault. Writes `docs/faults-vpngn.md`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_lab::matrix;
use anyvpn_testkit::canary::Canary;
use anyvpn_vpngn::StrongPassword;
use anyvpn_vpngn::ops::SetPassword;
use world::harness::Harness;
use world::{EMAIL, NEW_PASSWORD, PASSWORD};

#[test]
fn every_operation_with_every_fault() {
    let memory = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    matrix::check::<Harness>(memory);
}

#[test]
fn debug_output_of_inputs_contains_no_secret() {
    let canary = Canary::default();
    canary.mark(PASSWORD);
    canary.mark(NEW_PASSWORD);
    let setpassword = NEW_PASSWORD.to_owned().try_into().unwrap();
    let create = world::newcomer("new@example.com");
    let set = SetPassword { email: EMAIL.to_owned(), setpassword };
    canary.hears(format!("{create:?} {set:?} {}", serde_json::to_string(&create).unwrap()));
    for weak in ["canaryweakpassword", "C4nary-wk"] {
        canary.mark(weak);
        let error = StrongPassword::try_from(weak.to_owned()).unwrap_err();
        canary.hears(format!("{error} {error:?}"));
    }
    canary.assert_silent();
}
