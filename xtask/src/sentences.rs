//! Draws random sentences of the project, for a reader who judges how they are written.

use std::fs;
use std::path::Path;

use anyvpn_core::SplitMix64;

use crate::tidy;

/// The number of sentences of each kind.
const DRAWN: usize = 20;
/// A text with fewer words is a name or a number.
const FEWEST_WORDS: usize = 4;

/// A kind of sentence, and where to find it.
struct Kind {
    title: &'static str,
    /// Returns whether a file has sentences of this kind.
    holds: fn(&str) -> bool,
    /// Returns the passages of a file's text, each with the number of its first line.
    passages: fn(&str) -> Vec<(usize, String)>,
}

const KINDS: &[Kind] = &[
    Kind { title: "help", holds: is_command, passages: |text| commented(text, &["///"]) },
    Kind { title: "messages", holds: is_source, passages: literals },
    Kind { title: "guide", holds: is_guide, passages: paragraphs },
    Kind {
        title: "rustdoc",
        holds: |name| is_source(name) && !is_command(name),
        passages: |text| commented(text, &["///", "//!"]),
    },
    Kind {
        title: "comments",
        holds: |name| name.ends_with(".rs"),
        passages: |text| commented(text, &["// "]),
    },
    Kind {
        title: "decisions",
        holds: |name| name.starts_with("docs/decisions/"),
        passages: paragraphs,
    },
];

fn is_source(name: &str) -> bool {
    let generated_or_test = ["/ops.rs", "tests.rs"].iter().any(|end| name.ends_with(end));
    name.starts_with("crates/")
        && name.contains("/src/")
        && name.ends_with(".rs")
        && !generated_or_test
}

fn is_command(name: &str) -> bool {
    let command = "crates/anyvpn-cli/src/";
    is_source(name)
        && [format!("{command}commands/"), format!("{command}args.rs")]
            .iter()
            .any(|start| name.starts_with(start))
}

fn is_guide(name: &str) -> bool {
    name.ends_with(".md") && !name.starts_with("docs/decisions/") && name != "CHANGELOG.md"
}

/// Prints sentences of each kind, with file and line, of the files whose name contains one of `parts`, or of all files
/// without any. The same seed and text give the same sentences.
///
/// # Errors
///
/// If the seed is not a number, or a file cannot be read.
pub fn print(root: &Path, seed: &str, parts: &[&str]) -> Result<(), String> {
    let seed: u64 = seed.parse().map_err(|_| format!("the seed {seed:?} is not a number"))?;
    let mut random = SplitMix64::new(seed);
    let mut files = tidy::files(root)?;
    files.retain(|(name, _)| parts.is_empty() || parts.iter().any(|part| name.contains(part)));
    for kind in KINDS {
        let mut sentences = Vec::new();
        for (name, path) in files.iter().filter(|(name, _)| (kind.holds)(name)) {
            let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
            for (line, passage) in (kind.passages)(&text) {
                let whole = split(&passage);
                sentences.extend(whole.into_iter().map(|sentence| (name, line, sentence)));
            }
        }
        println!("{} ({} sentences)", kind.title, sentences.len());
        for _ in 0..DRAWN.min(sentences.len()) {
            let index = random.below(sentences.len() as u64) as usize;
            let (name, line, sentence) = sentences.swap_remove(index);
            println!("  {name}:{line}: {sentence}");
        }
    }
    Ok(())
}

/// Splits a passage into the sentences that are long enough to be judged.
fn split(passage: &str) -> Vec<String> {
    let passage = passage.replace(". ", ".\n").replace("? ", "?\n");
    let sentences = passage.lines().map(str::trim);
    let sentences = sentences.filter(|it| it.split_whitespace().count() >= FEWEST_WORDS);
    sentences.map(str::to_owned).collect()
}

/// Joins consecutive lines to passages.
fn joined<'t>(lines: impl Iterator<Item = (usize, Option<&'t str>)>) -> Vec<(usize, String)> {
    let mut passages: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in lines {
        match line.map(str::trim).filter(|line| !line.is_empty()) {
            Some(line) if open && !line.starts_with("- ") => {
                if let Some((_, passage)) = passages.last_mut() {
                    passage.push(' ');
                    passage.push_str(line);
                }
            }
            Some(line) => {
                passages.push((number, line.trim_start_matches("- ").to_owned()));
                open = true;
            }
            None => open = false,
        }
    }
    passages
}

/// Returns the comments that begin with one of these marks, without code, tables and headings.
fn commented(text: &str, marks: &[&str]) -> Vec<(usize, String)> {
    let mut code = false;
    joined(text.lines().enumerate().map(|(index, line)| {
        let comment = marks.iter().find_map(|mark| line.trim().strip_prefix(mark));
        (index + 1, prose(comment, &mut code))
    }))
}

/// Returns the paragraphs of a page, without code, tables and headings.
fn paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut code = false;
    joined(text.lines().enumerate().map(|(index, it)| (index + 1, prose(Some(it), &mut code))))
}

fn prose<'t>(line: Option<&'t str>, code: &mut bool) -> Option<&'t str> {
    let line = line?;
    *code ^= line.trim().starts_with("```");
    let other = ["```", "|", "#", "<!--", "!["].iter().any(|mark| line.trim().starts_with(mark));
    (!*code && !other).then_some(line)
}

/// Returns the string literals, which may span several lines.
fn literals(text: &str) -> Vec<(usize, String)> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    let mut found = Vec::new();
    let mut lines = text[..end].lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim();
        if line.starts_with("//") || line.starts_with("#[") {
            continue;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once('"') {
            let mut literal = after.to_owned();
            while !literal.contains('"') && literal.ends_with('\\') {
                let Some((_, more)) = lines.next() else { break };
                literal = literal.trim_end_matches('\\').to_owned() + more.trim();
            }
            let whole = literal.split('"').next().unwrap_or_default().to_owned();
            rest = after.get(whole.len() + 1..).unwrap_or_default();
            found.push((index + 1, whole));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{commented, literals, paragraphs, split};

    #[test]
    fn sentences_are_found_with_their_lines() {
        let code = "/// Gets a thing. It is\n/// the first of them.\n///\n/// ```\n/// a b c d e\n/// ```\n\
                    fn f() {\n    g(\"could not read \\\n       the thing\", 1);\n}\n";
        let docs = commented(code, &["///"]);
        assert_eq!(docs, [(1, "Gets a thing. It is the first of them.".to_owned())]);
        assert_eq!(split(&docs[0].1), ["It is the first of them."]);
        assert_eq!(literals(code), [(8, "could not read the thing".to_owned())]);
        let page = "# One\n\nA b\nc.\n\n- D e\n- F\n\n| x | y |\n";
        let found = [(3, "A b c."), (6, "D e"), (7, "F")].map(|(n, it)| (n, it.to_owned()));
        assert_eq!(paragraphs(page), found);
    }
}
