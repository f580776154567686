//! What a provider's calls report while they run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::{Error, ErrorKind, OperationId, Replay};

/// Is told what a provider does while a caller waits for it, such as for a progress line, or to say
/// what an interrupted program leaves unknown.
///
/// Activities nest and run side by side, so each event comes with its activity. Every activity begins
/// with [`CallEvent::Started`] and ends with [`CallEvent::Finished`] or [`CallEvent::Abandoned`].
pub trait CallObserver: Send + Sync + 'static {
    /// Takes an event. It is called on the task that runs the activity, which waits for it: return
    /// soon, and call nothing of the provider.
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>);
}

/// Something that a caller waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// Tells the activities of this process apart.
    pub id: u64,
    /// What it is.
    pub kind: ActivityKind,
}

/// What an [`Activity`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivityKind {
    /// A call of an operation, with all its attempts.
    #[non_exhaustive]
    Call {
        /// The operation.
        operation: OperationId,
        /// Whether it may be sent again.
        replay: Replay,
    },
    /// A job that the provider does later than it answers.
    #[non_exhaustive]
    Job {
        /// The operation that asked for it.
        operation: OperationId,
        /// Whether it removes something; else it makes something.
        removes: bool,
    },
    /// Another program has locked a file that is needed.
    FileLock,
}

impl ActivityKind {
    /// A call of an operation.
    #[must_use]
    pub const fn call(operation: OperationId, replay: Replay) -> Self {
        Self::Call { operation, replay }
    }

    /// A job that makes something.
    #[must_use]
    pub const fn creation(operation: OperationId) -> Self {
        Self::Job { operation, removes: false }
    }

    /// A job that removes something.
    #[must_use]
    pub const fn removal(operation: OperationId) -> Self {
        Self::Job { operation, removes: true }
    }
}

/// What happens to an [`Activity`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CallEvent<'a> {
    /// It begins. Nothing was sent for it.
    Started,
    /// A call waits for its turn to be sent.
    #[non_exhaustive]
    WaitingForPermit {
        /// How long at least.
        wait: Duration,
    },
    /// An attempt of a call is sent: from here on the provider may have it.
    #[non_exhaustive]
    Sent {
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// The provider has answered an attempt.
    #[non_exhaustive]
    Replied {
        /// Which attempt, from 1.
        attempt: u32,
        /// The HTTP status.
        status: u16,
    },
    /// An attempt failed, and the call is sent again after a wait.
    #[non_exhaustive]
    Repeating {
        /// The attempt that failed, from 1.
        attempt: u32,
        /// How it failed.
        kind: ErrorKind,
        /// How long until it is sent again, at least.
        wait: Duration,
    },
    /// The provider's id of what a job makes or removes is known.
    #[non_exhaustive]
    Identified {
        /// The id.
        id: &'a str,
    },
    /// It has come to its end.
    #[non_exhaustive]
    Finished {
        /// Why it failed; `None` when it did not.
        error: Option<&'a Error>,
    },
    /// Its future was dropped. What was sent may be done all the same.
    Abandoned,
}

impl CallEvent<'_> {
    /// A call waits for its turn to be sent.
    #[must_use]
    pub const fn waiting_for_permit(wait: Duration) -> Self {
        Self::WaitingForPermit { wait }
    }

    /// An attempt of a call is sent.
    #[must_use]
    pub const fn sent(attempt: u32) -> Self {
        Self::Sent { attempt }
    }

    /// The provider has answered an attempt.
    #[must_use]
    pub const fn replied(attempt: u32, status: u16) -> Self {
        Self::Replied { attempt, status }
    }

    /// An attempt failed, and the call is sent again.
    #[must_use]
    pub const fn repeating(attempt: u32, kind: ErrorKind, wait: Duration) -> Self {
        Self::Repeating { attempt, kind, wait }
    }
}

/// Reports one activity to an observer, where there is one: its beginning when it is made, and that it
/// was abandoned when it is dropped before [`Observation::finish`].
pub struct Observation(Option<Observed>);

struct Observed {
    observer: Arc<dyn CallObserver>,
    activity: Activity,
}

impl Observation {
    /// Begins an activity. Without an observer it reports nothing.
    #[must_use]
    pub fn start(observer: Option<&Arc<dyn CallObserver>>, kind: ActivityKind) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let observation = Self(observer.map(|observer| {
            let id = NEXT.fetch_add(1, Ordering::Relaxed);
            Observed { observer: Arc::clone(observer), activity: Activity { id, kind } }
        }));
        observation.report(CallEvent::Started);
        observation
    }

    /// Reports what happens.
    pub fn report(&self, event: CallEvent<'_>) {
        if let Some(Observed { observer, activity }) = &self.0 {
            observer.observe(activity, &event);
        }
    }

    /// Reports the provider's id of what a job makes or removes.
    pub fn identify(&self, id: impl fmt::Display) {
        if self.0.is_some() {
            self.report(CallEvent::Identified { id: &id.to_string() });
        }
    }

    /// Reports the end: with the error, or without one where it is done.
    pub fn finish(mut self, error: Option<&Error>) {
        self.report(CallEvent::Finished { error });
        self.0 = None;
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.report(CallEvent::Abandoned);
    }
}
