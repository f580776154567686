//! Publishes what a running keeper does.

use std::fmt;
use std::sync::Arc;

use anyvpn_core::Clock;

use super::{Event, PublishError, Publisher, Systemd};
use crate::{KeeperObserver, Snapshot};

/// What people and programs are told, one line each.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Line<'a> {
    /// Something happened.
    Event(&'a Event),
    /// Something failed that no snapshot tells of, in one sentence.
    Warning(&'a str),
}

/// Publishes what a keeper does: in files, over HTTP, to systemd, and as lines.
pub struct PublishingObserver {
    publisher: Publisher,
    systemd: Systemd,
    clock: Arc<dyn Clock>,
    write: Box<dyn FnMut(Line<'_>) + Send>,
    /// The last snapshot; absent before the first.
    before: Option<Snapshot>,
    /// The files that could not be written at last. They are told once.
    failed: Vec<PublishError>,
}

impl PublishingObserver {
    /// An observer that publishes here and gives each line to `write`.
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
