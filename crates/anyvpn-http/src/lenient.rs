//! Decoders for values that providers write in more than one way. A provider's OpenAPI document names
//! one wherever the vendor's pages or the live service show several ways.

use std::fmt;
use std::marker::PhantomData;

use anyvpn_core::Timestamp;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Word;

/// A value that is decoded from a scalar.
trait Scalar: Sized {
    /// A description of the expected value, for errors.
    const EXPECTED: &'static str;

    fn from_text(text: &str) -> Option<Self>;

    fn from_integer(number: i128) -> Option<Self>;

    fn from_bool(_: bool) -> Option<Self> {
        None
    }
}

struct Lenient<T>(PhantomData<T>);

impl<T: Scalar> Lenient<T> {
    fn check<E: de::Error>(value: Option<T>) -> Result<Option<T>, E> {
        value.map(Some).ok_or_else(|| E::custom(format_args!("expected {}", T::EXPECTED)))
    }
}

impl<'de, T: Scalar> Visitor<'de> for Lenient<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Option<T>, E> {
        Self::check(T::from_bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Option<T>, E> {
        Self::check(T::from_integer(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Option<T>, E> {
        Self::check(T::from_integer(value.into()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Option<T>, E> {
        Self::check(T::from_text(value))
    }
}

/// Decodes a `T`; null is an error.
fn required<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let value = deserializer.deserialize_any(Lenient(PhantomData))?;
    value.ok_or_else(|| de::Error::custom(format_args!("null, expected {}", T::EXPECTED)))
}

/// Decodes a `T`, or `None` from null.
fn optional<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Lenient(PhantomData))
}

/// An integer of any width.
struct Integer<T>(T);

impl<T: TryFrom<i128>> Scalar for Integer<T> {
    const EXPECTED: &'static str = "a whole number or its text";

    fn from_text(text: &str) -> Option<Self> {
        Self::from_integer(text.trim().parse().ok()?)
    }

    fn from_integer(number: i128) -> Option<Self> {
        T::try_from(number).ok().map(Self)
    }
}

/// A boolean.
struct Flag(bool);

impl Scalar for Flag {
    const EXPECTED: &'static str = "true, false, 1 or 0";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "1" | "true" => Some(Self(true)),
            "0" | "false" => Some(Self(false)),
            _ => None,
        }
    }

    fn from_integer(number: i128) -> Option<Self> {
        matches!(number, 0 | 1).then_some(Self(number == 1))
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(Self(value))
    }
}

/// A text.
struct Text(String);

impl Scalar for Text {
    const EXPECTED: &'static str = "a text or a whole number";

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn from_integer(number: i128) -> Option<Self> {
        Some(Self(number.to_string()))
    }
}

/// A time.
struct Time(Timestamp);

impl Scalar for Time {
    const EXPECTED: &'static str = "a time such as 2021-12-21T20:16:32Z";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    fn from_integer(_: i128) -> Option<Self> {
        None
    }
}

/// Decodes an integer, or its decimal digits as a string.
///
/// # Errors
///
/// If it is neither, or is out of range.
pub fn integer<'de, T: TryFrom<i128>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    required(deserializer).map(|Integer(number)| number)
}

/// Decodes the same, or null.
///
/// # Errors
///
/// As [`integer`].
pub fn integer_option<'de, T: TryFrom<i128>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(optional(deserializer)?.map(|Integer(number)| number))
}

/// Decodes a boolean, 1 or 0, or one of these as a string.
///
/// # Errors
///
/// If it is none of them.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    required(deserializer).map(|Flag(value)| value)
}

/// Decodes the same, or null.
///
/// # Errors
///
/// As [`flag`].
pub fn flag_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(optional(deserializer)?.map(|Flag(value)| value))
}

/// Decodes a string, or an integer as its digits.
///
/// # Errors
///
/// If it is neither.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    required(deserializer).map(|Text(text)| text)
}

/// Decodes the same, or null.
///
/// # Errors
///
/// As [`text`].
pub fn text_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(optional(deserializer)?.map(|Text(text)| text))
}

/// Decodes a time as in RFC 3339, with or without a fraction, with `Z` or an offset.
///
/// # Errors
///
/// If it is not such a time.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    required(deserializer).map(|Time(time)| time)
}

/// Decodes the same, or null.
///
/// # Errors
///
/// As [`time`].
pub fn time_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    Ok(optional(deserializer)?.map(|Time(time)| time))
}

/// Decodes a date such as 2024-02-27, or null. The date 0000-00-00, which databases use for an absent
/// date, is `None`.
///
/// # Errors
///
/// If it is not a date.
pub fn date_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<anyvpn_core::Date>, D::Error> {
    let text = Option::<Word<'_>>::deserialize(deserializer)?;
    match text.as_deref() {
        None | Some("" | "0000-00-00") => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| de::Error::custom("expected a date such as 2024-02-27")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct All {
        #[serde(deserialize_with = "integer")]
        id: u64,
        #[serde(deserialize_with = "flag")]
        on: bool,
        #[serde(deserialize_with = "text")]
        name: String,
        #[serde(default, deserialize_with = "time_option")]
        at: Option<Timestamp>,
        #[serde(default, deserialize_with = "date_option")]
        due: Option<anyvpn_core::Date>,
    }

    fn read(json: &str) -> Result<All, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn each_form_gives_the_same_value() {
        let at = Some("2021-12-21T20:16:32Z".parse().unwrap());
        let due = Some("2024-02-27".parse().unwrap());
        let all = All { id: 7, on: true, name: "5".to_owned(), at, due };
        for json in [
            r#"{"id":7,"on":true,"name":"5","at":"2021-12-21T20:16:32.000000Z","due":"2024-02-27"}"#,
            r#"{"id":"7","on":1,"name":5,"at":"2021-12-21T22:16:32+02:00","due":"2024-02-27"}"#,
            r#"{"id":"7","on":"1","name":5,"at":"2021-12-21 20:16:32Z","due":"2024-02-27"}"#,
        ] {
            assert_eq!(read(json).as_ref(), Ok(&all), "{json}");
        }
        let none = r#"{"id":7,"on":"true","name":"5","at":null,"due":"0000-00-00"}"#;
        assert_eq!(read(none), Ok(All { at: None, due: None, ..all }));
    }

    #[test]
    fn other_values_are_errors_that_do_not_repeat_them() {
        for (json, expected) in [
            (r#"{"id":-1,"on":true,"name":""}"#, "whole number"),
            (r#"{"id":"s3cret","on":true,"name":""}"#, "whole number"),
            (r#"{"id":1.5,"on":true,"name":""}"#, "whole number"),
            (r#"{"id":1,"on":2,"name":""}"#, "1 or 0"),
            (r#"{"id":1,"on":null,"name":""}"#, "1 or 0"),
            (r#"{"id":1,"on":true,"name":[]}"#, "a text"),
            (r#"{"id":1,"on":true,"name":"","at":"s3cret"}"#, "a time"),
            (r#"{"id":1,"on":true,"name":"","due":"s3cret"}"#, "a date"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected) && !error.contains("s3cret"), "{json}: {error}");
        }
    }
}
