//! Dropping a future at any point leads to one sign-in and one key, and loses no stored port.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use anyvpn_core::{
    Accounts as _, ConfigRequest, Error, LeaseChange, LeaseStore, ListPortForwards as _,
    MemoryLeaseStore, NewPortForward, PortForwards as _, ServerConfigs as _,
};
use anyvpn_http::transport::Reqwest;
use anyvpn_http::{MemoryStore, TokenStore as _};
use anyvpn_lab::dropping::{Halting, at_every_poll, poll_at_most};
use anyvpn_lab::harness::{quick, still_sandbox};
use anyvpn_pia::{Password, Pia};
use async_trait::async_trait;
use world::{PASSWORD, USERNAME, World, key};

/// The moment at which a caller gives up.
#[derive(Clone, Copy, Debug)]
enum GivesUp {
    /// After this many polls.
    After(usize),
    /// When this operation has arrived, before its reply is read.
    Arrived(&'static str),
}

impl GivesUp {
    /// Returns the future's result, unless the caller gives up.
    async fn on<T>(self, world: &World, future: impl Future<Output = T>) -> Option<T> {
        let operation = match self {
            Self::After(polls) => return poll_at_most(polls, future).await,
            Self::Arrived(operation) => operation,
        };
        let before = world.arrived(operation);
        let mut future = std::pin::pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Pending if world.arrived(operation) > before => Poll::Ready(None),
            Poll::Pending => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(done) => Poll::Ready(Some(done)),
        })
        .await
    }
}

/// Runs a scenario for each moment to give up: after each poll, and when each of these operations
/// has arrived. The scenario reports whether its future completed.
async fn at_every_moment(operations: &[&'static str], scenario: impl AsyncFn(GivesUp) -> bool) {
    at_every_poll(async |polls| scenario(GivesUp::After(polls)).await).await;
    for operation in operations {
        assert!(!scenario(GivesUp::Arrived(operation)).await, "{operation}");
    }
}

/// Returns a client that halts at every step of a call to a central server.
fn halting(world: &World) -> (Pia, Halting<Reqwest>) {
    let transport = Halting::new(Reqwest::loopback().unwrap());
    let clock = Arc::new(world::SandboxDay(world.sandbox.clock().clone()));
    let builder = quick(Pia::builder()).clock(clock).transport(Arc::new(transport.clone()));
    (world::client(&world.sandbox, builder.token(world.token.as_str())), transport)
}

/// A caller that gives up with its own key and then retries has one key at the server.
#[tokio::test]
async fn a_key_is_known_once_wherever_obtaining_is_dropped() {
    at_every_moment(&["list-servers", "add-key"], async |gives_up| {
        let world = World::new(0).await;
        let (pia, _) = halting(&world);
        let mut request = ConfigRequest::wireguard("de_berlin");
        request.wireguard.private_key = Some(key().clone());
        let obtained = gives_up.on(&world, pia.obtain_config(&request)).await;
        pia.obtain_config(&request).await.unwrap();
        let known = [("berlin401".to_owned(), key().public_key().to_string())];
        assert_eq!(world.service().keys(USERNAME), known, "{gives_up:?}");
        obtained.is_some()
    })
    .await;
}

/// A sign-in that has begun is completed, even if its callers give up.
#[tokio::test]
async fn one_token_is_made_wherever_its_first_call_is_dropped() {
    let mut made = 0;
    let polls = at_every_poll(async |polls| {
        let world = World::on(still_sandbox()).await;
        let (pia, transport) = halting(&world);
        let store = Halting::new(MemoryStore::new(None));
        let password = Password::new(USERNAME, PASSWORD.into());
        let pia = pia.with_sign_in(password, Arc::new(store.clone()));
        let read = poll_at_most(polls, pia.account()).await;
        transport.settled().await;
        made += world.arrived("create-token");
        pia.account().await.unwrap();
        assert_eq!(world.arrived("create-token"), 1, "after {polls} polls");
        assert!(store.load().await.unwrap().is_some());
        read.is_some()
    })
    .await;
    assert!((2..polls).contains(&made), "{made} of {polls}");
}

/// A store for ports in which every step takes an extra poll.
#[derive(Default)]
struct HaltingLeases(MemoryLeaseStore);

#[async_trait]
impl LeaseStore for HaltingLeases {
    async fn update(&self, place: &str, change: &mut LeaseChange<'_>) -> Result<(), Error> {
        tokio::task::yield_now().await;
        let updated = self.0.update(place, change).await;
        tokio::task::yield_now().await;
        updated
    }
}

/// A stored port is opened again, and no other port is reserved.
#[tokio::test]
async fn a_stored_port_is_not_lost_wherever_creating_is_dropped() {
    at_every_moment(&["get-signature", "bind-port"], async |gives_up| {
        let world = World::on(still_sandbox()).await;
        let pia = halting(&world).0.with_leases(Arc::new(HaltingLeases::default()));
        let create = || pia.create_port_forward(NewPortForward::new());
        let created = gives_up.on(&world, create()).await;
        let left = pia.list_port_forwards(None).await.unwrap();
        let is_stored = matches!(gives_up, GivesUp::Arrived("bind-port"));
        assert!(!left.is_empty() || !is_stored, "{gives_up:?}");
        let reserved = world.service().reserved();
        let port = create().await.unwrap();
        if let [left] = &left[..] {
            assert_eq!(left.port, port.port, "{gives_up:?}");
            assert_eq!(world.service().reserved(), reserved, "{gives_up:?}");
        }
        assert_eq!(world.service().ports(), [port.port]);
        assert_eq!(pia.list_port_forwards(None).await.unwrap(), [port], "{gives_up:?}");
        created.is_some()
    })
    .await;
}

/// The new port replaces the refused one when it is reserved, not before.
#[tokio::test]
async fn a_refused_port_is_stored_until_another_one_is() {
    at_every_moment(&["get-signature"], async |gives_up| {
        let world = World::on(still_sandbox()).await;
        let pia = halting(&world).0.with_leases(Arc::new(HaltingLeases::default()));
        let create = || pia.create_port_forward(NewPortForward::new());
        let first = create().await.unwrap();
        world.service().take_next_port();
        let created = gives_up.on(&world, create()).await;
        let left = pia.list_port_forwards(None).await.unwrap();
        assert_eq!(left.len(), 1, "{gives_up:?}");
        assert!(created.is_none() || left[0].port != first.port, "{gives_up:?}");
        let port = create().await.unwrap();
        assert_eq!(pia.list_port_forwards(None).await.unwrap(), [port], "{gives_up:?}");
        created.is_some()
    })
    .await;
}
