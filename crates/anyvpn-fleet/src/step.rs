//! The step: reads a customer, decides, and sends at most one operation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyvpn_core::{
    Advice, Clock, Customer, Customers, Error, ErrorKind, Secret, SplitMix64, SystemClock,
    Timestamp, redact,
};

use crate::decide::{decide, later, next_operation};
use crate::store::{Begin, Brand, Change, Claim, Committed, Finish, Store, StoreError};
use crate::{
    Decision, Event, Open, Operation, Order, OrderState, Owner, Progress, Reason, Rules, Sealer,
    Wanted,
};

/// The wait after the first failure. Each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// After an operation did not find its customer this many times, a person has to decide.
const NOT_FOUND: u32 = 5;
/// How long an operation is paused if the reseller's balance or quota is used up.
const REST: Duration = Duration::from_secs(15 * 60);

/// What a step needs in addition to the order, its provider and the store.
#[derive(Clone)]
pub struct StepContext {
    /// The clock of this machine.
    pub clock: Arc<dyn Clock>,
    /// Opens the passwords of orders.
    pub sealer: Sealer,
    /// The rules that the shop chose.
    pub rules: Rules,
}

impl StepContext {
    /// Creates a context with the machine's clock.
    #[must_use]
    pub fn new(sealer: Sealer, rules: Rules) -> Self {
        Self { clock: Arc::new(SystemClock), sealer, rules }
    }
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stepped {
    /// The order is now in this state, and is due again at this time; `None` means never.
    Moved {
        /// The state.
        state: OrderState,
        /// When the order is due again.
        due: Option<Timestamp>,
        /// The operation that was sent; absent if none was.
        sent: Option<Operation>,
    },
    /// Another worker has claimed the order meanwhile, or the order has changed. Either nothing was
    /// sent, or another worker will read the outcome.
    Overtaken,
}

/// Runs one step of a claimed order: reads the customer, decides, and sends at most one operation.
///
/// The intent is committed before the operation is sent, and the outcome only if no other worker claimed the
/// order in between. Dropping the future is safe at any point: the next claim finds the intent, and only reads
/// until the outcome is known.
///
/// # Errors
///
/// Any error of the store. Errors of the provider are part of the order's progress.
///
/// # As a step of another engine
///
/// A Temporal activity, a Restate handler or a DBOS step can be this function around one order. It is idempotent: if
/// the engine runs it again after a crash, the new claim has a higher fencing number, and its step finds the old
/// intent and reads before it sends. The engine needs no journal entry for the call itself.
///
/// ```
/// use std::time::Duration;
///
/// use anyvpn_core::Customers;
/// use anyvpn_fleet::{ClaimRequest, StepContext, Stepped, Store, StoreError, step};
///
/// /// The activity: returns `None` while another worker has the order.
/// async fn advance(
///     store: &dyn Store,
///     customers: &dyn Customers,
///     context: &StepContext,
///     order: &str,
/// ) -> Result<Option<Stepped>, StoreError> {
///     let request = ClaimRequest {
///         worker: "temporal".to_owned(),
///         profiles: Vec::new(),
///         instant: context.clock.instant(),
///         lease: Duration::from_secs(300),
///         limit: 1,
///         only: Some(order.to_owned()),
///     };
///     match store.claim(request).await?.pop() {
///         Some(claim) => step(store, customers, claim, context).await.map(Some),
///         None => Ok(None),
///     }
/// }
/// ```
///
/// The workflow calls it until [`Stepped::Moved`] names no further time, and sleeps in between.
pub async fn step(
    store: &dyn Store,
    customers: &dyn Customers,
    claim: Claim,
    context: &StepContext,
) -> Result<Stepped, StoreError> {
    let received = context.clock.instant();
    let step = Step { store, customers, claim: &claim, received, context };
    step.run().await
}

struct Step<'a> {
    store: &'a dyn Store,
    customers: &'a dyn Customers,
    claim: &'a Claim,
    received: Instant,
    context: &'a StepContext,
}

impl Step<'_> {
    async fn run(&self) -> Result<Stepped, StoreError> {
        let order = &self.claim.order;
        if self.claim.is_find_limited {
            let change = Change::Reserve { profile: order.profile.clone(), operation: "find" };
            if let Committed::Later(due) = self.commit(change).await? {
                return self.later(self.claim.progress.clone(), due).await;
            }
        }
        // The answer shows the customer's state at some time after this.
        let asked = self.at_least();
        let seen = match self.customers.find_customer(&order.key).await {
            Ok(seen) => seen,
            Err(error) => return self.failed(self.claim.progress.clone(), "find", &error).await,
        };
        let settle = self.customers.settle_time();
        let progress = self.claim.progress.clone();
        let rules = &self.context.rules;
        let (progress, decision) = decide(order, progress, seen.as_ref(), asked, settle, rules);
        match decision {
            Decision::Send(operation) => self.send(progress, operation).await,
            Decision::Wait(due) => {
                let event =
                    Event::Waiting { looks: progress.open.as_ref().map_or(0, |open| open.looks) };
                let state = self.waiting(&progress);
                self.finish(progress, state, Some(due), event, None).await
            }
            Decision::Done => self.done(progress, Event::AsOrdered).await,
            Decision::Drift(operation) => {
                let event = Event::Drifted(operation);
                self.finish(progress, OrderState::Drifted, None, event, None).await
            }
            Decision::Park(reason) => self.park(progress, reason).await,
        }
    }

    /// Commits the intent, sends the operation, and commits the outcome.
    async fn send(&self, progress: Progress, operation: Operation) -> Result<Stepped, StoreError> {
        let order = &self.claim.order;
        let password = match self.context.sealer.open(order, &self.claim.sealed) {
            Ok(password) => password,
            Err(error) => return self.park(progress, Reason::Sealed(error.to_string())).await,
        };
        // A worker that takes over cannot know when it was sent, only that this was before the lease ended.
        let open = self.open(&operation, false, self.claim.lease_until);
        let before = progress.clone();
        let begin = Begin {
            id: order.id.clone(),
            fence: self.claim.fence,
            revision: order.revision,
            progress: Progress { open: Some(open), ..progress },
            operation: operation.clone(),
        };
        match self.commit(Change::Begin(Box::new(begin))).await? {
            Committed::Done => {}
            Committed::Later(due) => return self.later(before, due).await,
            Committed::Overtaken => return Ok(Stepped::Overtaken),
        }
        if !self.claim.may_send(self.context.clock.instant()) {
            let event = Event::NotSent(operation);
            let now = self.now();
            return self.finish(before, OrderState::Pending, Some(now), event, None).await;
        }
        let outcome = call(self.customers, order, &operation, &password).await;
        self.outcome(before, operation, outcome, &password).await
    }

    async fn outcome(
        &self,
        mut progress: Progress,
        operation: Operation,
        outcome: Result<Option<Customer>, Error>,
        password: &Secret,
    ) -> Result<Stepped, StoreError> {
        let now = self.now();
        let error = match outcome {
            Ok(customer) => {
                progress.forget_failures();
                match &operation {
                    Operation::Create => {
                        (progress.owner, progress.has_password) = (Owner::Order, true);
                    }
                    Operation::SetPassword => progress.has_password = true,
                    Operation::SetEnd(end) => progress.end = Some(*end),
                    _ => {}
                }
                let event = Event::Confirmed(operation.clone());
                // A reading in the next few seconds can still show the customer's previous state.
                if !matches!(operation, Operation::SetPassword | Operation::SetEnd(_)) {
                    progress.open = Some(self.open(&operation, true, now));
                }
                // The provider returned the customer when it created it, so we need not read it again.
                if let Some(customer) = customer {
                    let rules = &self.context.rules;
                    if next_operation(&self.claim.order, &progress, &customer, rules).is_none() {
                        progress.reached = Some(self.claim.order.revision);
                        return self.sent(self.done(progress, event).await, operation);
                    }
                }
                let done = self.finish(progress, OrderState::Pending, Some(now), event, None).await;
                return self.sent(done, operation);
            }
            Err(error) => error.map_texts(|text| redact(text, std::slice::from_ref(password))),
        };
        let done = if error.advice() == Advice::ReadBack {
            progress.open = Some(self.open(&operation, false, now));
            // Often the customer already exists, and then we need not wait.
            let event = Event::Lost { operation: operation.clone(), why: error.to_string() };
            self.finish(progress, OrderState::Ambiguous, Some(now), event, None).await
        } else if operation == Operation::Create && verdict(&error) == Verdict::Refused {
            // The next reading shows whether somebody else has the key.
            progress.refusal = Some(error.to_string());
            let event = Event::Failed { doing: operation.name().into(), why: error.to_string() };
            self.finish(progress, OrderState::Pending, Some(now), event, None).await
        } else {
            self.failed(progress, operation.name(), &error).await
        };
        self.sent(done, operation)
    }

    /// Records in the store that a reading failed, or that an operation failed without any effect.
    async fn failed(
        &self,
        mut progress: Progress,
        doing: &'static str,
        error: &Error,
    ) -> Result<Stepped, StoreError> {
        let now = self.now();
        let why = error.to_string();
        let state = self.waiting(&progress);
        let event = Event::Failed { doing: doing.to_owned(), why: why.clone() };
        let hold = |until| Brand::Hold { operation: doing, until };
        match verdict(error) {
            // The customer was found, but the operation did not find it.
            Verdict::Again(_)
                if error.kind() == ErrorKind::NotFound && progress.not_found >= NOT_FOUND =>
            {
                self.park(progress, Reason::Refused(why)).await
            }
            Verdict::Refused => self.park(progress, Reason::Refused(why)).await,
            Verdict::Stop => {
                self.finish(progress, state, Some(now), event, Some(Brand::Stop(why))).await
            }
            Verdict::Rest => {
                let until = later(now, REST);
                self.finish(progress, state, Some(until), event, Some(hold(until))).await
            }
            Verdict::Again(after) => {
                progress.failures = progress.failures.saturating_add(1);
                let not_found = u32::from(error.kind() == ErrorKind::NotFound);
                progress.not_found = progress.not_found.saturating_add(not_found);
                let backoff = self.backoff(progress.failures);
                let due = later(now, after.unwrap_or_default().max(backoff));
                let limited = error.kind() == ErrorKind::RateLimited;
                let until = later(now, after.unwrap_or(FIRST_WAIT));
                self.finish(progress, state, Some(due), event, limited.then(|| hold(until))).await
            }
        }
    }

    /// Returns the record of an operation, whose effect is read from now on.
    fn open(&self, operation: &Operation, confirmed: bool, since: Timestamp) -> Open {
        let (operation, revision) = (operation.clone(), self.claim.order.revision);
        Open { operation, confirmed, since, looks: 0, is_seen: false, revision }
    }

    /// Returns the state of an order that is handled again later. A done order stays done until a
    /// reading shows otherwise.
    fn waiting(&self, progress: &Progress) -> OrderState {
        match (&progress.open, self.claim.state) {
            (Some(open), _) if !open.confirmed && !open.is_seen => OrderState::Ambiguous,
            (_, OrderState::Done) => OrderState::Done,
            _ => OrderState::Pending,
        }
    }

    /// Postpones the order until the budget has room.
    async fn later(&self, progress: Progress, due: Timestamp) -> Result<Stepped, StoreError> {
        let state = self.waiting(&progress);
        self.finish(progress, state, Some(due), Event::Budget, None).await
    }

    async fn done(&self, progress: Progress, event: Event) -> Result<Stepped, StoreError> {
        // A lost creation can arrive after the order was closed, from a worker that stopped for a while.
        let is_final = self.claim.order.wanted == Wanted::Closed && progress.lost_creations == 0;
        let sweep = self.context.rules.sweep.filter(|_| !is_final);
        let due = sweep.map(|sweep| later(self.now(), sweep));
        self.finish(progress, OrderState::Done, due, event, None).await
    }

    async fn park(&self, progress: Progress, reason: Reason) -> Result<Stepped, StoreError> {
        self.finish(progress, OrderState::Parked, None, Event::Parked(reason), None).await
    }

    async fn finish(
        &self,
        progress: Progress,
        state: OrderState,
        due: Option<Timestamp>,
        event: Event,
        brand: Option<Brand>,
    ) -> Result<Stepped, StoreError> {
        let finish = Finish {
            id: self.claim.order.id.clone(),
            fence: self.claim.fence,
            revision: self.claim.order.revision,
            progress,
            state,
            due,
            // An unchanged order needs no new row every day.
            event: (event != Event::AsOrdered || self.claim.state != OrderState::Done)
                .then_some(event),
            brand,
        };
        match self.commit(Change::Finish(Box::new(finish))).await? {
            Committed::Overtaken => Ok(Stepped::Overtaken),
            _ => Ok(Stepped::Moved { state, due, sent: None }),
        }
    }

    #[expect(clippy::unused_self, reason = "it belongs to the step")]
    fn sent(
        &self,
        done: Result<Stepped, StoreError>,
        operation: Operation,
    ) -> Result<Stepped, StoreError> {
        done.map(|stepped| match stepped {
            Stepped::Moved { state, due, .. } => {
                Stepped::Moved { state, due, sent: Some(operation) }
            }
            Stepped::Overtaken => Stepped::Overtaken,
        })
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        let committed = self.store.commit(vec![change]).await?;
        committed.into_iter().next().ok_or_else(|| StoreError::new("the store committed nothing"))
    }

    /// Returns an upper bound of the database's current time.
    fn now(&self) -> Timestamp {
        self.since(self.claim.claimed)
    }

    /// Returns a time that the database's clock has certainly passed.
    fn at_least(&self) -> Timestamp {
        self.since(self.received)
    }

    fn since(&self, instant: Instant) -> Timestamp {
        let elapsed = self.context.clock.instant().saturating_duration_since(instant);
        later(self.claim.now, elapsed)
    }

    /// Returns the wait after this many failures, randomly shortened by up to half.
    fn backoff(&self, failures: u32) -> Duration {
        let whole =
            FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_WAIT);
        let mut random = SplitMix64::new(self.claim.fence ^ u64::from(failures));
        whole.mul_f64(1.0 - random.below(1000) as f64 / 2000.0)
    }
}

/// How to continue after an error that had no effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Try again, after this time if the provider named one.
    Again(Option<Duration>),
    /// No order of the brand can continue.
    Stop,
    /// The operation is paused for all orders of the brand.
    Rest,
    /// The same call would be refused again.
    Refused,
}

fn verdict(error: &Error) -> Verdict {
    match (error.advice(), error.kind()) {
        (Advice::SignIn, _) => Verdict::Stop,
        (Advice::Retry(after), _) => Verdict::Again(after),
        (
            _,
            ErrorKind::InsufficientBalance | ErrorKind::QuotaReached | ErrorKind::CapacityReached,
        ) => Verdict::Rest,
        // Either a proxy's error page, or a customer that no longer exists, which the next reading
        // shows.
        (_, ErrorKind::UnexpectedReply | ErrorKind::NotFound) => Verdict::Again(None),
        // Reading changes nothing, so after an error with the advice to read back we can read again.
        (Advice::ReadBack, _) => Verdict::Again(None),
        _ => Verdict::Refused,
    }
}

/// Sends an operation. A creation returns the customer.
async fn call(
    customers: &dyn Customers,
    order: &Order,
    operation: &Operation,
    password: &Secret,
) -> Result<Option<Customer>, Error> {
    let unsupported =
        || Error::new(ErrorKind::InvalidRequest).with_detail("the provider has no call for this");
    let key = &order.key;
    match operation {
        Operation::Create => {
            return customers.add_customer(order.customer(password.clone())).await.map(Some);
        }
        Operation::ChangePlan(plan) => {
            customers.plan_change().ok_or_else(unsupported)?.change_plan(key, plan).await?;
        }
        Operation::Suspend => {
            customers.customer_suspension().ok_or_else(unsupported)?.suspend_customer(key).await?;
        }
        Operation::Resume => {
            customers.customer_suspension().ok_or_else(unsupported)?.resume_customer(key).await?;
        }
        Operation::SetEnd(end) => {
            customers.customer_end().ok_or_else(unsupported)?.end_customer(key, end.0).await?;
        }
        Operation::SetPassword => customers.set_customer_password(key, password.clone()).await?,
        Operation::Close => customers.close_customer(key).await?,
    }
    Ok(None)
}

impl Claim {
    /// Returns whether an operation may still be sent, which is during the first half of the lease. The
    /// other half is for the call itself.
    #[must_use]
    pub fn may_send(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.claimed) < self.lease / 2
    }
}
