#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every fixture holds: the exact request, and the exact value or error that its reply gives.

use std::path::Path;

use anyvpn_http::RetryPolicy;
use anyvpn_testkit::fixtures::{self, Call, Summary, streamed};
use anyvpn_testkit::openapi::Document;
use anyvpn_vpnscript::ops::{ListServers, ListWireGuardConfigs, OPERATIONS, call_by_name};
use anyvpn_vpnscript::{Error, VpnScript};
use serde_json::Value;

/// The token that the fixtures' requests carry: a number and 40 characters, as the framework's are.
const TOKEN: &str = "7|f1x7ure70ken000000000000000000000000f1x7";

/// Runs the fixtures by a function that calls an operation.
async fn hold(
    streamed: bool,
    call_with: impl AsyncFn(&VpnScript, &str, Value) -> Result<Value, Error>,
) -> Summary {
    let document = Document::load(include_str!("../openapi.yaml")).unwrap();
    let operations: Vec<_> = OPERATIONS.iter().map(|entry| entry.id.name()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let call = async |call: Call<'_>| {
        let builder = VpnScript::builder(call.base_url)
            .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let vpn = match call.setup {
            "" => builder.token(TOKEN),
            "no token" => builder,
            setup => panic!("{}: no such setup: {setup}", call.operation),
        }
        .build()?;
        call_with(&vpn, call.operation, call.input).await
    };
    let summary = match streamed {
        false => fixtures::run(&folder, &operations, &document, call).await,
        true => fixtures::run_streamed(&folder, &operations, &document, call).await,
    };
    summary.unwrap_or_else(|report| panic!("{report}"))
}

#[tokio::test]
async fn every_fixture_holds() {
    let summary =
        hold(false, async |vpn, name, input| call_by_name(vpn.client(), name, input, true).await)
            .await;
    println!("{summary:?}");
}

#[tokio::test]
async fn every_fixture_of_a_list_holds_as_a_stream() {
    let summary = hold(true, async |vpn, name, input| match name {
        "list-wireguard-configs" => {
            let streamed = streamed::<ListWireGuardConfigs>(vpn.client(), input).await;
            streamed.map(|(list, _)| list)
        }
        "list-servers" => {
            let (list, mut page) = streamed::<ListServers>(vpn.client(), input).await?;
            page["servers"] = list;
            Ok(page)
        }
        _ => call_by_name(vpn.client(), name, input, true).await,
    })
    .await;
    println!("{summary:?}");
}
