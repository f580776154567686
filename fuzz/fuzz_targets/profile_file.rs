//! Any bytes as the file of profiles: what is read is written the same, and what is added, chosen and
//! removed is read again, with every comment. A secret in it is an error that does not show it.
#![no_main]
#![allow(dead_code, unused_imports, reason = "a part of the command is used")]
#![allow(unexpected_cfgs, reason = "the command's features are not this crate's")]

include!(concat!(env!("OUT_DIR"), "/command.rs"));

use std::path::Path;

use anyvpn::ProviderName;
use libfuzzer_sys::fuzz_target;
use profiles::{Credential, Draft, Entry, File, Source, Store};

const NAME: &str = "fuzzed";
/// What is looked for where it is a secret.
const CANARY: &str = "canary";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if !text.contains(CANARY) {
        let profile = format!("[profiles.secret]\nprovider = \"azire\"\ntoken = \"{CANARY}\"\n");
        let lines = read(&format!("{text}\n{profile}")).unwrap_err().lines();
        assert!(!lines.concat().contains(CANARY), "{lines:?}");
    }
    let file = match read(text) {
        Ok(file) => file,
        Err(failure) => {
            let lines = failure.lines();
            assert!(lines.len() <= 4, "{lines:?}");
            assert!(!lines.iter().any(|it| it.chars().any(text::is_treacherous)), "{lines:?}");
            return;
        }
    };
    for known in file.entries.iter().take(4) {
        without(text, &file, &known.name);
    }
    let mut draft = Draft::parse(text).unwrap();
    assert_eq!(Draft::parse(&draft.text()).unwrap().text(), draft.text());
    if file.get(NAME).is_some() {
        return;
    }

    let entry = entry(bytes.len());
    draft.add(&entry);
    let with = again(&draft);
    assert_eq!(with.get(NAME), Some(&entry));
    assert_eq!(with.entries.len(), file.entries.len() + 1);
    for known in &file.entries {
        assert_eq!(with.get(&known.name), Some(known));
    }
    assert_eq!(with.default, file.default);

    draft.set_default(NAME);
    assert_eq!(again(&draft).default.as_deref(), Some(NAME));
    draft.remove(NAME);
    let without = again(&draft);
    assert_eq!((without.entries, without.default), (file.entries, None));
    let comments = |text: &str| text.matches('#').count();
    // A comment behind the default goes with it.
    let most = comments(text);
    assert!(
        comments(&draft.text()) <= most
            && (file.default.is_some() || comments(&draft.text()) == most)
    );
});

/// A profile that is removed takes nothing with it but its being the default.
fn without(text: &str, file: &File, name: &str) {
    let mut draft = Draft::parse(text).unwrap();
    draft.remove(name);
    let without = again(&draft);
    let others = file.entries.iter().filter(|it| it.name != name);
    assert!(without.entries.iter().eq(others), "{text:?}");
    assert_eq!(without.default, file.default.clone().filter(|it| it != name));
}

fn read(text: &str) -> Result<File, failure::Failure> {
    File::parse(Path::new("/c/config.toml"), text)
}

fn again(draft: &Draft) -> File {
    let text = draft.text();
    read(&text).unwrap_or_else(|failure| panic!("{text:?}: {:?}", failure.lines()))
}

fn entry(choice: usize) -> Entry {
    let name = NAME.to_owned();
    let words = ["pass", "show", "a b\"\\\n"].map(str::to_owned).to_vec();
    match choice % 3 {
        0 => Entry {
            name,
            provider: ProviderName::Azire,
            url: None,
            brand: None,
            sources: vec![(Credential::Token, Source::File("/run/secrets/to'ken".into()))],
            store: Store::File,
        },
        1 => Entry {
            name,
            provider: ProviderName::VpnScript,
            url: Some("https://vpn.example.com/a".to_owned()),
            brand: None,
            sources: vec![(Credential::Token, Source::Command(words))],
            store: Store::Keyring,
        },
        _ => Entry {
            name,
            provider: ProviderName::Vpngn,
            url: None,
            brand: Some("acme".to_owned()),
            sources: Vec::new(),
            store: Store::File,
        },
    }
}
