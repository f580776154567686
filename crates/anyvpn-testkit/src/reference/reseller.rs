//! A provider for resellers, where each customer's name is unique among all resellers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyvpn_core::{
    Ability, Capabilities, ChangePlan, CreatedCustomer, Customer, CustomerEnd, Customers,
    EndCustomers, Error, ErrorKind, Leftover, LeftoverKind, ListCustomers, NewCustomer, Plan,
    Provider, ProviderInfo, Secret, Status, SuspendCustomers, Timestamp,
};
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};

/// Describes [`Reseller`].
pub static INFO: ProviderInfo =
    ProviderInfo::new("reseller", "Reseller", "https://example.com", &CAPABILITIES);

static CAPABILITIES: Capabilities = Capabilities::new(
    &[
        Ability::Customers,
        Ability::ListCustomers,
        Ability::ChangePlan,
        Ability::SuspendCustomers,
        Ability::EndCustomers,
    ],
    &[],
    ("not needed in an example", "https://example.com"),
);

const PLANS: &[Plan] = &[Plan::new("small", "Small"), Plan::new("large", "Large")];

/// A reseller's client.
#[derive(Clone, Debug, Default)]
pub struct Reseller(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    /// The customers, with their passwords.
    customers: BTreeMap<String, (Customer, Secret)>,
    /// The names of other resellers' customers.
    taken: Vec<String>,
    loses_next: bool,
}

impl Reseller {
    /// Gives a name to another reseller's customer.
    pub fn take_name(&self, key: impl Into<String>) {
        self.book().taken.push(key.into());
    }

    /// Makes the next creation take effect but lose its answer.
    pub fn lose_next_creation(&self) {
        self.book().loses_next = true;
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, key: &str, change: impl FnOnce(&mut Customer)) -> Result<(), Error> {
        match self.book().customers.get_mut(key) {
            Some((customer, _)) => {
                change(customer);
                Ok(())
            }
            None => Err(Error::new(ErrorKind::NotFound)),
        }
    }

    /// Sends a creation as over a network, where it can take effect although its answer is lost.
    fn send_creation(&self, new: NewCustomer) -> Result<Customer, Error> {
        let book = &mut *self.book();
        if book.taken.contains(&new.key) {
            return Err(Error::new(ErrorKind::AlreadyExists));
        }
        let mut customer = Customer::new(&new.key, Status::Active);
        customer.plan = new.plan;
        book.customers.insert(new.key.clone(), (customer.clone(), new.password));
        if std::mem::take(&mut book.loses_next) {
            let leftover = Leftover::new(LeftoverKind::Customer, new.key);
            return Err(Error::new(ErrorKind::Ambiguous).with_leftover(leftover));
        }
        Ok(customer)
    }
}

impl Provider for Reseller {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn customers(&self) -> Option<&dyn Customers> {
        Some(self)
    }
}

#[async_trait]
impl Customers for Reseller {
    fn customer_key(&self) -> &'static str {
        "user name"
    }

    fn plans(&self) -> &'static [Plan] {
        PLANS
    }

    async fn find_customer(&self, key: &str) -> Result<Option<Customer>, Error> {
        Ok(self.book().customers.get(key).map(|(customer, _)| customer.clone()))
    }

    async fn create_customer(&self, new: NewCustomer) -> Result<CreatedCustomer, Error> {
        known(new.plan.as_deref().unwrap_or_default())?;
        if let Some(customer) = self.find_customer(&new.key).await? {
            return Ok(CreatedCustomer::Existed(customer));
        }
        let key = new.key.clone();
        match self.send_creation(new) {
            Ok(customer) => Ok(CreatedCustomer::Created(customer)),
            Err(error) if error.kind() == ErrorKind::Ambiguous => {
                let found = self.find_customer(&key).await?;
                found.map(CreatedCustomer::FoundAfterDoubt).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn add_customer(&self, new: NewCustomer) -> Result<Customer, Error> {
        known(new.plan.as_deref().unwrap_or_default())?;
        self.send_creation(new)
    }

    fn check_customer(&self, new: &NewCustomer) -> Result<(), Error> {
        known(new.plan.as_deref().unwrap_or_default())
    }

    async fn set_customer_password(&self, key: &str, password: Secret) -> Result<(), Error> {
        match self.book().customers.get_mut(key) {
            Some((_, old)) => {
                *old = password;
                Ok(())
            }
            None => Err(Error::new(ErrorKind::NotFound)),
        }
    }

    async fn close_customer(&self, key: &str) -> Result<(), Error> {
        let closed = self.book().customers.remove(key);
        closed.map(drop).ok_or_else(|| Error::new(ErrorKind::NotFound))
    }

    fn customer_list(&self) -> Option<&dyn ListCustomers> {
        Some(self)
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

impl ListCustomers for Reseller {
    fn list_customers(&self) -> BoxStream<'_, Result<Customer, Error>> {
        let all: Vec<_> =
            self.book().customers.values().map(|(customer, _)| Ok(customer.clone())).collect();
        stream::iter(all).boxed()
    }
}

#[async_trait]
impl ChangePlan for Reseller {
    async fn change_plan(&self, key: &str, plan: &str) -> Result<(), Error> {
        known(plan)?;
        self.change(key, |customer| customer.plan = Some(plan.to_owned()))
    }
}

#[async_trait]
impl SuspendCustomers for Reseller {
    async fn suspend_customer(&self, key: &str) -> Result<(), Error> {
        self.change(key, |customer| customer.status = Status::Suspended)
    }

    async fn resume_customer(&self, key: &str) -> Result<(), Error> {
        self.change(key, |customer| customer.status = Status::Active)
    }
}

#[async_trait]
impl EndCustomers for Reseller {
    async fn end_customer(&self, key: &str, end: CustomerEnd) -> Result<(), Error> {
        let end = ends_at(end)?;
        self.change(key, |customer| customer.expires_at = end)
    }

    fn check_end(&self, end: CustomerEnd) -> Result<(), Error> {
        ends_at(end).map(drop)
    }
}

fn ends_at(end: CustomerEnd) -> Result<Option<Timestamp>, Error> {
    match end {
        CustomerEnd::At(time) => Ok(Some(time)),
        CustomerEnd::Never => Ok(None),
        _ => Err(Error::invalid("end", "must be a time or never")),
    }
}

fn known(plan: &str) -> Result<(), Error> {
    match PLANS.iter().any(|known| known.id == plan) {
        true => Ok(()),
        false => Err(Error::invalid("plan", "must be small or large")),
    }
}
