//! `cargo xtask codegen [--check]`: a provider's operations and types from its OpenAPI document.
//!
//! Each `crates/anyvpn-NAME/openapi.yaml` gives `src/ops.rs` beside it and a table in
//! `docs/endpoints.md`; each `examples/NAME/openapi.yaml` the former only. Three steps: [`document`] parses the YAML, [`read`] decides what
//! each operation and type is in Rust (a [`model`]), [`rust`] and [`markdown`] write it down.
//!
//! The extensions of OpenAPI that are understood:
//!
//! | where | key | meaning |
//! |---|---|---|
//! | operation | `x-source` | the vendor's page and heading |
//! | operation | `x-replay` | `Safe`, `Idempotent` or `Once` |
//! | operation | `x-output` | schema of what the caller gets; left out: nothing |
//! | operation | `x-decoder: NAME` | `lenient::NAME(self, reply)` decodes the reply |
//! | operation | `x-anonymous-with: FIELD` | no credential is sent when the optional field is given |
//! | property | `x-decoder: NAME` | `lenient::NAME` makes it the first of its types or its `oneOf` |
//! | property | `x-name: NAME` | the name in Rust, where the wire's is a keyword or unclear |
//! | property | `x-attached: true` | the dialect puts it in with a credential; on a component too |
//! | property | `x-flag: true` | a `bool`: 1 when true, left out when false; in a query 1 or 0 |
//! | component | `x-newtype: true` | a string with a type of its own |
//! | component | `x-hand-written: true` | a type of that name in the crate's `types`, which checks it |
//! | component | `x-open-enum: {WORD: meaning}` | known words of a string; others may come |
//!
//! Formats: `password` is a `Secret`; `compact-string` a `CompactString`, for lists that can be long;
//! `unix-time` and `date-time` a `Timestamp`; `date` a `Date`;
//! `ip`, `ipv4` and `ipv6` addresses; `public-key` WireGuard's; `uint8` to `uint64` and `int64`
//! integers. A body is JSON or a form. A property of a body that is `const` is no field unless it is a flag, and one that is
//! attached never is. Only components that an operation's input or output reaches become types.

mod document;
mod markdown;
mod model;
mod read;
mod rust;
#[cfg(test)]
mod tests;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use self::model::Provider;

/// A value, or what is wrong: where, what, and what to do.
type Result<T> = std::result::Result<T, String>;

/// Writes the generated files.
pub fn write(root: &Path) -> Result<()> {
    for (path, text) in generate(root)? {
        let file = root.join(&path);
        if fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&file, text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Compares the generated files with what is there, and shows the difference.
pub fn check(root: &Path) -> Result<()> {
    let mut stale = Vec::new();
    for (path, text) in generate(root)? {
        let old = fs::read_to_string(root.join(&path)).unwrap_or_default();
        stale.extend(difference(&path, &old, &text));
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nGenerated files differ from their OpenAPI documents. Run `cargo xtask codegen`.",
        stale.concat()
    ))
}

/// The unified diff from `old` to `new`; `None` when they are equal.
pub fn difference(path: &Path, old: &str, new: &str) -> Option<String> {
    let path = path.display();
    (old != new).then(|| {
        TextDiff::from_lines(old, new)
            .unified_diff()
            .header(&format!("{path} (now)"), &format!("{path} (generated)"))
            .to_string()
    })
}

/// The generated files: paths below `root`, and texts.
fn generate(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut providers = Vec::new();
    for (name, path) in documents(root)? {
        let place = path.display().to_string();
        let yaml = fs::read_to_string(root.join(&path)).map_err(|e| format!("{place}: {e}"))?;
        let provider = Provider::read(&name, &place, &yaml)?;
        let ops =
            text::rustfmt(root, &rust::ops(&provider)).map_err(|e| format!("{place}: {e}"))?;
        files.push((path.with_file_name("src").join("ops.rs"), ops));
        // An example's vendor does not exist; it is no provider of the documents.
        if path.starts_with(CRATES) {
            providers.push(provider);
        }
    }
    files.push(("docs/endpoints.md".into(), markdown::endpoints(&providers)));
    Ok(files)
}

/// Where the providers' folders are: `anyvpn-NAME`.
const CRATES: &str = "crates";

/// Where the examples' folders are: `NAME`.
const EXAMPLES: &str = "examples";

/// The providers that have an OpenAPI document, and its path below `root`, in order of their names.
fn documents(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for (place, prefix) in [(CRATES, "anyvpn-"), (EXAMPLES, "")] {
        if !root.join(place).is_dir() {
            continue;
        }
        let folders = fs::read_dir(root.join(place)).map_err(|e| format!("{place}: {e}"))?;
        let folders = folders.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        found.extend(folders.filter_map(|folder| {
            let path = Path::new(place).join(&folder).join("openapi.yaml");
            let name = folder.strip_prefix(prefix)?.to_owned();
            root.join(&path).is_file().then_some((name, path))
        }));
    }
    found.sort();
    Ok(found)
}
