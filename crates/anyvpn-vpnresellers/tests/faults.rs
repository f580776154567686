//! Runs every operation with every fault. Writes `docs/faults-vpnresellers.md`.

mod world;

use anyvpn_lab::matrix;
use world::harness::Harness;

#[test]
fn every_operation_with_every_fault() {
    let memory = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    matrix::check::<Harness>(memory);
}
