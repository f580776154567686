//! The envelope of VPNGN's replies, and its refusals.

use http::header::RETRY_AFTER;
use serde::Serialize;
use serde_json::{Value, json};

use super::quirks::{CodeForm, EmptyList, ErrorStatus, Quirks};
use crate::fields::Errors;
use crate::reply::Reply;

/// The answer to a call. `Err` is a refusal, which leaves the state unchanged.
pub(super) type Answer = Result<Reply, Refusal>;

/// The kinds of errors. The sandbox defines their codes, because none are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    UnknownKey,
    Denied,
    Invalid,
    WeakPassword,
    NoClient,
    NoProduct,
    NoAlias,
    ClientExists,
    AliasExists,
    ActiveProduct,
    TooMany,
    Other,
}

impl Kind {
    fn code(self) -> (u16, &'static str) {
        match self {
            Kind::UnknownKey => (1001, "invalid_api_key"),
            Kind::Denied => (1002, "access_denied"),
            Kind::Invalid => (1101, "invalid_parameter"),
            Kind::WeakPassword => (1102, "weak_password"),
            Kind::NoClient => (1201, "client_not_found"),
            Kind::NoProduct => (1202, "product_not_found"),
            Kind::NoAlias => (1203, "alias_not_found"),
            Kind::ClientExists => (1301, "client_exists"),
            Kind::AliasExists => (1302, "alias_exists"),
            Kind::ActiveProduct => (1303, "active_product_exists"),
            Kind::TooMany => (1401, "too_many_requests"),
            Kind::Other => (1900, "request_failed"),
        }
    }

    fn status(self, quirks: &Quirks) -> u16 {
        match (self, quirks.error_status) {
            // The web server itself returns these two.
            (Kind::TooMany, _) => 429,
            (Kind::Other, _) => 503,
            (_, ErrorStatus::Ok) => 200,
            (_, ErrorStatus::BadRequest) => 400,
            (Kind::UnknownKey | Kind::Denied, _) => quirks.denied,
            (Kind::Invalid | Kind::WeakPassword, _) => quirks.invalid,
            (Kind::NoClient | Kind::NoProduct | Kind::NoAlias, _) => 404,
            (Kind::ClientExists | Kind::AliasExists | Kind::ActiveProduct, _) => quirks.exists,
        }
    }
}

/// An error, before it is written in the form that the seed determines.
#[derive(Debug)]
pub(crate) struct Refusal {
    kind: Kind,
    message: String,
    retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(kind: Kind, message: &str) -> Refusal {
        Refusal { kind, message: message.to_owned(), retry_after: None }
    }

    pub(super) fn too_many(retry_after: u64) -> Refusal {
        let message = "Only one client can be added every 10 seconds.";
        Refusal { retry_after: Some(retry_after), ..Refusal::new(Kind::TooMany, message) }
    }

    /// Refuses because of the sandbox's own limit, which bounds its memory. The provider does not have
    /// it.
    pub(super) fn full() -> Refusal {
        Refusal::new(Kind::Other, "The sandbox is full.")
    }

    pub(super) fn into_reply(self, quirks: &Quirks) -> Reply {
        let reply = error(self.kind.status(quirks), self.kind, &self.message, quirks);
        match self.retry_after.filter(|_| quirks.retry_after) {
            Some(seconds) => reply.with_header(RETRY_AFTER, seconds),
            None => reply,
        }
    }
}

/// Only the first wrong field is reported.
impl From<Errors> for Refusal {
    fn from(errors: Errors) -> Refusal {
        let message = errors.into_values().flatten().next().unwrap_or_default();
        Refusal::new(Kind::Invalid, &message)
    }
}

/// Returns an error of the web server rather than of the API; its status is the same with all choices.
pub(super) fn server_error(status: u16, message: &str, quirks: &Quirks) -> Reply {
    let kind = if status == 429 { Kind::TooMany } else { Kind::Other };
    error(status, kind, message, quirks)
}

fn error(status: u16, kind: Kind, message: &str, quirks: &Quirks) -> Reply {
    let (number, word) = kind.code();
    let code = match quirks.code_form {
        CodeForm::Number => Value::from(number),
        CodeForm::Digits => Value::from(number.to_string()),
        CodeForm::Word => Value::from(word),
    };
    let body = json!({
        "status": "error", quirks.code_field: code, quirks.message_field: message,
    });
    Reply::json(status, &body)
}

pub(super) fn success() -> Reply {
    Reply::json(200, &json!({ "status": "success" }))
}

/// Returns the reply with a list as its `response`, if it has one.
pub(super) fn listed(list: Vec<Value>, quirks: &Quirks) -> Value {
    match !list.is_empty() || quirks.empty_list == EmptyList::Array {
        true => json!({ "response": list }),
        false => json!({}),
    }
}

/// Returns a reply with further fields besides `status`.
pub(super) fn success_with(reply: &impl Serialize) -> Reply {
    #[derive(Serialize)]
    struct Success<'a, T> {
        status: &'static str,
        #[serde(flatten)]
        reply: &'a T,
    }
    Reply::json(200, &Success { status: "success", reply })
}
