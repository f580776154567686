#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Runs random sequences of what a machine does with its port, while the VPN server fails. The
//! store must match the model, a reserved port is never lost, and none is reserved while a good one
//! is stored.
//!
//! `ANYVPN_MODEL_CASES=1000` runs that many other sequences.

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{
    Error, ErrorKind, ListPortForwards as _, MemoryLeaseStore, NewPortForward, PortForward,
    PortForwards as _,
};
use anyvpn_lab::harness::{quick, still_sandbox};
use anyvpn_lab::network;
use anyvpn_pia::{Connection, Pia};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use proptest::prelude::*;
use world::{PASSWORD, USERNAME};

#[derive(Clone, Debug)]
enum Step {
    Create,
    Renew,
    Delete,
    /// The program restarts, connected to this server.
    Reconnect(usize),
    Advance(Duration),
    /// Another tunnel of the server takes the next port.
    TakeNext,
    Connected(bool),
}

fn steps() -> impl Strategy<Value = Step> {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let waits = [10, 15, 25, 60 * 24, 60 * 24 * 30, 60 * 24 * 70].map(minutes);
    prop_oneof![
        5 => Just(Step::Create),
        4 => Just(Step::Renew),
        1 => Just(Step::Delete),
        2 => (0..3_usize).prop_map(Step::Reconnect),
        3 => prop::sample::select(waits.to_vec()).prop_map(Step::Advance),
        1 => Just(Step::TakeNext),
        1 => prop::bool::weighted(0.7).prop_map(Step::Connected),
    ]
}

/// What happens to the next request of an operation.
fn mishaps() -> impl Strategy<Value = Option<(&'static str, Fault)>> {
    let faults = vec![
        Fault::Wire("reset-before"),
        Fault::Wire("reset-after"),
        Fault::Wire("half-json"),
        Fault::Status(500),
        Fault::Status(429),
        Fault::Html(401),
        Fault::Html(404),
        Fault::Html(502),
    ];
    let operation = prop::sample::select(vec!["pia.get-signature", "pia.bind-port"]);
    prop::option::weighted(0.4, (operation, prop::sample::select(faults)))
}

struct Machine {
    sandbox: Sandbox,
    store: Arc<MemoryLeaseStore>,
    token: String,
    pia: Pia,
    connected: bool,
    /// The stored port.
    stored: Option<u16>,
    /// Whether the server refuses the next port that is opened.
    busy: bool,
}

impl Machine {
    async fn new(seed: u64) -> Self {
        let sandbox = still_sandbox().seed(seed).start().await.unwrap();
        let token = sandbox.pia().add_account(USERNAME, PASSWORD).token;
        let store = Arc::new(MemoryLeaseStore::default());
        let pia = connected(&sandbox, &store, &token, 0);
        Self { sandbox, store, token, pia, connected: true, stored: None, busy: false }
    }

    async fn listed(&self) -> Vec<PortForward> {
        self.pia.list_port_forwards(None).await.unwrap()
    }

    async fn take(&mut self, step: Step, mishap: Option<(&'static str, Fault)>) {
        let service = self.sandbox.pia().clone();
        self.sandbox.clear_faults();
        let before = self.listed().await;
        assert!(before.len() <= 1, "{before:?}");
        // It may have expired meanwhile.
        self.stored = self.stored.filter(|port| before.iter().any(|it| it.port == *port));
        assert_eq!(before.first().map(|it| it.port), self.stored);
        let reserved = service.reserved();
        let is_smooth = mishap.is_none() && self.connected && !self.busy;
        if let Some((operation, fault)) = mishap {
            self.sandbox.inject(FaultRule::once(operation, fault)).unwrap();
        }
        match step {
            Step::Create => {
                let made = self.pia.create_port_forward(NewPortForward::new()).await;
                let after = self.listed().await;
                let new = service.reserved() - reserved;
                assert!(new <= 1, "{new} ports were reserved at once");
                if is_smooth {
                    made.as_ref().unwrap();
                }
                self.judge(&made, &after);
                // A stored forward is removed only when another one replaces it.
                assert!(self.stored.is_none() || after.len() == 1, "{before:?} is lost: {after:?}");
                self.stored = after.first().map(|it| it.port);
            }
            Step::Renew => {
                let Some(port) = before.first() else { return };
                let renewed = self.pia.renew_port_forward(port).await;
                assert_eq!(service.reserved(), reserved, "renewing reserved a port");
                let after = self.listed().await;
                self.judge(&renewed, &after);
                assert_eq!(after.first().map(|it| it.port), self.stored, "{renewed:?}");
            }
            Step::Delete => {
                let port = before.first().cloned().unwrap_or_else(|| PortForward::new(1));
                let deleted = self.pia.delete_port_forward(&port).await;
                assert_eq!(deleted.is_ok(), self.stored.is_some());
                assert!(self.listed().await.is_empty());
                self.stored = None;
            }
            Step::Reconnect(server) => {
                self.pia = connected(&self.sandbox, &self.store, &self.token, server);
            }
            Step::Advance(by) => self.sandbox.clock().advance(by),
            Step::TakeNext => {
                service.take_next_port();
                self.busy = true;
            }
            Step::Connected(connected) => {
                service.set_connected(connected);
                self.connected = connected;
            }
        }
    }

    /// An opened port is stored and open. A refusal comes from the provider itself.
    fn judge(&mut self, outcome: &Result<PortForward, Error>, after: &[PortForward]) {
        match outcome {
            Ok(port) => {
                assert_eq!(after, std::slice::from_ref(port));
                assert_eq!(self.sandbox.pia().ports(), [port.port]);
                self.busy = false;
            }
            Err(error) => match error.kind() {
                ErrorKind::InvalidRequest => assert!(!self.connected, "{error}"),
                ErrorKind::CapacityReached => self.busy = false,
                ErrorKind::NotFound => {
                    assert!(matches!(error.message(), Some("port expired")), "{error}")
                }
                _ => {}
            },
        }
    }
}

fn connected(sandbox: &Sandbox, store: &Arc<MemoryLeaseStore>, token: &str, server: usize) -> Pia {
    let name = ["Server-12345-0a", "Server-12346-1b", "berlin401"][server];
    let clock = Arc::new(world::SandboxDay(sandbox.clock().clone()));
    let builder = quick(Pia::builder()).clock(clock).token(token);
    let gateway = sandbox.pia().gateway().parse().unwrap();
    let pia = world::client(sandbox, builder).with_leases(store.clone());
    pia.with_connection(Connection::new(name, gateway))
}

#[test]
fn the_stored_state_matches_the_model_despite_failures() {
    let cases = (0..16_u64, prop::collection::vec((steps(), mishaps()), 1..30));
    network::check(32, &cases, async |(seed, steps)| {
        let mut machine = Machine::new(seed).await;
        for (step, mishap) in steps {
            machine.take(step, mishap).await;
        }
    });
}
