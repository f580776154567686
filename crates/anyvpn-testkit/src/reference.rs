//! A provider in memory that keeps the contract. It tests the conformance suite itself, and is the
//! smallest complete example of a provider. [`KeptAlive`] and [`Reseller`] keep the parts of the
//! contract that one provider cannot have at the same time.

mod kept_alive;
mod reseller;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyvpn_core::{
    Ability, Account, Accounts, Capabilities, ChangePassword, CheckPort, CloseAccount, Config,
    ConfigRequest, Endpoint, Error, ErrorKind, Lease, ListPortForwards, NewAccount, NewPortForward,
    ObtainedConfig, PortCheck, PortForward, PortForwards, PortProtocols, Protocol, Provider,
    ProviderInfo, PublicKey, Secret, Server, ServerConfig, ServerConfigs, Servers, SignUp, Status,
    Timestamp,
};
use async_trait::async_trait;
use futures_util::stream;

pub use self::kept_alive::KeptAlive;
pub use self::reseller::Reseller;

/// Describes the reference provider.
pub static INFO: ProviderInfo =
    ProviderInfo::new("reference", "Reference", "https://example.com", &CAPABILITIES);

/// Lists what the reference provider can do.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[
        Ability::SignUp,
        Ability::Accounts,
        Ability::ChangePassword,
        Ability::CloseAccount,
        Ability::PortForwards,
        Ability::ListPortForwards,
        Ability::CheckPort,
        Ability::ServerConfigs,
        Ability::WireGuard,
    ],
    &[(Ability::OpenVpn, "one protocol is enough for an example", "https://example.com")],
    ("not needed in an example", "https://example.com"),
);

/// A client of the reference provider, signed in as one of its users or not signed in.
#[derive(Clone, Debug)]
pub struct Reference {
    world: Arc<Mutex<World>>,
    user: Option<String>,
}

#[derive(Debug, Default)]
struct World {
    users: BTreeMap<String, User>,
    next: u16,
}

#[derive(Debug)]
struct User {
    password: Secret,
    devices: BTreeMap<String, Device>,
    ports: Vec<PortForward>,
}

#[derive(Debug)]
struct Device {
    address: Ipv4Addr,
    keys: Vec<PublicKey>,
}

impl Reference {
    /// Creates a provider whose only user has one device, and returns a client signed in as that user.
    #[must_use]
    pub fn new(login: &str, password: Secret) -> Self {
        let mut world = World::default();
        let mut user = User::new(password);
        user.add_device(&mut world.next, Vec::new());
        world.users.insert(login.to_owned(), user);
        Self { world: Arc::new(Mutex::new(world)), user: Some(login.to_owned()) }
    }

    /// Returns a client of the same provider without a credential.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { world: Arc::clone(&self.world), user: None }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_user<T>(
        &self,
        work: impl FnOnce(&mut User, &mut u16) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let world = &mut *self.world();
        let user = self.user.as_ref().and_then(|login| world.users.get_mut(login));
        work(user.ok_or_else(|| Error::new(ErrorKind::Unauthorized))?, &mut world.next)
    }
}

impl User {
    fn new(password: Secret) -> Self {
        Self { password, devices: BTreeMap::new(), ports: Vec::new() }
    }

    fn add_device(&mut self, next: &mut u16, keys: Vec<PublicKey>) -> (String, Ipv4Addr) {
        *next += 1;
        let [high, low] = next.to_be_bytes();
        let (id, address) = (format!("device{next}"), Ipv4Addr::new(10, 0, high, low));
        self.devices.insert(id.clone(), Device { address, keys });
        (id, address)
    }
}

impl Provider for Reference {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn sign_up(&self) -> Option<&dyn SignUp> {
        Some(self)
    }

    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        Some(self)
    }

    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        Some(self)
    }
}

#[async_trait]
impl Accounts for Reference {
    async fn account(&self) -> Result<Account, Error> {
        self.with_user(|_, _| Ok(Account::new(self.user.clone(), Status::Active)))
    }

    fn password_change(&self) -> Option<&dyn ChangePassword> {
        Some(self)
    }

    fn account_closing(&self) -> Option<&dyn CloseAccount> {
        Some(self)
    }
}

#[async_trait]
impl ChangePassword for Reference {
    async fn change_password(&self, password: Secret) -> Result<(), Error> {
        self.with_user(|user, _| {
            user.password = password;
            Ok(())
        })
    }
}

#[async_trait]
impl CloseAccount for Reference {
    async fn close_account(&self, password: Option<&Secret>) -> Result<(), Error> {
        let given = password.map(Secret::expose);
        let right = self.with_user(|user, _| Ok(given == Some(user.password.expose())))?;
        if !right {
            return Err(Error::new(ErrorKind::Refused).with_detail("the password is wrong"));
        }
        let login = self.user.clone().unwrap_or_default();
        self.world().users.remove(&login);
        Ok(())
    }
}

#[async_trait]
impl SignUp for Reference {
    async fn create_account(&self, account: NewAccount) -> Result<Account, Error> {
        let users = &mut self.world().users;
        if users.contains_key(&account.login) {
            return Err(Error::new(ErrorKind::AlreadyExists));
        }
        users.insert(account.login.clone(), User::new(account.password));
        Ok(Account::new(account.login, Status::Active))
    }
}

#[async_trait]
impl PortForwards for Reference {
    fn lease(&self) -> Lease {
        Lease::Fixed
    }

    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error> {
        self.with_user(|user, _| {
            Ok(Some(user.devices.values().map(|device| device.address).collect()))
        })
    }

    async fn create_port_forward(&self, new: NewPortForward) -> Result<PortForward, Error> {
        const DAY: u64 = 24 * 60 * 60;
        let device = new.device.ok_or_else(|| Error::invalid("device", "is needed"))?;
        let lifetime = new.lifetime.unwrap_or(Duration::from_secs(30 * DAY));
        if new.wished_port.is_some() || new.local_port.is_some() {
            return Err(Error::invalid("port", "is the provider's choice"));
        }
        if new.protocols != PortProtocols::Both {
            return Err(Error::invalid("protocols", "must be both"));
        }
        if lifetime.is_zero() || !lifetime.as_secs().is_multiple_of(DAY) {
            return Err(Error::invalid("lifetime", "must be whole days"));
        }
        self.with_user(|user, next| {
            *next += 1;
            let mut made = PortForward::new(50_000 + *next);
            made.device = Some(device);
            made.hidden = new.hidden;
            made.expires_at = Some(Timestamp::now() + lifetime);
            user.ports.push(made.clone());
            Ok(made)
        })
    }

    async fn renew_port_forward(&self, _port: &PortForward) -> Result<PortForward, Error> {
        Err(Error::invalid("port", "has a fixed lease"))
    }

    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error> {
        self.with_user(|user, _| {
            let before = user.ports.len();
            user.ports.retain(|other| other.device != port.device || other.port != port.port);
            if user.ports.len() == before {
                return Err(Error::new(ErrorKind::NotFound));
            }
            Ok(())
        })
    }

    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        Some(self)
    }

    fn port_check(&self) -> Option<&dyn CheckPort> {
        Some(self)
    }
}

#[async_trait]
impl ListPortForwards for Reference {
    async fn list_port_forwards(
        &self,
        device: Option<Ipv4Addr>,
    ) -> Result<Vec<PortForward>, Error> {
        let device = device.ok_or_else(|| Error::invalid("device", "is needed"))?;
        self.with_user(|user, _| {
            let ports = user.ports.iter();
            let shown = ports.filter(|port| port.device == Some(device) && !port.hidden);
            Ok(shown.cloned().collect())
        })
    }
}

#[async_trait]
impl CheckPort for Reference {
    async fn check_port(&self, port: u16) -> Result<PortCheck, Error> {
        Ok(PortCheck::new(port, false, None))
    }
}

#[async_trait]
impl ServerConfigs for Reference {
    fn servers(&self) -> Servers<'_> {
        let mut server = Server::new("one", "The only one");
        server.host = Some("one.example.com".to_owned());
        server.protocols = vec![Protocol::WireGuard];
        Servers::new(stream::iter([Ok(server.into())]))
    }

    async fn obtain_config(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        if request.server != "one" {
            return Err(Error::new(ErrorKind::NotFound));
        }
        if request.protocol != Protocol::WireGuard {
            return Err(Error::invalid("protocol", "is not supported"));
        }
        let options = request.wireguard.checked()?;
        let key = request.wireguard.key()?;
        let public = key.public_key();
        let (id, address) = self.with_user(|user, next| {
            let known = user.devices.iter().find(|(_, device)| device.keys.contains(&public));
            Ok(match known {
                Some((id, device)) => (id.clone(), device.address),
                None => user.add_device(next, vec![public]),
            })
        })?;
        let host = std::net::IpAddr::from(Ipv4Addr::LOCALHOST).into();
        let peer = PublicKey::from([7; 32]);
        let endpoint = Endpoint { host, port: 51820 };
        let config = options.config(key, &[address.into()], &[], peer, endpoint);
        Ok(ServerConfig::new(Some(id), Config::WireGuard(config)))
    }

    async fn list_configs(&self) -> Result<Vec<ObtainedConfig>, Error> {
        self.with_user(|user, _| {
            let configs = user.devices.iter().map(|(id, device)| {
                let mut config = ObtainedConfig::new(id, Protocol::WireGuard, Status::Active);
                config.addresses = vec![device.address.into()];
                config.public_keys = device.keys.clone();
                config
            });
            Ok(configs.collect())
        })
    }

    async fn revoke_config(&self, id: &str) -> Result<(), Error> {
        self.with_user(|user, _| {
            user.devices.remove(id).map(drop).ok_or_else(|| Error::new(ErrorKind::NotFound))
        })
    }
}
