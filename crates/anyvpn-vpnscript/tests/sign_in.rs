#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Signing in happens once for all callers and programs, and the token is stored.

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Accounts, Advice, ErrorKind, reveal};
use anyvpn_http::{Binding, BoundToken, FileStore, MemoryStore, TokenStore};
use anyvpn_lab::full_store::FullStore;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_vpnscript::{Error, Password, Secret, VpnScript};
use futures_util::future::join_all;
use world::{PASSWORD, USERNAME, World};

/// A token that has been valid for this long does not count as just created.
const LONG: Duration = Duration::from_secs(2 * 3600);

fn signing_in(world: &World, password: &str, store: Arc<dyn TokenStore<Secret>>) -> VpnScript {
    let password = Password::new(USERNAME, Secret::from(password), "Liam's laptop");
    world::client(world.builder()).with_sign_in(password, store)
}

fn bound(world: &World, token: &str) -> BoundToken<Secret> {
    let url = world.sandbox.vpnscript_url();
    BoundToken::new(Binding::new("vpnscript", url, Some(USERNAME.to_owned())), token.into())
}

fn memory(world: &World, token: Option<&str>) -> Arc<MemoryStore<Secret>> {
    Arc::new(MemoryStore::new(token.map(|token| bound(world, token))))
}

async fn kept(store: &dyn TokenStore<Secret>) -> Option<String> {
    store.load().await.unwrap().map(|stored| stored.token.expose().to_owned())
}

#[tokio::test]
async fn fifty_callers_sign_in_once() {
    // Tests a client without a token, and one whose token is not valid any more.
    for token in [None, Some("1|of-last-year")] {
        let world = World::new(0).await;
        let store = memory(&world, token);
        let vpn = signing_in(&world, PASSWORD, store.clone());
        for account in join_all((0..50).map(|_| vpn.account())).await {
            assert_eq!(account.unwrap().login.as_deref(), Some(USERNAME));
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
    let vpn = signing_in(&world, PASSWORD, memory(&world, None));
    for renewals in 1..4 {
        let all = join_all((0..50).map(|_| vpn.account())).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert_eq!(world.arrived("create-token"), renewals);
        world.service().revoke_tokens(USERNAME);
        world.sandbox.clock().advance(LONG);
    }
}

#[tokio::test]
async fn the_store_keeps_the_token_for_the_next_program() {
    let world = World::new(0).await;
    let store = memory(&world, None);
    signing_in(&world, PASSWORD, store.clone()).account().await.unwrap();
    let token = kept(&*store).await.unwrap();
    signing_in(&world, PASSWORD, store.clone()).account().await.unwrap();
    assert_eq!(world.arrived("create-token"), 1);
    assert_eq!(kept(&*store).await, Some(token));
}

#[tokio::test]
async fn a_wrong_password_is_an_error_and_nothing_is_stored() {
    let world = World::new(0).await;
    let store = memory(&world, None);
    let error = signing_in(&world, "wrong-canary", store.clone()).account().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(422)), "{error}");
    assert_eq!(error.message(), Some("The provided credentials are incorrect."));
    assert_eq!(error.advice(), Advice::SignIn);
    assert_eq!(error.operation().map(|id| id.name()), Some("create-token"));
    assert!(!format!("{error} {error:?}").contains("wrong-canary"));
    assert_eq!(kept(&*store).await, None);
    assert_eq!((world.arrived("create-token"), world.arrived("get-account")), (1, 0));
}

/// Many callers with a wrong password would lock the account.
#[tokio::test]
async fn a_refused_sign_in_is_not_tried_again() {
    let world = World::new(0).await;
    let vpn = signing_in(&world, "wrong-canary", memory(&world, None));
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
    let error = signing_in(&world, PASSWORD, memory(&world, None)).account().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Suspended, "{error}");
    assert!(error.to_string().contains("Unpaid invoice"), "{error}");
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_is_the_end() {
    let world = World::new(0).await;
    let vpn = signing_in(&world, PASSWORD, memory(&world, Some("1|of-last-year")));
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

/// The reply is lost. Whether a token was created is not known, so no second one is created.
#[tokio::test]
async fn a_lost_sign_in_is_not_repeated() {
    let world = World::new(0).await;
    world
        .sandbox
        .inject(FaultRule::once("vpnscript.create-token", Fault::Wire("reset-after")))
        .unwrap();
    let error = signing_in(&world, PASSWORD, memory(&world, None)).account().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
    assert_eq!(world.arrived("create-token"), 1);
}

/// All callers that wait for a sign-in get its outcome, even if it is unknown.
#[tokio::test]
async fn fifty_callers_and_a_lost_reply_sign_in_once() {
    let world = World::new(0).await;
    world
        .sandbox
        .inject(FaultRule::once("vpnscript.create-token", Fault::Wire("reset-after")))
        .unwrap();
    let vpn = signing_in(&world, PASSWORD, memory(&world, None));
    for account in join_all((0..50).map(|_| vpn.account())).await {
        assert_eq!(account.unwrap_err().kind(), ErrorKind::Ambiguous);
    }
    assert_eq!(world.arrived("create-token"), 1);
    // Later callers wait before they try again.
    let error = vpn.account().await.unwrap_err();
    assert!(error.to_string().contains("the next attempt is in 1 s"), "{error}");
    assert_eq!(world.arrived("create-token"), 1);
    world.sandbox.clock().advance(Duration::from_secs(1));
    vpn.account().await.unwrap();
    assert_eq!(world.arrived("create-token"), 2);
}

/// An endpoint that always answers 401 does not cause a new token for each call.
#[tokio::test]
async fn a_token_that_was_made_a_moment_ago_is_not_renewed() {
    let world = World::new(0).await;
    let vpn = signing_in(&world, PASSWORD, memory(&world, None));
    let operation = Some("vpnscript.get-account".to_owned());
    world.sandbox.inject(FaultRule { operation, ..FaultRule::always(Fault::Status(401)) }).unwrap();
    for _ in 0..10 {
        let error = vpn.account().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    }
    assert_eq!((world.arrived("create-token"), world.arrived("get-account")), (1, 10));
}

/// Each token stays at the provider until a person deletes it, so the client creates none without
/// need.
#[tokio::test]
async fn ten_calls_with_a_full_store_make_one_token() {
    let world = World::new(0).await;
    let store = Arc::new(FullStore::new(MemoryStore::new(None)));
    let vpn = signing_in(&world, PASSWORD, store.clone());
    for _ in 0..10 {
        vpn.account().await.unwrap();
        world.sandbox.clock().advance(Duration::from_secs(60));
    }
    assert_eq!(world.arrived("create-token"), 1);
    let unsaved = vpn.unsaved_token().unwrap();
    assert_eq!(unsaved.error.advice(), Advice::ReadBack);
    let text = unsaved.error.left_behind()[0].text.as_ref().unwrap();
    assert_eq!(text.expose(), unsaved.token.token.expose());

    store.set_full(false);
    world.sandbox.clock().advance(LONG);
    vpn.account().await.unwrap();
    assert!(vpn.unsaved_token().is_none());
    assert_eq!(kept(&*store).await.as_deref(), Some(unsaved.token.token.expose()));
    assert_eq!(world.arrived("create-token"), 1);
}

/// A user's token for one installation is sent to no other installation and for no other user.
#[tokio::test]
async fn a_token_of_another_person_or_installation_is_not_sent() {
    let world = World::new(0).await;
    let (url, liam) = (world.sandbox.vpnscript_url(), Some(USERNAME.to_owned()));
    for binding in [
        Binding::new("vpnscript", &url, Some("eve".to_owned())),
        Binding::new("vpnscript", "https://vpn.example.com", liam.clone()),
        Binding::new("azire", &url, liam),
    ] {
        let token = BoundToken::new(binding.clone(), Secret::from(world.token.as_str()));
        let store = Arc::new(MemoryStore::new(Some(token)));
        let error = signing_in(&world, PASSWORD, store.clone()).account().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(&binding.to_string()), "{error}");
        assert_eq!(kept(&*store).await.as_deref(), Some(&*world.token));
    }
    assert!(world.sandbox.received().is_empty());
}

/// A byte order mark would be sent as a part of the token.
#[tokio::test]
async fn an_unsendable_token_is_refused() {
    let world = World::new(0).await;
    for before in ["\u{feff}", " ", "\u{e9}"] {
        let token = Secret::from(format!("{before}{}", world.token));
        let error = world.vpn.with_token(token).account().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.fields()["token"][0].contains("it starts with"), "{error}");
    }
    assert!(world.sandbox.received().is_empty());
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
            assert_eq!(account.unwrap().login.as_deref(), Some(USERNAME));
        }
        assert_eq!(world.arrived("create-token"), round);
        world.service().revoke_tokens(USERNAME);
        world.sandbox.clock().advance(LONG);
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
            let advice = format!("chmod 600 {}", path.display());
            assert!(error.to_string().contains(&advice), "{error}");
            assert!(world.sandbox.received().is_empty(), "something was sent");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        vpn.account().await.unwrap();
    }

    /// A program that has the old file open or linked keeps the whole old token, because the file
    /// is replaced and not overwritten.
    #[tokio::test]
    async fn a_file_is_exchanged_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let store = FileStore::new(&path);
        let save = async |token: Option<&str>| -> Result<(), Error> {
            let binding = Binding::new("vpnscript", "https://vpn.example.com", None);
            let token = token.map(|token| BoundToken::new(binding, Secret::from(token)));
            store.lock().await?.save(token.as_ref()).await
        };
        save(Some("1|first")).await.unwrap();
        let old = folder.path().join("old");
        fs::hard_link(&path, &old).unwrap();
        save(Some("2|second")).await.unwrap();
        let text = fs::read_to_string(&old).unwrap();
        assert!(text.ends_with("\"token\":\"1|first\"}"), "{text}");
        assert_eq!(kept(&store).await.unwrap(), "2|second");
        assert_eq!(mode(&path), 0o600);
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["old", "token"], "nothing half-written stays");

        save(None).await.unwrap();
        assert!(kept(&store).await.is_none() && !path.exists());
        // A text that is not JSON, and a file from before tokens were bound to an account.
        for text in ["not json", "\"1|first\""] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let error = TokenStore::<Secret>::load(&store).await.unwrap_err();
            assert!(error.to_string().contains("delete it and sign in again"), "{error}");
        }
        let (shown, _) = reveal(|| serde_json::to_string(&Secret::from("1|first")));
        assert_eq!(shown.unwrap(), "\"1|first\"");
    }
}
