//! What the command waits for, and what it has changed, as the library's own records tell it.
//!
//! The spinner shows the one, and a command that is interrupted tells of the other.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyvpn::{ErrorKind, OperationInfo, ProviderInfo, Registry, Replay};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::failure::Failure;
use crate::output::Output;
use crate::progress;

/// How long something lasts before it is worth a line.
const LONG: Duration = Duration::from_secs(2);

static STATE: Mutex<State> = Mutex::new(State {
    listens: false,
    open: Vec::new(),
    provider: None,
    verify: String::new(),
    changed: false,
    untold: Vec::new(),
});

struct State {
    /// Whether the records come here at all.
    listens: bool,
    /// What is going on, the innermost last.
    open: Vec<Doing>,
    /// The provider that was called last.
    provider: Option<&'static ProviderInfo>,
    /// The command that shows what the one that runs has changed.
    verify: String,
    /// Whether a call has changed something, or may have.
    changed: bool,
    /// The operations that did and of which nothing was printed or written yet; whether it is sure.
    untold: Vec<(String, bool)>,
}

struct Doing {
    id: Id,
    since: Instant,
    /// Whether a line has told of it.
    told: bool,
    what: What,
}

enum What {
    Call(Call),
    /// A queued job of the provider's.
    Job {
        deletes: bool,
        config: Option<u64>,
    },
    /// Another program of this person has its turn.
    Lock,
}

#[derive(Default)]
struct Call {
    operation: String,
    provider: Option<&'static ProviderInfo>,
    info: Option<&'static OperationInfo>,
    /// Whether the provider may have it.
    sent: bool,
    status: Option<u64>,
    /// Until when it does nothing, and why, as the beginning of a sentence.
    pause: Option<(Instant, String)>,
}

impl Call {
    fn new(registry: &Registry, operation: String) -> Self {
        let (provider, name) = operation.split_once('.').unwrap_or_default();
        let provider = registry.info(provider).ok();
        let info = provider.and_then(|provider| provider.operation(name));
        Self { operation, provider, info, ..Self::default() }
    }

    fn replay(&self) -> Replay {
        self.info.map_or(Replay::Once, |info| info.replay)
    }

    /// Why it is to be sent again, as the beginning of a sentence that ends with the time.
    fn reason(&self, kind: &str) -> String {
        let title = title(self.provider);
        let known = ErrorKind::ALL.iter().copied().find(|it| it.name() == kind);
        let words = known.map_or_else(|| kind.to_owned(), |kind| kind.to_string());
        let why = match words.strip_prefix("the provider ") {
            Some(does) => format!("{title} {does}"),
            None => format!("{title}: {words}"),
        };
        let status = self.status.map(|status| format!(" (HTTP {status})"));
        format!("{why}{}; again", status.unwrap_or_default())
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to the library's records.
pub struct Listener {
    output: Output,
    registry: Registry,
}

impl Listener {
    pub fn new(output: Output, registry: Registry, verify: String) -> Self {
        let mut state = state();
        state.listens = true;
        state.verify = verify;
        Self { output, registry }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let what = match attributes.metadata().name() {
            "call" => What::Call(Call::new(&self.registry, fields.operation)),
            "job" => What::Job { deletes: fields.what == "delete", config: fields.config },
            "lock" => What::Lock,
            _ => return,
        };
        let mut state = state();
        if let What::Call(call) = &what {
            state.provider = call.provider;
        }
        state.open.push(Doing { id: id.clone(), since: Instant::now(), told: false, what });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut state = state();
        match state.open.iter_mut().find(|it| it.id == *id).map(|it| &mut it.what) {
            Some(What::Call(call)) => {
                call.status = fields.status.or(call.status);
                if fields.attempts.is_some() {
                    // It is recorded just before the request is sent.
                    (call.sent, call.status, call.pause) = (true, None, None);
                }
            }
            Some(What::Job { config, .. }) => *config = fields.config.or(*config),
            _ => {}
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Some(span) = context.event_span(event) else { return };
        let mut state = state();
        let State { open, changed, untold, .. } = &mut *state;
        let found = open.iter_mut().find(|it| it.id == span.id());
        let Some(What::Call(call)) = found.map(|it| &mut it.what) else { return };
        let line = match &*fields.message {
            "done" | "failed" if call.replay() != Replay::Safe => {
                let is_done = fields.message == "done";
                if is_done || is_unsure(&fields.kind) {
                    *changed = true;
                    untold.push((call.operation.clone(), is_done));
                }
                return;
            }
            "trying again" => {
                let why = call.reason(&fields.kind);
                let line = format!("{why} in {}", seconds(fields.delay));
                call.pause = Some((Instant::now() + fields.delay, why));
                // What must not be done twice is sent again only if it was surely not done.
                call.sent = call.replay() != Replay::Once;
                line
            }
            _ => return,
        };
        drop(state);
        if !progress::is_terminal() && self.output.verbose < 2 {
            self.output.note(&line);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        state().open.retain(|it| it.id != id);
    }
}

/// Whether a call that failed so, and that changes something, may have done it.
fn is_unsure(kind: &str) -> bool {
    use ErrorKind as K;
    let kinds = [K::Ambiguous, K::Timeout, K::Unavailable, K::UnexpectedReply, K::Unreachable];
    kinds.iter().any(|it| it.name() == kind)
}

/// A time in whole seconds, none too few.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

/// What is waited for, in words. `brief` is for beside a bar: without the provider, and without what
/// is usual.
pub fn sentence(brief: bool) -> Option<String> {
    let state = state();
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
        _ if brief || !state.listens => None,
        Some((since, call)) => {
            Some(with_time(&format!("Waiting for {}", title(call.provider)), since))
        }
        None => Some("Working".to_owned()),
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

/// A line about what lasts long, once.
pub fn long() -> Option<String> {
    let mut state = state();
    let provider = state.provider;
    let is_long = |it: &&mut Doing| {
        !it.told && !matches!(it.what, What::Call(_)) && it.since.elapsed() >= LONG
    };
    let doing = state.open.iter_mut().find(is_long)?;
    doing.told = true;
    Some(format!("{}.", doing.what.reason(provider, false)))
}

/// What was changed so far has been printed or written.
pub fn told() {
    state().untold.clear();
}

/// What a signal has interrupted, and what is pending therefore.
pub fn interrupted(signal: i32) -> Failure {
    let state = state();
    let parts = progress::parts().map(|(done, all)| format!(" after {done} of {all}"));
    let interrupted = format!("interrupted{}", parts.unwrap_or_default());
    let failure = |what: &str| Failure::interrupted(signal, format!("{interrupted}{what}"));
    let title = title(state.provider);
    let sent = state.open.iter().rev().find_map(|it| match &it.what {
        What::Call(call) if call.sent && call.replay() != Replay::Safe => Some(call),
        _ => None,
    });
    let job = state.open.iter().find_map(|it| match &it.what {
        What::Job { deletes, config } => Some((*deletes, *config)),
        _ => None,
    });
    let failure = match (sent, job, &state.untold[..]) {
        (Some(call), _, _) => {
            let Call { operation, .. } = call;
            failure(&format!("; {operation} was sent and is not answered")).hint(
                match call.replay() {
                    Replay::Once => format!(
                        "it may have been done; look before you repeat it: {}",
                        state.verify
                    ),
                    _ => "it may have been done; to repeat it does no harm".to_owned(),
                },
            )
        }
        (None, Some((deletes, config)), _) => {
            let id = config.map(|id| format!(" {id}")).unwrap_or_default();
            let does = if deletes { "deletes" } else { "makes" };
            let revoke = match config {
                Some(id) if !deletes => {
                    format!("; remove it, when it is made: anyvpn config revoke {id}")
                }
                _ => String::new(),
            };
            failure(&format!("; {title} still {does} the configuration{id}"))
                .hint(format!("look at it: anyvpn config list{revoke}"))
        }
        (None, None, [.., (operation, is_done)]) => failure(&match is_done {
            true => format!("; {operation} was done, and its answer is lost"),
            false => format!("; it is not known whether {operation} was done"),
        })
        .hint(format!("look before you repeat it: {}", state.verify)),
        (None, None, []) if !state.changed => failure("; nothing was changed"),
        (None, None, []) => failure(""),
    };
    match state.provider {
        Some(provider) => failure.of(provider),
        None => failure,
    }
}

/// The fields of the records that count here.
#[derive(Default)]
struct Fields {
    message: String,
    operation: String,
    kind: String,
    what: String,
    attempts: Option<u64>,
    status: Option<u64>,
    config: Option<u64>,
    delay: Duration,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "attempts" => self.attempts = Some(value),
            "status" => self.status = Some(value),
            "config" => self.config = Some(value),
            "delay_ms" => self.delay = Duration::from_millis(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "kind" => self.kind = value.to_owned(),
            "what" => self.what = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            "operation" => &mut self.operation,
            _ => return,
        };
        _ = write!(text, "{value:?}");
    }
}
