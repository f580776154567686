//! The other server, which creates the same customer at the same time.

use std::sync::{Arc, Mutex};

use anyvpn_core::Advice;
use anyvpn_lab::machines::{Deed, Machine};
use anyvpn_lab::network::Mishap;
use anyvpn_sandbox::Fault;
use anyvpn_vpngn::ops::AddClient;
use anyvpn_vpngn::{Ensured, Error, ProductType};
use proptest::prelude::*;

use crate::customers::{Product, later};
use crate::steps::Step;
use crate::{PASSWORDS, World};

/// What the other server does between two requests of the first server.
#[derive(Clone, Debug)]
pub struct Interlude {
    /// The number of requests after which it acts.
    after: usize,
    plan: usize,
    /// Whether it ensures the customer or only adds it.
    ensures: bool,
    /// What happens to the first server's creation, instead of the fault that was drawn for the
    /// step.
    creation: Option<Fault>,
}

impl Interlude {
    /// What happens to the requests of the first server.
    pub fn mishaps(&self, step: &Step) -> Option<Vec<Mishap>> {
        let fault = Mishap::Server(self.creation.clone()?);
        match step {
            Step::Ensure { .. } => Some(vec![Mishap::None, fault]),
            Step::Add { .. } | Step::Create { .. } => Some(vec![fault]),
            _ => None,
        }
    }
}

pub fn interludes() -> impl Strategy<Value = Option<Interlude>> {
    let after = prop::sample::select(vec![1_usize, 2, 2, 3, 4, 5, 6]);
    let fault = prop::sample::select(vec![
        None,
        Some(Fault::Wire("reset-before")),
        Some(Fault::Wire("reset-after")),
    ]);
    let interlude = (after, 0..ProductType::ALL.len(), any::<bool>(), fault)
        .prop_map(|(after, plan, ensures, creation)| Interlude { after, plan, ensures, creation });
    prop_oneof![1 => Just(None), 1 => interlude.prop_map(Some)]
}

/// What a server was told about a customer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    Created,
    Existed,
    Doubt,
}

pub fn told(outcome: Result<Ensured, Error>) -> Result<Told, Error> {
    outcome.map(|ensured| match ensured {
        Ensured::Created(_) => Told::Created,
        Ensured::Existed(_) => Told::Existed,
        Ensured::FoundAfterDoubt(_) => Told::Doubt,
        other => panic!("{other:?}"),
    })
}

/// What the other server does in a step: the plan, and the result.
pub type Second = Option<(ProductType, Arc<Mutex<Option<Result<Told, Error>>>>)>;

/// A customer with the password of the server that creates it.
pub fn client(email: &str, plan: ProductType, machine: Machine) -> AddClient {
    let password = Some(PASSWORDS[machine as usize].to_owned().try_into().unwrap());
    AddClient { password, ..AddClient::new(email, "US".parse().unwrap(), plan) }
}

impl World {
    /// A customer whose creation was confirmed by a read or a reply.
    pub async fn created(
        &mut self,
        email: &'static str,
        plan: ProductType,
        renews: bool,
        test: bool,
        by: Machine,
    ) {
        let (now, months) = (self.now(), plan.months().into());
        let due = (!test).then(|| later(now, months));
        let id = self.newest_product(email).await;
        let product = Product { id, months, active: true, due, renews };
        self.customers.create(email, PASSWORDS[by as usize], product);
        self.sessions.remove(email);
    }

    /// Makes the other server create the customer after this many requests of the first server.
    pub fn interrupt(&self, email: &str, interlude: Option<Interlude>) -> Second {
        let Interlude { after, plan, ensures, .. } = interlude?;
        let plan = ProductType::ALL[plan];
        let (second, new) = (self.second.clone(), client(email, plan, Machine::Second));
        let outcome = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&outcome);
        self.wire.interrupt(after, async move {
            let outcome = match ensures {
                true => told(second.ensure_client(new).await),
                false => second.call(new).await.map(|_| Told::Created),
            };
            *slot.lock().unwrap() = Some(outcome);
        });
        Some((plan, outcome))
    }

    /// Returns the other server's result after it has finished. `None` if it did nothing.
    pub async fn end(&self, second: Second) -> Option<(ProductType, Result<Told, Error>)> {
        let has_acted = self.wire.calm();
        let (plan, outcome) = second.filter(|_| has_acted)?;
        loop {
            if let Some(outcome) = outcome.lock().unwrap().take() {
                return Some((plan, outcome));
            }
            tokio::task::yield_now().await;
        }
    }

    /// Both servers wanted the customer. Either one of them created it, or it existed, and neither
    /// is told more than is true.
    pub async fn contested(
        &mut self,
        email: &'static str,
        plan: ProductType,
        renews: bool,
        test: bool,
        first: Result<Told, Error>,
        (others, second): (ProductType, Result<Told, Error>),
    ) {
        self.network.calm();
        let deeds = self.ledger.since(self.began);
        let made: Vec<_> = deeds
            .iter()
            .map(|(machine, deed)| {
                assert!(matches!(deed, Deed::Made(_)), "{machine:?} {deed:?}");
                *machine
            })
            .collect();
        assert!(made.len() <= 1, "it was created twice: {deeds:?}");
        let maker = made.first().copied();
        for (machine, outcome) in [(Machine::First, first), (Machine::Second, second)] {
            let is_maker = maker == Some(machine);
            match outcome {
                Ok(Told::Created) => assert!(is_maker, "{machine:?} did not create {email}"),
                Ok(Told::Existed) => assert!(!is_maker, "{machine:?} has created {email}"),
                Ok(Told::Doubt) => assert!(maker.is_some() || self.customers.taken(email)),
                Err(error) if is_maker => {
                    assert_eq!(error.advice(), Advice::ReadBack, "{email} exists: {error:?}");
                }
                Err(_) => {}
            }
        }
        match maker {
            Some(Machine::First) => self.created(email, plan, renews, test, Machine::First).await,
            Some(by) => self.created(email, others, true, false, by).await,
            None => {}
        }
    }
}
