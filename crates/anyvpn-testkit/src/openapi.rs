//! Checks requests and replies against a provider's OpenAPI 3.1 document.
//!
//! ```
//! use anyvpn_testkit::openapi::Document;
//!
//! let document = Document::load(
//!     "
//! openapi: 3.1.0
//! paths:
//!   /v3/ips/{id}:
//!     get:
//!       operationId: get-ip
//!       x-output: {}
//!       responses:
//!         2XX: { content: { application/json: { schema: { $ref: '#/components/schemas/Ip' } } } }
//! components:
//!   schemas:
//!     Ip: { type: object, required: [id], properties: { id: { type: string } } }
//! ",
//! )?;
//! document.validate_request("get-ip", "GET", "/v3/ips/IJiaUdc2", b"")?;
//! document.validate_reply("get-ip", 200, br#"{"id":"IJiaUdc2"}"#)?;
//! assert!(document.validate_reply("get-ip", 200, br#"{"id":7}"#).is_err());
//! # Ok::<(), String>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jsonschema::Validator;
use serde_json::{Value, json};

/// An OpenAPI document to check requests and replies against.
pub struct Document(BTreeMap<String, Operation>);

/// One operation of a [`Document`].
pub struct Operation {
    /// The `operationId`.
    pub name: String,
    /// The HTTP method, in uppercase.
    pub method: String,
    /// The path, with placeholders such as `{id}`.
    pub path: String,
    /// Whether a success has a value, that is, whether the operation has an `x-output`.
    pub has_output: bool,
    /// The schema of the request's body; `None` if it has no body.
    request: Option<Schema>,
    /// The schema for each status, as the document writes it; `None` for a reply without a body.
    replies: BTreeMap<String, Option<Schema>>,
}

/// The schema of a body.
struct Schema {
    /// `None` for text, which is not checked.
    validator: Option<Validator>,
    /// The integer fields of a form, which a form writes like strings; `None` for other bodies.
    numbers: Option<BTreeSet<String>>,
    /// Whether the body may be any text instead.
    or_text: bool,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Document {
    /// Reads a document and compiles its schemas.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the document: the YAML, a reference, a schema, an example that does
    /// not match its schema, or an `operationId` that is missing or used twice.
    pub fn load(yaml: &str) -> Result<Self, String> {
        let document: Value = serde_saphyr::from_str(yaml).map_err(|e| e.to_string())?;
        let mut operations = BTreeMap::new();
        for (path, item) in entries(&document["paths"]) {
            for (method, entry) in entries(item) {
                if !METHODS.contains(&method.as_str()) {
                    continue;
                }
                let operation = operation(&document, path, method, entry)
                    .map_err(|e| format!("{method} {path}: {e}"))?;
                let name = operation.name.clone();
                if operations.insert(name.clone(), operation).is_some() {
                    return Err(format!("the operationId {name} is used twice"));
                }
            }
        }
        Ok(Self(operations))
    }

    /// Returns the operations, by name.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.0.values()
    }

    /// Checks that a request matches the operation: its method, path and body.
    ///
    /// # Errors
    ///
    /// Returns what does not match.
    pub fn validate_request(
        &self,
        operation: &str,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Result<(), String> {
        let operation = self.operation(operation)?;
        let path = target.split('?').next().unwrap_or_default();
        if method != operation.method || !fits(&operation.path, path) {
            return Err(format!("{method} {path} is not {} {}", operation.method, operation.path));
        }
        match &operation.request {
            None if body.is_empty() => Ok(()),
            None => Err("the request has a body, but the operation takes none".to_owned()),
            Some(schema) => validate(schema, body),
        }
    }

    /// Checks that a reply's body matches the operation's schema for its status: the schema for exactly
    /// this status, else the one for its class (`4XX`), else `default`.
    ///
    /// An empty body matches a response without content, and any success of an operation without a
    /// value (without `x-output`). OpenAPI cannot describe an optional body, so a body that may be left
    /// out is described by `x-optional-content`, which is written like `content`.
    ///
    /// # Errors
    ///
    /// Returns what does not match.
    pub fn validate_reply(&self, operation: &str, status: u16, body: &[u8]) -> Result<(), String> {
        let operation = self.operation(operation)?;
        let reply = [status.to_string(), format!("{}XX", status / 100), "default".to_owned()]
            .iter()
            .find_map(|key| operation.replies.get(key))
            .ok_or_else(|| format!("{} does not describe a response {status}", operation.name))?;
        let may_be_empty = !operation.has_output && (200..300).contains(&status);
        match reply {
            _ if body.is_empty() && may_be_empty => Ok(()),
            None if body.is_empty() => Ok(()),
            None => Err(format!(
                "the document has no body for the response {status}, but the reply has one"
            )),
            Some(schema) => validate(schema, body),
        }
    }

    fn operation(&self, name: &str) -> Result<&Operation, String> {
        self.0.get(name).ok_or_else(|| format!("the document has no operation {name}"))
    }
}

fn operation(
    document: &Value,
    path: &str,
    method: &str,
    entry: &Value,
) -> Result<Operation, String> {
    let mut replies = BTreeMap::new();
    for (status, response) in entries(&entry["responses"]) {
        let validator = body(document, response).map_err(|e| format!("response {status}: {e}"))?;
        replies.insert(status.clone(), validator);
    }
    Ok(Operation {
        name: entry["operationId"].as_str().ok_or("no operationId")?.to_owned(),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        has_output: entry.get("x-output").is_some(),
        request: body(document, &entry["requestBody"]).map_err(|e| format!("requestBody: {e}"))?,
        replies,
    })
}

/// Returns the schema of a `requestBody` or a response, which may be a reference; `None` if it has
/// neither JSON nor a form nor text. If it declares both JSON and a type such as `text/html`, the
/// schema accepts any text as well.
fn body(document: &Value, part: &Value) -> Result<Option<Schema>, String> {
    let part = resolve(document, part)?;
    let content = part.get("content").unwrap_or(&part["x-optional-content"]);
    let (json, form) =
        (&content["application/json"], &content["application/x-www-form-urlencoded"]);
    let (media, numbers) = match (json.is_null(), form.is_null()) {
        (false, _) => (json, None),
        (true, false) => (form, Some(numbers(document, &form["schema"])?)),
        (true, true) if content["text/plain"].is_null() => return Ok(None),
        (true, true) => return Ok(Some(Schema { validator: None, numbers: None, or_text: true })),
    };
    // References in the document start at its root.
    let schema = json!({ "allOf": [media["schema"]], "components": document["components"] });
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_format("ip", |text: &str| text.parse::<IpAddr>().is_ok())
        .build(&schema)
        .map_err(|e| e.to_string())?;
    if let Some(example) = media.get("example") {
        fit(&validator, example).map_err(|e| format!("its example does not match: {e}"))?;
    }
    let or_text = entries(content).any(|(media, _)| media.starts_with("text/"));
    Ok(Some(Schema { validator: Some(validator), numbers, or_text }))
}

/// Resolves a reference; returns any other value itself.
fn resolve<'a>(document: &'a Value, part: &'a Value) -> Result<&'a Value, String> {
    let Some(place) = part["$ref"].as_str() else { return Ok(part) };
    let target = place.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
    target.ok_or_else(|| format!("{place} leads nowhere"))
}

/// Returns the integer fields of a form.
fn numbers(document: &Value, form: &Value) -> Result<BTreeSet<String>, String> {
    let mut numbers = BTreeSet::new();
    for (name, property) in entries(&resolve(document, form)?["properties"]) {
        if resolve(document, property)?["type"] == "integer" {
            numbers.insert(name.clone());
        }
    }
    Ok(numbers)
}

/// Converts a form to the object that its schema describes; a duplicate field is an error.
fn object_of(form: &[u8], numbers: &BTreeSet<String>) -> Result<Value, String> {
    let mut object = serde_json::Map::new();
    for (name, text) in url::form_urlencoded::parse(form) {
        let number = text.parse::<i64>().ok().filter(|_| numbers.contains(&*name));
        let value = number.map_or_else(|| Value::from(&*text), Value::from);
        if object.insert(name.to_string(), value).is_some() {
            return Err(format!("the field {name} occurs twice"));
        }
    }
    Ok(object.into())
}

fn validate(schema: &Schema, body: &[u8]) -> Result<(), String> {
    let Some(validator) = &schema.validator else { return Ok(()) };
    let body = match &schema.numbers {
        Some(numbers) => object_of(body, numbers)?,
        None => match serde_json::from_slice(body) {
            Err(_) if schema.or_text && !body.is_empty() => return Ok(()),
            body => body.map_err(|e| format!("no JSON: {e}"))?,
        },
    };
    fit(validator, &body)
}

fn fit(validator: &Validator, body: &Value) -> Result<(), String> {
    let errors: Vec<_> =
        validator.iter_errors(body).map(|e| format!("at `{}`: {e}", e.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
}

/// Returns whether `path` is `template` with one segment for each placeholder.
fn fits(template: &str, path: &str) -> bool {
    let segments = path.split('/');
    template.split('/').count() == segments.clone().count()
        && template.split('/').zip(segments).all(|(place, segment)| match place.starts_with('{') {
            true => !matches!(segment, "" | "." | ".."),
            false => place == segment,
        })
}

/// Returns the properties of an object; none for anything else.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document::load(
            "
openapi: 3.1.0
paths:
  /a/{id}:
    parameters: []
    delete:
      operationId: drop-a
      responses:
        2XX: { content: { application/json: { schema: { type: object } } } }
        '202':
          x-optional-content: { application/json: { schema: { type: object } } }
        '204': { description: Nothing. }
        '206': { content: { text/plain: { schema: { type: string } } } }
        '207': { content: { application/json: { schema: { type: object } }, text/plain: {} } }
        4XX: { $ref: '#/components/responses/No' }
    put:
      operationId: put-a
      x-output: { type: string }
      requestBody:
        content: { application/json: { schema: { required: [at], properties: { at: { type: string, format: ip } } } } }
      responses:
        '200': { content: { application/json: { schema: { type: string } } } }
        default: { $ref: '#/components/responses/No' }
components:
  responses:
    No: { content: { application/json: { schema: { $ref: '#/components/schemas/No' } } } }
  schemas:
    No: { type: object, required: [message], properties: { message: { type: [string, 'null'] } } }
",
        )
        .unwrap()
    }

    #[test]
    fn the_nearest_response_decides() {
        let document = document();
        let fits = |operation: &str, status, body: &str| {
            document.validate_reply(operation, status, body.as_bytes()).is_ok()
        };
        assert!(fits("drop-a", 200, "{}") && fits("drop-a", 200, "") && fits("drop-a", 204, ""));
        assert!(fits("drop-a", 202, "{}") && fits("drop-a", 202, "") && !fits("drop-a", 202, "[]"));
        assert!(!fits("drop-a", 200, "[]") && !fits("drop-a", 204, "{}"));
        assert!(fits("drop-a", 206, "{}\n\nany text"));
        assert!(fits("drop-a", 207, "{}") && fits("drop-a", 207, "a text"));
        assert!(!fits("drop-a", 207, "[]"));
        assert!(fits("drop-a", 404, r#"{"message":null}"#) && !fits("drop-a", 404, ""));
        assert!(!fits("drop-a", 500, r#"{"message":"no response for it"}"#));
        assert!(
            fits("put-a", 200, r#""x""#) && !fits("put-a", 200, "") && !fits("put-a", 200, "{")
        );
        assert!(
            fits("put-a", 418, r#"{"message":"m"}"#) && !fits("put-a", 418, r#"{"message":1}"#)
        );
        assert!(!fits("no-such", 200, "{}"));
    }

    #[test]
    fn a_request_fits_by_method_path_and_body() {
        let document = document();
        let fits = |operation: &str, method: &str, target: &str, body: &str| {
            document.validate_request(operation, method, target, body.as_bytes()).is_ok()
        };
        assert!(fits("put-a", "PUT", "/a/7?x=1", r#"{"at":"::1"}"#));
        assert!(!fits("put-a", "PUT", "/a/7", r#"{"at":"here"}"#));
        assert!(!fits("put-a", "PUT", "/a/7", ""));
        assert!(!fits("put-a", "POST", "/a/7", r#"{"at":"::1"}"#));
        assert!(fits("drop-a", "DELETE", "/a/7", "") && !fits("drop-a", "DELETE", "/a/7", "{}"));
        for path in ["/a", "/a/", "/a/..", "/a/7/8", "/b/7"] {
            assert!(!fits("drop-a", "DELETE", path, ""), "{path}");
        }
    }

    #[test]
    fn a_form_fits_by_its_fields() {
        let document = Document::load(
            "
openapi: 3.1.0
paths:
  /a:
    post:
      operationId: add
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              required: [kind]
              additionalProperties: false
              properties: { kind: { type: integer, enum: [1, 6] }, name: { type: string } }
",
        )
        .unwrap();
        let fits =
            |form: &str| document.validate_request("add", "POST", "/a", form.as_bytes()).is_ok();
        assert!(fits("kind=6&name=7") && fits("kind=1"));
        for wrong in ["", "kind=7", "kind=x", "kind=1&kind=1", "kind=1&other=2"] {
            assert!(!fits(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_broken_document_does_not_load() {
        for (yaml, why) in [
            ("paths: [", ""),
            ("paths: { /a: { get: {} } }", "no operationId"),
            ("paths: { /a: { get: { operationId: a }, put: { operationId: a } } }", "twice"),
            (
                "paths: { /a: { get: { operationId: a, responses: { 2XX: { $ref: '#/x' } } } } }",
                "leads nowhere",
            ),
            (
                "paths: { /a: { get: { operationId: a, responses: { 2XX: { content: { \
                 application/json: { schema: { type: string }, example: 1 } } } } } } }",
                "its example does not match",
            ),
        ] {
            let error = Document::load(yaml).err().expect(yaml);
            assert!(error.contains(why), "{yaml}: {error}");
        }
    }
}
