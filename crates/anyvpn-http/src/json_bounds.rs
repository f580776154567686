//! Counts the values and the depth of a JSON text before it is decoded.

/// The values of bodies up to this size are not counted, because any result of decoding them is small.
const SMALL: usize = 64 << 10;

/// The depth at which the JSON parser itself stops.
pub(crate) const PARSER_DEPTH: usize = 128;

/// Returns why a body exceeds the limits; `None` if it does not, or is not JSON.
pub(crate) fn exceeded(body: &[u8], values: usize, nesting: usize) -> Option<String> {
    // This overestimates if strings contain such characters. Only if it is too high do we count
    // precisely.
    let many = body.len() > SMALL.max(values) && marks(body) >= values;
    if !many && nesting >= PARSER_DEPTH {
        return None;
    }
    let (count, depth) = structure(body);
    if count > values && many {
        return Some(format!("the reply has more than {values} values"));
    }
    (depth > nesting).then(|| format!("the reply is nested deeper than {nesting} levels"))
}

/// Counts the characters after which a value can begin.
fn marks(text: &[u8]) -> usize {
    let mark = |byte: &u8| u8::from(matches!(byte, b',' | b'[' | b'{'));
    // Chunks small enough for a one-byte sum can be vectorized.
    text.chunks(255).map(|some| usize::from(some.iter().map(mark).sum::<u8>())).sum()
}

/// Returns the number of values, counting an empty container twice, and their depth.
fn structure(text: &[u8]) -> (usize, usize) {
    let (mut values, mut depth, mut deepest) = (1_usize, 0_usize, 0);
    let (mut string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = string,
            b'"' => string = !string,
            _ if string => {}
            b',' => values += 1,
            b'[' | b'{' => {
                values += 1;
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    (values, deepest)
}

#[cfg(test)]
mod tests {
    use anyvpn_core::Limits;

    use super::{PARSER_DEPTH, SMALL, exceeded, structure};

    #[test]
    fn the_usual_nesting_is_the_most_that_the_parser_takes() {
        assert_eq!(Limits::default().nesting, PARSER_DEPTH);
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(serde_json::from_str::<serde_json::Value>(&nested(PARSER_DEPTH - 1)).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&nested(PARSER_DEPTH)).is_err());
    }

    #[test]
    fn braces_in_strings_do_not_count_as_structure() {
        for (text, expected) in [
            (r"7", (1, 0)),
            (r#"{"a,[{":"\",[","b":[1,2]}"#, (5, 2)),
            (r#"[[],[[]],{"a":{}}]"#, (9, 3)),
            (r"]]]]", (1, 0)),
            (r#""unfinished ["#, (1, 0)),
        ] {
            assert_eq!(structure(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn small_bodies_and_long_texts_are_within_the_bound() {
        let many = format!("[0{}]", ",0".repeat(40_000));
        assert!(exceeded(many.as_bytes(), 40_000, 128).is_some());
        assert_eq!(exceeded(many.as_bytes(), 50_000, 128), None);
        assert_eq!(exceeded(&many.as_bytes()[..SMALL], 10, 128), None);
        assert!(exceeded(&many.as_bytes()[..=SMALL], 10, 128).is_some());
        let full = format!("[\",\"{}]", ",0".repeat(39_998));
        assert_eq!(exceeded(full.as_bytes(), 40_000, 128), None);
        assert!(exceeded(full.as_bytes(), 39_999, 128).is_some());
        let text = format!("\"{}\"", ",".repeat(100_000));
        assert_eq!(exceeded(text.as_bytes(), 10, 128), None);
    }
}
