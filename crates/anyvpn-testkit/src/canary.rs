//! Looks for marked secrets in everything that a person or a log could see.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Collects outputs, and finds secrets in them.
#[derive(Clone, Default)]
pub struct Canary(Arc<Mutex<Cage>>);

#[derive(Default)]
struct Cage {
    secrets: Vec<String>,
    outputs: Vec<u8>,
}

impl Canary {
    /// A canary that hears all that the process logs from now on. One a process.
    ///
    /// # Panics
    ///
    /// When the process has a log already.
    #[must_use]
    pub fn of_the_log() -> Self {
        let canary = Self::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(canary.clone())
            .init();
        canary
    }

    /// Marks a secret: it must come up in no output, neither before nor after this.
    ///
    /// # Panics
    ///
    /// When the secret is so short that it comes up by chance.
    pub fn mark(&self, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 8, "a marked secret has at least 8 characters");
        self.cage().secrets.push(secret);
    }

    /// Adds an output.
    pub fn hears(&self, output: impl AsRef<[u8]>) {
        let mut cage = self.cage();
        cage.outputs.extend_from_slice(output.as_ref());
        cage.outputs.push(b'\n');
    }

    /// Everything that was heard.
    #[must_use]
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.cage().outputs).into_owned()
    }

    /// Asserts that no marked secret came up, as it is or in an encoding that a log would use.
    ///
    /// # Panics
    ///
    /// When one did, or when nothing was marked or heard at all.
    pub fn assert_silent(&self) {
        let heard = self.heard();
        let secrets = self.cage().secrets.clone();
        assert!(!secrets.is_empty() && !heard.is_empty(), "nothing was marked, or nothing heard");
        for secret in secrets {
            let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let bytes = format!("{:?}", secret.as_bytes());
            let bytes = bytes.trim_matches(['[', ']']);
            for form in [secret.as_str(), &percent, bytes] {
                if let Some(at) = heard.find(form) {
                    let from = heard[..at].char_indices().rev().nth(80).map_or(0, |(i, _)| i);
                    panic!("a marked secret came up after: {}", &heard[from..at]);
                }
            }
        }
    }

    fn cage(&self) -> MutexGuard<'_, Cage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Canary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.cage().outputs.extend_from_slice(bytes);
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
    #[should_panic(expected = "came up after: password ")]
    fn a_marked_secret_is_found() {
        let canary = Canary::default();
        canary.hears("password sesame-open-up");
        canary.mark("sesame-open");
        canary.assert_silent();
    }

    #[test]
    fn silence_is_silence() {
        let canary = Canary::default();
        canary.mark("sesame-open");
        canary.hears("password [redacted]");
        canary.assert_silent();
    }
}
