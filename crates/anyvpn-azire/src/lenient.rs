//! Decoders for replies that have more than one form. `openapi.yaml` names them.

use std::fmt;

use anyvpn_core::{Error, ErrorKind, PublicKey};
use anyvpn_http::lenient::integer;
use anyvpn_http::{Dialect as _, Reply};
use http::StatusCode;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Dialect;
use crate::ops::{
    CheckPort, CheckPortByPost, CreateIp, CreatePortForward, HidePortForward, Ip, IpCounts,
    ListPortForwards, PortCheck, PortForward, PortForwards,
};

/// Decodes a list of ports, where a 404 means that the device has none. We ignore its message, because
/// AzireVPN has changed the wording before. Neither a gateway's page nor the reply of a wrong address
/// gets here, since they do not have AzireVPN's form; nor does a 5xx, which the live service has also
/// sent for a device without ports.
pub(crate) fn port_forwards_or_none(
    operation: &ListPortForwards,
    reply: &Reply,
) -> Result<PortForwards, Error> {
    if reply.status == StatusCode::NOT_FOUND {
        return Ok(PortForwards {
            internal_ipv4: operation.internal_ipv4,
            internal_ipv6: None,
            ports: Vec::new(),
        });
    }
    Dialect::decode(reply)
}

/// Decodes a created port. A 406 means that the daily limit on ports is reached; see also
/// [`within_limits`].
pub(crate) fn created_port(_: &CreatePortForward, reply: &Reply) -> Result<PortForward, Error> {
    Dialect::decode(reply).map_err(|error| match reply.status {
        StatusCode::NOT_ACCEPTABLE => error.with_kind(ErrorKind::QuotaReached),
        _ => within_limits(error, reply),
    })
}

/// Decodes a created device; see [`within_limits`].
pub(crate) fn created_ip(_: &CreateIp, reply: &Reply) -> Result<Ip, Error> {
    Dialect::decode(reply).map_err(|error| within_limits(error, reply))
}

/// Gives a refusal because of a limit its kind. The documentation does not say how AzireVPN refuses one
/// more port of a device, or one more device of an account. Refusals of the input name its fields, so a
/// refusal without fields is about a rule. It is not about the token either, which has status 401.
fn within_limits(error: Error, reply: &Reply) -> Error {
    let rule = matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::Unauthorized)
        && reply.status != StatusCode::UNAUTHORIZED
        && error.fields().is_empty();
    if rule { error.with_kind(ErrorKind::Refused) } else { error }
}

/// Decodes the reply to hiding a port. Its `port` is null, so the number is taken from the request.
pub(crate) fn hidden_port(
    operation: &HidePortForward,
    reply: &Reply,
) -> Result<PortForward, Error> {
    #[derive(Deserialize)]
    struct Hidden {
        internal_ipv4: std::net::Ipv4Addr,
        internal_ipv6: Option<std::net::Ipv6Addr>,
        hidden: bool,
        #[serde(with = "anyvpn_http::unix_time")]
        expires_at: anyvpn_core::Timestamp,
    }
    let Hidden { internal_ipv4, internal_ipv6, hidden, expires_at } = Dialect::decode(reply)?;
    Ok(PortForward { internal_ipv4, internal_ipv6, port: operation.port, hidden, expires_at })
}

/// An operation that checks a port.
pub(crate) trait Check {
    fn port(&self) -> u16;
}

impl Check for CheckPort {
    fn port(&self) -> u16 {
        self.port
    }
}

impl Check for CheckPortByPost {
    fn port(&self) -> u16 {
        self.port
    }
}

/// Decodes the result of a check. The answer for a closed port has `"status": "error"`, and its HTTP
/// status is not documented. So for 2xx and 4xx we check the structure: an answer repeats the port, and
/// a refusal does not.
pub(crate) fn port_check(operation: &impl Check, reply: &Reply) -> Result<PortCheck, Error> {
    #[derive(Deserialize)]
    struct Answer {
        status: String,
        message: Option<String>,
        data: Checked,
    }
    #[derive(Deserialize)]
    struct Checked {
        source_ip: Option<std::net::IpAddr>,
        #[serde(deserialize_with = "integer")]
        port: u16,
    }
    let answers = reply.status.is_success() || reply.status.is_client_error();
    match reply.json::<Answer>() {
        Ok(answer) if answers && answer.data.port == operation.port() => Ok(PortCheck {
            open: answer.status == "success",
            source_ip: answer.data.source_ip,
            port: answer.data.port,
            message: answer.message,
        }),
        Ok(_) if answers => Err(reply.unexpected("at `data.port`: not the port asked about")),
        Ok(_) => Err(Dialect::refusal(reply)),
        Err(error) => match Dialect::decode::<IgnoredAny>(reply) {
            Err(refusal) if refusal.kind() != ErrorKind::UnexpectedReply => Err(refusal),
            _ => Err(error),
        },
    }
}

/// Decodes an object, or an array of objects with one key each; `None` if it is absent.
pub(crate) fn ip_counts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<IpCounts>, D::Error> {
    #[derive(Deserialize)]
    struct One {
        allocated: Option<u32>,
        available: Option<u32>,
    }

    struct Counts;

    impl<'de> Visitor<'de> for Counts {
        type Value = Option<IpCounts>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`allocated` and `available`")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            IpCounts::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let (mut allocated, mut available) = (None, None);
            while let Some(one) = seq.next_element::<One>()? {
                allocated = one.allocated.or(allocated);
                available = one.available.or(available);
            }
            Ok(allocated
                .zip(available)
                .map(|(allocated, available)| IpCounts { allocated, available }))
        }
    }

    deserializer.deserialize_any(Counts)
}

/// Decodes a string, or an array of strings; an empty string counts as none.
pub(crate) fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    struct Strings;

    impl<'de> Visitor<'de> for Strings {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or an array of strings")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(if text.is_empty() { Vec::new() } else { vec![text.to_owned()] })
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
            let mut strings = Vec::<String>::deserialize(SeqAccessDeserializer::new(seq))?;
            strings.retain(|text| !text.is_empty());
            Ok(strings)
        }
    }

    deserializer.deserialize_any(Strings)
}

/// Decodes a public key, or an array of them; an empty string counts as none.
pub(crate) fn public_keys<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<PublicKey>, D::Error> {
    let key = |text: &String| text.parse().map_err(|_| de::Error::custom("not a public key"));
    one_or_many(deserializer)?.iter().map(key).collect()
}
