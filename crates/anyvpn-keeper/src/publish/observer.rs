//! Publishes what a running keeper does.

use std::fmt;
use std::sync::Arc;

use anyvpn_core::Clock;

use super::{Event, PublishError, Publisher, Systemd};
use crate::{KeeperObserver, Snapshot};

/// A line for people or programs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Line<'a> {
    /// An event.
    Event(&'a Event),
    /// One sentence about a failure that no snapshot reports.
    Warning(&'a str),
}

/// Publishes a keeper's progress: in files, over HTTP, to systemd, and as lines.
pub struct PublishingObserver {
    publisher: Publisher,
    systemd: Systemd,
    clock: Arc<dyn Clock>,
    write: Box<dyn FnMut(Line<'_>) + Send>,
    /// The last snapshot; `None` before the first one.
    before: Option<Snapshot>,
    /// The errors of the last attempt to write the files. Each is reported only once.
    failed: Vec<PublishError>,
}

impl PublishingObserver {
    /// Creates an observer that publishes with these, and passes each line to `write`.
    pub fn new(
        publisher: Publisher,
        clock: Arc<dyn Clock>,
        write: impl FnMut(Line<'_>) + Send + 'static,
    ) -> Self {
        Self {
            publisher,
            systemd: Systemd::from_environment(),
            clock,
            write: Box::new(write),
            before: None,
            failed: Vec::new(),
        }
    }

    fn report(&mut self, failed: Vec<PublishError>) {
        for error in failed.iter().filter(|error| !self.failed.contains(error)) {
            (self.write)(Line::Warning(&error.to_string()));
        }
        self.failed = failed;
    }
}

impl fmt::Debug for PublishingObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishingObserver")
            .field("publisher", &self.publisher)
            .finish_non_exhaustive()
    }
}

impl KeeperObserver for PublishingObserver {
    fn publish(&mut self, snapshot: &Snapshot) {
        let failed = self.publisher.publish(snapshot);
        self.report(failed);
        for event in Event::between(self.before.as_ref(), snapshot) {
            (self.write)(Line::Event(&event));
        }
        self.systemd.publish(snapshot);
        self.before = Some(snapshot.clone());
    }

    fn progress(&mut self) {
        if let Some(failed) = self.publisher.progress(self.clock.now()) {
            self.report(failed);
        }
        self.systemd.progress();
    }

    fn warn(&mut self, text: &str) {
        (self.write)(Line::Warning(text));
    }
}
