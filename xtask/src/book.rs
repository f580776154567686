//! `cargo xtask book`: the guide as a book, in `target/book`, with every link followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Builds the book, and looks for what its pages point at.
///
/// # Errors
///
/// When mdBook is missing or complains, or a link leads nowhere.
pub fn build(root: &Path) -> Result<(), String> {
    let output =
        Command::new("mdbook").arg("build").arg(root.join("docs")).output().map_err(|e| {
            format!("mdbook: {e}: cargo install mdbook --locked --no-default-features")
        })?;
    let log = String::from_utf8_lossy(&output.stderr);
    // It goes on after an include that it does not find.
    if !output.status.success() || log.contains(" WARN ") || log.contains("ERROR ") {
        return Err(format!("mdbook build docs:\n{log}"));
    }
    let book = root.join("target/book");
    let mut pages = BTreeMap::new();
    read(&book, &book, &mut pages).map_err(|e| format!("{}: {e}", book.display()))?;
    let dead = dead(&book, &pages);
    if dead.is_empty() {
        println!("{} pages are in target/book, and no link is dead", pages.len());
        return Ok(());
    }
    Err(dead.join("\n"))
}

/// The pages below a folder, by their path in the book.
fn read(book: &Path, folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(book, &path, pages)?;
        } else if path.extension().is_some_and(|it| it == "html") {
            let name = path.strip_prefix(book).unwrap_or(&path).to_owned();
            pages.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The links within the book that lead nowhere, one a line.
fn dead(book: &Path, pages: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let anchors: BTreeMap<_, BTreeSet<_>> =
        pages.iter().map(|(page, html)| (page, attributes(html, "id").collect())).collect();
    let mut dead = Vec::new();
    for (page, html) in pages {
        for link in attributes(html, "href").chain(attributes(html, "src")) {
            if link.contains("://") || link.starts_with("data:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { join(page, file) };
            let there = match anchors.get(&target) {
                Some(anchors) => anchor.is_empty() || anchors.contains(anchor),
                None => book.join(&target).is_file(),
            };
            if !there {
                dead.push(format!("target/book/{}: nothing is at {link}", page.display()));
            }
        }
    }
    dead
}

/// The values of an attribute, as mdBook writes it.
fn attributes<'a>(html: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!(" {name}=\"");
    let starts: Vec<_> = html.match_indices(&begin).map(|(at, found)| at + found.len()).collect();
    starts.into_iter().filter_map(|at| Some(html[at..].split_once('"')?.0))
}

/// Where a link of a page leads, below the book's folder.
fn join(page: &Path, link: &str) -> PathBuf {
    let mut target = page.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => _ = target.pop(),
            Component::Normal(part) => target.push(part),
            _ => {}
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_page_or_a_heading_that_is_not_there_is_found() {
        let pages = BTreeMap::from([
            (
                PathBuf::from("a/b.html"),
                "<p id=\"x\"><a href=\"#x\"><a href=\"../c.html#y\"><a href=\"https://d.example/e\">\
                 <a href=\"#z\"><a href=\"c.html\"><a href=\"../c.html#w\"><img src=\"f.svg\">"
                    .to_owned(),
            ),
            (PathBuf::from("c.html"), "<h2 id=\"y\">".to_owned()),
        ]);
        let found = dead(Path::new("/nowhere"), &pages);
        let found: Vec<_> = found.iter().filter_map(|it| it.split_once("is at ")).collect();
        let links: Vec<_> = found.iter().map(|(_, link)| *link).collect();
        assert_eq!(links, ["#z", "c.html", "../c.html#w", "f.svg"]);
    }
}
