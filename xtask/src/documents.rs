//! Checks what the providers' OpenAPI documents need so that tools of other languages can use them. The
//! validators among those tools do not ask for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::workspace;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Replies without an example: the provider, the operation and the reason.
const WITHOUT_EXAMPLE: &[(&str, &str, &str)] = &[
    ("azire", "delete-user", "the page shows no reply"),
    ("azire", "delete-port-forward", "the page shows no reply"),
    ("azire", "delete-all-tokens", "the page shows no reply"),
    ("azire", "delete-token", "the page shows no reply"),
    ("azire", "delete-ip", "the page shows no reply"),
    ("pia", "list-servers", "an invented list has no signature that fits"),
];

/// Checks the document of every provider that is published.
///
/// # Errors
///
/// If a document cannot be read.
pub fn check(root: &Path, breaches: &mut Vec<String>) -> Result<(), String> {
    for provider in workspace::with_document(root)?.into_iter().filter(|it| it.is_published) {
        let path = provider.folder.join("openapi.yaml");
        let name = path.display().to_string();
        let text = fs::read_to_string(root.join(&path)).map_err(|e| format!("{name}: {e}"))?;
        let found = document(&provider.name, &text).map_err(|e| format!("{name}: {e}"))?;
        breaches.extend(found.into_iter().map(|breach| format!("{name}: {breach}")));
    }
    Ok(())
}

/// Returns what a document lacks, with the operation or the place below its root.
fn document(provider: &str, text: &str) -> Result<Vec<String>, String> {
    let document: Value = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
    let mut breaches = Vec::new();
    if document["info"]["license"]["name"].is_null() {
        breaches.push("info has no license".to_owned());
    }
    let tags = document["tags"].as_array().into_iter().flatten();
    let tags: BTreeSet<_> = tags.filter_map(|tag| tag["name"].as_str()).collect();
    let mut excused: BTreeSet<_> = WITHOUT_EXAMPLE
        .iter()
        .filter(|(of, ..)| *of == provider)
        .map(|(_, operation, _)| *operation)
        .collect();
    for (method, operation) in entries(&document["paths"]).flat_map(|(_, item)| entries(item)) {
        if !METHODS.contains(&method.as_str()) {
            continue;
        }
        let id = operation["operationId"].as_str().unwrap_or("an operation without a name");
        let own: Vec<_> = operation["tags"].as_array().into_iter().flatten().collect();
        let is_tagged = !own.is_empty()
            && own.iter().all(|tag| tag.as_str().is_some_and(|tag| tags.contains(tag)));
        if !is_tagged {
            breaches.push(format!("{id}: give it tags, which `tags` of the document describes"));
        }
        if !has_examples(&document, operation) && !excused.remove(id) {
            breaches.push(format!(
                "{id}: a success has no example; give one, or a reason in xtask/src/documents.rs"
            ));
        }
    }
    for id in excused {
        breaches.push(format!("{id}: it has an example; remove its reason for having none"));
    }
    shapes(&document, "#", &mut breaches);
    Ok(breaches)
}

/// Returns whether each body of a success has an example.
fn has_examples(document: &Value, operation: &Value) -> bool {
    let successes = entries(&operation["responses"]).filter(|(status, _)| status.starts_with('2'));
    let mut bodies = successes.flat_map(|(_, response)| {
        let response = resolve(document, response);
        ["content", "x-optional-content"].into_iter().flat_map(|it| entries(&response[it]))
    });
    bodies.all(|(_, body)| body.get("example").is_some() || body.get("examples").is_some())
}

/// Finds schemas from which generated clients make no types, and extensions for what OpenAPI can say.
fn shapes(node: &Value, place: &str, breaches: &mut Vec<String>) {
    let mut breach = |what: &str| breaches.push(format!("{place}: {what}"));
    if let Some(types) = node["type"].as_array()
        && types.iter().filter(|it| *it != "null").count() > 1
    {
        breach("several types; write a `oneOf` with one type each");
    }
    if let Some(words) = node["enum"].as_array() {
        let kinds = words.iter().filter(|word| !word.is_null()).map(kind);
        if kinds.collect::<BTreeSet<_>>().len() > 1 {
            breach("an enum of several types; write a `oneOf` with one type each");
        }
    }
    if let Some(required) = node["required"].as_array() {
        let is_typed =
            |name: &Value| name.as_str().is_some_and(|name| node["properties"].get(name).is_some());
        if !required.iter().all(is_typed) {
            breach("required, but without a type: name it in `properties`");
        }
    }
    if node.get("x-in").is_some() {
        breach("x-in: say with `in`, or as a field of the body, where a credential is sent");
    }
    let places = entries(node).filter(|(key, _)| !matches!(key.as_str(), "example" | "examples"));
    for (key, part) in places {
        shapes(part, &format!("{place}/{key}"), breaches);
    }
    for (number, part) in node.as_array().into_iter().flatten().enumerate() {
        shapes(part, &format!("{place}/{number}"), breaches);
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Resolves a reference; returns any other value itself.
fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let place = part["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.map_or(part, |place| document.pointer(place).unwrap_or(&Value::Null))
}

/// Returns the properties of an object; none for anything else.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "
info: { license: { name: MIT } }
tags: [{ name: things }]
paths:
  /things:
    parameters: []
    get:
      operationId: list-things
      tags: [things]
      responses:
        2XX: { $ref: '#/components/responses/Things' }
        default: { content: { application/json: { schema: {} } } }
components:
  responses:
    Things: { content: { application/json: { schema: {}, example: { enum: [1, a] } } } }
  schemas:
    Thing: { type: object, required: [id], properties: { id: { type: [integer, 'null'] } } }
    Size: { enum: [1, 2, null] }
";

    #[test]
    fn what_a_document_lacks_is_found() {
        assert_eq!(document("acme", DOCUMENT), Ok(vec![]));
        for (from, to, expected) in [
            ("license: { name: MIT }", "", "info has no license"),
            ("      tags: [things]\n", "", "list-things: give it tags"),
            ("      tags: [things]\n", "      tags: [others]\n", "list-things: give it tags"),
            (", example: { enum: [1, a] }", "", "list-things: a success has no example"),
            ("[integer, 'null']", "[integer, string]", "#/components/schemas/Thing/properties/id:"),
            ("[1, 2, null]", "[1, '1']", "#/components/schemas/Size: an enum of several types"),
            ("required: [id]", "required: [name]", "#/components/schemas/Thing: required, but"),
            ("properties: {", "x-in: form, properties: {", "#/components/schemas/Thing: x-in"),
        ] {
            assert!(DOCUMENT.contains(from), "{from}");
            let found = document("acme", &DOCUMENT.replace(from, to)).unwrap();
            assert!(matches!(&found[..], [one] if one.starts_with(expected)), "{to}: {found:?}");
        }
        // A reason for an operation that has an example, or is not there.
        let stale = document("pia", DOCUMENT).unwrap();
        assert_eq!(stale, ["list-servers: it has an example; remove its reason for having none"]);
    }
}
