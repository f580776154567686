//! Prints a JSON document with a long list while the list is being read.

use serde::Serialize;

use crate::failure::Failure;
use crate::output::{json, print};

/// The size of the buffer in bytes. A shorter list is not printed at all if reading it fails.
const BUFFER_SIZE: usize = 64 << 10;

/// A JSON document that starts with a list. It has the same layout as all other documents.
pub struct ListDocument {
    text: String,
    is_empty: bool,
}

impl ListDocument {
    /// Starts a document. `name` is the property of its list.
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
        if self.text.len() >= BUFFER_SIZE {
            print(&[self.text.as_bytes()])?;
            self.text.clear();
        }
        Ok(())
    }

    /// Ends the document with the properties of `rest`, which must not be empty.
    pub fn finish(mut self, rest: &impl Serialize) -> Result<(), Failure> {
        self.text.push_str(if self.is_empty { "]," } else { "\n  ]," });
        self.text.push_str(json(rest)?.trim_start_matches('{'));
        print(&[self.text.as_bytes(), b"\n"])
    }
}
