//! AzireVPN keeps the contract of the neutral traits, whichever way the provider answers.

mod world;

use anyvpn_azire::Azire;
use anyvpn_core::{NewAccount, Secret};
use anyvpn_sandbox::Sandbox;
use anyvpn_testkit::conformance::{Outcome, Subject, run};

#[tokio::test]
async fn azire_keeps_the_contract_with_every_seed() {
    for seed in 0..12 {
        let sandbox = Sandbox::builder().seed(seed).start().await.unwrap();
        let account = sandbox.azire().add_account(world::USERNAME, world::PASSWORD);
        sandbox.azire().add_device(world::USERNAME).unwrap();
        let builder = || world::quick(Azire::builder().base_url(sandbox.azire_url()));
        let password = Secret::from("Passw0rd-of-newcomer");
        let subject = Subject {
            signed_in: Box::new(builder().token(account.token.as_str()).build().unwrap()),
            anonymous: Box::new(builder().build().unwrap()),
            password: Secret::from(world::PASSWORD),
            new_account: NewAccount::new("newcomer", Some(password)),
        };
        let report = run(&subject).await;
        assert_eq!(report.failures(), [""; 0], "seed {seed}\n{report}");
        let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_))).count();
        assert_eq!(skipped, 0, "{report}");
    }
}
