//! The settings of a provider: its address and the user's credentials.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Secret};

/// Checks the value of a setting. The error says what the value must be, as in "must begin with
/// https://".
pub type Check = fn(&str) -> Result<(), String>;

/// The description of one setting.
///
/// The environment variable, the key in a profile, the question of `profile add`, completions and the
/// tables in the documentation are derived from it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The name in profiles and in code, such as `api_key`: lowercase letters and underscores.
    pub key: &'static str,
    /// The name for people, such as `API key`.
    pub title: &'static str,
    /// Its purpose, as one sentence.
    pub doc: &'static str,
    /// Whether the value is a secret. Secrets are never written to a profile.
    pub secret: bool,
    /// Whether the provider needs it, or another setting of its group.
    pub required: bool,
    /// The value that is used if none is given.
    pub default: Option<&'static str>,
    /// The name of a group of alternatives: the first one that is given is used.
    pub group: Option<&'static str>,
    /// All values that it may have; empty if there are others.
    pub one_of: &'static [&'static str],
    /// Checks the value before anything is sent.
    pub check: Check,
}

impl Setting {
    /// Creates an optional setting that is not secret.
    #[must_use]
    pub const fn new(key: &'static str, title: &'static str, doc: &'static str) -> Self {
        Self {
            key,
            title,
            doc,
            secret: false,
            required: false,
            default: None,
            group: None,
            one_of: &[],
            check: |_| Ok(()),
        }
    }

    /// Creates an optional secret.
    #[must_use]
    pub const fn secret(key: &'static str, title: &'static str, doc: &'static str) -> Self {
        Self { secret: true, ..Self::new(key, title, doc) }
    }

    /// Creates the setting for the provider's address, with the key `url`.
    #[must_use]
    pub const fn url(doc: &'static str) -> Self {
        Self::new("url", "address", doc)
    }

    /// The user name, for signing in.
    pub const USERNAME: Self =
        Self::new("username", "user name", "The account's user name.").required();

    /// The password, for signing in.
    pub const PASSWORD: Self =
        Self::secret("password", "password", "The account's password.").required();

    /// The device's name, for signing in where the vendor lists each token by one.
    pub const DEVICE_NAME: Self =
        Self::new("device_name", "device name", "The name under which the token is listed.")
            .default("anyvpn");

    /// Makes the setting required.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Sets the value that is used if none is given.
    #[must_use]
    pub const fn default(self, value: &'static str) -> Self {
        Self { default: Some(value), ..self }
    }

    /// Adds the setting to a group of alternatives.
    #[must_use]
    pub const fn group(self, group: &'static str) -> Self {
        Self { group: Some(group), ..self }
    }

    /// Sets all values that it may have, of which there is at least one.
    #[must_use]
    pub const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { one_of: values, ..self }
    }

    /// Sets the check of its value.
    #[must_use]
    pub const fn check(self, check: Check) -> Self {
        Self { check, ..self }
    }

    /// Checks a value: it is one of those that the setting may have, and passes its check.
    ///
    /// # Errors
    ///
    /// A description of valid values, as in "must be symmetric or plain".
    pub fn validate(&self, value: &str) -> Result<(), String> {
        if !self.one_of.is_empty() && !self.one_of.contains(&value) {
            return Err(format!("must be {}", self.one_of.join(" or ")));
        }
        (self.check)(value)
    }

    /// Returns whether one of the two can replace the other: they have the same key or group.
    #[must_use]
    pub fn is_alternative_to(&self, other: &Self) -> bool {
        self.key == other.key || (self.group.is_some() && self.group == other.group)
    }

    /// Returns the name of its environment variable, such as `ANYVPN_VPNGN_API_KEY`.
    #[must_use]
    pub fn variable(&self, provider: &str) -> String {
        format!("ANYVPN_{provider}_{}", self.key).to_uppercase()
    }
}

/// The values of a provider's settings, by key.
///
/// Every value is stored as a [`Secret`], so `Debug` shows none of them and all are wiped from memory.
///
/// ```
/// use anyvpn_core::Settings;
///
/// let settings = Settings::new().with("url", "https://vpn.example.com").with("token", "12|TDLL");
/// assert_eq!(settings.text("url"), Some("https://vpn.example.com"));
/// assert_eq!(settings.text("brand"), None);
/// assert_eq!(format!("{settings:?}"), r#"Settings {"token", "url"}"#);
/// ```
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Secret>);

impl Settings {
    /// Creates an empty set of settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value, replacing an earlier one for the same key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets a value, replacing an earlier one for the same key.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Secret>) {
        self.0.insert(key.into(), value.into());
    }

    /// Removes a value and returns it; `None` if there is none.
    pub fn remove(&mut self, key: &str) -> Option<Secret> {
        self.0.remove(key)
    }

    /// Returns the value for a key; `None` if there is none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.0.get(key)
    }

    /// Returns the value for a key that is not a secret; `None` if there is none.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(Secret::expose)
    }

    /// Returns the keys that have a value, in alphabetical order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds the values of `others` for keys that have no value yet.
    pub fn fill_from(&mut self, others: Self) {
        for (key, value) in others.0 {
            self.0.entry(key).or_insert(value);
        }
    }

    /// Reads a provider's settings from environment variables, which `variable` looks up, as
    /// `|name| std::env::var(name).ok()` does.
    ///
    /// An empty secret counts as absent. Any other empty value is kept, so that opening the provider
    /// fails: a token for a sandbox must not reach the vendor because the variable with the address
    /// was empty.
    pub fn from_environment(
        provider: &str,
        settings: &[Setting],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut values = Self::new();
        for setting in settings {
            let value = variable(&setting.variable(provider)).map(Secret::from);
            if let Some(value) = value.filter(|value| !setting.secret || !value.is_empty()) {
                values.set(setting.key, value);
            }
        }
        values
    }

    /// Checks the values, as [`Self::check`] does, and adds the defaults of those that are absent. A
    /// setting of a group gets no default if another one of the group is given.
    ///
    /// # Errors
    ///
    /// As [`Self::check`].
    pub fn complete(&self, settings: &[Setting]) -> Result<Self, Error> {
        self.check(settings)?;
        let mut all = self.clone();
        for setting in settings {
            let mut same = settings.iter().filter(|other| other.is_alternative_to(setting));
            let is_given = same.any(|other| self.get(other.key).is_some());
            if let (false, Some(value)) = (is_given, setting.default) {
                all.set(setting.key, value.to_owned());
            }
        }
        Ok(all)
    }

    /// Checks the values against the settings of a provider.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` that names every unknown key, every value that its check refuses, and every
    /// missing required setting. The error shows no value.
    pub fn check(&self, settings: &[Setting]) -> Result<(), Error> {
        let mut wrong: Vec<(&str, String)> = Vec::new();
        for key in self.keys() {
            if !settings.iter().any(|setting| setting.key == key) {
                let known: Vec<_> = settings.iter().map(|setting| setting.key).collect();
                wrong.push((key, format!("is not a setting; known are {}", known.join(", "))));
            }
        }
        for setting in settings {
            match self.text(setting.key) {
                Some(value) => {
                    if let Err(why) = setting.validate(value) {
                        wrong.push((setting.key, why));
                    }
                }
                None if setting.required && setting.default.is_none() => {
                    let same = settings.iter().filter(|it| it.is_alternative_to(setting));
                    let keys: Vec<_> = same.map(|it| it.key).collect();
                    // The error of a group is reported for its first setting.
                    if keys[0] == setting.key && !keys.iter().any(|key| self.0.contains_key(*key)) {
                        wrong.push((setting.key, format!("is missing; set {}", keys.join(" or "))));
                    }
                }
                None => {}
            }
        }
        let mut wrong = wrong.into_iter();
        let Some((key, why)) = wrong.next() else { return Ok(()) };
        Err(wrong.fold(Error::invalid(key, why), |error, (key, why)| error.with_field(key, why)))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings ")?;
        f.debug_set().entries(self.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &[Setting] = &[
        Setting::new("brand", "brand", "The reseller's name.").required().group("address"),
        Setting::url("Where it is.").required().group("address").check(|url| {
            if url.starts_with("https://") {
                Ok(())
            } else {
                Err("must start with https://".into())
            }
        }),
        Setting::secret("api_key", "API key", "The reseller's key.").required(),
        Setting::secret("secret_key", "secret key", "The reseller's secret key."),
        Setting::new("form", "form", "How it asks.").one_of(&["symmetric", "plain"]),
    ];

    fn wrong(settings: &Settings) -> Vec<String> {
        let error = match settings.check(SETTINGS) {
            Ok(()) => return Vec::new(),
            Err(error) => error,
        };
        let fields = error.fields().iter();
        fields.map(|(key, why)| format!("{key} {}", why.join(" "))).collect()
    }

    #[test]
    fn the_environment_has_a_variable_for_each_setting() {
        let settings = Settings::from_environment("acme", SETTINGS, |name| match name {
            "ANYVPN_ACME_URL" => Some(String::new()),
            "ANYVPN_ACME_API_KEY" => Some("key".to_owned()),
            "ANYVPN_ACME_SECRET_KEY" => Some(String::new()),
            _ => None,
        });
        assert_eq!(settings.keys().collect::<Vec<_>>(), ["api_key", "url"]);
        assert_eq!(wrong(&settings), ["url must start with https://"]);
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let settings = ["url", "tokn", "form"];
        let settings = settings.iter().fold(Settings::new(), |all, key| all.with(*key, "canary"));
        let all = "known are brand, url, api_key, secret_key, form";
        assert_eq!(
            wrong(&settings),
            [
                "api_key is missing; set api_key".to_owned(),
                "form must be symmetric or plain".to_owned(),
                format!("tokn is not a setting; {all}"),
                "url must start with https://".to_owned(),
            ]
        );
        assert_eq!(
            wrong(&Settings::new()),
            ["api_key is missing; set api_key", "brand is missing; set brand or url"]
        );
        let whole = Settings::new().with("url", "https://x").with("api_key", "key");
        let whole = whole.with("form", "plain");
        assert!(wrong(&whole).is_empty());
        let sign_in = [Setting::USERNAME, Setting::DEVICE_NAME];
        assert!(Settings::new().complete(&sign_in).is_err());
        let fields = Settings::new().with("username", "jo").complete(&sign_in).unwrap();
        assert_eq!(fields.text("device_name"), Some("anyvpn"));
        let [address, interface] =
            ["address", "interface"].map(|key| Setting::new(key, key, "Where."));
        let group = [address.default("10.2.0.1").group("gateway"), interface.group("gateway")];
        let complete = |given: Settings| given.complete(&group).unwrap();
        assert_eq!(complete(Settings::new()).text("address"), Some("10.2.0.1"));
        assert_eq!(complete(Settings::new().with("interface", "tun0")).text("address"), None);
        assert!(!format!("{whole:?} {:?}", settings.check(SETTINGS)).contains("canary"));
    }

    #[test]
    fn earlier_values_count_before_later_ones() {
        let mut settings = Settings::new().with("url", "https://first");
        settings.fill_from(Settings::new().with("url", "https://second").with("brand", "acme"));
        assert_eq!(
            (settings.text("url"), settings.text("brand")),
            (Some("https://first"), Some("acme"))
        );
    }
}
