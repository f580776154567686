//! Checks every fixture: the exact request, and the exact value or error that its reply produces.

use std::path::Path;

use acme_vpn::Acme;
use acme_vpn::ops::{OPERATIONS, call_by_name};
use anyvpn_http::RetryPolicy;
use anyvpn_testkit::fixtures;
use anyvpn_testkit::openapi::Document;

#[tokio::test]
async fn every_fixture_holds() {
    let document = Document::load(include_str!("../openapi.yaml")).unwrap();
    let operations: Vec<_> = OPERATIONS.iter().map(|entry| entry.id.name()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let once = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    fixtures::run(&folder, &operations, &document, async |call| {
        let acme = Acme::builder().base_url(call.base_url).token("t0ken").retry(once).build()?;
        call_by_name(acme.client(), call.operation, call.input, true).await
    })
    .await
    .unwrap_or_else(|report| panic!("{report}"));
}
