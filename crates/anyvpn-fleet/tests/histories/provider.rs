//! A provider that loses, delays and duplicates answers. It is written from the trait's
//! documentation alone.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyvpn_core::{
    Capabilities, ChangePlan, CreatedCustomer, Customer, CustomerEnd, Customers, EndCustomers,
    Error, ErrorKind, NewCustomer, Plan, Provider, ProviderInfo, Secret, Status, SuspendCustomers,
};
use async_trait::async_trait;

use crate::book::{Account, Book, Notice, Outdated, Quirk};
use crate::world::World;

pub const SETTLE: Duration = Duration::from_secs(15);

/// How long a server can take to do what a request asks for: twice the settle time at most.
const SLOWEST: Duration = Duration::from_secs(29);

/// How long a call can take: a little less than half of a worker's lease.
const LONGEST_CALL: Duration = Duration::from_secs(58);

static INFO: ProviderInfo =
    ProviderInfo::new("sim", "Simulation", "https://sim.example", &CAPABILITIES);
static CAPABILITIES: Capabilities =
    Capabilities::new(&[], &[], ("it is a simulation", "https://sim.example"));
const PLANS: &[Plan] =
    &[Plan::new("small", "Small"), Plan::new("large", "Large"), Plan::new("huge", "Huge")];

/// How the provider of a history behaves.
#[derive(Clone, Copy)]
pub struct Manners {
    /// Whether it accepts each key only once.
    pub is_unique: bool,
    /// Whether it still shows closed accounts.
    pub shows_closed: bool,
    /// Whether it refuses to change the plan and the end of a suspended customer.
    pub is_strict: bool,
    /// How long a worker can stop between its last look at the clock and the arrival of its request.
    pub stall: Duration,
}

#[derive(Clone)]
pub struct SimProvider {
    pub world: World,
    pub manners: Manners,
    book: Arc<Mutex<Book>>,
}

#[derive(Clone)]
pub enum Request {
    Create(NewCustomer),
    Plan(String, String),
    Suspend(String, bool),
    End(String, CustomerEnd),
    Password(String, Secret),
    Close(String),
}

impl Request {
    fn key(&self) -> &str {
        match self {
            Self::Create(new) => &new.key,
            Self::Plan(key, _)
            | Self::Suspend(key, _)
            | Self::End(key, _)
            | Self::Password(key, _)
            | Self::Close(key) => key,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Plan(..) => "change-plan",
            Self::Suspend(_, true) => "suspend",
            Self::Suspend(_, false) => "resume",
            Self::End(..) => "set-end",
            Self::Password(..) => "set-password",
            Self::Close(_) => "close",
        }
    }
}

impl std::fmt::Debug for SimProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimProvider")
    }
}

impl SimProvider {
    pub fn new(world: World, manners: Manners) -> Self {
        Self { world, manners, book: Arc::default() }
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock().unwrap();
        let now = self.world.elapsed();
        while let Some(at) = book.late.iter().position(|(at, _)| *at <= now) {
            let (_, request) = book.late.remove(at);
            let _ = self.apply(&mut book, &request);
        }
        book
    }

    pub fn stranger(&self, key: &str) {
        self.book().accounts.entry(key.into()).or_default().push(Account::strangers());
    }

    /// Makes a replica return the customer's current state for a few more seconds.
    fn lag(&self, book: &mut Book, key: &str) {
        let shown = self.shown(book, key).cloned();
        let until = self.world.elapsed() + self.world.part(SLOWEST);
        book.before.insert(key.to_owned(), Outdated { until, shown, everywhere: false });
    }

    fn shown<'a>(&self, book: &'a Book, key: &str) -> Option<&'a Account> {
        let all = book.accounts.get(key)?;
        let open = all.iter().find(|account| !account.is_closed);
        open.or_else(|| all.last().filter(|_| self.manners.shows_closed))
    }

    /// Performs a request.
    fn apply(&self, book: &mut Book, request: &Request) -> Result<Option<Customer>, Error> {
        let key = request.key().to_owned();
        let quirk = book.quirks.get(&key).copied();
        let mut refuse = |kind| {
            book.refused.insert((key.clone(), kind));
            Err(Error::new(kind))
        };
        match (quirk, request) {
            (Some(Quirk::NotCreated), Request::Create(_))
            | (Some(Quirk::NoOtherPlan), Request::Plan(..)) => {
                return refuse(ErrorKind::InvalidRequest);
            }
            (Some(Quirk::NotKnown), request) if request.name() != "create" => {
                return refuse(ErrorKind::NotFound);
            }
            _ => {}
        }
        if let Request::Create(new) = request {
            let taken = self.shown(book, &key).is_some();
            if taken && self.manners.is_unique {
                book.refused.insert((key, ErrorKind::AlreadyExists));
                return Err(Error::new(ErrorKind::AlreadyExists));
            }
            // A creation that was late can arrive after the account was closed, and is found as drift then.
            let is_ours = |account: &Account| {
                let can_come_again = self.manners.is_unique && account.is_closed;
                !account.is_strangers && !account.was_closed_by_hand && !can_come_again
            };
            if book.accounts.get(&key).is_some_and(|all| all.iter().any(is_ours)) {
                book.violations.push(format!("{key} was created twice"));
            }
            let account = Account::new(new.plan.clone(), new.password.expose());
            let shown = customer(&key, &account);
            book.accounts.entry(key).or_default().push(account);
            return Ok(Some(shown));
        }
        let may_take = book.may_take_strangers;
        let open = book
            .accounts
            .get_mut(&key)
            .and_then(|all| all.iter_mut().find(|account| !account.is_closed));
        let Some(account) = open else { return Err(Error::new(ErrorKind::NotFound)) };
        if account.is_strangers && !account.was_given && !may_take {
            book.violations.push(format!("a stranger's {key} was changed: {}", request.name()));
            return Ok(None);
        }
        let is_refused = matches!(request, Request::Plan(..) | Request::End(..));
        if is_refused && account.is_suspended && self.manners.is_strict {
            book.refused.insert((key, ErrorKind::Suspended));
            return Err(Error::new(ErrorKind::Suspended));
        }
        match request {
            Request::Plan(_, plan) if account.plan.as_ref() == Some(plan) => {
                book.violations.push(format!("{key} paid twice for {plan}"));
            }
            Request::Plan(_, plan) => account.plan = Some(plan.clone()),
            Request::Suspend(_, suspended) => account.is_suspended = *suspended,
            Request::End(_, end) => account.end = Some(*end),
            Request::Password(_, password) => account.password = password.expose().into(),
            Request::Close(_) => account.is_closed = true,
            Request::Create(_) => {}
        }
        Ok(None)
    }

    /// Sends a request over the network.
    async fn exchange(&self, request: Request) -> Result<Option<Customer>, Error> {
        let world = &self.world;
        world.latency().await;
        world.may_die(1).await;
        if world.fault(6) {
            return Err(self.brand_error(request.name()));
        }
        if request.name() != "create" && world.fault(2) {
            // A server does not know the customer yet.
            return Err(Error::new(ErrorKind::NotFound));
        }
        // If each key is accepted only once, a worker may send after its lease has ended. Nothing
        // protects a plan in the same way.
        if world.fault(if world.weather().is_slow { 12 } else { 2 }) {
            let can_be_late = self.manners.is_unique && request.name() == "create";
            let longest = if can_be_late { self.manners.stall } else { LONGEST_CALL };
            let time = world.part(longest);
            // Another worker may have the order by then, so that nobody would learn about an
            // existing customer.
            self.book().lost.insert(request.key().to_owned());
            if world.fault(50) {
                let slow = world.part(SLOWEST);
                self.book().late.push((world.elapsed() + time + slow, request.clone()));
                world.may_die(100).await;
            }
            world.pause(time).await;
        }
        let Delivered { answer, is_protected } = self.deliver(&request);
        if !is_protected {
            if world.fault(2) {
                self.book().lost.insert(request.key().to_owned());
                world.may_die(100).await;
            }
            world.latency().await;
        }
        match answer {
            Some(answer) => answer,
            // A gateway repeats the body of the request.
            None if world.below(2) == 0 => {
                let told = match &request {
                    Request::Create(new) => new.password.expose(),
                    Request::Password(_, password) => password.expose(),
                    _ => "",
                };
                Err(Error::new(ErrorKind::Unavailable).with_message(told).with_read_back())
            }
            None => Err(Error::new(ErrorKind::Ambiguous)),
        }
    }

    /// Returns an error that had no effect and that also concerns other calls.
    fn brand_error(&self, operation: &'static str) -> Error {
        let kinds = [
            ErrorKind::Unreachable,
            ErrorKind::Unavailable,
            ErrorKind::RateLimited,
            ErrorKind::Unauthorized,
            ErrorKind::InsufficientBalance,
            ErrorKind::QuotaReached,
        ];
        let kind = kinds[self.world.below(6) as usize];
        let wait = (kind == ErrorKind::RateLimited).then(|| Duration::from_secs(30));
        let notice = match kind {
            ErrorKind::Unauthorized => Notice::Stop,
            ErrorKind::Unreachable | ErrorKind::Unavailable => {
                return Error::new(kind);
            }
            _ => {
                let rest = wait.unwrap_or(Duration::from_secs(15 * 60));
                Notice::Hold(operation, self.world.elapsed() + rest)
            }
        };
        Error::new(kind).with_retry_after(wait).with_message(self.book().announce(notice))
    }

    /// A request arrives, and its answer may be lost or changed.
    fn deliver(&self, request: &Request) -> Delivered {
        let world = &self.world;
        let (name, key) = (request.name(), request.key().to_owned());
        let mut book = self.book();
        *book.arrivals.entry((name, key.clone())).or_default() += 1;
        if book.before.get(&key).is_some_and(|before| before.everywhere) {
            // Were the answer lost now, no rule could tell.
            book.before.remove(&key);
        }
        if name == "create" && book.quirks.get(&key) == Some(&Quirk::NeverArrives) {
            book.lost.insert(key);
            return Delivered { answer: None, is_protected: false };
        }
        let is_first = name == "create" && !book.lost.contains(&key) && self.manners.is_unique;
        if is_first && self.shown(&book, &key).is_none() && world.fault(4) {
            book.accounts.entry(key.clone()).or_default().push(Account::strangers());
            book.protected.insert(key.clone());
        }
        let is_protected = book.protected.contains(&key);
        let fates = if world.weather().is_lossy { 40 } else { 100 };
        let fate = if is_protected || !world.fault(100) { 99 } else { world.below(fates) };
        let answer = match fate {
            // The request is lost.
            0..8 => {
                let is_free = self.manners.is_unique && self.shown(&book, &key).is_none();
                if name == "create" && is_free && world.below(5) == 0 {
                    // Another program of the reseller's creates the customer in the same second.
                    let account = Account::new(Some("small".into()), "the other program's");
                    book.accounts.entry(key.clone()).or_default().push(account);
                }
                None
            }
            // The answer is lost.
            8..20 => {
                self.lag(&mut book, &key);
                let _ = self.apply(&mut book, request);
                None
            }
            // The answer is lost, and the request is slow. Servers end a request within 30 s.
            20..27 => {
                let slow = world.part(SLOWEST);
                book.late.push((world.elapsed() + slow, request.clone()));
                None
            }
            // The network delivers the request twice.
            27..30 if self.manners.is_unique && name == "create" => {
                let first = self.apply(&mut book, request);
                let second = self.apply(&mut book, request);
                Some(if world.below(2) == 0 { first } else { second })
            }
            _ => {
                self.lag(&mut book, &key);
                let answer = self.apply(&mut book, request);
                if answer.is_ok() && book.last_orders.contains(&key) && world.fault(5) {
                    // All replicas are behind, for longer than the provider says.
                    let until = world.elapsed() + Duration::from_secs(30 + world.below(90));
                    if let Some(before) = book.before.get_mut(&key) {
                        (before.until, before.everywhere) = (until, true);
                    }
                    book.outdated.insert(key.clone());
                }
                Some(answer)
            }
        };
        if answer.is_none() && name == "create" {
            book.lost.insert(key);
        }
        Delivered { answer, is_protected }
    }
}

struct Delivered {
    /// `None` if it is lost.
    answer: Option<Result<Option<Customer>, Error>>,
    /// Whether the answer must arrive unchanged.
    is_protected: bool,
}

fn customer(key: &str, account: &Account) -> Customer {
    let status = match account {
        Account { is_closed: true, .. } => Status::Inactive,
        Account { is_suspended: true, .. } => Status::Suspended,
        _ => Status::Active,
    };
    let mut customer = Customer::new(key, status);
    customer.plan = account.plan.clone().filter(|_| !account.is_closed);
    customer
}

impl Provider for SimProvider {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn customers(&self) -> Option<&dyn Customers> {
        Some(self)
    }
}

#[async_trait]
impl Customers for SimProvider {
    fn customer_key(&self) -> &'static str {
        "e-mail address"
    }

    fn plans(&self) -> &'static [Plan] {
        PLANS
    }

    async fn find_customer(&self, key: &str) -> Result<Option<Customer>, Error> {
        self.book().asked.insert(key.into(), self.world.now());
        self.world.latency().await;
        self.world.may_die(1).await;
        if self.world.fault(1) {
            return Err(self.brand_error("find"));
        }
        if self.world.fault(5) {
            let errors = [
                ErrorKind::Timeout,
                ErrorKind::UnexpectedReply,
                ErrorKind::Unavailable,
                ErrorKind::Ambiguous,
            ];
            return Err(Error::new(errors[self.world.below(4) as usize]));
        }
        let lags = self.world.fault(50);
        let found = {
            let book = self.book();
            let now = self.world.elapsed();
            let is_shown = |old: &&Outdated| (lags || old.everywhere) && now < old.until;
            let old = book.before.get(key).filter(is_shown);
            let shown = old.map_or_else(|| self.shown(&book, key), |old| old.shown.as_ref());
            shown.map(|account| customer(key, account))
        };
        self.world.latency().await;
        if self.world.fault(if self.world.weather().is_slow { 12 } else { 1 }) {
            self.world.pause(self.world.part(LONGEST_CALL)).await;
        }
        Ok(found)
    }

    async fn create_customer(&self, _: NewCustomer) -> Result<CreatedCustomer, Error> {
        Err(Error::new(ErrorKind::InvalidRequest))
    }

    async fn add_customer(&self, new: NewCustomer) -> Result<Customer, Error> {
        let found = self.exchange(Request::Create(new)).await?;
        found.ok_or_else(|| Error::new(ErrorKind::UnexpectedReply))
    }

    fn settle_time(&self) -> Duration {
        SETTLE
    }

    async fn set_customer_password(&self, key: &str, password: Secret) -> Result<(), Error> {
        self.exchange(Request::Password(key.into(), password)).await.map(drop)
    }

    async fn close_customer(&self, key: &str) -> Result<(), Error> {
        self.exchange(Request::Close(key.into())).await.map(drop)
    }

    fn plan_change(&self) -> Option<&dyn ChangePlan> {
        Some(self)
    }

    fn customer_suspension(&self) -> Option<&dyn SuspendCustomers> {
        Some(self)
    }

    fn customer_end(&self) -> Option<&dyn EndCustomers> {
        Some(self)
    }
}

#[async_trait]
impl ChangePlan for SimProvider {
    async fn change_plan(&self, key: &str, plan: &str) -> Result<(), Error> {
        self.exchange(Request::Plan(key.into(), plan.into())).await.map(drop)
    }
}

#[async_trait]
impl SuspendCustomers for SimProvider {
    async fn suspend_customer(&self, key: &str) -> Result<(), Error> {
        self.exchange(Request::Suspend(key.into(), true)).await.map(drop)
    }

    async fn resume_customer(&self, key: &str) -> Result<(), Error> {
        self.exchange(Request::Suspend(key.into(), false)).await.map(drop)
    }
}

#[async_trait]
impl EndCustomers for SimProvider {
    async fn end_customer(&self, key: &str, end: CustomerEnd) -> Result<(), Error> {
        self.exchange(Request::End(key.into(), end)).await.map(drop)
    }

    fn check_end(&self, _: CustomerEnd) -> Result<(), Error> {
        Ok(())
    }
}
