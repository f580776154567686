//! A session keeps a customer's tokens fresh: once for all who share its store, and it says so when it
//! cannot.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyvpn_core::Timestamp;
use anyvpn_http::{FileStore, MemoryStore, Operation, TokenStore};
use anyvpn_sandbox::{Clock, Sandbox};
use anyvpn_testkit::scripted::{Script, Step, StillClock};
use anyvpn_vpngn::ops::{GetProducts, ResetPassword, TokenRefresh, Tokens};
use anyvpn_vpngn::{Access, Error, ErrorKind, Proof, SessionTokens, Vpngn};
use futures_util::future::join_all;
use serde_json::json;
use world::{Credential, EMAIL, PASSWORD, SharedClock, World};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
/// When the tokens of [`tokens`] were made.
const BEGAN: &str = "2026-01-01T00:00:00Z";

async fn world() -> World {
    World::from(Sandbox::builder().clock(Clock::fixed(BEGAN.parse().unwrap()))).await
}

/// A client with a session of the world's customer, on the sandbox's clock.
async fn session(world: &World, store: Arc<dyn TokenStore<SessionTokens>>) -> Vpngn {
    let builder = world.builder(Credential::None);
    let builder = builder.clock(Arc::new(SharedClock::of(&world.sandbox)));
    let vpngn = builder.limits(SharedClock::limits()).build().unwrap();
    vpngn.with_session(EMAIL, store).await.unwrap()
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

/// A token that has ended before its time, as with another program's refresh, is known by its refusal.
#[tokio::test]
async fn two_hundred_calls_with_a_refused_token_refresh_it_once() {
    // Only the short token has ended, so that the long one can make another.
    let sandbox = Sandbox::builder().clock(Clock::fixed(BEGAN.parse().unwrap()));
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

/// Whoever gives up waiting, also in the middle of a refresh, leaves the session to the others.
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

/// Tokens made at [`BEGAN`]: the short one for 12 hours, the long one for 30 days.
fn tokens() -> SessionTokens {
    let began: Timestamp = BEGAN.parse().unwrap();
    SessionTokens {
        short_token: "short-1".into(),
        short_token_expires_at: began + 12 * HOUR,
        long_token: "long-1".into(),
        long_token_expires_at: began + 30 * 24 * HOUR,
    }
}

/// A session with [`tokens`] that begins so long after they were made.
async fn scripted(after: Duration, steps: impl IntoIterator<Item = Step>) -> (Vpngn, Script) {
    let script = Script::new(steps);
    let clock = StillClock::new(BEGAN.parse::<Timestamp>().unwrap() + after);
    let vpngn = Vpngn::brand("acme")
        .unwrap()
        .credential(Access::new("key", Proof::None))
        .transport(Arc::new(script.clone()))
        .clock(Arc::new(clock))
        .build()
        .unwrap();
    let store = Arc::new(MemoryStore::new(Some(tokens())));
    (vpngn.with_session(EMAIL, store).await.unwrap(), script)
}

/// What was sent: the call and the token that went with it.
fn sent(script: &Script) -> Vec<(String, String)> {
    let sent = script.sent();
    let sent = sent.iter().map(|request| {
        let (_, call) = request.uri().path().rsplit_once('/').unwrap();
        let bearer = request.headers()["authorization"].to_str().unwrap();
        (call.to_owned(), bearer.trim_start_matches("Bearer ").to_owned())
    });
    sent.collect()
}

fn products() -> Step {
    Step::json(200, r#"{"status":"success","response":[]}"#)
}

fn refreshed() -> Step {
    let reply = json!({
        "status": "success", "short_token": "short-2", "long_token": "long-2",
        "short_token_expire_ts": 1_800_000_000, "long_token_expire_ts": 1_900_000_000,
    });
    Step::json(200, &reply.to_string())
}

fn denied() -> Step {
    Step::json(401, r#"{"status":"error","message":"no"}"#)
}

fn pairs(sent: &[(String, String)]) -> Vec<(&str, &str)> {
    sent.iter().map(|(call, token)| (call.as_str(), token.as_str())).collect()
}

#[tokio::test]
async fn a_token_is_refreshed_five_minutes_before_its_end() {
    let margin = 12 * HOUR - 5 * MINUTE;
    for (after, fresh) in [
        (Duration::ZERO, true),
        (margin - Duration::from_secs(1), true),
        (margin, false),
        (12 * HOUR, false),
        (29 * 24 * HOUR, false),
    ] {
        let steps = if fresh { vec![products()] } else { vec![refreshed(), products()] };
        let (vpngn, script) = scripted(after, steps).await;
        vpngn.call(get_products()).await.unwrap();
        let sent = sent(&script);
        match fresh {
            true => assert_eq!(pairs(&sent), [("GetProducts", "short-1")], "{after:?}"),
            false => assert_eq!(
                pairs(&sent),
                [("TokenRefresh", "long-1"), ("GetProducts", "short-2")],
                "{after:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_a_call() {
    let steps = [denied(), refreshed(), products()];
    let (vpngn, script) = scripted(HOUR, steps).await;
    vpngn.call(get_products()).await.unwrap();
    let calls = sent(&script);
    let one = [("GetProducts", "short-1"), ("TokenRefresh", "long-1"), ("GetProducts", "short-2")];
    assert_eq!(pairs(&calls), one);

    let (vpngn, script) = scripted(HOUR, [denied(), refreshed(), denied(), refreshed()]).await;
    let error = vpngn.call(get_products()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    assert_eq!(pairs(&sent(&script)), one);
}

/// What must be told to somebody who has to sign in again.
fn says(error: &Error, words: &str) {
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.to_string().contains("sign in with the password"), "{error}");
}

#[tokio::test]
async fn the_end_of_the_long_token_is_told() {
    let (vpngn, script) = scripted(30 * 24 * HOUR, []).await;
    let error = vpngn.call(get_products()).await.unwrap_err();
    says(&error, "the long token of jo@example.com ended at 2026-01-31T00:00:00Z");
    assert_eq!(error.operation(), Some(GetProducts::ID));
    assert_eq!(script.arrived(), 0);

    // Ended before its time.
    for steps in [vec![denied()], vec![denied(), denied()]] {
        let after = if steps.len() == 1 { 12 * HOUR } else { HOUR };
        let (vpngn, script) = scripted(after, steps.clone()).await;
        let error = vpngn.call(get_products()).await.unwrap_err();
        says(&error, "the long token was refused");
        assert_eq!(script.arrived(), steps.len());
    }

    let world = world().await;
    let nothing = session(&world, Arc::new(MemoryStore::new(None))).await;
    let error = nothing.call(get_products()).await.unwrap_err();
    says(&error, "there are no tokens of jo@example.com");
    assert_eq!(world.sandbox.received(), []);
}

/// A failed refresh leaves the old tokens, for the next call to try again.
#[tokio::test]
async fn a_failed_refresh_loses_nothing() {
    let garbage = Step::json(200, r#"{"status":"success"}"#);
    let page = Step::Reply(200, Vec::new(), b"<html>".to_vec());
    let refused = Step::json(403, r#"{"status":"error"}"#);
    for (failed, is_refused) in [(garbage, false), (page, false), (refused, true)] {
        let (vpngn, script) = scripted(12 * HOUR, [failed, refreshed(), products()]).await;
        let error = vpngn.call(get_products()).await.unwrap_err().to_string();
        assert_eq!(error.contains("sign in with the password again"), is_refused, "{error}");
        vpngn.call(get_products()).await.unwrap();
        let calls = sent(&script);
        let again =
            [("TokenRefresh", "long-1"), ("TokenRefresh", "long-1"), ("GetProducts", "short-2")];
        assert_eq!(pairs(&calls), again);
    }
}

#[tokio::test]
async fn a_session_is_for_the_customers_calls() {
    let (vpngn, script) = scripted(HOUR, []).await;
    let error = vpngn.call(ResetPassword { email: EMAIL.to_owned() }).await.unwrap_err();
    assert!(error.fields().contains_key("credential"), "{error}");
    let error = vpngn.call(TokenRefresh { email: EMAIL.to_owned() }).await.unwrap_err();
    assert!(error.fields().contains_key("credential"), "{error}");
    let error = vpngn.call(world::newcomer("a@example.com")).await.unwrap_err();
    assert!(error.fields().contains_key("credential"), "{error}");
    assert_eq!(script.arrived(), 0);
}

#[test]
fn seconds_win_over_a_text_and_a_text_is_utc() {
    let now: Timestamp = BEGAN.parse().unwrap();
    let ends = |times: serde_json::Value| {
        let mut reply = json!({"short_token": "short", "long_token": "long"});
        reply.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        let tokens: Tokens = serde_json::from_value(reply).unwrap();
        let tokens = SessionTokens::new(tokens, now).unwrap();
        (tokens.short_token_expires_at.to_string(), tokens.long_token_expires_at.to_string())
    };
    let both = ends(json!({
        "short_token_expire": "2030-01-01 00:00:00", "short_token_expire_ts": 1_643_168_734,
        "long_token_expire": "2030-01-01 00:00:00", "long_token_expire_ts": 1_656_547_200,
    }));
    assert_eq!(both, ("2022-01-26T03:45:34Z".to_owned(), "2022-06-30T00:00:00Z".to_owned()));
    // The texts of the document's sample agree with its seconds.
    let texts = ends(json!({
        "short_token_expire": "2022-01-26 03:45:34", "long_token_expire": "2022-06-30 00:00:00",
    }));
    assert_eq!(texts, both);
    let usual = ("2026-01-01T12:00:00Z".to_owned(), "2026-01-31T00:00:00Z".to_owned());
    for none in [
        json!({}),
        json!({"short_token_expire": "soon", "long_token_expire": ""}),
        json!({"short_token_expire_ts": null, "long_token_expire": "0000-00-00 00:00:00"}),
    ] {
        assert_eq!(ends(none.clone()), usual, "{none}");
    }
    for missing in ["short_token", "long_token"] {
        let mut reply = json!({"short_token": "short", "long_token": "long"});
        reply[missing] = json!(null);
        let tokens: Tokens = serde_json::from_value(reply).unwrap();
        let error = SessionTokens::new(tokens, now).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
        assert!(error.to_string().contains(missing), "{error}");
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
    file(&path).save(Some(&world.tokens())).await.unwrap();
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
    let builder = world.builder(Credential::None).clock(Arc::new(SharedClock::of(&world.sandbox)));
    let vpngn = builder.limits(SharedClock::limits()).build().unwrap();
    let wrong = vpngn.sign_in(EMAIL, "Wrong-Passw0rd".into(), file(&path)).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Unauthorized);
    assert!(!path.exists());

    let signed_in = vpngn.sign_in(EMAIL, PASSWORD.into(), file(&path)).await.unwrap();
    signed_in.call(get_products()).await.unwrap();
    let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    world.sandbox.clear_received();

    // A later run of the program: nothing but the file.
    let later = session(&world, file(&path)).await;
    later.call(get_products()).await.unwrap();
    assert_eq!(world.arrived(TokenRefresh::ID), 0);
    world.sandbox.clock().advance(12 * HOUR);
    later.call(get_products()).await.unwrap();
    assert_eq!((world.arrived(TokenRefresh::ID), mode()), (1, 0o600));
    let kept = file(&path).load().await.unwrap().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(kept.short_token.expose()), "the file does not hold the token");
    assert!(!format!("{kept:?}").contains(kept.short_token.expose()));

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let error = later.call(get_products()).await.unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}
