//! A profile in `config.toml`.

use anyvpn::{ProviderInfo, Setting, Settings};

use super::source::SecretSource;
use crate::provider_settings::{secrets, shown_address};

/// The maximum length of a name, which becomes part of file names.
const LONGEST_NAME: usize = 40;

/// A profile in `config.toml`.
#[derive(Clone, Debug)]
pub struct ProfileEntry {
    pub name: String,
    pub provider: &'static ProviderInfo,
    /// The public settings.
    pub settings: Settings,
    /// The sources of the secret settings.
    pub sources: Vec<(&'static Setting, SecretSource)>,
    pub store: StoreKind,
}

/// The place where this program stores the secrets of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum StoreKind {
    #[default]
    File,
    Keyring,
}

impl ProfileEntry {
    /// Returns the address without secrets.
    pub fn address(&self) -> String {
        shown_address(self.provider, &self.settings)
    }

    /// Whether the profile has a source for the secret or for one of its alternatives.
    pub fn has(&self, setting: &Setting) -> bool {
        self.sources.iter().any(|(other, _)| setting.is_alternative_to(other))
    }

    /// Lists the secrets without a source. Of several alternatives, it lists the first.
    pub fn without_source(&self) -> impl Iterator<Item = &'static Setting> {
        wanted_secrets(self.provider).filter(|setting| !self.has(setting))
    }

    /// Describes the sources of its secrets, one a line.
    pub fn sign_in(&self) -> Vec<String> {
        let shown = self.sources.iter().map(|(setting, source)| {
            let key = source.key(setting);
            match source {
                SecretSource::File(path) => format!("{key} {}", path.display()),
                SecretSource::Command(words) => format!("{key} {}", words.join(" ")),
            }
        });
        shown.collect()
    }
}

/// Lists the secrets of a provider. Of several alternatives, it lists only the first.
pub fn wanted_secrets(provider: &'static ProviderInfo) -> impl Iterator<Item = &'static Setting> {
    secrets(provider).filter(|setting| {
        secrets(provider)
            .find(|other| other.is_alternative_to(setting))
            .is_some_and(|first| first.key == setting.key)
    })
}

/// Parses the name of a profile.
pub fn name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if text.is_empty() || text.len() > LONGEST_NAME || !text.chars().all(is_allowed) {
        return Err("use up to 40 lowercase letters, digits, - and _".to_owned());
    }
    Ok(text.to_owned())
}
