//! AddClient, CloseClient and CancelRequest.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::Caller;
use super::answer::{Answer, Kind, Refusal, success, success_with};
use super::input::{check_strength, country, flag, plan, required_email};
use super::products::place;
use super::state::{State, Status};
use super::time::next_midnight;
use crate::fields::Fields;

const LIMIT_MILLIS: i64 = 10_000;

/// Returns the product and tokens that the caller may see.
pub(super) fn told_product(
    state: &mut State,
    caller: &Caller,
    email: &str,
) -> Result<Value, Refusal> {
    let for_all = state.quirks.username_for_all;
    let customer = state.customer(caller.brand, email)?;
    let mut told = json!({});
    if caller.whitelisted || for_all {
        told["username"] = customer.email.as_str().into();
    }
    if caller.whitelisted
        && let Some(product) = customer.active()
    {
        told["vpn_username"] = product.vpn_username.as_str().into();
        told["vpn_password"] = product.vpn_password.as_str().into();
    }
    if let (Some(told), Value::Object(tokens)) =
        (told.as_object_mut(), told_tokens(state, caller, email)?)
    {
        told.extend(tokens);
    }
    Ok(told)
}

/// Returns the tokens if the caller may see them.
pub(super) fn told_tokens(
    state: &mut State,
    caller: &Caller,
    email: &str,
) -> Result<Value, Refusal> {
    match caller.whitelisted {
        true => Ok(json!(state.issue(caller.brand, email)?)),
        false => Ok(json!({})),
    }
}

pub(super) fn add(state: &mut State, caller: &Caller, mut fields: Fields) -> Answer {
    let now = state.clock.now();
    if !caller.server {
        check_limit(state.brands[caller.brand].added_at, now)?;
    }
    let email = required_email(&mut fields, "email");
    let plan = plan(&mut fields, "type");
    country(&mut fields);
    for name in ["first_name", "last_name", "company_name", "state", "zip_code"] {
        fields.text(name);
    }
    let password = fields.text("password");
    let renews = !flag(&mut fields, "auto_terminate");
    let is_test = flag(&mut fields, "test_user");
    fields.done()?;
    if let Some(password) = &password {
        check_strength(password)?;
    }
    if state.taken(caller.brand, &email) {
        let message = "A client with this email exists already.";
        return Err(Refusal::new(Kind::ClientExists, message));
    }
    let password = password.unwrap_or_else(|| state.strong_password());
    state.add_customer(caller.brand, &email, &password)?;
    state.add_product(caller.brand, &email, plan, renews, !is_test)?;
    if !caller.server {
        state.brands[caller.brand].added_at = Some(now);
    }
    let mut told = told_product(state, caller, &email)?;
    if caller.whitelisted {
        told["password"] = password.into();
    }
    Ok(success_with(&told))
}

fn check_limit(added_at: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    let passed = |before: Timestamp| now.as_millisecond() - before.as_millisecond();
    match added_at.map(|before| LIMIT_MILLIS - passed(before)) {
        Some(wait) if wait > 0 => Err(Refusal::too_many(wait.unsigned_abs().div_ceil(1000))),
        _ => Ok(()),
    }
}

pub(super) fn close(state: &mut State, caller: &Caller, _fields: Fields) -> Answer {
    state.customer(caller.brand, &caller.email)?.close();
    Ok(success())
}

pub(super) fn cancel(state: &mut State, caller: &Caller, mut fields: Fields) -> Answer {
    let kind = fields.required_text("type");
    if !["midnight", "at_due_date", ""].contains(&&*kind) {
        fields.refuse("type", "must be midnight or at_due_date");
    }
    let product_id = fields.text("product_id");
    fields.done()?;
    let midnight = next_midnight(state.now());
    let customer = state.customer(caller.brand, &caller.email)?;
    let product = match product_id {
        Some(id) => Some(&customer.products[place(customer, &id)?]),
        None => customer.products.iter().rfind(|product| product.status == Status::Active),
    };
    let end = match (&*kind, product) {
        ("at_due_date", None) => {
            return Err(Refusal::new(Kind::NoProduct, "The client has no active product."));
        }
        // A test user's product is never due.
        ("at_due_date", Some(product)) => product.due.unwrap_or(midnight),
        _ => midnight,
    };
    customer.ends_at = Some(end);
    Ok(success())
}
