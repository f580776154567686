//! Checks that Acme keeps the contract of the neutral traits.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod server;

use acme_vpn::Acme;
use anyvpn_core::{ConfigRequest, ErrorKind, ServerConfigs};
use anyvpn_testkit::conformance::{Outcome, Subject, run};

#[tokio::test]
async fn acme_keeps_the_contract() {
    let url = server::start().await;
    let signed_in = Acme::builder().base_url(&url).token(server::TOKEN).build().unwrap();
    let anonymous = Acme::builder().base_url(&url).build().unwrap();
    let report = run(&Subject::new(signed_in, anonymous)).await;
    assert_eq!(report.failures(), [""; 0], "{report}");
    let skipped = report.0.iter().filter(|(_, it)| matches!(it, Outcome::Skip(_)));
    let skipped: Vec<_> = skipped.map(|(name, _)| *name).collect();
    let expected = [
        "port forwards",
        "port: kept alive",
        "port check",
        "customers",
        "sign in",
        "sign out",
        "sign up",
        "closing the account",
    ];
    assert_eq!(skipped, expected, "{report}");
}

#[tokio::test]
async fn a_sixth_device_is_refused_as_what_it_is() {
    let url = server::start().await;
    let acme = Acme::builder().base_url(&url).token(server::TOKEN).build().unwrap();
    for _ in 0..5 {
        acme.obtain_config(&ConfigRequest::wireguard("ber1")).await.unwrap();
    }
    let error = acme.obtain_config(&ConfigRequest::wireguard("ber1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeviceLimit, "{error}");
}
