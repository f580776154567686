//! The metrics as a file for the node exporter's textfile collector.

use std::path::Path;

use super::PublishError;

/// Checks that the collector would read the file: it reads only `*.prom`.
pub(super) fn check_name(path: &Path) -> Result<(), PublishError> {
    match path.extension().is_some_and(|extension| extension == "prom") {
        true => Ok(()),
        false => Err(PublishError {
            path: path.to_owned(),
            reason: "the node exporter reads files only if their names end with .prom".to_owned(),
        }),
    }
}
