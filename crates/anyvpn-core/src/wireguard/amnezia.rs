//! The keys that AmneziaWG adds to a WireGuard file. We keep them as text.
//!
//! They describe how packets are disguised, as numbers and as templates of packets. Neither AmneziaWG's
//! tools nor its clients run, read or write anything because of them.

use super::reader::compact;

/// Returns whether the key and its value only describe how AmneziaWG disguises packets.
///
/// As in `awg`, case and blanks in names do not matter. AmneziaWG has no values of other forms, so with
/// such a value the key counts as unknown.
pub(super) fn describes(name: &str, value: &str, in_peer: bool) -> bool {
    let name = compact(name).to_ascii_lowercase();
    let fits = match (name.as_str(), in_peer) {
        ("jc" | "jmin" | "jmax" | "s1" | "s2" | "s3" | "s4" | "itime", false) => is_number,
        // A fixed number, or a range from which each packet uses another number.
        ("h1" | "h2" | "h3" | "h4", false) => is_range,
        ("i1" | "i2" | "i3" | "i4" | "i5" | "j1" | "j2" | "j3", false) => is_template,
        ("advancedsecurity", true) => is_switch,
        _ => return false,
    };
    fits(value)
}

fn is_range(text: &str) -> bool {
    let (from, to) = text.split_once('-').unwrap_or((text, "0"));
    is_number(from) && is_number(to)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u32>().is_ok()
}

/// Returns whether a text consists of tags such as `<b 0xf6ab><c><r 16>`: bytes, a counter, a time,
/// random bytes.
fn is_template(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == ' ';
    let mut tags = text.split('>');
    let is_tag =
        |tag: &str| tag.trim_start().strip_prefix('<').is_some_and(|tag| tag.chars().all(good));
    tags.next_back().is_some_and(|rest| rest.trim().is_empty()) && tags.all(is_tag)
}

fn is_switch(text: &str) -> bool {
    is_number(text) || ["on", "off"].iter().any(|word| word.eq_ignore_ascii_case(text))
}
