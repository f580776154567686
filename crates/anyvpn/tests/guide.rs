//! The guide is complete: every page is in its summary, and every example in Rust is compiled.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the pages below a folder, in no particular order.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|it| it == "md"));
    files.chain(folders.iter().flat_map(|folder| pages(folder))).collect()
}

#[test]
fn every_page_is_in_the_summary_and_its_examples_are_compiled() {
    let docs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"));
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    // The pages are documentation tests of the facade, or of the fleet, on which the facade does not depend.
    let compiled =
        [include_str!("../src/lib.rs"), include_str!("../../anyvpn-fleet/src/lib.rs")].concat();
    for page in pages(docs) {
        let name = page.strip_prefix(docs).unwrap().to_str().unwrap().replace('\\', "/");
        let listed = name == "SUMMARY.md" || summary.contains(&format!("]({name})"));
        assert!(listed, "docs/{name} is not in docs/SUMMARY.md: nobody would find it");
        // Code of another file is compiled there; a test writes it between marks, as `rust,ignore`.
        let text = fs::read_to_string(&page).unwrap();
        for (number, line) in text.lines().enumerate() {
            let place = format!("docs/{name}:{}", number + 1);
            if line.trim() == "```rust,ignore" {
                let before = text.lines().nth(number.saturating_sub(1)).unwrap_or_default();
                assert!(before.starts_with("<!-- "), "{place}: an example that nobody compiles");
            } else if line.trim().starts_with("```rust") {
                let included =
                    compiled.contains(&format!("include_str!(\"../../../docs/{name}\")"));
                assert!(included, "{place}: include the page in a crate's lib.rs");
            }
        }
    }
}
