//! Small documents and the exact text they give.

mod lenience;
mod refusals;
mod requests;

use std::path::Path;

use super::{Api, Finding, generate, read, text};

/// A document of one operation below `/v1/things`, with its components.
fn document(operation: &str, schemas: &str) -> String {
    let operation = operation.trim_matches('\n').replace('\n', "\n      ");
    let schemas = schemas.trim_matches('\n').replace('\n', "\n    ");
    format!(
        "openapi: 3.1.0
info: {{ title: Acme, version: v1, description: Things. }}
servers: [{{ url: 'https://acme.example' }}]
paths:
  /v1/things/{{id}}:
    put:
      {operation}
      responses: {{}}
components:
  securitySchemes:
    bearer: {{ type: http, scheme: bearer }}
  schemas:
    Unused: {{ type: string }}
    {schemas}
"
    )
}

/// Returns an operation with all required fields, and `rest`.
fn operation(rest: &str) -> String {
    let rest = rest.trim_matches('\n');
    format!(
        "
operationId: change-thing
summary: Changes a thing.
x-source: Acme, Things
x-replay: Idempotent
security: [{{ bearer: [] }}]
parameters:
  - {{ name: id, in: path, required: true, description: Which., schema: {{ type: string }} }}
{rest}"
    )
}

fn api(operation: &str, schemas: &str) -> Result<Api, Vec<Finding>> {
    read("acme", &document(operation, schemas))
}

/// The position of the operation.
const PLACE: &str = "#/paths/~1v1~1things~1{id}/put";

/// Returns the findings, one on each line. The operation is at `PUT`.
fn problems(operation: &str, schemas: &str) -> String {
    let findings = api(operation, schemas).err().unwrap_or_default();
    let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
    lines.join("\n").replace(PLACE, "PUT")
}

/// Returns the generated `ops.rs`, formatted.
fn ops(operation: &str, schemas: &str) -> String {
    code(&api(operation, schemas).unwrap())
}

fn code(api: &Api) -> String {
    generate(&api.provider, "a-build", Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Asserts that `code` contains the lines of `expected`, at any indentation.
#[track_caller]
fn assert_has(code: &str, expected: &str) {
    let flat = |text: &str| -> String {
        let lines = text.trim_matches('\n').lines().map(str::trim);
        lines.flat_map(|line| ["\n", line]).collect()
    };
    let (code, expected) = (flat(code) + "\n", flat(expected) + "\n");
    assert!(code.contains(&expected), "no\n{expected}\nin\n{code}");
}

const BODY: &str = "
requestBody:
  required: true
  content:
    application/json:
      schema:
        type: object
        required: [name]
        properties:
          name: { type: string, description: Its name. }
          key: { type: string, format: password, description: Its key. Long. }";

#[test]
fn an_operation_reads_as_if_written_by_hand() {
    let description = "description: For good.\nx-output: { $ref: '#/components/schemas/Thing' }";
    let thing = "Thing: { type: object, description: A thing. }";
    let code = ops(&operation(&format!("{description}{BODY}")), thing);
    let (_, code) = code.split_once("use crate::dialect::Dialect;\n").unwrap();
    let expected = r#"
/// Changes a thing.
///
/// For good.
///
/// `PUT /v1/things/{id}` · Acme, Things
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeThing {
    /// Which.
    #[serde(skip_serializing)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its key. Long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
}

impl Operation for ChangeThing {
    type Dialect = Dialect;
    type Output = Thing;
    const ID: OperationId = OperationId::new("acme", "change-thing");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v1/things/{id}").path("id", &self.id)?.json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Thing {}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: ChangeThing::ID, replay: ChangeThing::REPLAY, method: "PUT", path: "/v1/things/{id}",
        summary: "Changes a thing.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Text, required: true, doc: "Which." },
            FieldInfo { name: "name", kind: FieldKind::Text, required: true, doc: "Its name." },
            FieldInfo { name: "key", kind: FieldKind::Secret, required: false, doc: "Its key." },
        ],
        reply_has_secret: false,
    },
];
"#;
    assert!(code.starts_with(expected), "{code}");
}

#[test]
fn only_used_imports_are_generated() {
    let code = ops(&operation(""), "");
    assert_has(&code, "use anyvpn_core::{Error, OperationId};");
    assert_has(&code, "use serde::Deserialize;\nuse serde::de::IgnoredAny;");
    assert!(!code.contains("std::net"), "{code}");
    assert!(!code.contains("lenient"), "{code}");

    let plain = "
openapi: 3.1.0
info: { title: Acme }
paths:
  /v1/all:
    delete: { operationId: clear, x-replay: Idempotent, security: [], x-decoder: by_hand }
";
    let code = super::tests::code(&read("acme", plain).unwrap());
    let imports =
        "use anyvpn_http::{Client, Operation, OperationInfo, Replay, Reply, Request, Security};";
    assert!(code.contains(imports), "{code}");
}

#[test]
fn an_operation_without_output_ignores_the_body() {
    let code = ops(&operation(""), "");
    assert_has(&code, "type Output = ();");
    assert_has(&code, "Dialect::decode::<IgnoredAny>(reply).map(drop)");
    assert_has(&code, r#"Request::put("/v1/things/{id}").path("id", &self.id)"#);
}

#[test]
fn parameters_go_into_path_and_query() {
    let code = ops(
        &operation(
            "  - { name: a, in: query, required: true, description: A., schema: { type: integer, format: int64 } }
  - { name: b, in: query, description: B., schema: { type: integer, format: uint16 } }
  - { name: c, in: query, description: C., schema: { type: string } }",
        ),
        "",
    );
    assert_has(&code, "/// B.\npub b: Option<u16>,");
    assert_has(
        &code,
        r#"
        Ok(Request::put("/v1/things/{id}")
            .path("id", &self.id)?
            .query("a", self.a)
            .query_opt("b", self.b)
            .query_opt("c", self.c.as_ref()))"#,
    );
}

#[test]
fn a_constant_property_is_not_a_field() {
    let body = BODY.replace("key: { type: string", "hidden: { const: true } #");
    let code = ops(&operation(&body), "");
    assert!(!code.contains("pub hidden"), "{code}");
    assert!(code.contains(r#".json_with(self, "hidden", true)"#), "{code}");
}

#[test]
fn security_is_none_optional_or_depends_on_a_field() {
    let with = |security: &str| ops(&operation(BODY).replace("[{ bearer: [] }]", security), "");
    assert_has(&with("[]"), "Security::NONE");
    let optional = "[{ bearer: [] }, {}]";
    assert_has(&with(optional), r#"Security::optional(&["bearer"])"#);
    assert_has(
        &with(&format!("{optional}\nx-anonymous-with: key")),
        r#"
        if self.key.is_some() { Security::NONE } else { Security::required(&["bearer"]) }"#,
    );
}

#[test]
fn formats_and_decoders_choose_the_types_of_a_reply() {
    let thing = "
Thing:
  description: A thing.
  type: object
  required: [ip, v4, v6, at, width, tags]
  properties:
    ip: { type: string, format: ip, description: A. }
    v4: { type: string, format: ipv4, description: B. }
    v6: { type: [string, 'null'], format: ipv6, description: C. }
    at: { type: integer, format: unix-time, description: D. }
    until: { $ref: '#/components/schemas/Time', description: E. }
    width: { type: integer, format: uint8, description: F. }
    tags:
      description: G.
      x-decoder: one_or_many
      oneOf: [{ type: array, items: { type: string } }, { type: string }]
    part:
      description: H.
      x-decoder: part
      oneOf: [{ $ref: '#/components/schemas/Part' }, { type: string }]
    name: { type: string, format: compact-string, description: I. }
    parts: { type: array, x-lenient: true, items: { $ref: '#/components/schemas/Part' }, description: J. }
Time: { type: integer, format: unix-time, minimum: 0 }
Part: { type: object, description: A part. }";
    let output = "x-output: { type: array, items: { $ref: '#/components/schemas/Thing' } }";
    let code = ops(&operation(output), thing);
    assert_has(&code, "use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};");
    assert_has(
        &code,
        "
use anyvpn_http::{
    Client, CompactText, Dialect as _, FieldInfo, FieldKind, LenientList, Operation, OperationInfo,
    Replay, Reply, Request, Security,
};",
    );
    assert_has(&code, "use crate::lenient;");
    assert_has(&code, "type Output = Vec<Thing>;");
    assert_has(
        &code,
        r#"
pub struct Thing {
    /// A.
    pub ip: IpAddr,
    /// B.
    pub v4: Ipv4Addr,
    /// C.
    pub v6: Option<Ipv6Addr>,
    /// D.
    #[serde(with = "anyvpn_http::unix_time")]
    pub at: Timestamp,
    /// E.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub until: Option<Timestamp>,
    /// F.
    pub width: u8,
    /// G.
    #[serde(default, deserialize_with = "lenient::one_or_many")]
    pub tags: Vec<String>,
    /// H.
    #[serde(default, deserialize_with = "lenient::part")]
    pub part: Option<Part>,
    /// I.
    pub name: Option<CompactText>,
    /// J.
    pub parts: Option<LenientList<Part>>,
}

/// A part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {}"#,
    );
}

#[test]
fn a_secret_anywhere_in_a_reply_is_known() {
    let reply = "x-output: { type: array, items: { $ref: '#/components/schemas/Thing' } }";
    let has_secret = |part: &str, secret: &str| {
        let schemas = format!(
            "
Thing:
  type: object
  description: A thing.
  properties:
    part: {{ $ref: '#/components/schemas/Part', description: A. }}
    parts: {{ type: array, items: {{ $ref: '#/components/schemas/Part' }}, description: B. }}
Part:
  type: object
  description: A part.
  properties:
    {part}: {{ type: string, {secret}description: C. }}"
        );
        ops(&operation(reply), &schemas).contains("reply_has_secret: true,")
    };
    assert!(has_secret("key", "format: password, "));
    assert!(!has_secret("secret", ""));
    assert!(!ops(&operation(BODY), "").contains("reply_has_secret: true,"));
}

#[test]
fn a_decoder_of_an_operation_takes_the_place_of_the_envelope() {
    let code = ops(&operation("x-decoder: by_hand"), "");
    assert_has(&code, "lenient::by_hand(self, reply)");
}

#[test]
fn strings_get_types_of_their_own() {
    let code = ops(
        &operation("").replace("{ type: string }", "{ $ref: '#/components/schemas/ThingId' }"),
        "
ThingId: { type: string, x-newtype: true, description: The id of a thing. }",
    );
    assert_has(
        &code,
        "
anyvpn_core::string_types! {
    /// The id of a thing.
    pub struct ThingId;
}",
    );
    let color = "
Color:
  type: string
  description: A color.
  x-open-enum: { DARK_RED: Dark., blue: Light. }";
    let output = "x-output: { $ref: '#/components/schemas/Color' }";
    assert_has(
        &ops(&operation(output), color),
        r#"
anyvpn_core::open_enum! {
    /// A color.
    pub enum Color {
        /// Dark.
        DarkRed = "DARK_RED",
        /// Light.
        Blue = "blue",
    }
}"#,
    );
}

#[test]
fn docs_are_wrapped_between_words_and_never_inside_code() {
    let words = "word ".repeat(18);
    let doc = text::doc(0, &format!("{words}`code that stays` ends\nSecond."));
    let first = words.trim_end();
    assert_eq!(doc, format!("/// {first}\n/// `code that stays` ends\n///\n/// Second.\n"));
}
