//! Time, randomness and processes of a history. One task runs at a time, and the seed determines
//! which.

use std::cell::Cell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyvpn_core::{Clock, SplitMix64, Timestamp};
use futures_core::future::BoxFuture;

/// What is worse than usual in a history: some broken rules only show if several faults come together.
#[derive(Clone, Copy)]
pub struct Weather {
    /// Everybody is in a hurry: the shop changes orders at once, and workers look again soon.
    pub is_hasty: bool,
    /// More calls and answers are lost.
    pub is_lossy: bool,
    /// The database and the provider are slow.
    pub is_slow: bool,
}

/// A world that its tasks share.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    elapsed: Duration,
    began: Instant,
    random: SplitMix64,
    weather: Weather,
    /// A future event: its time, its rank among events at the same time, its task and its waker.
    events: BinaryHeap<Event>,
    number: u64,
    /// The running task.
    running: u64,
    /// Tasks that died in the middle of something.
    dead: Vec<u64>,
    /// Faults happen until this time.
    faults_until: Duration,
}

struct Event {
    at: Duration,
    tie: u64,
    number: u64,
    task: u64,
    waker: Waker,
    done: Arc<Mutex<bool>>,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    /// The earliest event is the greatest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.key().cmp(&self.key())
    }
}
impl Event {
    fn key(&self) -> (Duration, u64, u64) {
        (self.at, self.tie, self.number)
    }
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl World {
    pub fn new(seed: u64, faults_until: Duration) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut is_bad = || random.below(3) == 0;
        let weather = Weather { is_hasty: is_bad(), is_lossy: is_bad(), is_slow: is_bad() };
        Self(Arc::new(Mutex::new(State {
            elapsed: Duration::ZERO,
            began: Instant::now(),
            random,
            weather,
            events: BinaryHeap::new(),
            number: 0,
            running: 0,
            dead: Vec::new(),
            faults_until,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn now(&self) -> Timestamp {
        "2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + self.elapsed()
    }

    pub fn elapsed(&self) -> Duration {
        self.state().elapsed
    }

    pub fn weather(&self) -> Weather {
        self.state().weather
    }

    pub fn below(&self, end: u64) -> u64 {
        self.state().random.below(end)
    }

    /// Returns true with this probability, in percent, as long as faults may happen.
    pub fn fault(&self, percent: u64) -> bool {
        let mut state = self.state();
        state.elapsed < state.faults_until && state.random.below(100) < percent
    }

    /// A part of a longest time, often nearly all of it.
    pub fn part(&self, longest: Duration) -> Duration {
        let from = if self.below(2) == 0 { 90 } else { 0 };
        longest.mul_f64((from + self.below(100 - from)) as f64 / 100.0)
    }

    /// Waits in virtual time.
    pub fn pause(&self, duration: Duration) -> Pause {
        Pause { world: self.clone(), duration, done: None }
    }

    /// Waits for a short random time, in which other tasks can run.
    pub async fn latency(&self) {
        let millis = 1 + self.below(200);
        self.pause(Duration::from_millis(millis)).await;
    }

    /// A point at which the process of the running task can be killed.
    pub async fn may_die(&self, percent: u64) {
        if self.fault(percent) {
            self.die();
            std::future::pending::<()>().await;
        }
    }

    fn die(&self) {
        let mut state = self.state();
        let task = state.running;
        state.dead.push(task);
    }

    /// Runs tasks until `end`. A task that dies or ends is restarted by `begin` after a while.
    pub async fn run(&self, tasks: u64, end: Duration, begin: impl Fn(u64, u64) -> Task) {
        let mut running: BTreeMap<u64, Task> = BTreeMap::new();
        let mut lives = BTreeMap::new();
        for task in 1..=tasks {
            running.insert(task, begin(task, 0));
            lives.insert(task, 0);
            self.poll(task, &mut running).await;
        }
        loop {
            let dead = std::mem::take(&mut self.state().dead);
            for task in dead {
                running.remove(&task);
            }
            for task in 1..=tasks {
                if let Entry::Vacant(place) = running.entry(task) {
                    *lives.get_mut(&task).unwrap() += 1;
                    let rest = Duration::from_millis(self.below(120_000));
                    let (world, next) = (self.clone(), begin(task, lives[&task]));
                    place.insert(Box::pin(async move {
                        world.pause(rest).await;
                        next.await;
                    }));
                    self.poll(task, &mut running).await;
                }
            }
            let Some(event) = self.state().events.pop() else { return };
            if event.at > end {
                return;
            }
            self.state().elapsed = event.at;
            *event.done.lock().unwrap() = true;
            event.waker.wake();
            self.poll(event.task, &mut running).await;
        }
    }

    /// Polls a task until it waits in virtual time or ends.
    async fn poll(&self, number: u64, running: &mut BTreeMap<u64, Task>) {
        let Some(mut task) = running.remove(&number) else { return };
        self.state().running = number;
        let over = std::future::poll_fn(|context: &mut Context<'_>| {
            match task.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => {
                    let state = self.state();
                    let waits = state.events.iter().any(|event| event.task == number);
                    // Otherwise it waits for a real database, which will wake it.
                    let is_virtual = (waits && DATABASE.get() == 0) || state.dead.contains(&number);
                    if is_virtual { Poll::Ready(false) } else { Poll::Pending }
                }
            }
        });
        if !over.await {
            running.insert(number, task);
        }
    }
}

thread_local! {
    /// The number of running calls to a real database.
    static DATABASE: Cell<u32> = const { Cell::new(0) };
}

/// A call to a real database, which lasts until this value is dropped.
pub struct Busy;

impl Busy {
    pub fn new() -> Self {
        DATABASE.set(DATABASE.get() + 1);
        Self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        DATABASE.set(DATABASE.get() - 1);
    }
}

/// A wait in virtual time.
pub struct Pause {
    world: World,
    duration: Duration,
    done: Option<Arc<Mutex<bool>>>,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(done) = &self.done {
            return if *done.lock().unwrap() { Poll::Ready(()) } else { Poll::Pending };
        }
        let done = Arc::new(Mutex::new(false));
        self.done = Some(Arc::clone(&done));
        let mut state = self.world.state();
        state.number += 1;
        let (tie, number, task) = (state.random.next_u64(), state.number, state.running);
        let at = state.elapsed + self.duration;
        state.events.push(Event { at, tie, number, task, waker: context.waker().clone(), done });
        drop(state);
        Poll::Pending
    }
}

/// How long workers hurry in a history in which everybody does.
const HASTE: Duration = Duration::from_secs(1800);

/// The clock of one machine, which may be wrong and may jump.
pub struct MachineClock {
    pub world: World,
    /// By how many seconds it is ahead.
    pub ahead: Arc<Mutex<i64>>,
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        let real = self.world.now();
        let ahead = *self.ahead.lock().unwrap();
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { real - by } else { real + by }
    }

    fn instant(&self) -> Instant {
        let state = self.world.state();
        state.began + state.elapsed
    }

    /// A worker that wakes each second would make a history slow. Instead, it often wakes soon while faults happen.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let is_hasty = self.world.weather().is_hasty && self.world.elapsed() < HASTE;
        let is_short = is_hasty || self.world.fault(50);
        let duration = if is_short { Duration::from_secs(self.world.below(20)) } else { duration };
        Box::pin(self.world.pause(duration))
    }
}
