//! The file formats of WireGuard configurations, for `--format`. Each has a file and a line in [`ALL`].

mod gluetun;
mod setconf;
mod wg_quick;

use std::path::Path;

use anyvpn::{Error, Secret, WireGuardConfig};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A file format of a WireGuard configuration.
#[derive(Debug)]
pub struct Format {
    /// The value of `--format`.
    pub name: &'static str,
    /// A description that follows "it is".
    pub title: &'static str,
    /// The extension of its files.
    pub extension: &'static str,
    /// Whether it contains every line of the configuration, including commands such as `PostUp`.
    pub is_whole: bool,
    /// Whether it needs the server's IP address instead of its name.
    pub needs_address: bool,
    pub write: fn(&WireGuardConfig) -> Result<Secret, Error>,
    /// Returns lines that say what to do with a file.
    pub next: fn(&Path) -> Vec<String>,
}

/// The default: the format of `wg-quick`, the apps and QR codes.
pub static USUAL: &Format = &wg_quick::FORMAT;

/// All formats.
static ALL: [&Format; 3] = [USUAL, &setconf::FORMAT, &gluetun::FORMAT];

/// Parses the name of a format.
pub fn format() -> impl TypedValueParser<Value = &'static Format> {
    PossibleValuesParser::new(ALL.map(|format| format.name))
        .map(|name| ALL.into_iter().find(|format| format.name == name).unwrap_or(USUAL))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use anyvpn_testkit::document;

    use super::*;

    #[test]
    fn the_guide_lists_all_formats() {
        let mut table = "| `--format` | what it is | ends with | endpoint | next |\n\
                         |---|---|---|---|---|\n"
            .to_owned();
        for Format { name, title, extension, needs_address, next, .. } in ALL {
            let endpoint = if *needs_address { "address" } else { "name or address" };
            let next = next(Path::new(&format!("se-sto.{extension}"))).join(" ");
            let (_, command) = next.split_once(": ").unwrap_or_else(|| panic!("{next}"));
            _ = writeln!(
                table,
                "| `{name}` | {title} | `.{extension}` | {endpoint} | `{command}` |"
            );
        }
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configurations.md");
        document::check(guide, Some("formats"), &table);
    }

    #[test]
    fn names_of_formats_are_unique() {
        for (index, format) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != format.name));
            assert!(format.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        }
    }
}
