//! Observes the calls of all providers: what the command is waiting for, and what it has changed.
//!
//! The spinner shows the former, and the error of an interrupted command reports the latter.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyvpn::{
    Activity, ActivityKind, CallEvent, CallObserver, ErrorKind, Leftover, LeftoverKind,
    OperationId, ProviderInfo, Registry, Replay,
};

use crate::advice::undo;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress;

/// How long to wait before a line is printed about a long wait.
const LONG: Duration = Duration::from_secs(2);

/// Watches the calls of all providers that the command opens.
pub struct Watch {
    output: Output,
    registry: Registry,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The activities in progress, the innermost last.
    open: Vec<InProgress>,
    /// The provider that was called last.
    provider: Option<&'static ProviderInfo>,
    /// Whether a call has changed something, or may have.
    changed: bool,
    /// The last operation that changed something.
    change: Option<Change>,
    /// The part of its result that is stored on this machine.
    stored: Option<Stored>,
}

/// A result that is stored on this machine although the command has not finished.
struct Stored {
    /// A sentence without its period.
    what: String,
    hint: String,
    /// The number of outputs before that.
    written: u64,
}

struct Change {
    operation: OperationId,
    is_sure: bool,
    /// Whether it created something that only the answer describes.
    has_created: bool,
    /// The number of outputs before that.
    written: u64,
}

struct InProgress {
    id: u64,
    since: Instant,
    /// Whether a line has been printed about it.
    reported: bool,
    what: What,
}

enum What {
    Call(Call),
    /// A job in the provider's queue.
    Job {
        removes: bool,
        config: Option<String>,
    },
    /// A file that another process has locked.
    Lock,
}

struct Call {
    operation: OperationId,
    replay: Replay,
    provider: Option<&'static ProviderInfo>,
    /// Whether the provider may have received it.
    sent: bool,
    status: Option<u16>,
    /// The end of the current pause and its reason, which starts a sentence.
    pause: Option<(Instant, String)>,
}

impl Call {
    /// Says why the call is retried. The text is the start of a sentence that ends with the delay.
    fn reason(&self, kind: ErrorKind) -> String {
        let title = title(self.provider);
        let words = kind.to_string();
        let why = match words.strip_prefix("the provider ") {
            Some(does) => format!("{title} {does}"),
            None => format!("{title}: {words}"),
        };
        let status = self.status.map(|status| format!(" (HTTP {status})"));
        format!("{why}{}; retrying", status.unwrap_or_default())
    }
}

impl CallObserver for Watch {
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>) {
        let mut state = self.state();
        let State { open, provider, changed, change, .. } = &mut *state;
        let Some(at) = open.iter().position(|known| known.id == activity.id) else {
            let Some(what) = self.begun(activity.kind) else { return };
            if let What::Call(call) = &what {
                *provider = call.provider;
            }
            open.push(InProgress { id: activity.id, since: Instant::now(), reported: false, what });
            return;
        };
        match (&mut open[at].what, event) {
            (What::Call(call), CallEvent::Sent { .. }) => {
                (call.sent, call.status, call.pause) = (true, None, None);
            }
            (What::Call(call), CallEvent::Replied { status, .. }) => call.status = Some(*status),
            (What::Call(call), CallEvent::Repeating { kind, wait, .. }) => {
                let why = call.reason(*kind);
                let line = format!("{why} in {}", seconds(*wait));
                call.pause = Some((Instant::now() + *wait, why));
                // An operation that must not run twice is retried only if it certainly did not run.
                call.sent = call.replay != Replay::Once;
                drop(state);
                if !progress::is_terminal() && self.output.verbose < 2 {
                    self.output.note(&line);
                }
            }
            (What::Job { config, .. }, CallEvent::Identified { id, .. }) => {
                *config = Some((*id).to_owned());
            }
            (what, CallEvent::Finished { error, .. }) => {
                let error = error.map(|error| error.kind());
                if let What::Call(Call { operation, replay, .. }) = what
                    && *replay != Replay::Safe
                    && error.is_none_or(is_unsure)
                {
                    *changed = true;
                    *change = Some(Change {
                        operation: *operation,
                        is_sure: error.is_none(),
                        has_created: *replay == Replay::Once,
                        written: output::written(),
                    });
                }
                open.remove(at);
            }
            (_, CallEvent::Abandoned) => {
                open.remove(at);
            }
            _ => {}
        }
    }
}

impl Watch {
    pub fn new(output: Output, registry: Registry) -> Self {
        Self { output, registry, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begun(&self, kind: ActivityKind) -> Option<What> {
        Some(match kind {
            ActivityKind::Call { operation, replay, .. } => What::Call(Call {
                operation,
                replay,
                provider: self.registry.info(operation.provider()).ok(),
                sent: false,
                status: None,
                pause: None,
            }),
            ActivityKind::Job { removes, .. } => What::Job { removes, config: None },
            ActivityKind::FileLock => What::Lock,
            _ => return None,
        })
    }

    /// Describes what the command is waiting for. With `brief`, the text fits beside a bar: it omits the
    /// provider, and a normal call is `None`.
    pub fn sentence(&self, brief: bool) -> Option<String> {
        let state = self.state();
        let calls = state.open.iter().rev().filter_map(|activity| match &activity.what {
            What::Call(call) => Some((activity.since, call)),
            _ => None,
        });
        let mut calls = calls.peekable();
        if let Some((_, Call { pause: Some((until, why)), .. })) = calls.peek() {
            let left = until.saturating_duration_since(Instant::now());
            let why = match why.split_once(": ") {
                // Without the provider.
                Some((_, why)) if brief => why,
                _ => why,
            };
            return Some(format!("{why} in {}", seconds(left)));
        }
        let with_time = |what: &str, since: Instant| match since.elapsed().as_secs() {
            0 => what.to_owned(),
            seconds => format!("{what} ({seconds} s)"),
        };
        let is_call = |activity: &&InProgress| matches!(activity.what, What::Call(_));
        if let Some(other) = state.open.iter().rev().find(|activity| !is_call(activity)) {
            return Some(with_time(&other.what.reason(state.provider, brief), other.since));
        }
        match calls.next() {
            _ if brief => None,
            Some((since, call)) => {
                Some(with_time(&format!("Waiting for {}", title(call.provider)), since))
            }
            None => Some("Working".to_owned()),
        }
    }

    /// Records that the result of the last change is stored. Until the command prints or writes something
    /// else, an interruption loses nothing. `what` is the end of a sentence.
    pub fn record_stored(&self, what: impl Into<String>, hint: impl Into<String>) {
        let (what, hint) = (what.into(), hint.into());
        self.state().stored = Some(Stored { what, hint, written: output::written() });
    }

    /// Returns a line about a long wait. Each wait is reported once.
    pub fn long(&self) -> Option<String> {
        let mut state = self.state();
        let provider = state.provider;
        let is_long = |activity: &&mut InProgress| {
            !activity.reported
                && !matches!(activity.what, What::Call(_))
                && activity.since.elapsed() >= LONG
        };
        let activity = state.open.iter_mut().find(is_long)?;
        activity.reported = true;
        Some(format!("{}.", activity.what.reason(provider, false)))
    }

    /// Returns the failure for a signal. It says what was interrupted and what may be unfinished.
    pub fn interrupted(&self, signal: i32, verify: &str) -> Failure {
        let state = self.state();
        let parts = progress::parts().map(|(done, all)| format!(" after {done} of {all}"));
        let interrupted = format!("interrupted{}", parts.unwrap_or_default());
        let failure = |what: &str| Failure::interrupted(signal, format!("{interrupted}{what}"));
        let title = title(state.provider);
        let sent = state.open.iter().rev().find_map(|activity| match &activity.what {
            What::Call(call) if call.sent && call.replay != Replay::Safe => Some(call),
            _ => None,
        });
        let job = state.open.iter().find_map(|activity| match &activity.what {
            What::Job { removes, config } => Some((*removes, config.as_deref())),
            _ => None,
        });
        let unreported = state.change.as_ref().filter(|change| change.written == output::written());
        let stored = state.stored.as_ref().filter(|stored| stored.written == output::written());
        let lost = unreported.filter(|change| change.is_sure && change.has_created);
        let lost =
            lost.map(|change| format!("; {} succeeded, but its reply is lost", change.operation));
        let failure = match (sent, job, unreported) {
            (Some(call), _, _) => {
                let Call { operation, .. } = call;
                let look = call.replay == Replay::Once || lost.is_some();
                let lost = lost.unwrap_or_default();
                failure(&format!("{lost}; {operation} was sent, but there is no reply yet")).hint(
                    match look {
                        true => {
                            format!("it may have been done; check before you repeat it: {verify}")
                        }
                        false => "it may have been done; repeating it is harmless".to_owned(),
                    },
                )
            }
            (None, Some((removes, config)), _) => {
                let id = config.map(|id| format!(" {id}")).unwrap_or_default();
                let does = if removes { "deleting" } else { "creating" };
                let next = match config {
                    Some(id) if !removes => {
                        let config = Leftover::new(LeftoverKind::Configuration, id);
                        format!("; to remove it once it exists: {}", undo(&config))
                    }
                    _ => String::new(),
                };
                failure(&format!("; {title} is still {does} the configuration{id}"))
                    .hint(format!("check: anyvpn config list{next}"))
            }
            (None, None, _) if let Some(Stored { what, hint, .. }) = stored => {
                failure(&format!("; {what}")).hint(hint)
            }
            (None, None, Some(Change { operation, is_sure, .. })) => {
                failure(&match (lost, is_sure) {
                    (Some(lost), _) => lost,
                    (None, true) => format!("; {operation} was done"),
                    (None, false) => format!("; {operation} may have been done"),
                })
                .hint(format!("check before you repeat it: {verify}"))
            }
            (None, None, None) if !state.changed => failure("; nothing was changed"),
            (None, None, None) => failure(""),
        };
        match state.provider {
            Some(provider) => failure.of(provider),
            None => failure,
        }
    }
}

impl What {
    /// Says why the command waits for something other than a call.
    fn reason(&self, provider: Option<&'static ProviderInfo>, brief: bool) -> String {
        match self {
            Self::Lock => "Waiting for another anyvpn process to finish".to_owned(),
            _ if brief => "queued".to_owned(),
            _ => format!("Waiting in {}'s job queue, for up to 2 minutes", title(provider)),
        }
    }
}

/// Returns the provider's title, for use in a sentence.
fn title(provider: Option<&'static ProviderInfo>) -> &'static str {
    provider.map_or("the provider", |info| info.title)
}

/// Whether a call may have had its effect although it failed with this kind of error.
fn is_unsure(kind: ErrorKind) -> bool {
    use ErrorKind as K;
    matches!(kind, K::Ambiguous | K::Timeout | K::Unavailable | K::UnexpectedReply | K::Unreachable)
}

/// Writes a time in seconds, rounded up.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs() + u64::from(time.subsec_nanos() > 0))
}
