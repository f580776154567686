//! The elements of a list, each decoded straight out of the piece of the reply that it came in.
//!
//! Only an element that a piece ends within is copied. All of the reply but its elements, the frame, is
//! kept: it is judged at the end like any reply, with the list left empty.

use std::ops::Range;

use bytes::{Buf, Bytes};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::reply::without_values;
use crate::structure::{Part, Strings};
use crate::{Limits, structure};

/// What was found in the pieces so far.
pub(crate) enum Event<T> {
    /// The list begins.
    Begins,
    /// Its next element.
    Item(T),
}

/// Takes a reply apart.
pub(crate) struct Decoder {
    /// Where the list stands: the names that it can have, none for a reply that is the list.
    keys: &'static [&'static str],
    limits: Limits,
    /// What is not yet looked at.
    piece: Bytes,
    frame: Vec<u8>,
    place: Place,
    seek: Seek,
    /// The unfinished element, and how far it came.
    carry: Vec<u8>,
    scan: Scan,
    /// The length of the last element, in bytes.
    usual: usize,
    /// The list's name and the number of its elements so far, for errors.
    name: String,
    count: usize,
    misfit: Option<Misfit>,
}

/// An element that does not fit its type.
pub(crate) struct Misfit {
    /// What is wrong, and where in the reply.
    pub(crate) why: String,
    /// A list of it alone.
    pub(crate) list: Bytes,
}

/// Where in the reply the decoder stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    /// Before an element, or the end of the list.
    First,
    /// Behind an element.
    Behind,
    /// Behind a comma.
    Next,
    /// Within an element that is carried over.
    Within,
    /// Behind the list, or in a reply that is not taken apart.
    Rest,
}

impl Decoder {
    pub(crate) fn new(keys: &'static [&'static str], limits: &Limits) -> Self {
        Self {
            keys,
            limits: *limits,
            piece: Bytes::new(),
            frame: Vec::new(),
            place: Place::Before,
            seek: Seek::default(),
            carry: Vec::new(),
            scan: Scan::default(),
            usual: 64,
            name: String::new(),
            count: 0,
            misfit: None,
        }
    }

    /// Takes the next piece, after the one before is used up.
    pub(crate) fn push(&mut self, piece: Bytes) {
        self.piece = piece;
    }

    /// What comes next, `None` when another piece is needed; an error when it is no JSON or out of
    /// bounds.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Event<T>>, String> {
        loop {
            let Some(&byte) = self.piece.first() else {
                // Whoever reads can use its memory for the next one.
                self.piece = Bytes::new();
                return Ok(None);
            };
            match self.place {
                Place::Before => {
                    let found = self.seek.find(&self.piece, &mut self.frame, self.keys);
                    self.piece.advance(found.unwrap_or(self.piece.len()));
                    if found.is_some() {
                        self.place = Place::First;
                        let name = self.frame.get(self.seek.key.clone()).unwrap_or_default();
                        self.name = String::from_utf8_lossy(name).into_owned();
                        return Ok(Some(Event::Begins));
                    }
                }
                Place::Rest => {
                    self.frame.extend_from_slice(&self.piece);
                    self.piece.clear();
                }
                Place::First | Place::Behind | Place::Next if is_space(byte) => {
                    self.piece.advance(1);
                }
                Place::First | Place::Behind if byte == b']' => self.place = Place::Rest,
                Place::Behind if byte == b',' => {
                    self.piece.advance(1);
                    self.place = Place::Next;
                }
                Place::Behind => return Err(self.at("", "expected `,` or `]`")),
                Place::First | Place::Next => {
                    if let Some(item) = self.element()? {
                        return Ok(Some(Event::Item(item)));
                    }
                }
                Place::Within => {
                    let end = self.scan.end(&self.piece);
                    let more = end.unwrap_or(self.piece.len());
                    if self.misfit.is_none() {
                        self.carry.extend_from_slice(&self.piece[..more]);
                    }
                    self.piece.advance(more);
                    if end.is_some()
                        && let Some(item) = self.carried()?
                    {
                        return Ok(Some(Event::Item(item)));
                    }
                }
            }
        }
    }

    /// The element that the piece begins with, where it ends near and fits.
    fn element<T: DeserializeOwned>(&mut self) -> Result<Option<T>, String> {
        // Bytes have each of their strings checked by itself, which takes a sixth of the time; a text is
        // checked at once. How long the element is is not known, but most are like the one before.
        let near = &self.piece[..self.piece.len().min(4 * self.usual)];
        let text = str::from_utf8(near).or_else(|e| str::from_utf8(&near[..e.valid_up_to()]));
        let text = text.unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
        if self.misfit.is_none()
            && let Some(Ok(item)) = values.next()
        {
            let length = values.byte_offset();
            // A number at the end of a text may go on behind it.
            if length < text.len() || text.ends_with(['}', ']']) {
                self.check(&self.piece[..length])?;
                self.piece.advance(length);
                self.count += 1;
                self.usual = length;
                self.place = Place::Behind;
                return Ok(Some(item));
            }
        }
        self.scan = Scan::default();
        self.place = Place::Within;
        Ok(None)
    }

    /// The element that was carried over, now that it is complete.
    fn carried<T: DeserializeOwned>(&mut self) -> Result<Option<T>, String> {
        self.place = Place::Behind;
        if self.misfit.is_some() {
            return Ok(None);
        }
        self.check(&self.carry)?;
        self.usual = self.carry.len();
        let mut json = serde_json::Deserializer::from_slice(&self.carry);
        let decoded = serde_path_to_error::deserialize::<_, T>(&mut json);
        let after = json.end();
        let decoded = match decoded {
            Ok(item) if after.is_ok() => Ok(item),
            Ok(_) => Err(self.at("", "it is no JSON")),
            Err(e) => {
                let why = without_values(&e.inner().to_string());
                // What it counts begins with the element.
                let why = why.split(" at line ").next().unwrap_or_default();
                let why = self.at(&e.path().to_string(), why);
                if serde_json::from_slice::<IgnoredAny>(&self.carry).is_ok() {
                    let list = [b"[", &*self.carry, b"]"].concat().into();
                    self.carry = Vec::new();
                    self.misfit = Some(Misfit { why, list });
                    return Ok(None);
                }
                Err(why)
            }
        };
        self.carry.clear();
        self.count += 1;
        decoded.map(Some)
    }

    /// That an element by itself is within the bounds.
    fn check(&self, element: &[u8]) -> Result<(), String> {
        let outside = if self.keys.is_empty() { 1 } else { 2 };
        match structure::excess(element, self.limits.values, self.limits.nesting, outside) {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    /// What is wrong, and where in the reply.
    fn at(&self, path: &str, why: &str) -> String {
        let dot = if path.starts_with(['.', '[']) || path.is_empty() { "" } else { "." };
        let path = if path == "." { "" } else { path };
        format!("at `{}[{}]{dot}{path}`: {why}", self.name, self.count)
    }

    /// The reply so far, as if it ended behind the list that begins now; `None` when it is no JSON.
    pub(crate) fn beginning(&self) -> Option<Bytes> {
        let end = if self.keys.is_empty() { "]" } else { "]}" };
        let closed = [&self.frame, end.as_bytes()].concat();
        serde_json::from_slice::<IgnoredAny>(&closed).is_ok().then(|| closed.into())
    }

    /// Takes the reply no further apart: from here on it stays as it is.
    pub(crate) fn keep_whole(&mut self) {
        self.place = Place::Rest;
    }

    /// The frame at the end of the reply, and what was wrong with an element; an error when the list
    /// does not end, or the frame is out of bounds.
    pub(crate) fn finish(&mut self) -> Result<(Bytes, Option<Misfit>), String> {
        if !matches!(self.place, Place::Before | Place::Rest) {
            return Err(self.at("", "it ends too early"));
        }
        let frame = std::mem::take(&mut self.frame);
        match structure::excess(&frame, self.limits.values, self.limits.nesting, 0) {
            Some(why) => Err(why),
            None => Ok((frame.into(), self.misfit.take())),
        }
    }
}

/// Finds the beginning of the list.
#[derive(Default)]
struct Seek {
    depth: usize,
    strings: Strings,
    /// Where in the frame the last string is.
    key: Range<usize>,
    /// The last byte that is neither a space nor in a string.
    last: u8,
}

impl Seek {
    /// Appends `text` to the frame as far as behind the `[` of the list, and gives how far that is;
    /// all of it and `None` when the list does not begin here.
    fn find(&mut self, text: &[u8], frame: &mut Vec<u8>, keys: &[&str]) -> Option<usize> {
        let before = frame.len();
        frame.extend_from_slice(text);
        for (at, &byte) in text.iter().enumerate() {
            let at = before + at;
            match self.strings.take(byte) {
                Part::Within => continue,
                Part::Opens => self.key.start = at + 1,
                Part::Closes => self.key.end = at,
                Part::Outside => match byte {
                    b'[' if self.begins(frame, keys) => {
                        frame.truncate(at + 1);
                        return Some(at + 1 - before);
                    }
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                },
            }
            if !is_space(byte) {
                self.last = byte;
            }
        }
        None
    }

    fn begins(&self, frame: &[u8], keys: &[&str]) -> bool {
        if keys.is_empty() {
            return self.depth == 0;
        }
        let key = &frame[self.key.clone()];
        self.depth == 1 && self.last == b':' && keys.iter().any(|it| it.as_bytes() == key)
    }
}

/// Finds the end of an element.
#[derive(Default)]
struct Scan {
    depth: usize,
    strings: Strings,
}

impl Scan {
    /// How far the element goes on in `text`; `None` when it does not end there.
    fn end(&mut self, text: &[u8]) -> Option<usize> {
        for (at, &byte) in text.iter().enumerate() {
            if self.strings.take(byte) != Part::Outside {
                continue;
            }
            match byte {
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' if self.depth == 0 => return Some(at),
                b']' | b'}' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                b',' if self.depth == 0 => return Some(at),
                _ => {}
            }
        }
        None
    }
}

/// What JSON allows between its tokens.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
