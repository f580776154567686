//! The messages that users see when they make a mistake.
//!
//! Each mistake is a command line. A shell runs it as it is and with `--json`, and the result is
//! compared with the file of the mistake's name: exit code, stdout, stderr. Values that differ
//! between runs are replaced by placeholders: `/home/jo` for the home folder, `PORT` for the
//! sandbox's port, `N` for the seconds between attempts. `ANYVPN_WRITE_DOCS=1` writes the files,
//! and the list of them in the guide. Read them afterwards.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/schema.rs"]
mod schema;

mod environment;
mod machine;
mod network;
mod provider;
mod typed;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyvpn_testkit::document;
use common::{PASSWORD, command, json};
use environment::{Environment, How, Ran, Who};
use schema::Schemas;
use serde_json::Value;

/// A mistake that users make.
struct Mistake {
    /// The name of its file.
    name: &'static str,
    /// The exit code that the design requires.
    exit_code: i32,
    /// What the user did, or what the situation was.
    what: &'static str,
    /// The command line.
    typed: &'static str,
    who: Who,
    how: How,
    /// Prepares the situation in which the line is run.
    prepare: fn(&Environment),
}

/// Creates a mistake by a user with an AzireVPN account, whose address and token are in the
/// environment.
const fn mistake(
    name: &'static str,
    exit_code: i32,
    what: &'static str,
    typed: &'static str,
) -> Mistake {
    let (who, how) = (Who::Azire, How::Plain);
    Mistake { name, exit_code, what, typed, who, how, prepare: |_| {} }
}

impl Mistake {
    const fn by(self, who: Who) -> Self {
        Self { who, ..self }
    }

    const fn how(self, how: How) -> Self {
        Self { how, ..self }
    }

    const fn when(self, prepare: fn(&Environment)) -> Self {
        Self { prepare, ..self }
    }

    /// Returns the expected content of the file. `None` if this machine cannot produce it.
    fn play(&self, schemas: &Schemas, codes: &BTreeMap<String, i32>) -> Option<String> {
        let [plain, json] = ["", "--json "].map(|option| {
            let environment = Environment::new(self.who);
            (self.prepare)(&environment);
            environment
                .run(&self.typed.replacen("anyvpn ", &format!("anyvpn {option}"), 1), self.how)
        });
        let (plain, json) = (plain?, json?);
        for Ran { code, stdout, stderr } in [&plain, &json] {
            assert_eq!(*code, self.exit_code, "{stderr}");
            assert_eq!(stdout, "", "{stderr}");
        }
        let mut text = format!("# {}\n$ {}\n", self.what, self.typed);
        _ = write!(text, "--- exit code\n{}\n--- stdout\n{}", plain.code, plain.stdout);
        _ = write!(text, "--- stderr\n{}--- stderr with --json\n{}", plain.stderr, json.stderr);
        if self.exit_code == 0 {
            assert_eq!((&*plain.stderr, &*json.stderr), ("", ""));
            return Some(text);
        }
        is_readable(&plain.stderr);
        let report: Value = serde_json::from_str(&json.stderr).unwrap();
        schemas.check("error", &report);
        assert_eq!(codes[report["error"]["kind"].as_str().unwrap()], self.exit_code);
        for secret in [PASSWORD, "hunter2", "canary"] {
            assert!(!plain.stderr.contains(secret) && !json.stderr.contains(secret), "{text}");
        }
        Some(text)
    }
}

/// Checks that a message has at most four lines, says what failed and what to do next, and shows no
/// internals.
fn is_readable(stderr: &str) {
    let lines = stderr.lines().skip_while(|line| !line.starts_with("error: "));
    let lines: Vec<&str> = lines.collect();
    assert!((2..=4).contains(&lines.len()), "{stderr}");
    let next = ["  hint: ", "  tip: ", "Usage: ", "For more information, try '--help'."];
    assert!(lines.iter().any(|line| next.iter().any(|it| line.starts_with(it))), "{stderr}");
    for inside in [
        "::", "Some(", "None", "Ok(", "Err(", "Error {", "reqwest", "hyper", "rustls", "serde",
        "Kind", "panicked", "os error", ".rs", "src/",
    ] {
        assert!(!stderr.contains(inside), "{inside}: {stderr}");
    }
}

const GROUPS: &[(&str, &[Mistake])] = &[
    ("On the command line", typed::ALL),
    ("On this machine", machine::ALL),
    ("In the network", network::ALL),
    ("At the provider", provider::ALL),
];

fn folder() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mistakes/golden").into()
}

fn golden(name: &str) -> PathBuf {
    folder().join(name).with_extension("txt")
}

#[test]
fn the_output_of_every_mistake_matches_its_golden_file() {
    let all: Vec<&Mistake> = GROUPS.iter().flat_map(|(_, group)| *group).collect();
    let schemas = Schemas::load();
    let kinds = json(&mut command(&["explain"]));
    let code = |kind: &Value| {
        (kind["kind"].as_str().unwrap().to_owned(), kind["exit_code"].as_i64().unwrap() as i32)
    };
    let codes: BTreeMap<String, i32> =
        kinds["kinds"].as_array().unwrap().iter().map(code).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        // Mistakes with retries spend most of their time waiting.
        for _ in 0..16 {
            scope.spawn(|| {
                while let Some(mistake) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let played =
                        catch_unwind(AssertUnwindSafe(|| match mistake.play(&schemas, &codes) {
                            Some(text) => {
                                document::check(golden(mistake.name), None, &text);
                            }
                            None => eprintln!("{}: this machine cannot do it", mistake.name),
                        }));
                    if played.is_err() {
                        wrong.lock().unwrap().push(mistake.name);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "see above: {wrong:?}");

    let files = std::fs::read_dir(folder()).unwrap().count();
    assert_eq!(files, all.len(), "each file is of a mistake, and no two have one");
    document::check("../../docs/mistakes.md", None, &index());
}

/// Writes the guide's page, with a line for each file.
fn index() -> String {
    let count: usize = GROUPS.iter().map(|(_, group)| group.len()).sum();
    let mut page = format!(
        "# Common mistakes\n\nThis page is for users who see an error. It lists {count} mistakes with \
         the first line of the error. The lines\nafter it say why, what to do next, and how to \
         [read more](errors.md). A test runs each command, also with\n`--json`, and compares the whole \
         output with a file in `crates/anyvpn-cli/tests/mistakes/golden`. It writes\nthis page.\n"
    );
    for (title, group) in GROUPS {
        _ = write!(
            page,
            "\n## {title}\n\n| mistake | typed | error | exit code |\n|---|---|---|---|\n"
        );
        for Mistake { name, what, typed, exit_code, .. } in *group {
            let file = std::fs::read_to_string(golden(name)).unwrap();
            let error = file.lines().find_map(|line| line.strip_prefix("error: "));
            let (typed, error) = (cell(typed), cell(error.unwrap_or("(nothing)")));
            // We use HTML, because another test runs every command that Markdown marks as code.
            _ = writeln!(page, "| {what} | <code>{typed}</code> | {error} | {exit_code} |");
        }
    }
    page
}

/// Formats a text for a table's cell, without markup.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '|' | '`' | '*' | '_' | '[' | ']' | '\\' => {
                _ = write!(cell, "&#{};", u32::from(c));
            }
            c => cell.push(c),
        }
    }
    cell
}
