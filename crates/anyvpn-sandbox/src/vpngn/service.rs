//! VPNGN's interface for the server and for tests.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::admit;
use super::answer::{Refusal, server_error};
use super::input::{PLANS, form};
use super::mail::Mail;
use super::quirks::{Quirks, VARIATIONS};
use super::routes::{ROUTES, Work};
use super::state::{self, Brand, State, Status};
use super::time::timestamp;
use crate::Sandbox;
use crate::provider::{self, Action, Answer, Call, Login, Route, Settings, Shared};
use crate::random::Random;
use crate::reply::Reply;
use crate::variation::Row;

/// The first brand, which always exists.
const BRAND: &str = "brand";

/// A customer to test with. It has no `Debug`, so that no test prints a token by accident.
#[derive(Clone)]
#[non_exhaustive]
pub struct Account {
    /// The address under which it was added.
    pub email: String,
    /// The short token, valid for 12 hours.
    pub short_token: String,
    /// The long token, valid until the product is due, or for 30 days.
    pub long_token: String,
    /// The active product, if there is one.
    pub product_id: Option<String>,
}

/// The state of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Customer {
    /// The address as it was first sent.
    pub email: String,
    /// Whether the account was closed, or cancelled and has ended.
    pub closed: bool,
    /// When the account ends by a CancelRequest.
    pub ends_at: Option<Timestamp>,
    /// Oldest first.
    pub products: Vec<Product>,
    /// The aliases' addresses, oldest first.
    pub aliases: Vec<String>,
}

/// A product of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Product {
    /// The id that GetProducts returns.
    pub id: String,
    /// In months: 1, 6, 12, 24 or 36.
    pub plan: u32,
    /// Its state.
    pub status: Status,
    /// When it ends or is renewed; `None` for a test user's product, which does neither.
    pub due_at: Option<Timestamp>,
    /// Whether it is renewed when it is due.
    pub renews: bool,
}

/// A handle to one brand of a sandbox's VPNGN.
#[derive(Clone)]
pub struct Service {
    state: Shared<State>,
    brand: usize,
}

impl Sandbox {
    /// Returns the URL that replaces `https://BRAND.vpngn.com`. Clients append `/api/amapi/…`.
    #[must_use]
    pub fn vpngn_url(&self) -> String {
        self.provider_url("vpngn")
    }

    /// Returns a handle to the imitated VPNGN.
    #[must_use]
    pub fn vpngn(&self) -> &Service {
        self.service()
    }
}

impl From<Shared<State>> for Service {
    fn from(state: Shared<State>) -> Service {
        // The first brand always exists.
        Service { state, brand: 0 }
    }
}

impl Service {
    /// Returns the brand with this name, creating it if there is none. Each brand has its own keys,
    /// customers and outbox, at the same address. The first is named `brand`.
    ///
    /// # Panics
    ///
    /// If the sandbox already has 100 brands.
    #[must_use]
    pub fn brand(&self, name: &str) -> Service {
        let brand = self.state.lock().brand(name).expect("the sandbox already has 100 brands");
        Service { state: self.state.clone(), brand }
    }

    /// Returns the brand's API key.
    #[must_use]
    pub fn api_key(&self) -> String {
        self.state.lock().brands[self.brand].api_key.clone()
    }

    /// Returns the brand's secret key.
    #[must_use]
    pub fn secret_key(&self) -> String {
        self.state.lock().brands[self.brand].secret_key.clone()
    }

    /// Sets whether the brand's callers count as white-listed. Default: false.
    pub fn whitelist(&self, whitelisted: bool) {
        self.state.lock().brands[self.brand].whitelisted = whitelisted;
    }

    /// Adds a customer with new tokens and, unless `product` is `None`, an active product of that many
    /// months, which renews. If the customer exists, sets the password and adds the tokens and the
    /// product.
    ///
    /// # Panics
    ///
    /// If the product type is not 1, 6, 12, 24 or 36, if the brand has as many customers as it may have
    /// ([`SandboxBuilder::vpngn_max_customers`](crate::SandboxBuilder::vpngn_max_customers)), or if the
    /// customer already has 1000 products.
    pub fn add_customer(&self, email: &str, password: &str, product: Option<u32>) -> Account {
        assert!(
            product.is_none_or(|plan| PLANS.contains(&plan)),
            "the product type must be 1, 6, 12, 24 or 36"
        );
        let added = self.try_add(email, password, product);
        added.unwrap_or_else(|_| {
            panic!(
                "the sandbox has no room for another customer, or the customer has 1000 products"
            )
        })
    }

    fn try_add(
        &self,
        email: &str,
        password: &str,
        product: Option<u32>,
    ) -> Result<Account, Refusal> {
        let mut state = self.state.lock();
        match state.customer(self.brand, email) {
            Ok(customer) => password.clone_into(&mut customer.password),
            Err(_) => {
                state.add_customer(self.brand, email, password)?;
            }
        }
        if let Some(plan) = product {
            state.add_product(self.brand, email, plan, true, true)?;
        }
        let tokens = state.issue(self.brand, email)?;
        let product = state.customer(self.brand, email)?.active();
        Ok(Account {
            email: email.to_owned(),
            short_token: tokens.short_token,
            long_token: tokens.long_token,
            product_id: product.map(|product| product.id.to_string()),
        })
    }

    /// Returns how many customers the brand has, excluding closed accounts.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.state.lock().open_customers(self.brand).count()
    }

    /// Returns the state of a customer, closed or not.
    #[must_use]
    pub fn customer(&self, email: &str) -> Option<Customer> {
        let mut state = self.state.lock();
        let customer = state.known(self.brand, email)?;
        let product = |product: &state::Product| Product {
            id: product.id.to_string(),
            plan: product.plan,
            status: product.status,
            due_at: product.due.map(timestamp),
            renews: product.renews,
        };
        Some(Customer {
            email: customer.email.clone(),
            closed: customer.closed,
            ends_at: customer.ends_at.map(timestamp),
            products: customer.products.iter().map(product).collect(),
            aliases: customer.aliases.iter().map(|alias| alias.email.clone()).collect(),
        })
    }

    /// Returns how often an account was created for the address. More than once is correct only if it
    /// was closed in between.
    #[must_use]
    pub fn created(&self, email: &str) -> u32 {
        self.state.lock().known(self.brand, email).map_or(0, |customer| customer.created)
    }

    /// Returns the newest 10,000 e-mails of the brand, oldest first.
    #[must_use]
    pub fn outbox(&self) -> Vec<Mail> {
        self.state.lock().brands[self.brand].outbox.iter().cloned().collect()
    }

    /// Returns the choices of this sandbox.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state.lock().quirks.clone()
    }
}

impl provider::State for State {
    type Work = Work;
    type Quirks = Quirks;
    type Service = Service;

    const NAME: &'static str = "vpngn";
    const ROUTES: &'static [Route<Work>] = ROUTES;
    const VARIATIONS: &'static [Row<Quirks>] = VARIATIONS;
    const ACTIONS: &'static [Action<State>] = &[
        Action { name: "keys", act: keys },
        Action { name: "whitelist", act: whitelist },
        Action { name: "outbox", act: outbox },
    ];
    const DEMO: &'static str = include_str!("demo.txt");

    fn new(settings: &Settings, quirks: Quirks) -> State {
        let mut random = Random::new(settings.seed, 6);
        let next_product = 10_000 + u64::from(random.below(80_000));
        let clock = settings.clock.clone();
        let max_customers = settings.vpngn_max_customers;
        let (brands, settled_at) = (Vec::new(), None);
        let mut state =
            State { quirks, random, clock, max_customers, brands, next_product, settled_at };
        state.brand(BRAND);
        state
    }

    fn add_login(service: &Service, name: &str, password: &str) -> Login {
        let email = format!("{name}@mail.example");
        service.add_customer(&email, password, Some(12));
        let (api_key, secret_key) = (service.api_key(), service.secret_key());
        Login {
            username: email,
            credentials: vec![("api_key", api_key), ("secret_key", secret_key)],
        }
    }

    fn settle(&mut self) {
        self.pass_time();
    }

    fn answer(&mut self, (access, work): Work, call: &Call) -> Result<Answer, Reply> {
        let answer = form(call).and_then(|mut fields| {
            let caller = admit(self, access, call, &mut fields)?;
            work(self, &caller, fields)
        });
        answer.map(Answer::Now).map_err(|refusal| refusal.into_reply(&self.quirks))
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        server_error(status, message, &self.quirks)
    }
}

/// Returns the brand that the input of an action names, creating it if there is none.
fn named<'a>(state: &'a mut State, input: &Value) -> Result<&'a mut Brand, String> {
    let brand = state.brand(input["brand"].as_str().unwrap_or(BRAND));
    Ok(&mut state.brands[brand.ok_or("the sandbox already has 100 brands")?])
}

fn keys(state: &mut State, input: &Value) -> Result<Value, String> {
    let brand = named(state, input)?;
    Ok(json!({ "api_key": brand.api_key, "secret_key": brand.secret_key }))
}

fn whitelist(state: &mut State, input: &Value) -> Result<Value, String> {
    let whitelisted = input["whitelisted"].as_bool();
    let whitelisted = whitelisted.ok_or("\"whitelisted\" is missing, or is not true or false")?;
    named(state, input)?.whitelisted = whitelisted;
    Ok(json!({ "whitelisted": whitelisted }))
}

fn outbox(state: &mut State, input: &Value) -> Result<Value, String> {
    let mail = |mail: &Mail| json!({ "to": mail.to, "subject": mail.subject.name(), "sent_at": mail.sent_at });
    Ok(named(state, input)?.outbox.iter().map(mail).collect())
}
