//! Where a call's credential comes from, and what happens to a call without one.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyvpn_http::Credentials;
use async_trait::async_trait;

use super::*;

/// Credentials that become valid by renewing once.
struct Renewing {
    renewals: Arc<AtomicUsize>,
    works: bool,
}

#[async_trait]
impl Credentials<Secret> for Renewing {
    async fn current(&self) -> Result<Option<Secret>, Error> {
        Ok(Some(Secret::from(format!("token{}", self.renewals.load(Ordering::SeqCst)))))
    }

    async fn renew(&self, refused: &Secret) -> Result<bool, Error> {
        assert_eq!(refused.expose(), format!("token{}", self.renewals.load(Ordering::SeqCst)));
        self.renewals.fetch_add(1, Ordering::SeqCst);
        Ok(self.works)
    }
}

/// Returns a token this many times, and then fails.
struct Leaving(AtomicUsize);

#[async_trait]
impl Credentials<Secret> for Leaving {
    async fn current(&self) -> Result<Option<Secret>, Error> {
        match self.0.fetch_sub(1, Ordering::SeqCst) {
            0 => Err(Error::new(ErrorKind::InvalidRequest).with_detail("the file is gone")),
            left => Ok(Some(Secret::from(format!("token{left}")))),
        }
    }
}

#[tokio::test]
async fn a_failure_between_attempts_does_not_hide_that_the_first_may_have_succeeded() {
    let leaving = || Leaving(AtomicUsize::new(1));
    for (first, advice) in [
        (Step::Reset, Advice::ReadBack),
        (Step::json(502, ""), Advice::ReadBack),
        (Step::Refuse, Advice::Change),
    ] {
        let (client, _) = client_with([first, ok()], &clock(), |b| b.credentials(leaving()));
        let error = client.call(Remove).await.unwrap_err();
        assert_eq!((error.kind(), error.advice()), (ErrorKind::InvalidRequest, advice), "{error}");
    }
    let (client, _) = client_with([Step::Reset, ok()], &clock(), |b| b.credentials(leaving()));
    assert_eq!(client.call(Read).await.unwrap_err().advice(), Advice::Change);
    let (client, _) = client_with([], &clock(), |b| b.credentials(leaving()));
    assert_eq!(client.credential().await.unwrap().unwrap().expose(), "token1");
    assert_eq!(client.credential().await.unwrap_err().detail(), Some("the file is gone"));
    assert_eq!(format!("{client:?}"), r#"Client { base: "https://vpn.example.com/base", .. }"#);
}

#[tokio::test]
async fn a_refused_credential_is_renewed_once() {
    for (works, steps, arrived, kind) in [
        (true, vec![Step::json(401, ""), ok()], 2, None),
        (true, vec![Step::json(401, ""), Step::json(401, "")], 2, Some(ErrorKind::Unauthorized)),
        (false, vec![Step::json(401, ""), ok()], 1, Some(ErrorKind::Unauthorized)),
    ] {
        let renewals = Arc::new(AtomicUsize::new(0));
        let credentials = Renewing { renewals: Arc::clone(&renewals), works };
        let (client, script) = client_with(steps, &clock(), |b| b.credentials(credentials));
        let error = client.call(Create).await.err();
        assert_eq!(error.map(|error| error.kind()), kind);
        assert_eq!((script.arrived(), renewals.load(Ordering::SeqCst)), (arrived, 1));
        if arrived == 2 {
            assert_eq!(script.sent()[1].headers()["authorization"], "Bearer token1");
        }
    }
}

#[tokio::test]
async fn a_missing_credential_sends_nothing() {
    let script = Script::new([ok()]);
    let client = Client::<Plain>::builder("https://vpn.example.com")
        .transport(Arc::new(script.clone()))
        .build()
        .unwrap();
    assert_eq!(client.call(Read).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(script.arrived(), 0);
}

#[tokio::test]
async fn credentials_that_cannot_be_renewed_fail_at_once() {
    let leaving = Leaving(AtomicUsize::new(2));
    let steps = [Step::json(401, ""), ok()];
    let (client, script) = client_with(steps, &clock(), |b| b.credentials(leaving));
    assert_eq!(client.call(Read).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(script.arrived(), 1);
}

/// The credential is valid but lacks permission, so another one would not help.
#[tokio::test]
async fn a_403_renews_nothing() {
    let renewals = Arc::new(AtomicUsize::new(0));
    let credentials = Renewing { renewals: Arc::clone(&renewals), works: true };
    let steps = [Step::json(403, ""), ok()];
    let (client, script) = client_with(steps, &clock(), |b| b.credentials(credentials));
    assert_eq!(client.call(Create).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!((script.arrived(), renewals.load(Ordering::SeqCst)), (1, 0));
}

/// A page from a network's login or a content-delivery network says nothing about the credential.
#[tokio::test]
async fn a_page_with_401_renews_nothing() {
    for body in ["<html>Sign in</html>", "<"] {
        let renewals = Arc::new(AtomicUsize::new(0));
        let credentials = Renewing { renewals: Arc::clone(&renewals), works: true };
        let steps = [Step::json(401, body), ok()];
        let (client, script) = client_with(steps, &clock(), |b| b.credentials(credentials));
        assert_eq!(client.call(Read).await.unwrap_err().kind(), ErrorKind::UnexpectedReply);
        assert_eq!((script.arrived(), renewals.load(Ordering::SeqCst)), (1, 0));
    }
}
