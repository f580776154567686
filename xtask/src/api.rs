//! `cargo xtask api [--check]`: lists the public API of each published crate, one item per line, in its
//! `public-api.txt`.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;

use crate::{cargo, workspace};
use anyvpn_codegen::difference;

/// Writes the lists.
///
/// # Errors
///
/// If a crate's documentation cannot be built, or a list cannot be written.
pub fn write(root: &Path) -> Result<(), String> {
    for (path, text) in lists(root)? {
        if fs::read_to_string(root.join(&path)).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(root.join(&path), text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Compares the lists with the crates.
///
/// # Errors
///
/// Returns the differences, which users of the crates would notice.
pub fn check(root: &Path) -> Result<(), String> {
    let mut changes = Vec::new();
    for (path, text) in lists(root)? {
        let old = fs::read_to_string(root.join(&path)).unwrap_or_default();
        changes.extend(difference(&path, &old, &text));
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nThe public API differs from the stored list. If this is intended, run \
         `cargo xtask api`, and describe it in CHANGELOG.md.",
        changes.concat()
    ))
}

/// Returns the path below `root` and the text of each list.
fn lists(root: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let packages = workspace::published(root)?;
    let libraries: Vec<_> = packages.iter().filter(|it| it.targets[0].is_lib()).collect();
    let names = libraries.iter().flat_map(|package| ["--package", &package.name]);
    let doc = ["doc", "--quiet", "--locked", "--no-deps", "--lib", "--all-features"];
    let rustdoc = root.join("xtask/src/rustdoc.sh");
    // As docs.rs builds them, except for the format.
    cargo::run(
        &doc.into_iter().chain(names).collect::<Vec<_>>(),
        &[
            ("RUSTDOC", &rustdoc.to_string_lossy()),
            (
                "RUSTDOCFLAGS",
                "--cfg docsrs --deny warnings -Z unstable-options --output-format json",
            ),
        ],
    )?;
    libraries.into_iter().map(|package| Ok((path(package), list(root, package)?))).collect()
}

fn path(package: &Package) -> PathBuf {
    Path::new("crates").join(package.name.as_str()).join("public-api.txt")
}

fn list(root: &Path, package: &Package) -> Result<String, String> {
    let json = format!("target/doc/{}.json", package.name.replace('-', "_"));
    let api = public_api::Builder::from_rustdoc_json(root.join(json))
        // Omit the traits that every type has and those that follow from its fields.
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build();
    api.map(|api| api.to_string()).map_err(|e| format!("{}: {e}", package.name))
}
