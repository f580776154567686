//! Runs every operation of a provider with every fault: what the caller gets, how often the request
//! arrives, what it costs, and which invariants hold.
//!
//! [`check`] runs all cases on a provider's [`ProviderHarness`] with every transport, each twice: with
//! the fault on the first request only, and on every request. It asserts the invariants, and compares
//! the table with the provider's page in the documentation.

mod case;
mod environment;
mod judge;
mod report;
mod run;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyvpn_core::Error;
use anyvpn_http::Limits;
use anyvpn_http::transport::{Reqwest, Setup, Transport};
use anyvpn_testkit::document;
use run::run;

use crate::harness::ProviderHarness;

/// Creates the transport under test.
pub type MakeTransport = fn(Setup) -> Result<Arc<dyn Transport>, Error>;

/// The transports, by name.
pub const TRANSPORTS: &[(&str, MakeTransport)] =
    &[("reqwest", |setup| Ok(Arc::new(Reqwest::new(setup)?)))];

/// Runs a function and returns the peak number of bytes that this thread had allocated during it.
pub type Memory = fn(&mut dyn FnMut()) -> u64;

/// The environment variable with a file to which [`check`] appends the figures of its runs.
pub const FIGURES: &str = "ANYVPN_FAULTS_REPORT";

/// Runs all cases with every transport, and compares the result with the provider's page,
/// `docs/faults-NAME.md`.
///
/// # Panics
///
/// If a run violates an invariant, if transports differ, or if the page differs from the result.
pub fn check<H: ProviderHarness>(memory: Memory) {
    let page = Path::new(H::FOLDER).join(format!("../../docs/faults-{}.md", H::NAME));
    for (transport, make) in TRANSPORTS {
        let report = run::<H>(transport, *make, memory);
        if let Some(path) = std::env::var_os(FIGURES) {
            let file = OpenOptions::new().append(true).open(path);
            file.and_then(|mut file| file.write_all(report.figures().as_bytes()))
                .expect("the file for the figures can be written");
        }
        report.assert_nothing_wrong();
        document::check(&page, None, &report.page());
    }
}

/// Returns how many bytes a call with these limits may have allocated at any one time; see
/// `docs/reliability.md`.
#[must_use]
pub fn most_memory(limits: &Limits) -> u64 {
    (8 * limits.reply + 400 * limits.values) as u64
}
