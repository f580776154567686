//! The envelope of VPNresellers' replies, its refusals, and its pages.

use serde_json::{Map, Value, json};

use super::quirks::{DoneReply, InvalidForm, Quirks};
use crate::fields::{Errors, Fields};
use crate::provider::Call;
use crate::reply::Reply;

/// The answer to a call. `Err` is a refusal, which leaves the state unchanged.
pub(super) type Answer = Result<Reply, Reply>;

/// A host name that does not exist.
const URL: &str = "https://api.vpnresellers.example/v4_1";
/// The number of elements of a page, unless the caller sets it.
const PER_PAGE: i64 = 15;
const MOST_PER_PAGE: i64 = 100;

/// Returns a body with the status as its `code`, if it has one.
fn coded(quirks: &Quirks, status: u16, mut body: Value) -> Reply {
    if !quirks.code_is_missing {
        body["code"] = status.into();
    }
    Reply::json(status, &body)
}

pub(super) fn success(quirks: &Quirks, data: impl Into<Value>) -> Reply {
    success_with(quirks, 200, data)
}

pub(super) fn success_with(quirks: &Quirks, status: u16, data: impl Into<Value>) -> Reply {
    coded(quirks, status, json!({ "data": data.into() }))
}

pub(super) fn free_name(quirks: &Quirks) -> Reply {
    coded(quirks, 200, json!({ "message": "The username checking was successfully." }))
}

/// Returns the answer to a change, with the account if it still exists.
pub(super) fn done(quirks: &Quirks, account: Option<Value>) -> Reply {
    match (quirks.done, account) {
        (DoneReply::Account, Some(account)) => success(quirks, account),
        (DoneReply::Account | DoneReply::EmptyList, _) => success(quirks, json!([])),
        (DoneReply::Empty, _) => Reply::empty(200),
        (DoneReply::NoContent, _) => Reply::empty(204),
    }
}

pub(super) fn refusal(quirks: &Quirks, status: u16, message: &str) -> Reply {
    let body = json!({ "message": message });
    let is_known = matches!(
        (status, message),
        (401 | 422 | 429, _) | (402, "Insufficient Balance.") | (404, "Account not found.")
    );
    match quirks.code_is_missing && is_known {
        true => Reply::json(status, &body),
        false => coded(&Quirks { code_is_missing: false, ..quirks.clone() }, status, body),
    }
}

/// Returns the framework's own error, without a `code`.
pub(super) fn framework(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "message": message }))
}

pub(super) fn unauthorized(quirks: &Quirks) -> Reply {
    match quirks.code_is_missing {
        true => framework(401, "Unauthenticated."),
        false => refusal(quirks, 401, "Unauthorized."),
    }
}

pub(super) fn no_account(quirks: &Quirks) -> Reply {
    refusal(quirks, 404, "Account not found.")
}

pub(super) fn no_balance(quirks: &Quirks) -> Reply {
    refusal(quirks, 402, "Insufficient Balance.")
}

/// Refuses because of the sandbox's own limit, which bounds its memory. No provider has it.
pub(super) fn full(quirks: &Quirks) -> Reply {
    refusal(quirks, 503, "The sandbox is full.")
}

pub(super) fn invalid(quirks: &Quirks, errors: Errors) -> Reply {
    let first = errors.values().flatten().next().cloned().unwrap_or_default();
    let mut body = json!({ "message": first });
    match quirks.invalid {
        InvalidForm::Named => body["errors"] = json!(errors),
        InvalidForm::Generic => {
            body = json!({ "message": "The given data was invalid.", "errors": errors });
        }
        InvalidForm::MessageOnly => {}
    }
    coded(quirks, 422, body)
}

/// Refuses an invalid field.
pub(super) fn wrong(quirks: &Quirks, field: &'static str, why: &str) -> Reply {
    invalid(quirks, Errors::from([(field, vec![why.to_owned()])]))
}

/// Returns the fields of a JSON body.
pub(super) fn body(quirks: &Quirks, call: &Call) -> Result<Fields, Reply> {
    Fields::of_body(call).map_err(|_| refusal(quirks, 400, "Bad Request."))
}

/// Returns the number and size of the page that the query requests.
pub(super) fn paging(quirks: &Quirks, call: &Call) -> Result<(i64, i64), Reply> {
    let mut query = Fields::of_query(call);
    let number = query.integer("page", 1..=i64::MAX).unwrap_or(1);
    let per_page = query.integer("per_page", 1..=MOST_PER_PAGE).unwrap_or(PER_PAGE);
    query.done().map_err(|errors| invalid(quirks, errors))?;
    Ok((number, per_page))
}

/// Returns the page of the list at `path` that the query requests.
pub(super) fn page(quirks: &Quirks, call: &Call, path: &str, all: Vec<Value>) -> Answer {
    let (number, per_page) = paging(quirks, call)?;
    let total = all.len() as i64;
    let last = (total + per_page - 1).div_euclid(per_page).max(1);
    let skipped = usize::try_from((number - 1).saturating_mul(per_page)).unwrap_or(usize::MAX);
    let data: Vec<_> = all.into_iter().skip(skipped).take(per_page as usize).collect();
    let mut body = Map::new();
    body.insert("data".to_owned(), data.into());
    if quirks.last_page_is_bare {
        body.insert("last_page".to_owned(), last.into());
    } else {
        let url =
            |page: i64| (1..=last).contains(&page).then(|| format!("{URL}{path}?page={page}"));
        let links = json!({
            "first": url(1), "last": url(last), "prev": url(number - 1), "next": url(number + 1),
        });
        let told_per_page = match quirks.per_page_is_text {
            true => per_page.to_string().into(),
            false => Value::from(per_page),
        };
        let meta = json!({
            "current_page": number, "last_page": last, "per_page": told_per_page, "total": total,
        });
        body.insert("links".to_owned(), links);
        body.insert("meta".to_owned(), meta);
    }
    Ok(coded(quirks, 200, body.into()))
}
