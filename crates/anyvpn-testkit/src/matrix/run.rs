//! Plays every case with every operation.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::{OperationInfo, Replay};
use anyvpn_sandbox::{Fault, FaultRule, Received, Sandbox, Wanted};
use futures_util::FutureExt;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::case::{self, Case, Play};
use super::judge::{Bench, Judged};
use super::props::{Certificates, Props};
use super::report::Report;
use super::{Line, MakeTransport, Memory, Stage};
use crate::canary::Canary;
use crate::lab::{Clock, Front, Kind, Link, NAME};

/// When each clock begins.
const EPOCH: &str = "2026-01-01T00:00:00Z";

/// How long a run may take in real time before it counts as one that hangs.
const HANG: Duration = Duration::from_secs(60);

/// Threads that call; most of them wait most of the time.
const CALLERS: usize = 4;

/// Which requests meet the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    First,
    Every,
}

/// What a run gave.
pub(super) struct Outcome {
    /// `None` when the call did not end, or ended in a panic.
    pub(super) result: Option<Result<Value, Error>>,
    /// What the sandbox received before the call ended.
    pub(super) received: Vec<Received>,
    /// Requests of which something was sent, and that the sandbox did not get.
    pub(super) lost: usize,
    /// Whether the last attempt met the fault.
    pub(super) faulty: bool,
    /// Status and body of the last reply, where they were kept.
    pub(super) last: Option<(u16, Vec<u8>)>,
    /// By the lab's clock.
    pub(super) elapsed: Duration,
    pub(super) memory: u64,
    pub(super) panics: usize,
    pub(super) hung: bool,
    pub(super) leaks: Vec<String>,
    /// Whether the next call goes as it should.
    pub(super) usable: bool,
}

/// Plays all cases of a provider with this transport.
///
/// # Panics
///
/// When the lab itself does not work: a world that cannot be made, a port that cannot be had.
pub(super) fn run<S: Stage>(
    stage: &S,
    transport: &'static str,
    make: MakeTransport,
    memory: Memory,
) -> Report {
    count_panics();
    let server = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let lab = Lab {
        stage,
        make,
        memory,
        canary: canary(),
        server: server.expect("the runtime starts"),
        certificates: Certificates::new(),
        cases: case::all(),
        probed: OnceLock::new(),
    };
    let operations = stage.operations();
    let queue: Mutex<VecDeque<_>> = Mutex::new(operations.iter().collect());
    let judged = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                loop {
                    let next = locked(&queue).pop_front();
                    let Some(entry) = next else { break };
                    let rows = lab.operation(entry);
                    locked(&judged).extend(rows);
                }
            });
        }
    });
    let heard = lab.canary.heard_bytes();
    assert!(heard > 0, "the log was not heard");
    let judged = std::mem::take(&mut *locked(&judged));
    Report::new(stage.provider(), transport, operations, lab.cases, judged)
}

/// One hears the log of the process, and so of all runs.
fn canary() -> Canary {
    static CANARY: OnceLock<Canary> = OnceLock::new();
    CANARY.get_or_init(Canary::watching_the_log).clone()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Lab<'a, S: Stage> {
    stage: &'a S,
    make: MakeTransport,
    memory: Memory,
    canary: Canary,
    /// Where the sandboxes live.
    server: Runtime,
    certificates: Certificates,
    cases: Vec<Case>,
    /// What the probe gives in a new world.
    probed: OnceLock<Value>,
}

/// A world, and the clock of its sandbox.
struct Scene<W> {
    world: W,
    clock: Clock,
}

impl<S: Stage> Lab<'_, S> {
    /// All cases of one operation. A world that was not changed serves for the next one.
    fn operation(&self, entry: &OperationInfo) -> Vec<Judged> {
        let variants = self.stage.variants(entry.id);
        let normal = (0..variants).map(|variant| {
            let outcome = self.play(&self.scene(), entry.id, &self.cases[0], Mode::First, variant);
            outcome.result.and_then(Result::ok)
        });
        let bench = Bench::new(entry, self.stage.document(), normal.collect());
        let mut rows = Vec::new();
        let mut scene = None;
        for (place, case) in self.cases.iter().enumerate() {
            for mode in [Mode::First, Mode::Every] {
                let current = scene.take().unwrap_or_else(|| self.scene());
                let variant = place % variants;
                let outcome = self.play(&current, entry.id, case, mode, variant);
                let changed = outcome.received.iter().any(|it| it.effect);
                if entry.replay == Replay::Safe || !changed {
                    scene = Some(current);
                }
                rows.push(bench.judge(place, case, mode, variant, outcome));
            }
        }
        rows
    }

    fn scene(&self) -> Scene<S::World> {
        let epoch = EPOCH.parse().expect("it is a time");
        let clock = Clock::new(epoch);
        let waits = clock.clone();
        let builder = Sandbox::builder()
            .clock(anyvpn_sandbox::Clock::fixed(epoch))
            .allow_host(NAME)
            .wait_with(move |time| waits.server_waits(time));
        let world = self.server.block_on(self.server.spawn(self.stage.world(builder)));
        let world = world.expect("the world is made");
        for secret in self.stage.secrets(&world) {
            self.canary.mark(secret);
        }
        Scene { world, clock }
    }

    /// One run. The client and its connections live on this thread alone, all others elsewhere.
    fn play(
        &self,
        scene: &Scene<S::World>,
        operation: OperationId,
        case: &Case,
        mode: Mode,
        variant: usize,
    ) -> Outcome {
        let sandbox = self.stage.sandbox(&scene.world);
        let kind = match &case.play {
            Play::Lab(kind) => Some(kind),
            _ => None,
        };
        let set = Props::set(kind, &self.certificates, sandbox.address(), &scene.clock);
        let (mut props, setup) = self.server.block_on(set).expect("the lab has its ports");
        let transport = (self.make)(setup).expect("there is a transport");
        let link = Link::new(transport, scene.clock.clone());
        let line = self.line(&props.url, link.clone(), scene, variant);
        let client = Builder::new_current_thread().enable_all().build().expect("it starts");
        let mut mend = Some(props.mend());
        let kept = matches!(kind, Some(Kind::Way(way)) if way.is_for_kept_connections());
        if kept && let (Some(front), Some(Kind::Way(way))) = (&props.front, kind) {
            client.block_on(self.warm_up(scene, &line, front));
            // Connections that are made from now on are good.
            mend.take().expect("it is there")();
            if way.is_for_idle_connections() {
                client.block_on(settle(front));
            }
        }
        sandbox.clear_received();
        let lost = props.lost();
        link.begin(case.wanted == Wanted::AsDocumented);
        if mode == Mode::First
            && let Some(mend) = mend.take()
        {
            link.before_the_second(mend);
        }
        let operation_name = Some(operation.to_string());
        let rule = |fault: &Fault, times| {
            let operation = operation_name.clone();
            sandbox
                .inject(FaultRule { operation, times, ..FaultRule::always(fault.clone()) })
                .expect("the rule is for a known operation");
        };
        let last = (mode == Mode::First).then_some(1);
        let faults = if matches!(case.play, Play::Then(..)) { 2 } else { 1 };
        match &case.play {
            Play::Sandbox(fault) => rule(fault, last),
            Play::Then(first, then) => {
                rule(first, Some(1));
                rule(then, last);
            }
            Play::Nothing | Play::Lab(_) => {}
        }
        let (began, panicked) = (scene.clock.elapsed(), panics());
        let mut shown = String::new();
        let mut ended = None;
        let memory = (self.memory)(&mut || {
            let call = self.stage.call(&scene.world, &line, operation, &mut shown);
            let call = AssertUnwindSafe(call).catch_unwind();
            ended = Some(client.block_on(async { tokio::time::timeout(HANG, call).await }));
        });
        let hung = matches!(ended, Some(Err(_)));
        let result = ended.and_then(Result::ok).and_then(Result::ok);
        self.hear(result.as_ref(), &shown);
        let outcome = Outcome {
            received: sandbox.received(),
            lost: props.lost() - lost,
            faulty: link.attempts() <= faults || (mode == Mode::Every && !kept),
            last: link.last(),
            elapsed: scene.clock.elapsed() - began,
            memory,
            panics: panics() - panicked,
            hung,
            leaks: self.canary.take_leaks(),
            usable: true,
            result,
        };
        sandbox.clear_faults();
        link.mend();
        if let Some(mend) = mend {
            mend();
        }
        let usable = hung || client.block_on(self.usable(scene, &line));
        Outcome { usable, ..outcome }
    }

    fn line(&self, url: &str, link: Link, scene: &Scene<S::World>, variant: usize) -> Line {
        Line::new(format!("{url}{}", self.stage.path()), variant, link, scene.clock.clone())
    }

    /// Makes a connection that is kept.
    async fn warm_up(&self, scene: &Scene<S::World>, line: &Line, front: &Front) {
        let probe = self.stage.probe();
        let warm = self.stage.call(&scene.world, line, probe, &mut String::new()).await;
        assert!(warm.is_ok(), "the connection at {} is not warm: {warm:?}", front.address);
    }

    fn hear(&self, result: Option<&Result<Value, Error>>, shown: &str) {
        self.canary.hears(shown);
        match result {
            Some(Ok(value)) => self.canary.hears(value.to_string()),
            Some(Err(error)) => {
                let mut source = std::error::Error::source(error);
                while let Some(cause) = source {
                    self.canary.hears(format!("{cause}\n{cause:?}"));
                    source = cause.source();
                }
                self.canary.hears(format!("{error}\n{error:?}"));
            }
            None => {}
        }
    }

    /// Whether the next call of this client gives what a new client gets, or a new world gives.
    async fn usable(&self, scene: &Scene<S::World>, line: &Line) -> bool {
        let probe = self.stage.probe();
        let next = self.stage.call(&scene.world, line, probe, &mut String::new()).await;
        if let Ok(value) = &next
            && self.probed.get_or_init(|| value.clone()) == value
        {
            return true;
        }
        let address = self.stage.sandbox(&scene.world).address();
        let set = Props::set(None, &self.certificates, address, &scene.clock);
        let (props, setup) = set.await.expect("nothing is set");
        let transport = (self.make)(setup).expect("there is a transport");
        let link = Link::new(transport, scene.clock.clone());
        let line = self.line(&props.url, link, scene, line.variant);
        let new = self.stage.call(&scene.world, &line, probe, &mut String::new()).await;
        match (next, new) {
            (Ok(next), Ok(new)) => next == new,
            (Err(next), Err(new)) => next.kind() == new.kind(),
            _ => false,
        }
    }
}

/// Waits until a kept connection has ended by itself, and the client has seen it.
async fn settle(front: &Front) {
    front.ended().await;
    // No clock that can be moved: the kernel hands over what came, the client's task for the connection
    // looks at it, and no transport tells when that is done.
    tokio::time::sleep(Duration::from_millis(50)).await;
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the panics of each thread, in tasks of their own too.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
}

fn panics() -> usize {
    PANICS.get()
}
