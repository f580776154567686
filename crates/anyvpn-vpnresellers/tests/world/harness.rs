//! Describes VPNresellers to the tests of the workspace.

use anyvpn_core::OperationId;
use anyvpn_http::{OperationInfo, RetryPolicy};
use anyvpn_lab::harness::{ClientSettings, ProviderHarness};
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_testkit::fixtures::Call;
use anyvpn_vpnresellers::ops::{OPERATIONS, call_by_name};
use anyvpn_vpnresellers::{Error, VpnResellers};
use serde_json::Value;

use super::{NEW_PASSWORD, PASSWORD, RESELLER, World};

/// The token in the requests of the fixtures.
const TOKEN: &str = "7|f1x7ure70ken0000000000000000000000000000";

pub struct Harness;

impl ProviderHarness for Harness {
    type World = World;
    const NAME: &'static str = "vpnresellers";
    const TITLE: &'static str = "VPNresellers";
    const FOLDER: &'static str = env!("CARGO_MANIFEST_DIR");
    const OPENAPI: &'static str = include_str!("../../openapi.yaml");
    const OPERATIONS: &'static [OperationInfo] = OPERATIONS;
    const PROBE: &'static str = "get-profile";

    fn world(sandbox: SandboxBuilder) -> impl Future<Output = World> + Send + 'static {
        World::from(sandbox)
    }

    fn sandbox(world: &World) -> &Sandbox {
        &world.sandbox
    }

    fn secrets(world: &World) -> Vec<String> {
        let accounts = world.sandbox.vpnresellers().accounts(RESELLER);
        let keys = accounts.into_iter().map(|account| account.private_key);
        let others = [world.token.clone(), PASSWORD.to_owned(), NEW_PASSWORD.to_owned()];
        keys.chain(others).collect()
    }

    async fn call(
        world: &World,
        settings: &ClientSettings,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        let builder = settings.apply(VpnResellers::builder()).token(world.token.as_str());
        let reseller = builder.build()?;
        *shown = format!("{reseller:?}");
        world.call_with(&reseller, operation).await
    }

    async fn call_fixture(call: Call<'_>) -> Result<Value, Error> {
        let builder = VpnResellers::builder()
            .base_url(call.base_url)
            .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let reseller = match call.setup {
            "" => builder.token(TOKEN),
            "no token" => builder,
            setup => panic!("{}: no such setup: {setup}", call.operation),
        }
        .build()?;
        call_by_name(reseller.client(), call.operation, call.input, true).await
    }
}
