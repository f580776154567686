//! What codegen says about a mistake in a document, and about a file that differs.

use std::fs;
use std::path::Path;

use super::super::{check, difference, write};
use super::{BODY, document, operation, read};

/// Asserts that the document is refused with exactly this message.
#[track_caller]
fn assert_refused(operation: &str, schemas: &str, message: &str) {
    let problem = read(operation, schemas).err();
    assert_eq!(problem.as_deref(), Some(message));
}

#[test]
fn errors_name_the_file_the_operation_and_what_to_do() {
    let good = operation(BODY);
    for (from, to, message) in [
        ("summary: Changes a thing.", "", "no summary; say in one sentence what it does"),
        ("x-source: Acme, Things", "", "no x-source; name the vendor's page and heading"),
        ("x-replay: Idempotent", "", "no x-replay; say whether it may be sent again"),
        ("Idempotent", "Always", "unknown x-replay `Always`; use one of Safe, Idempotent, Once"),
        (
            "security: [{ bearer: [] }]",
            "",
            "no security; write `security: []` where it takes no credential",
        ),
        (
            "bearer: []",
            "basic: []",
            "security: no scheme `basic`; add it to components.securitySchemes",
        ),
        (
            "security:",
            "x-anonymous-with: name\nsecurity:",
            "x-anonymous-with: no optional field `name`; name one of the operation's",
        ),
        (
            "security:",
            "x-anonymous-with: key\nsecurity:",
            "x-anonymous-with: security has no `{}`; add it",
        ),
        ("name: id", "name: no", "parameter `no`: the path has no place `{no}`; add it"),
        ("in: path", "in: query", "no parameter for `{id}` of the path; add it"),
        (
            "type: string, description: Its name.",
            "type: string",
            "property `name`: no description; say what it is",
        ),
        (
            "format: password",
            "format: time",
            "property `key`: unknown type string, format time; use one of the codegen's, or teach \
             it this one",
        ),
        (
            "required: [name]",
            "required: [nom]",
            "`required` names `nom`, which is no property; correct it",
        ),
        ("application/json", "text/plain", "unknown media type text/plain; teach codegen this one"),
        (
            "security:",
            "x-output: { $ref: '#/components/schemas/Gone' }\nsecurity:",
            "x-output: schema `Gone`: there is none; add it to components.schemas",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let message = format!("openapi.yaml: change-thing: {message}");
        assert_refused(&good.replacen(from, to, 1), "", &message);
    }
}

#[test]
fn a_misspelled_key_is_an_error_with_its_line() {
    let problem = read(&operation("x-decodr: by_hand"), "").err().unwrap();
    assert!(problem.starts_with("openapi.yaml: "), "{problem}");
    assert!(problem.contains("x-decodr") && problem.contains("line "), "{problem}");
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

#[test]
fn check_passes_after_write_and_fails_after_an_edit() {
    let folder = std::env::temp_dir().join(format!("anyvpn-codegen-{}", std::process::id()));
    let (crates, docs) = (folder.join("crates/anyvpn-acme"), folder.join("docs"));
    fs::create_dir_all(crates.join("src")).unwrap();
    fs::create_dir_all(&docs).unwrap();
    fs::copy(crate::root().join("rustfmt.toml"), folder.join("rustfmt.toml")).unwrap();
    fs::write(crates.join("openapi.yaml"), document(&operation(BODY), "")).unwrap();

    assert!(check(&folder).unwrap_err().contains("cargo xtask codegen"));
    write(&folder).unwrap();
    assert_eq!(check(&folder), Ok(()));
    let ops = crates.join("src/ops.rs");
    let edited = fs::read_to_string(&ops).unwrap().replacen("PUT", "POST", 1);
    fs::write(&ops, edited).unwrap();
    assert!(check(&folder).unwrap_err().contains("+/// `PUT /v1/things/{id}`"));

    fs::remove_dir_all(folder).unwrap();
}
