//! `cargo xtask book`: the guide as a book, in `target/book`. `cargo xtask tidy` follows its links.

use std::path::Path;
use std::process::Command;

/// Builds the book.
///
/// # Errors
///
/// If mdBook is missing, or reports a problem.
pub fn build(root: &Path) -> Result<(), String> {
    let output =
        Command::new("mdbook").arg("build").arg(root.join("docs")).output().map_err(|e| {
            format!("mdbook: {e}: cargo install mdbook --locked --no-default-features")
        })?;
    let log = String::from_utf8_lossy(&output.stderr);
    // mdBook continues after a missing page.
    if !output.status.success() || log.contains(" WARN ") || log.contains("ERROR ") {
        return Err(format!("mdbook build docs:\n{log}"));
    }
    println!("the book is in target/book");
    Ok(())
}
