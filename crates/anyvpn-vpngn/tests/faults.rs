//! Every operation with every fault. Writes `docs/faults-vpngn.md`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::OperationInfo;
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::matrix::{self, Line, Stage};
use anyvpn_testkit::openapi::Document;
use anyvpn_vpngn::ops::{OPERATIONS, SetPassword};
use anyvpn_vpngn::{StrongPassword, Vpngn};
use serde_json::Value;
use world::{Credential, EMAIL, NEW_PASSWORD, PASSWORD, World};

struct Reseller;

impl Stage for Reseller {
    type World = World;

    fn provider(&self) -> &'static str {
        "VPNGN"
    }

    fn operations(&self) -> &'static [OperationInfo] {
        OPERATIONS
    }

    fn document(&self) -> Document {
        Document::load(include_str!("../openapi.yaml")).unwrap()
    }

    fn world(&self, sandbox: SandboxBuilder) -> impl Future<Output = World> + Send + 'static {
        World::from(sandbox)
    }

    fn sandbox<'a>(&self, world: &'a World) -> &'a Sandbox {
        &world.sandbox
    }

    fn path(&self) -> &'static str {
        "/vpngn"
    }

    fn secrets(&self, world: &World) -> Vec<String> {
        let (vpngn, account) = (world.sandbox.vpngn(), &world.account);
        let keys = [vpngn.api_key().to_owned(), vpngn.secret_key().to_owned()];
        let tokens = [account.short_token.to_string(), account.long_token.to_string()];
        [&keys[..], &tokens, &[PASSWORD.to_owned(), NEW_PASSWORD.to_owned()]].concat()
    }

    fn probe(&self) -> OperationId {
        OPERATIONS.iter().find(|it| it.id.name() == "get-products").unwrap().id
    }

    fn variants(&self, operation: OperationId) -> usize {
        accepted(operation).count()
    }

    async fn call(
        &self,
        world: &World,
        line: &Line,
        operation: OperationId,
        shown: &mut String,
    ) -> Result<Value, Error> {
        // The probe takes other credentials than the operation before it.
        let credential = accepted(operation).cycle().nth(line.variant).unwrap();
        world.sandbox.vpngn().whitelist(credential == Credential::Whitelisted);
        let builder = line.dress(Vpngn::builder("")).credential(world.access(credential));
        let vpngn = builder.build()?;
        *shown = format!("{vpngn:?} {:?} {:?}", world.access(credential), world.tokens());
        world.call_with(&vpngn, operation).await
    }
}

fn accepted(operation: OperationId) -> impl Iterator<Item = Credential> + Clone {
    Credential::ALL.into_iter().filter(move |it| it.accepted_by(operation))
}

#[test]
fn every_operation_with_every_fault() {
    let memory = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_max;
    matrix::check(&Reseller, "../../docs/faults-vpngn.md", memory);
}

#[test]
fn inputs_show_no_secret() {
    let canary = Canary::default();
    canary.mark(PASSWORD);
    canary.mark(NEW_PASSWORD);
    let setpassword = NEW_PASSWORD.to_owned().try_into().unwrap();
    let create = world::newcomer("new@example.com");
    let set = SetPassword { email: EMAIL.to_owned(), setpassword };
    canary.hears(format!("{create:?} {set:?} {}", serde_json::to_string(&create).unwrap()));
    for weak in ["canaryweakpassword", "C4nary-wk"] {
        canary.mark(weak);
        let error = StrongPassword::try_from(weak.to_owned()).unwrap_err();
        canary.hears(format!("{error} {error:?}"));
    }
    canary.assert_silent();
}
