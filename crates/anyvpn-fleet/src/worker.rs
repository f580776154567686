//! Workers claim orders that are due, and run their steps.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyvpn_core::Provider;
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::store::{Claim, ClaimRequest, Store, StoreError};
use crate::{OrderState, StepContext, Stepped, step};

/// How often in a row the database may fail before a worker gives up.
const STORE_FAILURES: u32 = 10;

/// A worker. Any number of workers, on any number of machines, can share one database.
#[derive(Clone)]
pub struct Worker {
    store: Arc<dyn Store>,
    providers: BTreeMap<String, Arc<dyn Provider>>,
    context: StepContext,
    settings: WorkerSettings,
    counters: Arc<Mutex<Counters>>,
}

/// The settings of a worker.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerSettings {
    /// The name in the journal. Give each process its own.
    pub name: String,
    /// How many orders are handled at the same time. Default 16.
    pub in_flight: u32,
    /// How long a claimed order is reserved for this worker. Default 5 min. Nothing is sent in the
    /// second half, which must be longer than a provider's longest call.
    pub lease: Duration,
    /// How long the worker waits before it checks again if nothing is due. Default 1 s.
    pub idle: Duration,
}

impl WorkerSettings {
    /// Creates the default settings, with this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            in_flight: 16,
            lease: Duration::from_secs(300),
            idle: Duration::from_secs(1),
        }
    }
}

/// A worker's counters since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Operations that were sent, by [`Operation::name`](crate::Operation::name).
    pub sent: BTreeMap<&'static str, u64>,
    /// Steps that ended in each state.
    pub steps: BTreeMap<OrderState, u64>,
    /// Steps that have begun and not ended.
    pub in_flight: u64,
    /// Steps whose order another worker had meanwhile claimed.
    pub overtaken: u64,
    /// Failures of the database.
    pub store_failures: u64,
}

/// When a worker stops by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When no order is pending or ambiguous, except orders of a stopped brand.
    NothingDue,
    /// Never.
    Stopped,
}

impl Worker {
    /// Creates a worker for the orders of these profiles. Profiles whose providers have no customers
    /// are ignored.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        providers: BTreeMap<String, Arc<dyn Provider>>,
        context: StepContext,
        settings: WorkerSettings,
    ) -> Self {
        let has_customers =
            |(_, provider): &(String, Arc<dyn Provider>)| provider.customers().is_some();
        let providers = providers.into_iter().filter(has_customers).collect();
        Self { store, providers, context, settings, counters: Arc::default() }
    }

    /// Returns the worker's counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs until there is nothing to do, or until `stop` is ready. Then it claims no more orders, and
    /// returns when the steps in flight have ended.
    ///
    /// # Errors
    ///
    /// Returns the database's error if it fails ten times in a row.
    pub async fn run(
        &self,
        until: Until,
        stop: impl Future<Output = ()>,
    ) -> Result<(), StoreError> {
        let mut stop = pin!(stop);
        let mut is_stopping = false;
        let mut steps = FuturesUnordered::new();
        let mut failures = 0;
        loop {
            // Claiming orders for half of the free places at once saves transactions.
            if !is_stopping && steps.len() * 2 <= self.settings.in_flight as usize {
                let claim = self.claim(self.settings.in_flight as usize - steps.len());
                match beside(claim, &mut steps).await {
                    Ok(claims) => {
                        failures = 0;
                        steps.extend(claims.into_iter().map(|claim| self.step(claim)));
                    }
                    Err(error) => {
                        failures += 1;
                        self.count(|counters| counters.store_failures += 1);
                        tracing::warn!(%error, "claiming orders failed");
                        if failures >= STORE_FAILURES {
                            while steps.next().await.is_some() {}
                            return Err(error);
                        }
                    }
                }
            }
            if steps.is_empty() {
                if is_stopping
                    || (until == Until::NothingDue && failures == 0 && self.is_idle().await?)
                {
                    return Ok(());
                }
                let sleep = self.context.clock.sleep(self.settings.idle);
                if let Either::Right(_) = select(sleep, stop.as_mut()).await {
                    is_stopping = true;
                }
            } else if is_stopping {
                steps.next().await;
            } else if let Either::Right(_) = select(steps.next(), stop.as_mut()).await {
                is_stopping = true;
            }
        }
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Claim>, StoreError> {
        let clock = &self.context.clock;
        let request = ClaimRequest {
            worker: self.settings.name.clone(),
            profiles: self.providers.keys().cloned().collect(),
            instant: clock.instant(),
            lease: self.settings.lease,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            only: None,
        };
        self.store.claim(request).await
    }

    async fn step(&self, claim: Claim) {
        let provider = self.providers.get(&claim.order.profile);
        let Some(customers) = provider.and_then(|provider| provider.customers()) else { return };
        let id = claim.order.id.clone();
        self.count(|counters| counters.in_flight += 1);
        let stepped = step(&*self.store, customers, claim, &self.context).await;
        self.count(|counters| counters.in_flight -= 1);
        match stepped {
            Ok(Stepped::Moved { state, sent, .. }) => self.count(|counters| {
                *counters.steps.entry(state).or_default() += 1;
                if let Some(operation) = &sent {
                    *counters.sent.entry(operation.name()).or_default() += 1;
                }
            }),
            Ok(Stepped::Overtaken) => self.count(|counters| counters.overtaken += 1),
            // The order is claimed again when its lease is over.
            Err(error) => {
                self.count(|counters| counters.store_failures += 1);
                tracing::warn!(order = id, %error, "a step could not be recorded");
            }
        }
    }

    /// Returns whether no order of the worker's profiles is waiting, except those of stopped brands.
    async fn is_idle(&self) -> Result<bool, StoreError> {
        let summary = self.store.summary().await?;
        Ok(!summary.counts.keys().any(|(profile, state)| {
            matches!(state, OrderState::Pending | OrderState::Ambiguous)
                && self.providers.contains_key(profile)
                && !summary.stopped.contains_key(profile)
        }))
    }

    fn count(&self, count: impl FnOnce(&mut Counters)) {
        count(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Waits for a call of the database, and lets the steps go on meanwhile: one that has looked at the clock must not stop
/// before its operation is sent.
async fn beside<T, S: Future>(call: impl Future<Output = T>, steps: &mut FuturesUnordered<S>) -> T {
    let mut call = pin!(call);
    while !steps.is_empty() {
        if let Either::Left((answer, _)) = select(call.as_mut(), steps.next()).await {
            return answer;
        }
    }
    call.await
}
