//! Lets two machines act on one account. It records which machine created and deleted each object, and
//! runs a step of one machine between two requests of the other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyvpn_http::transport::{Body, Transport, TransportError};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::{Request, Response};

use crate::instrumented::send_whole;

/// One of the two machines of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The machine whose step runs.
    First,
    /// The machine that acts between the requests of the first.
    Second,
}

/// The effect of a request, whether or not its answer arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The object with this id was created.
    Made(String),
    /// The object with this id was deleted, or will be.
    Deleted(String),
}

/// A record of which machine did what, in order. It shares nothing with the clients: it reads the
/// account before and after each request.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    list: Box<dyn Fn() -> BTreeSet<String> + Send + Sync>,
    /// Requests run one at a time, so that each effect belongs to one machine.
    one: tokio::sync::Mutex<()>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    deeds: Vec<(Machine, Deed)>,
    /// The number of requests of each machine that were completed.
    done: [usize; 2],
}

impl Ledger {
    /// Creates the ledger of an account. `list` returns the ids of its objects, which are never reused.
    pub fn new(list: impl Fn() -> BTreeSet<String> + Send + Sync + 'static) -> Self {
        let one = tokio::sync::Mutex::new(());
        Self(Arc::new(Inner { list: Box::new(list), one, entries: Mutex::default() }))
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns which machine created the object; `None` if neither did.
    #[must_use]
    pub fn maker(&self, id: &str) -> Option<Machine> {
        let is_it = |deed: &Deed| matches!(deed, Deed::Made(made) if made == id);
        self.entries().deeds.iter().find(|(_, deed)| is_it(deed)).map(|(machine, _)| *machine)
    }

    /// Returns the number of effects so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries().deeds.len()
    }

    /// Returns the effects after the first `count`.
    #[must_use]
    pub fn since(&self, count: usize) -> Vec<(Machine, Deed)> {
        self.entries().deeds[count..].to_vec()
    }

    /// Returns how many requests of the machine were completed or failed.
    #[must_use]
    pub fn requests(&self, machine: Machine) -> usize {
        self.entries().done[machine as usize]
    }

    /// Asserts that, after the first `count` effects, no machine deleted an object that the other
    /// created, except those for which `named` returns true because the step named them.
    ///
    /// # Panics
    ///
    /// If a machine deleted another one.
    pub fn judge_deletions(&self, count: usize, named: impl Fn(&str) -> bool) {
        for (machine, deed) in self.since(count) {
            if let Deed::Deleted(id) = deed {
                let is_own = self.maker(&id) == Some(machine);
                assert!(is_own || named(&id), "{machine:?} deleted {id}, which it did not create");
            }
        }
    }

    fn write(&self, machine: Machine, before: &BTreeSet<String>) {
        let after = (self.0.list)();
        let made: Vec<_> =
            after.difference(before).filter(|id| self.maker(id).is_none()).cloned().collect();
        let deleted = before.difference(&after).cloned().map(Deed::Deleted);
        let mut entries = self.entries();
        let deeds = made.into_iter().map(Deed::Made).chain(deleted);
        entries.deeds.extend(deeds.map(|deed| (machine, deed)));
        entries.done[machine as usize] += 1;
    }
}

/// An action after a number of requests.
type Interlude = (usize, BoxFuture<'static, ()>);

/// The transport of one machine, below the network that loses requests.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<dyn Transport>,
    machine: Machine,
    ledger: Ledger,
    interlude: Arc<Mutex<Option<Interlude>>>,
}

impl Wire {
    /// Creates the transport of a machine, on a real transport.
    pub fn new(inner: impl Transport, machine: Machine, ledger: Ledger) -> Self {
        Self { inner: Arc::new(inner), machine, ledger, interlude: Arc::default() }
    }

    fn interlude(&self) -> MutexGuard<'_, Option<Interlude>> {
        self.interlude.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets an action to run after this many further requests, before the last one is answered.
    pub fn interrupt(&self, requests: usize, interlude: impl Future<Output = ()> + Send + 'static) {
        let at = self.ledger.requests(self.machine) + requests;
        *self.interlude() = Some((at, Box::pin(interlude)));
    }

    /// Removes the action, and returns whether it has started. It may still be running.
    #[must_use]
    pub fn calm(&self) -> bool {
        self.interlude().take().is_none()
    }
}

impl Transport for Wire {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let Self { inner, machine, ledger, .. } = self.clone();
            // The request is completed even if nobody waits for it.
            let answer = tokio::spawn(async move {
                let _one = ledger.0.one.lock().await;
                let before = (ledger.0.list)();
                let answer = send_whole(&*inner, request).await;
                ledger.write(machine, &before);
                answer
            });
            let answer = answer.await.expect("a request does not panic");
            let requests = self.ledger.requests(self.machine);
            let due = self.interlude().take_if(|(at, _)| *at <= requests);
            if let Some((_, interlude)) = due {
                tokio::spawn(interlude).await.expect("an interlude does not panic");
            }
            let (head, body) = answer?;
            Ok(Response::from_parts(head, stream::iter(body).boxed()))
        })
    }
}
