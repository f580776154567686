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
    name(NO_VALUE, "name-unknown", "There is no such name.", || {
        Kind::Name(Name::Fails(Lookup::Unknown))
    }),
    name(NO_VALUE, "name-without-address", "The name has no address.", || {
        Kind::Name(Name::Leads(&[]))
    }),
    name(NO_VALUE, "name-silence", "The name is never answered.", || {
        Kind::Name(Name::Fails(Lookup::Silence))
    }),
    name(VALUE, "address-first-refused", "The first of two addresses refuses.", || {
        Kind::Name(Name::Leads(&[Refused, Good]))
    }),
    name(VALUE, "address-first-black-hole", "The first of two addresses never answers.", || {
        Kind::Name(Name::Leads(&[BlackHole, Good]))
    }),
    name(VALUE, "address-last-black-hole", "The last of two addresses never answers.", || {
        Kind::Name(Name::Leads(&[Good, BlackHole]))
    }),
    name(
        VALUE,
        "address-six-refused",
        "Of an IPv6 and an IPv4 address, the first refuses.",
        || Kind::Name(Name::Leads(&[Six, Good])),
    ),
    name(NO_VALUE, "addresses-all-refuse", "Both addresses refuse.", || {
        Kind::Name(Name::Leads(&[Refused, Refused]))
    }),
    connection("refused", "Nothing listens.", || Kind::Refused),
    connection("black-hole", "The connection is never answered.", || Kind::BlackHole),
    connection("accepted-and-silent", "Accepted, and nothing is ever read.", || {
        Kind::ConnectionFault(ConnectionFault::Silence)
    }),
    connection("reset-after-request-byte", "Reset after the request's first byte.", || {
        Kind::ConnectionFault(ConnectionFault::ResetAfter(1))
    }),
    connection("reset-in-request", "Reset after 40 bytes of the request.", || {
        Kind::ConnectionFault(ConnectionFault::ResetAfter(40))
    }),
    connection("reset-before-last-request-byte", "Reset before the request's last byte.", || {
        Kind::ConnectionFault(ConnectionFault::ResetBeforeLast)
    }),
    connection("close-in-request", "Closed after 40 bytes of the request.", || {
        Kind::ConnectionFault(ConnectionFault::CloseAfter(40))
    }),
    connection("stale-reset", "A kept connection is reset as it is used again.", || {
        Kind::ConnectionFault(ConnectionFault::StaleReset)
    }),
    connection("stale-close", "A kept connection is closed as it is used again.", || {
        Kind::ConnectionFault(ConnectionFault::StaleClose)
    }),
    idle("idle-close", "A kept connection is closed while nobody uses it.", || {
        Kind::ConnectionFault(ConnectionFault::IdleClose)
    }),
    idle("idle-reset", "A kept connection is reset while nobody uses it.", || {
        Kind::ConnectionFault(ConnectionFault::IdleReset)
    }),
    idle("idle-408", "408 on a kept connection while nobody uses it, then closed.", || {
        Kind::ConnectionFault(ConnectionFault::Idle408)
    }),
    idle("idle-200", "A forged reply on a kept connection while nobody uses it.", || {
        Kind::ConnectionFault(ConnectionFault::Idle200)
    }),
    LabFault {
        wanted: VALUE,
        ..tls("tls-good", "A certificate as it should be.", || {
            Kind::Tls(Certificate::Good, ConnectionFault::Through)
        })
    },
    tls("tls-wrong-name", "A certificate for another name.", || {
        Kind::Tls(Certificate::OtherName, ConnectionFault::Through)
    }),
    tls("tls-expired", "A certificate that has expired.", || {
        Kind::Tls(Certificate::Expired, ConnectionFault::Through)
    }),
    tls("tls-not-yet-valid", "A certificate of the future.", || {
        Kind::Tls(Certificate::NotYet, ConnectionFault::Through)
    }),
    tls("tls-unknown-issuer", "A certificate by an authority that nobody trusts.", || {
        Kind::Tls(Certificate::OtherIssuer, ConnectionFault::Through)
    }),
    tls("tls-self-signed", "A certificate that signs itself.", || {
        Kind::Tls(Certificate::SelfSigned, ConnectionFault::Through)
    }),
    tls("tls-1.1", "A server that knows TLS 1.1 and no later one.", || {
        Kind::ConnectionFault(ConnectionFault::Hello([3, 2], *b"ZZZZZZZZ"))
    }),
    tls("tls-downgrade", "TLS 1.2, with the mark that somebody forced it down.", || {
        Kind::ConnectionFault(ConnectionFault::Hello([3, 3], *b"DOWNGRD\x01"))
    }),
    tls("tls-plain-http", "Plain HTTP where TLS should be.", || {
        Kind::ConnectionFault(ConnectionFault::PlainHttp)
    }),
    tls("tls-reset-in-handshake", "Reset after the client's hello.", || {
        Kind::ConnectionFault(ConnectionFault::HelloReset)
    }),
    tls("tls-close-in-handshake", "Closed after the client's hello.", || {
        Kind::ConnectionFault(ConnectionFault::HelloClose)
    }),
    tls("tls-silence-in-handshake", "Silence after the client's hello.", || {
        Kind::ConnectionFault(ConnectionFault::SilenceInHandshake)
    }),
    tls("tls-cut", "The reply, and an end that TLS does not confirm.", || {
        Kind::Tls(Certificate::Good, ConnectionFault::CutTls)
    }),
    tls("tls-forged-record", "Half of the reply, and a record that nobody enciphered.", || {
        Kind::Tls(Certificate::Good, ConnectionFault::ForgedRecord)
    }),
];
