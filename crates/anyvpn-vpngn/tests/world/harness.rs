//! Describes VPNGN to the tests of the workspace.

use anyvpn_core::OperationId;
use anyvpn_http::{OperationInfo, RetryPolicy};
use anyvpn_lab::harness::{ClientSettings, ProviderHarness};
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_testkit::fixtures::Call;
use anyvpn_vpngn::ops::{OPERATIONS, call_by_name};
use anyvpn_vpngn::{Access, Error, Proof, Vpngn};
use serde_json::Value;

use super::{Credential, NEW_PASSWORD, PASSWORD, World};

pub struct Harness;

impl ProviderHarness for Harness {
    type World = World;
    const NAME: &'static str = "vpngn";
    const TITLE: &'static str = "VPNGN";
    const FOLDER: &'static str = env!("CARGO_MANIFEST_DIR");
    const OPENAPI: &'static str = include_str!("../../openapi.yaml");
    const OPERATIONS: &'static [OperationInfo] = OPERATIONS;
    const PROBE: &'static str = "get-products";

    fn world(sandbox: SandboxBuilder) -> impl Future<Output = World> + Send + 'static {
        World::from(sandbox)
    }

    fn sandbox(world: &World) -> &Sandbox {
        &world.sandbox
    }

    fn secrets(world: &World) -> Vec<String> {
        let (vpngn, account) = (world.sandbox.vpngn(), &world.account);
        let keys = [vpngn.api_key().to_owned(), vpngn.secret_key().to_owned()];
        let tokens = [account.short_token.to_string(), account.long_token.to_string()];
        [&keys[..], &tokens, &[PASSWORD.to_owned(), NEW_PASSWORD.to_owned()]].concat()
    }

    fn variants(operation: OperationId) -> usize {
        accepted(operation).count()
    }

    async fn call(
        world: &World,
        settings: &ClientSettings,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        // The probe uses another credential than the operation before it.
        let credential = accepted(operation).cycle().nth(settings.variant).unwrap();
        world.sandbox.vpngn().whitelist(credential == Credential::Whitelisted);
        let builder = settings.apply(Vpngn::builder("")).credential(world.access(credential));
        let vpngn = builder.build()?;
        *shown = format!("{vpngn:?} {:?} {:?}", world.access(credential), world.tokens());
        world.call_with(&vpngn, operation).await
    }

    async fn call_fixture(call: Call<'_>) -> Result<Value, Error> {
        let builder = Vpngn::builder(call.base_url)
            .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let vpngn = match access(call.setup) {
            Some(access) => builder.credential(access),
            None => builder,
        }
        .build()?;
        call_by_name(vpngn.client(), call.operation, call.input, true).await
    }
}

fn accepted(operation: OperationId) -> impl Iterator<Item = Credential> + Clone {
    Credential::ALL.into_iter().filter(move |credential| credential.accepted_by(operation))
}

/// Returns the credential that a fixture's `setup` names. Password and secret key contain
/// characters that a form must encode.
fn access(setup: &str) -> Option<Access> {
    let proof = match setup {
        "no api key" => return None,
        "no credential" => Proof::None,
        "password" => Proof::Password("F1x7ure pass+word&=%é".into()),
        "short token" => Proof::ShortToken("0xf1x7ure5000000000000000000000000a".into()),
        "long token" => Proof::LongToken("0xf1x7ure1000000000000000000000000b".into()),
        "secret key" => Proof::SecretKey("f1x7ure/secre7+key=00000000000000000000".into()),
        "whitelisted" => Proof::Whitelisted,
        setup => panic!("no such setup: {setup:?}"),
    };
    Some(Access::new("f1x7ure-ap1-key-0000000000000000", proof))
}
