//! Checks a provider's description, without calling the provider.

use std::collections::BTreeSet;

use anyvpn_core::{Ability, ProviderInfo};

use super::{Check, ensure};

/// Each ability is named at most once, and a note is only on an ability that the provider has.
pub(super) fn abilities(info: &ProviderInfo) -> Check {
    let mut seen = BTreeSet::new();
    for ability in info.capabilities.named() {
        ensure!(seen.insert(ability), "{ability} is named twice");
    }
    for (ability, _) in Ability::ALL {
        let is_idle =
            info.capabilities.note(*ability).is_some() && !info.capabilities.can(*ability);
        ensure!(!is_idle, "there is a note on {ability}, which the provider does not support");
    }
    Ok(())
}

/// Each setting has its own key, which can be part of an environment variable's name.
pub(super) fn settings(info: &ProviderInfo) -> Check {
    let mut seen = BTreeSet::new();
    for setting in info.settings {
        let key = setting.key;
        ensure!(seen.insert(key), "two settings have the key {key}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        ensure!(!key.is_empty() && key.chars().all(is_plain), "{key:?} is not a valid key");
    }
    Ok(())
}
