//! NAT-PMP on the wire, as pure functions on bytes: RFC 6886, section 3.

use std::fmt;
use std::net::Ipv4Addr;

/// What is added to a request's opcode in its reply.
const REPLY: u8 = 128;
/// The opcode of a request for the public address.
const ADDRESS: u8 = 0;

/// The protocol of a mapping; its number is the request's opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapProtocol {
    /// UDP.
    Udp = 1,
    /// TCP.
    Tcp = 2,
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// For the gateway's public address.
    Address,
    /// For a mapping, or for its end.
    Map(MapRequest),
}

/// A request for a mapping, or for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapRequest {
    /// What is mapped.
    pub protocol: MapProtocol,
    /// The port on this machine. At Proton VPN, 0 is the port that the gateway chooses.
    pub internal_port: u16,
    /// The number that is wished for on the gateway; 0 for any.
    pub external_port: u16,
    /// For how many seconds; 0 ends the mapping.
    pub lifetime: u32,
}

impl Request {
    /// The datagram: 2 or 12 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0, self.opcode()];
        if let Self::Map(map) = self {
            bytes.extend([0, 0]);
            bytes.extend(map.internal_port.to_be_bytes());
            bytes.extend(map.external_port.to_be_bytes());
            bytes.extend(map.lifetime.to_be_bytes());
        }
        bytes
    }

    fn opcode(&self) -> u8 {
        match self {
            Self::Address => ADDRESS,
            Self::Map(map) => map.protocol as u8,
        }
    }
}

/// Why a gateway refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultCode(pub u16);

impl ResultCode {
    /// The gateway does not know the protocol's version.
    pub const UNSUPPORTED_VERSION: Self = Self(1);
    /// Mappings are off, or this one is not allowed.
    pub const NOT_AUTHORIZED: Self = Self(2);
    /// The gateway itself has no network.
    pub const NETWORK_FAILURE: Self = Self(3);
    /// The gateway has no room for more.
    pub const OUT_OF_RESOURCES: Self = Self(4);
    /// The gateway does not know the request.
    pub const UNSUPPORTED_OPCODE: Self = Self(5);
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The public address.
    Address {
        /// For how many seconds the gateway has known its mappings.
        epoch: u32,
        /// The address.
        address: Ipv4Addr,
    },
    /// A mapping, or its end.
    Map {
        /// As in [`Reply::Address`].
        epoch: u32,
        /// What is mapped.
        protocol: MapProtocol,
        /// The port on this machine.
        internal_port: u16,
        /// The number on the gateway; 0 at its end.
        external_port: u16,
        /// For how many seconds; 0 at its end.
        lifetime: u32,
    },
    /// A refusal.
    Refused {
        /// The opcode of what is refused.
        opcode: u8,
        /// Why.
        code: ResultCode,
        /// As in [`Reply::Address`]; absent where the request came back as it was.
        epoch: Option<u32>,
        /// The port that was asked for; absent where the reply has none.
        internal_port: Option<u16>,
    },
    /// A reply of another version, as a gateway sends that knows PCP alone.
    OtherVersion(u8),
}

impl Reply {
    /// Reads a datagram; `None` for one that is no reply. What follows a whole reply is ignored, and
    /// so is all but the port of a refusal.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (&version, &opcode) = (bytes.first()?, bytes.get(1)?);
        let code = ResultCode(u16_at(bytes, 2)?);
        if version != 0 {
            return (opcode >= REPLY).then_some(Self::OtherVersion(version));
        }
        let epoch = u32_at(bytes, 4)?;
        let is_version = code == ResultCode::UNSUPPORTED_VERSION;
        // The refusal of a version is the only reply without that bit.
        let opcode = match opcode.checked_sub(REPLY) {
            Some(opcode) => opcode,
            None if is_version => opcode,
            None => return None,
        };
        if code != ResultCode(0) {
            // An unknown request comes back as it was, so that it has no epoch.
            let is_echo = code == ResultCode::UNSUPPORTED_OPCODE;
            let internal_port = u16_at(bytes, 8).filter(|_| !is_echo && !is_version);
            let epoch = (!is_echo).then_some(epoch);
            return Some(Self::Refused { opcode, code, epoch, internal_port });
        }
        let protocol = match opcode {
            ADDRESS => {
                let address = Ipv4Addr::from(u32_at(bytes, 8)?);
                return Some(Self::Address { epoch, address });
            }
            1 => MapProtocol::Udp,
            2 => MapProtocol::Tcp,
            _ => return None,
        };
        Some(Self::Map {
            epoch,
            protocol,
            internal_port: u16_at(bytes, 8)?,
            external_port: u16_at(bytes, 10)?,
            lifetime: u32_at(bytes, 12)?,
        })
    }

    /// Whether this answers the request. There is no number of a transaction: opcode and port tell.
    /// A gateway that chooses the port on this machine may name it in its reply.
    #[must_use]
    pub fn answers(&self, request: &Request) -> bool {
        match (*self, *request) {
            (Self::Address { .. }, Request::Address) | (Self::OtherVersion(_), _) => true,
            (
                Self::Map { protocol, internal_port, external_port, lifetime, .. },
                Request::Map(map),
            ) => {
                let asked = map.internal_port;
                let is_symmetric = asked == 0 || asked == map.external_port;
                let is_port =
                    internal_port == asked || is_symmetric && internal_port == external_port;
                protocol == map.protocol && is_port && (map.lifetime > 0 || lifetime == 0)
            }
            (Self::Refused { code: ResultCode::UNSUPPORTED_VERSION, .. }, _) => true,
            (Self::Refused { opcode, internal_port, .. }, request) => {
                let is_port = match request {
                    Request::Address => true,
                    Request::Map(map) => internal_port.is_none_or(|port| port == map.internal_port),
                };
                opcode == request.opcode() && is_port
            }
            _ => false,
        }
    }

    /// For how many seconds the gateway has known its mappings; `None` where the reply does not say.
    #[must_use]
    pub fn epoch(&self) -> Option<u32> {
        match self {
            Self::Address { epoch, .. } | Self::Map { epoch, .. } => Some(*epoch),
            Self::Refused { epoch, .. } => *epoch,
            Self::OtherVersion(_) => None,
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
