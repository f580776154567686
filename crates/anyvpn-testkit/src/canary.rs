//! Searches for marked secrets in everything that a person or a log could see.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use tracing_subscriber::fmt::MakeWriter;

/// Collects outputs and searches them for secrets.
#[derive(Clone, Default)]
pub struct Canary(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    secrets: BTreeSet<String>,
    /// The secrets in every encoding that an output could use.
    forms: Vec<String>,
    outputs: Vec<u8>,
    /// Whether outputs are searched as they arrive and not kept.
    forgets: bool,
    heard: u64,
    leaks: Vec<String>,
}

impl State {
    fn hear(&mut self, output: &[u8]) {
        self.heard += output.len() as u64;
        if !self.forgets {
            self.outputs.extend_from_slice(output);
            return;
        }
        let output = String::from_utf8_lossy(output);
        if let Some(leak) = leak(&output, &self.forms) {
            self.leaks.push(leak);
        }
    }
}

/// Returns the text before the first of `secrets`; `None` if there is none.
fn leak(text: &str, secrets: &[String]) -> Option<String> {
    let at = secrets.iter().find_map(|secret| text.find(secret.as_str()))?;
    let from = text[..at].char_indices().rev().nth(80).map_or(0, |(i, _)| i);
    Some(text[from..at].to_owned())
}

/// Returns a secret as it is, and as URLs, JSON, `Debug` and base64 encode it.
fn forms(secret: &str) -> Vec<String> {
    let percent = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    let bytes = format!("{:?}", secret.as_bytes());
    let mut forms = vec![
        secret.to_owned(),
        secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        secret.bytes().map(percent).collect(),
        secret
            .bytes()
            .map(|byte| if byte == b' ' { "+".to_owned() } else { percent(byte) })
            .collect(),
        serde_json::Value::from(secret).to_string().trim_matches('"').to_owned(),
        secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect(),
        bytes.trim_matches(['[', ']']).to_owned(),
    ];
    for before in 0..3 {
        // In HTTP Basic, a name precedes the secret. For each of the three alignments, this is the part
        // of the base64 text that does not depend on the name.
        let text = [&[0; 2][..before], secret.as_bytes()].concat();
        let whole = &text[..text.len() / 3 * 3];
        let own = (4 * before).div_ceil(3);
        forms.extend(
            [STANDARD.encode(whole), URL_SAFE.encode(whole)].map(|it| it[own..].to_owned()),
        );
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

impl Canary {
    /// Creates a canary that receives everything the process logs from now on. There can be one per
    /// process.
    ///
    /// # Panics
    ///
    /// If the process already has a log subscriber.
    #[must_use]
    pub fn of_the_log() -> Self {
        Self::default().listening()
    }

    /// Creates a canary for very long logs. It keeps no outputs, so secrets must be marked before they
    /// appear; [`Canary::take_leaks`] returns those that did.
    ///
    /// # Panics
    ///
    /// If the process already has a log subscriber.
    #[must_use]
    pub fn watching_the_log() -> Self {
        let canary = Self::default();
        canary.state().forgets = true;
        canary.listening()
    }

    fn listening(self) -> Self {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(self.clone())
            .init();
        self
    }

    /// Marks a secret, which must not appear in any output, earlier or later.
    ///
    /// # Panics
    ///
    /// If the secret is so short that it would appear by chance.
    pub fn mark(&self, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 8, "a marked secret needs at least 8 characters");
        let mut state = self.state();
        if state.secrets.insert(secret.clone()) {
            state.forms.extend(forms(&secret));
        }
    }

    /// Adds an output to search.
    pub fn hears(&self, output: impl AsRef<[u8]>) {
        let mut state = self.state();
        state.hear(output.as_ref());
        state.hear(b"\n");
    }

    /// Returns all outputs that were kept.
    #[must_use]
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.state().outputs).into_owned()
    }

    /// Returns the size of all outputs, in bytes.
    #[must_use]
    pub fn heard_bytes(&self) -> u64 {
        self.state().heard
    }

    /// Returns the text before each secret that appeared since this was last called.
    #[must_use]
    pub fn take_leaks(&self) -> Vec<String> {
        std::mem::take(&mut self.state().leaks)
    }

    /// Asserts that no marked secret appeared, as it is or in an encoding that a log might use.
    ///
    /// # Panics
    ///
    /// If one did, or if nothing was marked or there was no output at all.
    pub fn assert_silent(&self) {
        let state = self.state();
        assert!(
            !state.secrets.is_empty() && state.heard > 0,
            "no secret was marked, or there was no output"
        );
        let kept = leak(&String::from_utf8_lossy(&state.outputs), &state.forms);
        if let Some(before) = state.leaks.first().or(kept.as_ref()) {
            panic!("a marked secret appeared after: {before}");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Canary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.state().hear(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Canary {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Canary;

    #[test]
    #[should_panic(expected = "appeared after: password ")]
    fn a_marked_secret_is_found() {
        let canary = Canary::default();
        canary.hears("password sesame-open-up");
        canary.mark("sesame-open");
        canary.assert_silent();
    }

    #[test]
    fn encoded_secrets_are_found_and_nothing_is_stored() {
        let canary = Canary::default();
        canary.state().forgets = true;
        canary.mark("open \"sésame\"");
        canary.hears("nothing of it");
        for output in [
            "open \"sésame\"",
            "a=open%20%22s%C3%A9same%22",
            "a=open+%22s%C3%A9same%22&b",
            r#"{"a":"open \"sésame\""}"#,
            // In HTTP Basic, behind names of 5, 6 and 7 characters.
            "Basic aGVsZW46b3BlbiAic8Opc2FtZSI=",
            "Basic aGVsZW5hOm9wZW4gInPDqXNhbWUi",
            "Basic aGVsZW5hYTpvcGVuICJzw6lzYW1lIg==",
        ] {
            assert!(canary.take_leaks().is_empty());
            canary.hears(output);
            assert_eq!(canary.take_leaks().len(), 1, "{output}");
        }
        assert!(canary.heard().is_empty() && canary.heard_bytes() > 50);
    }

    #[test]
    fn silence_is_silence() {
        let canary = Canary::default();
        canary.mark("sesame-open");
        canary.hears("password [redacted]");
        canary.assert_silent();
    }
}
