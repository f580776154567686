//! Two machines that act on one account: who made and who deleted each thing, and a step of the one
//! between two requests of the other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyvpn_http::transport::{Body, Transport, TransportError};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::{Request, Response};

use crate::instrumented::send_whole;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The one whose step it is.
    First,
    /// The one that acts between the requests of the first.
    Second,
}

/// What a request did, whether its answer was heard or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The thing of this id is there.
    Made(String),
    /// The thing of this id is gone, or is to go.
    Deleted(String),
}

/// Who did what, in order. It shares nothing with the clients: it looks at the account before and after
/// each request.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    list: Box<dyn Fn() -> BTreeSet<String> + Send + Sync>,
    /// Requests are done one at a time, so that each deed has one doer.
    one: tokio::sync::Mutex<()>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    deeds: Vec<(Machine, Deed)>,
    /// How many requests of each machine were done.
    done: [usize; 2],
}

impl Ledger {
    /// A ledger of an account whose things `list` gives, by ids that are never given twice.
    pub fn new(list: impl Fn() -> BTreeSet<String> + Send + Sync + 'static) -> Self {
        let one = tokio::sync::Mutex::new(());
        Self(Arc::new(Inner { list: Box::new(list), one, entries: Mutex::default() }))
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who made the thing; `None` when no request of the two did.
    #[must_use]
    pub fn maker(&self, id: &str) -> Option<Machine> {
        let is_it = |deed: &Deed| matches!(deed, Deed::Made(made) if made == id);
        self.entries().deeds.iter().find(|(_, deed)| is_it(deed)).map(|(machine, _)| *machine)
    }

    /// How many deeds there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries().deeds.len()
    }

    /// The deeds after the first `count`.
    #[must_use]
    pub fn since(&self, count: usize) -> Vec<(Machine, Deed)> {
        self.entries().deeds[count..].to_vec()
    }

    /// How many requests of the machine were done or broke.
    #[must_use]
    pub fn requests(&self, machine: Machine) -> usize {
        self.entries().done[machine as usize]
    }

    /// Fails when a machine has deleted after the first `count` deeds what the other one made, except for
    /// what `named` says that the step was about.
    ///
    /// # Panics
    ///
    /// Then.
    pub fn judge_deletions(&self, count: usize, named: impl Fn(&str) -> bool) {
        for (machine, deed) in self.since(count) {
            if let Deed::Deleted(id) = deed {
                let is_own = self.maker(&id) == Some(machine);
                assert!(is_own || named(&id), "{machine:?} deleted {id}, which it did not make");
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

/// What happens after so many requests.
type Interlude = (usize, BoxFuture<'static, ()>);

/// The requests of one machine, below the network on which they get lost.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<dyn Transport>,
    machine: Machine,
    ledger: Ledger,
    interlude: Arc<Mutex<Option<Interlude>>>,
}

impl Wire {
    /// The requests of this machine, by way of a real transport.
    pub fn new(inner: impl Transport, machine: Machine, ledger: Ledger) -> Self {
        Self { inner: Arc::new(inner), machine, ledger, interlude: Arc::default() }
    }

    fn interlude(&self) -> MutexGuard<'_, Option<Interlude>> {
        self.interlude.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets this happen when so many further requests were done, before the last of them is answered.
    pub fn interrupt(&self, requests: usize, interlude: impl Future<Output = ()> + Send + 'static) {
        let at = self.ledger.requests(self.machine) + requests;
        *self.interlude() = Some((at, Box::pin(interlude)));
    }

    /// Lets nothing happen any more, and says whether something did: it may still be going on.
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
            // It is done to its end, whether somebody waits for it or not.
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
