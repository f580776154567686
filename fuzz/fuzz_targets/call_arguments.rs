//! Any words behind `anyvpn call PROVIDER OPERATION`: a JSON object of the operation's fields, or an
//! error that shows no secret.
//!
//! An input is the operation, and then a word a line:
//!
//! ```text
//! azire.update-token
//! id=jbj2Ka81
//! comment=laptop
//! ```
#![no_main]

use std::sync::LazyLock;

use anyvpn_cli::fuzzing::{Command, Failure, call_input, parse};
use anyvpn::{FieldKind, OperationInfo, Registry};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

/// What is looked for where it is a secret.
const CANARY: &str = "canary";

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::builtin);

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((entry, words)) = parts(bytes) else { return Corpus::Reject };
    let line = ["anyvpn", "call", entry.id.provider(), entry.id.name(), "--"];
    let line: Vec<_> = line.into_iter().chain(words.iter().copied()).map(Into::into).collect();
    let Ok(cli) = parse(&REGISTRY, &line) else { return Corpus::Reject };
    let Command::Call(call) = cli.command else { return Corpus::Reject };
    match call_input(entry, &call) {
        Ok(input) => is_what_was_said(entry, &words, &input),
        Err(failure) => is_fit(entry, &words, &failure),
    }
    Corpus::Keep
});

fn parts(bytes: &[u8]) -> Option<(&'static OperationInfo, Vec<&str>)> {
    let mut lines = std::str::from_utf8(bytes).ok()?.split('\n');
    let (provider, operation) = lines.next()?.split_once('.')?;
    let entry = REGISTRY.info(provider).ok()?.operation(operation)?;
    let words: Vec<&str> = lines.collect();
    // Whoever fuzzes reads no files, and no stdin.
    let reads = |word: &&str| word.contains("=@") || word.ends_with("=-");
    (!words.iter().any(reads)).then_some((entry, words))
}

/// The error is short, and shows no secret that was given for one.
fn is_fit(entry: &OperationInfo, words: &[&str], failure: &Failure) {
    let lines = failure.lines();
    assert!(lines.len() <= 4, "{lines:?}");
    assert!(!lines.iter().any(|line| line.chars().any(anyvpn::is_invisible)), "{lines:?}");
    let (secret, open): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| {
        let field = |name: &str| entry.fields.iter().find(|field| field.name == name);
        let named = word.split_once('=').and_then(|(name, _)| field(name));
        named.is_some_and(|field| field.kind == FieldKind::Secret)
    });
    let has = |words: &[&str]| words.iter().any(|word| word.contains(CANARY));
    assert!(!has(&secret) || has(&open) || !lines.concat().contains(CANARY), "{lines:?}");
}

/// Each word is a field of its own kind, none is a secret's, and nothing was made up.
fn is_what_was_said(entry: &OperationInfo, words: &[&str], input: &Value) {
    let input = input.as_object().unwrap();
    assert_eq!(input.len(), words.len());
    for word in words {
        let (name, said) = word.split_once('=').unwrap();
        let field = entry.fields.iter().find(|field| field.name == name).unwrap();
        match (field.kind, &input[name]) {
            (FieldKind::Text, Value::String(text)) => assert_eq!(text, said),
            (FieldKind::Integer, Value::Number(number)) => {
                assert_eq!(said.parse().ok(), number.as_i64());
            }
            (FieldKind::Boolean, Value::Bool(flag)) => assert_eq!(said, flag.to_string()),
            (FieldKind::Json, value) => {
                assert_eq!(serde_json::from_str::<Value>(said).ok().as_ref(), Some(value));
            }
            (kind, value) => panic!("{word}: {kind:?} is {value}"),
        }
    }
    let required = entry.fields.iter().filter(|field| field.required);
    assert!(required.into_iter().all(|field| input.contains_key(field.name)));
}
