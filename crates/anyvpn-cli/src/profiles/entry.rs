//! What one profile says.

use anyvpn::{ProviderInfo, Setting, Settings};

use super::source::SecretSource;
use crate::provider_settings::{secrets, shown_address};

/// Names become parts of file names.
const LONGEST_NAME: usize = 40;

/// What one profile says.
#[derive(Clone, Debug)]
pub struct ProfileEntry {
    pub name: String,
    pub provider: &'static ProviderInfo,
    /// The settings that are no secret.
    pub settings: Settings,
    /// Where the secret ones come from.
    pub sources: Vec<(&'static Setting, SecretSource)>,
    pub store: Store,
}

/// Where the secrets are that this program keeps for a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Store {
    #[default]
    File,
    Keyring,
}

impl ProfileEntry {
    /// The address as it is shown.
    pub fn address(&self) -> String {
        shown_address(self.provider, &self.settings)
    }

    /// Whether it says where the secret comes from, or another one in its place.
    pub fn has(&self, setting: &Setting) -> bool {
        self.sources.iter().any(|(other, _)| setting.is_alternative_to(other))
    }

    /// The secrets that no source of its own says. Of several that stand in each other's place it is
    /// the first.
    pub fn without_source(&self) -> impl Iterator<Item = &'static Setting> {
        wanted_secrets(self.provider).filter(|setting| !self.has(setting))
    }

    /// Where its secrets come from, one a line, as far as it says that itself.
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

/// The secrets of a provider, of several that stand in each other's place only the first.
pub fn wanted_secrets(provider: &'static ProviderInfo) -> impl Iterator<Item = &'static Setting> {
    secrets(provider).filter(|setting| {
        secrets(provider)
            .find(|other| other.is_alternative_to(setting))
            .is_some_and(|first| first.key == setting.key)
    })
}

/// The name of a profile, when it can be one.
pub fn name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if text.is_empty() || text.len() > LONGEST_NAME || !text.chars().all(is_allowed) {
        return Err("a profile's name has up to 40 small letters, digits, - and _".to_owned());
    }
    Ok(text.to_owned())
}
