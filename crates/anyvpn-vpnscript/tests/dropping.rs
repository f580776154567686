//! Dropping a future at any point blocks nobody. The tests of obtaining are in `jobs.rs`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_core::{ErrorKind, ServerConfigs};
use anyvpn_http::transport::Reqwest;
use anyvpn_lab::dropping::{Halting, at_every_poll, poll_at_most};
use anyvpn_vpnscript::VpnScript;
use futures_util::TryStreamExt;
use world::{WIREGUARD, World};

/// Returns a client that halts at every step of a call.
fn halting(world: &World) -> (VpnScript, Halting<Reqwest>) {
    let transport = Halting::new(world::reqwest());
    let builder = world.builder().token(world.token.as_str());
    (world::client(builder.transport(Arc::new(transport.clone()))), transport)
}

#[tokio::test]
async fn a_dropped_deletion_can_be_asked_for_again() {
    let mut deleted = 0;
    let polls = at_every_poll(async |polls| {
        let world = World::new(0).await;
        let (id, _) = world.obtain(WIREGUARD).await.unwrap();
        let (vpn, transport) = halting(&world);
        let id = id.to_string();
        let revoked = poll_at_most(polls, vpn.revoke_config(&id)).await;
        transport.settled().await;
        deleted += usize::from(world.arrived("delete-wireguard-config") > 0);
        if let Err(error) = vpn.revoke_config(&id).await {
            // The configuration was deleted, and only the answer was lost.
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
        assert_eq!(world.ids(), [0; 0], "after {polls} polls");
        revoked.is_some()
    })
    .await;
    assert!((2..polls).contains(&deleted), "{deleted} of {polls}");
}

#[tokio::test]
async fn a_dropped_list_can_be_read_again() {
    let world = World::new(0).await;
    let (vpn, transport) = halting(&world);
    // With a page fetched ahead, a task performs the steps, so the caller has few moments to give
    // up.
    for (prefetch, moments) in [(false, 12), (true, 1)] {
        let vpn = vpn.clone().with_page_size(3).with_prefetch(prefetch);
        let list = || vpn.servers().try_collect::<Vec<_>>();
        let polls = at_every_poll(async |polls| {
            let read = poll_at_most(polls, list()).await;
            transport.settled().await;
            assert_eq!(list().await.unwrap().len(), 7, "after {polls} polls");
            read.is_some()
        })
        .await;
        assert!(polls > moments, "only {polls} moments to give up");
    }
}
