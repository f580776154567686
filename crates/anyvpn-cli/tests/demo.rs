//! The demo works, and leaves nothing but what it names.

mod common;

use std::path::Path;

use common::{command, fails, ok};
use serde_json::Value;

#[test]
fn all_operations_are_called_and_work_whatever_the_sandbox_answers() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let ran = ok(command(&["demo", "--json", "--seed", &seed.to_string()])
            .arg("--output-dir")
            .arg(folder.path()));
        let answer: Value = serde_json::from_str(&ran).unwrap();
        let operations = answer["operations"].as_array().unwrap();
        assert_eq!(operations.len(), 25);
        for operation in operations {
            assert_eq!(operation["ok"], true, "{operation}");
            assert!(operation["calls"].as_u64().unwrap() > 0);
            assert!(operation["duration_ms"].as_f64().unwrap() > 0.0);
        }
        for step in answer["steps"].as_array().unwrap() {
            assert_eq!(step["ok"], true, "{step}");
            assert!(step["title"].is_string() && step["detail"].is_string());
        }
        let files = answer["files"].as_array().unwrap();
        assert_eq!(files.len(), 1);
        let config = std::fs::read_to_string(files[0].as_str().unwrap()).unwrap();
        assert!(config.contains("[Peer]"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn it_is_told_step_by_step_without_secrets_and_the_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let ran = command(&["demo", "-vvv"]).env("TMPDIR", folder.path()).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let text = String::from_utf8(ran.stdout).unwrap();
    let steps = text.lines().filter(|line| line.starts_with("ok    ")).count();
    assert!(steps >= 25, "{text}");
    let rows = text.lines().filter(|line| line.starts_with("azire.")).count();
    assert_eq!(rows, 25, "{text}");
    assert!(text.contains("25 of 25 operations worked."), "{text}");

    let file = text.lines().find_map(|line| line.strip_prefix("Left behind: ")).unwrap();
    let config = std::fs::read_to_string(file).unwrap();
    let key = config.lines().find(|line| line.starts_with("PrivateKey")).unwrap();
    let key = key.split(" = ").nth(1).unwrap();
    let log = String::from_utf8(ran.stderr).unwrap();
    for secret in ["correct horse", "staple battery", key] {
        assert!(!text.contains(secret) && !log.contains(secret));
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1);
    assert!(Path::new(file).starts_with(folder.path()));
}

#[test]
fn a_folder_that_will_not_do_is_found_out_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("azire-demo.conf"), "mine").unwrap();
    let ran = fails(2, command(&["demo", "--output-dir"]).arg(folder.path()));
    assert!(ran.contains("exists already"), "{ran}");
    fails(1, &mut command(&["demo", "--output-dir", "/no/such"]));
    let text = std::fs::read_to_string(folder.path().join("azire-demo.conf"));
    assert_eq!(text.unwrap(), "mine");
}
