//! A provider that loses, delays and doubles answers. It is written from the trait's documentation alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyvpn_core::{
    Capabilities, ChangePlan, CreatedCustomer, Customer, CustomerEnd, Customers, EndCustomers,
    Error, ErrorKind, NewCustomer, Plan, Provider, ProviderInfo, Secret, Status, SuspendCustomers,
};
use async_trait::async_trait;

use crate::world::World;

pub const SETTLE: Duration = Duration::from_secs(15);

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
    /// How long a worker can stop between its last look at the clock and the arrival of its request.
    pub stall: Duration,
}

#[derive(Clone)]
pub struct SimProvider {
    pub world: World,
    pub manners: Manners,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
pub struct Book {
    pub accounts: BTreeMap<String, Vec<Account>>,
    /// What the workers must never have done.
    pub violations: Vec<String>,
    /// How often each operation arrived for each key.
    pub arrivals: BTreeMap<(&'static str, String), u64>,
    /// Keys whose refusal must reach the journal: nothing else could tell a stranger from a lost creation.
    pub protected: BTreeSet<String>,
    /// Keys of which a creation was lost.
    lost: BTreeSet<String>,
    /// What some readings still show, and until when.
    before: BTreeMap<String, (Duration, Option<Account>)>,
    /// Effects that come later, each with its time.
    late: Vec<(Duration, Request)>,
    /// Whether a customer who was there before may be taken over.
    pub may_take_strangers: bool,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub is_strangers: bool,
    pub plan: Option<String>,
    pub is_suspended: bool,
    pub is_closed: bool,
    pub was_closed_by_hand: bool,
    pub password: String,
    pub end: Option<CustomerEnd>,
}

#[derive(Clone)]
enum Request {
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

    /// Lets a replica show the customer as it is now for a few more seconds.
    fn lag(&self, book: &mut Book, key: &str) {
        let shown = self.shown(book, key).cloned();
        let until = self.world.elapsed() + Duration::from_secs(self.world.below(10));
        book.before.insert(key.to_owned(), (until, shown));
    }

    fn shown<'a>(&self, book: &'a Book, key: &str) -> Option<&'a Account> {
        let all = book.accounts.get(key)?;
        let open = all.iter().find(|account| !account.is_closed);
        open.or_else(|| all.last().filter(|_| self.manners.shows_closed))
    }

    /// Does what a request asks for.
    fn apply(&self, book: &mut Book, request: &Request) -> Result<Option<Customer>, Error> {
        let key = request.key().to_owned();
        if let Request::Create(new) = request {
            let taken = self.shown(book, &key).is_some();
            if taken && self.manners.is_unique {
                return Err(
                    Error::new(ErrorKind::AlreadyExists).with_message("the address has an account")
                );
            }
            let is_ours = |account: &Account| !account.is_strangers && !account.was_closed_by_hand;
            if book.accounts.get(&key).is_some_and(|all| all.iter().any(is_ours)) {
                book.violations.push(format!("{key} was created twice"));
            }
            let account = Account {
                is_strangers: false,
                plan: new.plan.clone(),
                is_suspended: false,
                is_closed: false,
                was_closed_by_hand: false,
                password: new.password.expose().into(),
                end: None,
            };
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
        if account.is_strangers && !may_take {
            book.violations.push(format!("a stranger's {key} was changed: {}", request.name()));
            return Ok(None);
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

    /// Carries a request over the network.
    async fn exchange(&self, request: Request) -> Result<Option<Customer>, Error> {
        let world = &self.world;
        world.latency().await;
        world.may_die(1).await;
        if world.fault(5) {
            let error = [
                ErrorKind::Unreachable,
                ErrorKind::RateLimited,
                ErrorKind::Unauthorized,
                ErrorKind::Unavailable,
            ];
            let kind = error[world.below(4) as usize];
            let wait = (kind == ErrorKind::RateLimited).then(|| Duration::from_secs(30));
            return Err(Error::new(kind).with_retry_after(wait));
        }
        // A key that is accepted once makes up for a worker that sends after its lease. Nothing does for a plan.
        if world.fault(2) {
            let can_be_late = self.manners.is_unique && request.name() == "create";
            let longest = if can_be_late { self.manners.stall } else { LONGEST_CALL };
            // Another worker may have the order by then, and nobody would hear of a stranger.
            self.book().lost.insert(request.key().to_owned());
            world.pause(longest.mul_f64(world.below(100) as f64 / 100.0)).await;
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

    /// A request arrives, and something becomes of its answer.
    fn deliver(&self, request: &Request) -> Delivered {
        let world = &self.world;
        let (name, key) = (request.name(), request.key().to_owned());
        let mut book = self.book();
        *book.arrivals.entry((name, key.clone())).or_default() += 1;
        let is_first = name == "create" && !book.lost.contains(&key) && self.manners.is_unique;
        if is_first && self.shown(&book, &key).is_none() && world.fault(2) {
            book.accounts.entry(key.clone()).or_default().push(Account::strangers());
            book.protected.insert(key.clone());
        }
        let is_protected = book.protected.contains(&key);
        let fate = if is_protected || !world.fault(100) { 99 } else { world.below(100) };
        let answer = match fate {
            // The request is lost.
            0..8 => None,
            // The answer is lost.
            8..20 => {
                self.lag(&mut book, &key);
                let _ = self.apply(&mut book, request);
                None
            }
            // The answer is lost, and the request is slow: servers end one within 30 s.
            20..26 => {
                let slow = Duration::from_millis(world.below(2 * SETTLE.as_millis() as u64 - 1000));
                book.late.push((world.elapsed() + slow, request.clone()));
                None
            }
            // The network delivers the request twice.
            26..29 if self.manners.is_unique && name == "create" => {
                let first = self.apply(&mut book, request);
                let second = self.apply(&mut book, request);
                Some(if world.below(2) == 0 { first } else { second })
            }
            _ => {
                self.lag(&mut book, &key);
                Some(self.apply(&mut book, request))
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
    /// Whether nothing may happen to the answer.
    is_protected: bool,
}

impl Account {
    fn strangers() -> Self {
        Self {
            is_strangers: true,
            plan: Some("huge".into()),
            is_suspended: false,
            is_closed: false,
            was_closed_by_hand: false,
            password: "the stranger's own".into(),
            end: None,
        }
    }
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
        self.world.latency().await;
        self.world.may_die(1).await;
        if self.world.fault(5) {
            let errors = [ErrorKind::Timeout, ErrorKind::UnexpectedReply, ErrorKind::Unavailable];
            return Err(Error::new(errors[self.world.below(3) as usize]));
        }
        let lags = self.world.fault(30);
        let found = {
            let book = self.book();
            let old =
                book.before.get(key).filter(|(until, _)| lags && self.world.elapsed() < *until);
            let shown = old.map_or_else(|| self.shown(&book, key), |(_, shown)| shown.as_ref());
            shown.map(|account| customer(key, account))
        };
        self.world.latency().await;
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
