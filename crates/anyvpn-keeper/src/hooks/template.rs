//! gluetun's commands: a text with placeholders, which is split into words as in gluetun.

use anyvpn_core::Secret;

use super::HookError;

/// A command of gluetun. It is secret, because people put passwords into it.
#[derive(Clone, Debug)]
pub(super) struct Template {
    text: Secret,
    program: String,
}

impl Template {
    /// Checks the text, so that an invalid one is reported at the start and not when the port changes.
    pub(super) fn new(text: &str) -> Result<Self, HookError> {
        let words = split(&replace(text, 1, "tun0"))?;
        let program = words.into_iter().next().ok_or(HookError::Invalid("it is empty"))?;
        Ok(Self { text: text.into(), program })
    }

    /// Returns the program.
    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// Returns the program and its arguments for this port.
    pub(super) fn words(&self, port: u16, interface: &str) -> Result<Vec<Secret>, HookError> {
        let words = split(&replace(self.text.expose(), port, interface))?;
        Ok(words.into_iter().map(Secret::from).collect())
    }
}

/// Replaces the placeholders. There is one port, so the list of ports is the same text.
fn replace(text: &str, port: u16, interface: &str) -> String {
    let port = port.to_string();
    text.replace("{{PORTS}}", &port)
        .replace("{{PORT}}", &port)
        .replace("{{VPN_INTERFACE}}", interface)
}

/// Splits a text into words at spaces, tabs and newlines, with the quotes and backslashes of a POSIX shell.
///
/// This is not what the crate shlex does: for gluetun, `#` does not begin a comment.
fn split(text: &str) -> Result<Vec<String>, HookError> {
    let mut words = Vec::new();
    // `None` between words. An empty pair of quotes is a word.
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => loop {
                let word = word.get_or_insert_default();
                match characters.next().ok_or(HookError::Invalid("a ' is not closed"))? {
                    '\'' => break,
                    character => word.push(character),
                }
            },
            '"' => loop {
                const OPEN: HookError = HookError::Invalid("a \" is not closed");
                let word = word.get_or_insert_default();
                match characters.next().ok_or(OPEN)? {
                    '"' => break,
                    '\\' => match characters.next().ok_or(OPEN)? {
                        '\n' => {}
                        escaped @ ('$' | '`' | '"' | '\\') => word.push(escaped),
                        other => word.extend(['\\', other]),
                    },
                    character => word.push(character),
                }
            },
            '\\' => match characters.next().ok_or(HookError::Invalid("it ends with a \\"))? {
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_gluetun() {
        let cases: &[(&str, &[&str])] = &[
            ("/bin/echo a\tb\n c", &["/bin/echo", "a", "b", "c"]),
            (r#"sh -c "echo {{PORT}}""#, &["sh", "-c", "echo 50123"]),
            (
                r#"x '{"port":{{PORTS}},"if":"{{VPN_INTERFACE}}"}'"#,
                &["x", r#"{"port":50123,"if":"wg0"}"#],
            ),
            (r#"x "\$\`\"\\\n" '\n' a\ b \"c"#, &["x", r#"$`"\\n"#, r"\n", "a b", "\"c"]),
            ("x a\\\nb \\\n c \"d\\\ne\"", &["x", "ab", "c", "de"]),
            ("x '' \"\" a''b", &["x", "", "", "ab"]),
            ("curl http://host/#top #no comment", &["curl", "http://host/#top", "#no", "comment"]),
            ("a && b | c > d; $HOME *", &["a", "&&", "b", "|", "c", ">", "d;", "$HOME", "*"]),
            ("é 'ü ö'", &["é", "ü ö"]),
        ];
        for (text, words) in cases {
            let split = Template::new(text).unwrap().words(50123, "wg0").unwrap();
            let split: Vec<&str> = split.iter().map(Secret::expose).collect();
            assert_eq!(split, *words, "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_is_refused_at_the_start() {
        for (text, why) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("x 'a", "a ' is not closed"),
            ("x \"a", "a \" is not closed"),
            ("x \"a\\", "a \" is not closed"),
            ("x \\", "it ends with a \\"),
        ] {
            let error = Template::new(text).unwrap_err().to_string();
            assert_eq!(error, format!("the command is not valid: {why}"), "{text:?}");
        }
    }
}
