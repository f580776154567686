//! AddClient, CloseClient and CancelRequest.

use jiff::Timestamp;
use serde::Serialize;

use super::access::Caller;
use super::answer::{Answer, Kind, Refusal, success, success_with};
use super::input::{check_strength, country, flag, plan, required_email};
use super::products::place;
use super::state::{Product, State, Status};
use super::time::next_midnight;
use super::tokens::Pair;
use crate::fields::Fields;

const LIMIT_MILLIS: i64 = 10_000;

/// What AddClient, NewProduct and UpgradeProduct tell, as far as the caller may know it.
#[derive(Default, Serialize)]
pub(super) struct Made {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(flatten)]
    vpn: Option<Vpn>,
    #[serde(flatten)]
    pub(super) tokens: Option<Pair>,
}

#[derive(Serialize)]
struct Vpn {
    vpn_username: String,
    vpn_password: String,
}

impl Made {
    /// Who has what product, for a caller that is told.
    pub(super) fn product(
        state: &mut State,
        caller: &Caller,
        email: &str,
    ) -> Result<Made, Refusal> {
        let for_all = state.quirks.username_for_all;
        let customer = state.customer(caller.brand, email)?;
        let username = (caller.whitelisted || for_all).then(|| customer.email.clone());
        let vpn = |product: &mut Product| Vpn {
            vpn_username: product.vpn_username.clone(),
            vpn_password: product.vpn_password.clone(),
        };
        let vpn = customer.active().filter(|_| caller.whitelisted).map(vpn);
        Ok(Made { username, vpn, ..Made::tokens(state, caller, email)? })
    }

    /// Tokens, for a caller that is told.
    pub(super) fn tokens(state: &mut State, caller: &Caller, email: &str) -> Result<Made, Refusal> {
        let tokens = match caller.whitelisted {
            true => Some(state.issue(caller.brand, email)?),
            false => None,
        };
        Ok(Made { tokens, ..Made::default() })
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
    let password = Some(password).filter(|_| caller.whitelisted);
    Ok(success_with(&Made { password, ..Made::product(state, caller, &email)? }))
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
            return Err(Refusal::new(Kind::NoProduct, "There is no active product."));
        }
        // A test user's product is never due.
        ("at_due_date", Some(product)) => product.due.unwrap_or(midnight),
        _ => midnight,
    };
    customer.ends_at = Some(end);
    Ok(success())
}
