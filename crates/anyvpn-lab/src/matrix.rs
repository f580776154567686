//! Every operation of a provider with every fault: what the caller gets, how often the request
//! arrives, what it costs, and what must hold whatever that is.
//!
//! [`check`] plays all cases on a provider's [`ProviderHarness`] with every transport, each twice: the
//! fault meets the first request only, and it meets every request. It asserts what must hold, and
//! compares the table with the provider's page in the documents.

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

/// How the matrix makes the transport that it tries.
pub type MakeTransport = fn(Setup) -> Result<Arc<dyn Transport>, Error>;

/// The transports that there are, by name.
pub const TRANSPORTS: &[(&str, MakeTransport)] =
    &[("reqwest", |setup| Ok(Arc::new(Reqwest::new(setup)?)))];

/// Runs something and gives the most bytes that this thread had allocated meanwhile.
pub type Memory = fn(&mut dyn FnMut()) -> u64;

/// Names a file to which [`check`] appends the figures of its runs.
pub const FIGURES: &str = "ANYVPN_FAULTS_REPORT";

/// Plays everything with every transport, and compares the result with the provider's page,
/// `docs/faults-NAME.md`.
///
/// # Panics
///
/// When anything went wrong in a run, when a transport makes a difference, or when the page is not
/// what came of it.
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

/// The most that a call may have allocated at one time within these bounds: see
/// `docs/reliability.md`.
#[must_use]
pub fn most_memory(limits: &Limits) -> u64 {
    (8 * limits.reply + 400 * limits.values) as u64
}
