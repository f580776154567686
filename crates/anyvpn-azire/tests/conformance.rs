//! Checks that AzireVPN keeps the contract of the neutral traits for each variation of the
//! provider's replies.

mod world;

use anyvpn_azire::Azire;
use anyvpn_core::{NewAccount, Secret, Settings};
use anyvpn_sandbox::Sandbox;
use anyvpn_testkit::conformance::{Outcome, Subject, run};

#[tokio::test]
async fn azire_keeps_the_contract_with_every_seed() {
    for seed in 0..12 {
        let sandbox = Sandbox::builder().seed(seed).start().await.unwrap();
        let account = sandbox.azire().add_account(world::USERNAME, world::PASSWORD);
        sandbox.azire().add_device(world::USERNAME).unwrap();
        let builder = || world::quick(Azire::builder().base_url(sandbox.azire_url()));
        let signed_in = builder().token(account.token.as_str()).build().unwrap();
        let mut subject = Subject::new(signed_in, builder().build().unwrap());
        subject.password = Secret::from(world::PASSWORD);
        subject.new_account = Some(NewAccount::new("newcomer", "Passw0rd-of-newcomer".into()));
        let fields = Settings::new().with("username", world::USERNAME);
        subject.sign_in = Some(fields.with("password", world::PASSWORD));
        let report = run(&subject).await;
        assert_eq!(report.failures(), [""; 0], "seed {seed}\n{report}");
        let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
        let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
        assert_eq!(skipped, ["port: kept alive", "customers"], "{report}");
    }
}
