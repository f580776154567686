//! What a reseller knows about its customers, and VPNGN's rules for changing them.

use std::collections::BTreeMap;

use anyvpn_core::ErrorKind::{self, AlreadyExists, InvalidRequest, NotFound, Refused};
use anyvpn_sandbox::vpngn::{ErrorStatus, Quirks};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub const DAY: i64 = 86_400;

#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub id: String,
    pub months: i64,
    pub active: bool,
    /// `None` means never.
    pub due: Option<i64>,
    pub renews: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    pub password: String,
    /// The number of accounts that were created for the address.
    pub created: u32,
    pub closed: bool,
    pub ends_at: Option<i64>,
    pub products: Vec<Product>,
    pub aliases: Vec<String>,
}

/// The customers by address.
#[derive(Clone, Debug, Default)]
pub struct Customers(pub BTreeMap<&'static str, Customer>);

impl Customers {
    /// Performs everything that was due until now.
    pub fn settle(&mut self, now: i64) {
        for customer in self.0.values_mut() {
            if customer.ends_at.is_some_and(|end| end <= now) {
                customer.close();
            }
            for product in customer.products.iter_mut().filter(|it| it.active) {
                let Some(due) = product.due.filter(|due| *due <= now) else { continue };
                if product.renews {
                    let mut dues = (1..).map(|times| later(due, times * product.months));
                    product.due = dues.find(|due| now < *due);
                } else {
                    product.active = false;
                }
            }
        }
    }

    /// Returns the customer, unless the account is closed.
    pub fn open(&mut self, email: &str) -> Option<&mut Customer> {
        self.0.get_mut(email).filter(|it| !it.closed)
    }

    pub fn create(&mut self, email: &'static str, password: &str, product: Product) {
        let created = self.0.get(email).map_or(0, |before| before.created) + 1;
        let customer = Customer {
            password: password.to_owned(),
            created,
            closed: false,
            ends_at: None,
            products: vec![product],
            aliases: Vec::new(),
        };
        self.0.insert(email, customer);
    }

    /// Returns whether an address belongs to a customer or an alias.
    pub fn taken(&self, email: &str) -> bool {
        let open = || self.0.iter().filter(|(_, customer)| !customer.closed);
        open().any(|(name, it)| *name == email || it.aliases.iter().any(|alias| alias == email))
    }
}

impl Customer {
    pub fn close(&mut self) {
        self.closed = true;
        self.ends_at = None;
        self.aliases.clear();
        for product in &mut self.products {
            product.active = false;
        }
    }

    /// Returns the newest active product.
    pub fn active(&mut self) -> Option<&mut Product> {
        self.products.iter_mut().rfind(|it| it.active)
    }

    /// Returns when a long token that is created now will expire.
    pub fn long_token_ends(&mut self, now: i64) -> i64 {
        self.active().and_then(|it| it.due).unwrap_or(now + 30 * DAY)
    }
}

impl Product {
    /// Changes the plan of an active product from now on.
    pub fn change(&mut self, months: i64, renews: bool, now: i64) {
        (self.months, self.renews) = (months, renews);
        self.due = self.due.map(|_| later(now, months));
    }
}

/// Returns the start of the day this many months later.
pub fn later(second: i64, months: i64) -> i64 {
    let day = Timestamp::from_second(second).unwrap().to_zoned_datetime(TimeZone::UTC).date()
        + months.months();
    day.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp().as_second()
}

/// Returns the kind of an error with this message and the right status, if the provider has one.
fn kind(quirks: &Quirks, exact: ErrorKind) -> ErrorKind {
    if quirks.error_status == ErrorStatus::Exact { exact } else { Refused }
}

pub fn unknown(quirks: &Quirks) -> ErrorKind {
    kind(quirks, NotFound)
}

pub fn exists(quirks: &Quirks) -> ErrorKind {
    kind(quirks, if quirks.exists == 409 { AlreadyExists } else { InvalidRequest })
}
