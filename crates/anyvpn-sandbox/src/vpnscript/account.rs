//! `/api/auth/token` and `/api/account`

use serde_json::json;

use super::answer::{Answer, SUCCESS, input, invalid, success, suspended, wrong_credentials};
use super::state::{Account, ServiceState, State};
use crate::provider::Call;
use crate::reply::Reply;

const PLAN: u64 = 3;
const PLAN_NAME: &str = "Gold Plan";

pub(super) fn create_token(state: &mut State, call: &Call) -> Answer {
    let mut fields = input(call)?;
    let username = fields.required_text("username");
    let password = fields.required_text("password");
    fields.required_text("device_name");
    fields.done().map_err(invalid)?;
    let matches = |account: &Account| account.username == username && account.password == password;
    let account = state.accounts.iter().position(matches).ok_or_else(wrong_credentials)?;
    require_unsuspended(state, account)?;
    let token = state.add_token(account)?;
    Ok(Reply::json(200, &json!({ "success": true, "message": null, "token": token })))
}

pub(super) fn require_unsuspended(state: &State, account: usize) -> Result<(), Reply> {
    match &state.accounts[account].suspended {
        Some(reason) => Err(suspended(reason.as_deref())),
        None => Ok(()),
    }
}

pub(super) fn get(state: &mut State, account: usize, _call: &Call) -> Answer {
    if !state.quirks.suspended_may_read_account {
        require_unsuspended(state, account)?;
    }
    let quirks = &state.quirks;
    let account = &state.accounts[account];
    let status = match account.service(state.now()) {
        ServiceState::None => None,
        ServiceState::Inactive => Some(0),
        ServiceState::Active => Some(1),
        ServiceState::Expired => Some(2),
    };
    let service = status.map(|status| {
        let next_payment = (!quirks.next_payment_is_null).then_some(account.next_payment);
        json!({
            "id": quirks.id(account.id),
            "user_id": quirks.id(account.id),
            "plan_id": quirks.id(PLAN),
            "name": PLAN_NAME,
            "next_payment": next_payment.map(|time| quirks.time(time)),
            "auto_renew": quirks.switch(true),
            "status": status,
        })
    });
    let created_at = (!quirks.created_at_is_null).then_some(account.created_at);
    let user = json!({
        "user_id": quirks.id(account.id),
        "username": account.username,
        "email": format!("{}@mail.example", account.username),
        "status": if account.suspended.is_some() { 0 } else { 2 },
        "suspend_reason": account.suspended.as_ref().and_then(|reason| reason.as_deref()),
        "service": service.into_iter().collect::<Vec<_>>(),
        "created_at": created_at.map(|time| quirks.time(time)),
        "updated_at": quirks.time(account.created_at),
    });
    Ok(success(quirks, SUCCESS, user))
}
