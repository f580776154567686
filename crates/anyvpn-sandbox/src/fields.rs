//! The input of a call, as JSON or a form. It is checked field by field, as in Laravel.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use http::{HeaderMap, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::provider::Call;

/// The longest text that a field accepts, as with Laravel's columns.
const TEXT_LIMIT: usize = 255;

/// The errors, by field.
pub(crate) type Errors = BTreeMap<&'static str, Vec<String>>;

/// Converts a number without a fraction, such as `1411.0`, which is an integer in JSON Schema and PHP.
fn whole(number: f64) -> Option<i64> {
    // Beyond this range not every integer can be a float.
    let exact = number.fract() == 0.0 && number.abs() < 9e15;
    exact.then_some(number as i64)
}

/// The fields of one request. Errors are collected until [`Fields::done`], so that a reply names every
/// wrong field.
pub(crate) struct Fields {
    values: Map<String, Value>,
    errors: Errors,
}

/// Returns whether a request's content type is that of a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

impl Fields {
    /// Reads the fields of the body; an error if it is neither a form nor a JSON object.
    pub(crate) fn of_body(call: &Call) -> Result<Fields, String> {
        if call.body.is_empty() {
            return Ok(Fields::from(Map::new()));
        }
        if is_form(&call.headers) {
            return Ok(Fields::of_form(&call.body));
        }
        match serde_json::from_slice(&call.body) {
            Ok(Value::Object(values)) => Ok(Fields::from(values)),
            Ok(_) => Err("The body must be a JSON object.".to_owned()),
            Err(error) => Err(format!("The body is not JSON: {error}.")),
        }
    }

    /// Reads the fields of the query.
    pub(crate) fn of_query(call: &Call) -> Fields {
        Fields::of_form(call.query.as_bytes())
    }

    /// Reads the fields of the query and the body; the body takes precedence.
    pub(crate) fn of_call(call: &Call) -> Result<Fields, String> {
        let mut fields = Fields::of_query(call);
        fields.values.extend(Fields::of_body(call)?.values);
        Ok(fields)
    }

    /// Creates the fields of a call whose only field is in the path.
    pub(crate) fn of_param(call: &Call, name: &str) -> Fields {
        Fields::from(Map::from_iter([(name.to_owned(), call.param(name).into())]))
    }

    pub(crate) fn of_form(form: &[u8]) -> Fields {
        let mut values = Map::new();
        for (name, value) in form_urlencoded::parse(form) {
            values.insert(name.into(), (&*value).into());
        }
        Fields::from(values)
    }

    fn from(values: Map<String, Value>) -> Fields {
        Fields { values, errors: Errors::new() }
    }

    /// Returns whether the field is present, even if it is `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        // Laravel converts an empty text to null.
        match self.values.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) if text.chars().count() <= TEXT_LIMIT => Some(text.clone()),
            Some(Value::String(_)) => {
                self.refuse(name, &format!("may not be greater than {TEXT_LIMIT} characters"));
                None
            }
            Some(_) => {
                self.refuse(name, "must be a string");
                None
            }
        }
    }

    /// Returns a required text; if it is missing, records an error and returns an empty one.
    pub(crate) fn required_text(&mut self, name: &'static str) -> String {
        self.require(name);
        self.text(name).unwrap_or_default()
    }

    /// Returns an email address.
    pub(crate) fn email(&mut self, name: &'static str) -> Option<String> {
        let email = self.text(name)?;
        match email.split_once('@') {
            Some((mailbox, host)) if !mailbox.is_empty() && !host.is_empty() => Some(email),
            _ => {
                self.refuse(name, "must be a valid email address");
                None
            }
        }
    }

    /// Returns an integer, which may be written as a text.
    pub(crate) fn integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<i64> {
        let number = match self.values.get(name)? {
            Value::Null => return None,
            Value::String(text) => text.parse().ok(),
            value => value.as_i64().or_else(|| whole(value.as_f64()?)),
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            Some(_) => {
                let (least, most) = (range.start(), range.end());
                self.refuse(name, &format!("must be between {least} and {most}"));
                None
            }
            None => {
                self.refuse(name, "must be an integer");
                None
            }
        }
    }

    /// Returns a required integer; if it is missing, records an error and returns zero.
    pub(crate) fn required_integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> i64 {
        self.require(name);
        self.integer(name, range).unwrap_or_default()
    }

    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        match self.values.get(name)? {
            Value::Null => None,
            Value::Bool(value) => Some(*value),
            // The values that Laravel's rule accepts as a boolean.
            Value::Number(number) if number.as_u64() == Some(1) => Some(true),
            Value::Number(number) if number.as_u64() == Some(0) => Some(false),
            Value::String(text) if text == "1" => Some(true),
            Value::String(text) if text == "0" => Some(false),
            _ => {
                self.refuse(name, "field must be true or false");
                None
            }
        }
    }

    /// Records an error if the field is missing.
    pub(crate) fn require(&mut self, name: &'static str) {
        let missing = match self.values.get(name) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(_) => false,
        };
        if missing {
            self.refuse(name, "field is required");
        }
    }

    /// Records an error: `The internal ipv4 {rule}.`
    pub(crate) fn refuse(&mut self, name: &'static str, rule: &str) {
        let message = format!("The {} {rule}.", name.replace('_', " "));
        self.errors.entry(name).or_default().push(message);
    }

    /// Returns whether there are no errors so far.
    pub(crate) fn done(self) -> Result<(), Errors> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}
