//! How parts of a text look, where colours are shown.
//!
//! A text is marked with characters that take no room in a table, and that no text from outside
//! keeps. Printing makes colours of them, or nothing.

use std::env;

use anstream::AutoStream;
use anstream::stream::RawStream;
use anstyle::{AnsiColor, Style};
use anyvpn::is_invisible;

const END: char = '\u{2060}';

#[derive(Clone, Copy)]
pub enum Look {
    /// The head of a table, and of a help's part.
    Title,
    /// An error, and a state in which nothing works.
    Bad,
    /// A state that changes by itself.
    Unsure,
    /// What to do.
    Hint,
}

impl Look {
    const ALL: [Self; 4] = [Self::Title, Self::Bad, Self::Unsure, Self::Hint];

    const fn mark(self) -> char {
        match self {
            Self::Title => '\u{2061}',
            Self::Bad => '\u{2062}',
            Self::Unsure => '\u{2063}',
            Self::Hint => '\u{2064}',
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Title => Style::new().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Unsure => AnsiColor::Yellow.on_default(),
            Self::Hint => AnsiColor::Cyan.on_default().bold(),
        }
    }

    /// The look of a state, in a provider's or the library's word.
    pub fn of_state(state: &str) -> Option<Self> {
        let state = state.to_lowercase();
        let is = |words: &[&str]| words.iter().any(|word| state.starts_with(word));
        if is(&["inactive", "expired", "suspended", "failed", "cancelled", "terminated", "fraud"]) {
            Some(Self::Bad)
        } else if is(&["being", "pending"]) {
            Some(Self::Unsure)
        } else {
            None
        }
    }

    /// The text, marked. It must be safe to print.
    pub fn on(self, text: &str) -> String {
        format!("{}{text}{END}", self.mark())
    }
}

/// The text with colours, or without any mark. Whatever else a terminal would obey is escaped: this
/// is the last place that a name from a server comes through.
pub fn painted(text: &str, colored: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut look: Option<Look> = None;
    for c in text.chars() {
        // What a table has wrapped ends with its line: beside it there are other columns.
        let ends = matches!(c, END | '\n');
        if let Some(open) = look.take_if(|_| ends)
            && colored
        {
            shown.push_str(&open.style().render_reset().to_string());
        }
        match Look::ALL.into_iter().find(|look| look.mark() == c) {
            Some(begun) => {
                look = Some(begun);
                if colored {
                    shown.push_str(&begun.style().render().to_string());
                }
            }
            None if c == END => {}
            None if is_invisible(c) && c != '\n' => shown.extend(c.escape_default()),
            None => shown.push(c),
        }
    }
    shown
}

/// Whether a stream shows colours, as NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM have it.
pub fn is_colored(stream: &impl RawStream) -> bool {
    let is = |name: &str, value: &str| env::var_os(name).is_some_and(|it| it == value);
    let is_forced = env::var_os("CLICOLOR_FORCE").is_some_and(|it| it != "0");
    let is_dumb = is("TERM", "dumb") && !is_forced;
    !is_dumb && AutoStream::choice(stream) != anstream::ColorChoice::Never
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_text_has_its_colours_or_none_and_no_mark() {
        let text = format!("{} all is {}.", Look::Bad.on("error:"), Look::Unsure.on("a\nb"));
        assert_eq!(painted(&text, false), "error: all is a\nb.");
        assert_eq!(
            painted(&text, true),
            "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m all is \u{1b}[33ma\u{1b}[0m\nb."
        );
        assert_eq!(painted("a\u{1b}[2J\tb\r\n", true), "a\\u{1b}[2J\\tb\\r\n");
        assert_eq!(Look::of_state("Expired").map(Look::mark), Some(Look::Bad.mark()));
        assert!(Look::of_state("active").is_none());
    }
}
