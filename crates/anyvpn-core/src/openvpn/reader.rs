//! Reads the lines of a profile as OpenVPN's own parser does.
//!
//! OpenVPN reads lines into a buffer of 256 bytes. If that would make it see other lines than a person
//! does, the profile is refused.

use std::ops::Range;

use zeroize::Zeroizing;

use super::RemotePort;
use super::text::Text;
use crate::ConfigError;
use crate::config_text::{Problem, refuse_control, split_ending};

/// The longest line outside blocks that OpenVPN accepts, including its ending.
const LINE_MAX: usize = 255;

/// A line of the text.
#[derive(Clone, Copy)]
pub(super) struct RawLine<'a> {
    /// Counted from 1.
    number: usize,
    /// The position of its first byte in the whole text.
    at: usize,
    text: &'a str,
    /// Its length in the file, which differs from that of the text if the file is not UTF-8.
    length: usize,
}

/// A line or a block. Blank lines and comments are also items, so the items cover the whole text.
#[derive(Clone)]
pub(super) struct Item {
    /// Counted from 1.
    pub(super) line: usize,
    /// The line, or the line that opens the block, including its ending.
    pub(super) head: Range<usize>,
    /// The words of the line; empty for blank lines and comments. A block has one word, its name
    /// without brackets.
    pub(super) words: Vec<Word>,
    pub(super) block: Option<Block>,
}

#[derive(Clone)]
pub(super) struct Block {
    pub(super) body: Range<usize>,
    /// The line that closes the block.
    pub(super) tail: Range<usize>,
    /// The content of a `<connection>` block.
    pub(super) items: Vec<Item>,
}

/// A parameter, without its quotes.
#[derive(Clone)]
pub(super) struct Word {
    /// The position in the whole text, including the quotes.
    pub(super) span: Range<usize>,
    pub(super) text: Zeroizing<String>,
}

impl Item {
    /// Returns the words, without `setenv opt`, which makes OpenVPN ignore an unknown directive.
    pub(super) fn words(&self) -> Vec<&str> {
        let mut words: Vec<_> = self.words.iter().map(|word| word.text.as_str()).collect();
        if words.len() > 2 && words[..2] == ["setenv", "opt"] {
            words.drain(..2);
        }
        words
    }
}

/// Reads a whole profile.
pub(super) fn read(text: &Text) -> Result<Vec<Item>, ConfigError> {
    let mut at = 0;
    let mut lines = Vec::new();
    for ((index, line), length) in text.split_inclusive('\n').enumerate().zip(text.line_lengths()) {
        lines.push(RawLine { number: index + 1, at, text: line, length });
        at += line.len();
    }
    items(&lines)
}

fn items(mut lines: &[RawLine<'_>]) -> Result<Vec<Item>, ConfigError> {
    let mut items = Vec::new();
    while let Some((line, rest)) = lines.split_first() {
        let (item, used) = item(*line, rest)?;
        items.push(item);
        lines = &rest[used..];
    }
    Ok(items)
}

/// Reads one item, and returns how many of the following lines belong to it.
fn item(line: RawLine<'_>, rest: &[RawLine<'_>]) -> Result<(Item, usize), ConfigError> {
    let wrong = |problem: Problem| problem.in_line(line.number, line.text);
    let mut words = words(line).map_err(wrong)?;
    if let [first, ..] = &mut *words
        && let Some(name) = first.text.strip_prefix("--").filter(|name| !name.is_empty())
    {
        first.text = Zeroizing::new(name.to_owned());
    }
    let mut item =
        Item { line: line.number, head: line.at..line.at + line.text.len(), words, block: None };
    let tag = match &*item.words {
        [word] => word.text.strip_prefix('<').and_then(|tag| tag.strip_suffix('>')),
        _ => None,
    };
    let Some(tag) = tag.map(ToOwned::to_owned) else {
        check(&item).map_err(|(at, what)| wrong(Problem::new(at - line.at, what)))?;
        return Ok((item, 0));
    };
    let at = item.words.first().map_or(0, |word| word.span.start - line.at);
    if tag.starts_with('/') {
        let what = "this closes a block that is not open; remove it or add the opening line";
        return Err(wrong(Problem::new(at, what)));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if tag.is_empty() || !tag.chars().all(is_name) {
        let what = "write a directive's name between `<` and `>`";
        return Err(wrong(Problem::new(at, what)));
    }
    let close = format!("</{tag}>");
    let mut length = None;
    for (index, inner) in rest.iter().enumerate() {
        check_inner(*inner).map_err(|problem| problem.in_line(inner.number, inner.text))?;
        if inner.text.trim_start_matches([' ', '\t']).starts_with(&close) {
            length = Some(index);
            break;
        }
    }
    let Some(length) = length else {
        let what = format!("this block is never closed; add {close}");
        return Err(wrong(Problem::new(at, what)));
    };
    let tail = rest[length];
    let block = Block {
        body: item.head.end..tail.at,
        tail: tail.at..tail.at + tail.text.len(),
        items: if tag == "connection" { items(&rest[..length])? } else { Vec::new() },
    };
    let has_remote = |item: &Item| item.words().first() == Some(&"remote");
    if tag == "connection" && !block.items.iter().any(has_remote) {
        let what = "a connection block needs a `remote` line; add one";
        return Err(wrong(Problem::new(at, what)));
    }
    for word in &mut item.words {
        word.text = Zeroizing::new(tag.clone());
    }
    item.block = Some(block);
    Ok((item, length + 1))
}

/// Checks a line inside a block.
fn check_inner(line: RawLine<'_>) -> Result<(), Problem> {
    refuse_control(split_ending(line.text).0)?;
    // OpenVPN splits a long line, and a piece that looks like a closing tag would end the block.
    match line.text.find("</") {
        Some(at) if line.length > LINE_MAX => Err(Problem::new(
            at,
            "`</` in a line of more than 255 bytes may close the block; break the line",
        )),
        _ => Ok(()),
    }
}

/// Splits a line into parameters. Blanks separate them; `#` and `;` begin a comment where a parameter
/// could begin; `"…"` and `'…'` quote; and a backslash (outside `'…'`) escapes the next blank,
/// backslash or `"`.
fn words(line: RawLine<'_>) -> Result<Vec<Word>, Problem> {
    let mut content = split_ending(line.text).0;
    let mut skipped = 0;
    // OpenVPN ignores a byte order mark at the beginning of a file.
    if let (1, Some(rest)) = (line.number, content.strip_prefix('\u{feff}')) {
        skipped = content.len() - rest.len();
        content = rest;
    }
    refuse_control(content).map_err(|problem| Problem::new(problem.at + skipped, problem.what))?;
    if line.length > LINE_MAX {
        let at =
            (0..=LINE_MAX.min(line.text.len())).rev().find(|at| line.text.is_char_boundary(*at));
        let what = "OpenVPN accepts lines of at most 254 bytes; shorten this one";
        return Err(Problem::new(at.unwrap_or_default(), what));
    }
    let is_blank = |c: char| c == ' ' || c == '\t';
    let mut words = Vec::new();
    let mut chars = content.char_indices().peekable();
    while let Some(&(start, first)) = chars.peek() {
        let here = |at: usize| skipped + at;
        if is_blank(first) {
            chars.next();
            continue;
        }
        if first == '#' || first == ';' {
            break;
        }
        let quote = matches!(first, '"' | '\'').then_some(first);
        if quote.is_some() {
            chars.next();
        }
        // Allocate the maximum size at once: a buffer that grows leaves copies of a secret in memory.
        let mut text = Zeroizing::new(String::with_capacity(content.len()));
        let mut closed = quote.is_none();
        let mut end = content.len();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && quote != Some('\'') {
                match chars.next() {
                    // At the beginning of a parameter, OpenVPN ignores the backslash and interprets the
                    // quote or comment after it, which is never intended.
                    Some((_, c)) if is_blank(c) && quote.is_none() && text.is_empty() => {
                        let what = "a backslash and a blank cannot begin a parameter; use quotes";
                        return Err(Problem::new(here(at), what));
                    }
                    Some((_, c)) if is_blank(c) || c == '\\' || c == '"' => text.push(c),
                    _ => {
                        let what = "a backslash must be followed by a blank, `\"` or another backslash; write two backslashes";
                        return Err(Problem::new(here(at), what));
                    }
                }
            } else if quote == Some(c) || (quote.is_none() && is_blank(c)) {
                closed = true;
                end = if quote.is_some() { at + c.len_utf8() } else { at };
                break;
            } else {
                text.push(c);
            }
        }
        if !closed {
            let what = "this quote is never closed; add the closing one";
            return Err(Problem::new(here(start), what));
        }
        let span = line.at + here(start)..line.at + here(end);
        words.push(Word { span, text });
    }
    Ok(words)
}

/// Checks the directives that this crate reads. The position in an error is a byte of the whole text.
fn check(item: &Item) -> Result<(), (usize, &'static str)> {
    let words = item.words();
    let Some((name, arguments)) = words.split_first() else {
        return Ok(());
    };
    let skipped = item.words.len() - arguments.len();
    let at = |index: usize| {
        item.words.get(skipped + index).map_or(item.head.start, |word| word.span.start)
    };
    let (ports, protocols): (&[usize], &[usize]) = match *name {
        "remote" if !(1..=3).contains(&arguments.len()) => {
            let what = "write `remote HOST [PORT [PROTOCOL]]`";
            return Err((item.words[skipped - 1].span.start, what));
        }
        "remote" => (&[1], &[2]),
        "port" | "rport" if arguments.len() == 1 => (&[0], &[]),
        "proto" if arguments.len() == 1 => (&[], &[0]),
        "port" | "rport" | "proto" => {
            return Err((item.words[skipped - 1].span.start, "write one value after the name"));
        }
        _ => (&[], &[]),
    };
    for index in ports {
        if arguments.get(*index).is_some_and(|port| RemotePort::parse(port).is_none()) {
            return Err((at(*index), "write a port from 1 to 65535, or a service's name"));
        }
    }
    for index in protocols {
        let is_known = |protocol: &&str| {
            let (base, rest) = protocol.split_at_checked(3).unwrap_or_default();
            let family = rest.strip_prefix(['4', '6']).unwrap_or(rest);
            matches!((base, family), ("udp", "") | ("tcp", "" | "-client" | "-server"))
        };
        if arguments.get(*index).is_some_and(|protocol| !is_known(protocol)) {
            return Err((at(*index), "write a protocol such as udp, tcp, udp6 or tcp4-client"));
        }
    }
    Ok(())
}
