//! What a reseller can do, and what it concludes from the results.

use std::sync::{Arc, Mutex};

use anyvpn_lab::machines::{Deed, Machine};
use anyvpn_lab::network::{Mishap, conclude};
use anyvpn_sandbox::Fault;
use anyvpn_vpnresellers::{
    Advice, CreatedCustomer, CustomerEnd, Customers, EndCustomers, Error, ErrorKind, NewCustomer,
    SuspendCustomers,
};
use proptest::prelude::*;

use crate::{Customer, NAMES, PASSWORDS, RESELLER, World};

/// Days on which a customer can end.
const ENDS: [Option<&str>; 3] = [None, Some("2030-01-01T00:00:00Z"), Some("2031-06-30T00:00:00Z")];

/// Customers are identified by the position of their name.
#[derive(Clone, Debug)]
pub enum Step {
    Create(usize),
    /// The other machine creates a customer.
    Second(usize),
    Close(usize),
    Suspend(usize),
    Resume(usize),
    End(usize, usize),
    SetPassword(usize, usize),
    /// Another reseller takes the name, if it is free.
    Stranger(usize),
    /// The balance is used up, or topped up.
    Balance(bool),
}

pub fn steps() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        6 => name().prop_map(Step::Create),
        1 => name().prop_map(Step::Second),
        2 => name().prop_map(Step::Close),
        2 => name().prop_map(Step::Suspend),
        2 => name().prop_map(Step::Resume),
        2 => (name(), 0..ENDS.len()).prop_map(|(name, end)| Step::End(name, end)),
        2 => (name(), 0..PASSWORDS.len()).prop_map(|(name, to)| Step::SetPassword(name, to)),
        1 => name().prop_map(Step::Stranger),
        1 => any::<bool>().prop_map(Step::Balance),
    ]
}

/// What the other machine does between two requests of the first machine.
#[derive(Clone, Debug)]
pub struct Interlude {
    /// The number of requests after which it acts.
    after: usize,
    /// What happens to the first machine's creation, instead of the fault that was drawn for the
    /// step.
    creation: Option<Fault>,
}

impl Interlude {
    /// What happens to the requests of the first machine: the list, the check, the creation.
    pub fn mishaps(&self, step: &Step) -> Option<Vec<Mishap>> {
        let fault = Mishap::Server(self.creation.clone()?);
        matches!(step, Step::Create(_)).then(|| vec![Mishap::None, Mishap::None, fault])
    }
}

pub fn interludes() -> impl Strategy<Value = Option<Interlude>> {
    let after = prop::sample::select(vec![1_usize, 2, 2, 3, 3, 4, 5, 6]);
    let fault = prop::sample::select(vec![
        None,
        Some(Fault::Wire("reset-before")),
        Some(Fault::Wire("reset-after")),
    ]);
    let interlude = (after, fault).prop_map(|(after, creation)| Interlude { after, creation });
    prop_oneof![1 => Just(None), 1 => interlude.prop_map(Some)]
}

/// What a machine was told about a customer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Created,
    Existed,
    Doubt,
}

fn told(outcome: Result<CreatedCustomer, Error>) -> Result<Told, Error> {
    outcome.map(|created| match created {
        CreatedCustomer::Created(_) => Told::Created,
        CreatedCustomer::Existed(_) => Told::Existed,
        CreatedCustomer::FoundAfterDoubt(_) => Told::Doubt,
        other => panic!("{other:?}"),
    })
}

fn new(name: &str, machine: Machine) -> NewCustomer {
    NewCustomer::new(name, PASSWORDS[machine as usize].into())
}

type Outcome = Arc<Mutex<Option<Result<Told, Error>>>>;

impl World {
    pub async fn take(&mut self, step: Step, mishaps: &[Mishap], interlude: Option<Interlude>) {
        match step {
            Step::Create(name) => self.create(NAMES[name], mishaps, interlude).await,
            Step::Second(name) => self.create_by_second(NAMES[name]).await,
            Step::Close(name) => self.close(NAMES[name], mishaps).await,
            Step::Suspend(name) => self.switch(NAMES[name], false, mishaps).await,
            Step::Resume(name) => self.switch(NAMES[name], true, mishaps).await,
            Step::End(name, end) => self.end(NAMES[name], ENDS[end], mishaps).await,
            Step::SetPassword(name, to) => {
                self.set_password(NAMES[name], PASSWORDS[to], mishaps).await
            }
            Step::Stranger(name) => {
                let service = self.sandbox.vpnresellers();
                if service.account(NAMES[name]).is_none() {
                    service.add_account("rival", NAMES[name], "a stranger's");
                    self.strangers.push(NAMES[name]);
                }
            }
            Step::Balance(full) => {
                self.sandbox.vpnresellers().set_balance(RESELLER, if full { 100_000 } else { 0 });
                self.can_pay = full;
                if !full && self.sandbox.vpnresellers().quirks().empty_balance_refuses_all {
                    // In that case no call succeeds, which the tests of the balance check.
                    self.sandbox.vpnresellers().set_balance(RESELLER, 100_000);
                    self.can_pay = true;
                }
            }
        }
    }

    /// Returns why a call about a customer who may not exist is refused.
    fn refuses(&self, name: &str) -> Vec<ErrorKind> {
        match self.customers.contains_key(name) {
            true => Vec::new(),
            false => vec![ErrorKind::NotFound],
        }
    }

    /// Returns why a creation is refused.
    fn refuses_creation(&self, name: &str) -> Vec<ErrorKind> {
        if self.strangers.contains(&name) {
            vec![ErrorKind::AlreadyExists]
        } else if !self.customers.contains_key(name) && !self.can_pay {
            vec![ErrorKind::InsufficientBalance]
        } else {
            Vec::new()
        }
    }

    fn created(&mut self, name: &'static str, by: Machine) {
        let created = self.sandbox.vpnresellers().created(name);
        let password = PASSWORDS[by as usize].to_owned();
        self.customers.insert(name, Customer { password, active: true, ends: None, created });
    }

    /// The other machine, which has a reliable network.
    async fn create_by_second(&mut self, name: &'static str) {
        self.network.calm();
        let refusals = self.refuses_creation(name);
        match told(self.second.create_customer(new(name, Machine::Second)).await) {
            Ok(Told::Created) => {
                assert!(refusals.is_empty() && !self.customers.contains_key(name));
                self.created(name, Machine::Second);
            }
            Ok(told) => {
                assert_eq!(told, Told::Existed);
                assert!(self.customers.contains_key(name));
            }
            Err(error) => assert!(refusals.contains(&error.kind()), "{error:?}"),
        }
    }

    async fn create(
        &mut self,
        name: &'static str,
        mishaps: &[Mishap],
        interlude: Option<Interlude>,
    ) {
        let there = self.customers.contains_key(name);
        let refusals = self.refuses_creation(name);
        let second: Outcome = Arc::default();
        let has_interlude = interlude.is_some();
        if let Some(Interlude { after, .. }) = interlude {
            let (machine, slot) = (self.second.clone(), Arc::clone(&second));
            self.wire.interrupt(after, async move {
                let outcome = machine.create_customer(new(name, Machine::Second)).await;
                *slot.lock().unwrap() = Some(told(outcome));
            });
        }
        let outcome = told(self.reseller.create_customer(new(name, Machine::First)).await);
        if self.wire.calm() && has_interlude {
            let second = came_of(&second).await;
            return self.contested(name, outcome, second);
        }
        let outcome = outcome.map(|told| assert_eq!(told == Told::Existed, there, "{told:?}"));
        let reads_back = async || {
            let found = self.reseller.find_customer(name).await.unwrap();
            found.filter(|_| refusals.is_empty()).map(drop)
        };
        let done = conclude(&self.network, mishaps, &refusals, outcome, reads_back).await;
        if done.is_some() && !there {
            self.created(name, Machine::First);
        }
    }

    /// Both machines wanted the customer. Either one of them created it, or it existed, and neither
    /// is told more than is true.
    fn contested(
        &mut self,
        name: &'static str,
        first: Result<Told, Error>,
        second: Result<Told, Error>,
    ) {
        self.network.calm();
        let deeds = self.ledger.since(self.began);
        let made = deeds.iter().map(|(machine, deed)| {
            assert!(matches!(deed, Deed::Made(_)), "{machine:?} {deed:?}");
            *machine
        });
        let made: Vec<_> = made.collect();
        assert!(made.len() <= 1, "it was created twice: {deeds:?}");
        let maker = made.first().copied();
        for (machine, outcome) in [(Machine::First, first), (Machine::Second, second)] {
            let is_maker = maker == Some(machine);
            match outcome {
                Ok(Told::Created) => assert!(is_maker, "{machine:?} did not create {name}"),
                Ok(Told::Existed) => assert!(!is_maker, "{machine:?} has created {name}"),
                Ok(Told::Doubt) => assert!(maker.is_some() || self.customers.contains_key(name)),
                Err(error) if is_maker => {
                    assert_eq!(error.advice(), Advice::ReadBack, "{name} exists: {error:?}");
                }
                Err(_) => {}
            }
        }
        if let Some(maker) = maker {
            self.created(name, maker);
        }
    }

    async fn close(&mut self, name: &'static str, mishaps: &[Mishap]) {
        let refusals = self.refuses(name);
        let outcome = self.reseller.close_customer(name).await;
        let reads_back = async || {
            let gone = self.reseller.find_customer(name).await.unwrap().is_none();
            (gone && refusals.is_empty()).then_some(())
        };
        if conclude(&self.network, mishaps, &refusals, outcome, reads_back).await.is_some() {
            self.customers.remove(name);
        }
    }

    async fn switch(&mut self, name: &'static str, active: bool, mishaps: &[Mishap]) {
        let mut refusals = self.refuses(name);
        let is_so = self.customers.get(name).is_some_and(|customer| customer.active == active);
        if active && !is_so && refusals.is_empty() && !self.can_pay {
            refusals.push(ErrorKind::InsufficientBalance);
        }
        let outcome = match active {
            true => self.reseller.resume_customer(name).await,
            false => self.reseller.suspend_customer(name).await,
        };
        let reads_back = async || {
            let found = self.reseller.find_customer(name).await.unwrap()?;
            let is_active = found.status == anyvpn_vpnresellers::Status::Active;
            (refusals.is_empty() && is_active == active).then_some(())
        };
        if conclude(&self.network, mishaps, &refusals, outcome, reads_back).await.is_some() {
            self.customers.get_mut(name).unwrap().active = active;
        }
    }

    async fn end(&mut self, name: &'static str, end: Option<&str>, mishaps: &[Mishap]) {
        let refusals = self.refuses(name);
        let end = end.map(|end| end.parse().unwrap());
        let when = end.map_or(CustomerEnd::Never, CustomerEnd::At);
        let outcome = self.reseller.end_customer(name, when).await;
        let reads_back = async || {
            let found = self.reseller.find_customer(name).await.unwrap()?;
            (refusals.is_empty() && found.expires_at == end).then_some(())
        };
        if conclude(&self.network, mishaps, &refusals, outcome, reads_back).await.is_some() {
            self.customers.get_mut(name).unwrap().ends = end.map(|end| end.as_second());
        }
    }

    async fn set_password(&mut self, name: &'static str, to: &str, mishaps: &[Mishap]) {
        let refusals = self.refuses(name);
        let outcome = self.reseller.set_customer_password(name, to.into()).await;
        let reads_back = async || {
            let truth = self.truth(name)?;
            (refusals.is_empty() && truth.password == to).then_some(())
        };
        if conclude(&self.network, mishaps, &refusals, outcome, reads_back).await.is_some() {
            self.customers.get_mut(name).unwrap().password = to.to_owned();
        }
    }
}

/// Returns the other machine's result after it has finished.
async fn came_of(second: &Outcome) -> Result<Told, Error> {
    loop {
        if let Some(outcome) = second.lock().unwrap().take() {
            return outcome;
        }
        tokio::task::yield_now().await;
    }
}
