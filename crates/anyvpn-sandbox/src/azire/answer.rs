//! The envelope of AzireVPN's replies, and its refusals.

use serde::Serialize;
use serde_json::json;

use super::quirks::DeleteReply;
use crate::fields::{Errors, Fields};
use crate::provider::Call;
use crate::reply::Reply;

/// The answer to a call. `Err` is a refusal, which leaves the state unchanged.
pub(super) type Answer = Result<Reply, Reply>;

#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    data: T,
}

pub(super) fn success(data: impl Serialize) -> Reply {
    success_with(200, data)
}

pub(super) fn success_with(status: u16, data: impl Serialize) -> Reply {
    Reply::json(status, &Success { status: "success", data })
}

pub(super) fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "status": "error", "message": message }))
}

pub(super) fn invalid(data: Errors) -> Reply {
    let message = "The given data was invalid.";
    Reply::json(422, &json!({ "status": "error", "message": message, "data": data }))
}

/// Refuses one wrong field with a status that may vary. Only 422 has the form of a validation error.
pub(super) fn wrong(status: u16, field: &'static str, message: &str) -> Reply {
    match status {
        422 => invalid(Errors::from([(field, vec![message.to_owned()])])),
        _ => refusal(status, message),
    }
}

pub(super) fn unauthenticated() -> Reply {
    refusal(401, "Unauthenticated.")
}

pub(super) fn not_found() -> Reply {
    refusal(404, "Not found")
}

/// Refuses because of the sandbox's own limit, which bounds its memory. No provider has it.
pub(super) fn full() -> Reply {
    refusal(503, "The sandbox is full.")
}

pub(super) fn deleted(reply: DeleteReply) -> Reply {
    match reply {
        DeleteReply::Envelope => Reply::json(200, &json!({ "status": "success" })),
        DeleteReply::Empty => Reply::empty(200),
        DeleteReply::NoContent => Reply::empty(204),
    }
}

pub(super) fn body(call: &Call) -> Result<Fields, Reply> {
    Fields::of_body(call).map_err(|reason| refusal(400, &reason))
}
