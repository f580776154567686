//! Forms that only replies need: values with more than one form, and times and dates as text.

use super::{assert_has, operation, ops};
use crate::text::camel_case;

const OUTPUT: &str = "x-output: { $ref: '#/components/schemas/Thing' }";

#[test]
fn a_decoder_makes_the_first_type_and_only_what_may_be_absent_has_a_default() {
    let thing = "
Thing:
  description: A thing.
  type: object
  required: [id, count, on]
  properties:
    id: { type: [integer, string], format: uint64, x-decoder: integer, description: A. }
    count: { type: [integer, string, 'null'], format: int64, x-decoder: integer_option, description: B. }
    on:
      description: C.
      enum: [true, false, 1, 0, '1', '0']
      type: [boolean, integer, string]
      x-decoder: flag
    name: { type: [string, integer], x-decoder: text_option, description: D. }";
    assert_has(
        &ops(&operation(OUTPUT), thing),
        r#"
pub struct Thing {
    /// A.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: u64,
    /// B.
    #[serde(default, deserialize_with = "lenient::integer_option")]
    pub count: Option<i64>,
    /// C.
    #[serde(deserialize_with = "lenient::flag")]
    pub on: bool,
    /// D.
    #[serde(default, deserialize_with = "lenient::text_option")]
    pub name: Option<String>,
}"#,
    );
}

#[test]
fn times_and_dates_come_as_text_too() {
    let thing = "
Thing:
  description: A thing.
  type: object
  required: [at, day]
  properties:
    at: { type: string, format: date-time, description: A. }
    until: { type: [string, 'null'], format: date-time, x-decoder: time_option, description: B. }
    day: { type: string, format: date, description: C. }
    due:
      description: D.
      x-decoder: date_option
      oneOf: [{ type: string, format: date }, { const: '0000-00-00' }, { type: 'null' }]";
    let code = ops(&operation(OUTPUT), thing);
    assert_has(&code, "use anyvpn_core::{Date, Error, OperationId, Timestamp};");
    assert_has(
        &code,
        r#"
pub struct Thing {
    /// A.
    pub at: Timestamp,
    /// B.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub until: Option<Timestamp>,
    /// C.
    pub day: Date,
    /// D.
    #[serde(default, deserialize_with = "lenient::date_option")]
    pub due: Option<Date>,
}"#,
    );
}

#[test]
fn several_types_need_a_decoder() {
    let thing = "
Thing:
  type: object
  description: A.
  properties: { id: { type: [integer, string], description: B. } }";
    let expected = "error: #/components/schemas/Thing/properties/id: no single type; give one, or \
                    an x-decoder";
    assert_eq!(super::problems(&operation(OUTPUT), thing), expected);
}

#[test]
fn an_output_can_be_one_secret() {
    let code = ops(&operation("x-output: { type: string, format: password }"), "");
    assert_has(&code, "type Output = Secret;");
    assert_has(&code, "Dialect::decode(reply)");
}

#[test]
fn names_are_spelled_as_their_owners_do() {
    for (name, expected) in [
        ("get-openvpn-auth", "GetOpenVpnAuth"),
        ("wireguard", "WireGuard"),
        ("at_due_date", "AtDueDate"),
        ("openvpns", "Openvpns"),
    ] {
        assert_eq!(camel_case(name), expected);
    }
}
