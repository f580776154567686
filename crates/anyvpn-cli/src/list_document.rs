//! A JSON document with one long list, printed while the list is read.

use serde::Serialize;

use crate::failure::Failure;
use crate::output::{json, print};

/// How much is kept before it is printed, in bytes. Of a shorter list nothing is printed when reading it
/// fails half way.
const FULL: usize = 64 << 10;

/// A document that begins with its list, laid out as any other.
pub struct ListDocument {
    text: String,
    is_empty: bool,
}

impl ListDocument {
    /// Begins the document whose list is the property `name`.
    pub fn new(name: &str) -> Self {
        Self { text: format!("{{\n  \"{name}\": ["), is_empty: true }
    }

    /// Adds an element.
    pub fn push(&mut self, element: &impl Serialize) -> Result<(), Failure> {
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        self.text.push_str("\n    ");
        self.text.push_str(&json(element)?.replace('\n', "\n    "));
        if self.text.len() >= FULL {
            print(&[self.text.as_bytes()])?;
            self.text.clear();
        }
        Ok(())
    }

    /// Ends the document with the properties of `rest`, an object that has some.
    pub fn finish(mut self, rest: &impl Serialize) -> Result<(), Failure> {
        self.text.push_str(if self.is_empty { "]," } else { "\n  ]," });
        self.text.push_str(json(rest)?.trim_start_matches('{'));
        print(&[self.text.as_bytes(), b"\n"])
    }
}
