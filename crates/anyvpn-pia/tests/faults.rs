#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Runs every operation with every fault. Writes `docs/faults-pia.md`.

mod world;

use anyvpn_lab::matrix;
use anyvpn_pia::ops::{BindPort, CreateToken};
use anyvpn_pia::{Password, Secret};
use anyvpn_testkit::canary::Canary;
use world::PASSWORD;
use world::harness::Harness;

#[test]
fn every_operation_with_every_fault() {
    let memory = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    matrix::check::<Harness>(memory);
}

#[test]
fn debug_output_of_inputs_contains_no_secret() {
    let canary = Canary::default();
    canary.mark(PASSWORD);
    let secret = || Secret::from(PASSWORD);
    let sign_in = CreateToken { username: "p0000000".to_owned(), password: secret() };
    let bind = BindPort { payload: secret(), signature: secret() };
    let person = Password::new("p0000000", secret());
    canary.hears(format!(
        "{sign_in:?} {bind:?} {person:?} {}",
        serde_json::to_string(&sign_in).unwrap()
    ));
    canary.assert_silent();
}
