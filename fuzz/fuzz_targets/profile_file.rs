//! Any bytes as the file of profiles: what is read is written the same, and what is added, chosen and
//! removed is read again, with every comment. A secret in it is an error that does not show it.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use anyvpn::{Registry, Settings};
use anyvpn_cli::fuzzing::{Draft, Failure, File, ProfileEntry, SecretSource, StoreKind};
use libfuzzer_sys::fuzz_target;

const NAME: &str = "fuzzed";
/// What is looked for where it is a secret.
const CANARY: &str = "canary";

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::builtin);

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
            assert!(!lines.iter().any(|it| it.chars().any(anyvpn::is_invisible)), "{lines:?}");
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
    assert_eq!(with.get(NAME).map(said), Some(said(&entry)));
    assert_eq!(with.entries.len(), file.entries.len() + 1);
    for known in &file.entries {
        assert_eq!(with.get(&known.name).map(said), Some(said(known)));
    }
    assert_eq!(with.default, file.default);

    draft.set_default(NAME);
    assert_eq!(again(&draft).default.as_deref(), Some(NAME));
    draft.remove(NAME);
    let without = again(&draft);
    assert!(without.entries.iter().map(said).eq(file.entries.iter().map(said)));
    assert_eq!(without.default, None);
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
    assert!(without.entries.iter().map(said).eq(others.map(said)), "{text:?}");
    assert_eq!(without.default, file.default.clone().filter(|it| it != name));
}

fn read(text: &str) -> Result<File, Failure> {
    File::parse(&REGISTRY, Path::new("/c/config.toml"), text)
}

fn again(draft: &Draft) -> File {
    let text = draft.text();
    read(&text).unwrap_or_else(|failure| panic!("{text:?}: {:?}", failure.lines()))
}

/// All that a profile says, to be compared.
fn said(entry: &ProfileEntry) -> String {
    let setting = |key: &str| format!("{key}={:?}", entry.settings.text(key));
    let settings: Vec<_> = entry.settings.keys().map(setting).collect();
    let source = |(setting, source): &(&anyvpn::Setting, SecretSource)| {
        format!("{}={source:?}", setting.key)
    };
    let sources: Vec<_> = entry.sources.iter().map(source).collect();
    let (name, provider, store) = (&entry.name, entry.provider.name, entry.store);
    format!("{name:?} {provider} {settings:?} {sources:?} {store:?}")
}

fn entry(choice: usize) -> ProfileEntry {
    let words = ["pass", "show", "a b\"\\\n"].map(str::to_owned).to_vec();
    let (provider, settings, source, store) = match choice % 3 {
        0 => {
            let file = SecretSource::File("/run/secrets/to'ken".into());
            ("azire", Settings::new(), Some(file), StoreKind::File)
        }
        1 => {
            let settings = Settings::new().with("url", "https://vpn.example.com/a");
            ("vpnscript", settings, Some(SecretSource::Command(words)), StoreKind::Keyring)
        }
        _ => ("vpngn", Settings::new().with("brand", "acme"), None, StoreKind::File),
    };
    let provider = REGISTRY.info(provider).unwrap();
    let sources = source.and_then(|source| Some((provider.setting("token")?, source)));
    let (name, sources) = (NAME.to_owned(), sources.into_iter().collect());
    ProfileEntry { name, provider, settings, sources, store }
}
