//! Plays every case with every operation.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::{OperationInfo, Replay};
use anyvpn_sandbox::{Fault, FaultRule, Received, Wanted};
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::time::VirtualTime;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::case::{self, FaultCase, Play};
use super::environment::{Certificates, Environment};
use super::judge::{Judge, Verdict};
use super::report::Report;
use super::{MakeTransport, Memory};
use crate::InstrumentedTransport;
use crate::faults::{FaultProxy, Kind, NAME};
use crate::harness::{ClientSettings, ProviderHarness, document, timed_sandbox};

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
    /// By the virtual time.
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
pub(super) fn run<H: ProviderHarness>(
    transport: &'static str,
    make: MakeTransport,
    memory: Memory,
) -> Report {
    count_panics();
    let server = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let lab = Lab {
        make,
        memory,
        canary: canary(),
        server: server.expect("the runtime starts"),
        certificates: Certificates::new(),
        cases: case::all(),
        probed: OnceLock::new(),
    };
    let operations = H::OPERATIONS;
    let queue: Mutex<VecDeque<_>> = Mutex::new(operations.iter().collect());
    let verdicts = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                loop {
                    let next = locked(&queue).pop_front();
                    let Some(entry) = next else { break };
                    let rows = lab.operation::<H>(entry);
                    locked(&verdicts).extend(rows);
                }
            });
        }
    });
    let heard = lab.canary.heard_bytes();
    assert!(heard > 0, "the log was not heard");
    let verdicts = std::mem::take(&mut *locked(&verdicts));
    Report::new(H::TITLE, transport, operations, lab.cases, verdicts)
}

/// One hears the log of the process, and so of all runs.
fn canary() -> Canary {
    static CANARY: OnceLock<Canary> = OnceLock::new();
    CANARY.get_or_init(Canary::watching_the_log).clone()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Lab {
    make: MakeTransport,
    memory: Memory,
    canary: Canary,
    /// Where the sandboxes live.
    server: Runtime,
    certificates: Certificates,
    cases: Vec<FaultCase>,
    /// What the probe gives in a new world.
    probed: OnceLock<Value>,
}

/// A world, and the time of its sandbox.
struct TimedWorld<W> {
    world: W,
    time: VirtualTime,
}

impl Lab {
    /// All cases of one operation. A world that was not changed serves for the next one.
    fn operation<H: ProviderHarness>(&self, entry: &OperationInfo) -> Vec<Verdict> {
        let variants = H::variants(entry.id);
        let normal = (0..variants).map(|variant| {
            let outcome =
                self.play::<H>(&self.world::<H>(), entry.id, &self.cases[0], Mode::First, variant);
            outcome.result.and_then(Result::ok)
        });
        let judge = Judge::new(entry, document::<H>(), normal.collect());
        let mut rows = Vec::new();
        let mut world = None;
        for (place, case) in self.cases.iter().enumerate() {
            for mode in [Mode::First, Mode::Every] {
                let current = world.take().unwrap_or_else(|| self.world::<H>());
                let variant = place % variants;
                let outcome = self.play::<H>(&current, entry.id, case, mode, variant);
                let changed = outcome.received.iter().any(|request| request.effect);
                if entry.replay == Replay::Safe || !changed {
                    world = Some(current);
                }
                rows.push(judge.judge(place, case, mode, variant, outcome));
            }
        }
        rows
    }

    fn world<H: ProviderHarness>(&self) -> TimedWorld<H::World> {
        let (builder, time) = timed_sandbox();
        let builder = builder.allow_host(NAME);
        let world = self.server.block_on(self.server.spawn(H::world(builder)));
        let world = world.expect("the world is made");
        for secret in H::secrets(&world) {
            self.canary.mark(secret);
        }
        TimedWorld { world, time }
    }

    /// One run. The client and its connections live on this thread alone, all others elsewhere.
    fn play<H: ProviderHarness>(
        &self,
        world: &TimedWorld<H::World>,
        operation: OperationId,
        case: &FaultCase,
        mode: Mode,
        variant: usize,
    ) -> Outcome {
        let sandbox = H::sandbox(&world.world);
        let kind = match &case.play {
            Play::Lab(kind) => Some(kind),
            _ => None,
        };
        let set = Environment::set(kind, &self.certificates, sandbox.address(), &world.time);
        let (mut environment, setup) = self.server.block_on(set).expect("the lab has its ports");
        let transport = (self.make)(setup).expect("there is a transport");
        let transport = InstrumentedTransport::new(transport).with_time(world.time.clone());
        let settings =
            ClientSettings::new(&environment.url, H::NAME, variant, &transport, &world.time);
        let client = Builder::new_current_thread().enable_all().build().expect("it starts");
        let mut mend = Some(environment.mend());
        let kept =
            matches!(kind, Some(Kind::ConnectionFault(fault)) if fault.is_for_kept_connections());
        if kept
            && let (Some(proxy), Some(Kind::ConnectionFault(fault))) = (&environment.proxy, kind)
        {
            client.block_on(self.warm_up::<H>(world, &settings, proxy));
            // Connections that are made from now on are good.
            mend.take().expect("it is there")();
            if fault.is_for_idle_connections() {
                client.block_on(settle(proxy));
            }
        }
        sandbox.clear_received();
        let lost = environment.lost();
        transport.begin(case.wanted == Wanted::AsDocumented);
        if mode == Mode::First
            && let Some(mend) = mend.take()
        {
            transport.before_the_second(mend);
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
        let (began, panicked) = (world.time.elapsed(), panics());
        let mut shown = String::new();
        let mut ended = None;
        let memory = (self.memory)(&mut || {
            let call = H::call(&world.world, &settings, operation, &mut shown);
            let call = AssertUnwindSafe(call).catch_unwind();
            ended = Some(client.block_on(async { tokio::time::timeout(HANG, call).await }));
        });
        let hung = matches!(ended, Some(Err(_)));
        let result = ended.and_then(Result::ok).and_then(Result::ok);
        self.hear(result.as_ref(), &shown);
        let outcome = Outcome {
            received: sandbox.received(),
            lost: environment.lost() - lost,
            faulty: transport.attempts() <= faults || (mode == Mode::Every && !kept),
            last: transport.take().pop().map(|exchange| (exchange.status, exchange.body())),
            elapsed: world.time.elapsed() - began,
            memory,
            panics: panics() - panicked,
            hung,
            leaks: self.canary.take_leaks(),
            usable: true,
            result,
        };
        sandbox.clear_faults();
        transport.mend();
        if let Some(mend) = mend {
            mend();
        }
        let usable = hung || client.block_on(self.usable::<H>(world, &settings));
        Outcome { usable, ..outcome }
    }

    /// Makes a connection that is kept.
    async fn warm_up<H: ProviderHarness>(
        &self,
        world: &TimedWorld<H::World>,
        settings: &ClientSettings,
        proxy: &FaultProxy,
    ) {
        let probe = probe::<H>();
        let warm = H::call(&world.world, settings, probe, &mut String::new()).await;
        assert!(warm.is_ok(), "the connection at {} is not warm: {warm:?}", proxy.address);
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
    async fn usable<H: ProviderHarness>(
        &self,
        world: &TimedWorld<H::World>,
        settings: &ClientSettings,
    ) -> bool {
        let probe = probe::<H>();
        let next = H::call(&world.world, settings, probe, &mut String::new()).await;
        if let Ok(value) = &next
            && self.probed.get_or_init(|| value.clone()) == value
        {
            return true;
        }
        let address = H::sandbox(&world.world).address();
        let set = Environment::set(None, &self.certificates, address, &world.time);
        let (environment, setup) = set.await.expect("nothing is set");
        let transport = (self.make)(setup).expect("there is a transport");
        let transport = InstrumentedTransport::new(transport).with_time(world.time.clone());
        let settings = ClientSettings::new(
            &environment.url,
            H::NAME,
            settings.variant,
            &transport,
            &world.time,
        );
        let new = H::call(&world.world, &settings, probe, &mut String::new()).await;
        match (next, new) {
            (Ok(next), Ok(new)) => next == new,
            (Err(next), Err(new)) => next.kind() == new.kind(),
            _ => false,
        }
    }
}

fn probe<H: ProviderHarness>() -> OperationId {
    let probe = H::OPERATIONS.iter().find(|entry| entry.id.name() == H::PROBE);
    probe.expect("the probe is an operation").id
}

/// Waits until a kept connection has ended by itself, and the client has seen it.
async fn settle(proxy: &FaultProxy) {
    proxy.ended().await;
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
