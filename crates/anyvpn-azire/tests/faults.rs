#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every operation with every fault. Writes `docs/faults-azire.md`.

mod world;

use anyvpn_azire::ops::{CreateToken, CreateUser, OPERATIONS};
use anyvpn_azire::{Azire, Secret};
use anyvpn_core::{Error, OperationId};
use anyvpn_http::OperationInfo;
use anyvpn_sandbox::{Fault, FaultRule, Sandbox, SandboxBuilder};
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::matrix::{self, Line, Stage};
use anyvpn_testkit::openapi::Document;
use serde_json::Value;
use world::{PASSWORD, World};

struct Company;

impl Stage for Company {
    type World = World;

    fn provider(&self) -> &'static str {
        "AzireVPN"
    }

    fn operations(&self) -> &'static [OperationInfo] {
        OPERATIONS
    }

    fn document(&self) -> Document {
        Document::load(include_str!("../openapi.yaml")).unwrap()
    }

    fn world(&self, sandbox: SandboxBuilder) -> impl Future<Output = World> + Send + 'static {
        World::on(sandbox)
    }

    fn sandbox<'a>(&self, world: &'a World) -> &'a Sandbox {
        &world.sandbox
    }

    fn path(&self) -> &'static str {
        "/azire"
    }

    fn secrets(&self, world: &World) -> Vec<String> {
        let private_key = world.private_key.to_secret();
        let secrets =
            [PASSWORD, &world.token, world.spare_token.key.expose(), private_key.expose()];
        secrets.map(str::to_owned).to_vec()
    }

    fn probe(&self) -> OperationId {
        OPERATIONS.iter().find(|it| it.id.name() == "get-user").unwrap().id
    }

    async fn call(
        &self,
        world: &World,
        line: &Line,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        let azire = line.dress(Azire::builder()).token(world.token.as_str()).build()?;
        *shown = format!("{azire:?} {:?} {:?}", world.spare_token, world.private_key);
        world.call_with(&azire, operation).await
    }
}

#[test]
fn every_operation_with_every_fault() {
    let memory = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    matrix::check(&Company, "../../docs/faults-azire.md", memory);
}

#[test]
fn inputs_show_no_secret() {
    let canary = Canary::default();
    canary.mark(PASSWORD);
    let password = Secret::from(PASSWORD);
    let create = CreateUser {
        username: "a".to_owned(),
        password: password.clone(),
        email: None,
        currency: None,
        affiliate_code: None,
        referral_code: None,
    };
    let sign_in =
        CreateToken { username: None, password: Some(password), device_name: None, comment: None };
    canary.hears(format!("{create:?} {sign_in:?} {}", serde_json::to_string(&create).unwrap()));
    canary.assert_silent();
}

/// A program that creates a port because listing failed would burn the day's allowance.
#[tokio::test]
async fn nothing_creates_a_port_because_a_list_failed() {
    use anyvpn_core::PortForwards;
    let world = World::new(0).await;
    let before = world.sandbox.azire().ports(world::USERNAME);
    let pages = [200, 401, 403, 404, 406].map(Fault::Html);
    for fault in [Fault::Status(500), Fault::Wire("reset-after"), Fault::Wire("half-json")]
        .into_iter()
        .chain(pages)
    {
        world
            .sandbox
            .inject(FaultRule {
                operation: Some("azire.list-port-forwards".to_owned()),
                ..FaultRule::always(fault)
            })
            .unwrap();
        let list = PortForwards::list(&world.azire, world.device.ipv4_address).await;
        assert!(list.is_err(), "{list:?}");
        world.sandbox.clear_faults();
    }
    assert_eq!(world.sandbox.azire().ports(world::USERNAME), before);
}
