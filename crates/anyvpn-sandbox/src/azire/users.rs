//! `/v3/users`

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, body, deleted, invalid, refusal, success, success_with, wrong};
use super::ips;
use super::quirks::UserIps;
use super::state::{Account, Caller, State};
use crate::clock::DAY;
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

/// The sandbox grants a trial, which the provider does not; see the documentation of the provider's
/// module.
const TRIAL_DAYS: i64 = 30;
const OTP_SECONDS: i64 = 600;

/// In the order of the documents, because clients may see a truncated reply.
#[derive(Serialize)]
struct User<'a> {
    username: &'a str,
    email: Option<&'a str>,
    currency: &'a str,
    is_email_verified: bool,
    is_active: bool,
    is_oldschool: bool,
    is_subscribed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ips: Option<Value>,
    created_at: i64,
    expires_at: i64,
}

fn user(state: &State, account: usize) -> User<'_> {
    let account = &state.accounts[account];
    let allocated = account.devices.len();
    let available = ips::MOST_DEVICES.saturating_sub(allocated);
    User {
        username: &account.username,
        email: account.email.as_deref(),
        currency: &account.currency,
        is_email_verified: account.email_verified,
        is_active: account.is_active(state.now()),
        is_oldschool: false,
        is_subscribed: account.subscribed,
        ips: match state.quirks.user_ips {
            UserIps::Object => Some(json!({ "allocated": allocated, "available": available })),
            UserIps::Array => Some(json!([{ "allocated": allocated }, { "available": available }])),
            UserIps::Missing => None,
        },
        created_at: account.created_at,
        expires_at: account.expires_at,
    }
}

pub(super) fn create(state: &mut State, call: &Call) -> Answer {
    let mut fields = body(call)?;
    let username = new_username(&mut fields, "username", state, None);
    let password = fields.required_text("password");
    let email = fields.email("email");
    let currency = fields.text("currency").unwrap_or_else(|| "EUR".to_owned());
    if !["EUR", "USD", "SEK"].contains(&currency.as_str()) {
        fields.refuse("currency", "must be EUR, USD or SEK");
    }
    fields.text("affiliate_code");
    fields.text("referral_code");
    fields.done().map_err(invalid)?;

    let created_at = state.now();
    state.add_account(Account {
        username,
        password,
        awaits_email: email.is_some(),
        email,
        email_verified: false,
        currency,
        suspended: false,
        subscribed: false,
        created_at,
        expires_at: created_at.saturating_add(TRIAL_DAYS * DAY),
        tokens: Vec::new(),
        devices: Vec::new(),
        created_ports: (0, 0),
    })?;
    Ok(success_with(state.quirks.created, user(state, state.accounts.len() - 1)))
}

pub(super) fn get(state: &mut State, caller: &Caller, _call: &Call) -> Answer {
    Ok(success(user(state, caller.account)))
}

pub(super) fn delete(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = body(call)?;
    let password = fields.required_text("password");
    fields.done().map_err(invalid)?;
    if state.accounts[caller.account].password != password {
        let status = state.quirks.wrong_password;
        return Err(wrong(status, "password", "The password is incorrect."));
    }
    state.accounts.remove(caller.account);
    Ok(deleted(state.quirks.deleted))
}

pub(super) fn create_otp(state: &mut State, _caller: &Caller, _call: &Call) -> Answer {
    let expires_at = state.now().saturating_add(OTP_SECONDS);
    let otp = json!({ "otp": state.otp(), "expires_at": expires_at });
    Ok(success_with(state.quirks.created, otp))
}

pub(super) fn update_password(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = body(call)?;
    let password = fields.required_text("new_password");
    fields.done().map_err(invalid)?;
    state.accounts[caller.account].password = password;
    Ok(success(user(state, caller.account)))
}

pub(super) fn update_username(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = body(call)?;
    let username = new_username(&mut fields, "new_username", state, Some(caller.account));
    fields.done().map_err(invalid)?;
    state.accounts[caller.account].username = username;
    Ok(success(user(state, caller.account)))
}

pub(super) fn update_email(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let mut fields = body(call)?;
    fields.require("email");
    let email = fields.email("email").unwrap_or_default();
    fields.done().map_err(invalid)?;
    let verified = state.quirks.changed_email_is_verified;
    let account = &mut state.accounts[caller.account];
    account.email = Some(email);
    account.email_verified = verified;
    Ok(success(user(state, caller.account)))
}

/// The sample shows a deleted address that is still verified, so the flag stays as it is.
pub(super) fn delete_email(state: &mut State, caller: &Caller, _call: &Call) -> Answer {
    state.accounts[caller.account].email = None;
    Ok(success(user(state, caller.account)))
}

/// Returns a new name, which no account but the caller's own may have.
fn new_username(
    fields: &mut Fields,
    field: &'static str,
    state: &State,
    own: Option<usize>,
) -> String {
    let username = fields.required_text(field);
    let owner = state.accounts.iter().position(|account| account.username == username);
    if owner.is_some() && owner != own {
        fields.refuse(field, "has already been taken");
    }
    username
}

/// Refuses a call that needs access to the service if the account is not active. The documents define
/// `is_active` but no refusal; 403 is the sandbox's choice.
pub(super) fn require_active(state: &State, caller: &Caller) -> Result<(), Reply> {
    match state.accounts[caller.account].is_active(state.now()) {
        true => Ok(()),
        false => Err(refusal(403, "Your account is not active.")),
    }
}
