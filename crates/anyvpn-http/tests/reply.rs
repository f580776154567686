//! How a reply's body is decoded, and what an error shows of it.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::time::Duration;

use anyvpn_core::ErrorKind;
use anyvpn_http::Reply;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

fn reply(content_type: &str, body: impl Into<String>) -> Reply {
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    }
    Reply { status: StatusCode::OK, headers, body: body.into().into(), verified: false }
}

#[test]
fn an_empty_reply_is_a_value_only_if_the_value_is_optional() {
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
fn a_byte_order_mark_before_json_is_skipped() {
    assert_eq!(reply("application/json", "\u{feff}[1]").json::<[u8; 1]>().unwrap(), [1]);
    assert_eq!(reply("", "\u{feff} 7").json_or_nothing::<u8>().unwrap(), 7);
    reply("", "\u{feff}\r\n").json_or_nothing::<()>().unwrap();
    let refusal = reply("", "\u{feff}{\"message\":\"No.\"}").refusal_json();
    assert_eq!(refusal["message"], "No.");
    // Only one, and only at the start.
    for body in ["\u{feff}\u{feff}[1]", "[\u{feff}1]", "[1]\u{feff}"] {
        assert!(reply("", body).json::<[u8; 1]>().is_err(), "{body:?}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date_of_http() {
    let now = "1994-11-06T08:49:00Z".parse().unwrap();
    for (value, wait) in [
        ("120", Some(120)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37)),
        ("Sun Nov  6 08:49:37 1994", Some(37)),
        ("Thu, 01 Dec 1994 00:00:00 GMT", Some(25 * 86_400 - (8 * 60 + 49) * 60)),
        ("Sat, 05 Nov 1994 08:49:37 GMT", Some(0)),
        ("Sun, 32 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Non 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:49 GMT", None),
        ("Sun, 06 Nov 99999 08:49:37 GMT", None),
        ("06 Nov 1994 08:49:37 GMT", None),
        ("-1", None),
        ("", None),
    ] {
        let mut reply = reply("", "");
        reply.headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        assert_eq!(reply.retry_after(now), wait.map(Duration::from_secs), "{value}");
    }
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
        (
            "application/json",
            r#"{"a":"#,
            "at `a`: the JSON ends too early; application/json, 5 bytes",
        ),
        ("application/json", "[1] 2", "after the end of the JSON text; application/json, 5 bytes"),
        ("text/html; charset=utf-8", "<html>", "received a web page instead of JSON (text/html"),
        ("text/plain", "Busy.", "the reply is not JSON (text/plain, 5 bytes)"),
        ("", "Busy.", "the reply is not JSON (no content type, 5 bytes)"),
    ] {
        let error = reply(content_type, body).json::<Value>().unwrap_err();
        assert!(error.detail().unwrap().starts_with(told), "{error}");
    }
}

#[test]
fn only_what_is_read_must_be_a_text() {
    #[derive(Deserialize)]
    struct Thing<'a> {
        name: &'a str,
    }
    let of = |body: &'static [u8]| Reply { body: body.into(), ..reply("application/json", "") };
    let unread = of(b"{\"name\":\"a\",\"note\":\"\xff\"}");
    assert_eq!(unread.json::<Thing<'_>>().unwrap().name, "a");
    let error = of(b"{\"name\":\"\xff\",\"note\":\"b\"}")
        .json::<Thing<'_>>()
        .map(|it| it.name)
        .unwrap_err();
    assert!(
        error.detail().unwrap().starts_with("at `name`: invalid unicode code point"),
        "{error}"
    );
    let behind = of(b"{\"name\":\"a\"}\xff");
    let error = behind.json::<Thing<'_>>().map(|it| it.name).unwrap_err();
    assert!(error.detail().unwrap().starts_with("after the end of the JSON text"), "{error}");
}

#[test]
fn excerpts_show_structure_without_values() {
    let long = "x".repeat(300);
    let ones = |count| "1,".repeat(count);
    for (body, shown) in [
        (String::new(), "empty".to_owned()),
        (r#"{"a":"b","c":"d"}"#.into(), r#"{"a":"…","c":"…"}"#.into()),
        (format!(r#"{{"a":"{long}","b":1}}"#), r#"{"a":"…","b":1}"#.into()),
        // The end of a string is its closing quote, escaped or not; or the end of all.
        (r#"{"a":"b\"c","d":1}"#.into(), r#"{"a":"…","d":1}"#.into()),
        (r#"{"a":"b\\","d":1}"#.into(), r#"{"a":"…","d":1}"#.into()),
        (r#"{"a":"bcd"#.into(), r#"{"a":"…""#.into()),
        // A name may have 40 characters; a longer one is hidden like a value.
        (format!(r#"{{"{}":1}}"#, &long[..40]), format!(r#"{{"{}":1}}"#, &long[..40])),
        (format!(r#"{{"{}":1}}"#, &long[..41]), r#"{"…":1}"#.into()),
        // Outside of strings: literals and short numbers.
        ("[true, false, null, -1.5, 12345]".into(), "[true,false,null,-1.5,12345]".into()),
        ("[123456, abc, hunter2]".into(), "[…,…,…]".into()),
        // At most 200 characters, and a name as a whole.
        (format!("[{}1]", ones(99)), format!("[{}1…", ones(99))),
        (format!("[{}12]", ones(98)), format!("[{}12]", ones(98))),
        (format!("[{}{{\"abcd\":1}}]", ones(96)), format!("[{}{{\"abcd\"…", ones(96))),
        (format!("[{}{{\"abcde\":1}}]", ones(96)), format!("[{}{{…", ones(96))),
    ] {
        let length = body.len();
        let error = reply("application/json", &*body).unexpected("why");
        let told = format!("why; application/json, {length} bytes: {shown}");
        assert_eq!(error.detail(), Some(&*told), "{body}");
    }
}

#[test]
fn errors_say_what_was_expected_without_quoting_values() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Blue,
    }
    #[derive(Debug, Deserialize)]
    struct Port {
        _number: u16,
        _colour: Colour,
    }
    for (body, told) in [
        (
            r#"[{"_number":"hunter2"}]"#,
            "at `[0]._number`: invalid type: string, expected a whole number from 0 to 65535 at line 1 ",
        ),
        (
            r#"[{"_number":-1}]"#,
            "at `[0]._number`: invalid value: integer, expected a whole number from 0 to 65535 at line 1 ",
        ),
        (r#"[{"_number":7}]"#, "at `[0]`: missing field `_colour` at line 1 "),
        (
            r#"[{"_colour":"green"}]"#,
            "at `[0]._colour`: unknown variant `green`, expected `red` or `blue` at line 1 ",
        ),
        (r#"["hunter2"]"#, "at `[0]`: invalid type: string, expected an object at line 1 "),
        ("[[7]]", "at `[0]`: invalid length 1, expected an object with 2 elements at line 1 "),
    ] {
        let error = reply("application/json", body).json::<Vec<Port>>().unwrap_err();
        assert!(error.detail().unwrap().starts_with(told), "{error}");
    }
}

#[test]
fn laravels_own_refusal_is_a_bare_message_with_three_statuses() {
    for (body, is_laravel_refusal) in [
        (r#"{"message":"Unauthenticated."}"#, true),
        (r#"{"message":"The given data was invalid.","errors":{"key":["is needed"]}}"#, true),
        (r#"{"errors":{"key":["is needed"]}}"#, false),
        (r#"{"message":null}"#, false),
        (r#"{"message":{"en":"No."}}"#, false),
        (r#"{"message":"No.","code":7}"#, false),
        (r#"{"Message":"No."}"#, false),
        (r#"[{"message":"No."}]"#, false),
        (r#""message""#, false),
        ("{}", false),
        ("", false),
        ("<html>", false),
    ] {
        for status in [200, 302, 400, 401, 403, 404, 408, 422, 429, 500, 503] {
            let mut reply = reply("application/json", body);
            reply.status = StatusCode::from_u16(status).unwrap();
            let expected = is_laravel_refusal && [401, 422, 429].contains(&status);
            assert_eq!(reply.is_laravel_refusal(), expected, "{status} {body}");
        }
    }
}
