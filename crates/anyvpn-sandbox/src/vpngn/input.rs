//! Reads the form of a call, and checks its fields.

use super::answer::{Kind, Refusal};
use crate::fields::{Fields, is_form};
use crate::provider::Call;

/// The product types, in months.
pub(super) const PLANS: [u32; 5] = [1, 6, 12, 24, 36];
const LEAST_PASSWORD: usize = 10;

/// Returns the fields of the body. A query is refused, because keys in it would be logged.
pub(super) fn form(call: &Call) -> Result<Fields, Refusal> {
    let refused = |message| Err(Refusal::new(Kind::Invalid, message));
    if !call.query.is_empty() {
        return refused("Parameters must be sent in the body.");
    }
    if !call.body.is_empty() && !is_form(&call.headers) {
        return refused("The body must be form-encoded.");
    }
    Ok(Fields::of_form(&call.body))
}

/// Returns one of [`PLANS`]; if the field is wrong, records an error and returns zero.
pub(super) fn plan(fields: &mut Fields, name: &'static str) -> u32 {
    let text = fields.required_text(name);
    let plan = PLANS.into_iter().find(|plan| plan.to_string() == text);
    if plan.is_none() && !text.is_empty() {
        fields.refuse(name, "must be 1, 6, 12, 24 or 36");
    }
    plan.unwrap_or_default()
}

/// Returns whether the field is 1; any other value is an error.
pub(super) fn flag(fields: &mut Fields, name: &'static str) -> bool {
    let text = fields.text(name);
    if text.as_deref().is_some_and(|text| text != "1") {
        fields.refuse(name, "must be 1 or absent");
    }
    text.is_some()
}

pub(super) fn country(fields: &mut Fields) {
    let code = fields.required_text("country");
    let is_code = code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_uppercase());
    if !is_code && !code.is_empty() {
        fields.refuse("country", "must be a 2 letter ISO code");
    }
}

/// Returns an email address; if it is missing or wrong, records an error and returns an empty string.
pub(super) fn required_email(fields: &mut Fields, name: &'static str) -> String {
    fields.require(name);
    fields.email(name).unwrap_or_default()
}

/// Checks a password by the documented rule. An uppercase letter also counts as a letter.
pub(super) fn check_strength(password: &str) -> Result<(), Refusal> {
    let has = |category: fn(char) -> bool| password.chars().any(category);
    let categories = [
        has(|c| c.is_ascii_digit()),
        has(char::is_alphabetic),
        has(char::is_uppercase),
        has(|c| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control()),
    ];
    let strong = password.chars().count() >= LEAST_PASSWORD
        && categories.into_iter().filter(|has| *has).count() >= 3;
    if strong {
        return Ok(());
    }
    let message = "A password needs 10 characters, of three of digit, letter, uppercase letter \
                   and special character.";
    Err(Refusal::new(Kind::WeakPassword, message))
}
