//! Ports of the VPN server that lead to this machine.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Error, Secret, Timestamp};

/// Ports of the VPN server that lead to a device of the account.
///
/// A forward belongs to one device on one server, and calls must come from inside that device's
/// tunnel. How long it lives is its [`Lease`]. No method creates anything because another one failed.
///
/// Calls for different forwards may run at the same time; renew and delete one forward in turn. A
/// forward can be renewed or deleted by another program too, from the values of the
/// [`PortForward`]: keep its number, protocols, local port, device and ticket.
#[async_trait]
pub trait PortForwards: Send + Sync {
    /// How long the provider's forwards live.
    fn lease(&self) -> Lease;

    /// The tunnel addresses of the account's devices, one of which is this machine's; `None` where a
    /// forward belongs to whichever device asks for it.
    ///
    /// # Errors
    ///
    /// `Unauthorized` without a valid credential.
    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error>;

    /// Opens a port. The number is the provider's choice; one that is wished for may be granted. If
    /// forwards are kept alive and this device already has the wished number, that forward is renewed.
    /// Never repeated by itself where a repetition could open a second one.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when a device is needed and none is given, for a lifetime, a number, a local
    /// port or protocols that cannot be asked for, and when the call did not come through the tunnel;
    /// `NoService` when the server does not forward ports; `QuotaReached` when the allowance is used
    /// up; `CapacityReached` when the server has no port left; `Ambiguous` when a port may have been
    /// opened: list to see. No list shows one that was to be hidden.
    async fn create_port_forward(&self, port: NewPortForward) -> Result<PortForward, Error>;

    /// Keeps a forward alive, where its lease is [`Lease::KeptAlive`]. Renewed in time, it has the
    /// same number. Renewed too late, what comes back can have another number: the old one is lost
    /// then. Renewing twice does no harm.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` where the lease is fixed; `NotFound` when the forward is no longer there and
    /// has to be created anew.
    async fn renew_port_forward(&self, port: &PortForward) -> Result<PortForward, Error>;

    /// Closes a port, or lets it lapse where the provider has no call for it.
    ///
    /// # Errors
    ///
    /// `NotFound` when the device has no such port, where the provider says so.
    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error>;

    /// Listing the open ports; `None` where the provider has no list.
    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        None
    }

    /// Having a port tried from outside; `None` where the provider does not offer it.
    fn port_check(&self) -> Option<&dyn CheckPort> {
        None
    }
}

/// Lists the ports that are open.
#[async_trait]
pub trait ListPortForwards: Send + Sync {
    /// The open ports of a device that are not hidden, in the provider's order; empty when there is
    /// none. If a forward belongs to the device that asks for it, `device` is absent, and the list comes
    /// from the program's [`LeaseStore`](crate::LeaseStore).
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when a device is needed and none is given, or when none is needed and one is;
    /// `Unavailable` is an error, never an empty list.
    async fn list_port_forwards(&self, device: Option<Ipv4Addr>)
    -> Result<Vec<PortForward>, Error>;
}

/// Tries a port from outside.
#[async_trait]
pub trait CheckPort: Send + Sync {
    /// Asks the provider to connect to the port from outside. Needs no credential.
    ///
    /// # Errors
    ///
    /// A closed port is not an error.
    async fn check_port(&self, port: u16) -> Result<PortCheck, Error>;
}

/// How long a provider's forwards live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Lease {
    /// Until an end that is set when the port is opened, and that cannot be moved: a forward is
    /// replaced by another one, with another number.
    Fixed,
    /// The forward lives as long as it is renewed.
    KeptAlive {
        /// The longest time from one renewal to the next. A forward whose
        /// [`expires_at`](PortForward::expires_at) is closer than twice that is renewed at half of
        /// what is left.
        every: Duration,
    },
}

/// Which protocols a forward carries.
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
    /// The device's address inside the tunnel; absent: the device that asks.
    pub device: Option<Ipv4Addr>,
    /// The number that is wished for; absent: any. It may not be granted.
    pub wished_port: Option<u16>,
    /// The protocols that it is to carry; both, unless said otherwise.
    pub protocols: PortProtocols,
    /// The port that a program on the device listens on; absent: the number that the provider gives.
    pub local_port: Option<u16>,
    /// How long it stays open; absent: as long as the provider does by default.
    pub lifetime: Option<Duration>,
    /// Whether lists leave it out from the beginning.
    pub hidden: bool,
}

impl NewPortForward {
    /// A port for the device that asks, with the provider's default lifetime.
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

    /// A port for this device, with the provider's default lifetime.
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
    /// The port that a program on the device listens on; the same number at most providers.
    pub local_port: u16,
    /// The device's address inside the tunnel; absent if the provider does not say.
    pub device: Option<Ipv4Addr>,
    /// The public address that the server reports. Others may need another one to reach the port. Absent
    /// if the provider does not say.
    pub address: Option<IpAddr>,
    /// Whether lists leave it out.
    pub hidden: bool,
    /// When it closes unless it is renewed; absent if the provider does not say.
    pub expires_at: Option<Timestamp>,
    /// When it closes although it is renewed, so that another one has to be created; absent where
    /// renewing has no such end.
    pub ends_at: Option<Timestamp>,
    /// What the provider wants to see again to renew it; absent where the number is enough. Keep it
    /// with the number to have the same one after a reconnect.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_hidden"))]
    pub ticket: Option<Secret>,
}

impl PortForward {
    /// An open port for TCP and UDP of which only the number is known.
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

/// Whether a ticket is left out, so that nobody reads a replacement of it as the ticket.
#[cfg(feature = "serde")]
fn is_hidden(ticket: &Option<Secret>) -> bool {
    ticket.is_none() || !crate::secret::is_revealing()
}

/// Two forwards are equal when everything that is known of them is, their tickets included.
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
    /// The result of a check.
    #[must_use]
    pub fn new(port: u16, open: bool, address: Option<IpAddr>) -> Self {
        Self { port, open, address }
    }
}
