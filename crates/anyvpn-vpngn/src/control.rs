//! The control: how VPNGN refuses to show a customer who cannot exist.

use std::sync::atomic::{AtomicU64, Ordering};

use anyvpn_core::{Error, ErrorKind};
use tokio::sync::Mutex;

use crate::Vpngn;
use crate::ensure::Look;

/// The latest control of a client and its clones. Everybody who asked before it was read can use it, so calls
/// that run at the same time share one.
#[derive(Debug, Default)]
pub(crate) struct Control {
    begun: AtomicU64,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    number: u64,
    /// `None` if it could not be read.
    words: Option<Option<Words>>,
}

/// The words of a refusal, without the address that it may repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
}

impl Words {
    /// Returns the words of the refusal to show this customer.
    pub(crate) fn of(refusal: &Error, email: &str) -> Self {
        let text = |text: &str| text.to_lowercase().replace(&email.to_lowercase(), "…");
        Self {
            status: refusal.status(),
            code: refusal.code().map(text),
            message: refusal.message().map(text),
        }
    }
}

impl Vpngn {
    /// Returns whether VPNGN refuses this customer in the same words as one who cannot exist, who is read
    /// after this call began.
    ///
    /// # Errors
    ///
    /// Any failure to read the latter.
    pub(crate) async fn is_absent(&self, email: &str, refusal: &Error) -> Result<bool, Error> {
        let before = self.control.begun.load(Ordering::SeqCst);
        let mut latest = self.control.latest.lock().await;
        if latest.number <= before {
            let number = self.control.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let read = self.read_control().await;
            let words = read.as_ref().ok().cloned();
            *latest = Latest { number, words };
            drop(latest);
            return Ok(read? == Some(Words::of(refusal, email)));
        }
        let shared = latest.words.clone();
        drop(latest);
        let words = match shared {
            Some(words) => words,
            None => self.read_control().await?,
        };
        Ok(words == Some(Words::of(refusal, email)))
    }

    /// Reads a customer who cannot exist. Returns the words of the refusal; `None` if the customer was shown.
    ///
    /// # Errors
    ///
    /// As [`Vpngn::find`]; also if the system has no random numbers.
    pub(crate) async fn read_control(&self) -> Result<Option<Words>, Error> {
        let nobody = nobody().ok_or_else(|| {
            Error::new(ErrorKind::InvalidRequest).with_detail("the system returned no random bytes")
        })?;
        Ok(match self.find(&nobody).await? {
            Look::Refused(refusal) => Some(Words::of(&refusal, &nobody)),
            Look::Found(_) => None,
        })
    }
}

/// Returns an address that nobody has: random, in a domain that never exists (RFC 2606). `None` if the
/// system cannot provide random numbers.
fn nobody() -> Option<String> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).ok()?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{digits}@example.invalid"))
}
