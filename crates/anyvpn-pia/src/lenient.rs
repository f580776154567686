//! Decoders for replies that have more than one form.

use std::net::Ipv4Addr;

use anyvpn_core::Error;
use anyvpn_http::{Dialect as _, Reply};
use serde::{Deserialize, Deserializer, de};

use crate::dialect::Dialect;
use crate::ops::ListServers;
use crate::types::SignedServerList;

/// Decodes an address, which may be followed by `/32`.
pub fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ipv4Addr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let address = text.strip_suffix("/32").unwrap_or(&text);
    address.parse().map_err(|_| de::Error::custom("not an IPv4 address"))
}

/// Decodes the server list and its signature.
pub fn signed_server_list(_: &ListServers, reply: &Reply) -> Result<SignedServerList, Error> {
    match reply.status.is_success() {
        true => SignedServerList::read(reply),
        false => Err(Dialect::refusal(reply)),
    }
}
