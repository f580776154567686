//! Generates the operations of a VPN provider from its OpenAPI document.
//!
//! The document is OpenAPI 3.0 or 3.1. The generated code has a struct for each operation that
//! implements `anyvpn_http::Operation`, the types of the replies, a table of all operations, and a
//! function that calls an operation by name. It needs `crate::dialect::Dialect`, and the modules
//! `lenient` and `types` if the document names functions or types in them. The program `anyvpn-codegen`
//! does this from the command line. A build that needs more control uses this library:
//!
//! ```
//! let yaml = "
//! openapi: 3.1.0
//! info: { title: Acme, version: v1 }
//! paths:
//!   /v1/devices/{id}:
//!     delete:
//!       operationId: remove-device
//!       summary: Removes a device.
//!       x-source: Acme, Devices
//!       x-replay: Idempotent
//!       security: []
//!       parameters:
//!         - { name: id, in: path, required: true, description: Which., schema: { type: string } }
//! ";
//! let api = anyvpn_codegen::read("acme", yaml).map_err(|findings| format!("{findings:?}"))?;
//! assert_eq!(api.warnings, []);
//! let code = anyvpn_codegen::generate(&api.provider, "my-build", ".".as_ref())?;
//! assert!(code.contains("pub struct RemoveDevice"));
//! # Ok::<(), String>(())
//! ```
//!
//! # What is understood
//!
//! Paths with GET, POST, PUT and DELETE, parameters in path and query, JSON and form bodies, schemas
//! and references to components. Inline objects and inline `enum`s of strings become types that are
//! named after their place. Keywords for validators (`maxLength`, `pattern`, `default` and so on) have
//! no effect. Missing descriptions and unknown keywords are warnings.
//!
//! The supported extensions of OpenAPI:
//!
//! | where | key | meaning |
//! |---|---|---|
//! | operation | `x-source` | the vendor's page and heading |
//! | operation | `x-replay` | `Safe`, `Idempotent` or `Once` |
//! | operation | `x-output` | schema of what the caller gets; left out: nothing |
//! | operation | `x-decoder: NAME` | `lenient::NAME(self, reply)` decodes the reply |
//! | operation | `x-anonymous-with: FIELD` | no credential is sent when the optional field is given |
//! | property | `x-decoder: NAME` | `lenient::NAME` makes it the first of its types or its `oneOf` |
//! | operation | `x-security` | the credentials it takes, in place of `security`, where OpenAPI cannot say one |
//! | components | `x-securitySchemes` | what `x-security` names beside `securitySchemes`, such as fields of forms |
//! | server | `x-server: NAME` | `Operation::SERVER` of the path or operation whose first server it is |
//! | parameter | `x-secret-in-query: true` | a required secret that the vendor takes in the query alone; it is sent there |
//! | array | `x-lenient: true` | an element that does not fit is left out: for catalogues |
//! | property | `x-name: NAME` | the name in Rust, where the wire's is a keyword or unclear |
//! | property | `x-attached: true` | the dialect puts it in with a credential; on a component too |
//! | property | `x-flag: true` | a `bool`: 1 when true, left out when false; in a query 1 or 0 |
//! | component | `x-newtype: true` | a string with a type of its own |
//! | component | `x-hand-written: true` | a type of that name in the crate's `types`, which checks it |
//! | component | `x-open-enum: {WORD: meaning}` | known words of a string; others may come |
//!
//! Formats: `password` is a `Secret`; `compact-string` a `CompactText`, for lists that can be long;
//! `unix-time` and `date-time` a `Timestamp`; `date` a `Date`; `ip`, `ipv4` and `ipv6` addresses;
//! `public-key` WireGuard's; `uint8` to `uint64`, `int32` and `int64` integers; `number` is an `f64`.
//! Any other format causes a warning. A body is JSON or a form. A `const` property of a body becomes a
//! field only if it is a flag; an attached property never does. Only components that are reachable from
//! an operation's input or output become types.

mod document;
mod finding;
mod model;
mod node;
mod read;
mod rust;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use similar::TextDiff;

use self::document::Document;
use self::finding::Findings;
pub use self::finding::{Finding, Severity};
pub use self::model::{Operation, Provider, Security};
use self::node::Node;

/// A document from which code can be generated.
#[derive(Debug)]
#[non_exhaustive]
pub struct Api {
    /// The content of the document.
    pub provider: Provider,
    /// The warnings about the document.
    pub warnings: Vec<Finding>,
}

/// Reads the OpenAPI document of the provider `name`.
///
/// # Errors
///
/// Returns all errors and warnings, in the order in which the document is read.
pub fn read(name: &str, yaml: &str) -> Result<Api, Vec<Finding>> {
    let mut findings = Findings::default();
    // In YAML 1.2, the property `on` and the country `NO` are strings, not booleans.
    let options = serde_saphyr::options! { strict_booleans: true };
    let root: Node = match serde_saphyr::from_str_with_options(yaml, options) {
        Ok(root) => root,
        Err(error) => {
            findings.error("#", format!("this is not YAML: {error}"));
            return Err(findings.0);
        }
    };
    let document = Document::read(&root, &mut findings);
    let provider = Provider::from_document(name, &document, &mut findings);
    if findings.has_errors() { Err(findings.0) } else { Ok(Api { provider, warnings: findings.0 }) }
}

/// Generates the Rust code of a provider's operations, formatted as rustfmt does in `folder`. The first
/// line of the code names `command`, which regenerates it.
///
/// # Errors
///
/// Returns rustfmt's message, or that rustfmt cannot be run.
pub fn generate(provider: &Provider, command: &str, folder: &Path) -> Result<String, String> {
    text::rustfmt(folder, &rust::ops(provider, command))
}

/// Returns a unified diff from the existing file to the generated one; `None` if they are equal.
#[must_use]
pub fn difference(path: &Path, old: &str, new: &str) -> Option<String> {
    let path = path.display();
    (old != new).then(|| {
        TextDiff::from_lines(old, new)
            .unified_diff()
            .header(&format!("{path} (now)"), &format!("{path} (generated)"))
            .to_string()
    })
}
