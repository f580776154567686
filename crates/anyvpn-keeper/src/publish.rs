//! Publishes what the keeper knows: files, an HTTP API, metrics, systemd's status, events.
//!
//! Everything comes from a [`Snapshot`]. The files are written before the HTTP API is updated, so that
//! a program that learns of the port finds it everywhere.

mod access;
mod control_api;
mod events;
mod file;
mod metrics;
mod observer;
mod public_ip_file;
mod status_file;
mod status_json;
mod status_lock;
mod systemd;
mod textfile;

use std::time::Duration;

use anyvpn_core::Timestamp;
use tokio::sync::watch;

pub use access::{Access, AccessError};
pub use control_api::ControlApi;
pub use events::{Event, EventKind};
pub use file::{PublishError, PublishedFile};
pub use metrics::metrics;
pub use observer::{Line, PublishingObserver};
pub use status_lock::StatusLock;
pub use systemd::Systemd;

use crate::Snapshot;

/// How often the time of the latest snapshot is updated while nothing changes.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Publishes snapshots to files and to the HTTP API.
#[derive(Debug)]
pub struct Publisher {
    files: Vec<PublishedFile>,
    latest: watch::Sender<Snapshot>,
}

impl Publisher {
    /// Creates a publisher of these files. The HTTP API serves `first` until [`Self::publish`] is
    /// called.
    #[must_use]
    pub fn new(files: Vec<PublishedFile>, first: Snapshot) -> Self {
        Self { files, latest: watch::Sender::new(first) }
    }

    /// Returns a receiver of the latest snapshot, for [`ControlApi::serve`].
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Snapshot> {
        self.latest.subscribe()
    }

    /// Publishes a snapshot everywhere. Files whose text did not change are not touched.
    ///
    /// Returns the errors of the files that could not be written; the next call tries these again. A
    /// failed file does not prevent writing the others.
    pub fn publish(&mut self, snapshot: &Snapshot) -> Vec<PublishError> {
        let written = self.files.iter_mut().map(|file| file.publish(snapshot));
        let errors = written.filter_map(Result::err).collect();
        self.latest.send_replace(snapshot.clone());
        errors
    }

    /// Confirms that the latest snapshot is still true. Call this whenever the keeper's loop makes
    /// progress.
    ///
    /// Once a minute, the metrics and `status.json` get the new time, so that people notice a keeper
    /// that hangs or has ended, and files that could not be written are tried again. Returns the errors
    /// as [`Self::publish`] does; `None` if less than a minute has passed.
    pub fn progress(&mut self, now: Timestamp) -> Option<Vec<PublishError>> {
        let mut latest = self.latest.borrow().clone();
        if Duration::try_from(now.duration_since(latest.at)).is_ok_and(|age| age < HEARTBEAT) {
            return None;
        }
        latest.at = now;
        Some(self.publish(&latest))
    }
}
