//! The wire format of NAT-PMP, as pure functions on bytes (RFC 6886, section 3).

use std::fmt;
use std::net::Ipv4Addr;

/// The bit that distinguishes the opcode of a reply from that of its request.
const REPLY: u8 = 128;
/// The opcode of a request for the public address.
const ADDRESS: u8 = 0;

/// The protocol of a mapping. Its value is the opcode of the request.
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
    /// Requests the gateway's public address.
    Address,
    /// Requests a mapping or its deletion.
    Map(MapRequest),
}

/// A request for a mapping or its deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapRequest {
    /// The protocol.
    pub protocol: MapProtocol,
    /// The port on this machine. At Proton VPN, 0 is the port that the gateway chooses.
    pub internal_port: u16,
    /// The port to request on the gateway; 0 for any.
    pub external_port: u16,
    /// The lifetime in seconds; 0 deletes the mapping.
    pub lifetime: u32,
}

impl Request {
    /// Encodes the datagram, which has 2 or 12 bytes.
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

/// The reason of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultCode(pub u16);

impl ResultCode {
    /// The gateway does not support the version of the protocol.
    pub const UNSUPPORTED_VERSION: Self = Self(1);
    /// Mappings are disabled, or this one is not allowed.
    pub const NOT_AUTHORIZED: Self = Self(2);
    /// The gateway itself has no network.
    pub const NETWORK_FAILURE: Self = Self(3);
    /// The gateway has no resources for more mappings.
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
        /// How many seconds the gateway has kept its mappings.
        epoch: u32,
        /// The address.
        address: Ipv4Addr,
    },
    /// A mapping, or its deletion.
    Map {
        /// As in [`Reply::Address`].
        epoch: u32,
        /// The protocol.
        protocol: MapProtocol,
        /// The port on this machine.
        internal_port: u16,
        /// The port on the gateway; 0 if the mapping was deleted.
        external_port: u16,
        /// The lifetime in seconds; 0 if the mapping was deleted.
        lifetime: u32,
    },
    /// A refusal.
    Refused {
        /// The opcode of the refused request.
        opcode: u8,
        /// The reason.
        code: ResultCode,
        /// As in [`Reply::Address`]. `None` if the gateway returned the request unchanged.
        epoch: Option<u32>,
        /// The requested port. `None` if the reply does not contain it.
        internal_port: Option<u16>,
    },
    /// A reply of another version, sent by a gateway that only supports PCP.
    OtherVersion(u8),
}

impl Reply {
    /// Parses a datagram. `None` if it is not a reply. Extra bytes are ignored, and so is everything in a
    /// refusal except the port.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (&version, &opcode) = (bytes.first()?, bytes.get(1)?);
        let code = ResultCode(u16_at(bytes, 2)?);
        if version != 0 {
            return (opcode >= REPLY).then_some(Self::OtherVersion(version));
        }
        let epoch = u32_at(bytes, 4)?;
        let is_version = code == ResultCode::UNSUPPORTED_VERSION;
        // Only the refusal of a version lacks the reply bit (128) in the opcode.
        let opcode = match opcode.checked_sub(REPLY) {
            Some(opcode) => opcode,
            None if is_version => opcode,
            None => return None,
        };
        if code != ResultCode(0) {
            // A gateway returns an unknown request unchanged, so there is no epoch.
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

    /// Returns whether this reply answers the request. There is no transaction id, so opcode and port
    /// decide. A gateway that chooses the port on this machine may name it in the reply.
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

    /// Returns how many seconds the gateway has kept its mappings. `None` if the reply does not say.
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
