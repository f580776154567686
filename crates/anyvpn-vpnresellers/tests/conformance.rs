//! Checks that VPNresellers keeps the contract of the neutral traits for each variation of the
//! provider's replies.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_lab::harness::still_sandbox;
use anyvpn_sandbox::{Fault, Variation};
use anyvpn_testkit::conformance::{Outcome, Subject, run};
use anyvpn_vpnresellers::VpnResellers;
use world::{CUSTOMER, NEW, STRANGER, World, newcomer, on_sandbox_time, quick};

async fn keeps_the_contract(sandbox: anyvpn_sandbox::SandboxBuilder, what: &str) {
    let world = Arc::new(World::from(sandbox).await);
    // Waiting between polls uses the sandbox's clock.
    let signed_in = on_sandbox_time(world.builder(), &world.sandbox).build().unwrap();
    let anonymous = VpnResellers::builder().base_url(world.sandbox.vpnresellers_url());
    let mut subject =
        Subject::new(signed_in.for_customer(CUSTOMER), quick(anonymous).build().unwrap());
    subject.new_customer = Some(newcomer(NEW));
    subject.taken_customer = Some(STRANGER.to_owned());
    let loser = Arc::clone(&world);
    subject.lose_creation =
        Some(Box::new(move || loser.fault("create-account", Fault::Wire("reset-after"))));
    let report = run(&subject).await;
    assert_eq!(report.failures(), [""; 0], "{what}\n{report}");
    let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
    let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
    let expected = [
        "port forwards",
        "port: kept alive",
        "port check",
        "wireguard: a known key keeps its id",
        "customer: plan",
        "sign in",
        "sign out",
        "sign up",
        "closing the account",
    ];
    assert_eq!(skipped, expected, "{what}\n{report}");
    let service = world.sandbox.vpnresellers();
    assert_eq!((service.created(NEW), service.created(STRANGER)), (1, 1), "{what}");
    assert!(service.account(NEW).is_none() && service.account(STRANGER).is_some(), "{what}");
}

#[tokio::test]
async fn vpnresellers_keeps_the_contract_with_every_seed() {
    for seed in 0..24 {
        keeps_the_contract(still_sandbox().seed(seed), &format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn vpnresellers_keeps_the_contract_with_every_variation() {
    for variation in Variation::all().filter(|it| it.name.starts_with("vpnresellers.")) {
        let sandbox = still_sandbox().variation(variation.name);
        keeps_the_contract(sandbox, variation.name).await;
    }
}
