//! ListAliases, AddAlias and DelAlias.

use serde_json::json;

use super::access::Caller;
use super::answer::{Answer, Kind, Refusal, listed, success, success_with};
use super::input::{check_strength, flag, required_email};
use super::mail::MailSubject;
use super::state::{Alias, State, key};
use crate::fields::Fields;

/// The sandbox's own limit, far above what a test needs.
const MOST_ALIASES: usize = 1000;

pub(super) fn list(state: &mut State, caller: &Caller, _fields: Fields) -> Answer {
    let quirks = state.quirks.clone();
    let absent = if quirks.absent_name_is_null { None } else { Some("") };
    let customer = state.customer(caller.brand, &caller.email)?;
    let shown = |alias: &Alias| {
        json!({
            "email": alias.email,
            "first_name": alias.first_name.as_deref().or(absent),
            "last_name": alias.last_name.as_deref().or(absent),
        })
    };
    Ok(success_with(&listed(customer.aliases.iter().map(shown).collect(), &quirks)))
}

pub(super) fn add(state: &mut State, caller: &Caller, mut fields: Fields) -> Answer {
    let email = required_email(&mut fields, "setemail");
    let password = fields.text("setpassword");
    let resets = flag(&mut fields, "auto_passreset");
    let (first_name, last_name) = (fields.text("first_name"), fields.text("last_name"));
    fields.done()?;
    if let Some(password) = &password {
        check_strength(password)?;
    }
    if state.taken(caller.brand, &email) {
        let message = "A client or an alias with this email exists already.";
        return Err(Refusal::new(Kind::AliasExists, message));
    }
    if state.customer(caller.brand, &caller.email)?.aliases.len() >= MOST_ALIASES {
        return Err(Refusal::full());
    }
    let password = password.unwrap_or_else(|| state.strong_password());
    let alias = Alias { email: email.clone(), password, first_name, last_name };
    state.add_alias(caller.brand, &caller.email, alias)?;
    if resets {
        state.send_mail(caller.brand, &email, MailSubject::ResetAliasPassword);
    }
    Ok(success())
}

pub(super) fn delete(state: &mut State, caller: &Caller, mut fields: Fields) -> Answer {
    let email = fields.required_text("alias");
    fields.done()?;
    let aliases = &mut state.customer(caller.brand, &caller.email)?.aliases;
    let place = aliases.iter().position(|alias| key(&alias.email) == key(&email));
    let missing = || Refusal::new(Kind::NoAlias, "The client has no alias with this email.");
    aliases.remove(place.ok_or_else(missing)?);
    Ok(success())
}
