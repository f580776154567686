//! Features that requests need beyond JSON: forms, flags, attached credentials, other names.

use super::{BODY, assert_has, code, document, operation, ops, problems, read};

/// A form with a property of each kind.
const FORM: &str = "
requestBody:
  required: true
  content:
    application/x-www-form-urlencoded:
      schema:
        type: object
        required: [apikey, type]
        properties:
          apikey: { $ref: '#/components/schemas/ApiKey' }
          password: { type: string, x-attached: true }
          type: { type: integer, format: uint8, x-name: months, description: How long. }
          setpassword: { type: string, format: password, description: The new one. }
          test: { type: integer, const: 1, x-flag: true, description: Whether it is a test. }";

const OUTPUT: &str = "x-output: { $ref: '#/components/schemas/Thing' }";

const API_KEY: &str = "ApiKey: { type: string, x-attached: true, description: The key. }";

#[test]
fn a_property_that_must_be_there_and_may_be_null_is_sent_as_null() {
    let body = "
requestBody:
  required: true
  content:
    application/json:
      schema:
        type: object
        required: [until]
        properties:
          until: { type: [string, 'null'], format: date, description: The last day. }
          note: { type: [string, 'null'], description: A note. }";
    let code = ops(&operation(body), "");
    assert_has(
        &code,
        r#"
    /// The last day.
    #[serde(deserialize_with = "Option::deserialize")]
    pub until: Option<Date>,
    /// A note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,"#,
    );
    assert_has(
        &code,
        r#"
FieldInfo { name: "until", kind: FieldKind::Text, required: true, doc: "The last day." },
FieldInfo { name: "note", kind: FieldKind::Text, required: false, doc: "A note." },"#,
    );
}

#[test]
fn a_form_has_flags_and_other_names_and_leaves_out_what_is_attached() {
    let code = ops(&operation(FORM), API_KEY);
    assert_has(
        &code,
        r#"
pub struct ChangeThing {
    /// Which.
    #[serde(skip_serializing)]
    pub id: String,
    /// How long.
    #[serde(rename = "type")]
    pub months: u8,
    /// The new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setpassword: Option<Secret>,
    /// Whether it is a test.
    #[serde(
        default,
        skip_serializing_if = "anyvpn_http::flag::is_off",
        serialize_with = "anyvpn_http::flag::serialize"
    )]
    pub test: bool,
}"#,
    );
    assert_has(&code, r#"Request::put("/v1/things/{id}").path("id", &self.id)?.form(self)"#);
    assert!(!code.contains("ApiKey") && !code.contains("pub password"), "{code}");
    assert_has(
        &code,
        r#"
FieldInfo { name: "type", kind: FieldKind::Integer, required: true, doc: "How long." },
FieldInfo { name: "setpassword", kind: FieldKind::Secret, required: false, doc: "The new one." },
FieldInfo { name: "test", kind: FieldKind::Boolean, required: false, doc: "Whether it is a test." },"#,
    );
}

#[test]
fn an_other_name_goes_before_the_other_attributes() {
    let code = ops(&operation(&BODY.replace("key: {", "type: { x-name: kind,")), "");
    assert_has(
        &code,
        r#"
#[serde(rename = "type", skip_serializing_if = "Option::is_none")]
pub kind: Option<Secret>,"#,
    );
}

#[test]
fn a_flag_of_a_query_is_one_or_zero() {
    let flag = "description: A., schema: { type: integer, enum: [0, 1], x-flag: true } }";
    let code = ops(
        &operation(&format!(
            "  - {{ name: a, in: query, required: true, {flag}\n  - {{ name: b, in: query, {flag}"
        )),
        "",
    );
    assert_has(&code, "/// A.\npub a: bool,\n/// A.\npub b: Option<bool>,");
    assert_has(
        &code,
        r#"
        Ok(Request::put("/v1/things/{id}")
            .path("id", &self.id)?
            .query("a", u8::from(self.a))
            .query_opt("b", self.b.map(u8::from)))"#,
    );
    assert!(code.contains("name: \"b\", kind: FieldKind::Boolean, required: false"), "{code}");
}

#[test]
fn an_operation_can_name_its_server_and_send_a_secret_in_the_query() {
    let secret = "  - { name: payload, in: query, required: true, description: A., schema: \
                  { type: string, format: password, x-secret-in-query: true } }";
    let servers = "\nservers: [{ url: 'https://{cn}', x-server: ports, variables: { cn: {} } }]";
    let code = |operation: &str| ops(operation, "");
    let named = code(&format!("{}{servers}", operation(secret)));
    let constant = "const REPLAY: Replay = Replay::Idempotent;
                    const SERVER: Option<&'static str> = Some(\"ports\");";
    assert_has(&named, constant);
    assert_has(&named, r#".query_secret("payload", &self.payload))"#);
    assert!(!code(&operation("")).contains("SERVER"));
    // Parameters of a path apply to all of its operations.
    let path = super::document(&operation(""), "")
        .replace("    put:\n", &format!("    {}\n    put:\n", servers.trim()));
    assert_has(&super::code(&read("acme", &path).unwrap()), constant);
}

#[test]
fn one_of_several_credentials_is_taken_or_none() {
    let several = "[{ bearer: [] }, { password: [] }]";
    let code = |security: &str| {
        let operation = operation("").replace("[{ bearer: [] }]", security);
        // The security schemes come before the schemas in the document.
        let yaml = super::document(&operation, "")
            .replace("    bearer: {", "    password: { type: http, scheme: basic }\n    bearer: {");
        super::code(&super::read("acme", &yaml).unwrap())
    };
    assert_has(&code(several), r#"Security::required(&["bearer", "password"])"#);
    let optional = "[{}, { bearer: [] }, { password: [] }]";
    assert_has(&code(optional), r#"Security::optional(&["bearer", "password"])"#);
}

#[test]
fn values_that_do_not_fit_a_form_or_query_are_refused() {
    let spelling = "a boolean has no standard form outside JSON; write `type: integer` and \
                    `x-flag: true`";
    let flag = "a flag is omitted if it is false; make it an optional property of a body, or \
                decode it with an x-decoder";
    let form = "PUT/requestBody/content/application~1x-www-form-urlencoded/schema/properties";
    let constant = "a constant property is not supported here; there can be one, and only in JSON";
    for (from, to, problem) in [
        (
            "type: integer, const: 1, x-flag: true",
            "type: boolean",
            format!("{form}/test: {spelling}"),
        ),
        ("[apikey, type]", "[apikey, type, test]", format!("{form}/test: {flag}")),
        (", x-flag: true", "", format!("{form}/test: {constant}")),
        (
            "    application/x-www",
            "    application/json: { schema: {} }\n    application/x-www",
            "PUT/requestBody: the body must have exactly one media type; choose one".to_owned(),
        ),
    ] {
        assert!(FORM.contains(from), "{from}");
        let found = problems(&operation(&FORM.replacen(from, to, 1)), API_KEY);
        assert_eq!(found, format!("error: {problem}"));
    }
    let two = BODY.replace("{ type: string,", "{ const: true,");
    let json = "PUT/requestBody/content/application~1json/schema/properties";
    assert_eq!(problems(&operation(&two), ""), format!("error: {json}/key: {constant}"));
    let query = "  - { name: a, in: query, description: A., schema: { type: boolean } }";
    assert_eq!(problems(&operation(query), ""), format!("error: PUT/parameters/1: {spelling}"));
    let thing = "
Thing:
  type: object
  description: A.
  properties: { on: { type: integer, x-flag: true, description: B. } }";
    let place = "#/components/schemas/Thing/properties/on";
    assert_eq!(problems(&operation(OUTPUT), thing), format!("error: {place}: {flag}"));
}

#[test]
fn x_security_names_what_openapi_cannot_say() {
    let security = "security: [{}, { bearer: [] }]\nx-security: [{ password: [] }, { bearer: [] }]";
    let from = operation("").replace("security: [{ bearer: [] }]", security);
    assert_eq!(
        problems(&from, ""),
        "error: PUT: security: no scheme `password`; add it to components.securitySchemes"
    );
    let form = "x-securitySchemes: { password: { description: A field of the form. } }";
    let yaml = document(&from, "").replace("  schemas:", &format!("  {form}\n  schemas:"));
    assert_has(
        &code(&read("acme", &yaml).unwrap()),
        r#"Security::required(&["password", "bearer"])"#,
    );
}
