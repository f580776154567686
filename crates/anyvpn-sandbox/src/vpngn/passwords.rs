//! SetPassword, ResetPassword, and the same of aliases.

use super::access::Caller;
use super::answer::{Answer, Refusal, success};
use super::input::check_strength;
use super::mail::MailSubject;
use super::state::State;
use crate::fields::Fields;

pub(super) fn set(state: &mut State, caller: &Caller, fields: Fields) -> Answer {
    let password = new_password(fields)?;
    state.customer(caller.brand, &caller.email)?.password = password;
    Ok(success())
}

pub(super) fn set_for_alias(state: &mut State, caller: &Caller, fields: Fields) -> Answer {
    let password = new_password(fields)?;
    let customer = state.customer(caller.brand, &caller.email)?;
    if let Some(alias) = caller.alias.as_deref().and_then(|alias| customer.alias(alias)) {
        alias.password = password;
    }
    Ok(success())
}

fn new_password(mut fields: Fields) -> Result<String, Refusal> {
    let password = fields.required_text("setpassword");
    fields.done()?;
    check_strength(&password)?;
    Ok(password)
}

pub(super) fn reset(state: &mut State, caller: &Caller, _fields: Fields) -> Answer {
    let to = state.customer(caller.brand, &caller.email)?.email.clone();
    state.send_mail(caller.brand, &to, MailSubject::ResetPassword);
    Ok(success())
}

pub(super) fn reset_for_alias(state: &mut State, caller: &Caller, _fields: Fields) -> Answer {
    let customer = state.customer(caller.brand, &caller.email)?;
    let alias = caller.alias.as_deref().and_then(|alias| customer.alias(alias));
    if let Some(to) = alias.map(|alias| alias.email.clone()) {
        state.send_mail(caller.brand, &to, MailSubject::ResetAliasPassword);
    }
    Ok(success())
}
