//! The questions of `anyvpn profile add` about public settings.

use anyvpn::{ProviderInfo, Setting, Settings};

use crate::context::{Context, missing};
use crate::failure::Failure;
use crate::provider_settings;
use crate::secrets::{ask_or_nothing, ask_setting, is_interactive};

/// Collects the public settings from options and environment, and asks for the address if they do not
/// have it.
pub fn with_address(context: &Context, info: &'static ProviderInfo) -> Result<Settings, Failure> {
    let mut given = context.given(info)?;
    let addresses: Vec<&'static Setting> = provider_settings::addresses(info).collect();
    let [first, ..] = addresses[..] else { return Ok(given) };
    if provider_settings::has(&given, info, first) {
        return Ok(given);
    }
    let options = provider_settings::alternatives(info, first, provider_settings::option);
    let answer = match first.default {
        Some(_) if !is_interactive() => return Ok(given),
        Some(default) => {
            let question = format!("Address (leave empty for {default}):");
            match ask_or_nothing("an address", &question, &options)? {
                Some(url) => url,
                None => return Ok(given),
            }
        }
        None => {
            if !is_interactive() {
                return Err(missing(info, first));
            }
            let question = match addresses[..] {
                [_] => "Address (https://…):".to_owned(),
                _ => {
                    let words = addresses.iter().filter(|setting| setting.key != "url");
                    let words: Vec<_> = words.map(|setting| setting.title).collect();
                    format!("The provider's {}, or its address (https://…):", words.join(" or "))
                }
            };
            let answer = ask_or_nothing("an address", &question, &options)?;
            answer.ok_or_else(|| Failure::usage("the address is empty"))?
        }
    };
    let word = addresses.iter().find(|setting| setting.key != "url" && !answer.contains("://"));
    let url = provider_settings::address_setting(info);
    given.set(word.copied().or(url).map_or("url", |setting| setting.key), answer);
    Ok(given)
}

/// Asks for the public settings that have no value yet, except the address.
pub fn ask_optional(info: &'static ProviderInfo, given: &mut Settings) -> Result<(), Failure> {
    if !is_interactive() {
        return Err(Failure::usage("cannot ask for settings without a terminal")
            .hint("omit --all, and use an option for each setting"));
    }
    let is_address = |key| provider_settings::addresses(info).any(|address| address.key == key);
    for setting in
        info.settings.iter().filter(|setting| !setting.secret && !is_address(setting.key))
    {
        if !provider_settings::has(given, info, setting)
            && let Some(answer) = ask_setting(setting)?
        {
            given.set(setting.key, answer);
        }
    }
    Ok(())
}
