//! Options for an OpenVPN profile, and the command that uses its file.

use std::path::Path;

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::text::shell_word;

/// Options for an OpenVPN profile.
#[derive(Args, Default)]
#[command(next_help_heading = "OpenVPN")]
pub struct OpenVpn {
    /// Where to write the user name and password: to a file beside --output, inline in the profile
    /// (OpenVPN before 2.6 and NetworkManager refuse that), or nowhere, so that OpenVPN asks for them
    /// [default: file; inline on stdout]
    #[arg(long, value_name = "WHERE")]
    credentials: Option<Credentials>,
    /// Comment out lines that OpenVPN 2.6 refuses
    #[arg(long)]
    pub compat: bool,
}

/// The place for the user name and password.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Credentials {
    File,
    Inline,
    None,
}

impl OpenVpn {
    pub fn is_given(&self) -> bool {
        self.credentials.is_some() || self.compat
    }

    /// Returns whether the user chose where the credentials go.
    pub fn is_place_chosen(&self) -> bool {
        self.credentials.is_some()
    }

    /// Returns the place for the credentials. `is_file` says whether the profile is written to a file.
    pub fn credentials(&self, is_file: bool) -> Result<Credentials, Failure> {
        match (self.credentials, is_file) {
            (Some(Credentials::File), false) => {
                Err(Failure::usage("--credentials file needs a profile in a file")
                    .hint("add --output FILE, or choose --credentials inline or none"))
            }
            (Some(chosen), _) => Ok(chosen),
            (None, true) => Ok(Credentials::File),
            (None, false) => Ok(Credentials::Inline),
        }
    }
}

/// Returns the command line that starts the tunnel of an OpenVPN profile. OpenVPN looks for the credentials in the folder that
/// it is started in.
pub fn next(path: &Path) -> String {
    let word = |path: &Path| shell_word(&path.to_string_lossy());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map(|folder| format!("--cd {} ", word(folder))).unwrap_or_default();
    let file = word(Path::new(path.file_name().unwrap_or_default()));
    format!("Next, as root: openvpn {folder}--config {file}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openvpn_starts_where_the_credentials_are() {
        let next = |path: &str| next(Path::new(path));
        assert_eq!(next("de.ovpn"), "Next, as root: openvpn --config de.ovpn");
        assert_eq!(next("a b/de.ovpn"), "Next, as root: openvpn --cd 'a b' --config de.ovpn");
    }
}
