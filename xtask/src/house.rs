//! Draws the crates in `docs/architecture.md`, from their manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::DependencyKind;

use crate::{page, workspace};

const PAGE: &str = "docs/architecture.md";
const PART: &str = "the crates, drawn by cargo xtask house";

/// The crates on which each crate depends, outside its tests.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// Writes the drawing.
///
/// # Errors
///
/// If Cargo cannot read a manifest, or the page cannot be written.
pub fn write(root: &Path) -> Result<(), String> {
    page::put(root, PAGE, PART, &draw(&edges(root)?))
}

/// Fails if the page shows another drawing.
///
/// # Errors
///
/// As [`write()`], and if the drawing is outdated.
pub fn check(root: &Path) -> Result<(), String> {
    if page::has(root, PAGE, PART, &draw(&edges(root)?))? {
        return Ok(());
    }
    Err(format!("{PAGE}: the drawing of the crates is outdated; run cargo xtask house"))
}

fn edges(root: &Path) -> Result<Edges, String> {
    let packages = workspace::packages(root)?;
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let dependencies = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal);
        normal.map(|it| it.name.clone()).filter(|name| names.contains(name.as_str())).collect()
    };
    Ok(packages.iter().map(|it| (it.name.to_string(), dependencies(it))).collect())
}

/// Draws the crates in layers, each above all its dependencies. Beside each crate are its dependencies,
/// except those that another one of them already has.
fn draw(edges: &Edges) -> String {
    let mut layers: BTreeMap<usize, Vec<&String>> = BTreeMap::new();
    for name in edges.keys() {
        layers.entry(height(edges, name)).or_default().push(name);
    }
    let width = edges.keys().map(String::len).max().unwrap_or(0);
    let layers = layers.values().rev().map(|names| {
        let rows = names.iter().map(|name| {
            let all = &edges[*name];
            let direct = all.iter().filter(|it| !all.iter().any(|other| needs(edges, other, it)));
            let direct: Vec<&str> = direct.map(String::as_str).collect();
            let arrow = if direct.is_empty() { "" } else { "→" };
            format!("{name:width$}  {arrow} {}", direct.join(", ")).trim_end().to_owned() + "\n"
        });
        rows.collect::<String>()
    });
    format!("\n```text\n{}```\n\n", layers.collect::<Vec<_>>().join("\n"))
}

/// Returns the length of the longest chain of dependencies below this crate.
fn height(edges: &Edges, name: &str) -> usize {
    edges[name].iter().map(|below| height(edges, below) + 1).max().unwrap_or(0)
}

/// Returns whether a crate depends on another, directly or indirectly.
fn needs(edges: &Edges, from: &str, to: &str) -> bool {
    edges[from].iter().any(|below| below == to || needs(edges, below, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_stand_above_their_dependencies_which_are_named_once() {
        let crates = [("cli", &["core", "http"][..]), ("core", &[]), ("http", &["core"])];
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let edges = crates.map(|(name, below)| (name.to_owned(), owned(below))).into();
        assert_eq!(draw(&edges), "\n```text\ncli   → http\n\nhttp  → core\n\ncore\n```\n\n");
    }
}
