//! Dropping a future at any point leaves a session and its store usable, and a customer who exists
//! once.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_http::transport::Reqwest;
use anyvpn_http::{MemoryStore, Operation as _, TokenStore};
use anyvpn_lab::dropping::{Halting, at_every_poll, poll_at_most};
use anyvpn_lab::harness::still_sandbox;
use anyvpn_sandbox::vpngn::Quirks;
use anyvpn_vpngn::ops::{GetProducts, TokenRefresh};
use anyvpn_vpngn::{Ensured, SessionTokens, Vpngn};
use futures_util::future::join_all;
use world::{Credential, EMAIL, PASSWORD, World, newcomer, on_sandbox_time};

const NEW: &str = "new@example.com";

/// Returns a world whose clients halt at every step of a call.
struct Halts {
    world: World,
    transport: Halting<Reqwest>,
    store: Halting<MemoryStore<SessionTokens>>,
}

impl Halts {
    /// Uses a VPNGN that revokes the old tokens when it creates new ones. A caller that loses the
    /// new ones is locked out.
    async fn new() -> Self {
        let ends = |seed: &u64| Quirks::from_seed(*seed).refresh_ends_long_token;
        let seed = (0..).find(ends).unwrap();
        let world = World::from(still_sandbox().seed(seed)).await;
        let transport = Halting::new(Reqwest::loopback().unwrap());
        let store = Halting::new(MemoryStore::new(Some(world.tokens())));
        Self { world, transport, store }
    }

    fn client(&self, credential: Credential) -> Vpngn {
        let builder = on_sandbox_time(self.world.builder(credential), &self.world.sandbox);
        builder.transport(Arc::new(self.transport.clone())).build().unwrap()
    }

    fn store(&self) -> Arc<dyn TokenStore<SessionTokens>> {
        Arc::new(self.store.clone())
    }
}

fn get_products() -> GetProducts {
    GetProducts { email: EMAIL.to_owned() }
}

/// All callers with an expired token wait for one refresh. Whichever of them gives up, the others
/// and later callers get its tokens.
#[tokio::test]
async fn a_refresh_that_has_begun_comes_to_its_end() {
    for dropped in [&[0][..], &[0, 1, 2]] {
        let polls = at_every_poll(async |polls| {
            let halts = Halts::new().await;
            let vpngn = halts.client(Credential::None);
            let vpngn = vpngn.with_session(EMAIL, halts.store()).await.unwrap();
            halts.world.sandbox.clock().advance(Duration::from_secs(12 * 3600));
            let calls = (0..3).map(|caller| {
                let polls = if dropped.contains(&caller) { polls } else { usize::MAX };
                poll_at_most(polls, vpngn.call(get_products()))
            });
            let outcomes = join_all(calls).await;
            for (caller, outcome) in outcomes.iter().enumerate() {
                let done = matches!(outcome, Some(Ok(products)) if products.len() == 1);
                assert!(done || dropped.contains(&caller) && outcome.is_none(), "{outcome:?}");
            }
            assert_eq!(vpngn.call(get_products()).await.unwrap().len(), 1, "after {polls} polls");
            assert_eq!(halts.world.arrived(TokenRefresh::ID), 1, "after {polls} polls");
            outcomes.iter().all(Option::is_some)
        })
        .await;
        assert!(polls > 10, "only {polls} moments to give up");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_dropped_leaves_good_tokens() {
    let polls = at_every_poll(async |polls| {
        let halts = Halts::new().await;
        let vpngn = halts.client(Credential::None);
        let sign_in = vpngn.sign_in_customer(EMAIL, PASSWORD.into(), halts.store());
        let signed_in = poll_at_most(polls, sign_in).await;
        let session = vpngn.with_session(EMAIL, halts.store()).await.unwrap();
        // A sign-in that continues holds the lock, and its tokens are stored.
        drop(halts.store.lock().await.unwrap());
        assert_eq!(session.call(get_products()).await.unwrap().len(), 1, "after {polls} polls");
        signed_in.is_some()
    })
    .await;
    assert!(polls > 8, "only {polls} moments to give up");
}

#[tokio::test]
async fn a_customer_exists_once_wherever_making_sure_is_dropped() {
    let mut created = 0;
    let polls = at_every_poll(async |polls| {
        let halts = Halts::new().await;
        let server = halts.client(Credential::SecretKey);
        let ensured = poll_at_most(polls, server.ensure_client(newcomer(NEW))).await;
        halts.transport.settled().await;
        let before = halts.world.sandbox.vpngn().created(NEW);
        created += before;
        match server.ensure_client(newcomer(NEW)).await.unwrap() {
            Ensured::Created(_) => assert_eq!(before, 0, "after {polls} polls"),
            Ensured::Existed(found) => assert_eq!((before, found.products.len()), (1, 1)),
            other => panic!("{other:?} after {polls} polls"),
        }
        assert_eq!(halts.world.sandbox.vpngn().created(NEW), 1, "after {polls} polls");
        ensured.is_some()
    })
    .await;
    // Some of the dropped calls had created the customer, and some had not.
    assert!((3..polls as u32 - 3).contains(&created), "{created} of {polls}");
}
