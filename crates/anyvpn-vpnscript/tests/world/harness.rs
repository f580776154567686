//! Describes VPN Script to the tests of the workspace.

use anyvpn_core::{OperationId, WireGuardConfig};
use anyvpn_http::{OperationInfo, RetryPolicy};
use anyvpn_lab::harness::{ClientSettings, ProviderHarness};
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_testkit::fixtures::Call;
use anyvpn_vpnscript::ops::{GetOpenVpnAuth, OPERATIONS, OpenVpnAuth, call_by_name};
use anyvpn_vpnscript::{Error, VpnScript};
use serde_json::Value;

use super::{PASSWORD, WIREGUARD, World, client};

/// The token in the requests of the fixtures: a number and 40 characters, like the framework's
/// tokens.
const TOKEN: &str = "7|f1x7ure70ken000000000000000000000000f1x7";

pub struct Harness;

/// An account with a configuration.
pub struct Account {
    world: World,
    id: u64,
    config: WireGuardConfig,
    auth: OpenVpnAuth,
}

impl ProviderHarness for Harness {
    type World = Account;
    const NAME: &'static str = "vpnscript";
    const TITLE: &'static str = "VPN Script";
    const FOLDER: &'static str = env!("CARGO_MANIFEST_DIR");
    const OPENAPI: &'static str = include_str!("../../openapi.yaml");
    const OPERATIONS: &'static [OperationInfo] = OPERATIONS;
    const PROBE: &'static str = "get-account";

    async fn world(sandbox: SandboxBuilder) -> Account {
        let world = World::on(sandbox).await;
        let (id, config) = world.obtain(WIREGUARD).await.unwrap();
        let auth = world.vpn.call(GetOpenVpnAuth {}).await.unwrap();
        Account { world, id, config, auth }
    }

    fn sandbox(account: &Account) -> &Sandbox {
        &account.world.sandbox
    }

    fn secrets(account: &Account) -> Vec<String> {
        let Account { world, config, auth, .. } = account;
        let preshared_key = config.peers()[0].preshared_key.clone().unwrap().to_secret();
        let private_key = config.private_key().to_secret();
        let secrets = [
            PASSWORD,
            &world.token,
            private_key.expose(),
            preshared_key.expose(),
            auth.password.expose(),
        ];
        secrets.map(str::to_owned).to_vec()
    }

    async fn call(
        account: &Account,
        settings: &ClientSettings,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        let vpn = settings.apply(VpnScript::builder("")).token(account.world.token.as_str());
        let vpn = client(vpn);
        *shown = format!("{vpn:?} {:?} {:?}", account.auth, account.config);
        let input = World::inputs(operation, account.id).swap_remove(0);
        call_by_name(vpn.client(), operation.name(), input, false).await
    }

    async fn call_fixture(call: Call<'_>) -> Result<Value, Error> {
        let builder = VpnScript::builder(call.base_url)
            .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let vpn = match call.setup {
            "" => builder.token(TOKEN),
            "no token" => builder,
            setup => panic!("{}: no such setup: {setup}", call.operation),
        }
        .build()?;
        call_by_name(vpn.client(), call.operation, call.input, true).await
    }
}
