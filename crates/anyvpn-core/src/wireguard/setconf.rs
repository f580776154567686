//! Writes the form that `wg setconf` accepts.

use super::{Line, Secret, WireGuardConfig};
use crate::Error;

impl WireGuardConfig {
    /// Returns the configuration for `wg setconf`, as `wg-quick strip` does: without the keys of
    /// `wg-quick` (`Address`, `DNS`, `MTU`, `Table`, commands, `SaveConfig`), which `wg` refuses. The
    /// user sets these up in another way.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a key or a value that `wg` does not
    /// know, such as AmneziaWG's, because the other end would not understand a tunnel without it.
    pub fn to_setconf(&self) -> Result<Secret, Error> {
        self.refuse_unknown("wg")?;
        let is_wgs = |line: &&Line| !line.entry.as_ref().is_some_and(|it| it.key.is_wg_quicks());
        let lines = || self.lines.iter().filter(is_wgs).map(|line| line.text.as_str());
        // Allocate the final size at once: a buffer that grows leaves copies of the key in memory.
        let mut text = String::with_capacity(lines().map(str::len).sum());
        lines().for_each(|line| text.push_str(line));
        Ok(Secret::from(text))
    }

    /// Returns an error if a line changes the tunnel and `program` does not support it.
    pub(super) fn refuse_unknown(&self, program: &str) -> Result<(), Error> {
        match self.lines.iter().position(Line::is_foreign) {
            None => Ok(()),
            Some(index) => Err(Error::invalid(
                "configuration",
                format!(
                    "line {}: {program} has no such key or value; remove the line, or use a program that has it",
                    index + 1
                ),
            )),
        }
    }
}
