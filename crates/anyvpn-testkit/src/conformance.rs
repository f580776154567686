//! The contract of [`anyvpn_core`]'s traits, as checks that every provider's tests run.
//!
//! A check that does not apply to a provider is a skip with its reason, never a silent pass.

use std::fmt;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::task::Poll;

use anyvpn_core::{
    AccountAdmin, Accounts, Capability, Config, ConfigRequest, ErrorKind, NewAccount,
    NewPortForward, PortForwards, PrivateKey, Protocol, Provider, Secret, ServerConfigs,
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
    /// An account that does not exist yet, for creating it.
    pub new_account: NewAccount,
}

impl Subject {
    /// A provider that neither creates nor closes accounts.
    #[must_use]
    pub fn new(signed_in: impl Provider + 'static, anonymous: impl Provider + 'static) -> Self {
        Self {
            signed_in: Box::new(signed_in),
            anonymous: Box::new(anonymous),
            password: Secret::from(""),
            new_account: NewAccount::new("", None),
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
        _ => report.skip("accounts", provider.capabilities().accounts),
    }
    match provider.port_forwards() {
        Some(ports) => {
            report.add("ports begin empty", ports_begin_empty(ports).await);
            report.add("port: create, list, delete", port_life(ports).await);
            report.add("port: hide keeps the number", port_hide(ports).await);
            report.add("port: unknown is not found", port_unknown(ports).await);
            report.add("port: half a day is refused before sending", port_lifetime(ports).await);
            report.add("port: closed is an answer", port_check(ports).await);
        }
        None => report.skip("port forwards", provider.capabilities().port_forwards),
    }
    match provider.server_configs() {
        Some(configs) => {
            report.add("servers have distinct ids", servers(configs).await);
            report.add("config: unknown server leaves nothing", config_unknown(configs).await);
            report.add("config: unknown id is not found", config_unknown_id(configs).await);
            if provider.capabilities().wireguard == Capability::Can {
                report.add("wireguard: odd options leave nothing", wireguard_odd(configs).await);
                report.add("wireguard: obtain, list, revoke", wireguard_life(configs).await);
                report.add("wireguard: a known key keeps its id", wireguard_reuse(configs).await);
                report.add("wireguard: rotate has the new key", wireguard_rotate(configs).await);
            } else {
                report.skip("wireguard", provider.capabilities().wireguard);
            }
        }
        None => report.skip("server configs", provider.capabilities().server_configs),
    }
    match (provider.account_admin(), subject.anonymous.account_admin(), provider.accounts()) {
        (Some(admin), Some(anonymous), Some(accounts)) => {
            report.add("account: create, not twice", account_create(anonymous, subject).await);
            report.add("account: close is for good", close(admin, accounts, subject).await);
        }
        _ => report.skip("account admin", provider.capabilities().account_admin),
    }
    report
}

impl Report {
    fn skip(&mut self, name: &'static str, capability: Capability) {
        self.0.push((name, Outcome::Skip(capability.to_string())));
    }
}

fn capabilities(provider: &dyn Provider) -> Check {
    let capabilities = provider.capabilities();
    let pairs = [
        ("accounts", capabilities.accounts, provider.accounts().is_some()),
        ("account-admin", capabilities.account_admin, provider.account_admin().is_some()),
        ("port-forwards", capabilities.port_forwards, provider.port_forwards().is_some()),
        ("server-configs", capabilities.server_configs, provider.server_configs().is_some()),
    ];
    for (name, capability, present) in pairs {
        ensure!((capability == Capability::Can) == present, "{name}: {capability}, yet {present}");
    }
    for (name, capability) in capabilities.all() {
        if let Capability::Cannot { why, link } = capability {
            ensure!(!why.is_empty(), "{name}: no reason");
            ensure!(link.starts_with("https://"), "{name}: no link to the reason");
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
    let addresses = ports.tunnel_addresses().await.map_err(text)?;
    addresses.first().copied().ok_or_else(|| "the account has no device".to_owned())
}

async fn ports_begin_empty(ports: &dyn PortForwards) -> Check {
    let list = ports.list(device(ports).await?).await.map_err(text)?;
    ensure!(list.is_empty(), "there are ports: {list:?}");
    Ok(())
}

async fn port_life(ports: &dyn PortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create(NewPortForward::new(device)).await.map_err(text)?;
    ensure!(made.device == device && !made.hidden, "another port was made: {made:?}");
    let list = ports.list(device).await.map_err(text)?;
    ensure!(list == [made.clone()], "made {made:?}, listed {list:?}");
    ports.delete(device, made.port).await.map_err(text)?;
    let list = ports.list(device).await.map_err(text)?;
    ensure!(list.is_empty(), "deleted, yet listed: {list:?}");
    Ok(())
}

async fn port_hide(ports: &dyn PortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create(NewPortForward::new(device)).await.map_err(text)?;
    let hidden = ports.hide(device, made.port).await.map_err(text)?;
    ensure!(hidden.port == made.port, "hid {}, answered {}", made.port, hidden.port);
    ensure!(hidden.hidden, "the answer says not hidden");
    let list = ports.list(device).await.map_err(text)?;
    ensure!(list.is_empty(), "hidden, yet listed: {list:?}");
    ports.delete(device, made.port).await.map_err(text)
}

async fn port_unknown(ports: &dyn PortForwards) -> Check {
    let device = device(ports).await?;
    expect(ports.delete(device, 1).await, ErrorKind::NotFound)?;
    expect(ports.hide(device, 1).await, ErrorKind::NotFound)
}

async fn port_lifetime(ports: &dyn PortForwards) -> Check {
    let device = device(ports).await?;
    for hours in [0, 12, 36] {
        let mut port = NewPortForward::new(device);
        port.lifetime = Some(std::time::Duration::from_secs(hours * 3600));
        expect(ports.create(port).await, ErrorKind::InvalidRequest)?;
    }
    ports_begin_empty(ports).await
}

async fn port_check(ports: &dyn PortForwards) -> Check {
    // Port 1 (tcpmux) is served by nobody who runs tests.
    let check = ports.check(1).await.map_err(text)?;
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
    let before = configs.list().await.map_err(text)?;
    let request = ConfigRequest::wireguard("0-no-such-server");
    let error = configs.obtain(&request).await.map(drop).expect_err_text()?;
    ensure!(
        matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidRequest),
        "an unknown server gave {error}"
    );
    let after = configs.list().await.map_err(text)?;
    ensure!(before == after, "it left something behind: {after:?}");
    Ok(())
}

async fn config_unknown_id(configs: &dyn ServerConfigs) -> Check {
    expect(configs.revoke("nosuchid").await, ErrorKind::NotFound)
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

/// Choices that no configuration can have are refused before anything is made.
async fn wireguard_odd(configs: &dyn ServerConfigs) -> Check {
    let server = wireguard_server(configs).await?;
    let before = configs.list().await.map_err(text)?;
    let (mut port, mut mtu) = (ConfigRequest::wireguard(&server), ConfigRequest::wireguard(server));
    (port.wireguard.port, mtu.wireguard.mtu) = (Some(0), Some(67));
    for request in [port, mtu] {
        expect(configs.obtain(&request).await.map(drop), ErrorKind::InvalidRequest)?;
    }
    ensure!(
        configs.list().await.map_err(text)? == before,
        "a refused option left something behind"
    );
    Ok(())
}

async fn wireguard_life(configs: &dyn ServerConfigs) -> Check {
    let server = wireguard_server(configs).await?;
    let before = configs.list().await.map_err(text)?;
    let made = configs.obtain(&ConfigRequest::wireguard(server)).await.map_err(text)?;
    let Config::WireGuard(config) = &made.config else {
        return Err("another protocol came".to_owned());
    };
    ensure!(!config.addresses().is_empty(), "the interface has no address");
    let peers = config.peers();
    ensure!(peers.len() == 1 && peers.iter().all(|p| p.endpoint.is_some()), "peers: {peers:?}");
    let Some(id) = made.id else { return Ok(()) };
    let list = configs.list().await.map_err(text)?;
    ensure!(list.len() == before.len() + 1, "one was made, {} are listed", list.len());
    ensure!(list.iter().any(|it| it.id == id), "{id} is not listed");
    configs.revoke(&id).await.map_err(text)?;
    let after = configs.list().await.map_err(text)?;
    ensure!(after == before, "revoked, yet listed: {after:?}");
    expect(configs.revoke(&id).await, ErrorKind::NotFound)
}

/// Skipped where the provider makes the keys, which it says before it makes anything.
async fn wireguard_reuse(configs: &dyn ServerConfigs) -> Result<Outcome, String> {
    let before = configs.list().await.map_err(text)?;
    let mut request = ConfigRequest::wireguard(wireguard_server(configs).await?);
    request.wireguard.private_key = Some(PrivateKey::generate().map_err(text)?);
    let first = match configs.obtain(&request).await {
        Err(error) if error.fields().contains_key("private_key") => {
            expect(Err::<(), _>(error), ErrorKind::InvalidRequest)?;
            let after = configs.list().await.map_err(text)?;
            ensure!(after == before, "it left something behind: {after:?}");
            return Ok(Outcome::Skip("the provider takes no key of the caller's".to_owned()));
        }
        first => first.map_err(text)?,
    };
    let second = configs.obtain(&request).await.map_err(text)?;
    ensure!(first.id == second.id, "one key has two ids: {:?}, {:?}", first.id, second.id);
    match first.id {
        Some(id) => configs.revoke(&id).await.map(|()| Outcome::Pass).map_err(text),
        None => Ok(Outcome::Pass),
    }
}

async fn wireguard_rotate(configs: &dyn ServerConfigs) -> Check {
    let request = ConfigRequest::wireguard(wireguard_server(configs).await?);
    let first = configs.obtain(&request).await.map_err(text)?;
    let Some(mut id) = first.id else {
        return Ok(());
    };
    let Config::WireGuard(old) = first.config else {
        return Err("another protocol".to_owned());
    };
    let mut keys = vec![old.private_key().public_key()];
    // Often enough to come past any number of keys that a device can have.
    for _ in 0..4 {
        let rotated = configs.rotate(&id, &request).await.map_err(text)?;
        let Config::WireGuard(config) = rotated.config.config else {
            return Err("another protocol".to_owned());
        };
        let key = config.private_key().public_key();
        ensure!(!keys.contains(&key), "an old key came back");
        keys.push(key);
        id = rotated.config.id.ok_or("the rotated configuration has no id")?;
        let list = configs.list().await.map_err(text)?;
        let listed = list.iter().find(|it| it.id == id).ok_or("it is not listed")?;
        ensure!(
            listed.public_keys.is_empty() || listed.public_keys.contains(&key),
            "the new key is not listed"
        );
    }
    configs.revoke(&id).await.map_err(text)
}

async fn account_create(admin: &dyn AccountAdmin, subject: &Subject) -> Check {
    let new = &subject.new_account;
    let made = admin.create(new.clone()).await.map_err(text)?;
    ensure!(made.login == new.login, "asked for {:?}, made {:?}", new.login, made.login);
    let error = admin.create(new.clone()).await.map(drop).expect_err_text()?;
    // `Refused` where the provider publishes neither codes nor statuses.
    ensure!(
        matches!(
            error.kind(),
            ErrorKind::AlreadyExists | ErrorKind::InvalidRequest | ErrorKind::Refused
        ),
        "a second one gave {error}"
    );
    Ok(())
}

async fn close(admin: &dyn AccountAdmin, accounts: &dyn Accounts, subject: &Subject) -> Check {
    let new = Secret::from("Another-Passw0rd!");
    admin.set_password(new.clone()).await.map_err(text)?;
    let old = admin.close(Some(&subject.password)).await;
    ensure!(old.is_err(), "the old password closed the account");
    admin.close(Some(&new)).await.map_err(text)?;
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
