//! The guide's statements about Acme: its code, the amount of code, and the results of the
//! conformance suite.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod server;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use acme_vpn::Acme;
use anyvpn_testkit::conformance::{Subject, run};
use anyvpn_testkit::document;

/// The page that contains it.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/new-provider.md");

/// The files that a developer writes, and what each is.
const WRITTEN: &[(&str, &str)] = &[
    ("openapi.yaml", "the vendor's API"),
    ("src/dialect.rs", "how it differs from others"),
    ("src/driver.rs", "what it is: its settings and its abilities"),
    ("src/lib.rs", "its type, and which traits it has"),
    ("src/neutral.rs", "the neutral traits"),
    ("tests/server/mod.rs", "a server that imitates the vendor"),
    ("tests/conformance.rs", "the conformance suite"),
    ("tests/fixtures.rs", "the fixtures' test"),
];

#[test]
fn the_guide_says_how_many_lines_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut table = "| file | what it is | lines |\n|---|---|---|\n".to_owned();
    let (mut all, mut rust) = (0, 0);
    for (file, what) in WRITTEN {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let is_code =
            |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with("# ");
        let lines = text.lines().map(str::trim).filter(is_code).count();
        all += lines;
        if file.starts_with("src/") {
            rust += lines;
        }
        _ = writeln!(table, "| `{file}` | {what} | {lines} |");
    }
    _ = writeln!(table, "| | **written by hand; in `src/`: {rust}** | **{all}** |");
    let generated = fs::read_to_string(root.join("src/ops.rs")).unwrap().lines().count();
    _ = writeln!(table, "| `src/ops.rs` | generated, with its documentation | {generated} |");
    document::check(PAGE, Some("lines"), &table);
}

/// The parts of the guide that are a whole file, with the language in Markdown, and the file.
const SHOWN: &[(&str, &str, &str)] = &[
    ("dialect", "rust,ignore", "src/dialect.rs"),
    ("driver", "rust,ignore", "src/driver.rs"),
    ("provider", "rust,ignore", "src/lib.rs"),
    ("traits", "rust,ignore", "src/neutral.rs"),
    ("fixture", "text", "fixtures/register-device/sixth.http"),
    ("suite", "rust,ignore", "tests/conformance.rs"),
    ("command", "rust,ignore", "command/src/main.rs"),
];

#[test]
fn the_guide_shows_the_code_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (part, kind, file) in SHOWN {
        let text = fs::read_to_string(root.join(file)).unwrap();
        document::check(PAGE, Some(part), &block(kind, &text));
    }
    let api = include_str!("../openapi.yaml");
    let begin = api.find("    post:\n      operationId: register-device\n").unwrap();
    let (operation, _) = api[begin..].split_once("\n\n").unwrap();
    document::check(PAGE, Some("operation"), &block("yaml", operation));
}

fn block(kind: &str, text: &str) -> String {
    format!("```{kind}\n{}\n```\n", text.trim_end())
}

#[tokio::test]
async fn the_guide_says_what_the_suite_says() {
    let url = server::start().await;
    let signed_in = Acme::builder().base_url(&url).token(server::TOKEN).build().unwrap();
    let anonymous = Acme::builder().base_url(&url).build().unwrap();
    let report = run(&Subject::new(signed_in, anonymous)).await;
    document::check(PAGE, Some("conformance"), &format!("```text\n{report}```\n"));
}
