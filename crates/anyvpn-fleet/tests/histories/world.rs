//! Time, chance and processes of a history: one task runs at a time, and the seed says which.

use std::cell::Cell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyvpn_core::{Clock, SplitMix64, Timestamp};
use futures_core::future::BoxFuture;

/// A world, as its tasks share it.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    elapsed: Duration,
    began: Instant,
    random: SplitMix64,
    /// What happens next: when, in which order at the same time, whose, and its waker.
    events: BinaryHeap<Event>,
    number: u64,
    /// The task that runs.
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
    /// The earliest is the greatest.
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
        Self(Arc::new(Mutex::new(State {
            elapsed: Duration::ZERO,
            began: Instant::now(),
            random: SplitMix64::new(seed),
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

    pub fn below(&self, end: u64) -> u64 {
        self.state().random.below(end)
    }

    /// Whether something happens that has this chance, in percent, while faults happen at all.
    pub fn fault(&self, percent: u64) -> bool {
        let mut state = self.state();
        state.elapsed < state.faults_until && state.random.below(100) < percent
    }

    /// Waits in virtual time.
    pub fn pause(&self, duration: Duration) -> Pause {
        Pause { world: self.clone(), duration, done: None }
    }

    /// A short wait by chance, in which other tasks can run.
    pub async fn latency(&self) {
        let millis = 1 + self.below(200);
        self.pause(Duration::from_millis(millis)).await;
    }

    /// A place where the process of the running task can be killed.
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

    /// Runs tasks until `end`. One that dies or ends is begun again by `begin`, a while later.
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

    /// Polls a task until it waits in virtual time, or is over.
    async fn poll(&self, number: u64, running: &mut BTreeMap<u64, Task>) {
        let Some(mut task) = running.remove(&number) else { return };
        self.state().running = number;
        let over = std::future::poll_fn(|context: &mut Context<'_>| {
            match task.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => {
                    let state = self.state();
                    let waits = state.events.iter().any(|event| event.task == number);
                    // Else it waits for a real database, which wakes this.
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
    /// How many calls of a real database are under way.
    static DATABASE: Cell<u32> = const { Cell::new(0) };
}

/// A call of a real database, until it is dropped.
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

/// The clock of one machine, which may be wrong and may jump.
pub struct MachineClock {
    pub world: World,
    pub ahead: Arc<Mutex<u64>>,
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        self.world.now() + Duration::from_secs(*self.ahead.lock().unwrap())
    }

    fn instant(&self) -> Instant {
        let state = self.world.state();
        state.began + state.elapsed
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.world.pause(duration))
    }
}
