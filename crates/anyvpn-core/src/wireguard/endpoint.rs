//! The endpoint of a peer.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::values::number;
use crate::Error;
use crate::is_invisible;

/// The other end of a tunnel: a host and a UDP port.
///
/// ```
/// use anyvpn_core::Endpoint;
///
/// let endpoint: Endpoint = "[2001:db8::1]:51820".parse()?;
/// assert_eq!(endpoint.port, 51820);
/// assert_eq!(endpoint.to_string(), "[2001:db8::1]:51820");
/// # Ok::<(), anyvpn_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// The UDP port, 1 to 65535.
    pub port: u16,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name to be looked up.
    Name(HostName),
    /// An address.
    Ip(IpAddr),
    /// An address that is valid on one network interface, such as `fe80::1%eth0`.
    Zoned(ZonedAddress),
}

/// An IPv6 address with its zone: the interface through which it is reached (RFC 4007).
///
/// ```
/// use anyvpn_core::ZonedAddress;
///
/// let router: ZonedAddress = "fe80::1%eth0".parse()?;
/// assert_eq!((router.address().is_unicast_link_local(), router.zone()), (true, "eth0"));
/// # Ok::<(), anyvpn_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZonedAddress {
    address: Ipv6Addr,
    zone: String,
}

impl ZonedAddress {
    /// Returns the address.
    #[must_use]
    pub const fn address(&self) -> Ipv6Addr {
        self.address
    }

    /// Returns the interface's name or number, as it was written.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }
}

impl FromStr for ZonedAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let split = text.split_once('%').and_then(|(address, zone)| {
            let address: Ipv6Addr = address.parse().ok()?;
            // A name is only allowed with a link-local address; the C library accepts a number with any
            // address.
            let is_link =
                address.is_unicast_link_local() || address.segments()[0] & 0xff0f == 0xff02;
            let is_number = zone.bytes().all(|b| b.is_ascii_digit()) && zone.parse::<u32>().is_ok();
            (is_number || (is_link && is_interface(zone))).then_some((address, zone))
        });
        match split {
            Some((address, zone)) => Ok(Self { address, zone: zone.to_owned() }),
            None => Err(Error::invalid(
                "host",
                "write an address with its interface, such as fe80::1%eth0",
            )),
        }
    }
}

impl fmt::Display for ZonedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%{}", self.address, self.zone)
    }
}

/// Returns whether Linux allows this name for a network interface, and it cannot be mistaken for
/// syntax.
fn is_interface(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-+=@".contains(c);
    (1..=15).contains(&name.len()) && name.chars().all(good)
}

/// A host's name: labels of letters, digits, `-` and `_`, separated by dots. Letters of any script are
/// allowed, as in `bücher.example`, and are kept as they are written.
///
/// A text that a resolver would read as an address, such as `10.1`, is not a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostName(String);

impl HostName {
    /// Returns the name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let labels = text.strip_suffix('.').unwrap_or(text);
        let is_foreign =
            |c: char| !c.is_ascii() && !c.is_whitespace() && !c.is_control() && !is_invisible(c);
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || is_foreign(c);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len()) && label.chars().all(good) && !label.starts_with('-')
        };
        // The C library parses `10.1` and `0x7f.1` as addresses.
        let last = labels.rsplit('.').next().unwrap_or_default();
        let is_numeric = last.starts_with("0x") || last.chars().all(|c| c.is_ascii_digit());
        if labels.len() <= 253 && labels.split('.').all(is_label) && !is_numeric {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid("host", NOT_A_HOST))
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl FromStr for Host {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Ok(address) = text.parse() {
            Ok(Self::Ip(address))
        } else if let Ok(zoned) = text.parse() {
            Ok(Self::Zoned(zoned))
        } else {
            text.parse().map(Self::Name)
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
            Self::Zoned(address) => address.fmt(f),
        }
    }
}

const NOT_A_HOST: &str = "write a host's name such as vpn.example.net, or an address";

pub(super) fn parse(text: &str) -> Result<Endpoint, &'static str> {
    const NO_PORT: &str =
        "write host and port, such as vpn.example.net:51820 or [2001:db8::1]:51820";
    let (host, port) = match text.strip_prefix('[') {
        // As in wg, any host may be in brackets.
        Some(rest) => rest.split_once("]:").ok_or(NO_PORT)?,
        // As in wg, the last colon is the one before the port, even after a bare IPv6 address.
        None => text.rsplit_once(':').ok_or(NO_PORT)?,
    };
    let host = host.parse().map_err(|_| NOT_A_HOST)?;
    match number(port) {
        Some(port) if port > 0 => Ok(Endpoint { host, port }),
        _ => Err("write a port from 1 to 65535 after the last colon"),
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|what| Error::invalid("endpoint", what))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            Host::Zoned(address) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}
