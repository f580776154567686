//! Where a peer is.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::values::number;
use crate::Error;

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
    /// Where it is.
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
}

/// A host's name: labels of ASCII letters, digits, `-` and `_`, with dots between.
///
/// A text that a resolver would take for an address, such as `10.1`, is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostName(String);

impl HostName {
    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let labels = text.strip_suffix('.').unwrap_or(text);
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_label = |label: &str| {
            (1..=63).contains(&label.len()) && label.chars().all(good) && !label.starts_with('-')
        };
        // The C library takes `10.1` and `0x7f.1` for addresses.
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
        match text.parse() {
            Ok(address) => Ok(Self::Ip(address)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

const NOT_A_HOST: &str = "write a host's name such as vpn.example.net, or an address";

pub(super) fn parse(text: &str) -> Result<Endpoint, &'static str> {
    const NO_PORT: &str =
        "write host and port, such as vpn.example.net:51820 or [2001:db8::1]:51820";
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once("]:").ok_or(NO_PORT)?;
            let address: Ipv6Addr =
                address.parse().map_err(|_| "write an IPv6 address between the brackets")?;
            (Host::Ip(address.into()), port)
        }
        // As in wg, the last colon is the one before the port, even after a bare IPv6 address.
        None => {
            let (host, port) = text.rsplit_once(':').ok_or(NO_PORT)?;
            (host.parse().map_err(|_| NOT_A_HOST)?, port)
        }
    };
    match number(port) {
        Some(port) if port > 0 => Ok(Endpoint { host, port }),
        _ => Err("write a port from 1 to 65535 behind the last colon"),
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
            host => write!(f, "{host}:{}", self.port),
        }
    }
}
