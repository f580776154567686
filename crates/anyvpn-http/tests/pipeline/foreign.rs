//! Replies that are not in the provider's own form: they say nothing about the account.

use super::*;

const PAGE: &str = "<html>Sign in</html>";

fn page(status: u16) -> Step {
    let html = vec![("content-type", "text/html".to_owned())];
    Step::Reply(status, html, PAGE.as_bytes().to_vec())
}

/// Returns the result of a call whose requests are all answered like this, and how often it was
/// sent.
async fn outcome<O: Operation<Dialect = Plain>>(operation: O, step: Step) -> (Error, usize) {
    let (client, script, _) = client(vec![step; 8]);
    let error = client.call(operation).await.map(drop).unwrap_err();
    (error, script.arrived())
}

#[tokio::test]
async fn no_status_of_a_page_says_anything_about_the_account() {
    use ErrorKind as K;
    for status in (300..400).chain(401..500).chain([600, 999]) {
        let kind = if status == 429 { K::RateLimited } else { K::UnexpectedReply };
        let sent = if status == 429 { 4 } else { 1 };
        for (changes, (error, arrived)) in [
            (false, outcome(Read, page(status)).await),
            (true, outcome(Remove, page(status)).await),
            (true, outcome(Create, page(status)).await),
        ] {
            assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error}");
            assert_eq!((arrived, error.message()), (sent, None), "{error}");
            let unsure = changes && kind == K::UnexpectedReply;
            assert_eq!(error.advice() == Advice::ReadBack, unsure, "{error}");
            let detail = error.detail().unwrap();
            assert!(detail.contains("it may come from a proxy") && detail.contains("base URL"));
        }
    }
    for status in 500..600 {
        for (sent, advice, (error, arrived)) in [
            (4, Advice::Retry(None), outcome(Read, page(status)).await),
            (4, Advice::ReadBack, outcome(Remove, page(status)).await),
            (1, Advice::ReadBack, outcome(Create, page(status)).await),
        ] {
            assert_eq!((error.kind(), error.status()), (K::Unavailable, Some(status)), "{error}");
            assert_eq!((arrived, error.advice()), (sent, advice), "{error}");
        }
    }
}

#[tokio::test]
async fn a_redirect_never_counts_as_a_refusal() {
    let step = Step::json(302, r#"{"message":"Unauthenticated."}"#)
        .with_header("location", "https://vpn.example.com/login?token=t0p#top");
    let (error, arrived) = outcome(Read, step).await;
    assert_eq!((error.kind(), arrived), (ErrorKind::UnexpectedReply, 1));
    let detail = error.detail().unwrap();
    let told = "a redirect to https://vpn.example.com/login, which is never followed; ";
    assert!(detail.starts_with(told), "{detail}");
}

#[tokio::test]
async fn a_page_after_a_lost_removal_does_not_say_that_it_is_gone() {
    for status in [404, 410] {
        let (client, script, _) = client([Step::Reset, page(status)]);
        let error = client.call(Remove).await.unwrap_err();
        let outcome = (error.kind(), error.advice());
        assert_eq!(outcome, (ErrorKind::UnexpectedReply, Advice::ReadBack), "{error}");
        assert_eq!(script.arrived(), 2);
    }
}

#[tokio::test]
async fn a_foreign_reply_is_described_without_its_values() {
    for (body, told) in [
        (r#"<{"message":"s3cret"}"#, "the reply is not JSON (application/json, 21 bytes); "),
        ("<", "the reply is not JSON (application/json, 1 bytes); "),
    ] {
        let (error, _) = outcome(Read, Step::json(403, body)).await;
        assert!(error.detail().unwrap().starts_with(told), "{error}");
        assert!(!error.to_string().contains("s3cret"));
    }
}
