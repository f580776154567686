//! Two machines of one account: who made and who deleted each configuration, and a step of the other
//! machine between two requests of the first one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use anyvpn_http::transport::{Body, Reqwest, Transport, TransportError};
use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::vpnscript::ConfigState;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::{Request, Response};

use crate::USERNAME;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    First,
    Second,
}

/// Something that a request did, whoever heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Made(u64),
    Deleted(u64),
}

/// Who did what, in order.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    sandbox: Arc<Sandbox>,
    /// Requests are done one at a time, so that each deed has one doer.
    one: tokio::sync::Mutex<()>,
    deeds: Mutex<Vec<(Machine, Deed)>>,
    answered: Mutex<BTreeMap<usize, usize>>,
}

impl Ledger {
    pub fn new(sandbox: Arc<Sandbox>) -> Self {
        let one = tokio::sync::Mutex::new(());
        Self(Arc::new(Inner { sandbox, one, deeds: Mutex::default(), answered: Mutex::default() }))
    }

    fn deeds(&self) -> MutexGuard<'_, Vec<(Machine, Deed)>> {
        self.0.deeds.lock().unwrap()
    }

    /// Who made the configuration.
    pub fn owner(&self, id: u64) -> Option<Machine> {
        let made = |(_, deed): &&(Machine, Deed)| *deed == Deed::Made(id);
        self.deeds().iter().find(made).map(|(machine, _)| *machine)
    }

    /// The deeds since there were so many.
    pub fn since(&self, count: usize) -> Vec<(Machine, Deed)> {
        self.deeds()[count..].to_vec()
    }

    pub fn count(&self) -> usize {
        self.deeds().len()
    }

    /// How many requests of the machine were answered or lost.
    pub fn answered(&self, machine: Machine) -> usize {
        self.0.answered.lock().unwrap().get(&(machine as usize)).copied().unwrap_or_default()
    }

    /// The configurations, and whether each is to be deleted.
    fn look(&self) -> BTreeMap<u64, bool> {
        let configs = self.0.sandbox.vpnscript().configs(USERNAME).into_iter();
        configs.map(|it| (it.id, it.state == ConfigState::PendingDeletion)).collect()
    }

    fn write(&self, machine: Machine, method: &http::Method, before: &BTreeMap<u64, bool>) {
        let after = self.look();
        let mut deeds = self.deeds();
        for (id, deleting) in &after {
            if !before.contains_key(id) {
                deeds.push((machine, Deed::Made(*id)));
            } else if *deleting && !before[id] {
                deeds.push((machine, Deed::Deleted(*id)));
            }
        }
        // With jobs that take no time, what is deleted is gone at once.
        for (id, was_deleting) in before {
            if *method == http::Method::DELETE && !was_deleting && !after.contains_key(id) {
                deeds.push((machine, Deed::Deleted(*id)));
            }
        }
        *self.0.answered.lock().unwrap().entry(machine as usize).or_default() += 1;
    }
}

/// A step of the other machine, and after how many requests it happens.
type Interlude = (usize, BoxFuture<'static, ()>);

/// The requests of one machine, below the network on which they get lost.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<Reqwest>,
    machine: Machine,
    ledger: Ledger,
    interlude: Arc<Mutex<Option<Interlude>>>,
}

impl Wire {
    pub fn new(machine: Machine, ledger: Ledger) -> Self {
        let inner = Arc::new(Reqwest::from(reqwest::Client::new()));
        Self { inner, machine, ledger, interlude: Arc::default() }
    }

    /// Lets this happen when so many further requests have been done, and before they are answered.
    pub fn interrupt(&self, requests: usize, interlude: impl Future<Output = ()> + Send + 'static) {
        let at = self.ledger.answered(self.machine) + requests;
        *self.interlude.lock().unwrap() = Some((at, Box::pin(interlude)));
    }

    /// Lets nothing happen any more, and says whether something did.
    pub fn calm(&self) -> bool {
        self.interlude.lock().unwrap().take().is_none()
    }
}

impl Transport for Wire {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let Self { inner, machine, ledger, .. } = self.clone();
            let method = request.method().clone();
            // It is done to its end, whether somebody waits for it or not.
            let answer = tokio::spawn(async move {
                let _one = ledger.0.one.lock().await;
                let before = ledger.look();
                let answer = match inner.send(request).await {
                    Ok(response) => {
                        let (head, body) = response.into_parts();
                        Ok((head, body.collect::<Vec<_>>().await))
                    }
                    Err(error) => Err(error),
                };
                ledger.write(machine, &method, &before);
                answer
            });
            let answer = answer.await.unwrap();
            let due = {
                let mut interlude = self.interlude.lock().unwrap();
                let answered = self.ledger.answered(self.machine);
                interlude.take_if(|(at, _)| *at <= answered)
            };
            if let Some((_, interlude)) = due {
                tokio::spawn(interlude).await.unwrap();
            }
            let (head, body) = answer?;
            Ok(Response::from_parts(head, stream::iter(body).boxed()))
        })
    }
}
