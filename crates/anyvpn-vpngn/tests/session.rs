//! A session renews a customer's tokens, once for all sessions that share its store.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyvpn_http::{FileStore, MemoryStore, Operation as _, TokenStore};
use anyvpn_lab::harness::still_sandbox;
use anyvpn_lab::time::of_sandbox;
use anyvpn_vpngn::ops::{GetProducts, TokenRefresh};
use anyvpn_vpngn::{ErrorKind, SessionTokens, Vpngn};
use futures_util::future::join_all;
use world::{Credential, EMAIL, PASSWORD, World, on_sandbox_time};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

async fn world() -> World {
    World::from(still_sandbox()).await
}

/// Returns a client on the sandbox's clock, for which no call times out.
fn client(world: &World) -> Vpngn {
    let time = of_sandbox(world.sandbox.clock()).with_endless(Duration::from_secs(10));
    let builder = on_sandbox_time(world.builder(Credential::None), &world.sandbox);
    builder.clock(Arc::new(time)).build().unwrap()
}

/// Returns the same with a session of the world's customer.
async fn session(world: &World, store: Arc<dyn TokenStore<SessionTokens>>) -> Vpngn {
    client(world).with_session(EMAIL, store).await.unwrap()
}

fn get_products() -> GetProducts {
    GetProducts { email: EMAIL.to_owned() }
}

async fn all_at_once(clients: &[&Vpngn], calls: usize) {
    let calls = (0..calls).map(|call| clients[call % clients.len()].call(get_products()));
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn two_hundred_calls_with_an_expiring_token_refresh_it_once() {
    for left in [4 * MINUTE, Duration::ZERO] {
        let world = world().await;
        let vpngn = session(&world, Arc::new(MemoryStore::new(Some(world.tokens())))).await;
        world.sandbox.clock().advance(12 * HOUR - left);
        all_at_once(&[&vpngn], 200).await;
        assert_eq!(world.arrived(TokenRefresh::ID), 1, "with {left:?} left");
        assert_eq!(world.arrived(GetProducts::ID), 200, "with {left:?} left");
        all_at_once(&[&vpngn], 10).await;
        assert_eq!(world.arrived(TokenRefresh::ID), 1, "with {left:?} left");
    }
}

/// A token that was revoked early, for example by another program's refresh, is detected by its
/// refusal.
#[tokio::test]
async fn two_hundred_calls_with_a_refused_token_refresh_it_once() {
    // Only the short token has expired, so the long one can create another.
    let sandbox = still_sandbox();
    let world = World::from(sandbox.variation("vpngn.refresh-keeps-long-tokens")).await;
    let vpngn = session(&world, Arc::new(MemoryStore::new(Some(world.tokens())))).await;
    let refresh = TokenRefresh { email: EMAIL.to_owned() };
    world.vpngn(Credential::Password).call(refresh).await.unwrap();
    world.sandbox.clear_received();
    all_at_once(&[&vpngn], 200).await;
    assert_eq!(world.arrived(TokenRefresh::ID), 1);
    let refused = world.sandbox.received().iter().filter(|it| it.status == Some(401)).count();
    assert_eq!(world.arrived(GetProducts::ID), 200 + refused);
}

/// A caller that gives up waiting, even in the middle of a refresh, does not block the others.
#[tokio::test]
async fn a_dropped_call_does_not_hinder_the_next() {
    for polls in 0..40 {
        let world = world().await;
        let vpngn = session(&world, Arc::new(MemoryStore::new(Some(world.tokens())))).await;
        world.sandbox.clock().advance(12 * HOUR);
        let mut call = Box::pin(vpngn.call(get_products()));
        for _ in 0..polls {
            if poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        vpngn.call(get_products()).await.unwrap();
        assert!(world.arrived(TokenRefresh::ID) <= 2, "after {polls} polls");
    }
}

fn file(path: &Path) -> Arc<dyn TokenStore<SessionTokens>> {
    Arc::new(FileStore::new(path))
}

#[tokio::test]
async fn two_clients_that_share_a_file_see_each_others_refresh() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jo.json");
    let world = world().await;
    let mut locked = file(&path).lock().await.unwrap();
    locked.save(Some(&world.tokens())).await.unwrap();
    drop(locked);
    let one = session(&world, file(&path)).await;
    let other = session(&world, file(&path)).await;

    world.sandbox.clock().advance(12 * HOUR);
    one.call(get_products()).await.unwrap();
    other.call(get_products()).await.unwrap();
    assert_eq!(world.arrived(TokenRefresh::ID), 1);

    world.sandbox.clock().advance(12 * HOUR);
    world.sandbox.clear_received();
    all_at_once(&[&one, &other], 20).await;
    assert_eq!((world.arrived(TokenRefresh::ID), world.arrived(GetProducts::ID)), (1, 20));
}

#[tokio::test]
async fn tokens_survive_in_a_file_that_only_the_owner_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jo.json");
    let world = world().await;
    let vpngn = client(&world);
    let wrong =
        vpngn.sign_in_customer(EMAIL, "Wrong-Passw0rd".into(), file(&path)).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Unauthorized);
    assert!(!path.exists());

    let signed_in = vpngn.sign_in_customer(EMAIL, PASSWORD.into(), file(&path)).await.unwrap();
    signed_in.call(get_products()).await.unwrap();
    let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    world.sandbox.clear_received();

    // A later run of the program has only the file.
    let later = session(&world, file(&path)).await;
    later.call(get_products()).await.unwrap();
    assert_eq!(world.arrived(TokenRefresh::ID), 0);
    world.sandbox.clock().advance(12 * HOUR);
    later.call(get_products()).await.unwrap();
    assert_eq!((world.arrived(TokenRefresh::ID), mode()), (1, 0o600));
    let kept = file(&path).load().await.unwrap().unwrap().token;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(kept.short_token.expose()), "the file does not hold the token");
    assert!(!format!("{kept:?}").contains(kept.short_token.expose()));

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let error = later.call(get_products()).await.unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}
