#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Signing in: once for all callers and programs, and the token is kept.

mod world;

use std::sync::Arc;

use anyvpn_core::{Accounts, Advice, ErrorKind, reveal};
use anyvpn_http::{FileStore, MemoryStore, TokenStore};
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_vpnscript::{Error, Password, Secret, VpnScript};
use futures_util::future::join_all;
use world::{PASSWORD, USERNAME, World};

fn signing_in(world: &World, password: &str, store: Arc<dyn TokenStore<Secret>>) -> VpnScript {
    let password = Password::new(USERNAME, Secret::from(password), "Liam's laptop");
    world::client(world.builder()).with_sign_in(password, store)
}

fn memory(token: Option<&str>) -> Arc<MemoryStore<Secret>> {
    Arc::new(MemoryStore::new(token.map(Secret::from)))
}

async fn kept(store: &dyn TokenStore<Secret>) -> Option<String> {
    store.load().await.unwrap().map(|token| token.expose().to_owned())
}

#[tokio::test]
async fn fifty_callers_sign_in_once() {
    // Without a token, and with one that is not known any more.
    for token in [None, Some("1|of-last-year")] {
        let world = World::new(0).await;
        let store = memory(token);
        let vpn = signing_in(&world, PASSWORD, store.clone());
        for account in join_all((0..50).map(|_| vpn.account())).await {
            assert_eq!(account.unwrap().login, USERNAME);
        }
        assert_eq!(world.arrived("create-token"), 1);
        let old = if token.is_some() { 50 } else { 0 };
        assert_eq!(world.arrived("get-account"), 50 + old);
        assert_eq!(world.service().tokens(USERNAME), 2, "the account's own and one more");
        assert_ne!(kept(&*store).await.as_deref(), token);
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_again_and_again() {
    let world = World::new(0).await;
    let vpn = signing_in(&world, PASSWORD, memory(None));
    for renewals in 1..4 {
        let all = join_all((0..50).map(|_| vpn.account())).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert_eq!(world.arrived("create-token"), renewals);
        world.service().revoke_tokens(USERNAME);
    }
}

#[tokio::test]
async fn the_store_keeps_the_token_for_the_next_program() {
    let world = World::new(0).await;
    let store = memory(None);
    signing_in(&world, PASSWORD, store.clone()).account().await.unwrap();
    let token = kept(&*store).await.unwrap();
    signing_in(&world, PASSWORD, store.clone()).account().await.unwrap();
    assert_eq!(world.arrived("create-token"), 1);
    assert_eq!(kept(&*store).await, Some(token));
}

#[tokio::test]
async fn a_wrong_password_is_an_error_and_nothing_is_kept() {
    let world = World::new(0).await;
    let store = memory(None);
    let error = signing_in(&world, "wrong-canary", store.clone()).account().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(422)), "{error}");
    assert_eq!(error.message(), Some("The provided credentials are incorrect."));
    assert_eq!(error.advice(), Advice::SignIn);
    assert_eq!(error.operation().map(|id| id.name()), Some("create-token"));
    assert!(!format!("{error} {error:?}").contains("wrong-canary"));
    assert_eq!(kept(&*store).await, None);
    assert_eq!((world.arrived("create-token"), world.arrived("get-account")), (1, 0));
}

/// Many callers with a wrong password would get the account locked.
#[tokio::test]
async fn a_refused_sign_in_is_not_tried_again() {
    let world = World::new(0).await;
    let vpn = signing_in(&world, "wrong-canary", memory(None));
    for account in join_all((0..50).map(|_| vpn.account())).await {
        let error = account.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert_eq!(error.message(), Some("The provided credentials are incorrect."));
    }
    assert_eq!((world.arrived("create-token"), world.arrived("get-account")), (1, 0));
}

#[tokio::test]
async fn a_suspended_account_says_why() {
    let world = World::new(0).await;
    world.service().suspend(USERNAME, Some("Unpaid invoice"));
    let error = signing_in(&world, PASSWORD, memory(None)).account().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Suspended, "{error}");
    assert!(error.to_string().contains("Unpaid invoice"), "{error}");
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_is_the_end() {
    let world = World::new(0).await;
    let vpn = signing_in(&world, PASSWORD, memory(Some("1|of-last-year")));
    let operation = Some("vpnscript.get-account".to_owned());
    world.sandbox.inject(FaultRule { operation, ..FaultRule::always(Fault::Status(401)) }).unwrap();
    let error = vpn.account().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)), "{error}");
    assert_eq!((world.arrived("create-token"), world.arrived("get-account")), (1, 2));
}

#[tokio::test]
async fn a_token_alone_is_not_renewed() {
    let world = World::new(0).await;
    world.service().revoke_tokens(USERNAME);
    let error = world.vpn.account().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert_eq!((world.arrived("create-token"), world.arrived("get-account")), (0, 1));
}

/// The reply is lost: whether a token was made is not known, and no second one is made.
#[tokio::test]
async fn a_lost_sign_in_is_not_repeated() {
    let world = World::new(0).await;
    world
        .sandbox
        .inject(FaultRule::once("vpnscript.create-token", Fault::Wire("reset-after")))
        .unwrap();
    let error = signing_in(&world, PASSWORD, memory(None)).account().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
    assert_eq!(world.arrived("create-token"), 1);
}

#[tokio::test]
async fn two_programs_that_share_a_file_sign_in_once() {
    let world = World::new(0).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let program = || signing_in(&world, PASSWORD, Arc::new(FileStore::new(&path)));
    let (one, two) = (program(), program());
    for round in 1..4 {
        let calls = (0..10).map(|number| if number % 2 == 0 { &one } else { &two });
        for account in join_all(calls.map(Accounts::account)).await {
            assert_eq!(account.unwrap().login, USERNAME);
        }
        assert_eq!(world.arrived("create-token"), round);
        world.service().revoke_tokens(USERNAME);
    }
}

#[cfg(unix)]
mod file {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_is_refused() {
        let world = World::new(0).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let vpn = signing_in(&world, PASSWORD, Arc::new(FileStore::new(&path)));
        vpn.account().await.unwrap();
        assert_eq!(mode(&path), 0o600);
        for open in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
            world.sandbox.clear_received();
            let error = vpn.account().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
            let advice = format!("run `chmod 600 {}`", path.display());
            assert!(error.to_string().contains(&advice), "{error}");
            assert!(world.sandbox.received().is_empty(), "something was sent");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        vpn.account().await.unwrap();
    }

    /// Whoever has the old file open or linked keeps the whole old token: the file is exchanged, and
    /// never written into.
    #[tokio::test]
    async fn a_file_is_exchanged_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let store = FileStore::new(&path);
        let save = async |token: &str| -> Result<(), Error> {
            store.save(Some(&Secret::from(token))).await
        };
        save("1|first").await.unwrap();
        let old = folder.path().join("old");
        fs::hard_link(&path, &old).unwrap();
        save("2|second").await.unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "\"1|first\"");
        assert_eq!(kept(&store).await.unwrap(), "2|second");
        assert_eq!(mode(&path), 0o600);
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["old", "token"], "nothing half-written stays");

        let nothing = None::<&Secret>;
        store.save(nothing).await.unwrap();
        assert!(kept(&store).await.is_none() && !path.exists());
        fs::write(&path, "not json").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let error = TokenStore::<Secret>::load(&store).await.unwrap_err();
        assert!(error.to_string().contains("delete it"), "{error}");
        let (shown, _) = reveal(|| serde_json::to_string(&Secret::from("1|first")));
        assert_eq!(shown.unwrap(), "\"1|first\"");
    }
}
