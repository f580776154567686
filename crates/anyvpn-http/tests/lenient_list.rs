//! A list that omits elements of an unexpected form.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use anyvpn_core::Error;
use anyvpn_http::{LenientList, Reply};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
struct Server {
    id: u32,
    hosts: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Page {
    servers: LenientList<Server>,
}

fn read(body: impl Into<Vec<u8>>) -> Result<LenientList<Server>, Error> {
    let body: Vec<u8> = body.into();
    let reply = Reply {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: body.into(),
        verified: false,
    };
    reply.json::<Page>().map(|page| page.servers)
}

#[test]
fn unreadable_elements_are_skipped_and_reported_by_index_without_values() {
    let list = read(
        r#"{"servers": [ {"id":1,"hosts":["a"]}, {"id":"s3cret","hosts":[]}, 7,
            {"id":2,"hosts":["b",null]}, {"hosts":[]}, [1], {"id":3,"hosts":["]},{"]} ]}"#,
    )
    .unwrap();
    assert_eq!(list.iter().map(|server| server.id).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(list.left_out.count, 5);
    let reasons: Vec<_> = list.left_out.reasons.iter().map(String::as_str).collect();
    assert_eq!(
        reasons,
        [
            "element 1, at `id`: invalid type: string, expected a whole number from 0 to 4294967295",
            "element 2: invalid type: integer, expected an object",
            "element 3, at `hosts[1]`: invalid type: null, expected a string",
            "element 4: missing field `id`",
            "element 5: invalid length 1, expected an object with 2 elements",
        ]
    );
}

#[test]
fn a_reply_that_is_not_a_list_or_not_json_is_an_error() {
    let good = r#"{"id":1,"hosts":[]}"#;
    for body in [
        r#"{"servers":null}"#.to_owned(),
        r#"{"servers":{}}"#.to_owned(),
        "{}".to_owned(),
        format!(r#"{{"servers":[{good}"#),
        format!(r#"{{"servers":[{good},{{"id":]}}"#),
        format!(r#"{{"servers":[{good} {good}]}}"#),
    ] {
        read(body.as_str()).unwrap_err();
    }
    let mut broken = format!(r#"{{"servers":[{good},"?"]}}"#).into_bytes();
    let place = broken.iter().position(|byte| *byte == b'?').unwrap();
    broken[place] = 0xff;
    read(broken).unwrap_err();
}

#[test]
fn a_list_is_empty_only_when_it_says_so() {
    assert!(read(r#"{"servers":[]}"#).unwrap().is_empty());
    let error = read(r#"{"servers":[null,null]}"#).unwrap_err();
    assert!(error.detail().unwrap().contains("no element could be read: element 0: "), "{error}");
}
