#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every fixture holds: the exact request, and the exact value or error that its reply gives.

use std::path::Path;

use anyvpn_azire::ops::{ListIps, ListLocations, ListTokens, OPERATIONS, PutIpKey, call_by_name};
use anyvpn_azire::{Azire, Error};
use anyvpn_http::RetryPolicy;
use anyvpn_testkit::fixtures::{self, Call, Summary, streamed};
use anyvpn_testkit::openapi::Document;
use serde_json::Value;

/// The token that the fixtures' requests carry; 60 characters, as AzireVPN's are.
const TOKEN: &str = "f1x7ure70ken00000000000000000000000000000000000000000000f1x7";

/// Runs the fixtures by a function that calls an operation.
async fn hold(
    streamed: bool,
    call_with: impl AsyncFn(&Azire, &str, Value) -> Result<Value, Error>,
) -> Summary {
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
        call_with(&azire, call.operation, call.input).await
    };
    let summary = match streamed {
        false => fixtures::run(&folder, &operations, &document, call).await,
        true => fixtures::run_streamed(&folder, &operations, &document, call).await,
    };
    summary.unwrap_or_else(|report| panic!("{report}"))
}

#[tokio::test]
async fn every_fixture_holds() {
    let summary = hold(false, async |azire, name, input| {
        call_by_name(azire.client(), name, input, true).await
    })
    .await;
    println!("{summary:?}");
}

#[tokio::test]
async fn every_fixture_of_a_list_holds_as_a_stream() {
    let summary = hold(true, async |azire, name, input| {
        let client = azire.client();
        let (list, _) = match name {
            "list-ips" => streamed::<ListIps>(client, input).await?,
            "list-locations" => streamed::<ListLocations>(client, input).await?,
            "list-tokens" => streamed::<ListTokens>(client, input).await?,
            "put-ip-key" => streamed::<PutIpKey>(client, input).await?,
            _ => return call_by_name(client, name, input, true).await,
        };
        Ok(list)
    })
    .await;
    println!("{summary:?}");
}
