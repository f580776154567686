#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Runs every operation and every refusal over real HTTP against the sandbox, with each of its
//! variations.

mod world;

use std::sync::Arc;

use anyvpn_core::{Ability, ErrorKind, OperationId, Provider};
use anyvpn_lab::InstrumentedTransport;
use anyvpn_lab::bounds::check_bounds;
use anyvpn_lab::harness::{check_exchange, check_operations, document};
use anyvpn_sandbox::vpnscript::{Profile, Server, ServiceState};
use anyvpn_testkit::openapi::Document;
use anyvpn_vpnscript::ops::call_by_name;
use anyvpn_vpnscript::{CAPABILITIES, Error, VpnScript};
use serde_json::{Value, json};
use world::harness::Harness;
use world::{PASSWORD, USERNAME, World};

#[test]
fn the_sandbox_serves_exactly_the_clients_operations() {
    check_operations::<Harness>(8);
}

#[tokio::test]
async fn every_reply_that_fits_the_document_is_accepted() {
    check_bounds::<Harness>(&[]).await;
}

/// A world whose replies are compared with the document. It shares no type with the client.
struct Watched {
    world: World,
    transport: InstrumentedTransport,
    vpn: VpnScript,
    document: Document,
}

impl Watched {
    async fn new(seed: u64) -> Self {
        let world = World::new(seed).await;
        let transport = InstrumentedTransport::new(Arc::new(world::reqwest()));
        let builder = world.builder().token(world.token.as_str());
        let vpn = world::client(builder.transport(Arc::new(transport.clone())));
        let document = document::<Harness>();
        Self { world, transport, vpn, document }
    }

    /// Calls an operation, which sends one request, and checks that the reply is as documented.
    async fn call(&self, operation: OperationId, input: Value) -> Result<Value, Error> {
        let name = operation.name();
        let outcome = call_by_name(self.vpn.client(), name, input, false).await;
        let url = self.world.sandbox.vpnscript_url();
        check_exchange(&self.document, &url, operation, &self.transport, "watched");
        outcome
    }

    async fn refused(&self, name: &str, input: Value) -> ErrorKind {
        let operation = world::operations().find(|id| id.name() == name).unwrap();
        let error = self.call(operation, input).await.unwrap_err();
        assert_eq!(error.operation(), Some(operation));
        assert!(error.message().is_some(), "{error}");
        error.kind()
    }
}

#[tokio::test]
async fn every_operation_works_and_its_reply_is_as_documented() {
    for seed in 0..12 {
        let watched = Watched::new(seed).await;
        let (config, _) = watched.world.obtain(world::WIREGUARD).await.unwrap();
        for operation in world::operations() {
            for input in World::inputs(operation, config) {
                let outcome = watched.call(operation, input).await;
                assert!(outcome.is_ok(), "{operation}, seed {seed}: {outcome:?}");
            }
        }
        let left = watched.call(world::operations().nth(1).unwrap(), json!({})).await.unwrap();
        assert_eq!(left["username"], USERNAME);
    }
}

#[tokio::test]
async fn every_refusal_has_its_kind_with_every_seed() {
    for seed in 0..16 {
        let watched = Watched::new(seed).await;
        let service = watched.world.service();
        let quirks = service.quirks();
        let sign_in = |password: &str| json!({"username": USERNAME, "password": password, "device_name": "laptop"});
        let services = [
            (ServiceState::None, ErrorKind::NoService),
            (ServiceState::Inactive, ErrorKind::ServiceInactive),
            (ServiceState::Expired, ErrorKind::ServiceExpired),
        ];
        for (state, kind) in services {
            service.set_service(USERNAME, state);
            for (name, input) in [
                ("get-openvpn-auth", json!({})),
                ("list-wireguard-configs", json!({})),
                ("create-wireguard-config", json!({"server_id": 2})),
            ] {
                assert_eq!(watched.refused(name, input).await, kind, "{name}, seed {seed}");
            }
            let one = match quirks.profile_names_the_state {
                true => kind,
                false => ErrorKind::ServiceInactive,
            };
            let profile = watched.refused("get-openvpn-profile", json!({"server_id": 1})).await;
            assert_eq!(profile, one, "seed {seed}");
        }
        service.set_service(USERNAME, ServiceState::Active);
        service.set_devices(USERNAME, 1);
        let missing =
            service.add_server(Server { profile: Profile::Missing, ..Server::openvpn("Missing") });
        let full = service.add_server(Server { slots: 0, ..Server::wireguard("Full") });
        let off = service.add_server(Server { enabled: false, ..Server::wireguard("Off") });
        use ErrorKind as K;
        for (name, input, kind) in [
            ("create-token", sign_in("wrong"), K::Unauthorized),
            ("create-token", sign_in(""), K::InvalidRequest),
            ("get-openvpn-profile", json!({"server_id": 99}), K::NotFound),
            ("get-openvpn-profile", json!({"server_id": 2}), K::InvalidRequest),
            ("get-openvpn-profile", json!({"server_id": missing}), K::NotFound),
            ("list-wireguard-configs", json!({"server_id": off}), K::NotFound),
            ("list-wireguard-configs", json!({"server_id": 1}), K::InvalidRequest),
            ("create-wireguard-config", json!({"server_id": off}), K::NotFound),
            ("create-wireguard-config", json!({"server_id": 6}), K::InvalidRequest),
            ("create-wireguard-config", json!({"server_id": full}), K::CapacityReached),
            ("delete-wireguard-config", json!({"config_id": 99}), K::NotFound),
        ] {
            assert_eq!(watched.refused(name, input.clone()).await, kind, "{name} {input} {seed}");
        }
        if quirks.no_configs_is_refused {
            let none = watched.refused("list-wireguard-configs", json!({"server_id": 2})).await;
            assert_eq!(none, K::NotFound);
        }
        let create = ("create-wireguard-config", json!({"server_id": 2}));
        watched.world.call(operation(create.0), create.1.clone()).await.unwrap();
        assert_eq!(watched.refused(create.0, create.1).await, K::DeviceLimit);
        let id = watched.world.ids()[0];
        let delete = watched.refused("delete-wireguard-config", json!({"config_id": id})).await;
        assert_eq!(delete, K::Pending);

        service.suspend(USERNAME, Some("Unpaid invoice"));
        let error = watched.call(operation("create-token"), sign_in(PASSWORD)).await.unwrap_err();
        assert_eq!(error.kind(), K::Suspended, "{error}");
        assert!(error.to_string().contains("Unpaid invoice"), "{error}");
        service.suspend(USERNAME, None);
        assert_eq!(watched.refused("list-servers", json!({})).await, K::Suspended);
        service.unsuspend(USERNAME);
        service.revoke_tokens(USERNAME);
        assert_eq!(watched.refused("get-account", json!({})).await, K::Unauthorized);
    }
}

fn operation(name: &str) -> OperationId {
    world::operations().find(|id| id.name() == name).unwrap()
}

#[tokio::test]
async fn capabilities_are_what_the_accessors_give() {
    let vpn = VpnScript::builder("https://vpn.example.com/panel/").build().unwrap();
    assert_eq!(vpn.client().base_url(), "https://vpn.example.com/panel");
    assert_eq!(vpn.info().capabilities, &CAPABILITIES);
    assert!(vpn.accounts().is_some() && vpn.server_configs().is_some());
    assert!(vpn.sign_up().is_none() && vpn.port_forwards().is_none());
    assert!(!CAPABILITIES.can(Ability::PortForwards));
}
