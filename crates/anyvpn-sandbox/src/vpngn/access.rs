//! Decides who may call.

use super::answer::{Kind, Refusal};
use super::state::State;
use crate::fields::Fields;
use crate::provider::Call;

/// Who may make a call, and what its `email` names. A server, which has the secret key or a
/// white-listed address, may make every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// AddClient: anybody may call. Its password is not a credential, and no customer has its email
    /// yet.
    Anybody,
    /// TokenRefresh: a customer's password or long token.
    Refresh,
    /// A customer's password or short token.
    Customer,
    /// As above, but `email` names an alias.
    Alias,
    /// Only a server may call, about a customer.
    Server,
    /// Only a server may call, about an alias.
    ServerForAlias,
}

/// The caller, and the customer whom the call is about.
pub(crate) struct Caller {
    pub(super) brand: usize,
    pub(super) whitelisted: bool,
    /// Whether the caller is white-listed or has the secret key.
    pub(super) server: bool,
    /// The customer's email; for an alias, its owner's. Empty for [`Access::Anybody`].
    pub(super) email: String,
    /// The alias that the call names.
    pub(super) alias: Option<String>,
}

/// Accepts a call, or refuses it.
pub(super) fn admit(
    state: &mut State,
    access: Access,
    call: &Call,
    fields: &mut Fields,
) -> Result<Caller, Refusal> {
    let api_key = fields.text("apikey").unwrap_or_default();
    let brand = state.brands.iter().position(|brand| brand.api_key == api_key);
    let brand = brand.ok_or_else(|| Refusal::new(Kind::UnknownKey, "The API key is unknown."))?;
    let secret_key = fields.text("secret_key");
    if secret_key.as_ref().is_some_and(|key| *key != state.brands[brand].secret_key) {
        return Err(Refusal::new(Kind::Denied, "The secret key is wrong."));
    }
    let whitelisted = state.brands[brand].whitelisted;
    let mut caller = Caller {
        brand,
        whitelisted,
        server: whitelisted || secret_key.is_some(),
        email: String::new(),
        alias: None,
    };
    if access == Access::Anybody {
        return Ok(caller);
    }
    let Some(email) = fields.text("email") else {
        return Err(Refusal::new(Kind::Invalid, "The email field is required."));
    };
    name(state, access, &mut caller, email)?;
    let proven = proven(state, access, &caller, call, fields)?;
    match proven || caller.server {
        true => Ok(caller),
        false => Err(Refusal::new(Kind::Denied, "The call needs a credential.")),
    }
}

/// Finds the customer or alias that the call is about.
fn name(
    state: &mut State,
    access: Access,
    caller: &mut Caller,
    email: String,
) -> Result<(), Refusal> {
    let names_alias = matches!(access, Access::Alias | Access::ServerForAlias);
    let may_be_alias = access == Access::Refresh && state.quirks.aliases_sign_in;
    if !names_alias && state.customer(caller.brand, &email).is_ok() {
        caller.email = email;
        return Ok(());
    }
    if (names_alias || may_be_alias)
        && let Some(owner) = state.owner(caller.brand, &email)
    {
        caller.email = owner;
        caller.alias = Some(email);
        return Ok(());
    }
    Err(match names_alias {
        _ if state.quirks.unknown_email_is_denied && !caller.server => {
            Refusal::new(Kind::Denied, "The credential is wrong.")
        }
        true => Refusal::new(Kind::NoAlias, "There is no alias with this email."),
        false => Refusal::new(Kind::NoClient, "There is no client with this email."),
    })
}

/// Returns whether the call has a credential of the customer or the alias; a wrong credential is an
/// error.
fn proven(
    state: &mut State,
    access: Access,
    caller: &Caller,
    call: &Call,
    fields: &mut Fields,
) -> Result<bool, Refusal> {
    if matches!(access, Access::Anybody | Access::Server | Access::ServerForAlias) {
        return Ok(false);
    }
    let now = state.now();
    let customer = state.customer(caller.brand, &caller.email)?;
    let mut found = Vec::new();
    if let Some(password) = fields.text("password") {
        let of_alias = caller.alias.as_deref().and_then(|alias| customer.alias(alias));
        let of_alias = of_alias.is_some_and(|alias| alias.password == password);
        // An alias signs in with its own password.
        let of_customer = caller.alias.is_none() || access == Access::Alias;
        found.push(of_alias || (of_customer && customer.password == password));
    }
    if call.headers.contains_key("authorization") {
        let tokens = if access == Access::Refresh { &customer.long } else { &customer.short };
        found.push(call.bearer().is_some_and(|token| tokens.accept(token, now)));
    }
    match found.contains(&false) {
        true => Err(Refusal::new(Kind::Denied, "The credential is wrong.")),
        false => Ok(!found.is_empty()),
    }
}
