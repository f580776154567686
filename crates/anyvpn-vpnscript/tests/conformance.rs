//! Checks that VPN Script keeps the contract of the neutral traits for each variation of an
//! installation's replies.

mod world;

use anyvpn_core::Settings;
use anyvpn_testkit::conformance::{Outcome, Subject, run};
use world::World;

#[tokio::test]
async fn vpnscript_keeps_the_contract_with_every_seed() {
    for seed in 0..12 {
        let world = World::new(seed).await;
        let mut subject = Subject::new(world.vpn.clone(), world::client(world.builder()));
        let fields = Settings::new().with("username", world::USERNAME);
        subject.sign_in = Some(fields.with("password", world::PASSWORD));
        let report = run(&subject).await;
        assert_eq!(report.failures(), [""; 0], "seed {seed}\n{report}");
        let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
        let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
        let expected = [
            "port forwards",
            "port: kept alive",
            "port check",
            "wireguard: a known key keeps its id",
            "customers",
            "sign out",
            "sign up",
            "closing the account",
        ];
        assert_eq!(skipped, expected, "{report}");
        assert!(world.ids().is_empty(), "seed {seed}: {:?} were left", world.ids());
    }
}
