//! The envelope of VPN Script's replies, and its refusals.

use http::header::{ACCEPT, LOCATION};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::quirks::{Flag, Quirks};
use crate::fields::{Errors, Fields};
use crate::provider::Call;
use crate::reply::Reply;

/// The answer to a call. `Err` is a refusal, which leaves the state unchanged.
pub(super) type Answer = Result<Reply, Reply>;

/// The documented name of the success flag.
pub(super) const SUCCESS: &str = "success";
pub(super) const STATUS: &str = "status";

pub(super) const NO_SERVER: &str = "The server is not found or enabled.";
pub(super) const NOT_OPENVPN: &str = "The server is not using OpenVPN protocol.";
pub(super) const NOT_WIREGUARD: &str = "The server is not using WireGuard protocol.";

struct Envelope<'a, T> {
    quirks: &'a Quirks,
    /// The documented name of the flag.
    flag: &'static str,
    success: bool,
    message: Option<&'a str>,
    data: Option<T>,
}

impl<T: Serialize> Serialize for Envelope<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let flag = match self.quirks.flag {
            Flag::Documented => self.flag,
            Flag::Success => SUCCESS,
            Flag::Status => STATUS,
        };
        let key = if self.success { "message" } else { self.quirks.message_key.name() };
        let mut map = serializer.serialize_map(None)?;
        match self.quirks.flag_is_number {
            true => map.serialize_entry(flag, &u8::from(self.success))?,
            false => map.serialize_entry(flag, &self.success)?,
        }
        map.serialize_entry(key, &self.message)?;
        if let Some(data) = &self.data {
            map.serialize_entry("data", data)?;
        }
        map.end()
    }
}

pub(super) fn success(quirks: &Quirks, flag: &'static str, data: impl Serialize) -> Reply {
    let data = Some(data);
    Reply::json(200, &Envelope { quirks, flag, success: true, message: None, data })
}

/// Returns the reply for a queued job, which does not name the configuration.
pub(super) fn dispatched(quirks: &Quirks, flag: &'static str, work: &str) -> Reply {
    let message =
        format!("WireGuard configuration {work} job dispatched. It will be completed shortly.");
    let (message, data) = (Some(&*message), None::<Value>);
    Reply::json(200, &Envelope { quirks, flag, success: true, message, data })
}

/// Returns a documented refusal.
pub(super) fn refused(quirks: &Quirks, message: &str) -> Reply {
    let (message, data) = (Some(message), None::<Value>);
    let envelope = Envelope { quirks, flag: SUCCESS, success: false, message, data };
    Reply::json(quirks.refused, &envelope)
}

/// Returns a refusal that is not documented.
pub(super) fn refused_with(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "success": false, "message": message }))
}

/// Returns Laravel's own error, without the application's envelope.
pub(super) fn failure(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "message": message }))
}

pub(super) fn invalid(errors: Errors) -> Reply {
    let message = "The given data was invalid.";
    Reply::json(422, &json!({ "message": message, "errors": errors }))
}

pub(super) fn wrong_credentials() -> Reply {
    refused_with(422, "The provided credentials are incorrect.")
}

pub(super) fn suspended(reason: Option<&str>) -> Reply {
    let error = "Your account has been suspended.";
    Reply::json(400, &json!({ "status": false, "error": error, "suspend_reason": reason }))
}

/// Returns 401 to callers that ask for JSON, and a redirect to the login page to all others.
pub(super) fn unauthenticated(call: &Call) -> Reply {
    // Laravel uses the type that is named first.
    let first = call.header(ACCEPT).and_then(|types| types.split(',').next());
    let json = first.is_some_and(|kind| kind.contains("/json") || kind.contains("+json"));
    match json {
        true => refused_with(401, "Unauthenticated."),
        false => Reply::html(302).with_header(LOCATION, LOGIN),
    }
}

const LOGIN: http::HeaderValue = http::HeaderValue::from_static("/vpnscript/login");

/// Refuses because of the sandbox's own limit, which bounds its memory. No provider has it.
pub(super) fn full() -> Reply {
    failure(503, "The sandbox is full.")
}

pub(super) fn input(call: &Call) -> Result<Fields, Reply> {
    Fields::of_call(call).map_err(|reason| failure(400, &reason))
}
