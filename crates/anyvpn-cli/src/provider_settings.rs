//! What a provider's settings are for the command: which say where the provider is, which are
//! secret, and which stand in each other's place.

use anyvpn::{ProviderInfo, Registry, Secret, Setting, Settings};
use clap::ArgMatches;

/// The settings of the registry's providers, each once, with the providers that have it.
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

/// The text of an argument that the registry gave.
pub fn text(matches: &ArgMatches, id: &str) -> Option<String> {
    matches.try_get_one::<String>(id).ok().flatten().cloned()
}

/// The settings that are secret.
pub fn secrets(info: &ProviderInfo) -> impl Iterator<Item = &'static Setting> {
    info.settings.iter().filter(|setting| setting.secret)
}

/// The settings that say where the provider is: its address, and what stands in its place.
pub fn addresses(info: &'static ProviderInfo) -> impl Iterator<Item = &'static Setting> {
    let address = address_setting(info);
    info.settings
        .iter()
        .filter(move |setting| address.is_some_and(|address| address.is_alternative_to(setting)))
}

/// The setting of the provider's address: its URL, or the first of the group `address` if it is not
/// called by HTTP.
pub fn address_setting(info: &'static ProviderInfo) -> Option<&'static Setting> {
    let mut all = info.settings.iter();
    info.setting("url").or_else(|| all.find(|setting| setting.group == Some("address")))
}

/// The settings that the environment gives.
///
/// A text of a group is left out where an earlier one of it is there.
pub fn from_environment(info: &'static ProviderInfo) -> Settings {
    let all = Settings::from_environment(info.name, info.settings, |name| std::env::var(name).ok());
    let mut settings = Settings::new();
    add(&mut settings, info, |setting| all.get(setting.key).cloned());
    settings
}

/// Adds the values of the settings of which no alternative is there yet. Where several of a group
/// are to be added, the first one counts.
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

/// Whether the setting is there, or another one in its place.
pub fn has(settings: &Settings, info: &ProviderInfo, setting: &Setting) -> bool {
    let mut alternatives = info.settings.iter().filter(|other| setting.is_alternative_to(other));
    alternatives.any(|other| settings.get(other.key).is_some())
}

/// The first of the settings that are required, have no default, and are not there.
pub fn missing(settings: &Settings, info: &'static ProviderInfo) -> Option<&'static Setting> {
    let mut needed = info.settings.iter().filter(|it| it.required && it.default.is_none());
    needed.find(|setting| !has(settings, info, setting))
}

/// The option of the command that gives a setting.
pub fn option(setting: &Setting) -> String {
    format!("--{}", setting.key.replace('_', "-"))
}

/// The setting and what stands in its place, as a list of words.
pub fn alternatives(
    info: &'static ProviderInfo,
    setting: &'static Setting,
    word: impl Fn(&'static Setting) -> String,
) -> String {
    let all = info.settings.iter().filter(|other| setting.is_alternative_to(other));
    all.map(word).collect::<Vec<_>>().join(" or ")
}

/// The address: the URL, the word in its place, or the provider's own.
pub fn address(info: &'static ProviderInfo, settings: &Settings) -> String {
    let given = addresses(info).find_map(|it| Some((it, settings.text(it.key)?)));
    match given {
        Some((setting, url)) if setting.key == "url" => url.to_owned(),
        Some((setting, text)) => format!("{} {text}", setting.title),
        None => address_setting(info).and_then(|it| it.default).unwrap_or_default().to_owned(),
    }
}

/// The same as it may be shown.
pub fn shown_address(info: &'static ProviderInfo, settings: &Settings) -> String {
    without_secrets(&address(info, settings))
}

/// A URL without what may be secret in it: the user's name and password, and the query.
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
