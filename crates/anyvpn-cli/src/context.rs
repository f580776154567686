//! What a command works with: its output, and the provider that flags and environment choose.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyvpn::{Profile, ProviderName};

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::tokens::{self, Place};

pub struct Context {
    pub output: Output,
    provider: Option<ProviderName>,
    url: Option<String>,
    brand: Option<String>,
}

impl Context {
    pub fn new(global: Global) -> Self {
        let Global { provider, url, brand, json, .. } = global;
        Self { output: Output { json }, provider, url, brand }
    }

    /// The provider that the arguments name; `None` when they name none.
    pub fn typed_provider(&self) -> Option<ProviderName> {
        self.provider
    }

    /// The provider that was asked for by name; `None` when none was.
    pub fn named_provider(&self) -> Result<Option<ProviderName>, Failure> {
        match (self.provider, variable("ANYVPN_PROVIDER")) {
            (Some(name), _) => Ok(Some(name)),
            (None, Some(name)) => name.parse().map(Some).map_err(|_| {
                Failure::usage(format!("ANYVPN_PROVIDER names {name:?}, which is no provider"))
                    .hint(format!("this build has {}", names(ProviderName::ALL)))
            }),
            (None, None) => Ok(None),
        }
    }

    /// The provider to work with.
    pub fn provider(&self) -> Result<ProviderName, Failure> {
        if let Some(name) = self.named_provider()? {
            return Ok(name);
        }
        if self.brand.is_some() {
            return Ok(ProviderName::Vpngn);
        }
        let set = env::vars_os()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, _)| name.into_string().ok());
        let set: Vec<String> = set.collect();
        choose(ProviderName::ALL, &set, tokens::providers)
    }

    /// The provider, where it is and as whom: flags before environment, and a token that the
    /// environment does not have from where `anyvpn login` keeps it.
    pub async fn profile(&self, provider: ProviderName) -> Result<Profile, Failure> {
        let mut profile = self.typed_profile(provider)?;
        let place = Place::of(&profile);
        if let Profile::Azire { token, .. } | Profile::VpnScript { token, .. } = &mut profile
            && token.is_none()
            && let Some(place) = place
        {
            *token = place.load().await?.map(|kept| kept.token);
        }
        Ok(profile)
    }

    /// The same without the tokens that are kept.
    pub fn typed_profile(&self, provider: ProviderName) -> Result<Profile, Failure> {
        let prefix = prefix(provider);
        let is_unreadable = |(name, value): &(OsString, OsString)| {
            name.to_str().is_some_and(|name| name.starts_with(&prefix)) && value.to_str().is_none()
        };
        // As if absent, it would send a token to another address than was meant.
        if let Some((name, _)) = env::vars_os().find(is_unreadable) {
            return Err(Failure::usage(format!("{} is no UTF-8 text", name.display())));
        }
        if self.brand.is_some() && provider != ProviderName::Vpngn {
            return Err(Failure::usage(format!("{} has no brands; VPNGN has", provider.title()))
                .hint("use --url, or --provider vpngn"));
        }
        // The flag stands for the variable, whichever provider it is.
        let url_variable = format!("{prefix}URL");
        let profile = Profile::from_environment(provider, |name| match name {
            _ if self.url.is_some() && name == url_variable => self.url.clone(),
            "ANYVPN_VPNGN_BRAND" if self.brand.is_some() => self.brand.clone(),
            "ANYVPN_VPNGN_URL" if self.brand.is_some() => None,
            // An empty one must not stand for the vendor's own address.
            _ if name == url_variable => env::var(name).ok(),
            _ => variable(name),
        });
        match &profile {
            Profile::VpnScript { url, .. } if url.is_empty() => {
                Err(Failure::usage("VPN Script is at an address of each provider's own")
                    .hint("say it with --url https://…, or ANYVPN_VPNSCRIPT_URL"))
            }
            Profile::Vpngn { url: None, brand: None, .. } => {
                Err(Failure::usage("VPNGN is at an address of each reseller's own")
                    .hint("say it with --brand NAME or --url, or ANYVPN_VPNGN_BRAND"))
            }
            _ => Ok(profile),
        }
    }
}

/// The absolute path in an environment variable.
pub fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// An environment variable; an empty one counts as absent.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// How the names of a provider's variables begin.
fn prefix(provider: ProviderName) -> String {
    format!("ANYVPN_{}_", provider.as_str().to_uppercase())
}

/// The provider whose variables are set, or that a token is kept for, or the only one that there is.
fn choose(
    known: &[ProviderName],
    set: &[String],
    kept: impl FnOnce() -> Vec<ProviderName>,
) -> Result<ProviderName, Failure> {
    let is_set = |name: &&ProviderName| {
        let prefix = prefix(**name);
        set.iter().any(|variable| variable.starts_with(&prefix))
    };
    let mut candidates: Vec<ProviderName> = known.iter().filter(is_set).copied().collect();
    if candidates.is_empty() {
        candidates = kept();
    }
    match (&candidates[..], known) {
        ([name], _) | ([], [name]) => Ok(*name),
        (several, _) => {
            let candidates = if several.is_empty() { known } else { several };
            Err(Failure::usage("it is not clear which provider is meant")
                .hint(format!("choose with --provider: {}", names(candidates))))
        }
    }
}

fn names(providers: &[ProviderName]) -> String {
    let names: Vec<_> = providers.iter().map(|name| name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_choose_among_several_and_then_a_kept_token_does() {
        let (azire, vpnscript) = (ProviderName::Azire, ProviderName::VpnScript);
        let chosen = |known: &[ProviderName], set: &[&str], kept: &[ProviderName]| {
            let set: Vec<String> = set.iter().map(|&name| name.to_owned()).collect();
            choose(known, &set, || kept.to_vec()).ok()
        };
        assert_eq!(chosen(&[azire], &[], &[]), Some(azire));
        let all = [azire, vpnscript];
        assert_eq!(chosen(&all, &["ANYVPN_PASSWORD"], &[]), None);
        assert_eq!(chosen(&[], &["ANYVPN_AZIRE_TOKEN"], &[]), None);
        assert_eq!(chosen(&all, &["ANYVPN_AZIRE_TOKEN", "HOME"], &[vpnscript]), Some(azire));
        assert_eq!(chosen(&all, &["ANYVPN_AZIRE_URL", "ANYVPN_VPNSCRIPT_URL"], &[azire]), None);
        assert_eq!(chosen(&all, &["HOME"], &[vpnscript]), Some(vpnscript));
        assert_eq!(chosen(&all, &["HOME"], &all), None);
    }
}
