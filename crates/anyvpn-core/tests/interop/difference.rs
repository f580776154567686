//! Files that one reader accepts and the other refuses.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// An intended difference: the message of the reader that refuses, a condition on what it refuses,
/// and the reason.
pub struct Meant {
    pub says: &'static str,
    /// Gets the line that our refusal names, or the whole message of theirs.
    pub holds: fn(&str) -> bool,
    pub why: &'static str,
}

/// Why a file was refused: the message, and the text that it is about.
pub struct Refusal {
    pub says: String,
    pub of: String,
}

/// Compares readers, file by file.
#[derive(Default)]
pub struct Comparison {
    both: usize,
    neither: usize,
    meant: BTreeMap<&'static str, usize>,
    other: Vec<String>,
}

impl Comparison {
    /// Adds a file. `theirs_only` and `ours_only` list the intended differences.
    pub fn add(
        &mut self,
        file: &str,
        ours: Result<(), Refusal>,
        theirs: &str,
        [theirs_only, ours_only]: [&[Meant]; 2],
    ) {
        let (refusal, meant) = match (ours, theirs.strip_prefix("no ")) {
            (Ok(()), None) => return self.both += 1,
            (Err(_), Some(_)) => return self.neither += 1,
            (Err(refusal), None) => (refusal, theirs_only),
            (Ok(()), Some(says)) => {
                (Refusal { says: says.to_owned(), of: says.to_owned() }, ours_only)
            }
        };
        match meant.iter().find(|it| refusal.says.contains(it.says) && (it.holds)(&refusal.of)) {
            Some(meant) => *self.meant.entry(meant.why).or_default() += 1,
            None => {
                self.other.push(format!("{}\n  of {:?}\n  in {file:?}", refusal.says, refusal.of))
            }
        }
    }

    /// Counts the results. Fails if a difference is not intended, or if nearly all files were
    /// accepted or refused.
    pub fn judge(self, name: &str) -> String {
        let mut text =
            format!("{name}: {} accepted and {} refused by both\n", self.both, self.neither);
        for (why, count) in &self.meant {
            _ = writeln!(text, "  {count:5} by one: {why}");
        }
        assert!(self.both > 50 && self.neither > 50, "too few of one kind: {text}");
        let first: Vec<_> = self.other.iter().take(12).cloned().collect();
        let (count, first) = (self.other.len(), first.join("\n"));
        assert!(count == 0, "{text}{count} files are accepted by one only:\n{first}");
        text
    }
}
