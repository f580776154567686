//! The faults that the lab can cause, as data.

use std::fmt;

use anyvpn_sandbox::Wanted;

use Address::{BlackHole, Good, Refused, Six};

use super::ConnectionFault;
use super::resolver::Lookup;
use super::tls::Certificate;

/// A fault of a connection, of TLS or of name resolution.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct LabFault {
    /// The name, such as `tls-expired`.
    pub name: &'static str,
    /// The layer that fails.
    pub level: LabLevel,
    /// A sentence that says what happens.
    pub what: &'static str,
    /// The results that a client may report.
    pub wanted: Wanted,
    pub(crate) kind: fn() -> Kind,
}

/// The layer that fails before there is a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LabLevel {
    /// The name lookup, and the addresses it returns.
    Name,
    /// The connection.
    Connection,
    /// TLS.
    Tls,
}

/// How a fault is caused.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A name with these addresses.
    Name(Name),
    /// A fault of connections to a proxy in front of the server.
    ConnectionFault(ConnectionFault),
    /// As above, but with TLS and this certificate.
    Tls(Certificate, ConnectionFault),
    /// Nothing listens on the port.
    Refused,
    /// The connection is never answered.
    BlackHole,
}

/// The result of looking up a name: the right address, dead ones, or none.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Fails(Lookup),
    /// The addresses, in order.
    Leads(&'static [Address]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Good,
    Refused,
    BlackHole,
    /// `::1`, where nothing listens.
    Six,
}

impl LabFault {
    /// Returns all faults, in the order of their layers.
    pub fn all() -> impl Iterator<Item = &'static LabFault> {
        FAULTS.iter()
    }
}

impl fmt::Debug for LabFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LabFault({})", self.name)
    }
}

const fn name(
    wanted: Wanted,
    name: &'static str,
    what: &'static str,
    kind: fn() -> Kind,
) -> LabFault {
    LabFault { name, level: LabLevel::Name, what, wanted, kind }
}

const fn connection(name: &'static str, what: &'static str, kind: fn() -> Kind) -> LabFault {
    LabFault { name, level: LabLevel::Connection, what, wanted: Wanted::NoValue, kind }
}

const fn idle(name: &'static str, what: &'static str, kind: fn() -> Kind) -> LabFault {
    LabFault { name, level: LabLevel::Connection, what, wanted: Wanted::Value, kind }
}

const fn tls(name: &'static str, what: &'static str, kind: fn() -> Kind) -> LabFault {
    LabFault { name, level: LabLevel::Tls, what, wanted: Wanted::NoValue, kind }
}

const VALUE: Wanted = Wanted::Value;
const NO_VALUE: Wanted = Wanted::NoValue;

static FAULTS: &[LabFault] = &[
    name(NO_VALUE, "name-unknown", "The name does not exist.", || {
        Kind::Name(Name::Fails(Lookup::Unknown))
    }),
    name(NO_VALUE, "name-without-address", "The name has no address.", || {
        Kind::Name(Name::Leads(&[]))
    }),
    name(NO_VALUE, "name-silence", "The name lookup is never answered.", || {
        Kind::Name(Name::Fails(Lookup::Silence))
    }),
    name(
        VALUE,
        "address-first-refused",
        "The first of two addresses refuses the connection.",
        || Kind::Name(Name::Leads(&[Refused, Good])),
    ),
    name(VALUE, "address-first-black-hole", "The first of two addresses never answers.", || {
        Kind::Name(Name::Leads(&[BlackHole, Good]))
    }),
    name(VALUE, "address-last-black-hole", "The last of two addresses never answers.", || {
        Kind::Name(Name::Leads(&[Good, BlackHole]))
    }),
    name(
        VALUE,
        "address-six-refused",
        "Of an IPv6 and an IPv4 address, the IPv6 address refuses the connection.",
        || Kind::Name(Name::Leads(&[Six, Good])),
    ),
    name(NO_VALUE, "addresses-all-refuse", "Both addresses refuse the connection.", || {
        Kind::Name(Name::Leads(&[Refused, Refused]))
    }),
    connection("refused", "Nothing listens on the port.", || Kind::Refused),
    connection("black-hole", "The connection attempt is never answered.", || Kind::BlackHole),
    connection(
        "accepted-and-silent",
        "The server accepts the connection but never reads from it.",
        || Kind::ConnectionFault(ConnectionFault::Silence),
    ),
    connection(
        "reset-after-request-byte",
        "The connection is reset after the first byte of the request.",
        || Kind::ConnectionFault(ConnectionFault::ResetAfter(1)),
    ),
    connection(
        "reset-in-request",
        "The connection is reset after 40 bytes of the request.",
        || Kind::ConnectionFault(ConnectionFault::ResetAfter(40)),
    ),
    connection(
        "reset-before-last-request-byte",
        "The connection is reset before the last byte of the request.",
        || Kind::ConnectionFault(ConnectionFault::ResetBeforeLast),
    ),
    connection(
        "close-in-request",
        "The connection is closed after 40 bytes of the request.",
        || Kind::ConnectionFault(ConnectionFault::CloseAfter(40)),
    ),
    connection("stale-reset", "A kept-alive connection is reset when it is reused.", || {
        Kind::ConnectionFault(ConnectionFault::StaleReset)
    }),
    connection("stale-close", "A kept-alive connection is closed when it is reused.", || {
        Kind::ConnectionFault(ConnectionFault::StaleClose)
    }),
    idle("idle-close", "An idle connection is closed.", || {
        Kind::ConnectionFault(ConnectionFault::IdleClose)
    }),
    idle("idle-reset", "An idle connection is reset.", || {
        Kind::ConnectionFault(ConnectionFault::IdleReset)
    }),
    idle("idle-408", "The server sends 408 on an idle connection, then closes it.", || {
        Kind::ConnectionFault(ConnectionFault::Idle408)
    }),
    idle("idle-200", "A forged reply arrives on an idle connection.", || {
        Kind::ConnectionFault(ConnectionFault::Idle200)
    }),
    LabFault {
        wanted: VALUE,
        ..tls("tls-good", "A valid certificate.", || {
            Kind::Tls(Certificate::Good, ConnectionFault::Through)
        })
    },
    tls("tls-wrong-name", "A certificate for a different name.", || {
        Kind::Tls(Certificate::OtherName, ConnectionFault::Through)
    }),
    tls("tls-expired", "An expired certificate.", || {
        Kind::Tls(Certificate::Expired, ConnectionFault::Through)
    }),
    tls("tls-not-yet-valid", "A certificate that is not valid yet.", || {
        Kind::Tls(Certificate::NotYet, ConnectionFault::Through)
    }),
    tls(
        "tls-unknown-issuer",
        "A certificate from an authority that the client does not trust.",
        || Kind::Tls(Certificate::OtherIssuer, ConnectionFault::Through),
    ),
    tls("tls-self-signed", "A self-signed certificate.", || {
        Kind::Tls(Certificate::SelfSigned, ConnectionFault::Through)
    }),
    tls("tls-1.1", "A server that supports TLS 1.1 but no later version.", || {
        Kind::ConnectionFault(ConnectionFault::Hello([3, 2], *b"ZZZZZZZZ"))
    }),
    tls("tls-downgrade", "TLS 1.2 with the marker of a downgrade.", || {
        Kind::ConnectionFault(ConnectionFault::Hello([3, 3], *b"DOWNGRD\x01"))
    }),
    tls("tls-plain-http", "A server that speaks plain HTTP instead of TLS.", || {
        Kind::ConnectionFault(ConnectionFault::PlainHttp)
    }),
    tls("tls-reset-in-handshake", "The connection is reset after the ClientHello.", || {
        Kind::ConnectionFault(ConnectionFault::HelloReset)
    }),
    tls("tls-close-in-handshake", "The connection is closed after the ClientHello.", || {
        Kind::ConnectionFault(ConnectionFault::HelloClose)
    }),
    tls("tls-silence-in-handshake", "The server sends nothing after the ClientHello.", || {
        Kind::ConnectionFault(ConnectionFault::SilenceInHandshake)
    }),
    tls(
        "tls-cut",
        "The reply without a length, then a close without a `close_notify` alert.",
        || Kind::Tls(Certificate::Good, ConnectionFault::CutTls),
    ),
    tls("tls-forged-record", "Half of the reply, then a forged TLS record.", || {
        Kind::Tls(Certificate::Good, ConnectionFault::ForgedRecord)
    }),
];
