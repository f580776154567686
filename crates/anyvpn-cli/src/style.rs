//! Colours and bold text on terminals.
//!
//! Styled text carries invisible marker characters, which do not affect the layout of a table. Printing
//! replaces them by escape sequences or removes them. In texts from outside, such characters are escaped,
//! so they cannot style anything.

use std::env;

use anstream::AutoStream;
use anstream::stream::RawStream;
use anstyle::AnsiColor;
use anyvpn::is_invisible;

const END: char = '\u{2060}';

#[derive(Clone, Copy)]
pub enum Style {
    /// The header of a table or of a section.
    Title,
    /// An error, or a state in which the service does not work.
    Error,
    /// A temporary state.
    Warning,
    /// A hint, or a comment in the demo.
    Hint,
}

impl Style {
    const ALL: [Self; 4] = [Self::Title, Self::Error, Self::Warning, Self::Hint];

    const fn mark(self) -> char {
        match self {
            Self::Title => '\u{2061}',
            Self::Error => '\u{2062}',
            Self::Warning => '\u{2063}',
            Self::Hint => '\u{2064}',
        }
    }

    const fn ansi(self) -> anstyle::Style {
        match self {
            Self::Title => anstyle::Style::new().bold(),
            Self::Error => AnsiColor::Red.on_default().bold(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Hint => AnsiColor::Cyan.on_default().bold(),
        }
    }

    /// Returns the style for the name of a state, if it has one.
    pub fn for_state(state: &str) -> Option<Self> {
        let state = state.to_lowercase();
        let is = |words: &[&str]| words.iter().any(|word| state.starts_with(word));
        if is(&["inactive", "expired", "suspended", "failed", "cancelled", "terminated", "fraud"]) {
            Some(Self::Error)
        } else if is(&["being", "pending"]) {
            Some(Self::Warning)
        } else {
            None
        }
    }

    /// Adds this style to a text, which must be safe to print.
    pub fn apply(self, text: &str) -> String {
        format!("{}{text}{END}", self.mark())
    }
}

/// Replaces the styles of a text by escape sequences, or removes them. All other control characters are
/// escaped, because the text may contain names from a server.
pub fn render(text: &str, colored: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut style: Option<Style> = None;
    for c in text.chars() {
        // A wrapped cell must not style the columns beside it, so styles end with the line.
        let ends = matches!(c, END | '\n');
        if let Some(open) = style.take_if(|_| ends)
            && colored
        {
            shown.push_str(&open.ansi().render_reset().to_string());
        }
        match Style::ALL.into_iter().find(|style| style.mark() == c) {
            Some(begun) => {
                style = Some(begun);
                if colored {
                    shown.push_str(&begun.ansi().render().to_string());
                }
            }
            None if c == END => {}
            None if is_invisible(c) && c != '\n' => shown.extend(c.escape_default()),
            None => shown.push(c),
        }
    }
    shown
}

/// Whether a stream shows colours, according to NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM.
pub fn is_colored(stream: &impl RawStream) -> bool {
    let is = |name: &str, value: &str| env::var_os(name).is_some_and(|found| found == value);
    let is_forced = env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let is_dumb = is("TERM", "dumb") && !is_forced;
    !is_dumb && AutoStream::choice(stream) != anstream::ColorChoice::Never
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_become_escape_sequences_or_nothing() {
        let text =
            format!("{} all is {}.", Style::Error.apply("error:"), Style::Warning.apply("a\nb"));
        assert_eq!(render(&text, false), "error: all is a\nb.");
        assert_eq!(
            render(&text, true),
            "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m all is \u{1b}[33ma\u{1b}[0m\nb."
        );
        assert_eq!(render("a\u{1b}[2J\tb\r\n", true), "a\\u{1b}[2J\\tb\\r\n");
        assert_eq!(Style::for_state("Expired").map(Style::mark), Some(Style::Error.mark()));
        assert!(Style::for_state("active").is_none());
    }
}
