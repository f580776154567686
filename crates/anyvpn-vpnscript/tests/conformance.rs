//! VPN Script keeps the contract of the neutral traits, whichever way an installation answers.

mod world;

use anyvpn_core::{NewAccount, Secret};
use anyvpn_testkit::conformance::{Outcome, Subject, run};
use world::World;

#[tokio::test]
async fn vpnscript_keeps_the_contract_with_every_seed() {
    for seed in 0..12 {
        let world = World::new(seed).await;
        let subject = Subject {
            signed_in: Box::new(world.vpn.clone()),
            anonymous: Box::new(world::client(world.builder())),
            password: Secret::from(world::PASSWORD),
            new_account: NewAccount::new("newcomer", None),
        };
        let report = run(&subject).await;
        assert_eq!(report.failures(), [""; 0], "seed {seed}\n{report}");
        let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
        let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
        let expected = ["port forwards", "wireguard: a known key keeps its id", "account admin"];
        assert_eq!(skipped, expected, "{report}");
        assert!(world.ids().is_empty(), "seed {seed}: {:?} were left", world.ids());
    }
}
