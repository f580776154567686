//! What `anyvpn profile add` asks of a provider's settings that are no secret.

use anyvpn::{ProviderInfo, Setting, Settings};

use crate::context::{Context, missing};
use crate::failure::Failure;
use crate::provider_settings;
use crate::secrets::{ask_or_nothing, ask_setting, is_interactive};

/// The address and the other settings that are no secret: from options and environment, and the
/// address is asked for where they have none.
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
            let question = format!("Address (none for {default}):");
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
                    let words: Vec<_> = addresses.iter().filter(|it| it.key != "url").collect();
                    let words: Vec<_> = words.iter().map(|it| it.title).collect();
                    format!("The provider's {}, or address (https://…):", words.join(" or "))
                }
            };
            let answer = ask_or_nothing("an address", &question, &options)?;
            answer.ok_or_else(|| Failure::usage("the address is empty"))?
        }
    };
    let word = addresses.iter().find(|it| it.key != "url" && !answer.contains("://"));
    let url = provider_settings::address_setting(info);
    given.set(word.copied().or(url).map_or("url", |setting| setting.key), answer);
    Ok(given)
}

/// Asks for the settings that are no secret, have another purpose than the address, and are not given.
pub fn ask_optional(info: &'static ProviderInfo, given: &mut Settings) -> Result<(), Failure> {
    if !is_interactive() {
        return Err(Failure::usage("--all asks for settings, and there is no terminal to ask at")
            .hint("omit --all, and give each setting by its option"));
    }
    let is_address = |key| provider_settings::addresses(info).any(|it| it.key == key);
    for setting in info.settings.iter().filter(|it| !it.secret && !is_address(it.key)) {
        if !provider_settings::has(given, info, setting)
            && let Some(answer) = ask_setting(setting)?
        {
            given.set(setting.key, answer);
        }
    }
    Ok(())
}
