#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Checks that PIA keeps the contract of the neutral traits for each variation of the provider's
//! replies. The VPN servers are called over TLS, at the addresses in the list.

mod world;

use std::sync::Arc;

use anyvpn_core::Settings;
use anyvpn_lab::harness::still_sandbox;
use anyvpn_pia::Pia;
use anyvpn_testkit::conformance::{Outcome, Subject, run};
use world::{PASSWORD, USERNAME};

#[tokio::test]
async fn pia_keeps_the_contract_with_every_seed() {
    for seed in 0..12 {
        let sandbox = still_sandbox().seed(seed).start().await.unwrap();
        let token = sandbox.pia().add_account(USERNAME, PASSWORD).token;
        let clock = || Arc::new(world::SandboxDay(sandbox.clock().clone()));
        let builder = || world::quick(Pia::builder()).clock(clock());
        let signed_in = world::client(&sandbox, builder().token(token.as_str()));
        let mut subject = Subject::new(signed_in, world::client(&sandbox, builder()));
        let fields = Settings::new().with("username", USERNAME);
        subject.sign_in = Some(fields.with("password", PASSWORD));
        let moved = sandbox.clock().clone();
        subject.advance = Some(Box::new(move |by| moved.advance(by)));
        let report = run(&subject).await;
        assert_eq!(report.failures(), [""; 0], "seed {seed}\n{report}");
        let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
        let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
        let expected =
            ["port forwards", "port check", "customers", "sign up", "closing the account"];
        assert_eq!(skipped, expected, "{report}");
    }
}
