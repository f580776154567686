//! Checks and lists the dependencies: `cargo xtask deny` and `cargo xtask sbom`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::{DepKindInfo, DependencyKind, MetadataCommand};
use serde_json::{Value, json};
use toml_edit::DocumentMut;

use crate::{cargo, workspace};

/// Checks licences, sources and individual crates against `deny.toml`, and the Rust versions that they
/// need against the `rust-version` of each published crate.
///
/// # Errors
///
/// Returns what breaks a rule, or that cargo-deny is missing.
pub fn deny(root: &Path) -> Result<(), String> {
    rust_version(root)?;
    cargo::run(&["deny", "--version"], &[])
        .map_err(|e| format!("{e}: cargo install cargo-deny --locked"))?;
    // With all features there are two crypto providers, so the bans are checked with the default
    // features, and without the dependencies of tests, which others do not get.
    cargo::run(&["deny", "--locked", "--all-features", "check", "licenses", "sources"], &[])?;
    cargo::run(&["deny", "--locked", "--exclude-dev", "check", "bans"], &[])
}

/// Checks that no dependency of a published crate, on any platform, needs a newer Rust than the crate
/// itself.
fn rust_version(root: &Path) -> Result<(), String> {
    let mut command = MetadataCommand::new();
    command.current_dir(root).other_options(vec!["--locked".to_owned()]);
    let metadata = command.exec().map_err(|e| e.to_string())?;
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let nodes: BTreeMap<_, _> = nodes.iter().map(|node| (&node.id, node)).collect();
    let mut newer = Vec::new();
    for package in workspace::published(root)? {
        // The crate's own tests count; those of its dependencies do not.
        let mut reached = BTreeSet::from([&package.id]);
        let mut left = vec![&package.id];
        while let Some(id) = left.pop() {
            let dependencies = nodes.get(id).map_or(&[][..], |node| &node.deps);
            for dependency in dependencies {
                let is_for_tests = |kinds: &[DepKindInfo]| {
                    kinds.iter().all(|it| it.kind == DependencyKind::Development)
                };
                let counts = *id == package.id || !is_for_tests(&dependency.dep_kinds);
                if counts && reached.insert(&dependency.pkg) {
                    left.push(&dependency.pkg);
                }
            }
        }
        let reached = metadata.packages.iter().filter(|it| reached.contains(&it.id));
        let newer_ones = reached.filter(|it| it.rust_version > package.rust_version);
        newer.extend(newer_ones.filter_map(|it| {
            let (asks, says) = (it.rust_version.as_ref()?, package.rust_version.as_ref()?);
            Some(format!("{} says Rust {says}, and {} asks for {asks}", package.name, it.name))
        }));
    }
    if newer.is_empty() {
        return Ok(());
    }
    Err(format!("{}\nRaise the crate's rust-version, or keep to an older one", newer.join("\n")))
}

/// Writes `target/anyvpn.cdx.json`: the components of the command on this platform, as CycloneDX 1.6.
/// The same lock file gives the same bytes.
///
/// # Errors
///
/// If Cargo cannot list the components, or the file cannot be written.
pub fn sbom(root: &Path) -> Result<(), String> {
    let lock =
        fs::read_to_string(root.join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
    let sums = checksums(&lock)?;
    let built = cargo::stdout(&tree("normal,build"))?;
    let linked = cargo::stdout(&tree("normal,no-proc-macro"))?;
    let text = format!("{:#}\n", document(&built, &linked, &sums)?);
    let file = root.join("target/anyvpn.cdx.json");
    fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    println!("wrote target/anyvpn.cdx.json");
    Ok(())
}

fn tree(edges: &str) -> [&str; 7] {
    let format = "--format= {p}|{l}|{r}|";
    ["tree", "--locked", "--package=anyvpn-cli", "--edges", edges, "--prefix=depth", format]
}

/// A crate, as printed by `cargo tree`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crate<'a> {
    name: &'a str,
    version: &'a str,
    license: &'a str,
    repository: &'a str,
}

impl<'a> Crate<'a> {
    /// Reads the crate's depth in the tree, and the crate.
    fn read(line: &'a str) -> Option<(usize, Self)> {
        let (depth, rest) = line.split_once(' ')?;
        let mut parts = rest.split('|');
        let mut words = parts.next()?.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        let (license, repository) = (parts.next()?, parts.next()?);
        Some((depth.parse().ok()?, Self { name, version, license, repository }))
    }

    fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    fn component(&self, kind: &str, sums: &BTreeMap<String, String>) -> Value {
        let mut component = json!({
            "type": kind,
            "bom-ref": self.reference(),
            "name": self.name,
            "version": self.version,
            // Convert two old spellings of `OR`.
            "licenses": [{ "expression": self.license.replace(" / ", " OR ").replace('/', " OR ") }],
        });
        if !self.repository.is_empty() {
            component["externalReferences"] = json!([{ "type": "vcs", "url": self.repository }]);
        }
        // Our own crates have no checksum.
        if let Some(sum) = sums.get(&self.reference()) {
            let version = self.version.replace('+', "%2B");
            component["purl"] = format!("pkg:cargo/{}@{version}", self.name).into();
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        component
    }
}

fn document(built: &str, linked: &str, sums: &BTreeMap<String, String>) -> Result<Value, String> {
    let read = |line| Crate::read(line).ok_or_else(|| format!("cargo tree wrote {line:?}"));
    let linked: BTreeSet<_> =
        linked.lines().map(|line| Ok(read(line)?.1)).collect::<Result<_, String>>()?;
    let mut needs: BTreeMap<Crate<'_>, BTreeSet<String>> = BTreeMap::new();
    let mut way: Vec<Crate<'_>> = Vec::new();
    for line in built.lines() {
        let (depth, this) = read(line)?;
        way.truncate(depth);
        if let Some(parent) = way.last() {
            needs.entry(parent.clone()).or_default().insert(this.reference());
        }
        needs.entry(this.clone()).or_default();
        way.push(this);
    }
    let root = way.first().ok_or("cargo tree wrote nothing")?;
    let components = needs.keys().filter(|it| *it != root).map(|it| {
        let mut component = it.component("library", sums);
        // A crate that only runs while the command is built is not part of it.
        let scope = if linked.contains(it) { "required" } else { "excluded" };
        component["scope"] = scope.into();
        component
    });
    let dependencies =
        needs.iter().map(|(it, on)| json!({ "ref": it.reference(), "dependsOn": on }));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": root.component("application", sums) },
        "components": components.collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

/// Returns the checksum of each crate's package, by `NAME@VERSION`.
fn checksums(lock: &str) -> Result<BTreeMap<String, String>, String> {
    let lock: DocumentMut = lock.parse().map_err(|e| format!("Cargo.lock: {e}"))?;
    let packages = lock.get("package").and_then(|it| it.as_array_of_tables());
    let packages = packages.ok_or("Cargo.lock has no packages")?;
    let sums = packages.iter().filter_map(|package| {
        let text = |key| package.get(key)?.as_str();
        let (name, version, sum) = (text("name")?, text("version")?, text("checksum")?);
        Some((format!("{name}@{version}"), sum.to_owned()))
    });
    Ok(sums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_each_crate_once_with_what_it_needs() {
        let lock = "[[package]]\nname = \"b\"\nversion = \"2.0.0+x\"\nchecksum = \"00ff\"\n";
        let built = "0 a v1.0.0 (/a)|MIT||\n1 b v2.0.0+x|MIT/Apache-2.0|https://b.example|\n\
                     1 m v3.0.0 (proc-macro)|MIT||\n2 b v2.0.0+x|MIT/Apache-2.0|https://b.example| (*)\n";
        let linked = "0 a v1.0.0 (/a)|MIT||\n1 b v2.0.0+x|MIT/Apache-2.0|https://b.example|\n";
        let document = document(built, linked, &checksums(lock).unwrap()).unwrap();
        assert_eq!(document["metadata"]["component"]["bom-ref"], "a@1.0.0");
        assert_eq!(
            document["components"],
            json!([
                {
                    "type": "library",
                    "bom-ref": "b@2.0.0+x",
                    "name": "b",
                    "version": "2.0.0+x",
                    "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                    "externalReferences": [{ "type": "vcs", "url": "https://b.example" }],
                    "purl": "pkg:cargo/b@2.0.0%2Bx",
                    "hashes": [{ "alg": "SHA-256", "content": "00ff" }],
                    "scope": "required",
                },
                {
                    "type": "library",
                    "bom-ref": "m@3.0.0",
                    "name": "m",
                    "version": "3.0.0",
                    "licenses": [{ "expression": "MIT" }],
                    "scope": "excluded",
                },
            ])
        );
        assert_eq!(
            document["dependencies"],
            json!([
                { "ref": "a@1.0.0", "dependsOn": ["b@2.0.0+x", "m@3.0.0"] },
                { "ref": "b@2.0.0+x", "dependsOn": [] },
                { "ref": "m@3.0.0", "dependsOn": ["b@2.0.0+x"] },
            ])
        );
    }
}
