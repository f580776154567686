//! The demo succeeds and leaves only the files that it names.

mod common;

use std::path::Path;

use anyvpn::Registry;
use common::{command, fails, ok};
use serde_json::Value;

/// The number of operations of these providers.
fn operations_of(chosen: impl Fn(&str) -> bool) -> usize {
    let registry = Registry::builtin();
    let infos = registry.infos().filter(|info| chosen(info.name));
    infos.map(|info| info.operations.len()).sum()
}

#[test]
fn the_demo_calls_every_operation_successfully_with_any_seed() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let ran = ok(command(&["demo", "--json", "--seed", &seed.to_string()])
            .arg("--output-dir")
            .arg(folder.path()));
        let answer: Value = serde_json::from_str(&ran).unwrap();
        let operations = answer["operations"].as_array().unwrap();
        assert_eq!(operations.len(), operations_of(|_| true));
        for operation in operations {
            assert_eq!(operation["ok"], true, "{operation}");
            assert!(operation["calls"].as_u64().unwrap() > 0);
        }
        for step in answer["steps"].as_array().unwrap() {
            assert_eq!(step["ok"], true, "{step}");
            assert_ne!(step["title"], "");
        }
        let files = answer["files"].as_array().unwrap();
        let content = |file: &Value| std::fs::read_to_string(file.as_str().unwrap()).unwrap();
        for file in files {
            let content = content(file);
            assert!(content.contains("[Peer]") || content.contains("<ca>"), "{file}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), files.len());
    }
}

#[test]
fn the_demo_prints_each_step_without_secrets_and_names_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let ran = command(&["demo", "-vv"]).env("TMPDIR", folder.path()).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let text = String::from_utf8(ran.stdout).unwrap();
    let commands = text.lines().filter(|line| line.starts_with("$ anyvpn ")).count();
    let all = operations_of(|_| true);
    assert!(commands >= all, "{text}");
    for info in Registry::builtin().infos() {
        let prefix = format!("{}.", info.name);
        let rows = text.lines().filter(|line| line.starts_with(&prefix)).count();
        assert_eq!(rows, info.operations.len(), "{text}");
    }
    assert!(text.contains(&format!("{all} of {all} operations succeeded.")), "{text}");

    let log = String::from_utf8(ran.stderr).unwrap();
    let files: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("Written: ")).collect();
    assert!(files.len() >= 3, "{text}");
    for file in files {
        assert!(Path::new(file).starts_with(folder.path()));
        let config = std::fs::read_to_string(file).unwrap();
        let key = match config.split_once("<auth-user-pass>\n") {
            Some((_, rest)) => rest.lines().nth(1).unwrap(),
            None => config.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).unwrap(),
        };
        for secret in ["correct horse", "staple battery", "Correct-Horse", key] {
            assert!(!text.contains(secret) && !log.contains(secret));
        }
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1);
}

#[test]
fn the_demo_of_one_provider_is_chosen_by_option_and_not_by_environment() {
    let folder = tempfile::tempdir().unwrap();
    let demo = ["demo", "--json", "--provider", "vpngn", "--output-dir"];
    let ran = ok(command(&demo).arg(folder.path()).env("ANYVPN_PROVIDER", "azire"));
    let answer: Value = serde_json::from_str(&ran).unwrap();
    let operations = operations_of(|provider| provider == "vpngn");
    assert_eq!(answer["operations"].as_array().unwrap().len(), operations);
    assert_eq!(answer["files"].as_array().unwrap().len(), 0);
    let ran = ok(command(&demo[..2])
        .args(["--output-dir"])
        .arg(folder.path())
        .env("ANYVPN_PROVIDER", "azire"));
    let answer: Value = serde_json::from_str(&ran).unwrap();
    assert_eq!(answer["operations"].as_array().unwrap().len(), operations_of(|_| true));
}

#[test]
fn an_unusable_folder_stops_the_demo_before_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    // The file of the last provider is checked before the first one starts.
    std::fs::write(folder.path().join("vpnscript-demo.conf"), "mine").unwrap();
    let ran = fails(2, command(&["demo", "--output-dir"]).arg(folder.path()));
    assert!(ran.contains("already exists"), "{ran}");
    fails(1, &mut command(&["demo", "--output-dir", "/no/such"]));
    let text = std::fs::read_to_string(folder.path().join("vpnscript-demo.conf"));
    assert_eq!(text.unwrap(), "mine");
}
