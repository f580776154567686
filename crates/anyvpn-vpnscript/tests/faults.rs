#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every operation with every fault. Writes `docs/faults-vpnscript.md`.

mod world;

use anyvpn_core::{Error, ErrorKind, OperationId, WireGuardConfig};
use anyvpn_http::OperationInfo;
use anyvpn_sandbox::{Fault, FaultRule, Sandbox, SandboxBuilder};
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::matrix::{self, Line, Stage};
use anyvpn_testkit::openapi::Document;
use anyvpn_vpnscript::ops::{CreateToken, GetOpenVpnAuth, OPERATIONS, OpenVpnAuth, call_by_name};
use anyvpn_vpnscript::{Password, Secret, VpnScript};
use serde_json::Value;
use world::{PASSWORD, World};

struct Company;

/// An account with a configuration.
struct Account {
    world: World,
    id: u64,
    config: WireGuardConfig,
    auth: OpenVpnAuth,
}

impl Account {
    async fn on(sandbox: SandboxBuilder) -> Self {
        let world = World::on(sandbox).await;
        let (id, config) = world.obtain(world::WIREGUARD).await.unwrap();
        let auth = world.vpn.call(GetOpenVpnAuth {}).await.unwrap();
        Self { world, id, config, auth }
    }
}

impl Stage for Company {
    type World = Account;

    fn provider(&self) -> &'static str {
        "VPN Script"
    }

    fn operations(&self) -> &'static [OperationInfo] {
        OPERATIONS
    }

    fn document(&self) -> Document {
        Document::load(include_str!("../openapi.yaml")).unwrap()
    }

    fn world(&self, sandbox: SandboxBuilder) -> impl Future<Output = Account> + Send + 'static {
        Account::on(sandbox)
    }

    fn sandbox<'a>(&self, account: &'a Account) -> &'a Sandbox {
        &account.world.sandbox
    }

    fn path(&self) -> &'static str {
        "/vpnscript"
    }

    fn secrets(&self, account: &Account) -> Vec<String> {
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

    fn probe(&self) -> OperationId {
        OPERATIONS.iter().find(|it| it.id.name() == "get-account").unwrap().id
    }

    async fn call(
        &self,
        account: &Account,
        line: &Line,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        let vpn = line.dress(VpnScript::builder("")).token(account.world.token.as_str());
        let vpn = world::client(vpn);
        *shown = format!("{vpn:?} {:?} {:?}", account.auth, account.config);
        let input = World::inputs(operation, account.id).swap_remove(0);
        call_by_name(vpn.client(), operation.name(), input, false).await
    }
}

#[test]
fn every_operation_with_every_fault() {
    let memory = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    matrix::check(&Company, "../../docs/faults-vpnscript.md", memory);
}

#[test]
fn inputs_show_no_secret() {
    let canary = Canary::default();
    canary.mark(PASSWORD);
    let password = Secret::from(PASSWORD);
    let (username, device_name) = ("liam".to_owned(), "laptop".to_owned());
    let sign_in = CreateToken { username, password: password.clone(), device_name };
    let person = Password::new("liam", password, "laptop");
    canary.hears(format!("{sign_in:?} {person:?} {}", serde_json::to_string(&sign_in).unwrap()));
    canary.assert_silent();
}

/// A program that creates a configuration because listing failed would use up the plan's devices.
#[tokio::test]
async fn nothing_creates_a_config_because_a_list_failed() {
    let world = World::new(0).await;
    let pages = [200, 401, 403, 404, 406].map(Fault::Html);
    for fault in [Fault::Status(500), Fault::Wire("reset-after"), Fault::Wire("half-json")]
        .into_iter()
        .chain(pages)
    {
        let operation = Some("vpnscript.list-wireguard-configs".to_owned());
        world.sandbox.inject(FaultRule { operation, ..FaultRule::always(fault) }).unwrap();
        let error = world.obtain(world::WIREGUARD).await.map(|(id, _)| id).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Unavailable | ErrorKind::UnexpectedReply | ErrorKind::Unreachable
            ),
            "{error}"
        );
        world.sandbox.clear_faults();
    }
    assert_eq!(world.arrived("create-wireguard-config"), 0);
    assert_eq!(world.ids(), [0; 0]);
}
