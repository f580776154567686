//! The messages about a mistake in a document, and about a file that differs.

use std::path::Path;

use super::{BODY, api, operation, problems};
use crate::{Severity, difference};

#[test]
fn an_error_names_the_place_and_what_to_do() {
    let good = operation(BODY);
    let key = "PUT/requestBody/content/application~1json/schema";
    for (from, to, problem) in [
        ("operationId: change-thing", "", "PUT: no operationId; name the operation"),
        (
            "x-replay: Idempotent",
            "",
            "PUT: no x-replay; say whether the operation may be sent again",
        ),
        (
            "Idempotent",
            "Always",
            "PUT: unknown x-replay `Always`; use one of Safe, Idempotent, Once",
        ),
        (
            "security: [{ bearer: [] }]",
            "",
            "PUT: no security; write `security: []` if it takes no credential",
        ),
        (
            "bearer: []",
            "basic: []",
            "PUT: security: no scheme `basic`; add it to components.securitySchemes",
        ),
        (
            "security:",
            "x-anonymous-with: key\nsecurity:",
            "PUT: x-anonymous-with: security has no `{}`; add it",
        ),
        (
            "in: path",
            "in: header",
            "PUT/parameters/0: unknown `in: header`; use path or query\n\
             error: PUT: no parameter for `{id}` in the path; add one",
        ),
        (
            "name: id",
            "name: no",
            "PUT/parameters/0: the path has no placeholder `{no}`; add it\n\
             error: PUT: no parameter for `{id}` in the path; add one",
        ),
        ("in: path", "in: query", "PUT: no parameter for `{id}` in the path; add one"),
        (
            "type: string, description: Its name.",
            "type: strung, description: Its name.",
            "KEY/properties/name: unknown type strung; use a type of JSON Schema",
        ),
        (
            "required: [name]",
            "required: [nom]",
            "KEY: `required` names `nom`, which is not a property; correct it",
        ),
        (
            "application/json",
            "text/plain",
            "PUT/requestBody: unknown media type text/plain; use JSON or a form",
        ),
        (
            "security:",
            "x-output: { $ref: '#/components/schemas/Gone' }\nsecurity:",
            "PUT/x-output: there is no schema `Gone`; add it to components.schemas",
        ),
        (
            "operationId: change-thing",
            "operationId: '-'",
            "PUT: no operationId; name the operation",
        ),
        (
            "security:",
            "x-decodr: by_hand\nsecurity:",
            "PUT/x-decodr: unknown `x-decodr`; did you mean `x-decoder`?",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let found = problems(&good.replacen(from, to, 1), "");
        assert_eq!(found.replace(key, "KEY"), format!("error: {problem}"));
    }
}

#[test]
fn two_things_never_have_one_name_in_the_code() {
    let output = "x-output: { $ref: '#/components/schemas/ChangeThing' }";
    let schema = "ChangeThing: { type: object, description: A. }";
    let problem = "error: PUT: a type is also named `ChangeThing`; rename one of them";
    assert_eq!(problems(&operation(output), schema), problem);
    let (output, schema) =
        (output.replace("ChangeThing", "Error"), schema.replace("ChangeThing", "Error"));
    let problem = "error: #/components/schemas/Error: the generated code already uses the name `Error`; \
                   choose another name";
    assert_eq!(problems(&operation(&output), &schema), problem);
}

#[test]
fn missing_documentation_is_a_warning() {
    let good = operation(BODY);
    for (from, to, problem) in [
        (
            "summary: Changes a thing.",
            "",
            "no summary; say in one sentence what the operation does",
        ),
        ("x-source: Acme, Things", "", "no x-source; name the vendor's page and heading"),
        (", description: Its name.", "", "no description; say what this is"),
        ("security:", "x-stability: beta\nsecurity:", "`x-stability` is not supported"),
        ("format: password", "format: color", "unknown format color of string"),
    ] {
        assert!(good.contains(from), "{from}");
        let api = api(&good.replacen(from, to, 1), "").unwrap();
        let [warning] = api.warnings.as_slice() else { panic!("{:?}", api.warnings) };
        assert_eq!(warning.severity, Severity::Warning);
        assert!(warning.message.starts_with(problem), "{warning}");
    }
}

#[test]
fn invalid_yaml_is_reported_with_its_line() {
    let found = crate::read("acme", "openapi: [\n").unwrap_err();
    assert!(found[0].message.contains("line "), "{}", found[0]);
}

#[test]
fn a_changed_line_is_shown_as_a_difference() {
    let path = Path::new("src/ops.rs");
    assert_eq!(difference(path, "a\nb\n", "a\nb\n"), None);
    assert_eq!(
        difference(path, "a\nB\n", "a\nb\n").unwrap(),
        "--- src/ops.rs (now)\n+++ src/ops.rs (generated)\n@@ -1,2 +1,2 @@\n a\n-B\n+b\n"
    );
}
