//! `/v4_1/accounts`, `/v4_1/profile` and `/v4_1/geoip`

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::answer::{
    Answer, body, done, free_name, invalid, no_balance, page, success, success_with, unauthorized,
    wrong,
};
use super::quirks::{ListOrder, Quirks};
use super::state::{Account, PRICE, State, Status};
use crate::clock::DAY;
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

const USERNAME: std::ops::RangeInclusive<usize> = 3..=50;
const PASSWORD: std::ops::RangeInclusive<usize> = 6..=50;
const TAKEN: &str = "The username has already been taken.";

fn account(quirks: &Quirks, account: &Account) -> Value {
    let time = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let status = match account.status {
        Status::Active => "Active",
        Status::Disabled => "Disabled",
        Status::Expired => "Expired",
    };
    let mut told = json!({
        "id": account.id,
        "username": account.username,
        "status": status,
        "expired_at": account.expires_at.map(|end| format!("{:.6}", time(end))),
        "created": time(account.created_at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "updated": time(account.updated_at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    });
    if quirks.wireguard_fields {
        told["wg_ip"] = account.address.to_string().into();
        told["wg_private_key"] = account.key.as_str().into();
        told["wg_public_key"] = account.public_key.as_str().into();
    }
    told
}

/// Returns why a user name cannot be used, if it cannot.
fn name_refusal(state: &State, username: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if !USERNAME.contains(&username.chars().count()) {
        Some("The username must be between 3 and 50 characters.")
    } else if !username.chars().all(allowed) {
        Some("The username format is invalid.")
    } else {
        state.is_taken(username).then_some(TAKEN)
    }
}

fn check_password(fields: &mut Fields) -> String {
    let password = fields.required_text("password");
    if !password.is_empty() && !PASSWORD.contains(&password.chars().count()) {
        fields.refuse("password", "must be between 6 and 50 characters");
    }
    password
}

pub(super) fn check_username(state: &mut State, _reseller: usize, call: &Call) -> Answer {
    let mut query = Fields::of_query(call);
    let username = query.required_text("username");
    query.done().map_err(|errors| invalid(&state.quirks, errors))?;
    match name_refusal(state, &username) {
        Some(why) => Err(wrong(&state.quirks, "username", why)),
        None => Ok(free_name(&state.quirks)),
    }
}

pub(super) fn list(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let own = state.accounts.iter().filter(|it| it.reseller == reseller);
    let mut all: Vec<_> = own.map(|it| account(&state.quirks, it)).collect();
    if state.quirks.order == ListOrder::NewestFirst {
        all.reverse();
    }
    page(&state.quirks, call, "/accounts", all)
}

pub(super) fn create(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let mut fields = body(&state.quirks, call)?;
    let username = fields.required_text("username");
    let password = check_password(&mut fields);
    fields.done().map_err(|errors| invalid(&state.quirks, errors))?;
    if let Some(why) = name_refusal(state, &username) {
        return Err(wrong(&state.quirks, "username", why));
    }
    if !state.can_pay(reseller) {
        return Err(no_balance(&state.quirks));
    }
    state.add_account(reseller, &username, &password)?;
    state.charge(reseller, PRICE);
    let made = state.accounts.last().map(|made| account(&state.quirks, made));
    Ok(success_with(&state.quirks, state.quirks.created, made))
}

pub(super) fn get(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let place = state.place(reseller, call.param("id"))?;
    Ok(success(&state.quirks, account(&state.quirks, &state.accounts[place])))
}

pub(super) fn delete(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let place = state.place(reseller, call.param("id"))?;
    state.accounts.remove(place);
    Ok(done(&state.quirks, None))
}

/// Returns the answer to a change of the account with this index.
fn changed(state: &mut State, place: usize) -> Reply {
    let now = state.now();
    let changed = &mut state.accounts[place];
    changed.updated_at = now;
    let told = account(&state.quirks, changed);
    done(&state.quirks, Some(told))
}

pub(super) fn enable(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let place = state.place(reseller, call.param("id"))?;
    let now = state.now();
    if state.accounts[place].status == Status::Active {
        if state.quirks.twice_is_refused {
            return Err(wrong(&state.quirks, "status", "The account is active already."));
        }
        return Ok(changed(state, place));
    }
    if !state.can_pay(reseller) {
        return Err(no_balance(&state.quirks));
    }
    let enabled = &mut state.accounts[place];
    enabled.status = Status::Active;
    enabled.expires_at = enabled.expires_at.filter(|end| *end > now);
    state.charge(reseller, PRICE);
    Ok(changed(state, place))
}

pub(super) fn disable(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let place = state.place(reseller, call.param("id"))?;
    if state.accounts[place].status == Status::Disabled && state.quirks.twice_is_refused {
        return Err(wrong(&state.quirks, "status", "The account is disabled already."));
    }
    state.accounts[place].status = Status::Disabled;
    Ok(changed(state, place))
}

pub(super) fn change_password(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let place = state.place(reseller, call.param("id"))?;
    let mut fields = body(&state.quirks, call)?;
    let password = check_password(&mut fields);
    fields.done().map_err(|errors| invalid(&state.quirks, errors))?;
    state.accounts[place].password = password;
    Ok(changed(state, place))
}

pub(super) fn expire(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let place = state.place(reseller, call.param("id"))?;
    let mut fields = body(&state.quirks, call)?;
    let today = state.now().div_euclid(DAY) * DAY;
    let end = match fields.text("expire_at") {
        None => {
            // An empty string does not remove an account's end.
            let is_empty =
                serde_json::from_slice(&call.body).is_ok_and(|it: Value| it["expire_at"] == "");
            if !fields.has("expire_at") || is_empty {
                fields.refuse("expire_at", "field must be present");
            }
            None
        }
        Some(text) => {
            let end = text.parse().ok().and_then(begin_of);
            if end.is_none_or(|end| end <= today) {
                fields.refuse("expire_at", "must be a date after today");
            }
            end
        }
    };
    fields.done().map_err(|errors| invalid(&state.quirks, errors))?;
    state.accounts[place].expires_at = end;
    Ok(changed(state, place))
}

/// Returns the beginning of a UTC day.
fn begin_of(date: Date) -> Option<i64> {
    date.to_zoned_datetime(TimeZone::UTC).ok().map(|begin| begin.timestamp().as_second())
}

pub(super) fn validate(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let mut fields = body(&state.quirks, call)?;
    let (username, password) = (fields.required_text("username"), fields.required_text("password"));
    fields.done().map_err(|errors| invalid(&state.quirks, errors))?;
    let own = state.accounts.iter().filter(|it| it.reseller == reseller);
    let known = own.filter(|it| it.username == username).find(|it| it.password == password);
    let quirks = &state.quirks;
    match (known, quirks.wrong_password) {
        (Some(known), _) => Ok(done(quirks, Some(account(quirks, known)))),
        (None, 401) => Err(unauthorized(quirks)),
        (None, 404) => Err(super::answer::no_account(quirks)),
        (None, _) => Err(wrong(quirks, "password", "The username or password is incorrect.")),
    }
}

pub(super) fn profile(state: &mut State, reseller: usize, _call: &Call) -> Answer {
    let cents = state.resellers[reseller].balance;
    let balance = format!("{}.{:02}", cents / 100, cents % 100);
    Ok(success(&state.quirks, json!({ "balance": balance })))
}

pub(super) fn geoip(state: &mut State, call: &Call) -> Answer {
    let place = json!({
        "ip": call.peer, "country": "Netherlands", "iso_code": "NL", "city": "Amsterdam",
        "lat": 52.37, "lon": 4.89, "continent": "EU",
    });
    Ok(success(&state.quirks, place))
}
