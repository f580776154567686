//! Profiles: which provider, where, and where its secrets come from, under a name.
//!
//! The file never holds a secret.

mod draft;
mod file;
mod read;
mod source;

use anyvpn::{Profile, ProviderName, Secret};

pub use draft::Draft;
pub use file::{ConfigFile, Turn};
pub use read::File;
pub use source::Source;

use crate::failure::Failure;

/// Names become parts of file names.
const LONGEST_NAME: usize = 40;

/// What one profile says.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    pub provider: ProviderName,
    pub url: Option<String>,
    pub brand: Option<String>,
    pub sources: Vec<(Credential, Source)>,
    pub store: Store,
}

/// Where the secrets are that this program keeps for a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Store {
    #[default]
    File,
    Keyring,
}

/// Secrets by what they are.
pub type Secrets = Vec<(Credential, Secret)>;

/// A secret that a profile can say the source of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Credential {
    Token,
    ApiKey,
    SecretKey,
}

impl Credential {
    /// What providers take.
    pub fn of(provider: ProviderName) -> &'static [Self] {
        match provider {
            ProviderName::Vpngn => &[Self::ApiKey, Self::SecretKey],
            _ => &[Self::Token],
        }
    }

    /// How its keys in the file begin, and its variable ends.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ApiKey => "api_key",
            Self::SecretKey => "secret_key",
        }
    }

    /// The variable that stands for it.
    pub fn variable(self, provider: ProviderName) -> String {
        format!("ANYVPN_{}_{}", provider.as_str(), self.name()).to_uppercase()
    }
}

impl Entry {
    /// The address as it is shown.
    pub fn address(&self) -> String {
        match (&self.url, &self.brand, self.provider) {
            (Some(url), _, _) => url.clone(),
            (None, Some(brand), _) => format!("brand {brand}"),
            (None, None, ProviderName::Azire) => anyvpn::azire::BASE_URL.to_owned(),
            (None, None, _) => String::new(),
        }
    }

    /// What it takes and no source of its own says.
    pub fn without_source(&self) -> impl Iterator<Item = Credential> {
        let takes = Credential::of(self.provider).iter().copied();
        takes.filter(|it| self.sources.iter().all(|(other, _)| other != it))
    }

    /// Where its secrets come from, one a line, as far as it says that itself.
    pub fn sign_in(&self) -> Vec<String> {
        let shown = self.sources.iter().map(|(credential, source)| {
            let key = source.key(*credential);
            match source {
                Source::File(path) => format!("{key} {}", path.display()),
                Source::Command(words) => format!("{key} {}", words.join(" ")),
            }
        });
        shown.collect()
    }
}

/// The library's profile of an address with these secrets.
pub fn profile_of(
    provider: ProviderName,
    url: Option<&str>,
    brand: Option<&str>,
    secret: impl Fn(&str) -> Option<String>,
) -> Profile {
    let url_variable = format!("ANYVPN_{}_URL", provider.as_str().to_uppercase());
    Profile::from_environment(provider, |name| match name {
        _ if name == url_variable => url.map(str::to_owned),
        "ANYVPN_VPNGN_BRAND" => brand.map(str::to_owned),
        _ => secret(name),
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

/// There is none of that name.
pub fn unknown(name: &str, file: &File) -> Failure {
    let names = file.entries.iter().map(|entry| &*entry.name);
    let hint = match crate::text::nearest(name, names) {
        Some(meant) => format!("is {meant} meant? anyvpn profile list shows all"),
        None => "anyvpn profile list shows all; anyvpn profile add makes one".to_owned(),
    };
    Failure::not_found(format!("there is no profile {name:?}")).hint(hint)
}
