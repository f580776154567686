//! What a command works with: its output, and the provider that flags and environment choose.

use std::env;
use std::ffi::OsString;

use anyvpn::{Profile, ProviderName};

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;

pub struct Context {
    pub output: Output,
    provider: Option<ProviderName>,
    url: Option<String>,
}

impl Context {
    pub fn new(global: Global) -> Self {
        Self { output: Output { json: global.json }, provider: global.provider, url: global.url }
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
        let set = env::vars_os()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, _)| name.into_string().ok());
        let set: Vec<String> = set.collect();
        choose(ProviderName::ALL, &set)
    }

    /// The provider, where it is and as whom: flags before environment.
    pub fn profile(&self, provider: ProviderName) -> Result<Profile, Failure> {
        let prefix = prefix(provider);
        let is_unreadable = |(name, value): &(OsString, OsString)| {
            name.to_str().is_some_and(|name| name.starts_with(&prefix)) && value.to_str().is_none()
        };
        // As if absent, it would send a token to another address than was meant.
        if let Some((name, _)) = env::vars_os().find(is_unreadable) {
            return Err(Failure::usage(format!("{} is no UTF-8 text", name.display())));
        }
        // The flag stands for the variable, whichever provider it is.
        let url_variable = format!("{prefix}URL");
        Ok(Profile::from_environment(provider, |name| match &self.url {
            Some(url) if name == url_variable => Some(url.clone()),
            _ => variable(name),
        }))
    }
}

/// An environment variable; an empty one counts as absent.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// How the names of a provider's variables begin.
fn prefix(provider: ProviderName) -> String {
    format!("ANYVPN_{}_", provider.as_str().to_uppercase())
}

/// The provider whose variables are set, or the only one that there is.
fn choose(known: &[ProviderName], set: &[String]) -> Result<ProviderName, Failure> {
    let is_set = |name: &&ProviderName| {
        let prefix = prefix(**name);
        set.iter().any(|variable| variable.starts_with(&prefix))
    };
    let with_variables: Vec<ProviderName> = known.iter().filter(is_set).copied().collect();
    match (&with_variables[..], known) {
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
    fn variables_choose_among_several_and_one_needs_none() {
        let azire = ProviderName::Azire;
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(choose(&[azire], &[]).ok(), Some(azire));
        assert_eq!(choose(&[azire, azire], &set(&["ANYVPN_PASSWORD"])).ok(), None);
        assert_eq!(choose(&[], &set(&["ANYVPN_AZIRE_TOKEN"])).ok(), None);
        assert_eq!(choose(&[azire], &set(&["ANYVPN_AZIRE_TOKEN", "HOME"])).ok(), Some(azire));
    }
}
