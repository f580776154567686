//! Code generated from the common features of vendors' documents compiles and works, and all
//! mistakes in a document are reported at once.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

#[path = "vendor/dialect.rs"]
mod dialect;
#[path = "vendor/ops.rs"]
#[allow(missing_docs, dead_code, reason = "it is generated, and a test calls some of it")]
mod ops;

use std::path::Path;

use anyvpn_codegen::{Finding, Severity, generate, read};
use anyvpn_http::Operation as _;
use anyvpn_testkit::document;
use proptest::prelude::{ProptestConfig, Strategy as _, any, prop_oneof, proptest};
use proptest::sample::{Index, select};
use serde_json::json;

const VENDOR: &str = include_str!("vendor/openapi.yaml");

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn a_vendors_document_is_generated_from() {
    let api = read("vendor", VENDOR).unwrap_or_else(|findings| panic!("{}", lines(&findings)));
    assert!(api.warnings.iter().all(|it| it.severity == Severity::Warning));
    document::check("tests/vendor/warnings.txt", None, &lines(&api.warnings));
    let code = generate(&api.provider, "anyvpn-codegen", Path::new("tests/vendor")).unwrap();
    document::check("tests/vendor/ops.rs", None, &code);
}

#[test]
fn generated_requests_have_the_names_of_the_wire() {
    let list: ops::ListSessions =
        serde_json::from_value(json!({ "page": 2, "sortBy": "started-at", "minRate": 0.5 }))
            .unwrap();
    assert_eq!(list.sort_by, Some(ops::ListSessionsSortBy::StartedAt));
    let request = list.request().unwrap();
    assert_eq!(request.target(), "/v2/sessions?page=2&sortBy=started-at&minRate=0.5");

    let input = json!({ "type": "fast", "tags": ["a"], "limits": { "rate": 1.5, "on": true } });
    let start: ops::StartSession = serde_json::from_value(input.clone()).unwrap();
    let body: serde_json::Value = serde_json::from_slice(start.request().unwrap().body()).unwrap();
    assert_eq!(body, input);
}

#[test]
fn generated_types_read_what_the_wire_has() {
    let reply = json!({
        "items": [{
            "id": "1", "type": "slow", "startedAt": "2030-01-01T00:00:00Z", "rate": null,
            "exit": { "country": "NO" }
        }],
        "meta": { "totalCount": 1 },
    });
    let list: ops::SessionList = serde_json::from_value(reply).unwrap();
    let session = &list.items[0];
    assert_eq!(session.type_, ops::SessionType::Other("slow".to_owned()));
    assert_eq!(session.exit.as_ref().unwrap().country.as_deref(), Some("NO"));
    assert_eq!(list.meta.unwrap().total_count, Some(1));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let findings = read("acme", include_str!("mistakes/openapi.yaml")).unwrap_err();
    document::check("tests/mistakes/findings.txt", None, &lines(&findings));
}

/// Words that replace other words.
const WORDS: &[&str] = &["", "on", "[a]", "{ a: 1 }", "'#/components/schemas/Session'"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// If a line is lost or a word is replaced, the result is an error or code that rustfmt can
    /// parse.
    #[test]
    fn a_slip_in_a_document_is_never_a_panic(
        at in any::<Index>(),
        word in prop_oneof![select(WORDS).prop_map(str::to_owned), "\\PC{0,8}"],
        lost in any::<bool>(),
    ) {
        let mut lines: Vec<String> = VENDOR.lines().map(str::to_owned).collect();
        let at = at.index(lines.len());
        match lines[at].split_once(": ") {
            Some((key, _)) if !lost => lines[at] = format!("{key}: {word}"),
            _ => _ = lines.remove(at),
        }
        if let Ok(api) = read("vendor", &lines.join("\n")) {
            generate(&api.provider, "anyvpn-codegen", Path::new("tests/vendor")).unwrap();
        }
    }
}
