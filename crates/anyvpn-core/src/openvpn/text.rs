//! The text of a profile, and the bytes of the file that are not UTF-8.

use std::io;
use std::ops::Deref;

use zeroize::Zeroizing;

/// Stands in a text for bytes that are not UTF-8.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A text in which [`REPLACEMENT`] stands for what is not UTF-8.
#[derive(Clone)]
pub(super) struct Text {
    text: Zeroizing<String>,
    /// The bytes behind each [`REPLACEMENT`], in order; `None` when all of the file is UTF-8.
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
        // Each byte becomes three at most; a buffer that grows leaves copies of a secret behind.
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

    /// This text with others put into it: `text` is the whole, in which the parts `before` come from
    /// this text and `inserted` follow them.
    pub(super) fn with(&self, text: Zeroizing<String>, before: &[&str], inserted: &[&str]) -> Self {
        let mut replaced = self.replaced.clone();
        if let Some(replaced) = &mut replaced {
            let at = before.iter().flat_map(|part| own(part)).count();
            replaced.splice(at..at, inserted.iter().flat_map(|part| own(part)));
        }
        Self { text, replaced }
    }

    /// The lengths of the lines in the file.
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

/// The bytes of each [`REPLACEMENT`] that a text has of its own.
fn own(text: &str) -> impl Iterator<Item = Vec<u8>> {
    text.matches(REPLACEMENT).map(|own| own.as_bytes().to_owned())
}
