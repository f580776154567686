//! The text of a profile, and the bytes of the file that are not UTF-8.

use std::io;
use std::ops::{Deref, Range};

use zeroize::Zeroizing;

/// The character that replaces bytes that are not UTF-8.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A text in which [`REPLACEMENT`] stands for bytes that are not UTF-8.
#[derive(Clone)]
pub(super) struct Text {
    text: Zeroizing<String>,
    /// The bytes for each [`REPLACEMENT`], in order; `None` if the whole file is UTF-8.
    replaced: Option<Zeroizing<Vec<Vec<u8>>>>,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { text: Zeroizing::new(text.to_owned()), replaced: None }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Text {
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        if let Ok(text) = str::from_utf8(bytes) {
            return Self::from(text);
        }
        // Each byte becomes at most three. A buffer that grows leaves copies of a secret in memory.
        let mut text = Zeroizing::new(String::with_capacity(3 * bytes.len()));
        let mut replaced = Zeroizing::new(Vec::new());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            replaced.extend(own(chunk.valid()));
            if !chunk.invalid().is_empty() {
                text.push(REPLACEMENT);
                replaced.push(chunk.invalid().to_owned());
            }
        }
        Self { text, replaced: Some(replaced) }
    }

    /// Returns this text with each range replaced by a new text, which is given in parts. The ranges
    /// are in order and do not overlap.
    pub(super) fn replace(&self, edits: &[(Range<usize>, &[&str])]) -> Self {
        let inserted = edits.iter().flat_map(|(_, parts)| parts.iter());
        let length = self.text.len() + inserted.map(|part| part.len()).sum::<usize>();
        // A buffer that grows leaves copies of a secret in memory.
        let mut text = Zeroizing::new(String::with_capacity(length));
        let mut replaced = Zeroizing::new(Vec::new());
        let mut old = self.replaced.iter().flat_map(|replaced| replaced.iter());
        let mut at = 0;
        let end: (_, &[&str]) = (self.text.len()..self.text.len(), &[]);
        for (range, parts) in edits.iter().chain([&end]) {
            let (kept, removed) = (&self.text[at..range.start], &self.text[range.clone()]);
            text.push_str(kept);
            replaced.extend(old.by_ref().take(own(kept).count()).cloned());
            old.by_ref().take(own(removed).count()).for_each(drop);
            for part in *parts {
                text.push_str(part);
                replaced.extend(own(part));
            }
            at = range.end;
        }
        Self { text, replaced: self.replaced.is_some().then_some(replaced) }
    }

    /// Returns the lengths of the lines in the file.
    pub(super) fn line_lengths(&self) -> impl Iterator<Item = usize> {
        let mut replaced = self.replaced.iter().flat_map(|replaced| replaced.iter());
        self.text.split_inclusive('\n').map(move |line| {
            let stand_ins = if self.replaced.is_some() { own(line).count() } else { 0 };
            let real: usize = replaced.by_ref().take(stand_ins).map(Vec::len).sum();
            line.len() - stand_ins * REPLACEMENT.len_utf8() + real
        })
    }

    /// Writes the bytes of the file.
    pub(super) fn write_to(&self, writer: &mut dyn io::Write) -> io::Result<()> {
        let Some(replaced) = &self.replaced else {
            return writer.write_all(self.text.as_bytes());
        };
        let mut replaced = replaced.iter();
        for (index, part) in self.text.split(REPLACEMENT).enumerate() {
            if index > 0 {
                writer.write_all(replaced.next().map_or(&[][..], Vec::as_slice))?;
            }
            writer.write_all(part.as_bytes())?;
        }
        Ok(())
    }
}

/// Returns the bytes of each [`REPLACEMENT`] that the text itself contains.
fn own(text: &str) -> impl Iterator<Item = Vec<u8>> {
    text.matches(REPLACEMENT).map(|own| own.as_bytes().to_owned())
}
