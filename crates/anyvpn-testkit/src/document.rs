//! Parts of the documentation that tests generate, so that they stay true.

use std::fs;
use std::path::Path;

/// The environment variable that makes [`check`] write the document instead of comparing it.
pub const WRITE: &str = "ANYVPN_WRITE_DOCS";

/// Compares `text` with the file at `path`, or, if there is a `name`, with the part of it between the
/// lines `<!-- NAME -->` and `<!-- end of NAME -->`.
///
/// # Panics
///
/// If they differ; the message names the command that regenerates the document.
pub fn check(path: impl AsRef<Path>, name: Option<&str>, text: &str) {
    let path = path.as_ref();
    let file = fs::read_to_string(path).unwrap_or_default();
    let (before, old, after) = match name {
        None => ("", file.as_str(), ""),
        Some(name) => {
            let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
            let part = file.split_once(&begin).and_then(|(before, rest)| {
                let (old, _) = rest.split_once(&end)?;
                Some((&file[..before.len() + begin.len()], old, &rest[old.len()..]))
            });
            part.unwrap_or_else(|| panic!("{} has no part {name:?}", path.display()))
        }
    };
    if old == text {
        return;
    }
    if std::env::var_os(WRITE).is_some() {
        let new = format!("{before}{text}{after}");
        fs::write(path, new).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        return;
    }
    let line = old.lines().zip(text.lines()).position(|(old, new)| old != new);
    let line = line.unwrap_or_else(|| old.lines().count().min(text.lines().count()));
    panic!(
        "{} does not match the code; run `cargo xtask docs` and review the change\n\
         the file:   {:?}\nit must be: {:?}",
        path.display(),
        old.lines().nth(line).unwrap_or("(the end)"),
        text.lines().nth(line).unwrap_or("(the end)"),
    );
}
