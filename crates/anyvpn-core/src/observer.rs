//! Reports the progress of a provider's calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::{Error, ErrorKind, OperationId, Replay};

/// Receives events while a caller waits for a provider: to show progress, or to say which outcomes
/// are unknown when a program is interrupted.
///
/// Activities can be nested and concurrent, so each event names its activity. Every activity begins
/// with [`CallEvent::Started`] and ends with [`CallEvent::Finished`] or [`CallEvent::Abandoned`].
pub trait CallObserver: Send + Sync + 'static {
    /// Handles an event. The task that runs the activity waits for it, so return quickly and do not
    /// call the provider.
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>);
}

/// Something that a caller waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// A number that is unique in this process.
    pub id: u64,
    /// The kind of the activity.
    pub kind: ActivityKind,
}

/// The kind of an [`Activity`].
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
    /// A job that the provider finishes after its reply.
    #[non_exhaustive]
    Job {
        /// The operation that requested it.
        operation: OperationId,
        /// Whether it removes something; otherwise it creates something.
        removes: bool,
    },
    /// A wait for a file that another program has locked.
    FileLock,
}

impl ActivityKind {
    /// Creates the kind of a call.
    #[must_use]
    pub const fn call(operation: OperationId, replay: Replay) -> Self {
        Self::Call { operation, replay }
    }

    /// Creates the kind of a job that creates something.
    #[must_use]
    pub const fn creation(operation: OperationId) -> Self {
        Self::Job { operation, removes: false }
    }

    /// Creates the kind of a job that removes something.
    #[must_use]
    pub const fn removal(operation: OperationId) -> Self {
        Self::Job { operation, removes: true }
    }
}

/// An event of an [`Activity`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CallEvent<'a> {
    /// The activity starts. Nothing has been sent for it yet.
    Started,
    /// A call waits for its turn to be sent.
    #[non_exhaustive]
    WaitingForPermit {
        /// How long it waits, at least.
        wait: Duration,
    },
    /// An attempt of a call is sent. From now on the provider may receive it.
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
        /// How long it waits before it is sent again, at least.
        wait: Duration,
    },
    /// The provider's id of the object that a job creates or removes is now known.
    #[non_exhaustive]
    Identified {
        /// The id.
        id: &'a str,
    },
    /// The activity has ended.
    #[non_exhaustive]
    Finished {
        /// Why it failed; `None` if it succeeded.
        error: Option<&'a Error>,
    },
    /// The activity's future was dropped. A request that was sent may still take effect.
    Abandoned,
}

impl CallEvent<'_> {
    /// Creates [`CallEvent::WaitingForPermit`].
    #[must_use]
    pub const fn waiting_for_permit(wait: Duration) -> Self {
        Self::WaitingForPermit { wait }
    }

    /// Creates [`CallEvent::Sent`].
    #[must_use]
    pub const fn sent(attempt: u32) -> Self {
        Self::Sent { attempt }
    }

    /// Creates [`CallEvent::Replied`].
    #[must_use]
    pub const fn replied(attempt: u32, status: u16) -> Self {
        Self::Replied { attempt, status }
    }

    /// Creates [`CallEvent::Repeating`].
    #[must_use]
    pub const fn repeating(attempt: u32, kind: ErrorKind, wait: Duration) -> Self {
        Self::Repeating { attempt, kind, wait }
    }
}

/// Reports an activity to an observer, if there is one: its start when this is created, and that it was
/// abandoned if this is dropped before [`Observation::finish`].
pub struct Observation(Option<Observed>);

struct Observed {
    observer: Arc<dyn CallObserver>,
    activity: Activity,
}

impl Observation {
    /// Starts an activity. Without an observer, nothing is reported.
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

    /// Reports an event.
    pub fn report(&self, event: CallEvent<'_>) {
        if let Some(Observed { observer, activity }) = &self.0 {
            observer.observe(activity, &event);
        }
    }

    /// Reports the provider's id of the object that a job creates or removes.
    pub fn identify(&self, id: impl fmt::Display) {
        if self.0.is_some() {
            self.report(CallEvent::Identified { id: &id.to_string() });
        }
    }

    /// Reports the end, with the error if the activity failed.
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
