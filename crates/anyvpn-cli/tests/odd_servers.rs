//! Lists of servers with unreadable elements.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::process::Command;

use common::{command, json, ok, provider_of};
use serde_json::{Value, json};

const KEY: &str = "VYRJwI6n2Rpvh/gmYnUoyMJQDrUSdxls0JX9/6JlOEw=";

fn location(name: &str) -> Value {
    json!({ "name": name, "city": null, "country": "Sweden", "pool": "a.example", "pubkey": KEY })
}

/// Runs the command for AzireVPN with these locations.
fn azire(locations: &[Value], arguments: &[&str]) -> Command {
    let body = json!({ "status": "success", "locations": locations }).to_string();
    let mut command = command(arguments);
    command.env("ANYVPN_AZIRE_URL", provider_of("200 OK", body)).env("ANYVPN_AZIRE_TOKEN", "t");
    command
}

#[test]
fn an_unreadable_location_is_reported_and_the_others_are_listed() {
    let locations = [location("se-sto"), json!({ "name": null }), location("se-got")];
    let answer = json(&mut azire(&locations, &["server", "list"]));
    let ids: Vec<_> = answer["servers"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["se-sto", "se-got"]);
    assert_eq!(answer["servers"][0]["name"], "Sweden");
    assert_eq!(answer["left_out"]["count"], 1);
    let reason = answer["left_out"]["reasons"][0].as_str().unwrap();
    assert!(reason.contains("element 1") && reason.contains("name"), "{reason}");

    let ran = azire(&locations, &["server", "list"]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let (table, note) = (String::from_utf8(ran.stdout), String::from_utf8(ran.stderr));
    assert!(table.unwrap().contains("se-got"));
    assert!(note.unwrap().contains("The list is not complete: 1 was left out: element 1"));
}

#[test]
fn a_list_that_is_complete_says_nothing_of_it() {
    let locations = [location("se-sto")];
    let ran = azire(&locations, &["server", "list"]).output().unwrap();
    assert_eq!((ran.status.code(), ran.stderr.len()), (Some(0), 0));
    let answer = json(&mut azire(&locations, &["server", "list"]));
    assert_eq!(answer["left_out"], json!({ "count": 0, "reasons": [] }));
}

/// The document is written piece by piece, but has the same layout as any other.
#[test]
fn a_list_of_any_length_is_one_document() {
    for count in [0, 1, 2, 2000] {
        let locations: Vec<_> = (0..count).map(|number| location(&format!("l{number}"))).collect();
        let text = ok(azire(&locations, &["server", "list"]).arg("--json"));
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["servers"].as_array().unwrap().len(), count);
        assert_eq!(text.lines().next(), Some("{"));
        let is_laid_out = |line: &str| line.len() - line.trim_start().len() <= 8;
        assert!(text.lines().all(is_laid_out) && text.ends_with("  }\n}\n"));
        assert_eq!(text.lines().filter(|line| *line == "    {").count(), count);
    }
}
