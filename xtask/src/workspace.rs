//! The workspace's crates, as Cargo sees them.

use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};

/// Returns the packages of the workspace.
///
/// # Errors
///
/// If Cargo cannot read a manifest.
pub fn packages(root: &Path) -> Result<Vec<Package>, String> {
    let mut command = MetadataCommand::new();
    let metadata = command.current_dir(root).no_deps().exec().map_err(|e| e.to_string())?;
    Ok(metadata.packages)
}

/// Returns the packages that are published on crates.io.
///
/// # Errors
///
/// As [`packages`].
pub fn published(root: &Path) -> Result<Vec<Package>, String> {
    Ok(packages(root)?.into_iter().filter(|package| package.publish.is_none()).collect())
}

/// A provider's crate, which implements the driver of `anyvpn-core` in `src/driver.rs`.
pub struct Provider {
    /// The provider's name in operations: the name of its folder without `anyvpn-`.
    pub name: String,
    /// The path of its folder below the workspace's folder.
    pub folder: PathBuf,
    /// Whether it is published on crates.io. An example is not.
    pub is_published: bool,
    /// Whether its operations are generated from an OpenAPI document.
    pub has_document: bool,
}

/// Returns the providers, sorted by name.
///
/// # Errors
///
/// As [`packages`].
pub fn providers(root: &Path) -> Result<Vec<Provider>, String> {
    let top = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
    let mut providers = Vec::new();
    for package in packages(root)? {
        let Some(folder) = package.manifest_path.parent() else { continue };
        let needs_core = package.dependencies.iter().any(|it| it.name == "anyvpn-core");
        if !needs_core || !folder.join("src/driver.rs").is_file() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default();
        providers.push(Provider {
            name: name.strip_prefix("anyvpn-").unwrap_or(name).to_owned(),
            folder: folder.as_std_path().strip_prefix(&top).unwrap_or(folder.as_std_path()).into(),
            is_published: package.publish.is_none(),
            has_document: folder.join("openapi.yaml").is_file(),
        });
    }
    providers.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(providers)
}

/// Returns the providers that have an OpenAPI document.
///
/// # Errors
///
/// As [`packages`].
pub fn with_document(root: &Path) -> Result<Vec<Provider>, String> {
    Ok(providers(root)?.into_iter().filter(|provider| provider.has_document).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo;

    #[test]
    fn providers_are_found_with_a_document_and_without_one() {
        let names = |providers: Vec<Provider>| providers.into_iter().map(|it| it.name).collect();
        let all: Vec<String> = names(providers(cargo::root()).unwrap());
        let mut documented: Vec<String> = names(with_document(cargo::root()).unwrap());
        assert!(!all.iter().any(|name| name == "core"), "{all:?}");
        documented.push("natpmp".to_owned());
        documented.sort();
        assert_eq!(all, documented);
    }
}
