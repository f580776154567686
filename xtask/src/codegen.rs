//! `cargo xtask codegen [--check]`: each provider's `src/ops.rs` beside its `openapi.yaml`, and
//! `docs/endpoints.md`.

use std::fs;
use std::path::{Path, PathBuf};

use anyvpn_codegen::{Finding, difference, generate, read};

use crate::endpoints::endpoints;
use crate::workspace::{self, Provider};

/// The command that writes the files again.
const COMMAND: &str = "cargo xtask codegen";

/// Writes the generated files.
///
/// # Errors
///
/// Returns everything that is wrong with the documents.
pub fn write(root: &Path) -> Result<(), String> {
    for (path, text) in files(root, &workspace::with_document(root)?)? {
        let file = root.join(&path);
        if fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&file, text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Compares the generated files with the existing ones.
///
/// # Errors
///
/// Returns the differences, or everything that is wrong with the documents.
pub fn check(root: &Path) -> Result<(), String> {
    let mut stale = Vec::new();
    for (path, text) in files(root, &workspace::with_document(root)?)? {
        let old = fs::read_to_string(root.join(&path)).unwrap_or_default();
        stale.extend(difference(&path, &old, &text));
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nGenerated files differ from their OpenAPI documents. Run `{COMMAND}`.",
        stale.concat()
    ))
}

/// Returns the paths below `root` and texts of the generated files. Here a warning is an error, because
/// our documents must be complete.
fn files(root: &Path, providers: &[Provider]) -> Result<Vec<(PathBuf, String)>, String> {
    let (mut files, mut documented) = (Vec::new(), Vec::new());
    let mut problems = Vec::new();
    for Provider { name, folder, is_published, .. } in providers {
        let path = folder.join("openapi.yaml");
        let place = path.display().to_string();
        let yaml = fs::read_to_string(root.join(&path)).map_err(|e| format!("{place}: {e}"))?;
        let line = |it: &Finding| format!("{place}{}: {}", it.place, it.message);
        match read(name, &yaml) {
            Ok(api) => {
                problems.extend(api.warnings.iter().map(line));
                let code = generate(&api.provider, COMMAND, &root.join(folder))
                    .map_err(|e| format!("{place}: {e}"))?;
                files.push((folder.join("src/ops.rs"), code));
                // An example's vendor does not exist, so the documentation does not list it.
                documented.extend(is_published.then_some(api.provider));
            }
            Err(findings) => problems.extend(findings.iter().map(line)),
        }
    }
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    files.push(("docs/endpoints.md".into(), endpoints(&documented)));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "
openapi: 3.1.0
info: { title: Acme, version: v1 }
paths:
  /v1/things/{id}:
    put:
      operationId: change-thing
      summary: Changes a thing.
      x-source: Acme, Things
      x-replay: Idempotent
      security: [{ bearer: [] }, { password: [] }]
      parameters:
        - { name: id, in: path, required: true, description: Which., schema: { type: string } }
components:
  securitySchemes: { bearer: { type: http }, password: { type: http } }
";

    /// Returns the files that are generated from a document, in a temporary folder.
    fn generated(name: &str, document: &str) -> Result<Vec<(PathBuf, String)>, String> {
        let root = std::env::temp_dir().join(format!("anyvpn-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("acme")).unwrap();
        fs::write(root.join("acme/openapi.yaml"), document).unwrap();
        let acme = Provider {
            name: "acme".to_owned(),
            folder: "acme".into(),
            is_published: true,
            has_document: true,
        };
        let files = files(&root, &[acme]);
        fs::remove_dir_all(root).unwrap();
        files
    }

    #[test]
    fn a_provider_has_its_code_and_a_row_for_each_operation() {
        let files = generated("files", DOCUMENT).unwrap();
        assert_eq!(files[0].0, Path::new("acme/src/ops.rs"));
        assert!(files[0].1.contains("Written by `cargo xtask codegen`"), "{}", files[0].1);
        let row = "| `change-thing` | `ChangeThing` | `PUT /v1/things/{id}` | idempotent \
                   | bearer or password | Changes a thing. | Acme, Things |";
        assert!(files[1].1.contains(row), "{}", files[1].1);
    }

    #[test]
    fn a_warning_is_an_error_in_our_own_documents() {
        let problem = generated("warning", &DOCUMENT.replace("description: Which., ", ""));
        let expected = "acme/openapi.yaml#/paths/~1v1~1things~1{id}/put/parameters/0: no \
                        description; say what this is";
        assert_eq!(problem.unwrap_err(), expected);
    }
}
