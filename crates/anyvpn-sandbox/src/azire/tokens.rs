//! `/v3/tokens`

use serde_json::{Value, json};

use super::answer::{
    Answer, body, deleted, invalid, not_found, refusal, success, success_with, unauthenticated,
    wrong,
};
use super::state::{Account, Caller, State, Token};
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

fn shown(token: &Token) -> Value {
    json!({
        "id": token.id,
        "device_name": token.device_name,
        "key": token.key,
        "comment": token.comment,
        "created_at": token.created_at,
    })
}

pub(super) fn list(state: &mut State, caller: &Caller, _call: &Call) -> Answer {
    let tokens = &state.accounts[caller.account].tokens;
    Ok(success(tokens.iter().map(shown).collect::<Vec<_>>()))
}

/// Creates a token. Without a bearer token, this is the sign-in.
pub(super) fn create(state: &mut State, call: &Call) -> Answer {
    let bearer = match call.headers.contains_key("authorization") {
        true => Some(state.caller(call)?.account),
        false => None,
    };
    let mut fields = body(call)?;
    let device_name = fields.text("device_name");
    let comment = fields.text("comment");
    let account = match bearer {
        Some(account) => {
            // These fields are not used here, but must be strings.
            fields.text("username");
            fields.text("password");
            fields.done().map_err(invalid)?;
            account
        }
        None => sign_in(state, fields)?,
    };
    let status = state.quirks.created;
    Ok(success_with(status, shown(state.add_token(account, device_name, comment)?)))
}

fn sign_in(state: &State, mut fields: Fields) -> Result<usize, Reply> {
    if !fields.has("username") && !fields.has("password") {
        return Err(unauthenticated());
    }
    let username = fields.required_text("username");
    let password = fields.required_text("password");
    fields.done().map_err(invalid)?;
    let matches = |account: &Account| account.username == username && account.password == password;
    let Some(account) = state.accounts.iter().position(matches) else {
        let message = "These credentials do not match our records.";
        return Err(wrong(state.quirks.wrong_sign_in, "username", message));
    };
    if state.accounts[account].awaits_email {
        return Err(refusal(403, "Your email address is not verified."));
    }
    Ok(account)
}

pub(super) fn update(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let tokens = &mut state.accounts[caller.account].tokens;
    let token =
        tokens.iter_mut().find(|token| token.id == call.param("id")).ok_or_else(not_found)?;
    let mut fields = body(call)?;
    // An absent field keeps its value, and null removes it.
    let device_name = fields.has("device_name").then(|| fields.text("device_name"));
    let comment = fields.has("comment").then(|| fields.text("comment"));
    fields.done().map_err(invalid)?;
    if let Some(device_name) = device_name {
        token.device_name = device_name;
    }
    if let Some(comment) = comment {
        token.comment = comment;
    }
    Ok(success(shown(token)))
}

pub(super) fn delete(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let tokens = &mut state.accounts[caller.account].tokens;
    let place = tokens.iter().position(|token| token.id == call.param("id"));
    tokens.remove(place.ok_or_else(not_found)?);
    Ok(deleted(state.quirks.deleted))
}

pub(super) fn delete_all(state: &mut State, caller: &Caller, _call: &Call) -> Answer {
    state.accounts[caller.account].tokens.clear();
    Ok(deleted(state.quirks.deleted))
}
