//! Replies: their limits, and what an error shows of them.

use super::*;

#[tokio::test]
async fn a_reply_is_bounded() {
    let clock = clock();
    let limits = Limits { reply: 10_000, decompressed: 20_000, ..Limits::default() };
    let announced = Step::json(200, "7").with_header("content-length", "10001");
    for step in [Step::Endless(1 << 20), announced] {
        let (client, script) = client_with([step, ok()], &clock, |b| b.limits(limits));
        let error = client.call(Read).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
        assert!(error.to_string().contains("larger than 10000 bytes"), "{error}");
        assert_eq!(script.arrived(), 1);
    }
    let filled = |length| Step::json(200, &format!("{:length$}", 7));
    let announced = Step::json(200, "7").with_header("content-length", "10000");
    for (step, is_within) in [(announced, true), (filled(10_000), true), (filled(10_001), false)] {
        let (client, _) = client_with([step], &clock, |b| b.limits(limits));
        assert_eq!(client.call(Read).await.ok(), is_within.then_some(7));
    }
}

#[tokio::test]
async fn headers_values_and_nesting_are_bounded() {
    let limits = Limits { head: 1000, values: 30_000, nesting: 3, ..Limits::default() };
    let long = |length| Step::json(200, "7").with_header("x-long", "x".repeat(length));
    let many = |count| Step::json(200, &format!("[{}0]", "0,".repeat(count)));
    for (step, why) in [
        (long(1000), "headers are larger than 1000 bytes"),
        (many(40_000), "more than 30000 values"),
        (Step::json(200, "[[[[7]]]]"), "nested deeper than 3 levels"),
    ] {
        let (client, script) = client_with([step, ok()], &clock(), |b| b.limits(limits));
        let error = client.call(Create).await.unwrap_err();
        assert_eq!((error.kind(), error.advice()), (ErrorKind::UnexpectedReply, Advice::ReadBack));
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(script.arrived(), 1);
    }
    // Within the bounds, the decoder decides. `content-type: application/json` counts too.
    for (length, is_within) in [(966, true), (967, false)] {
        let (client, _) = client_with([long(length)], &clock(), |b| b.limits(limits));
        assert_eq!(client.call(Create).await.ok(), is_within.then_some(7));
    }
    for step in [many(25_000), Step::json(200, "[[[7]]]")] {
        let (client, _) = client_with([step], &clock(), |b| b.limits(limits));
        let error = client.call(Create).await.unwrap_err();
        assert!(error.to_string().contains("expected a whole number"), "{error}");
    }
}

#[tokio::test]
async fn an_encoding_that_was_not_asked_for_is_named() {
    for encodings in [&["br"][..], &["identity", "br"], &["deflate, br"]] {
        let reply = encodings
            .iter()
            .fold(Step::json(200, "7"), |reply, it| reply.with_header("content-encoding", *it));
        let (client, script, _) = client([reply, ok()]);
        let error = client.call(Create).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
        assert_eq!(error.advice(), Advice::ReadBack);
        let encoding = encodings.last().unwrap();
        let named = format!("a content encoding that was not requested, {encoding:?}");
        assert!(error.to_string().contains(&named), "{error}");
        assert_eq!(script.arrived(), 1);
    }
    let gzip = Step::json(200, "7").with_header("transfer-encoding", "gzip, chunked");
    let (client, _, _) = client([gzip]);
    let error = client.call(Create).await.unwrap_err();
    assert!(error.to_string().contains("unknown transfer encoding"), "{error}");
    let plain = Step::json(200, "7").with_header("content-encoding", "identity");
    let (client, _, _) = self::client([plain.with_header("transfer-encoding", "Chunked")]);
    assert_eq!(client.call(Create).await.unwrap(), 7);
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let to = "https://elsewhere.example.com/login?token=t0ken";
    let (client, script, _) = client([Step::json(302, "moved").with_header("location", to), ok()]);
    let error = client.call(Read).await.unwrap_err();
    assert_eq!((error.status(), script.arrived()), (Some(302), 1));
}

#[tokio::test]
async fn errors_quote_neither_secrets_nor_control_characters() {
    let echo = format!("token t0ken\u{1b}[2J is {}", "x".repeat(9000));
    let (client, _, _) = client([Step::json(400, &echo)]);
    let error = client.call(Read).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("t0ken"), "{shown}");
    assert!(shown.contains("token [redacted]"), "{shown}");
    assert!(!shown.contains('\u{1b}') && shown.len() < 2000, "{shown}");
}

#[tokio::test]
async fn a_reply_that_cannot_be_decoded_shows_its_shape_only() {
    let body = r#"{"key":"pr1vate","n":[1,true,null],"cut":"pr1vate\" and"#;
    for body in [body, r#"{"key":"pr1vate"}"#, "pr1vate", "{pr1vate:pr1vate}", "<b>pr1vate"] {
        let (client, _, _) = client([Step::json(200, body)]);
        let error = client.call(Read).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
        assert!(!shown.contains("pr1vate"), "{shown}");
        assert!(shown.contains("application/json") && shown.contains("(HTTP 200)"), "{shown}");
    }
}

/// A name that is a secret would be removed as a whole, but not if it were cut in two.
#[tokio::test]
async fn excerpts_are_cut_between_names_and_omit_long_names() {
    let filler = (0..9).map(|n| format!(r#""name-number-{n}":0,"#)).collect::<String>();
    for length in 0..40 {
        let cut = format!(r#"{{{filler}"{}":0,"t0ken":0}}"#, "y".repeat(length));
        for body in [cut, format!(r#"{{"{}t0ken":0,"#, "y".repeat(36))] {
            let (client, _, _) = client([Step::json(200, &body)]);
            let shown = client.call(Read).await.unwrap_err().to_string();
            for part in ["\"t0", "yt0"] {
                assert!(!shown.contains(part), "{shown}");
            }
        }
    }
    let (client, _, _) = client([Step::json(200, &format!("{}[{{}}", " ".repeat(9000)))]);
    let shown = client.call(Read).await.unwrap_err().to_string();
    assert!(shown.ends_with("9003 bytes: [{}"), "{shown}");
}

#[tokio::test]
async fn an_unreadable_reply_to_a_change_advises_to_read_back() {
    for (status, create) in [(200, Advice::ReadBack), (418, Advice::Change)] {
        let (client, _, _) = client([Step::json(status, "?"), Step::json(status, "?")]);
        let read = client.call(Read).await.unwrap_err();
        assert_eq!((read.kind(), read.advice()), (ErrorKind::UnexpectedReply, Advice::Change));
        let error = client.call(Create).await.unwrap_err();
        assert_eq!((error.kind(), error.advice()), (ErrorKind::UnexpectedReply, create));
    }
}
