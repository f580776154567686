//! `cargo xtask new-provider NAME`: creates a crate for a provider, with one operation, its fixtures
//! and its tests.

use std::fs;
use std::path::Path;

use crate::{cargo, codegen, docs, house};

/// The files of the crate. `@name@` stands for its name, `@Name@` for the name as a type, and `@ident@`
/// for the name in a Rust path.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../new-provider/Cargo.toml.in")),
    ("README.md", include_str!("../new-provider/README.md.in")),
    ("openapi.yaml", include_str!("../new-provider/openapi.yaml.in")),
    ("src/lib.rs", include_str!("../new-provider/src/lib.rs.in")),
    ("src/driver.rs", include_str!("../new-provider/src/driver.rs.in")),
    ("src/dialect.rs", include_str!("../new-provider/src/dialect.rs.in")),
    ("src/accounts.rs", include_str!("../new-provider/src/accounts.rs.in")),
    ("tests/conformance.rs", include_str!("../new-provider/tests/conformance.rs.in")),
    ("tests/fixtures.rs", include_str!("../new-provider/tests/fixtures.rs.in")),
    ("tests/server/mod.rs", include_str!("../new-provider/tests/server/mod.rs.in")),
    (
        "fixtures/get-account/active.http",
        include_str!("../new-provider/fixtures/get-account/active.http.in"),
    ),
    (
        "fixtures/get-account/unauthorized.http",
        include_str!("../new-provider/fixtures/get-account/unauthorized.http.in"),
    ),
];

const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Creates the crate, generates its operations, adds it to the workspace's dependencies and the drawing
/// of the crates, and runs its tests.
///
/// # Errors
///
/// If the name is taken or invalid, or if the crate does not build or pass its tests.
pub fn make(root: &Path, name: &str) -> Result<(), String> {
    let package = format!("anyvpn-{name}");
    let folder = root.join("crates").join(&package);
    if !is_name(name) {
        return Err(format!("{name:?} is not a valid name: write lower-case words, joined by `-`"));
    }
    if folder.exists() {
        return Err(format!("crates/{package} already exists"));
    }
    for (path, text) in FILES {
        write(&folder.join(path), &filled(text, name))?;
    }
    for license in LICENSES {
        let text = fs::read_to_string(root.join(license)).map_err(|e| format!("{license}: {e}"))?;
        write(&folder.join(license), &text)?;
    }
    let manifest = root.join("Cargo.toml");
    let old = fs::read_to_string(&manifest).map_err(|e| format!("Cargo.toml: {e}"))?;
    let new = with_dependency(&old, &package)
        .ok_or("Cargo.toml has no section [workspace.dependencies]")?;
    write(&manifest, &new)?;
    // The operations and the module must exist before Cargo and rustfmt read the crate.
    codegen::write(root)?;
    house::write(root)?;
    cargo::run(&["fmt", "--package", &package], &[])?;
    docs(Some(&package))?;
    println!(
        "crates/{package} builds and passes its tests. Now write the vendor's API into its \
         openapi.yaml; docs/new-provider.md goes on from there, and says how to bring the crate into \
         the facade and the sandbox."
    );
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let io = |e| format!("{}: {e}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(io)?;
    fs::write(path, text).map_err(io)
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.split('-').all(is_word)
}

fn filled(text: &str, name: &str) -> String {
    let upper = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let type_name: String = name.split('-').map(upper).collect();
    text.replace("@name@", name)
        .replace("@Name@", &type_name)
        .replace("@ident@", &name.replace('-', "_"))
}

/// Returns the workspace's manifest with another of our crates among its dependencies, in alphabetical
/// order.
fn with_dependency(manifest: &str, package: &str) -> Option<String> {
    let line = format!(
        "{package} = {{ path = \"crates/{package}\", version = \"0.1.0\", default-features = false }}\n"
    );
    let start = manifest.find("[workspace.dependencies]\n")?;
    let (mut position, mut at) = (start, manifest[start..].find('\n')? + start + 1);
    for old in manifest[start..].split_inclusive('\n').take_while(|old| *old != "\n") {
        position += old.len();
        if old.starts_with("anyvpn") && *old < *line {
            at = position;
        }
    }
    Some(format!("{}{line}{}", &manifest[..at], &manifest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_words_of_small_letters() {
        for name in ["acme", "acme-vpn", "vpn4all"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Acme", "acme_vpn", "-acme", "4all", "acme--vpn", "../acme"] {
            assert!(!is_name(name), "{name}");
        }
        assert_eq!(filled("@name@ @Name@ @ident@", "acme-vpn"), "acme-vpn AcmeVpn acme_vpn");
    }

    #[test]
    fn dependencies_are_inserted_in_order() {
        let manifest = "[workspace]\n[workspace.dependencies]\n# Our own crates.\nanyvpn = 1\n\
                        anyvpn-core = 1\n# Why.\nanyvpn-testkit = 1\n\n# Why.\nother = 1\n";
        let with = |package| with_dependency(manifest, package).unwrap();
        assert!(with("anyvpn-acme").contains("anyvpn = 1\nanyvpn-acme = {"));
        assert!(with("anyvpn-surf").contains("anyvpn-core = 1\nanyvpn-surf = {"));
        assert!(with("anyvpn-zeta").contains("anyvpn-testkit = 1\nanyvpn-zeta = {"));
        assert_eq!(with_dependency("", "anyvpn-acme"), None);
    }
}
