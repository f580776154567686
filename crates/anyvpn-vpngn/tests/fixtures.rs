#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every fixture holds: the exact request, and the exact value or error that its reply gives.

use std::path::Path;

use anyvpn_http::RetryPolicy;
use anyvpn_testkit::fixtures::{self, Call};
use anyvpn_testkit::openapi::Document;
use anyvpn_vpngn::ops::{OPERATIONS, call_by_name};
use anyvpn_vpngn::{Access, Proof, Vpngn};

/// The credentials that the fixtures' requests carry. Password and secret key have characters that
/// a form must encode.
const API_KEY: &str = "f1x7ure-ap1-key-0000000000000000";
const PASSWORD: &str = "F1x7ure pass+word&=%é";
const SECRET_KEY: &str = "f1x7ure/secre7+key=00000000000000000000";
const SHORT_TOKEN: &str = "0xf1x7ure5000000000000000000000000a";
const LONG_TOKEN: &str = "0xf1x7ure1000000000000000000000000b";

/// The credential that a fixture's `setup` names.
fn access(setup: &str) -> Option<Access> {
    let proof = match setup {
        "no api key" => return None,
        "no credential" => Proof::None,
        "password" => Proof::Password(PASSWORD.into()),
        "short token" => Proof::ShortToken(SHORT_TOKEN.into()),
        "long token" => Proof::LongToken(LONG_TOKEN.into()),
        "secret key" => Proof::SecretKey(SECRET_KEY.into()),
        "whitelisted" => Proof::Whitelisted,
        setup => panic!("no such setup: {setup:?}"),
    };
    Some(Access::new(API_KEY, proof))
}

#[tokio::test]
async fn every_fixture_holds() {
    let document = Document::load(include_str!("../openapi.yaml")).unwrap();
    let operations: Vec<_> = OPERATIONS.iter().map(|entry| entry.id.name()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let call = async |call: Call<'_>| {
        let builder = Vpngn::builder(call.base_url)
            .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let vpngn = match access(call.setup) {
            Some(access) => builder.credential(access),
            None => builder,
        }
        .build()?;
        call_by_name(vpngn.client(), call.operation, call.input, true).await
    };
    let summary = fixtures::run(&folder, &operations, &document, call).await;
    println!("{:?}", summary.unwrap_or_else(|report| panic!("{report}")));
}
