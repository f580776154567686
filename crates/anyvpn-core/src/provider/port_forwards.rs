//! Ports of the VPN server that lead to this machine.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Error, Secret, Timestamp};

/// Ports of the VPN server that lead to a device of the account.
///
/// A forward belongs to one device on one server, and calls must come from inside that device's tunnel.
/// Its [`Lease`] says how long it stays open. No method creates anything because another one failed.
///
/// Calls for different forwards may run at the same time; renew and delete one forward in turn. A
/// forward can be renewed or deleted by another program too, from the values of the
/// [`PortForward`]: keep its number, protocols, local port, device and ticket.
#[async_trait]
pub trait PortForwards: Send + Sync {
    /// Returns how long the provider's forwards stay open.
    fn lease(&self) -> Lease;

    /// Returns the tunnel addresses of the account's devices, one of which is this machine's; `None` if
    /// a forward belongs to the device that requests it.
    ///
    /// # Errors
    ///
    /// `Unauthorized` without a valid credential.
    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error>;

    /// Opens a port. The provider chooses the number, but may grant a requested one. If forwards are
    /// kept alive and this device already has the requested number, that forward is renewed. The call
    /// is not retried automatically if that could open a second port.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if a device is needed and none is given, if the lifetime, number, local port or
    /// protocols cannot be requested, or if the call did not come through the tunnel; `NoService` if
    /// the server does not forward ports; `QuotaReached` if the quota is used up; `CapacityReached` if
    /// the server has no ports left; `Ambiguous` if a port may have been opened: list the ports to see.
    /// The list does not show a port that was requested as hidden.
    async fn create_port_forward(&self, port: NewPortForward) -> Result<PortForward, Error>;

    /// Keeps a forward alive, if its lease is [`Lease::KeptAlive`]. If it is renewed in time, it keeps
    /// its number. If it is renewed too late, it may get another number, and the old one is lost.
    /// Renewing twice does no harm.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the lease is fixed; `NotFound` if the forward no longer exists and must be
    /// created again.
    async fn renew_port_forward(&self, port: &PortForward) -> Result<PortForward, Error>;

    /// Closes a port, or lets it expire if the provider has no call for it.
    ///
    /// # Errors
    ///
    /// `NotFound` if the provider says that the device has no such port.
    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error>;

    /// Returns the trait for listing open ports; `None` if the provider has no list.
    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        None
    }

    /// Returns the trait for testing a port from outside; `None` if the provider does not offer it.
    fn port_check(&self) -> Option<&dyn CheckPort> {
        None
    }
}

/// Lists the ports that are open.
#[async_trait]
pub trait ListPortForwards: Send + Sync {
    /// Returns the open ports of a device that are not hidden, in the provider's order; empty if there
    /// are none. If a forward belongs to the device that requests it, `device` must be `None`, and the
    /// list comes from the program's [`LeaseStore`](crate::LeaseStore).
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if a device is needed and none is given, or if none is needed and one is given;
    /// `Unavailable` if the provider cannot answer, which never counts as an empty list.
    async fn list_port_forwards(&self, device: Option<Ipv4Addr>)
    -> Result<Vec<PortForward>, Error>;
}

/// Tests a port from outside.
#[async_trait]
pub trait CheckPort: Send + Sync {
    /// Asks the provider to connect to the port from outside. Needs no credential.
    ///
    /// # Errors
    ///
    /// A closed port is not an error.
    async fn check_port(&self, port: u16) -> Result<PortCheck, Error>;
}

/// How long a provider's forwards stay open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Lease {
    /// The forward stays open until an end that is set when it is opened and cannot be changed. It can
    /// only be replaced by another forward, with another number.
    Fixed,
    /// The forward stays open as long as it is renewed.
    KeptAlive {
        /// The maximum time from one renewal to the next. If a forward's
        /// [`expires_at`](PortForward::expires_at) is less than twice this time away, renew it after
        /// half of the remaining time.
        every: Duration,
    },
}

/// The protocols that a forward carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum PortProtocols {
    /// TCP and UDP, on the same number.
    Both,
    /// TCP only.
    Tcp,
    /// UDP only.
    Udp,
}

impl fmt::Display for PortProtocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Both => "tcp+udp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// A port to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewPortForward {
    /// The device's address inside the tunnel; absent for the device that requests the forward.
    pub device: Option<Ipv4Addr>,
    /// The requested number, which may not be granted; absent for any number.
    pub wished_port: Option<u16>,
    /// The protocols to forward. Default: both.
    pub protocols: PortProtocols,
    /// The port on which a program on the device listens; absent for the number that the provider
    /// grants.
    pub local_port: Option<u16>,
    /// How long it stays open; absent for the provider's default.
    pub lifetime: Option<Duration>,
    /// Whether lists omit it from the beginning.
    pub hidden: bool,
}

impl NewPortForward {
    /// Creates a request for a port of this device, with the provider's default lifetime.
    #[must_use]
    pub fn new() -> Self {
        Self {
            device: None,
            wished_port: None,
            protocols: PortProtocols::Both,
            local_port: None,
            lifetime: None,
            hidden: false,
        }
    }

    /// Creates a request for a port of the device with this address, with the provider's default
    /// lifetime.
    #[must_use]
    pub fn to(device: Ipv4Addr) -> Self {
        Self { device: Some(device), ..Self::new() }
    }
}

impl Default for NewPortForward {
    fn default() -> Self {
        Self::new()
    }
}

/// An open port.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PortForward {
    /// The port's number on the VPN server.
    pub port: u16,
    /// The protocols that it carries.
    pub protocols: PortProtocols,
    /// The port on which a program on the device listens. Most providers use the same number.
    pub local_port: u16,
    /// The device's address inside the tunnel; absent if the provider does not say.
    pub device: Option<Ipv4Addr>,
    /// The public address that the server reports. Others may need another one to reach the port. Absent
    /// if the provider does not say.
    pub address: Option<IpAddr>,
    /// Whether lists omit it.
    pub hidden: bool,
    /// When it closes unless it is renewed; absent if the provider does not say.
    pub expires_at: Option<Timestamp>,
    /// When it closes even if it is renewed, so that another one must be created; absent if it can be
    /// renewed indefinitely.
    pub ends_at: Option<Timestamp>,
    /// What the provider needs to renew it; absent if the number is enough. Store it with the number to
    /// get the same number after a reconnect.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_hidden"))]
    pub ticket: Option<Secret>,
}

impl PortForward {
    /// Creates an open port for TCP and UDP of which only the number is known.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self {
            port,
            protocols: PortProtocols::Both,
            local_port: port,
            device: None,
            address: None,
            hidden: false,
            expires_at: None,
            ends_at: None,
            ticket: None,
        }
    }
}

/// Returns whether to omit a ticket, so that nobody reads its replacement text as the ticket.
#[cfg(feature = "serde")]
fn is_hidden(ticket: &Option<Secret>) -> bool {
    ticket.is_none() || !crate::secret::is_revealing()
}

/// Two forwards are equal if all their fields are, including their tickets.
impl PartialEq for PortForward {
    fn eq(&self, other: &Self) -> bool {
        let place =
            |port: &Self| (port.port, port.protocols, port.local_port, port.device, port.address);
        let times = |port: &Self| (port.hidden, port.expires_at, port.ends_at);
        let ticket = |port: &Self| port.ticket.as_ref().map(|ticket| ticket.expose().to_owned());
        place(self) == place(other) && times(self) == times(other) && ticket(self) == ticket(other)
    }
}

/// The result of a port check by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PortCheck {
    /// The port.
    pub port: u16,
    /// Whether something on this machine answered.
    pub open: bool,
    /// The public address that was tried; absent if the provider does not say.
    pub address: Option<IpAddr>,
}

impl PortCheck {
    /// Creates the result of a check.
    #[must_use]
    pub fn new(port: u16, open: bool, address: Option<IpAddr>) -> Self {
        Self { port, open, address }
    }
}
