#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Tokens are created once, stored, and renewed when they are refused or a day old.

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Accounts as _, ConfigRequest, ErrorKind, ServerConfigs as _, SignOut as _};
use anyvpn_http::TokenStore as _;
use anyvpn_lab::harness::still_sandbox;
use anyvpn_pia::{
    Context, Credential, DatedToken, MemoryStore, Password, Pia, Settings, SignIn as _,
};
use anyvpn_sandbox::pia::Quirks;
use world::{PASSWORD, USERNAME, World};

const DAY: Duration = Duration::from_secs(86_400);

/// Returns the same client, which signs in by itself, and the store of its token.
fn signing_in(world: &World, password: &str) -> (Pia, Arc<MemoryStore<DatedToken>>) {
    let store = Arc::new(MemoryStore::new(None));
    let password = Password::new(USERNAME, password.into());
    (world.pia.with_sign_in(password, store.clone()), store)
}

#[tokio::test]
async fn a_token_is_made_once_and_again_before_a_day_is_over() {
    let world = World::on(still_sandbox()).await;
    let (pia, store) = signing_in(&world, PASSWORD);
    for _ in 0..3 {
        pia.account().await.unwrap();
    }
    assert_eq!(world.arrived("create-token"), 1);
    let first = store.load().await.unwrap().unwrap().token;
    assert_eq!(first.expires_at, world.now().checked_add(DAY).unwrap());
    world.sandbox.clock().advance(DAY - Duration::from_secs(120));
    pia.account().await.unwrap();
    assert_eq!(world.arrived("create-token"), 2);
}

/// Tests each status that the refusal may have.
#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    for status in [401, 400, 403, 500] {
        let seed = (0..).find(|seed| Quirks::from_seed(*seed).login_failed == status).unwrap();
        let world = World::on(still_sandbox().seed(seed)).await;
        let (pia, _) = signing_in(&world, PASSWORD);
        pia.account().await.unwrap();
        // The client does not replace a token that it has just created, so we let time pass.
        world.sandbox.clock().advance(Duration::from_secs(3600));
        world.service().end_tokens(USERNAME);
        pia.obtain_config(&ConfigRequest::wireguard("swiss")).await.unwrap();
        assert_eq!((world.arrived("create-token"), world.arrived("add-key")), (2, 2), "{status}");
        // A new token does not help an expired account either.
        world.sandbox.clock().advance(Duration::from_secs(3600 * 3));
        world.service().expire(USERNAME);
        let error = pia.obtain_config(&ConfigRequest::wireguard("swiss")).await.map(drop);
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(status)));
        assert_eq!((world.arrived("create-token"), world.arrived("add-key")), (3, 4), "{status}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    for seed in 0..4 {
        let world = World::on(still_sandbox().seed(seed)).await;
        let (pia, _) = signing_in(&world, "wrong");
        for _ in 0..3 {
            let error = pia.account().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
            world.sandbox.clock().advance(DAY);
        }
        assert_eq!(world.arrived("create-token"), 1);
    }
}

#[tokio::test]
async fn signing_in_too_often_is_rate_limited() {
    for status in [429, 400, 403] {
        let seed = (0..).find(|seed| Quirks::from_seed(*seed).locked == status).unwrap();
        let world = World::on(still_sandbox().seed(seed)).await;
        world.service().set_locked(true);
        let fields = Settings::new().with("username", USERNAME).with("password", PASSWORD);
        let error = world.pia.obtain_credential(&fields).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::RateLimited, Some(status)));
        assert_eq!(error.code(), Some("too_many_attempts"));
    }
}

#[tokio::test]
async fn the_programs_token_store_has_the_token_until_it_is_ended() {
    let world = World::on(still_sandbox()).await;
    let store: Arc<MemoryStore<Credential>> = Arc::new(MemoryStore::new(None));
    let context = Context::default().with_token_store(store.clone());
    let settings = Settings::new().with("url", world.sandbox.pia_url());
    let pia = Pia::open(&settings, &context).unwrap();
    let fields = Settings::new().with("username", USERNAME).with("password", PASSWORD);
    let credential = pia.obtain_credential(&fields).await.unwrap();
    assert!(credential.expires_at.is_some());
    assert_eq!(pia.account().await.unwrap().login.as_deref(), Some(USERNAME));
    let before = world.service().tokens(USERNAME);
    for _ in 0..2 {
        pia.revoke_credential(&credential).await.unwrap();
    }
    assert_eq!(world.service().tokens(USERNAME), before - 1);
    assert!(store.load().await.unwrap().is_none());
}
