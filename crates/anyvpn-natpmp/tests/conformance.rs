//! Checks that NAT-PMP keeps the contract of the neutral traits for each variation of the gateway's
//! replies.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_testkit::conformance::{Outcome, Subject, run};
use world::World;

#[tokio::test]
async fn natpmp_keeps_the_contract_with_every_seed() {
    for (seed, form) in (0..24).map(|seed| (seed, "symmetric")).chain([(0, "plain")]) {
        let world = World::with(seed, &[], &[("form", form)]).await;
        world.sandbox.natpmp().set_plain(form == "plain");
        let mut subject = Subject::new(world.natpmp.clone(), world.natpmp.clone());
        let clock = world.sandbox.clock().clone();
        subject.advance = Some(Box::new(move |time| clock.advance(time)));
        let report = run(&subject).await;
        assert_eq!(report.failures(), [""; 0], "seed {seed}\n{report}");
        let passed = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Pass));
        let passed: Vec<_> = passed.map(|(name, _)| *name).collect();
        let expected = [
            "capabilities agree with accessors",
            "capabilities name each ability once",
            "settings have distinct keys",
            "port: stays open while it is renewed",
            "port: expires, and is found or created again",
            "port: carries the requested protocols",
            "port: own forwards are listed",
        ];
        assert_eq!(passed, expected, "{report}");
    }
}
