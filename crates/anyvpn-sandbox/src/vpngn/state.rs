//! VPNGN's state: brands with their customers, products, aliases and tokens.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::answer::{Kind, Refusal};
use super::mail::{Mail, MailSubject};
use super::quirks::Quirks;
use super::time::{months_later, renewed, timestamp};
use super::tokens::Tokens;
use crate::Clock;
use crate::random::{HEXADECIMAL, LETTERS, Random};

/// The sandbox's own limits, far above what a test needs.
const MOST_BRANDS: usize = 100;
const MOST_PRODUCTS: usize = 1000;
const MOST_MAILS: usize = 10_000;

/// The state of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It can be used.
    Active,
    /// It was due and not renewed, or its account was closed.
    Terminated,
}

pub(super) struct Product {
    pub(super) id: u64,
    /// In months.
    pub(super) plan: u32,
    pub(super) status: Status,
    /// `None` means never, as for a test user.
    pub(super) due: Option<i64>,
    pub(super) renews: bool,
    pub(super) vpn_username: String,
    pub(super) vpn_password: String,
}

pub(super) struct Alias {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
}

#[derive(Default)]
pub(super) struct Customer {
    pub(super) email: String,
    pub(super) password: String,
    /// How often an account was created for the address.
    pub(super) created: u32,
    pub(super) closed: bool,
    /// When the account is closed, by a CancelRequest.
    pub(super) ends_at: Option<i64>,
    pub(super) changed_at: i64,
    /// Oldest first.
    pub(super) products: Vec<Product>,
    pub(super) aliases: Vec<Alias>,
    pub(super) short: Tokens,
    pub(super) long: Tokens,
}

impl Customer {
    /// Returns the newest active product.
    pub(super) fn active(&mut self) -> Option<&mut Product> {
        self.products.iter_mut().rfind(|product| product.status == Status::Active)
    }

    pub(super) fn alias(&mut self, email: &str) -> Option<&mut Alias> {
        self.aliases.iter_mut().find(|alias| key(&alias.email) == key(email))
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.ends_at = None;
        for product in &mut self.products {
            product.status = Status::Terminated;
        }
        self.aliases.clear();
    }

    /// Lets happen what was to happen until now.
    fn settle(&mut self, now: i64) {
        if self.ends_at.is_some_and(|end| end <= now) {
            self.close();
        }
        for product in &mut self.products {
            let Some(due) = product.due.filter(|due| *due <= now) else {
                continue;
            };
            match product.status {
                Status::Active if product.renews => {
                    product.due = Some(renewed(due, product.plan.into(), now));
                }
                Status::Active => {
                    product.status = Status::Terminated;
                    self.changed_at = due;
                }
                Status::Terminated => {}
            }
        }
    }
}

pub(super) struct Brand {
    pub(super) name: String,
    pub(super) api_key: String,
    pub(super) secret_key: String,
    pub(super) whitelisted: bool,
    /// When AddClient last created a customer for a caller to whom its limit applies.
    pub(super) added_at: Option<Timestamp>,
    /// The customers by [`key`], including closed ones.
    customers: BTreeMap<String, Customer>,
    /// The customers that have or had aliases, by [`key`]. A search for an alias reads only these.
    with_aliases: BTreeSet<String>,
    /// The newest emails, oldest first.
    pub(super) outbox: VecDeque<Mail>,
}

pub(crate) struct State {
    pub(super) quirks: Quirks,
    pub(super) random: Random,
    pub(super) clock: Clock,
    pub(super) max_customers: usize,
    pub(super) brands: Vec<Brand>,
    pub(super) next_product: u64,
    /// The second at which [`pass_time`](State::pass_time) was last run.
    pub(super) settled_at: Option<i64>,
}

/// Returns the key under which an e-mail address is stored.
pub(super) fn key(email: &str) -> String {
    email.to_lowercase()
}

impl State {
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// Lets happen what was to happen until now.
    pub(super) fn pass_time(&mut self) {
        let now = self.now();
        // All ends are whole seconds, and none is set that is over. So nothing more ends within a second, and many
        // customers do not slow down each request.
        if self.settled_at.replace(now) == Some(now) {
            return;
        }
        for customer in self.brands.iter_mut().flat_map(|brand| brand.customers.values_mut()) {
            customer.settle(now);
        }
    }

    /// Returns the index of the brand with this name, creating it if there is none; `None` if the limit
    /// is reached.
    pub(super) fn brand(&mut self, name: &str) -> Option<usize> {
        let known = self.brands.iter().position(|brand| brand.name == name);
        if known.is_some() || self.brands.len() >= MOST_BRANDS {
            return known;
        }
        self.brands.push(Brand {
            name: name.to_owned(),
            api_key: self.random.text(32, HEXADECIMAL),
            secret_key: self.random.text(40, LETTERS),
            whitelisted: false,
            added_at: None,
            customers: BTreeMap::new(),
            with_aliases: BTreeSet::new(),
            outbox: VecDeque::new(),
        });
        Some(self.brands.len() - 1)
    }

    /// Returns the customer, even if the account is closed.
    pub(super) fn known(&mut self, brand: usize, email: &str) -> Option<&mut Customer> {
        self.brands.get_mut(brand)?.customers.get_mut(&key(email))
    }

    /// Returns the customer, unless the account is closed.
    pub(super) fn customer(&mut self, brand: usize, email: &str) -> Result<&mut Customer, Refusal> {
        let open = self.known(brand, email).filter(|customer| !customer.closed);
        open.ok_or_else(|| Refusal::new(Kind::NoClient, "There is no client with this email."))
    }

    pub(super) fn open_customers(&self, brand: usize) -> impl Iterator<Item = &Customer> {
        let customers = self.brands.get(brand).into_iter().flat_map(|it| it.customers.values());
        customers.filter(|customer| !customer.closed)
    }

    /// Returns the address of the account that has the alias.
    pub(super) fn owner(&self, brand: usize, alias: &str) -> Option<String> {
        let alias = key(alias);
        let Brand { customers, with_aliases, .. } = self.brands.get(brand)?;
        let has = |owner: &&Customer| owner.aliases.iter().any(|it| key(&it.email) == alias);
        let mut owners = with_aliases.iter().filter_map(|owner| customers.get(owner));
        // A closed customer has no aliases.
        owners.find(has).map(|owner| owner.email.clone())
    }

    pub(super) fn add_alias(
        &mut self,
        brand: usize,
        email: &str,
        alias: Alias,
    ) -> Result<(), Refusal> {
        self.customer(brand, email)?.aliases.push(alias);
        self.brands[brand].with_aliases.insert(key(email));
        Ok(())
    }

    /// Returns whether the address belongs to a customer or an alias.
    pub(super) fn taken(&mut self, brand: usize, email: &str) -> bool {
        self.customer(brand, email).is_ok() || self.owner(brand, email).is_some()
    }

    /// Adds an account without products. It replaces a closed account with this address; the address
    /// must not be taken.
    pub(super) fn add_customer(
        &mut self,
        brand: usize,
        email: &str,
        password: &str,
    ) -> Result<&mut Customer, Refusal> {
        let now = self.now();
        let customers = &mut self.brands[brand].customers;
        let place = key(email);
        if customers.len() >= self.max_customers && !customers.contains_key(&place) {
            return Err(Refusal::full());
        }
        let customer = customers.entry(place).or_default();
        *customer = Customer {
            email: email.to_owned(),
            password: password.to_owned(),
            created: customer.created + 1,
            changed_at: now,
            ..Customer::default()
        };
        Ok(customer)
    }

    /// Adds an active product, which is due after its months or never.
    pub(super) fn add_product(
        &mut self,
        brand: usize,
        email: &str,
        plan: u32,
        renews: bool,
        is_due: bool,
    ) -> Result<(), Refusal> {
        let now = self.now();
        if self.customer(brand, email)?.products.len() >= MOST_PRODUCTS {
            return Err(Refusal::full());
        }
        let product = Product {
            id: self.next_product,
            plan,
            status: Status::Active,
            due: is_due.then(|| months_later(now, plan.into())),
            renews,
            vpn_username: format!("vpn{}", self.random.text(8, HEXADECIMAL)),
            vpn_password: self.random.text(16, LETTERS),
        };
        self.next_product += 1;
        let customer = self.customer(brand, email)?;
        customer.changed_at = now;
        customer.products.push(product);
        Ok(())
    }

    pub(super) fn strong_password(&mut self) -> String {
        // The end has a character of each category.
        format!("{}_A7z", self.random.text(12, LETTERS))
    }

    pub(super) fn send_mail(&mut self, brand: usize, to: &str, subject: MailSubject) {
        let sent_at = timestamp(self.now());
        let outbox = &mut self.brands[brand].outbox;
        outbox.push_back(Mail { to: to.to_owned(), subject, sent_at });
        if outbox.len() > MOST_MAILS {
            outbox.pop_front();
        }
    }
}
