//! The contract of [`anyvpn_core`]'s traits, as checks that every provider's tests run.
//!
//! A check that does not apply to a provider is a skip with its reason, never a silent pass.

use std::fmt;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::task::Poll;

use anyvpn_core::{
    Ability, Accounts, Capability, ChangePassword, CheckPort, CloseAccount, Config, ConfigRequest,
    Customers, ErrorKind, Lease, ListPortForwards, NewAccount, NewPortForward, PortForward,
    PortForwards, PrivateKey, Protocol, Provider, Secret, ServerConfigs, Settings, SignIn, SignUp,
};
use futures_util::{FutureExt, StreamExt, TryStreamExt};

/// A provider to be checked.
pub struct Subject {
    /// Signed in to an account that may be changed in any way, and is closed at the end. It has
    /// room for three more devices and three more ports.
    pub signed_in: Box<dyn Provider>,
    /// The same without any credential.
    pub anonymous: Box<dyn Provider>,
    /// The account's password, for closing it.
    pub password: Secret,
    /// An account that does not exist yet, for creating it; absent where nobody signs up.
    pub new_account: Option<NewAccount>,
    /// What the signed-in account signs in with; absent where the test has nothing to sign in with.
    pub sign_in: Option<Settings>,
}

impl Subject {
    /// A provider that neither creates nor closes accounts.
    #[must_use]
    pub fn new(signed_in: impl Provider + 'static, anonymous: impl Provider + 'static) -> Self {
        Self {
            signed_in: Box::new(signed_in),
            anonymous: Box::new(anonymous),
            password: Secret::from(""),
            new_account: None,
            sign_in: None,
        }
    }
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The contract is kept.
    Pass,
    /// The check does not apply, and why.
    Skip(String),
    /// The contract is broken, and how.
    Fail(String),
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Pass
    }
}

/// The outcome of each check, by its name.
#[derive(Clone, Debug, Default)]
pub struct Report(pub Vec<(&'static str, Outcome)>);

impl Report {
    /// The checks that failed.
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

/// Fails a check with a formatted reason unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}

/// Runs every check that applies.
pub async fn run(subject: &Subject) -> Report {
    let mut report = Report::default();
    let provider = &*subject.signed_in;
    report.add("capabilities agree with accessors", capabilities(provider));
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
            report.add("ports begin empty", ports_begin_empty(ports, list).await);
            report.add("port: create, list, delete", port_life(ports, list).await);
            report.add("port: hidden is not listed", port_hidden(ports, list).await);
            report.add("port: unknown is not found", port_unknown(ports).await);
            report.add("port: half a day is refused", port_lifetime(ports, list).await);
            report.add("port: a fixed lease is not renewed", port_renewal(ports, list).await);
        }
        _ => report.skip("port forwards", provider, Ability::ListPortForwards),
    }
    match provider.port_forwards().and_then(PortForwards::port_check) {
        Some(check) => report.add("port: closed is an answer", port_check(check).await),
        None => report.skip("port check", provider, Ability::CheckPort),
    }
    match provider.server_configs() {
        Some(configs) => {
            report.add("servers have distinct ids", servers(configs).await);
            report.add("config: unknown server leaves nothing", config_unknown(configs).await);
            report.add("config: unknown id is not found", config_unknown_id(configs).await);
            if provider.info().capabilities.can(Ability::WireGuard) {
                report.add("wireguard: obtain, list, revoke", wireguard_life(configs).await);
                report.add("wireguard: a known key keeps its id", wireguard_reuse(configs).await);
                report.add("wireguard: rotate has the new key", wireguard_rotate(configs).await);
            } else {
                report.skip("wireguard", provider, Ability::WireGuard);
            }
        }
        None => report.skip("server configs", provider, Ability::ServerConfigs),
    }
    match (provider.sign_in(), &subject.sign_in) {
        (Some(sign_in), Some(fields)) => {
            report.add("sign-in: fields are asked for", sign_in_fields(sign_in).await);
            report.add("sign-in: makes a credential", signed_in(sign_in, fields).await);
        }
        _ => report.skip("sign in", provider, Ability::SignIn),
    }
    match (subject.anonymous.sign_up(), &subject.new_account) {
        (Some(sign_up), Some(new)) => {
            report.add("account: create, not twice", account_create(sign_up, new).await);
        }
        _ => report.skip("sign up", provider, Ability::SignUp),
    }
    match provider.accounts().and_then(|accounts| {
        Some((accounts, accounts.password_change()?, accounts.account_closing()?))
    }) {
        Some((accounts, change, close)) => {
            let closed = close_account(accounts, change, close, &subject.password).await;
            report.add("account: close is for good", closed);
        }
        None => report.skip("closing the account", provider, Ability::CloseAccount),
    }
    report
}

impl Report {
    fn skip(&mut self, name: &'static str, provider: &dyn Provider, ability: Ability) {
        let why = match provider.info().capabilities.of(ability) {
            Capability::Can => "the test has no input for it".to_owned(),
            capability => capability.to_string(),
        };
        self.0.push((name, Outcome::Skip(why)));
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
        ensure!(capabilities.can(ability) == present, "{ability}: {capability}, yet {present}");
    }
    for (ability, capability) in capabilities.all() {
        if let Capability::Cannot { why, link } = capability {
            ensure!(!why.is_empty(), "{ability}: no reason");
            ensure!(link.starts_with("https://"), "{ability}: no link to the reason");
        }
    }
    Ok(())
}

async fn account(accounts: &dyn Accounts) -> Check {
    let first = accounts.account().await.map_err(text)?;
    ensure!(!first.login.is_empty(), "the login is empty");
    let second = accounts.account().await.map_err(text)?;
    ensure!(first == second, "two reads differ: {first:?} and {second:?}");
    Ok(())
}

async fn unauthorized(anonymous: &dyn Accounts) -> Check {
    expect(anonymous.account().await, ErrorKind::Unauthorized)
}

/// Drops a call after each of its first polls, then makes one that must succeed.
async fn dropped(accounts: &dyn Accounts) -> Check {
    for polls in 1..4 {
        let mut call = accounts.account();
        for _ in 0..polls {
            if poll_fn(|context| Poll::Ready(call.poll_unpin(context).is_ready())).await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    accounts.account().await.map(drop).map_err(text)
}

async fn device(ports: &dyn PortForwards) -> Result<Ipv4Addr, String> {
    let addresses = ports.tunnel_addresses().await.map_err(text)?.unwrap_or_default();
    addresses.first().copied().ok_or_else(|| "the account has no device".to_owned())
}

async fn listed(
    ports: &dyn PortForwards,
    list: &dyn ListPortForwards,
) -> Result<Vec<PortForward>, String> {
    list.list_port_forwards(device(ports).await?).await.map_err(text)
}

async fn ports_begin_empty(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let list = listed(ports, list).await?;
    ensure!(list.is_empty(), "there are ports: {list:?}");
    Ok(())
}

async fn port_life(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create_port_forward(NewPortForward::to(device)).await.map_err(text)?;
    ensure!(made.device == Some(device) && !made.hidden, "another port was made: {made:?}");
    let shown = listed(ports, list).await?;
    ensure!(shown == [made.clone()], "made {made:?}, listed {shown:?}");
    ports.delete_port_forward(&made).await.map_err(text)?;
    let shown = listed(ports, list).await?;
    ensure!(shown.is_empty(), "deleted, yet listed: {shown:?}");
    Ok(())
}

async fn port_hidden(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let mut new = NewPortForward::to(device(ports).await?);
    new.hidden = true;
    let hidden = ports.create_port_forward(new).await.map_err(text)?;
    ensure!(hidden.hidden, "the answer says not hidden");
    let shown = listed(ports, list).await?;
    ensure!(shown.is_empty(), "hidden, yet listed: {shown:?}");
    ports.delete_port_forward(&hidden).await.map_err(text)
}

async fn port_unknown(ports: &dyn PortForwards) -> Check {
    let mut unknown = PortForward::new(1);
    unknown.device = Some(device(ports).await?);
    expect(ports.delete_port_forward(&unknown).await, ErrorKind::NotFound)
}

async fn port_lifetime(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    for hours in [0, 12, 36] {
        let mut port = NewPortForward::to(device);
        port.lifetime = Some(std::time::Duration::from_secs(hours * 3600));
        expect(ports.create_port_forward(port).await, ErrorKind::InvalidRequest)?;
    }
    ports_begin_empty(ports, list).await
}

/// A fixed lease cannot be renewed, and says so before anything is sent.
async fn port_renewal(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create_port_forward(NewPortForward::to(device)).await.map_err(text)?;
    expect(ports.renew_port_forward(&made).await, ErrorKind::InvalidRequest)?;
    let shown = listed(ports, list).await?;
    ensure!(shown == [made.clone()], "the port is another one now: {shown:?}");
    ports.delete_port_forward(&made).await.map_err(text)
}

async fn port_check(check: &dyn CheckPort) -> Check {
    // Port 1 (tcpmux) is served by nobody who runs tests.
    let check = check.check_port(1).await.map_err(text)?;
    ensure!(check.port == 1 && !check.open, "nothing listens on port 1, yet {check:?}");
    Ok(())
}

async fn servers(configs: &dyn ServerConfigs) -> Check {
    let servers: Vec<_> = configs.servers().try_collect().await.map_err(text)?;
    ensure!(!servers.is_empty(), "there are none");
    let mut ids: Vec<_> = servers.iter().map(|server| server.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == servers.len(), "{} servers have {} ids", servers.len(), ids.len());
    ensure!(servers.iter().all(|server| !server.protocols.is_empty()), "one has no protocol");
    Ok(())
}

async fn config_unknown(configs: &dyn ServerConfigs) -> Check {
    let before = configs.list_configs().await.map_err(text)?;
    let request = ConfigRequest::wireguard("0-no-such-server");
    let error = configs.obtain_config(&request).await.map(drop).expect_err_text()?;
    ensure!(
        matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidRequest),
        "an unknown server gave {error}"
    );
    let after = configs.list_configs().await.map_err(text)?;
    ensure!(before == after, "it left something behind: {after:?}");
    Ok(())
}

async fn config_unknown_id(configs: &dyn ServerConfigs) -> Check {
    expect(configs.revoke_config("nosuchid").await, ErrorKind::NotFound)
}

/// A server that can be used with WireGuard.
async fn wireguard_server(configs: &dyn ServerConfigs) -> Result<String, String> {
    let mut servers = configs.servers();
    while let Some(server) = servers.next().await {
        let server = server.map_err(text)?;
        let room = server.free_slots.is_none_or(|slots| slots > 0);
        if server.host.is_some() && room && server.protocols.contains(&Protocol::WireGuard) {
            return Ok(server.id);
        }
    }
    Err("no server speaks WireGuard".to_owned())
}

async fn wireguard_life(configs: &dyn ServerConfigs) -> Check {
    let server = wireguard_server(configs).await?;
    let before = configs.list_configs().await.map_err(text)?;
    let made = configs.obtain_config(&ConfigRequest::wireguard(server)).await.map_err(text)?;
    let Config::WireGuard(config) = &made.config else {
        return Err("another protocol came".to_owned());
    };
    ensure!(!config.addresses().is_empty(), "the interface has no address");
    let peers = config.peers();
    ensure!(peers.len() == 1 && peers.iter().all(|p| p.endpoint.is_some()), "peers: {peers:?}");
    let Some(id) = made.id else { return Ok(()) };
    let list = configs.list_configs().await.map_err(text)?;
    ensure!(list.len() == before.len() + 1, "one was made, {} are listed", list.len());
    ensure!(list.iter().any(|it| it.id == id), "{id} is not listed");
    configs.revoke_config(&id).await.map_err(text)?;
    let after = configs.list_configs().await.map_err(text)?;
    ensure!(after == before, "revoked, yet listed: {after:?}");
    expect(configs.revoke_config(&id).await, ErrorKind::NotFound)
}

/// Skipped where the provider makes the keys, which it says before it makes anything.
async fn wireguard_reuse(configs: &dyn ServerConfigs) -> Result<Outcome, String> {
    let before = configs.list_configs().await.map_err(text)?;
    let mut request = ConfigRequest::wireguard(wireguard_server(configs).await?);
    request.wireguard.private_key = Some(PrivateKey::generate().map_err(text)?);
    let first = match configs.obtain_config(&request).await {
        Err(error) if error.fields().contains_key("private_key") => {
            expect(Err::<(), _>(error), ErrorKind::InvalidRequest)?;
            let after = configs.list_configs().await.map_err(text)?;
            ensure!(after == before, "it left something behind: {after:?}");
            return Ok(Outcome::Skip("the provider takes no key of the caller's".to_owned()));
        }
        first => first.map_err(text)?,
    };
    let second = configs.obtain_config(&request).await.map_err(text)?;
    ensure!(first.id == second.id, "one key has two ids: {:?}, {:?}", first.id, second.id);
    match first.id {
        Some(id) => configs.revoke_config(&id).await.map(|()| Outcome::Pass).map_err(text),
        None => Ok(Outcome::Pass),
    }
}

async fn wireguard_rotate(configs: &dyn ServerConfigs) -> Check {
    let request = ConfigRequest::wireguard(wireguard_server(configs).await?);
    let first = configs.obtain_config(&request).await.map_err(text)?;
    let Some(mut id) = first.id else {
        return Ok(());
    };
    let Config::WireGuard(old) = first.config else {
        return Err("another protocol".to_owned());
    };
    let mut keys = vec![old.private_key().public_key()];
    // Often enough to come past any number of keys that a device can have.
    for _ in 0..4 {
        let rotated = configs.rotate_config(&id, &request).await.map_err(text)?;
        let Config::WireGuard(config) = rotated.config.config else {
            return Err("another protocol".to_owned());
        };
        let key = config.private_key().public_key();
        ensure!(!keys.contains(&key), "an old key came back");
        keys.push(key);
        id = rotated.config.id.ok_or("the rotated configuration has no id")?;
        let list = configs.list_configs().await.map_err(text)?;
        let listed = list.iter().find(|it| it.id == id).ok_or("it is not listed")?;
        ensure!(
            listed.public_keys.is_empty() || listed.public_keys.contains(&key),
            "the new key is not listed"
        );
    }
    configs.revoke_config(&id).await.map_err(text)
}

async fn sign_in_fields(sign_in: &dyn SignIn) -> Check {
    ensure!(!sign_in.sign_in_fields().is_empty(), "it takes nothing");
    let error = sign_in.obtain_credential(&Settings::new()).await.map(drop).expect_err_text()?;
    ensure!(error.kind() == ErrorKind::InvalidRequest, "without fields it gave {error}");
    for field in sign_in.sign_in_fields() {
        let is_needed = field.required && field.default.is_none();
        let is_named = error.fields().contains_key(field.key);
        ensure!(is_needed == is_named, "{} is needed: {is_needed}, named: {is_named}", field.key);
    }
    Ok(())
}

async fn signed_in(sign_in: &dyn SignIn, fields: &Settings) -> Check {
    let credential = sign_in.obtain_credential(fields).await.map_err(text)?;
    ensure!(credential.settings.keys().next().is_some(), "the credential has no setting");
    Ok(())
}

async fn account_create(sign_up: &dyn SignUp, new: &NewAccount) -> Check {
    let made = sign_up.create_account(new.clone()).await.map_err(text)?;
    ensure!(made.login == new.login, "asked for {:?}, made {:?}", new.login, made.login);
    let error = sign_up.create_account(new.clone()).await.map(drop).expect_err_text()?;
    ensure!(
        matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::InvalidRequest),
        "a second one gave {error}"
    );
    Ok(())
}

async fn close_account(
    accounts: &dyn Accounts,
    change: &dyn ChangePassword,
    close: &dyn CloseAccount,
    password: &Secret,
) -> Check {
    let new = Secret::from("Another-Passw0rd!");
    change.change_password(new.clone()).await.map_err(text)?;
    let old = close.close_account(Some(password)).await;
    ensure!(old.is_err(), "the old password closed the account");
    close.close_account(Some(&new)).await.map_err(text)?;
    let after = accounts.account().await.map(drop).expect_err_text()?;
    ensure!(
        matches!(after.kind(), ErrorKind::Unauthorized | ErrorKind::NotFound | ErrorKind::Refused),
        "the closed account gave {after}"
    );
    Ok(())
}

fn text(error: anyvpn_core::Error) -> String {
    error.to_string()
}

/// Turns a success that should not be into a failure of the check.
trait ExpectError {
    fn expect_err_text(self) -> Result<anyvpn_core::Error, String>;
}

impl ExpectError for Result<(), anyvpn_core::Error> {
    fn expect_err_text(self) -> Result<anyvpn_core::Error, String> {
        self.err().ok_or_else(|| "succeeded".to_owned())
    }
}

fn expect<T>(result: Result<T, anyvpn_core::Error>, kind: ErrorKind) -> Check {
    let error = result.map(drop).expect_err_text()?;
    ensure!(error.kind() == kind, "expected {}, came {error}", kind.name());
    Ok(())
}
