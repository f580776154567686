//! Helpers for the settings of providers: which are addresses, which are secrets, and which are
//! alternatives of each other.

use anyvpn::{ProviderInfo, Registry, Secret, Setting, Settings};
use clap::ArgMatches;

/// Lists the settings of the registry's providers without duplicates, each with the providers that have
/// it.
pub fn settings(
    registry: &Registry,
    is_wanted: fn(&Setting) -> bool,
) -> Vec<(&'static Setting, Vec<&'static ProviderInfo>)> {
    let mut found: Vec<(&'static Setting, Vec<&'static ProviderInfo>)> = Vec::new();
    for info in registry.infos() {
        for setting in info.settings.iter().filter(|setting| is_wanted(setting)) {
            match found.iter_mut().find(|(other, _)| other.key == setting.key) {
                Some((_, providers)) => providers.push(info),
                None => found.push((setting, vec![info])),
            }
        }
    }
    found
}

/// Returns the value of an argument that was added for a setting.
pub fn text(matches: &ArgMatches, id: &str) -> Option<String> {
    matches.try_get_one::<String>(id).ok().flatten().cloned()
}

/// Lists the secret settings.
pub fn secrets(info: &ProviderInfo) -> impl Iterator<Item = &'static Setting> {
    info.settings.iter().filter(|setting| setting.secret)
}

/// Lists the settings that locate the provider: its address and its alternatives.
pub fn addresses(info: &'static ProviderInfo) -> impl Iterator<Item = &'static Setting> {
    let address = address_setting(info);
    info.settings
        .iter()
        .filter(move |setting| address.is_some_and(|address| address.is_alternative_to(setting)))
}

/// Returns the setting of the provider's address: its URL, or, for a provider without HTTP, the first
/// setting of the group `address`.
pub fn address_setting(info: &'static ProviderInfo) -> Option<&'static Setting> {
    let mut all = info.settings.iter();
    info.setting("url").or_else(|| all.find(|setting| setting.group == Some("address")))
}

/// Reads the settings from the environment. Of several alternatives, only the first counts.
pub fn from_environment(info: &'static ProviderInfo) -> Settings {
    let all = Settings::from_environment(info.name, info.settings, |name| std::env::var(name).ok());
    let mut settings = Settings::new();
    add(&mut settings, info, |setting| all.get(setting.key).cloned());
    settings
}

/// Adds the values of settings that have no value yet and no alternative with one. Of several
/// alternatives, only the first is added.
pub fn add(
    settings: &mut Settings,
    info: &'static ProviderInfo,
    value: impl Fn(&'static Setting) -> Option<Secret>,
) {
    for setting in info.settings {
        if !has(settings, info, setting)
            && let Some(value) = value(setting)
        {
            settings.set(setting.key, value);
        }
    }
}

/// Whether the setting or one of its alternatives has a value.
pub fn has(settings: &Settings, info: &ProviderInfo, setting: &Setting) -> bool {
    let mut alternatives = info.settings.iter().filter(|other| setting.is_alternative_to(other));
    alternatives.any(|other| settings.get(other.key).is_some())
}

/// Returns the first required setting that has neither a value nor a default.
pub fn missing(settings: &Settings, info: &'static ProviderInfo) -> Option<&'static Setting> {
    let mut needed =
        info.settings.iter().filter(|setting| setting.required && setting.default.is_none());
    needed.find(|setting| !has(settings, info, setting))
}

/// Returns the option for a setting.
pub fn option(setting: &Setting) -> String {
    format!("--{}", setting.key.replace('_', "-"))
}

/// Joins a setting and its alternatives with "or". `word` names each of them.
pub fn alternatives(
    info: &'static ProviderInfo,
    setting: &'static Setting,
    word: impl Fn(&'static Setting) -> String,
) -> String {
    let all = info.settings.iter().filter(|other| setting.is_alternative_to(other));
    all.map(word).collect::<Vec<_>>().join(" or ")
}

/// Returns the address: the URL, an alternative with its title, or the provider's default.
pub fn address(info: &'static ProviderInfo, settings: &Settings) -> String {
    let given = addresses(info).find_map(|setting| Some((setting, settings.text(setting.key)?)));
    match given {
        Some((setting, url)) if setting.key == "url" => url.to_owned(),
        Some((setting, text)) => format!("{} {text}", setting.title),
        None => {
            address_setting(info).and_then(|setting| setting.default).unwrap_or_default().to_owned()
        }
    }
}

/// Returns the address without secrets.
pub fn shown_address(info: &'static ProviderInfo, settings: &Settings) -> String {
    without_secrets(&address(info, settings))
}

/// Removes the parts of a URL that may be secret: user name, password and query.
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (rest, query) = match rest.find(['?', '#']) {
        Some(end) => (&rest[..end], "?[redacted]"),
        None => (rest, ""),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://[redacted]{}{query}", &rest[at..]),
        None => format!("{scheme}://{rest}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, shown) in [
            ("https://jo:pw@vpn.example/x", "https://[redacted]@vpn.example/x"),
            ("https://a@b@vpn.example:1", "https://[redacted]@vpn.example:1"),
            ("https://vpn.example/a@b", "https://vpn.example/a@b"),
            ("https://vpn.example?token=pw", "https://vpn.example?[redacted]"),
            ("https://vpn.example/x#p@w", "https://vpn.example/x?[redacted]"),
            ("brand acme", "brand acme"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
