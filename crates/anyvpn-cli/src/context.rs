//! What a command works with: its output, and the provider that flags and environment choose.

use std::cell::OnceCell;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyvpn::{Profile, ProviderName, Secret};

use crate::advice::{About, Address, sign_in_to};
use crate::args::Global;
use crate::failure::Failure;
use crate::kept::{self, Place};
use crate::output::Output;
use crate::profiles::{self, ConfigFile, Credential, Entry, File, Secrets, Source, profile_of};
use crate::secrets::check_sendable;

pub struct Context {
    pub output: Output,
    profile: Option<String>,
    provider: Option<ProviderName>,
    url: Option<String>,
    brand: Option<String>,
    file: OnceCell<File>,
}

/// The provider and where it is; what is secret may still be to read.
pub struct Settings {
    pub profile: Profile,
    /// The named profile that it came from.
    pub entry: Option<Entry>,
}

impl Settings {
    /// The place of its kept token.
    pub fn place(&self) -> Option<Place> {
        Place::of(&self.profile, self.entry.as_ref())
    }
}

impl Context {
    pub fn new(global: Global) -> Self {
        let Global { profile, provider, url, brand, json, quiet, verbose } = global;
        let file = OnceCell::new();
        let output = Output { json, quiet, verbose };
        Self { output, profile, provider, url, brand, file }
    }

    /// The provider that the arguments name; `None` when they name none.
    pub fn typed_provider(&self) -> Option<ProviderName> {
        self.provider
    }

    /// The brand that the arguments name.
    pub fn typed_brand(&self) -> Option<&str> {
        self.brand.as_deref()
    }

    /// The provider that was asked for by name; `None` when none was.
    pub fn named_provider(&self) -> Result<Option<ProviderName>, Failure> {
        if self.provider.is_some() {
            return Ok(self.provider);
        }
        if let Some(name) = &self.profile {
            return Ok(Some(self.entry(name)?.provider));
        }
        let named = variable_provider()?;
        let Some(profile) = variable("ANYVPN_PROFILE") else {
            return Ok(named);
        };
        let entry = self.entry(&profile)?;
        match named {
            Some(other) if other != entry.provider => Err(mismatch(entry, other)),
            _ => Ok(Some(entry.provider)),
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
        let default = self.default_entry()?.map(|entry| entry.provider);
        choose(ProviderName::ALL, &set, default, kept::providers)
    }

    /// What the file of profiles says; nothing where there is none.
    fn file(&self) -> Result<&File, Failure> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = ConfigFile::find().map(|file| file.read()).transpose()?;
        Ok(self.file.get_or_init(|| file.unwrap_or_default()))
    }

    fn default_entry(&self) -> Result<Option<&Entry>, Failure> {
        let file = self.file()?;
        Ok(file.default.as_deref().and_then(|name| file.get(name)))
    }

    fn entry(&self, name: &str) -> Result<&Entry, Failure> {
        ConfigFile::needed()?;
        let file = self.file()?;
        file.get(name).ok_or_else(|| profiles::unknown(name, file))
    }

    /// The named profile that is in force at a provider: the one that was asked for, or else the
    /// default one if it is that provider's.
    fn entry_at(&self, provider: ProviderName) -> Result<Option<&Entry>, Failure> {
        if let Some(name) = &self.profile {
            let entry = self.entry(name)?;
            return if entry.provider == provider {
                Ok(Some(entry))
            } else {
                Err(mismatch(entry, provider))
            };
        }
        let entry = match variable("ANYVPN_PROFILE") {
            Some(name) => Some(self.entry(&name)?),
            None => self.default_entry()?,
        };
        Ok(entry.filter(|entry| entry.provider == provider))
    }

    /// The provider, where it is and as whom: flags before environment before profile, and what none
    /// of them has from where this program keeps it.
    pub async fn profile(&self, provider: ProviderName) -> Result<Profile, Failure> {
        self.signed_in(provider, true).await
    }

    /// The same as far as nobody is asked: without programs, and without the system's keyring.
    pub async fn profile_at_hand(&self, provider: ProviderName) -> Result<Profile, Failure> {
        self.signed_in(provider, false).await
    }

    async fn signed_in(&self, provider: ProviderName, may_ask: bool) -> Result<Profile, Failure> {
        let settings = self.settings(provider)?;
        let mut secrets = Secrets::new();
        let mut left: Vec<Credential> = Credential::of(provider).to_vec();
        left.retain(|it| !is_set(*it, provider));
        if let Some(entry) = &settings.entry {
            for (credential, source) in &entry.sources {
                let is_at_hand = may_ask || !matches!(source, Source::Command(_));
                if left.contains(credential) && is_at_hand {
                    let what = format!("{} of the profile {}", source.key(*credential), entry.name);
                    secrets.push((*credential, source.read(&what)?));
                }
                left.retain(|it| it != credential);
            }
        }
        if !left.is_empty()
            && let Some(place) = settings.place()
            && (may_ask || place.path().is_some())
            && let Some(kept) = place.load().await?
        {
            let kept = left.iter().filter_map(|it| Some((*it, kept.get(*it)?.clone())));
            secrets.extend(kept);
        }
        self.described(provider, settings.entry.as_ref(), &secrets)
    }

    /// The same without the secrets that the environment has not.
    pub fn settings(&self, provider: ProviderName) -> Result<Settings, Failure> {
        let prefix = prefix(provider);
        let is_unreadable = |(name, value): &(OsString, OsString)| {
            name.to_str().is_some_and(|name| name.starts_with(&prefix)) && value.to_str().is_none()
        };
        // As if absent, it would send a token to another address than was meant.
        if let Some((name, _)) = env::vars_os().find(is_unreadable) {
            return Err(Failure::usage(format!("{} is no UTF-8 text", name.display()))
                .hint("set it again, or unset it"));
        }
        if self.brand.is_some() && provider != ProviderName::Vpngn {
            return Err(Failure::usage(format!("{} has no brands; VPNGN has", provider.title()))
                .hint("use --url, or --provider vpngn"));
        }
        for name in ["TOKEN", "SHORT_TOKEN", "LONG_TOKEN", "API_KEY", "SECRET_KEY"] {
            let name = format!("{prefix}{name}");
            if let Some(secret) = variable(&name) {
                check_sendable(&Secret::from(secret), &name, Failure::usage)?;
            }
        }
        let entry = self.entry_at(provider)?;
        // A profile's secrets are for its own address.
        let entry = entry.filter(|entry| match self.address(provider) {
            (None, None) => true,
            (Some(url), _) => {
                entry.brand.is_none()
                    && url.trim_end_matches('/') == entry.address().trim_end_matches('/')
            }
            (None, brand) => brand == entry.brand,
        });
        let profile = self.described(provider, entry, &Secrets::new())?;
        Ok(Settings { profile, entry: entry.cloned() })
    }

    /// A failure at a provider, with where that is and how one signs in to what is in force.
    pub fn explain(&self, provider: ProviderName, failure: Failure) -> Failure {
        let token = Credential::Token.variable(provider);
        let is_set = variable(&token).is_some();
        let entry = self.settings(provider).ok().and_then(|settings| settings.entry);
        let sign_in = match &entry {
            // The variable counts more than the profile.
            _ if is_set => Some(format!("correct {token}, or unset it and use anyvpn login")),
            Some(entry) => sign_in_to(entry),
            None => None,
        };
        let (url, brand) = self.address(provider);
        let address = match (url.or(brand), entry) {
            (Some(shown), _) => Some(Address { shown, from: self.address_source(provider) }),
            (None, Some(entry)) if entry.url.is_some() || entry.brand.is_some() => {
                let from = format!("the profile {}", entry.name);
                Some(Address { shown: entry.address(), from })
            }
            _ => None,
        };
        let at_home = address.as_ref().is_some_and(|it| it.shown.starts_with("http:"));
        let proxy = proxy().filter(|_| !at_home);
        failure.about(About { provider: Some(provider), address, proxy, sign_in })
    }

    /// Which flag or variable says the address, where one does.
    fn address_source(&self, provider: ProviderName) -> String {
        let url = format!("{}URL", prefix(provider));
        match () {
            () if self.url.is_some() => "--url".to_owned(),
            () if self.brand.is_some() => "--brand".to_owned(),
            () if env::var_os(&url).is_some() => url,
            () => "ANYVPN_VPNGN_BRAND".to_owned(),
        }
    }

    /// Address and brand as flags and environment have them, flags first.
    pub fn address(&self, provider: ProviderName) -> (Option<String>, Option<String>) {
        let is_vpngn = provider == ProviderName::Vpngn;
        if self.url.is_some() || self.brand.is_some() {
            return (self.url.clone(), self.brand.clone().filter(|_| is_vpngn));
        }
        // An empty one must not stand for the vendor's own address.
        let url = env::var(format!("{}URL", prefix(provider))).ok();
        let brand = variable("ANYVPN_VPNGN_BRAND").filter(|_| is_vpngn && url.is_none());
        (url, brand)
    }

    /// What flags, environment and profile say together, with these secrets.
    fn described(
        &self,
        provider: ProviderName,
        entry: Option<&Entry>,
        secrets: &Secrets,
    ) -> Result<Profile, Failure> {
        let (mut url, mut brand) = self.address(provider);
        if let (None, None, Some(entry)) = (&url, &brand, entry) {
            (url, brand) = (entry.url.clone(), entry.brand.clone());
        }
        let profile = profile_of(provider, url.as_deref(), brand.as_deref(), |name| {
            variable(name).or_else(|| {
                let secret = secrets.iter().find(|(it, _)| it.variable(provider) == name);
                secret.map(|(_, secret)| secret.expose().to_owned())
            })
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

/// Whether the environment has it, or what stands in its place.
fn is_set(credential: Credential, provider: ProviderName) -> bool {
    // Of several proofs the secret key would count more than what the environment has.
    let proofs = ["SHORT_TOKEN", "PASSWORD", "LONG_TOKEN"].map(|it| format!("ANYVPN_VPNGN_{it}"));
    variable(&credential.variable(provider)).is_some()
        || (credential == Credential::SecretKey && proofs.iter().any(|it| variable(it).is_some()))
}

fn mismatch(entry: &Entry, provider: ProviderName) -> Failure {
    let (name, its) = (&entry.name, entry.provider.title());
    Failure::usage(format!("the profile {name} is {its}'s, and this is about {}", provider.title()))
        .hint("name another profile, or none; anyvpn profile list shows all")
}

/// The absolute path in an environment variable.
pub fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// An environment variable; an empty one counts as absent.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variable that names a proxy for https, where one does. There is none to this machine.
fn proxy() -> Option<&'static str> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    names.into_iter().find(|name| variable(name).is_some())
}

/// The provider that the environment names.
pub fn variable_provider() -> Result<Option<ProviderName>, Failure> {
    let named = variable("ANYVPN_PROVIDER").map(|name| {
        name.parse::<ProviderName>().map_err(|_| {
            Failure::usage(format!("ANYVPN_PROVIDER names {name:?}, which is no provider"))
                .hint(format!("this build has {}", names(ProviderName::ALL)))
        })
    });
    named.transpose()
}

/// How the names of a provider's variables begin.
fn prefix(provider: ProviderName) -> String {
    format!("ANYVPN_{}_", provider.as_str().to_uppercase())
}

/// The provider whose variables are set, or of the default profile, or that a token is kept for, or
/// the only one that there is.
fn choose(
    known: &[ProviderName],
    set: &[String],
    default: Option<ProviderName>,
    kept: impl FnOnce() -> Vec<ProviderName>,
) -> Result<ProviderName, Failure> {
    let is_set = |name: &&ProviderName| {
        let prefix = prefix(**name);
        set.iter().any(|variable| variable.starts_with(&prefix))
    };
    let mut candidates: Vec<ProviderName> = known.iter().filter(is_set).copied().collect();
    if let (Some(default), [] | [_, _, ..]) = (default, &candidates[..]) {
        return Ok(default);
    }
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
            choose(known, &set, None, || kept.to_vec()).ok()
        };
        assert_eq!(chosen(&[azire], &[], &[]), Some(azire));
        let all = [azire, vpnscript];
        assert_eq!(chosen(&all, &["ANYVPN_PASSWORD"], &[]), None);
        assert_eq!(chosen(&[], &["ANYVPN_AZIRE_TOKEN"], &[]), None);
        assert_eq!(chosen(&all, &["ANYVPN_AZIRE_TOKEN", "HOME"], &[vpnscript]), Some(azire));
        assert_eq!(chosen(&all, &["ANYVPN_AZIRE_URL", "ANYVPN_VPNSCRIPT_URL"], &[azire]), None);
        assert_eq!(chosen(&all, &["HOME"], &[vpnscript]), Some(vpnscript));
        assert_eq!(chosen(&all, &["HOME"], &all), None);
        let with_default = |set: &[&str]| {
            let set: Vec<String> = set.iter().map(|&name| name.to_owned()).collect();
            choose(&all, &set, Some(vpnscript), || vec![azire]).ok()
        };
        assert_eq!(with_default(&["HOME"]), Some(vpnscript));
        assert_eq!(with_default(&["ANYVPN_AZIRE_URL"]), Some(azire));
        assert_eq!(with_default(&["ANYVPN_AZIRE_URL", "ANYVPN_VPNSCRIPT_URL"]), Some(vpnscript));
    }
}
