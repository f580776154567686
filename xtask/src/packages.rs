//! Checks the published crates: `cargo xtask features` and `cargo xtask package`.

use std::path::Path;

use crate::{cargo, workspace};

/// Lints each published crate without any feature, and with each feature alone.
///
/// # Errors
///
/// If a crate does not compile, or the compiler warns.
pub fn features(root: &Path) -> Result<(), String> {
    for package in workspace::published(root)? {
        let features = package.features.keys().filter(|feature| *feature != "default");
        for feature in std::iter::once("").chain(features.map(String::as_str)) {
            println!("{} with {}", package.name, if feature.is_empty() { "none" } else { feature });
            let clippy = ["clippy", "--quiet", "--locked", "--no-default-features"];
            let this = ["--package", &package.name, "--features", feature];
            cargo::run(&[&clippy[..], &this, &["--", "--deny", "warnings"]].concat(), &[])?;
        }
    }
    Ok(())
}

/// Creates the package of each published crate, in the order of their dependencies, and builds each
/// crate from its package.
///
/// # Errors
///
/// If a package lacks a file that its build needs, or something that crates.io requires.
pub fn package(root: &Path) -> Result<(), String> {
    let packages = workspace::published(root)?;
    let names = packages.iter().flat_map(|package| ["--package", &package.name]);
    // Changes that are not committed are packaged too: this is only a check and publishes nothing.
    cargo::run(
        &["package", "--locked", "--allow-dirty"].into_iter().chain(names).collect::<Vec<_>>(),
        &[],
    )
}
