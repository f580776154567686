//! Describes PIA to the tests of the workspace.

use anyvpn_core::OperationId;
use anyvpn_http::{OperationInfo, RetryPolicy};
use anyvpn_lab::harness::{ClientSettings, ProviderHarness};
use anyvpn_pia::ops::{OPERATIONS, call_by_name};
use anyvpn_pia::{Error, Pia};
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_testkit::fixtures::Call;
use serde_json::Value;

use super::{PASSWORD, World, key, trusting};

/// The token in the requests of the fixtures. It has 64 characters, some of which a query escapes.
const TOKEN: &str = "f1x7ure70ken000000000000000000000000000000000000000000000000+/=_";

pub struct Harness;

impl ProviderHarness for Harness {
    type World = World;
    const NAME: &'static str = "pia";
    const TITLE: &'static str = "PIA";
    const FOLDER: &'static str = env!("CARGO_MANIFEST_DIR");
    const OPENAPI: &'static str = include_str!("../../openapi.yaml");
    const OPERATIONS: &'static [OperationInfo] = OPERATIONS;
    const PROBE: &'static str = "get-account";

    fn world(sandbox: SandboxBuilder) -> impl Future<Output = World> + Send + 'static {
        World::on(sandbox)
    }

    fn sandbox(world: &World) -> &Sandbox {
        &world.sandbox
    }

    fn secrets(world: &World) -> Vec<String> {
        let private_key = key().to_secret();
        let (payload, signature) = (world.pair.payload.expose(), world.pair.signature.expose());
        [PASSWORD, &world.token, payload, signature, private_key.expose()]
            .map(str::to_owned)
            .to_vec()
    }

    async fn call(
        world: &World,
        settings: &ClientSettings,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        let builder = settings.apply(Pia::builder()).token(world.token.as_str());
        let pia = trusting(&world.sandbox, builder);
        *shown = format!("{pia:?} {:?}", world.pair);
        world.call_with(&pia, operation).await
    }

    async fn call_fixture(call: Call<'_>) -> Result<Value, Error> {
        let builder = Pia::builder()
            .base_url(call.base_url)
            .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let pia = match call.setup {
            "" => builder.token(TOKEN),
            "no token" => builder,
            setup => panic!("{}: no such setup: {setup}", call.operation),
        }
        .build()?;
        call_by_name(pia.client(), call.operation, call.input, true).await
    }
}
