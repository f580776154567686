//! The forms in which a WireGuard configuration is written, for `--format`: one file a form, and its
//! line in [`ALL`].

mod gluetun;
mod setconf;
mod wg_quick;

use std::path::Path;

use anyvpn::{Error, Secret, WireGuardConfig};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A form of a WireGuard configuration.
#[derive(Debug)]
pub struct Format {
    /// What `--format` takes.
    pub name: &'static str,
    /// What the form is, in words that follow "it is".
    pub title: &'static str,
    /// How its files end.
    pub extension: &'static str,
    /// Whether it has all lines of the configuration, commands such as `PostUp` among them.
    pub is_whole: bool,
    /// Whether it needs the server's address in the place of its name.
    pub needs_address: bool,
    pub write: fn(&WireGuardConfig) -> Result<Secret, Error>,
    /// Says what to do with a file, in lines.
    pub next: fn(&Path) -> Vec<String>,
}

/// The form of `wg-quick` and of the apps, and of QR codes.
pub static USUAL: &Format = &wg_quick::FORMAT;

/// All forms.
static ALL: [&Format; 3] = [USUAL, &setconf::FORMAT, &gluetun::FORMAT];

/// The name of one of the forms.
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
    fn the_guide_has_the_formats() {
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
    fn a_name_is_of_one_format() {
        for (index, format) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != format.name));
            assert!(format.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        }
    }
}
