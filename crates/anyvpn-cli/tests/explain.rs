//! `anyvpn explain` prints the guide's page for a kind of error.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::fmt::Write as _;

use anyvpn_testkit::document;
use common::{command, fails, json, ok};
use serde_json::Value;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");

/// Formats a page for a terminal: links become their text, and markup is removed.
fn plain(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, link)) = rest.split_once("](") {
        let (before, label) = before.rsplit_once('[').unwrap();
        text.push_str(before);
        text.push_str(label);
        rest = link.split_once(')').unwrap().1;
    }
    text.push_str(rest);
    let text = text.replace('`', "");
    let lines = text.lines().map(|line| match line.strip_prefix("## ") {
        Some(heading) => format!("{heading}:"),
        None => line.strip_prefix("# ").unwrap_or(line).to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_kind_is_explained_as_in_the_guide() {
    let kinds = json(&mut command(&["explain"]))["kinds"].take();
    let kinds: Vec<&Value> = kinds.as_array().unwrap().iter().collect();
    assert_eq!(kinds.len(), std::fs::read_dir(GUIDE).unwrap().count());
    let pages = kinds.into_iter().map(|kind| {
        let name = kind["kind"].as_str().unwrap();
        let page = std::fs::read_to_string(format!("{GUIDE}/{name}.md")).unwrap();
        (kind, name, plain(&page))
    });
    let pages: Vec<_> = pages.collect();
    let mut all = String::new();
    for (_, name, page) in &pages {
        _ = writeln!(all, "# {name}\n{page}\n");
    }
    document::check("src/errors.txt", None, &all);
    if include_str!("../src/errors.txt") != all {
        // The command was built before the file was written.
        return;
    }
    for (kind, name, page) in pages {
        assert_eq!(ok(&mut command(&["explain", name])), format!("{page}\n"));
        let answer = json(&mut command(&["explain", name]));
        assert_eq!(answer["page"], page);
        assert_eq!(answer["exit_code"], kind["exit_code"]);
    }
}

#[test]
fn an_unknown_kind_is_answered_with_a_suggestion() {
    let text = fails(2, &mut command(&["explain", "unauthorised"]));
    assert!(text.contains("did you mean unauthorized?"), "{text}");
    assert!(ok(&mut command(&["explain"])).starts_with("KIND "));
}
