//! Runs every case with every operation.

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

/// The real time after which a run counts as hanging.
const HANG: Duration = Duration::from_secs(60);

/// The number of calling threads; most of them are waiting most of the time.
const CALLERS: usize = 4;

/// Which requests have the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    First,
    Every,
}

/// The result of a run.
pub(super) struct Outcome {
    /// `None` if the call did not end, or panicked.
    pub(super) result: Option<Result<Value, Error>>,
    /// The requests that the sandbox received before the call ended.
    pub(super) received: Vec<Received>,
    /// The number of requests that were sent at least in part and did not reach the sandbox.
    pub(super) lost: usize,
    /// Whether the last attempt had the fault.
    pub(super) faulty: bool,
    /// The status and body of the last reply, if they were recorded.
    pub(super) last: Option<(u16, Vec<u8>)>,
    /// The virtual time that the call took.
    pub(super) elapsed: Duration,
    pub(super) memory: u64,
    pub(super) panics: usize,
    pub(super) hung: bool,
    pub(super) leaks: Vec<String>,
    /// Whether the next call succeeds.
    pub(super) usable: bool,
}

/// Runs all cases of a provider with this transport.
///
/// # Panics
///
/// If the lab itself fails, for example because a world cannot be created or a port is taken.
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
    assert!(heard > 0, "the canary received no log");
    let verdicts = std::mem::take(&mut *locked(&verdicts));
    Report::new(H::TITLE, transport, operations, lab.cases, verdicts)
}

/// Creates the canary of the process once: a log subscriber receives the log of all runs.
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
    /// The runtime of the sandboxes.
    server: Runtime,
    certificates: Certificates,
    cases: Vec<FaultCase>,
    /// The result of the probe in a new world.
    probed: OnceLock<Value>,
}

/// A world and the virtual time of its sandbox.
struct TimedWorld<W> {
    world: W,
    time: VirtualTime,
}

impl Lab {
    /// Runs all cases of one operation. A world that was not changed is used again.
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
        let world = world.expect("the world can be created");
        for secret in H::secrets(&world) {
            self.canary.mark(secret);
        }
        TimedWorld { world, time }
    }

    /// Runs one case. Only the client and its connections live on this thread.
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
        let (mut environment, setup) = self.server.block_on(set).expect("the lab's ports are free");
        let transport = (self.make)(setup).expect("the transport can be created");
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
            // Later connections have no fault.
            mend.take().expect("each fault is mended once")();
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
                .expect("the operation is known");
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

    /// Opens a connection that is kept.
    async fn warm_up<H: ProviderHarness>(
        &self,
        world: &TimedWorld<H::World>,
        settings: &ClientSettings,
        proxy: &FaultProxy,
    ) {
        let probe = probe::<H>();
        let warm = H::call(&world.world, settings, probe, &mut String::new()).await;
        assert!(warm.is_ok(), "no connection at {} could be opened: {warm:?}", proxy.address);
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

    /// Returns whether this client's next call gives the same result as a new client or a new world.
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
        let (environment, setup) =
            set.await.expect("the environment without a fault can be set up");
        let transport = (self.make)(setup).expect("the transport can be created");
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
    probe.expect("the probe is one of the operations").id
}

/// Waits until a kept connection has ended by itself and the client has noticed.
async fn settle(proxy: &FaultProxy) {
    proxy.ended().await;
    // Virtual time does not help: the kernel delivers the end, the client's connection task reads it,
    // and no transport reports when that has happened.
    tokio::time::sleep(Duration::from_millis(50)).await;
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the panics of each thread, including those in its tasks.
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
