//! Secrets: strings that are wiped from memory and never shown by accident.

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize as _, Zeroizing};

/// The text that is shown in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A password, a token or a key. It is wiped from memory when dropped.
///
/// `Debug` and `Serialize` write `[redacted]`, and there is no `Display`. There are two ways to get the
/// text, both easy to search for: [`Secret::expose`], and serializing inside [`reveal`].
///
/// ```
/// use anyvpn_core::Secret;
///
/// let token = Secret::from("12|TDLL");
/// assert_eq!(format!("{token:?}"), "[redacted]");
/// assert_eq!(token.expose(), "12|TDLL");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    /// Returns the text. Keep it out of messages, logs and the arguments of other programs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl From<String> for Secret {
    /// Copies `text` and wipes the original: shrinking it in place could leave a copy in memory.
    fn from(mut text: String) -> Self {
        let secret = Self::from(&*text);
        text.zeroize();
        secret
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let revealed = REVEALED.with_borrow_mut(|scope| match scope {
            Some(secrets) => {
                secrets.push(self.clone());
                true
            }
            None => false,
        });
        serializer.serialize_str(if revealed { self.expose() } else { REDACTED })
    }
}

thread_local! {
    /// The secrets that the running [`reveal`] has written; `None` when none is running.
    static REVEALED: RefCell<Option<Vec<Secret>>> = const { RefCell::new(None) };
}

/// Returns whether secrets are currently serialized as their texts.
#[cfg(feature = "serde")]
pub(crate) fn is_revealing() -> bool {
    REVEALED.with_borrow(Option::is_some)
}

/// Runs `write`, during which each [`Secret`] serializes as its text, and returns the secrets written.
///
/// Request bodies get their passwords this way, and `--reveal` prints them. Only this thread is
/// affected, and only until `write` returns or panics.
///
/// ```
/// use anyvpn_core::{Secret, reveal};
///
/// let password = Secret::from("hunter2");
/// assert_eq!(serde_json::to_string(&password)?, r#""[redacted]""#);
/// let (json, written) = reveal(|| serde_json::to_string(&password));
/// assert_eq!(json?, r#""hunter2""#);
/// assert_eq!(written.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn reveal<T>(write: impl FnOnce() -> T) -> (T, Vec<Secret>) {
    /// Ends the scope even when `write` panics.
    struct Scope(Option<Vec<Secret>>);
    impl Drop for Scope {
        fn drop(&mut self) {
            REVEALED.set(self.0.take());
        }
    }
    let scope = Scope(REVEALED.replace(Some(Vec::new())));
    let value = write();
    let written = REVEALED.take().unwrap_or_default();
    drop(scope);
    (value, written)
}

/// Replaces each of `secrets` in `text`, which came from outside and may repeat one.
///
/// A text that contains a secret in the encoding of URLs or JSON (`%70`, `\\u0070`) is replaced as a
/// whole. Secrets of fewer than 4 characters are not replaced: they occur by chance, and the gaps
/// would reveal them.
#[must_use]
pub fn redact(text: &str, secrets: &[Secret]) -> String {
    let secrets =
        || secrets.iter().map(Secret::expose).filter(|secret| secret.chars().count() >= 4);
    let text = secrets().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED));
    let spells = |view: String| secrets().any(|secret| view.contains(secret));
    let spelled = (text.contains('%') && spells(decoded(&text, "%", 2)))
        || (text.contains('+') && spells(decoded(&text.replace('+', " "), "%", 2)))
        || (text.contains('\\') && spells(unescaped(&decoded(&text, "\\u", 4))));
    if spelled { REDACTED.to_owned() } else { text }
}

/// Decodes each escape in a text: `mark`, followed by `digits` hexadecimal digits.
fn decoded(text: &str, mark: &str, digits: usize) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + mark.len()..];
        match rest.get(..digits).and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            // Escapes in URLs are bytes, and a character can need several.
            Some(code) if digits == 2 => bytes.push(code as u8),
            Some(code) => {
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => {
                bytes.extend_from_slice(mark.as_bytes());
                continue;
            }
        }
        rest = &rest[digits..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Removes the backslashes that escape a character.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.extend(characters.next()),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_ends_with_a_panic_and_does_not_reach_other_threads() {
        let secret = Secret::from("canary");
        let panicked = std::panic::catch_unwind(|| reveal(|| -> () { panic!("inside") }));
        assert!(panicked.is_err());
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        let (elsewhere, _) = reveal(|| {
            let secret = secret.clone();
            std::thread::spawn(move || serde_json::to_string(&secret).unwrap()).join().unwrap()
        });
        assert_eq!(elsewhere, "\"[redacted]\"");
    }

    #[test]
    fn a_secret_shows_nothing_but_whether_it_is_empty() {
        assert_eq!(
            format!("{:?} {:?}", Secret::from("canary"), Secret::from("")),
            "[redacted] [redacted]"
        );
        assert!(Secret::from("").is_empty() && !Secret::from(" ").is_empty());
    }

    #[test]
    fn a_text_from_outside_loses_every_secret() {
        let secrets = [Secret::from("hunter2"), Secret::from("s"), Secret::from("")];
        assert_eq!(redact("hunter2 is weak: hunter2", &secrets), "[redacted] is weak: [redacted]");
    }

    #[test]
    fn a_text_that_spells_a_secret_is_not_shown() {
        let secrets = [Secret::from("pä\"ss wörd/1")];
        for text in [
            "password=p%C3%A4%22ss%20w%c3%b6rd%2F1&x=%zz",
            "a=b&password=p%C3%A4%22ss+w%C3%B6rd%2F1",
            r#"{"password":"pä\"ss wörd\/1"}"#,
            r#"{"password":"p\u00e4\u0022ss w\u00F6rd/1"}"#,
            r#""pä\"ss wörd/1""#,
        ] {
            assert_eq!(redact(text, &secrets), REDACTED, "{text}");
        }
        let harmless = r"100 % of C:\ux and 1+1 are %4 \";
        assert_eq!(redact(harmless, &secrets), harmless);
    }
}
