#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every fixture holds: the exact request, and the exact value or error that its reply gives.

use std::path::Path;

use anyvpn_azire::Azire;
use anyvpn_azire::ops::{OPERATIONS, call_by_name};
use anyvpn_http::RetryPolicy;
use anyvpn_testkit::fixtures::{self, Call};
use anyvpn_testkit::openapi::Document;

/// The token that the fixtures' requests carry; 60 characters, as AzireVPN's are.
const TOKEN: &str = "f1x7ure70ken00000000000000000000000000000000000000000000f1x7";

#[tokio::test]
async fn every_fixture_holds() {
    let document = Document::load(include_str!("../openapi.yaml")).unwrap();
    let operations: Vec<_> = OPERATIONS.iter().map(|entry| entry.id.name()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let call = async |call: Call<'_>| {
        let builder = Azire::builder()
            .base_url(call.base_url)
            .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let azire = match call.setup {
            "" => builder.token(TOKEN),
            "no token" => builder,
            setup => panic!("{}: no such setup: {setup}", call.operation),
        }
        .build()?;
        call_by_name(azire.client(), call.operation, call.input, true).await
    };
    let summary = fixtures::run(&folder, &operations, &document, call).await;
    println!("{:?}", summary.unwrap_or_else(|report| panic!("{report}")));
}
