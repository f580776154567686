//! VPNGN keeps the contract of the neutral traits, whichever way the provider answers.

mod world;

use std::sync::Arc;

use anyvpn_core::{NewAccount, Secret};
use anyvpn_http::MemoryStore;
use anyvpn_lab::harness::still_sandbox;
use anyvpn_testkit::conformance::{Outcome, Subject, run};
use anyvpn_vpngn::Vpngn;
use world::{Credential, EMAIL, NEW_PASSWORD, PASSWORD, World, on_sandbox_time};

#[tokio::test]
async fn vpngn_keeps_the_contract_with_every_seed_and_credential() {
    for seed in 0..12 {
        for credential in [
            Credential::Password,
            Credential::ShortToken,
            Credential::SecretKey,
            Credential::Whitelisted,
        ] {
            let world = World::from(still_sandbox().seed(seed)).await;
            world.sandbox.vpngn().whitelist(credential == Credential::Whitelisted);
            let client = |credential| -> Vpngn {
                // Adding a second client waits its turn, on the sandbox's clock.
                on_sandbox_time(world.builder(credential), &world.sandbox).build().unwrap()
            };
            let signed_in = match credential {
                Credential::ShortToken => {
                    let store = Arc::new(MemoryStore::new(Some(world.tokens())));
                    client(Credential::None).with_session(EMAIL, store).await.unwrap()
                }
                credential => client(credential).for_customer(EMAIL),
            };
            let password = Some(Secret::from(NEW_PASSWORD));
            let mut new_account = NewAccount::new("newcomer@example.com", password);
            new_account.country = Some("US".to_owned());
            new_account.months = Some(1);
            let subject = Subject {
                signed_in: Box::new(signed_in),
                anonymous: Box::new(client(Credential::None).for_customer(EMAIL)),
                password: Secret::from(PASSWORD),
                new_account,
            };
            let report = run(&subject).await;
            let what = format!("seed {seed}, {credential:?}\n{report}");
            assert_eq!(report.failures(), [""; 0], "{what}");
            let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
            let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
            assert_eq!(skipped, ["port forwards", "server configs"], "{what}");
            assert_eq!(world.sandbox.vpngn().created("newcomer@example.com"), 1, "{what}");
            assert!(world.sandbox.vpngn().customer(EMAIL).unwrap().closed, "{what}");
        }
    }
}
