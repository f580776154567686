//! Checks that VPNGN keeps the contract of the neutral traits for each variation of the provider's
//! replies.

mod world;

use std::sync::Arc;

use anyvpn_core::{NewCustomer, Secret};
use anyvpn_http::MemoryStore;
use anyvpn_lab::harness::still_sandbox;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::conformance::{Outcome, Subject, run};
use anyvpn_vpngn::Vpngn;
use world::{Credential, EMAIL, NEW_PASSWORD, PASSWORD, World, on_sandbox_time};

const NEWCOMER: &str = "newcomer@example.com";

#[tokio::test]
async fn vpngn_keeps_the_contract_with_every_seed_and_credential() {
    for seed in 0..12 {
        for credential in [
            Credential::Password,
            Credential::ShortToken,
            Credential::SecretKey,
            Credential::Whitelisted,
        ] {
            let world = Arc::new(World::from(still_sandbox().seed(seed)).await);
            world.sandbox.vpngn().whitelist(credential == Credential::Whitelisted);
            let client = |credential| -> Vpngn {
                // Waiting between polls uses the sandbox's clock.
                on_sandbox_time(world.builder(credential), &world.sandbox).build().unwrap()
            };
            let signed_in = match credential {
                Credential::ShortToken => {
                    let store = Arc::new(MemoryStore::new(Some(world.tokens())));
                    client(Credential::None).with_session(EMAIL, store).await.unwrap()
                }
                credential => client(credential).for_customer(EMAIL),
            };
            let anonymous = client(Credential::None).for_customer(EMAIL);
            let mut subject = Subject::new(signed_in, anonymous);
            subject.password = Secret::from(PASSWORD);
            // A customer's own credential cannot read other customers, so only a reseller's client
            // lists customers.
            let is_reseller = matches!(credential, Credential::SecretKey | Credential::Whitelisted);
            subject.new_customer = is_reseller.then(|| {
                let mut customer = NewCustomer::new(NEWCOMER, NEW_PASSWORD.into());
                customer.country = Some("US".to_owned());
                customer.plan = Some("1".to_owned());
                customer
            });
            let lost = FaultRule::once("vpngn.add-client", Fault::Wire("reset-after"));
            let loser = Arc::clone(&world);
            subject.lose_creation = Some(Box::new(move || {
                loser.sandbox.inject(lost.clone()).unwrap();
            }));
            let report = run(&subject).await;
            let what = format!("seed {seed}, {credential:?}\n{report}");
            assert_eq!(report.failures(), [""; 0], "{what}");
            let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
            let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
            let customers: &[_] = if is_reseller {
                &[
                    "customer: listed",
                    "customer: suspension",
                    "customer: another reseller's name is refused",
                ]
            } else {
                &["customers"]
            };
            let before = ["port forwards", "port: kept alive", "port check", "server configs"];
            let after = ["sign in", "sign out", "sign up"];
            let expected: Vec<_> = before.iter().chain(customers).chain(&after).copied().collect();
            assert_eq!(skipped, expected, "{what}");
            let created = world.sandbox.vpngn().created(NEWCOMER);
            assert_eq!(created, u32::from(is_reseller), "{what}");
            if is_reseller {
                assert!(world.sandbox.vpngn().customer(NEWCOMER).unwrap().closed, "{what}");
            }
            assert!(world.sandbox.vpngn().customer(EMAIL).unwrap().closed, "{what}");
        }
    }
}
