//! What is made of a reply's body, and what an error tells of it.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use anyvpn_core::ErrorKind;
use anyvpn_http::Reply;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

fn reply(content_type: &str, body: impl Into<String>) -> Reply {
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    }
    Reply { status: StatusCode::OK, headers, body: body.into().into() }
}

#[test]
fn nothing_is_a_value_only_where_a_value_may_be_missing() {
    for body in ["", " \r\n"] {
        let reply = reply("", body);
        reply.json_or_nothing::<()>().unwrap();
        assert_eq!(reply.json_or_nothing::<Option<u32>>().unwrap(), None);
        let error = reply.json_or_nothing::<u32>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
        assert!(error.to_string().contains("a value is missing"), "{error}");
    }
    assert_eq!(reply("", " 7 ").json_or_nothing::<u32>().unwrap(), 7);
}

#[test]
fn a_refusal_is_read_as_json_unless_it_is_longer_than_any() {
    for (length, is_read) in [(100, true), (64 << 10, true), ((64 << 10) + 1, false)] {
        const NO: &str = r#"{"message":"No."}"#;
        let body = NO.to_owned() + &" ".repeat(length - NO.len());
        let expected = if is_read { json!({"message": "No."}) } else { Value::Null };
        assert_eq!(reply("", body).refusal_json(), expected, "{length}");
    }
    assert_eq!(reply("", "<html>").refusal_json(), Value::Null);
}

#[test]
fn an_error_says_what_came() {
    for (content_type, body, told) in [
        ("application/json", r#"{"a":"#, "at `a`: it ends too early; application/json, 5 bytes"),
        ("application/json", "[1] 2", "after the end of the JSON text; application/json, 5 bytes"),
        ("text/html; charset=utf-8", "<html>", "a web page came instead of JSON (text/html"),
        ("text/plain", "Busy.", "what came is no JSON (text/plain, 5 bytes)"),
        ("", "Busy.", "what came is no JSON (no content type, 5 bytes)"),
    ] {
        let error = reply(content_type, body).json::<Value>().unwrap_err();
        assert!(error.detail().unwrap().starts_with(told), "{error}");
    }
}
