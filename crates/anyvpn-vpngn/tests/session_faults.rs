//! What a session sends when tokens expire, are refused or cannot be stored, and what it reports.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Advice, LeftoverKind, Timestamp};
use anyvpn_http::{
    Binding, BoundToken, Clock as _, MemoryStore, Operation as _, RetryPolicy, TokenStore,
};
use anyvpn_lab::full_store::FullStore;
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use anyvpn_vpngn::ops::{GetProducts, ResetPassword, TokenRefresh, Tokens};
use anyvpn_vpngn::{Access, Error, ErrorKind, Proof, SessionTokens, Vpngn};
use futures_util::future::join_all;
use serde_json::json;
use world::{EMAIL, PASSWORD};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
/// When the tokens of [`tokens`] were created.
const BEGAN: &str = "2026-01-01T00:00:00Z";

fn get_products() -> GetProducts {
    GetProducts { email: EMAIL.to_owned() }
}

fn binding(email: &str) -> Binding {
    Binding::new("vpngn", "https://acme.vpngn.com", Some(email.to_owned()))
}

/// Tokens created at [`BEGAN`]: the short one for 12 hours, the long one for 30 days.
fn tokens() -> BoundToken<SessionTokens> {
    let began: Timestamp = BEGAN.parse().unwrap();
    let tokens = SessionTokens {
        short_token: "short-1".into(),
        short_token_expires_at: began + 12 * HOUR,
        long_token: "long-1".into(),
        long_token_expires_at: began + 30 * 24 * HOUR,
    };
    BoundToken::new(binding(EMAIL), tokens).with_made_at(began)
}

/// What a client experiences in a script.
struct Scripted {
    script: Script,
    clock: VirtualTime,
}

impl Scripted {
    /// Time passes.
    async fn wait(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    fn arrived(&self) -> usize {
        self.script.arrived()
    }
}

/// Returns a client for a script, this long after [`BEGAN`].
fn scripted_client(after: Duration, steps: impl IntoIterator<Item = Step>) -> (Vpngn, Scripted) {
    let now = BEGAN.parse::<Timestamp>().unwrap().checked_add(after).unwrap_or(Timestamp::MAX);
    let (script, clock) = (Script::new(steps), VirtualTime::new(now));
    let vpngn = Vpngn::brand("acme")
        .unwrap()
        .credential(Access::new("key", Proof::None))
        .transport(Arc::new(script.clone()))
        .clock(Arc::new(clock.clone()))
        // A wait between attempts would move the clock.
        .retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() })
        .build()
        .unwrap();
    (vpngn, Scripted { script, clock })
}

/// Returns a session with [`tokens`] that starts this long after they were created.
async fn scripted(after: Duration, steps: impl IntoIterator<Item = Step>) -> (Vpngn, Scripted) {
    let (vpngn, world) = scripted_client(after, steps);
    let store = Arc::new(MemoryStore::new(Some(tokens())));
    (vpngn.with_session(EMAIL, store).await.unwrap(), world)
}

/// Returns the requests: each call, and the token that it used.
fn sent(scripted: &Scripted) -> Vec<(String, String)> {
    let sent = scripted.script.sent();
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

/// Checks the message for a user who has to sign in again.
fn says(error: &Error, words: &str) {
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.to_string().contains("sign in with the password"), "{error}");
}

#[tokio::test]
async fn the_expiry_of_the_long_token_is_reported() {
    let (vpngn, script) = scripted(30 * 24 * HOUR, []).await;
    let error = vpngn.call(get_products()).await.unwrap_err();
    says(&error, "the long token of jo@example.com ended at 2026-01-31T00:00:00Z");
    assert_eq!(error.operation(), Some(GetProducts::ID));
    assert_eq!(script.arrived(), 0);

    // The token was revoked early.
    for steps in [vec![denied()], vec![denied(), denied()]] {
        let after = if steps.len() == 1 { 12 * HOUR } else { HOUR };
        let (vpngn, script) = scripted(after, steps.clone()).await;
        let error = vpngn.call(get_products()).await.unwrap_err();
        says(&error, "the long token was refused");
        assert_eq!(script.arrived(), steps.len());
    }

    let (vpngn, script) = scripted_client(HOUR, []);
    let nothing = vpngn.with_session(EMAIL, Arc::new(MemoryStore::new(None))).await.unwrap();
    let error = nothing.call(get_products()).await.unwrap_err();
    says(&error, "no tokens are stored for jo@example.com");
    assert_eq!(script.arrived(), 0);
}

/// A failed refresh keeps the old tokens, so that the next call can try again.
#[tokio::test]
async fn a_failed_refresh_loses_nothing() {
    let garbage = Step::json(200, r#"{"status":"success"}"#);
    let page = Step::Reply(200, Vec::new(), b"<html>".to_vec());
    let refused = Step::json(403, r#"{"status":"error"}"#);
    for (failed, is_refused) in [(garbage, false), (page, false), (refused, true)] {
        let (vpngn, script) = scripted(12 * HOUR, [failed, refreshed(), products()]).await;
        let error = vpngn.call(get_products()).await.unwrap_err().to_string();
        assert_eq!(error.contains("sign in with the password again"), is_refused, "{error}");
        script.wait(Duration::from_secs(1)).await;
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
    // The times in the document's sample match its timestamps.
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

/// VPNGN revokes the old tokens when it creates new ones, so losing the new ones would lock the
/// customer out.
#[tokio::test]
async fn tokens_that_cannot_be_stored_are_used_reported_and_stored_later() {
    let steps = [refreshed(), products(), products(), products()];
    let (vpngn, script) = scripted_client(12 * HOUR, steps);
    let store = Arc::new(FullStore::new(MemoryStore::new(Some(tokens()))));
    let session = vpngn.with_session(EMAIL, store.clone()).await.unwrap();
    assert!(session.unsaved_tokens().is_none());
    session.call(get_products()).await.unwrap();
    session.call(get_products()).await.unwrap();
    assert_eq!(
        pairs(&sent(&script)),
        [("TokenRefresh", "long-1"), ("GetProducts", "short-2"), ("GetProducts", "short-2")]
    );

    let unsaved = session.unsaved_tokens().unwrap();
    assert_eq!(unsaved.token.token.long_token.expose(), "long-2");
    assert!(unsaved.error.to_string().contains("the disk is full"), "{}", unsaved.error);
    assert_eq!(unsaved.error.advice(), Advice::ReadBack);
    let [leftover] = unsaved.error.left_behind() else { panic!("{:?}", unsaved.error) };
    assert_eq!(leftover.kind, LeftoverKind::Token);
    assert_eq!(leftover.text.as_ref().unwrap().expose(), "short-2");
    assert!(!format!("{unsaved:?}").contains("short-2"));

    store.set_full(false);
    script.wait(Duration::from_secs(5)).await;
    session.call(get_products()).await.unwrap();
    assert!(session.unsaved_tokens().is_none());
    let stored = store.load().await.unwrap().unwrap();
    assert_eq!(stored.token.short_token.expose(), "short-2");
}

#[tokio::test]
async fn tokens_of_a_sign_in_are_used_even_if_they_cannot_be_stored() {
    let (vpngn, script) = scripted_client(Duration::ZERO, [refreshed(), products()]);
    let store = Arc::new(FullStore::new(MemoryStore::new(None)));
    let session = vpngn.sign_in_customer(EMAIL, PASSWORD.into(), store).await.unwrap();
    session.call(get_products()).await.unwrap();
    assert_eq!(script.arrived(), 2);
    assert!(session.unsaved_tokens().is_some());
}

/// Half of a reply is not a session, and the tokens exist nevertheless.
#[tokio::test]
async fn an_incomplete_pair_of_tokens_is_an_error_with_the_other_token_as_leftover() {
    let half = Step::json(200, r#"{"status":"success","short_token":"canary-half"}"#);
    let (vpngn, _) = scripted_client(Duration::ZERO, [half]);
    let store = Arc::new(MemoryStore::new(None));
    let error = vpngn.sign_in_customer(EMAIL, PASSWORD.into(), store).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::UnexpectedReply, Advice::ReadBack));
    let [leftover] = error.left_behind() else { panic!("{error:?}") };
    assert_eq!((leftover.kind, leftover.id()), (LeftoverKind::Token, EMAIL));
    assert_eq!(leftover.text.as_ref().unwrap().expose(), "canary-half");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

/// Stored tokens belong to one customer at one address, and are sent nowhere else.
#[tokio::test]
async fn tokens_of_another_customer_or_address_are_refused_before_anything_is_sent() {
    let (vpngn, script) = scripted_client(HOUR, []);
    let elsewhere = Binding::new("vpngn", "https://other.vpngn.com", Some(EMAIL.to_owned()));
    let provider = Binding::new("other", "https://acme.vpngn.com", Some(EMAIL.to_owned()));
    let nobody = Binding::new("vpngn", "https://acme.vpngn.com", None);
    for other in [binding("eve@example.com"), elsewhere, provider, nobody] {
        let stored = BoundToken::new(other.clone(), tokens().token);
        let store = Arc::new(MemoryStore::new(Some(stored)));
        let session = vpngn.with_session(EMAIL, store.clone()).await.map(drop);
        let sign_in = vpngn.sign_in_customer(EMAIL, PASSWORD.into(), store.clone()).await.map(drop);
        for error in [session.unwrap_err(), sign_in.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            for part in [other.to_string(), binding(EMAIL).to_string()] {
                assert!(error.to_string().contains(&part), "{error}");
            }
        }
        // They are still stored for that customer.
        assert_eq!(store.load().await.unwrap().unwrap().binding, other);
    }
    assert_eq!(script.arrived(), 0);

    // Replaced while the session runs.
    let store = Arc::new(MemoryStore::new(Some(tokens())));
    let session = vpngn.with_session(EMAIL, store.clone()).await.unwrap();
    let eve = BoundToken::new(binding("eve@example.com"), tokens().token);
    store.lock().await.unwrap().save(Some(&eve)).await.unwrap();
    let error = session.call(get_products()).await.unwrap_err();
    assert!(error.to_string().contains("eve@example.com"), "{error}");
    assert_eq!(script.arrived(), 0);
}

#[tokio::test]
async fn a_clock_at_the_end_of_time_does_not_panic() {
    let end = Duration::MAX;
    let (session, script) = scripted(end, []).await;
    let error = session.call(get_products()).await.unwrap_err();
    says(&error, "the long token of jo@example.com ended");
    assert_eq!(script.arrived(), 0);

    // Tokens without a reported expiry.
    let made = Step::json(200, r#"{"status":"success","short_token":"s","long_token":"l"}"#);
    for reply in [made, refreshed()] {
        let (vpngn, script) = scripted_client(end, [reply, products(), products()]);
        let store = Arc::new(MemoryStore::new(None));
        let session = vpngn.sign_in_customer(EMAIL, PASSWORD.into(), store).await.unwrap();
        for _ in 0..2 {
            session.call(get_products()).await.unwrap();
        }
        assert_eq!(script.arrived(), 3, "new tokens are used until they are refused");
    }
}

/// A token's expiry is meaningless if the clock is wrong.
#[tokio::test]
async fn a_clock_far_ahead_does_not_refresh_on_every_call() {
    // Ahead by the token's whole life, and by almost as much.
    for ahead in [13 * HOUR, 12 * HOUR - 4 * MINUTE] {
        let ends = BEGAN.parse::<Timestamp>().unwrap() + 12 * HOUR;
        let reply = json!({
            "status": "success", "short_token": "short-2", "long_token": "long-2",
            "short_token_expire_ts": ends.as_second(), "long_token_expire_ts": 1_900_000_000,
        });
        let steps = [Step::json(200, &reply.to_string())];
        let steps = steps.into_iter().chain(std::iter::repeat_with(products).take(10));
        let (session, script) = scripted(ahead, steps).await;
        for _ in 0..10 {
            session.call(get_products()).await.unwrap();
        }
        assert_eq!(pairs(&sent(&script))[0], ("TokenRefresh", "long-1"));
        assert_eq!(script.arrived(), 11, "{ahead:?}");
    }
}

/// A token is valid until it expires, even if there is no other one.
#[tokio::test]
async fn a_failed_refresh_does_not_fail_calls_with_a_valid_token() {
    let unavailable = Step::json(503, r#"{"status":"error"}"#);
    let steps = [unavailable, products(), products(), products(), refreshed(), products()];
    let (session, script) = scripted(12 * HOUR - 4 * MINUTE, steps).await;
    for _ in 0..3 {
        session.call(get_products()).await.unwrap();
    }
    script.wait(MINUTE).await;
    session.call(get_products()).await.unwrap();
    let refresh = [("TokenRefresh", "long-1")];
    let calls = [("GetProducts", "short-1"); 3];
    let then = [("TokenRefresh", "long-1"), ("GetProducts", "short-2")];
    assert_eq!(pairs(&sent(&script)), [&refresh[..], &calls, &then].concat());
}

/// An endpoint that always answers 401 does not cause a new token for each call.
#[tokio::test]
async fn a_token_that_was_made_a_moment_ago_is_not_renewed() {
    let steps = [denied(), refreshed()];
    let steps = steps.into_iter().chain(std::iter::repeat_with(denied).take(10));
    let (session, script) = scripted(HOUR, steps).await;
    for _ in 0..10 {
        let error = session.call(get_products()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    }
    let sent = sent(&script);
    assert_eq!(sent.iter().filter(|(call, _)| call == "TokenRefresh").count(), 1);
    assert_eq!(sent.len(), 12);
}

/// All callers that wait for a refresh get its failure, and later ones wait before they try.
#[tokio::test]
async fn fifty_callers_share_the_failure_of_one_refresh() {
    let refusal = || Step::json(403, r#"{"status":"error","message":"try later"}"#);
    let (session, script) = scripted(12 * HOUR, std::iter::repeat_with(refusal).take(3)).await;
    let all = join_all((0..50).map(|_| session.call(get_products()))).await;
    for outcome in all {
        assert_eq!(outcome.unwrap_err().message(), Some("try later"));
    }
    assert_eq!(script.arrived(), 1);
    // The wait doubles each time.
    for (wait, arrived) in [(999, 1), (1, 2), (1_999, 2), (1, 3)] {
        script.wait(Duration::from_millis(wait)).await;
        let error = session.call(get_products()).await.unwrap_err();
        assert_eq!(script.arrived(), arrived, "{error}");
    }
}
