//! The gateway's mappings, and its replies as bytes.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use super::quirks::{FirstForm, LateRenewal, Quirks};
use crate::Clock;
use crate::random::Random;

/// Added to a request's opcode to get the reply's opcode.
const REPLY: u8 = 128;
/// The gateway's public address, from a network reserved for documentation.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
/// The numbers that can be granted.
const NUMBERS: std::ops::Range<u32> = 32_768..65_536;
/// The maximum number of mappings per client and protocol.
const MOST: usize = 5;
/// How long the gateway has been up when the sandbox starts, in seconds: weeks, as with Proton's.
const UP: i64 = 4_200_000;

/// The opcode of a request for TCP.
pub(super) const TCP: u8 = 2;
const NOT_AUTHORIZED: u16 = 2;
const UNSUPPORTED_OPCODE: u16 = 5;

pub(crate) struct State {
    pub(super) quirks: Quirks,
    pub(super) random: Random,
    pub(super) clock: Clock,
    /// When the gateway started, in seconds.
    pub(super) began: i64,
    pub(super) mappings: Vec<Mapping>,
    /// The longest lifetime that is granted, in seconds.
    pub(super) longest: u32,
    /// Whether the client chooses its own port, and internal port 0 is refused.
    pub(super) is_plain: bool,
    pub(super) separates_protocols: bool,
    pub(super) speaks_pcp: bool,
}

pub(super) struct Mapping {
    /// 1 for UDP, 2 for TCP.
    pub(super) protocol: u8,
    pub(super) client: IpAddr,
    pub(super) internal: u16,
    pub(super) external: u16,
    pub(super) ends_at: Timestamp,
}

/// A request for a mapping.
#[derive(Clone, Copy)]
struct Asked {
    protocol: u8,
    client: IpAddr,
    internal: u16,
    external: u16,
    lifetime: u32,
}

impl State {
    pub(super) fn new(quirks: Quirks, seed: u64, clock: &Clock) -> State {
        State {
            quirks,
            random: Random::new(seed, 5),
            began: clock.now().as_second() - UP,
            clock: clock.clone(),
            mappings: Vec::new(),
            longest: 60,
            is_plain: false,
            separates_protocols: false,
            speaks_pcp: false,
        }
    }

    /// Removes the mappings that have expired.
    pub(super) fn expire(&mut self) {
        let now = self.clock.now();
        self.mappings.retain(|mapping| mapping.ends_at > now);
    }

    /// Restarts the gateway without mappings.
    pub(super) fn restart(&mut self) {
        self.mappings.clear();
        self.began = self.clock.now().as_second();
    }

    fn epoch(&self) -> u32 {
        let seconds = self.clock.now().as_second() - self.began;
        u32::try_from(seconds).unwrap_or_default()
    }

    /// Returns the reply to a datagram; `None` means no reply. With `refusal`, the reply is a refusal
    /// with that result.
    pub(super) fn reply(
        &mut self,
        bytes: &[u8],
        client: IpAddr,
        refusal: Option<u16>,
    ) -> Option<Vec<u8>> {
        let (&version, &opcode) = (bytes.first()?, bytes.get(1)?);
        if opcode >= REPLY {
            return None;
        }
        if self.speaks_pcp {
            // 24 bytes. The first four say that the reply is version 2 and that the request's version
            // is not supported.
            let mut reply = vec![2, opcode + REPLY, 0, 1];
            reply.resize(24, 0);
            return Some(reply);
        }
        if version != 0 {
            return Some(self.head(0, 1));
        }
        match (opcode, refusal) {
            (0, result) => {
                let address = if result.is_some() { Ipv4Addr::UNSPECIFIED } else { ADDRESS };
                let head = self.head(REPLY, result.unwrap_or_default());
                Some([&head[..], &address.octets()].concat())
            }
            (1 | 2, refusal) => {
                let asked = asked(bytes, client)?;
                match refusal {
                    Some(result) => Some(self.refused(asked, result)),
                    None => self.map(asked),
                }
            }
            _ => Some(self.unknown(bytes, opcode)),
        }
    }

    fn unknown(&self, bytes: &[u8], opcode: u8) -> Vec<u8> {
        if self.quirks.unknown_is_short || bytes.len() < 4 {
            return self.head(opcode + REPLY, UNSUPPORTED_OPCODE);
        }
        let mut reply = bytes.to_vec();
        reply[1] += REPLY;
        reply[2..4].copy_from_slice(&UNSUPPORTED_OPCODE.to_be_bytes());
        reply
    }

    fn head(&self, opcode: u8, result: u16) -> Vec<u8> {
        let mut head = vec![0, opcode];
        head.extend(result.to_be_bytes());
        head.extend(self.epoch().to_be_bytes());
        head
    }

    fn mapped(&self, asked: Asked, internal: u16, external: u16, lifetime: u32) -> Vec<u8> {
        let mut reply = self.head(asked.protocol + REPLY, 0);
        reply.extend(internal.to_be_bytes());
        reply.extend(external.to_be_bytes());
        reply.extend(lifetime.to_be_bytes());
        reply
    }

    fn refused(&self, asked: Asked, result: u16) -> Vec<u8> {
        let filled = self.quirks.refusal_is_filled;
        let (external, lifetime) = if filled { (asked.external, asked.lifetime) } else { (0, 0) };
        let mut reply = self.mapped(asked, asked.internal, external, lifetime);
        reply[2..4].copy_from_slice(&result.to_be_bytes());
        reply
    }

    fn map(&mut self, asked: Asked) -> Option<Vec<u8>> {
        if asked.lifetime == 0 {
            self.end(asked);
            return Some(self.mapped(asked, asked.internal, 0, 0));
        }
        let Quirks { first_form, late_renewal, too_many, .. } = self.quirks;
        let plain = self.is_plain;
        let is_of_client =
            |it: &&mut Mapping| it.client == asked.client && it.protocol == asked.protocol;
        let mut of_client: Vec<_> = self.mappings.iter_mut().filter(is_of_client).collect();
        let count = of_client.len();
        let is_symmetric = asked.internal == 0;
        let is_same = |it: &Mapping| match is_symmetric {
            true => it.internal == it.external,
            false => it.internal == asked.internal,
        };
        let lifetime = asked.lifetime.min(self.longest);
        let ends_at = self.clock.now().checked_add(std::time::Duration::from_secs(lifetime.into()));
        let ends_at = ends_at.unwrap_or(Timestamp::MAX);
        let refusal = match (is_symmetric, plain) {
            (true, true) => Some(NOT_AUTHORIZED),
            (true, false) if asked.external != 0 => match first_form {
                FirstForm::Granted => None,
                FirstForm::Refused => Some(NOT_AUTHORIZED),
                FirstForm::Silent => return None,
            },
            _ => None,
        };
        if let Some(result) = refusal {
            return Some(self.refused(asked, result));
        }
        if let Some(had) = of_client.iter_mut().find(|it| is_same(it)) {
            had.ends_at = ends_at;
            let external = had.external;
            let internal = self.internal(asked, external);
            return Some(self.mapped(asked, internal, external, lifetime));
        }
        let is_late = !plain && !is_symmetric && asked.internal == asked.external;
        if is_late && late_renewal == LateRenewal::Refused {
            return Some(self.refused(asked, NOT_AUTHORIZED));
        }
        if count >= MOST {
            return Some(self.refused(asked, too_many));
        }
        let is_symmetric = is_symmetric || is_late && late_renewal == LateRenewal::Symmetric;
        // A lost number now belongs to another client.
        let lost = if is_late { asked.external } else { 0 };
        let external = self.number(asked, is_symmetric, lost)?;
        let internal = if is_symmetric { external } else { asked.internal };
        let Asked { protocol, client, .. } = asked;
        self.mappings.push(Mapping { protocol, client, internal, external, ends_at });
        let internal = match asked.internal {
            0 => self.internal(asked, external),
            _ => internal,
        };
        Some(self.mapped(asked, internal, external, lifetime))
    }

    /// Returns the internal port to name in the reply.
    fn internal(&self, asked: Asked, external: u16) -> u16 {
        match asked.internal {
            0 if self.quirks.replies_with_both_ports => external,
            internal => internal,
        }
    }

    /// Returns a number to grant: that of the client's other protocol, the suggested one, or any.
    fn number(&mut self, asked: Asked, is_symmetric: bool, lost: u16) -> Option<u16> {
        let of_client = |it: &&Mapping| it.client == asked.client && it.protocol != asked.protocol;
        let partner = self.mappings.iter().filter(of_client).find(|it| match is_symmetric {
            true => it.internal == it.external,
            false => it.internal == asked.internal,
        });
        if let Some(partner) = partner.filter(|_| !self.separates_protocols) {
            return Some(partner.external);
        }
        let mappings = &self.mappings;
        let is_taken = |number: u16| {
            number == lost || mappings.iter().any(|mapping| mapping.external == number)
        };
        if self.is_plain {
            let first = if asked.external == 0 { asked.internal } else { asked.external };
            return (first..=u16::MAX).find(|number| !is_taken(*number));
        }
        let number = self.random.free(NUMBERS, |number| is_taken(number as u16))?;
        u16::try_from(number).ok()
    }

    /// Ends a mapping, or all mappings of the client if the internal port is 0.
    fn end(&mut self, asked: Asked) {
        let is_both = self.quirks.end_of_all_is_of_both;
        self.mappings.retain(|it| {
            let is_meant = match asked.internal {
                0 => is_both || it.protocol == asked.protocol,
                internal => it.protocol == asked.protocol && it.internal == internal,
            };
            it.client != asked.client || !is_meant
        });
    }
}

/// Returns the operation that a datagram requests.
pub(super) fn operation(bytes: &[u8]) -> Option<&'static str> {
    match *bytes.get(1)? {
        0 => Some("natpmp.get-address"),
        1 => Some("natpmp.map-udp-port"),
        2 => Some("natpmp.map-tcp-port"),
        _ => None,
    }
}

fn asked(bytes: &[u8], client: IpAddr) -> Option<Asked> {
    let [_, protocol, _, _, i1, i0, e1, e0, l3, l2, l1, l0] = *bytes.first_chunk()?;
    Some(Asked {
        protocol,
        client,
        internal: u16::from_be_bytes([i1, i0]),
        external: u16::from_be_bytes([e1, e0]),
        lifetime: u32::from_be_bytes([l3, l2, l1, l0]),
    })
}
