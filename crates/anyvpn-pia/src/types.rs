//! The server list and its signature.

use std::fmt;
use std::net::IpAddr;

use anyvpn_core::Error;
use anyvpn_http::{LenientList, Reply, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

/// The vendor's public key for the server list, in PEM.
pub const LIST_KEY: &str = include_str!("data/regions-list-public-key.pem");

/// The certificate authority of the vendor's VPN servers, in PEM.
pub const CA: &str = include_str!("data/ca.rsa.4096.crt");

/// A server list with a signature that has not been checked yet.
#[derive(Clone)]
pub struct SignedServerList {
    /// The bytes that are signed.
    text: Bytes,
    signature: Vec<u8>,
    list: ServerList,
}

impl SignedServerList {
    /// Parses a line of JSON, a blank line, and the signature in base64 on several lines.
    pub(crate) fn read(reply: &Reply) -> Result<Self, Error> {
        let mut json = serde_json::Deserializer::from_slice(&reply.body).into_iter::<IgnoredAny>();
        let end = match json.next() {
            Some(Ok(_)) => json.byte_offset(),
            _ => reply.body.len(),
        };
        let (text, rest) = (reply.body.slice(..end), &reply.body[end..]);
        let (headers, verified) = (reply.headers.clone(), reply.verified);
        let json = Reply { status: reply.status, headers, body: text.clone(), verified };
        let list = json.json()?;
        let signature: Vec<u8> =
            rest.iter().copied().filter(|it| !it.is_ascii_whitespace()).collect();
        let signature = STANDARD.decode(signature);
        let signature = signature.map_err(|_| reply.unexpected("after the list: no base64"))?;
        Ok(Self { text, signature, list })
    }

    /// Returns the list if it was signed with this key.
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` if it is not signed, or signed with another key.
    pub fn verified(self, key: &SigningKey) -> Result<ServerList, Error> {
        key.verify(&self.text, &self.signature)?;
        Ok(self.list)
    }
}

/// Serializes only the list, because the signature is no longer needed.
impl Serialize for SignedServerList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl fmt::Debug for SignedServerList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedServerList").field("list", &self.list).finish_non_exhaustive()
    }
}

/// The regions, and the ports of their servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerList {
    /// The ports, by protocol.
    pub groups: Groups,
    /// The regions, in the vendor's order.
    pub regions: LenientList<Region>,
}

/// The ports on which servers listen, the default first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Groups {
    /// WireGuard.
    #[serde(default)]
    pub wg: Vec<Group>,
    /// OpenVPN by UDP.
    #[serde(default)]
    pub ovpnudp: Vec<Group>,
    /// OpenVPN by TCP.
    #[serde(default)]
    pub ovpntcp: Vec<Group>,
}

/// The ports of one protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// The ports.
    pub ports: Vec<u16>,
}

/// A region, with some of its servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Region {
    /// The id, such as `swiss`.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The country, as ISO 3166 alpha-2 in capitals; absent if the vendor does not say.
    pub country: Option<String>,
    /// Whether its servers forward ports.
    #[serde(default)]
    pub port_forward: bool,
    /// Whether its servers are located in another country.
    #[serde(default)]
    pub geo: bool,
    /// Whether it is offline.
    #[serde(default)]
    pub offline: bool,
    /// The servers.
    #[serde(default)]
    pub servers: RegionServers,
}

/// The servers of a region, by protocol. Each list contains a different small selection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RegionServers {
    /// WireGuard.
    #[serde(default)]
    pub wg: Vec<Host>,
    /// OpenVPN by UDP.
    #[serde(default)]
    pub ovpnudp: Vec<Host>,
    /// OpenVPN by TCP.
    #[serde(default)]
    pub ovpntcp: Vec<Host>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The address.
    pub ip: IpAddr,
    /// The name in its certificate, such as `Server-12345-0a`. It is case-sensitive.
    pub cn: String,
}
