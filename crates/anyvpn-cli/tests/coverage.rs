#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Lists every operation in the client, the sandbox, the command and the fixtures. Writes
//! `docs/coverage.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyvpn::Registry;
use anyvpn_testkit::document;

/// The names that `anyvpn call PROVIDER` lists.
fn command_lists(provider: &str) -> String {
    let mut anyvpn = Command::new(env!("CARGO_BIN_EXE_anyvpn"));
    let ran = anyvpn.args(["call", provider]).output().unwrap();
    String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap()
}

/// Counts the operation's fixtures that end with a value, and those that end with an error.
fn fixtures(provider: &str, operation: &str) -> (usize, usize) {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = crates.join(format!("anyvpn-{provider}/fixtures/{operation}"));
    let (mut values, mut errors) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        values += usize::from(text.contains("\n### value\n"));
        errors += usize::from(text.contains("\n### error\n"));
    }
    (values, errors)
}

#[test]
fn every_operation_is_everywhere() {
    let sandbox = anyvpn_sandbox::operations();
    let mut table = "# Where each operation is\n\n\
        This page is for maintainers. It shows, for each operation, whether the client, the sandbox \
        and the command\n(`anyvpn call`) have it, and how many fixtures end with a value or an error. A \
        test compares it with\nthe code. `cargo xtask docs` writes it.\n\n\
        | operation | client | sandbox | command | values | errors |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut count = 0;
    for info in Registry::builtin().infos() {
        let listed = command_lists(info.name);
        for entry in info.operations {
            let id = entry.id.to_string();
            let (values, errors) = fixtures(info.name, entry.id.name());
            let served = sandbox.contains(&id.as_str());
            let called = listed.split_whitespace().any(|word| word == entry.id.name());
            assert!(served && called && values > 0 && errors > 0, "{id}: {served} {called}");
            let yes = |is| if is { "yes" } else { "no" };
            let (served, called) = (yes(served), yes(called));
            _ = writeln!(table, "| {id} | yes | {served} | {called} | {values} | {errors} |");
            count += 1;
        }
    }
    assert_eq!(sandbox.len(), count, "the sandbox serves nothing else");
    document::check("../../docs/coverage.md", None, &table);
}

#[test]
fn the_guide_has_the_settings() {
    let mut table =
        "| at | variable | option, or keys of a profile | what it is |\n|---|---|---|---|\n"
            .to_owned();
    for info in Registry::builtin().infos() {
        for setting in info.settings {
            let (key, variable) = (setting.key, setting.variable(info.name));
            let typed = match setting.secret {
                true => format!("`{key}_file` or `{key}_command`"),
                false => format!("`--{}`, `{key}`", key.replace('_', "-")),
            };
            let mut doc = setting.doc.to_owned();
            if !setting.one_of.is_empty() {
                doc += &format!(" One of `{}`.", setting.one_of.join("`, `"));
            }
            doc += &setting.default.map(|it| format!(" Without it: `{it}`.")).unwrap_or_default();
            _ = writeln!(table, "| {} | `{variable}` | {typed} | {doc} |", info.title);
        }
    }
    document::check("../../docs/command.md", Some("settings"), &table);
}
