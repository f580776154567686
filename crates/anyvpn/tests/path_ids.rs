//! No value in a path can name another resource, for any operation.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::io::ErrorKind::WouldBlock;
use std::net::TcpListener;

use anyvpn::{ErrorKind, FieldKind, OperationInfo, Registry, Settings};
use serde_json::{Map, Value};

/// Returns the names of the parameters in a path.
fn places(entry: &OperationInfo) -> impl Iterator<Item = &'static str> {
    entry.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

/// Returns a value for every required field.
fn input(entry: &OperationInfo) -> Map<String, Value> {
    let value = |kind| match kind {
        // Some texts are dates.
        FieldKind::Text | FieldKind::Secret => Value::from("2026-12-31"),
        FieldKind::Integer => Value::from(1),
        FieldKind::Boolean => Value::from(true),
        FieldKind::Json => Value::from(1.5),
    };
    let needed = entry.fields.iter().filter(|field| field.required);
    needed.map(|field| (field.name.to_owned(), value(field.kind))).collect()
}

#[tokio::test]
async fn a_value_that_names_another_resource_is_refused_before_sending() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tried = Vec::new();
    let registry = Registry::builtin();
    for info in registry.infos().filter(|info| info.setting("url").is_some()) {
        let mut settings = Settings::new().with("url", url.clone());
        for setting in info.settings.iter().filter(|setting| setting.secret) {
            settings.set(setting.key, "t0ken");
        }
        let provider = registry.open(info.name, &settings).unwrap();
        for entry in info.operations {
            for place in places(entry) {
                let field = entry.fields.iter().find(|field| field.name == place).unwrap();
                for wrong in [
                    "",
                    ".",
                    "..",
                    "../users/me",
                    "..%2fusers%2fme",
                    "%2e%2e%2Fusers%2Fme",
                    "..\\users\\me",
                    "a/b",
                    "a%",
                    "a\nb",
                    "a\0",
                    "a\u{7f}",
                    "a\u{85}",
                ] {
                    let mut input = input(entry);
                    input.insert(place.to_owned(), wrong.into());
                    let outcome = provider.call_json(entry.id.name(), input.into(), false).await;
                    let error = outcome.unwrap_err();
                    let what = format!("{} {place} {wrong:?}: {error}", entry.id);
                    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{what}");
                    assert!(error.fields().contains_key(place), "{what}");
                }
                if field.kind == FieldKind::Text {
                    tried.push(entry.id.name());
                }
            }
        }
    }
    assert_eq!(listener.accept().unwrap_err().kind(), WouldBlock, "something was sent");
    let ids = ["update-token", "delete-token", "get-ip", "delete-ip", "put-ip-key"];
    assert_eq!(tried, [&ids[..], &["list-servers"]].concat(), "ids, and a version in a path");
}
