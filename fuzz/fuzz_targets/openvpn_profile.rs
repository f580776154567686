//! Any bytes as an OpenVPN profile: what parses prints the same, and stays what it is when
//! credentials are put into it.
#![no_main]

use anyvpn_core::{Certificate, OpenVpnProfile, Secret};
use libfuzzer_sys::fuzz_target;

const USERNAME: &str = "user #1";
const PASSWORD: &str = "CANARY \"\\ </x> # ;";

fuzz_target!(|bytes: &[u8]| {
    // Of UTF-8 this is the text itself.
    let text = String::from_utf8_lossy(bytes);
    let _ = Certificate::from_pem(&text);
    let profile = match OpenVpnProfile::parse_bytes(bytes) {
        Ok(profile) => profile,
        Err(error) => {
            let lines: Vec<&str> = text.split('\n').collect();
            let line = lines[error.line - 1];
            assert!(error.column >= 1 && error.column <= line.chars().count() + 1, "{error}");
            return;
        }
    };
    assert_eq!(profile.to_secret().expose(), text);
    assert_eq!(written(&profile), bytes);
    let lines = text.lines().count();
    let directives = profile.directives();
    assert!(directives.iter().all(|directive| (1..=lines).contains(&directive.line)));
    let (remotes, ca, asks) = (profile.remotes(), profile.ca(), profile.asks_for_password());
    let _ = profile.redacted();

    let Ok(with) = profile.with_auth_user_pass(USERNAME, Secret::from(PASSWORD)) else {
        // Two brackets more, and the line of the directive is too long for OpenVPN.
        assert!(asks && text.lines().any(|line| line.len() > 200), "{text:?}");
        return;
    };
    assert!(!with.asks_for_password());
    let printed = with.to_secret();
    assert_eq!(printed.expose() != text, asks);
    assert!(text.contains("CANARY") || !format!("{with:?}{}", with.redacted()).contains("CANARY"));
    let read = OpenVpnProfile::parse_bytes(&written(&with)).unwrap();
    assert_eq!(read.redacted(), with.redacted());
    assert_eq!(read.remotes(), remotes);
    assert_eq!(read.ca().is_ok(), ca.is_ok());
    let values = |profile: &OpenVpnProfile| -> Vec<_> {
        profile.directives().into_iter().map(|it| (it.name, it.value, it.why)).collect()
    };
    let before: Vec<_> = directives.into_iter().map(|it| (it.name, it.value, it.why)).collect();
    assert_eq!(values(&read), before);
});

fn written(profile: &OpenVpnProfile) -> Vec<u8> {
    let mut bytes = Vec::new();
    profile.write_to(&mut bytes).unwrap();
    bytes
}
