//! The contract of [`anyvpn_core`]'s traits, as checks that every provider's tests run.
//!
//! A check that does not apply to a provider is skipped with a reason. It never passes silently.

mod accounts;
mod configs;
mod customers;
mod description;
mod ports;

use std::fmt;
use std::time::Duration;

use anyvpn_core::{
    Ability, Accounts, Capability, Customers, ErrorKind, Lease, NewAccount, NewCustomer,
    PortForwards, Provider, Secret, Settings,
};

use self::accounts::{
    account, account_create, close_account, dropped, sign_in_fields, signed_in, signed_out,
    unauthorized,
};
use self::configs::{
    config_unknown, config_unknown_id, servers, wireguard_life, wireguard_odd, wireguard_reuse,
    wireguard_rotate,
};
use self::ports::{
    port_check, port_hidden, port_life, port_lifetime, port_renewal, port_unknown,
    ports_begin_empty,
};

/// A provider to check, and what the checks need.
#[non_exhaustive]
pub struct Subject {
    /// The provider, signed in to an account that the checks may change in any way and close at the
    /// end. The account has room for three more devices and three more ports.
    pub signed_in: Box<dyn Provider>,
    /// The same provider without a credential.
    pub anonymous: Box<dyn Provider>,
    /// The account's password, to close it with.
    pub password: Secret,
    /// An account to create, which does not exist yet; `None` if the provider creates none.
    pub new_account: Option<NewAccount>,
    /// A customer to create, who does not exist yet; `None` if the provider has no customers.
    pub new_customer: Option<NewCustomer>,
    /// The settings with which the account signs in; `None` to skip these checks.
    pub sign_in: Option<Settings>,
    /// The key of another reseller's customer; `None` if resellers do not share keys.
    pub taken_customer: Option<String>,
    /// Makes the provider create the next customer but lose the answer.
    pub lose_creation: Option<Box<dyn Fn() + Send + Sync>>,
    /// Advances the provider's clock, by which leases expire.
    pub advance: Option<Box<dyn Fn(Duration) + Send + Sync>>,
}

impl Subject {
    /// Creates a subject whose provider neither creates nor closes accounts.
    #[must_use]
    pub fn new(signed_in: impl Provider + 'static, anonymous: impl Provider + 'static) -> Self {
        Self {
            signed_in: Box::new(signed_in),
            anonymous: Box::new(anonymous),
            password: Secret::from(""),
            new_account: None,
            new_customer: None,
            sign_in: None,
            taken_customer: None,
            lose_creation: None,
            advance: None,
        }
    }
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider keeps the contract.
    Pass,
    /// The check does not apply, for this reason.
    Skip(String),
    /// The provider breaks the contract, in this way.
    Fail(String),
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Pass
    }
}

/// The name and outcome of each check.
#[derive(Clone, Debug, Default)]
pub struct Report(pub Vec<(&'static str, Outcome)>);

impl Report {
    /// Returns the failed checks, each as its name and reason.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let failed = self.0.iter().filter_map(|(name, outcome)| match outcome {
            Outcome::Fail(why) => Some(format!("{name}: {why}")),
            Outcome::Pass | Outcome::Skip(_) => None,
        });
        failed.collect()
    }

    fn add(&mut self, name: &'static str, result: Result<impl Into<Outcome>, String>) {
        self.0.push((name, result.map_or_else(Outcome::Fail, Into::into)));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.0 {
            match outcome {
                Outcome::Pass => writeln!(f, "pass  {name}")?,
                Outcome::Skip(why) => writeln!(f, "skip  {name}: {why}")?,
                Outcome::Fail(why) => writeln!(f, "FAIL  {name}: {why}")?,
            }
        }
        Ok(())
    }
}

type Check = Result<(), String>;

/// Fails the check with a formatted reason unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}
use ensure;

/// Runs every check that applies.
pub async fn run(subject: &Subject) -> Report {
    let mut report = Report::default();
    let provider = &*subject.signed_in;
    report.add("capabilities agree with accessors", capabilities(provider));
    report.add("capabilities name each ability once", description::abilities(provider.info()));
    report.add("settings have distinct keys", description::settings(provider.info()));
    match (provider.accounts(), subject.anonymous.accounts()) {
        (Some(accounts), Some(anonymous)) => {
            report.add("account is read", account(accounts).await);
            report.add("account without a credential is refused", unauthorized(anonymous).await);
            report.add("a dropped call leaves the provider usable", dropped(accounts).await);
        }
        _ => report.skip("accounts", provider, Ability::Accounts),
    }
    match provider.port_forwards().and_then(|ports| Some((ports, ports.port_list()?))) {
        Some((ports, list)) if ports.lease() == Lease::Fixed => {
            report.add("no ports are listed at first", ports_begin_empty(ports, list).await);
            report.add("port: create, list, delete", port_life(ports, list).await);
            report.add("port: a hidden port is not listed", port_hidden(ports, list).await);
            report.add("port: an unknown port is not found", port_unknown(ports).await);
            report.add("port: half a day is refused", port_lifetime(ports, list).await);
            report.add("port: a fixed lease cannot be renewed", port_renewal(ports, list).await);
        }
        Some(_) => report.skip_because("port forwards", "the lease is renewed, not fixed"),
        None => report.skip("port forwards", provider, Ability::ListPortForwards),
    }
    match (provider.port_forwards().map(|ports| (ports, ports.lease())), &subject.advance) {
        (Some((ports, Lease::KeptAlive { every })), Some(advance)) => {
            let life = ports::kept_alive(ports, every, advance).await;
            report.add("port: stays open while it is renewed", life);
            let gap = ports::run_out(ports, every, advance).await;
            report.add("port: expires, and is found or created again", gap);
            report.add("port: carries the requested protocols", ports::protocols(ports).await);
            match ports.port_list() {
                Some(list) => {
                    let listed = ports::own_list(ports, list, every, advance).await;
                    report.add("port: own forwards are listed", listed);
                }
                None => report.skip("port: listed", provider, Ability::ListPortForwards),
            }
        }
        (Some((_, Lease::Fixed)), _) => {
            report.skip_because("port: kept alive", "the lease is fixed")
        }
        _ => report.skip("port: kept alive", provider, Ability::PortForwards),
    }
    match provider.port_forwards().and_then(PortForwards::port_check) {
        Some(check) => report.add("port: a closed port is not an error", port_check(check).await),
        None => report.skip("port check", provider, Ability::CheckPort),
    }
    match provider.server_configs() {
        Some(configs) => {
            report.add("servers have distinct ids", servers(configs).await);
            report.add("config: unknown server leaves nothing", config_unknown(configs).await);
            report.add("config: unknown id is not found", config_unknown_id(configs).await);
            if provider.info().capabilities.can(Ability::WireGuard) {
                report.add("wireguard: odd options leave nothing", wireguard_odd(configs).await);
                report.add("wireguard: obtain, list, revoke", wireguard_life(configs).await);
                report.add("wireguard: a known key keeps its id", wireguard_reuse(configs).await);
                report.add("wireguard: rotate has the new key", wireguard_rotate(configs).await);
            } else {
                report.skip("wireguard", provider, Ability::WireGuard);
            }
        }
        None => report.skip("server configs", provider, Ability::ServerConfigs),
    }
    match (provider.customers(), &subject.new_customer) {
        (Some(customers), Some(new)) => {
            let created = customers::created_once(customers, new).await;
            report.add("customer: created only once", created);
            report.add("customer: password can be set", customers::password(customers, new).await);
            match customers.customer_list() {
                Some(list) => report.add("customer: listed", customers::listed(list, new).await),
                None => report.skip("customer: listed", provider, Ability::ListCustomers),
            }
            match customers.plan_change() {
                Some(change) => {
                    let changed = customers::plan(customers, change, new).await;
                    report.add("customer: plan can be changed", changed);
                }
                None => report.skip("customer: plan", provider, Ability::ChangePlan),
            }
            match customers.customer_suspension() {
                Some(suspend) => {
                    let suspended = customers::suspension(customers, suspend, new).await;
                    report.add("customer: can be suspended and resumed", suspended);
                }
                None => report.skip("customer: suspension", provider, Ability::SuspendCustomers),
            }
            match customers.customer_end() {
                Some(end) => report.add("customer: end", customers::end(customers, end, new).await),
                None => report.skip("customer: end", provider, Ability::EndCustomers),
            }
            report.add("customer: can be closed", customers::closed(customers, new).await);
            report.add(
                "customer: an unknown customer is an error",
                customers::unknown(customers, new).await,
            );
            match &subject.taken_customer {
                Some(key) => {
                    let refused = customers::taken(customers, new, key).await;
                    report.add("customer: another reseller's name is refused", refused);
                }
                None => report.skip_because(
                    "customer: another reseller's name is refused",
                    "the test has no name of another reseller's customer",
                ),
            }
            match &subject.lose_creation {
                Some(lose) => {
                    let found = customers::found_after_doubt(customers, new, lose).await;
                    report.add("customer: found after a lost answer", found);
                }
                None => report.skip_because(
                    "customer: found after a lost answer",
                    "the test cannot lose an answer",
                ),
            }
        }
        _ => report.skip("customers", provider, Ability::Customers),
    }
    match (provider.sign_in(), &subject.sign_in) {
        (Some(sign_in), Some(fields)) => {
            report.add("sign-in: missing fields are named", sign_in_fields(sign_in).await);
            report.add("sign-in: creates a credential", signed_in(sign_in, fields).await);
            match provider.sign_out() {
                Some(sign_out) => {
                    let ended = signed_out(sign_in, sign_out, fields).await;
                    report.add("sign-out: revokes the credential, and can be repeated", ended);
                }
                None => report.skip("sign out", provider, Ability::SignOut),
            }
        }
        _ => {
            report.skip("sign in", provider, Ability::SignIn);
            report.skip("sign out", provider, Ability::SignOut);
        }
    }
    match (subject.anonymous.sign_up(), &subject.new_account) {
        (Some(sign_up), Some(new)) => {
            report.add("account: created only once", account_create(sign_up, new).await);
        }
        _ => report.skip("sign up", provider, Ability::SignUp),
    }
    match provider.accounts().and_then(|accounts| {
        Some((accounts, accounts.password_change()?, accounts.account_closing()?))
    }) {
        Some((accounts, change, close)) => {
            let closed = close_account(accounts, change, close, &subject.password).await;
            report.add("account: closing is permanent", closed);
        }
        None => report.skip("closing the account", provider, Ability::CloseAccount),
    }
    report
}

impl Report {
    fn skip(&mut self, name: &'static str, provider: &dyn Provider, ability: Ability) {
        let why = match provider.info().capabilities.of(ability) {
            Capability::Can => "the test provides no input for it".to_owned(),
            capability => capability.to_string(),
        };
        self.skip_because(name, &why);
    }

    fn skip_because(&mut self, name: &'static str, why: &str) {
        self.0.push((name, Outcome::Skip(why.to_owned())));
    }
}

fn capabilities(provider: &dyn Provider) -> Check {
    let capabilities = provider.info().capabilities;
    let (accounts, customers) = (provider.accounts(), provider.customers());
    let ports = provider.port_forwards();
    let pairs = [
        (Ability::SignIn, provider.sign_in().is_some()),
        (Ability::SignOut, provider.sign_out().is_some()),
        (Ability::SignUp, provider.sign_up().is_some()),
        (Ability::Accounts, accounts.is_some()),
        (Ability::ChangePassword, accounts.and_then(Accounts::password_change).is_some()),
        (Ability::CloseAccount, accounts.and_then(Accounts::account_closing).is_some()),
        (Ability::Customers, customers.is_some()),
        (Ability::ListCustomers, customers.and_then(Customers::customer_list).is_some()),
        (Ability::ChangePlan, customers.and_then(Customers::plan_change).is_some()),
        (Ability::SuspendCustomers, customers.and_then(Customers::customer_suspension).is_some()),
        (Ability::EndCustomers, customers.and_then(Customers::customer_end).is_some()),
        (Ability::PortForwards, ports.is_some()),
        (Ability::ListPortForwards, ports.and_then(PortForwards::port_list).is_some()),
        (Ability::CheckPort, ports.and_then(PortForwards::port_check).is_some()),
        (Ability::ServerConfigs, provider.server_configs().is_some()),
    ];
    for (ability, present) in pairs {
        let capability = capabilities.of(ability);
        ensure!(
            capabilities.can(ability) == present,
            "{ability}: declared as {capability}, but the accessor says {present}"
        );
    }
    for (ability, capability) in capabilities.all() {
        if let Capability::Cannot { why, link } = capability {
            ensure!(!why.is_empty(), "{ability}: the reason is empty");
            ensure!(link.starts_with("https://"), "{ability}: the reason has no https link");
        }
    }
    Ok(())
}

fn text(error: anyvpn_core::Error) -> String {
    error.to_string()
}

/// Turns an unexpected success into a failed check.
trait ExpectError {
    fn expect_err_text(self) -> Result<anyvpn_core::Error, String>;
}

impl ExpectError for Result<(), anyvpn_core::Error> {
    fn expect_err_text(self) -> Result<anyvpn_core::Error, String> {
        self.err().ok_or_else(|| "it succeeded, but must fail".to_owned())
    }
}

fn expect<T>(result: Result<T, anyvpn_core::Error>, kind: ErrorKind) -> Check {
    let error = result.map(drop).expect_err_text()?;
    ensure!(error.kind() == kind, "expected {}, got {error}", kind.name());
    Ok(())
}
