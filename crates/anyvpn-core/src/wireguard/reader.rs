//! Reads the lines of a WireGuard configuration.

use zeroize::Zeroizing;

use super::keys::{PrivateKey, PublicKey};
use super::values::{self, Key, Value, is_blank};
use super::{Entry, Line, Section, WireGuardConfig};
use crate::ConfigError;
use crate::config_text::{Problem, refuse_control, split_ending};

/// Removes the blanks from a name, as wg does.
pub(super) fn compact(name: &str) -> String {
    name.chars().filter(|c| !is_blank(*c)).collect()
}

/// The part of a configuration that has been read so far.
#[derive(Default)]
pub(super) struct Reader {
    lines: Vec<Line>,
    section: Option<Section>,
    /// Whether blanks in the section's header hide it from wg-quick, but not from wg.
    is_hidden: bool,
    private_key: Option<PrivateKey>,
    /// The peers in order. The list is empty until the first `[Peer]` line.
    public_keys: Vec<Option<PublicKey>>,
    /// The lines of the `[Peer]` headers, and of the first `[Interface]`.
    peer_lines: Vec<usize>,
    interface_line: Option<usize>,
}

impl Reader {
    /// Reads one line; `number` counts from 1.
    pub(super) fn read(&mut self, number: usize, line: &str) -> Result<(), Problem> {
        let content = split_ending(line).0;
        refuse_control(content)?;
        let stripped = content.split('#').next().unwrap_or_default();
        let start = stripped.len() - stripped.trim_start_matches(is_blank).len();
        let said = stripped.trim_matches(is_blank);
        let entry = if said.is_empty() {
            None
        } else if said.starts_with('[') {
            self.header(number, start, said)?;
            None
        } else {
            self.entry(start, content, stripped)?
        };
        self.lines.push(Line {
            text: Zeroizing::new(line.to_owned()),
            section: self.section,
            entry,
        });
        Ok(())
    }

    fn header(&mut self, number: usize, start: usize, said: &str) -> Result<(), Problem> {
        let name = compact(said);
        self.is_hidden = name.len() < said.len();
        if name.eq_ignore_ascii_case("[Interface]") {
            self.section = Some(Section::Interface);
            self.interface_line.get_or_insert(number);
        } else if name.eq_ignore_ascii_case("[Peer]") {
            self.section = Some(Section::Peer(self.public_keys.len()));
            self.public_keys.push(None);
            self.peer_lines.push(number);
        } else {
            let what = "a WireGuard file has only the sections [Interface] and [Peer]; correct the name or remove the section";
            return Err(Problem::new(start, what));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        start: usize,
        content: &str,
        stripped: &str,
    ) -> Result<Option<Entry>, Problem> {
        let Some(equals) = stripped.find('=') else {
            let what = "this is neither a section, a comment nor `Key = value`; correct or remove the line";
            return Err(Problem::new(start, what));
        };
        let written = stripped[start..equals].trim_end_matches(is_blank);
        let name = &*compact(written);
        // We only accept ASCII, because bash and the locale decide how other spaces and letters are read.
        let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
        if name.is_empty() || !name.chars().all(is_key) {
            let what =
                "a key of letters and digits is missing before `=`; correct or remove the line";
            return Err(Problem::new(start, what));
        }
        let Some(section) = self.section else {
            let what = "this key is before any section; write [Interface] above it";
            return Err(Problem::new(start, what));
        };
        let Some(key) = Key::find(name) else {
            return Ok(None);
        };
        // wg removes blanks from keys. wg-quick does not, and would pass its own keys on to wg.
        if key.is_wg_quicks() && name.len() < written.len() {
            let what = format!("wg-quick reads {} only without blanks; remove them", key.name());
            return Err(Problem::new(start, what));
        }
        if key.is_wg_quicks() && self.is_hidden {
            let what = format!(
                "wg-quick finds {} only under [Interface]; remove the blanks from the section's name",
                key.name()
            );
            return Err(Problem::new(start, what));
        }
        if key.is_peers() != matches!(section, Section::Peer(_)) {
            let right = if key.is_peers() { "[Peer]" } else { "[Interface]" };
            let what = format!("{} belongs under {right}; move it there", key.name());
            return Err(Problem::new(start, what));
        }
        // A command keeps its `#`, because wg-quick passes the whole rest of the line to bash.
        let source = if key.is_command() { content } else { stripped };
        let rest = &source[equals + 1..];
        let value = rest.trim_matches(is_blank);
        let value_at = equals + 1 + rest.len() - rest.trim_start_matches(is_blank).len();
        let parsed = values::parse(key, value)
            .map_err(|problem| Problem::new(value_at + problem.at, problem.what))?;
        let again = match (&parsed, section) {
            (Value::PrivateKey(own), _) => self.private_key.replace(own.clone()).is_some(),
            (Value::PublicKey(theirs), Section::Peer(index)) => {
                self.public_keys.get_mut(index).is_some_and(|key| key.replace(*theirs).is_some())
            }
            _ => false,
        };
        if again {
            let what = format!("{} is repeated here; remove one of the lines", key.name());
            return Err(Problem::new(start, what));
        }
        let span = value_at..value_at + value.len();
        let value = parsed;
        Ok(Some(Entry { key, value, span }))
    }

    /// Returns the configuration if nothing is missing.
    pub(super) fn finish(self) -> Result<WireGuardConfig, ConfigError> {
        let missing =
            |line: usize, what: &str| ConfigError { line, column: 1, what: what.to_owned() };
        let line = self.interface_line.ok_or_else(|| {
            missing(
                1,
                "there is no [Interface] section; this is not a complete WireGuard configuration",
            )
        })?;
        let private_key = self.private_key.ok_or_else(|| {
            missing(line, "this section has no PrivateKey; add the one that belongs to the account's public key")
        })?;
        let public_keys = self.public_keys.iter().zip(self.peer_lines);
        let public_keys = public_keys.map(|(key, line)| {
            key.ok_or_else(|| missing(line, "this peer has no PublicKey; add the server's"))
        });
        Ok(WireGuardConfig {
            lines: self.lines,
            private_key,
            public_keys: public_keys.collect::<Result<_, _>>()?,
        })
    }
}

/// Returns the key and value of a line that was read and has an unknown key; `None` for a header, a
/// comment or a blank line.
pub(super) fn unknown(line: &str) -> Option<(&str, &str)> {
    let stripped = split_ending(line).0.split('#').next().unwrap_or_default();
    let said = stripped.trim_matches(is_blank);
    if said.starts_with('[') {
        return None;
    }
    let (name, value) = said.split_once('=')?;
    Some((name.trim_matches(is_blank), value.trim_matches(is_blank)))
}
