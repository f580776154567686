//! What the command waits for, and what it has changed, as the providers that it opens report it.
//!
//! The spinner shows the one, and a command that is interrupted tells of the other.

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

/// How long something lasts before it is worth a line.
const LONG: Duration = Duration::from_secs(2);

/// Watches the calls of all providers that the command opens.
pub struct Watch {
    output: Output,
    registry: Registry,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is going on, the innermost last.
    open: Vec<Doing>,
    /// The provider that was called last.
    provider: Option<&'static ProviderInfo>,
    /// Whether a call has changed something, or may have.
    changed: bool,
    /// The last operation that did.
    change: Option<Change>,
    /// What is kept of it on this machine.
    kept: Option<Kept>,
}

/// What an interrupted command has kept.
struct Kept {
    /// A sentence without its end.
    what: String,
    hint: String,
    /// How often the command had printed or written something before.
    written: u64,
}

struct Change {
    operation: OperationId,
    is_sure: bool,
    /// Whether it made something, of which the answer tells.
    has_made: bool,
    /// How often the command had printed or written something before.
    written: u64,
}

struct Doing {
    id: u64,
    since: Instant,
    /// Whether a line has told of it.
    told: bool,
    what: What,
}

enum What {
    Call(Call),
    /// A queued job of the provider's.
    Job {
        removes: bool,
        config: Option<String>,
    },
    /// Another program of this person has its turn.
    Lock,
}

struct Call {
    operation: OperationId,
    replay: Replay,
    provider: Option<&'static ProviderInfo>,
    /// Whether the provider may have it.
    sent: bool,
    status: Option<u16>,
    /// Until when it does nothing, and why, as the beginning of a sentence.
    pause: Option<(Instant, String)>,
}

impl Call {
    /// Why it is to be sent again, as the beginning of a sentence that ends with the time.
    fn reason(&self, kind: ErrorKind) -> String {
        let title = title(self.provider);
        let words = kind.to_string();
        let why = match words.strip_prefix("the provider ") {
            Some(does) => format!("{title} {does}"),
            None => format!("{title}: {words}"),
        };
        let status = self.status.map(|status| format!(" (HTTP {status})"));
        format!("{why}{}; again", status.unwrap_or_default())
    }
}

impl CallObserver for Watch {
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>) {
        let mut state = self.state();
        let State { open, provider, changed, change, .. } = &mut *state;
        let Some(at) = open.iter().position(|it| it.id == activity.id) else {
            let Some(what) = self.begun(activity.kind) else { return };
            if let What::Call(call) = &what {
                *provider = call.provider;
            }
            open.push(Doing { id: activity.id, since: Instant::now(), told: false, what });
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
                // What must not be done twice is sent again only if it was surely not done.
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
                        has_made: *replay == Replay::Once,
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

    /// What is waited for, in words. `brief` is for beside a bar: without the provider, and without
    /// what is usual.
    pub fn sentence(&self, brief: bool) -> Option<String> {
        let state = self.state();
        let calls = state.open.iter().rev().filter_map(|it| match &it.what {
            What::Call(call) => Some((it.since, call)),
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
        if let Some(doing) = state.open.iter().rev().find(|it| !matches!(it.what, What::Call(_))) {
            return Some(with_time(&doing.what.reason(state.provider, brief), doing.since));
        }
        match calls.next() {
            _ if brief => None,
            Some((since, call)) => {
                Some(with_time(&format!("Waiting for {}", title(call.provider)), since))
            }
            None => Some("Working".to_owned()),
        }
    }

    /// Notes that the answer of the last change is kept: an interruption loses nothing until the command
    /// prints or writes something. `what` is the end of a sentence.
    pub fn kept(&self, what: impl Into<String>, hint: impl Into<String>) {
        let (what, hint) = (what.into(), hint.into());
        self.state().kept = Some(Kept { what, hint, written: output::written() });
    }

    /// A line about what lasts long, once.
    pub fn long(&self) -> Option<String> {
        let mut state = self.state();
        let provider = state.provider;
        let is_long = |it: &&mut Doing| {
            !it.told && !matches!(it.what, What::Call(_)) && it.since.elapsed() >= LONG
        };
        let doing = state.open.iter_mut().find(is_long)?;
        doing.told = true;
        Some(format!("{}.", doing.what.reason(provider, false)))
    }

    /// What a signal has interrupted, and what is pending therefore.
    pub fn interrupted(&self, signal: i32, verify: &str) -> Failure {
        let state = self.state();
        let parts = progress::parts().map(|(done, all)| format!(" after {done} of {all}"));
        let interrupted = format!("interrupted{}", parts.unwrap_or_default());
        let failure = |what: &str| Failure::interrupted(signal, format!("{interrupted}{what}"));
        let title = title(state.provider);
        let sent = state.open.iter().rev().find_map(|it| match &it.what {
            What::Call(call) if call.sent && call.replay != Replay::Safe => Some(call),
            _ => None,
        });
        let job = state.open.iter().find_map(|it| match &it.what {
            What::Job { removes, config } => Some((*removes, config.as_deref())),
            _ => None,
        });
        let untold = state.change.as_ref().filter(|change| change.written == output::written());
        let kept = state.kept.as_ref().filter(|kept| kept.written == output::written());
        let lost = untold.filter(|change| change.is_sure && change.has_made);
        let lost = lost.map(|it| format!("; {} was done, and its answer is lost", it.operation));
        let failure = match (sent, job, untold) {
            (Some(call), _, _) => {
                let Call { operation, .. } = call;
                let look = call.replay == Replay::Once || lost.is_some();
                let lost = lost.unwrap_or_default();
                failure(&format!("{lost}; {operation} was sent and is not answered")).hint(
                    match look {
                        true => {
                            format!("it may have been done; look before you repeat it: {verify}")
                        }
                        false => "it may have been done; to repeat it does no harm".to_owned(),
                    },
                )
            }
            (None, Some((removes, config)), _) => {
                let id = config.map(|id| format!(" {id}")).unwrap_or_default();
                let does = if removes { "deletes" } else { "makes" };
                let next = match config {
                    Some(id) if !removes => {
                        let config = Leftover::new(LeftoverKind::Configuration, id);
                        format!("; remove it, when it is made: {}", undo(&config))
                    }
                    _ => String::new(),
                };
                failure(&format!("; {title} still {does} the configuration{id}"))
                    .hint(format!("look at it: anyvpn config list{next}"))
            }
            (None, None, _) if let Some(Kept { what, hint, .. }) = kept => {
                failure(&format!("; {what}")).hint(hint)
            }
            (None, None, Some(Change { operation, is_sure, .. })) => {
                failure(&match (lost, is_sure) {
                    (Some(lost), _) => lost,
                    (None, true) => format!("; {operation} was done"),
                    (None, false) => format!("; it is not known whether {operation} was done"),
                })
                .hint(format!("look before you repeat it: {verify}"))
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
    /// Why it is waited for, where that is no call.
    fn reason(&self, provider: Option<&'static ProviderInfo>, brief: bool) -> String {
        match self {
            Self::Lock => "Waiting for another anyvpn to finish".to_owned(),
            _ if brief => "a queued job".to_owned(),
            _ => format!("{} does it by a queued job; that can take 2 minutes", title(provider)),
        }
    }
}

/// The provider in a sentence.
fn title(provider: Option<&'static ProviderInfo>) -> &'static str {
    provider.map_or("the provider", |info| info.title)
}

/// Whether a call that failed so, and that changes something, may have done it.
fn is_unsure(kind: ErrorKind) -> bool {
    use ErrorKind as K;
    matches!(kind, K::Ambiguous | K::Timeout | K::Unavailable | K::UnexpectedReply | K::Unreachable)
}

/// A time in whole seconds, none too few.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs() + u64::from(time.subsec_nanos() > 0))
}
