//! Checks the contract of the pipeline row by row, without a socket and without waiting.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod credentials;
mod foreign;
mod replies;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{
    Client, ClientBuilder, Dialect, Fixed, Limits, Operation, Replay, Reply, Request, RetryPolicy,
    Security,
};
use anyvpn_lab::dropping::poll_at_most;
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use http::StatusCode;
use serde::de::DeserializeOwned;

struct Plain;

impl Dialect for Plain {
    type Provider = Client<Self>;
    type Credential = Secret;

    fn attach(token: Option<&Secret>, security: Security, to: &mut Request) -> Result<(), Error> {
        match token {
            Some(token) if !security.schemes.is_empty() => to.bearer(token),
            None if !security.anonymous => Err(Error::new(ErrorKind::Unauthorized)),
            _ => Ok(()),
        }
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() { reply.json() } else { Err(Self::refusal(reply)) }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        !reply.body.starts_with(b"<")
    }

    fn refusal(reply: &Reply) -> Error {
        let kind = match reply.status.as_u16() {
            401 | 403 => ErrorKind::Unauthorized,
            404 => ErrorKind::NotFound,
            418 => ErrorKind::UnexpectedReply,
            429 => ErrorKind::RateLimited,
            500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Refused,
        };
        match String::from_utf8_lossy(&reply.body) {
            text if text.is_empty() => Error::new(kind),
            text => Error::new(kind).with_message(text),
        }
    }
}

/// Operations that differ in what may be repeated.
macro_rules! operations {
    ($($name:ident: $replay:ident, $method:ident, $output:ty;)+) => {$(
        struct $name;

        impl Operation for $name {
            type Dialect = Plain;
            type Output = $output;
            const ID: OperationId = OperationId::new("plain", stringify!($name));
            const REPLAY: Replay = Replay::$replay;

            fn security(&self) -> Security {
                Security::required(&["bearer"])
            }

            fn request(&self) -> Result<Request, Error> {
                Ok(Request::$method("/thing"))
            }

            fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
                if reply.status == StatusCode::NO_CONTENT {
                    return Ok(Default::default());
                }
                Plain::decode(reply)
            }
        }
    )+};
}

operations! {
    Read: Safe, get, u32;
    Remove: Idempotent, delete, ();
    Rename: Idempotent, put, ();
    Create: Once, post, u32;
}

fn clock() -> VirtualTime {
    VirtualTime::default()
}

fn client_with(
    steps: impl IntoIterator<Item = Step>,
    clock: &VirtualTime,
    change: impl FnOnce(ClientBuilder<Plain>) -> ClientBuilder<Plain>,
) -> (Client<Plain>, Script) {
    let script = Script::new(steps);
    let builder = Client::<Plain>::builder("https://vpn.example.com/base/")
        .token("t0ken")
        .clock(Arc::new(clock.clone()))
        .retry(RetryPolicy { jitter_seed: Some(1), ..RetryPolicy::default() })
        .transport(Arc::new(script.clone()));
    (change(builder).build().unwrap(), script)
}

fn client(steps: impl IntoIterator<Item = Step>) -> (Client<Plain>, Script, VirtualTime) {
    let clock = clock();
    let (client, script) = client_with(steps, &clock, |builder| builder);
    (client, script, clock)
}

fn ok() -> Step {
    Step::json(200, "7")
}

#[tokio::test]
async fn a_request_is_method_path_and_three_headers() {
    let (client, script, _) = client([ok()]);
    assert_eq!(client.call(Read).await.unwrap(), 7);
    let sent = script.sent();
    let [request] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(request.method(), "GET");
    assert_eq!(request.uri(), "https://vpn.example.com/base/thing");
    assert_eq!(request.headers().len(), 3);
    assert_eq!(request.headers()["user-agent"], concat!("anyvpn/", env!("CARGO_PKG_VERSION")));
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(request.headers()["authorization"], "Bearer t0ken");
    assert!(request.headers()["authorization"].is_sensitive());
    assert!(request.body().is_empty());
}

/// The rules for sending again: each step, how often each operation arrives, and its error kind.
#[tokio::test]
async fn retries_follow_the_replay_class() {
    use ErrorKind as K;
    let retry_after = |status, wait: &str| Step::json(status, "").with_header("retry-after", wait);
    // A fault, then a success: arrivals and error kind for Safe, Idempotent and Once.
    type Row = (&'static str, Step, [(usize, Option<ErrorKind>); 3]);
    let rows: [Row; 10] = [
        ("refused", Step::Refuse, [(1, None), (1, None), (1, None)]),
        ("reset", Step::Reset, [(2, None), (2, None), (1, Some(K::Ambiguous))]),
        ("hang", Step::Hang, [(2, None), (2, None), (1, Some(K::Ambiguous))]),
        ("cut", Step::Cut(200, "1".into()), [(2, None), (2, None), (1, Some(K::Ambiguous))]),
        ("429", Step::json(429, ""), [(2, None), (2, None), (2, None)]),
        ("429 wait", retry_after(429, "5"), [(2, None), (2, None), (2, None)]),
        ("503 wait", retry_after(503, "5"), [(2, None), (2, None), (1, Some(K::Unavailable))]),
        ("500", Step::json(500, ""), [(2, None), (2, None), (1, Some(K::Unavailable))]),
        ("400", Step::json(400, ""), [(1, Some(K::Refused)); 3]),
        ("not JSON", Step::json(200, "<"), [(1, Some(K::UnexpectedReply)); 3]),
    ];
    for (name, step, expected) in rows {
        let steps = || [step.clone(), Step::json(200, "7")];
        let (safe, safe_script, _) = client(steps());
        let (idempotent, idempotent_script, _) = client([step.clone(), Step::json(204, "")]);
        let (once, once_script, _) = client(steps());
        let outcomes = [
            (safe.call(Read).await.err(), safe_script.arrived()),
            (idempotent.call(Remove).await.err(), idempotent_script.arrived()),
            (once.call(Create).await.err(), once_script.arrived()),
        ];
        for ((error, arrived), (arrives, kind)) in outcomes.iter().zip(expected) {
            assert_eq!(error.as_ref().map(Error::kind), kind, "{name}: {error:?}");
            assert_eq!(*arrived, arrives, "{name}");
        }
        if let (Some(error), Some(K::Ambiguous | K::Unavailable | K::UnexpectedReply)) =
            (&outcomes[2].0, expected[2].1)
        {
            assert_eq!(error.advice(), Advice::ReadBack, "{name}");
        }
    }
}

#[tokio::test]
async fn attempts_and_delays_are_bounded() {
    let (client, script, clock) = client(std::iter::repeat_n(Step::json(502, ""), 9));
    let error = client.call(Read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.status(), Some(502));
    assert_eq!(script.arrived(), 4);
    let sleeps = clock.waits();
    assert_eq!(sleeps.len(), 3, "{sleeps:?}");
    for (sleep, base) in sleeps.iter().zip([250, 500, 1000]) {
        let base = Duration::from_millis(base);
        assert!((base..=base * 2).contains(sleep), "{sleeps:?}");
    }
}

#[tokio::test]
async fn retry_after_counts_in_seconds_and_as_a_date() {
    for (value, wait) in [("7", 7), ("Thu, 01 Jan 2026 00:00:09 GMT", 9)] {
        let limited = Step::json(429, "").with_header("retry-after", value);
        let (client, script, clock) = client([limited, ok()]);
        assert_eq!(client.call(Create).await.unwrap(), 7);
        assert_eq!(script.arrived(), 2);
        assert_eq!(clock.elapsed(), Duration::from_secs(wait));
    }
    // Neither a past date nor an unreadable value disables the exponential delay.
    for value in ["Wed, 01 Jan 2025 00:00:00 GMT", "soon"] {
        let limited = Step::json(429, "").with_header("retry-after", value);
        let (client, _, clock) = client([limited, ok()]);
        client.call(Read).await.unwrap();
        assert!(clock.elapsed() >= Duration::from_millis(250), "{:?}", clock.elapsed());
    }
}

/// If a clock is wrong on either side, the wait is not longer, because both dates are the server's.
#[tokio::test]
async fn a_retry_after_date_counts_from_the_replys_own_date() {
    for (date, retry_after, wait) in [
        ("Thu, 01 Jan 2026 01:00:00 GMT", "Thu, 01 Jan 2026 01:00:02 GMT", 2),
        ("Wed, 31 Dec 2025 23:00:00 GMT", "Wed, 31 Dec 2025 23:00:09 GMT", 9),
        // The two obsolete forms, which a recipient must accept.
        ("Thu, 01 Jan 2026 01:00:00 GMT", "Thursday, 01-Jan-26 01:00:03 GMT", 3),
        ("Thu Jan  1 01:00:00 2026", "Thu Jan  1 01:00:04 2026", 4),
        // Without a readable date, this machine's clock is used.
        ("yesterday", "Thu, 01 Jan 2026 00:00:05 GMT", 5),
        ("yesterday", "Thursday, 01-Jan-26 00:00:06 GMT", 6),
    ] {
        let limited = Step::json(429, "").with_header("retry-after", retry_after);
        let (client, script, clock) = client([limited.with_header("date", date), ok()]);
        assert_eq!(client.call(Create).await.unwrap(), 7);
        assert_eq!(script.arrived(), 2);
        assert_eq!(clock.elapsed(), Duration::from_secs(wait), "{retry_after}");
    }
}

#[tokio::test]
async fn a_wait_beyond_the_budget_is_the_callers() {
    let year = Step::json(429, "").with_header("retry-after", "31536000");
    let (client, script, clock) = client([year, ok()]);
    let error = client.call(Read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.advice(), Advice::Retry(Some(Duration::from_secs(31_536_000))));
    assert_eq!((script.arrived(), clock.elapsed()), (1, Duration::ZERO));
    // It does not stop other calls for a year either.
    assert_eq!(client.call(Read).await.unwrap(), 7);
}

#[tokio::test]
async fn no_number_of_seconds_is_too_large() {
    let ten_years = Duration::from_secs(10 * 365 * 86_400);
    let digits = "9".repeat(30);
    for value in ["18446744073709551615", &digits, "Thu, 30 Dec 9999 20:00:00 GMT"] {
        let limited = Step::json(429, "").with_header("retry-after", value);
        let (client, script, _) = client([limited, ok()]);
        let error = client.call(Read).await.unwrap_err();
        assert_eq!(error.advice(), Advice::Retry(Some(ten_years)), "{value}");
        assert_eq!(script.arrived(), 1);
    }
    let clock = clock();
    let limits = Limits { call: Duration::MAX, attempt: Duration::MAX, ..Limits::default() };
    let limited = Step::json(429, "").with_header("retry-after", "31536000");
    let (client, _) = client_with([limited, ok()], &clock, |b| b.limits(limits));
    assert_eq!(client.call(Read).await.unwrap(), 7);
    assert_eq!(clock.elapsed(), Duration::from_secs(31_536_000));
}

#[tokio::test]
async fn after_a_429_all_calls_wait_together() {
    let limited = Step::json(429, "").with_header("retry-after", "60");
    let clock = clock();
    let one = RetryPolicy { attempts: 2, ..RetryPolicy::default() };
    let (client, script) = client_with([limited, ok(), ok()], &clock, |b| b.retry(one));
    let (first, second) = tokio::join!(client.call(Read), client.call(Read));
    assert_eq!((first.unwrap(), second.unwrap()), (7, 7));
    assert_eq!(script.arrived(), 3);
    assert!(clock.elapsed() >= Duration::from_secs(60));
}

/// The wait applies even if the call that received it is dropped. A 503 applies to one call only.
#[tokio::test]
async fn a_429_pauses_all_calls_and_a_503_only_its_own() {
    for (status, waits) in [(429, vec![Duration::from_secs(5)]), (503, Vec::new())] {
        let mut dropped = 0;
        for polls in 1..10 {
            let told = Step::json(status, "").with_header("retry-after", "5");
            let (client, script, clock) = client([told, ok()]);
            if poll_at_most(polls, client.call(Read)).await.is_some() {
                break;
            }
            if script.arrived() == 1 && clock.waits().is_empty() {
                dropped += 1;
                client.call(Read).await.unwrap();
                assert_eq!(clock.waits(), waits, "{status} after {polls} polls");
            }
        }
        assert!(dropped > 0, "no call was dropped while it waited");
    }
}

#[tokio::test]
async fn a_delete_that_was_lost_and_is_gone_is_done() {
    let (client, script, _) = client([Step::Reset, Step::json(404, "gone")]);
    client.call(Remove).await.unwrap();
    assert_eq!(script.arrived(), 2);
    // Without a lost attempt before it, a 404 is reported as such.
    let (client, _, _) = self::client([Step::json(429, ""), Step::json(404, "gone")]);
    let error = client.call(Remove).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::NotFound, Advice::Change));
    // If something to be changed is not found, then it has not been changed. For a removal, it may
    // have been removed.
    let (client, _, _) = self::client([Step::Reset, Step::json(404, "gone")]);
    let error = client.call(Rename).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::NotFound, Advice::ReadBack));
    // A gateway's 502 does not say whether the request took effect.
    let (client, _, _) = self::client([Step::json(502, ""), Step::json(404, "gone")]);
    let error = client.call(Remove).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::NotFound, Advice::ReadBack));
}

#[tokio::test]
async fn the_whole_call_has_one_deadline() {
    let clock = clock();
    let limits = Limits { call: Duration::from_secs(40), ..Limits::default() };
    let hangs = std::iter::repeat_n(Step::Hang, 9);
    let (client, script) = client_with(hangs, &clock, |b| b.limits(limits));
    let error = client.call(Read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(script.arrived(), 2);
    assert_eq!(clock.elapsed(), limits.call);
}

#[tokio::test]
async fn a_post_without_a_body_sends_content_length_zero() {
    let (client, script, _) = client([ok(), Step::json(200, "null"), ok()]);
    client.call(Create).await.unwrap();
    client.call(Remove).await.unwrap();
    client.call(Read).await.unwrap();
    let lengths: Vec<_> =
        script.sent().iter().map(|it| it.headers().get("content-length").cloned()).collect();
    assert_eq!(lengths, [Some("0".parse().unwrap()), None, None]);
}

/// The provider's wait applies to all callers. A request that we refuse locally waits for nothing.
#[tokio::test]
async fn clients_of_one_client_share_the_pause_after_a_429() {
    let mut dropped = 0;
    for polls in 1..10 {
        let limited = Step::json(429, "").with_header("retry-after", "5");
        let (client, script, clock) = client([limited, ok()]);
        let other = client.with_credentials(Fixed(Some(Secret::from("another"))));
        let nobody = other.with_credentials(Fixed(None));
        if poll_at_most(polls, client.call(Read)).await.is_some() {
            break;
        }
        if script.arrived() == 1 && clock.waits().is_empty() {
            dropped += 1;
            let error = nobody.call(Read).await.unwrap_err();
            assert_eq!((error.kind(), clock.waits()), (ErrorKind::Unauthorized, Vec::new()));
            assert_eq!(client.wait_for(Read::ID), Duration::from_secs(5));
            other.call(Read).await.unwrap();
            assert_eq!(clock.waits(), [Duration::from_secs(5)], "after {polls} polls");
        }
    }
    assert!(dropped > 0, "no call was dropped while it waited");
}

#[tokio::test]
async fn a_user_agent_of_the_callers_own_is_sent_or_refused_at_once() {
    let (client, script) = client_with([ok()], &clock(), |b| b.user_agent("shop/2.1 (acme)"));
    client.call(Read).await.unwrap();
    assert_eq!(script.sent()[0].headers()["user-agent"], "shop/2.1 (acme)");
    for wrong in ["", " ", "a\r\nHost: elsewhere", "caf\u{e9}", "tab\t", "\u{feff}shop"] {
        let builder = Client::<Plain>::builder("https://vpn.example.com").user_agent(wrong);
        let error = builder.transport(Arc::new(Script::default())).build().unwrap_err();
        assert!(error.fields().contains_key("user_agent"), "{wrong:?}: {error}");
    }
}

#[tokio::test]
async fn base_urls_are_https_or_on_this_machine() {
    let build =
        |url: &str| Client::<Plain>::builder(url).transport(Arc::new(Script::default())).build();
    for url in [
        "https://vpn.example.com",
        "https://vpn.example.com/some/path/",
        "http://127.0.0.1:8000",
        "http://[::1]:8000/x",
        "http://localhost/",
    ] {
        assert_eq!(build(url).unwrap().base_url(), url.trim_end_matches('/'));
    }
    for url in [
        "http://vpn.example.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "https://user:t0ken@vpn.example.com",
        "https://vpn.example.com?token=t0ken",
        "https://vpn.example.com#t0ken",
        "vpn.example.com",
        "",
    ] {
        let error = build(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
        assert!(error.fields().contains_key("url"), "{error}");
        assert!(!error.to_string().contains("t0ken"), "{error}");
    }
}

#[tokio::test]
async fn a_call_may_take_as_long_as_it_likes() {
    let limits = Limits { call: Duration::MAX, ..Limits::default() };
    let years = Step::json(429, "").with_header("retry-after", "63072000");
    let (client, _) = client_with([years, ok()], &clock(), |b| b.limits(limits));
    assert_eq!(client.call(Read).await.unwrap(), 7);
}
