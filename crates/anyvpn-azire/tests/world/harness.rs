//! Describes AzireVPN to the tests of the workspace.

use anyvpn_azire::ops::{OPERATIONS, call_by_name};
use anyvpn_azire::{Azire, Error};
use anyvpn_core::OperationId;
use anyvpn_http::{OperationInfo, RetryPolicy};
use anyvpn_lab::harness::{ClientSettings, ProviderHarness};
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_testkit::fixtures::Call;
use serde_json::Value;

use super::{PASSWORD, World};

/// The token in the requests of the fixtures. It has 60 characters, like AzireVPN's tokens.
const TOKEN: &str = "f1x7ure70ken00000000000000000000000000000000000000000000f1x7";

pub struct Harness;

impl ProviderHarness for Harness {
    type World = World;
    const NAME: &'static str = "azire";
    const TITLE: &'static str = "AzireVPN";
    const FOLDER: &'static str = env!("CARGO_MANIFEST_DIR");
    const OPENAPI: &'static str = include_str!("../../openapi.yaml");
    const OPERATIONS: &'static [OperationInfo] = OPERATIONS;
    const PROBE: &'static str = "get-user";

    fn world(sandbox: SandboxBuilder) -> impl Future<Output = World> + Send + 'static {
        World::on(sandbox)
    }

    fn sandbox(world: &World) -> &Sandbox {
        &world.sandbox
    }

    fn secrets(world: &World) -> Vec<String> {
        let private_key = world.private_key.to_secret();
        let secrets =
            [PASSWORD, &world.token, world.spare_token.key.expose(), private_key.expose()];
        secrets.map(str::to_owned).to_vec()
    }

    async fn call(
        world: &World,
        settings: &ClientSettings,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        let azire = settings.apply(Azire::builder()).token(world.token.as_str()).build()?;
        *shown = format!("{azire:?} {:?} {:?}", world.spare_token, world.private_key);
        world.call_with(&azire, operation).await
    }

    async fn call_fixture(call: Call<'_>) -> Result<Value, Error> {
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
    }
}
