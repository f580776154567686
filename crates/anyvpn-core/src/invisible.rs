//! Characters that can deceive readers: a terminal obeys them, or shows nothing for them.

use std::ops::RangeInclusive;

/// Unicode's `Default_Ignorable_Code_Point`, the format characters that have no shape of their own, the
/// line and paragraph separators, and the empty Braille pattern. Sorted. A test compares it with
/// Unicode's data.
const INVISIBLE: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Returns whether a terminal would obey the character, or show nothing for it.
///
/// Such a character can hide a text, or make it look like another one.
///
/// ```
/// use anyvpn_core::is_invisible;
///
/// assert!(is_invisible('\u{1b}'), "an escape sequence begins with it");
/// assert!(is_invisible('\u{202e}'), "what follows is read from right to left");
/// assert!(!is_invisible(' ') && !is_invisible('é'));
/// ```
#[must_use]
pub fn is_invisible(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let following = INVISIBLE.partition_point(|range| *range.end() < character);
    character.is_control()
        || INVISIBLE.get(following).is_some_and(|range| range.contains(&character))
}

/// Makes a text from outside safe to show in one line: each invisible character becomes an escape,
/// such as `\n` or `\u{202e}`.
#[must_use]
pub fn escape_invisible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{Class, HirKind};

    use super::{escape_invisible, is_invisible};

    #[test]
    fn the_table_is_unicodes_own() {
        // Prepended marks, such as the Arabic sign of a year, are shown. The empty Braille pattern is a
        // symbol for Unicode, and has no dot.
        let format = r"[\p{Cf}--\p{Prepended_Concatenation_Mark}]";
        let others = r"\p{Default_Ignorable_Code_Point}\p{Cc}\p{Zl}\p{Zp}\x{2800}";
        let hir = regex_syntax::parse(&format!("[{format}{others}]")).unwrap();
        let HirKind::Class(Class::Unicode(class)) = hir.into_kind() else { panic!("no class") };
        let is_expected = |character| {
            class.iter().any(|range| (range.start()..=range.end()).contains(&character))
        };
        let differ: Vec<_> = ('\0'..=char::MAX)
            .filter(|character| is_invisible(*character) != is_expected(*character))
            .map(|character| character.escape_unicode().to_string())
            .collect();
        assert_eq!(differ, [""; 0]);
    }

    #[test]
    fn each_character_that_deceives_is_escaped() {
        let fillers = "\u{115f}\u{1160}\u{3164}\u{ffa0}";
        let marks = "\u{34f}\u{2800}\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}\u{1d173}\u{1d17a}";
        let directions = "\u{61c}\u{200b}\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{e0001}";
        let controls = "\0\t\n\r\u{1b}\u{7f}\u{80}\u{9b}\u{ad}";
        for character in [fillers, marks, directions, controls].concat().chars() {
            assert!(is_invisible(character), "{}", character.escape_unicode());
            assert!(escape_invisible(&character.to_string()).starts_with('\\'));
        }
        let visible = " ~é→⠁ㅏ".to_owned() + "\u{a0}\u{ff9f}\u{ffa1}\u{fffd}\u{1f600}";
        assert_eq!(escape_invisible(&visible), visible);
        assert_eq!(escape_invisible("a\tb\u{202e}c"), r"a\tb\u{202e}c");
    }
}
