//! The context of a command: its output, and the provider that options and environment choose.

mod choice;
mod fleet;

use std::cell::OnceCell;
use std::env;
use std::ffi::OsString;
use std::sync::Arc;

use anyvpn::{Ability, CallObserver, Provider, ProviderInfo, Registry, Setting, Settings};
use choice::{choose, names};
use clap::Args;

use crate::advice::{About, Address};
use crate::call_watch::Watch;
use crate::credential_store::{self, CredentialStore};
use crate::environment::{proxy, variable};
use crate::failure::Failure;
use crate::leases::FileLeaseStore;
use crate::output::Output;
use crate::profiles::{self, ConfigFile, File, ProfileEntry, SecretSource};
use crate::provider_settings as settings;
use crate::secrets::check_sendable;
use crate::text::command_line;

/// Options that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of all commands")]
pub struct Global {
    /// The profile to use [env: ANYVPN_PROFILE]
    #[arg(long, global = true, value_name = "NAME", value_parser = crate::profiles::name)]
    pub profile: Option<String>,
    // The registry replaces this text by the names of its providers.
    /// The provider [env: ANYVPN_PROVIDER]
    #[arg(long, global = true, value_name = "NAME", hide_possible_values = true)]
    pub provider: Option<String>,
    /// The public settings of providers that options give.
    #[arg(skip)]
    pub settings: Settings,
    /// Print the result as JSON on stdout, and errors as JSON on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print each request on stderr; -vv adds headers and the reasons for retries
    #[arg(short, long, global = true, action = clap::ArgAction::Count, value_parser = verbosity)]
    pub verbose: u8,
}

/// The number of times that `-v` is given.
fn verbosity(count: &str) -> Result<u8, &'static str> {
    count.parse().ok().filter(|count| *count <= 2).ok_or("-vv prints everything there is")
}

pub struct Context {
    pub output: Output,
    pub registry: Registry,
    /// Receives the events of all calls.
    pub watch: Arc<Watch>,
    /// The command that shows what the running command has changed.
    pub verify: String,
    profile: Option<String>,
    provider: Option<&'static ProviderInfo>,
    /// The settings that options give.
    typed: Settings,
    file: OnceCell<File>,
}

/// A provider with its public settings. Its secrets may not have been read yet.
pub struct Chosen {
    pub info: &'static ProviderInfo,
    /// The public settings.
    pub settings: Settings,
    /// The secrets from the environment.
    secrets: Settings,
    /// The profile that applies.
    pub entry: Option<ProfileEntry>,
}

impl Chosen {
    /// Returns the store of its credentials.
    pub fn store(&self) -> Option<CredentialStore> {
        CredentialStore::of(self.info, &self.settings, self.entry.as_ref())
    }
}

impl Context {
    pub fn new(registry: Registry, global: Global) -> Self {
        let Global { profile, provider, settings, json, quiet, verbose } = global;
        let provider = provider.and_then(|name| registry.info(&name).ok());
        let output = Output { json, quiet, verbose };
        Self {
            output,
            watch: Arc::new(Watch::new(output, registry.clone())),
            registry,
            verify: String::new(),
            profile,
            provider,
            typed: settings,
            file: OnceCell::new(),
        }
    }

    /// Returns the same context with `config.toml` not read yet.
    pub fn renewed(&self) -> Self {
        Self {
            output: self.output,
            registry: self.registry.clone(),
            watch: Arc::clone(&self.watch),
            verify: self.verify.clone(),
            profile: self.profile.clone(),
            provider: self.provider,
            typed: self.typed.clone(),
            file: OnceCell::new(),
        }
    }

    /// Returns the provider that the arguments name, or `None`.
    pub fn typed_provider(&self) -> Option<&'static ProviderInfo> {
        self.provider.or_else(|| {
            // An option for a setting that only one provider has also names the provider.
            let mut having = self.typed.keys().filter_map(|key| {
                let mut having = self.registry.infos().filter(|info| info.setting(key).is_some());
                having.next().filter(|_| having.next().is_none())
            });
            having.next()
        })
    }

    /// Returns the name of the profile that the arguments or the environment give, or `None`. Whether it
    /// exists is not checked.
    pub fn named_profile(&self) -> Option<String> {
        self.profile.clone().or_else(|| variable("ANYVPN_PROFILE"))
    }

    /// Returns the provider of this name. The parser has already checked the name.
    pub fn info(&self, name: &str) -> Result<&'static ProviderInfo, Failure> {
        Ok(self.registry.info(name)?)
    }

    /// Returns the provider that options, profile or environment name, or `None`.
    pub fn named_provider(&self) -> Result<Option<&'static ProviderInfo>, Failure> {
        if self.provider.is_some() {
            return Ok(self.provider);
        }
        if let Some(name) = &self.profile {
            return Ok(Some(self.entry(name)?.provider));
        }
        let named = self.variable_provider()?;
        let Some(profile) = variable("ANYVPN_PROFILE") else {
            return Ok(named);
        };
        let entry = self.entry(&profile)?;
        match named {
            Some(other) if other.name != entry.provider.name => Err(mismatch(entry, other)),
            _ => Ok(Some(entry.provider)),
        }
    }

    /// Returns the provider to work with.
    pub fn provider(&self) -> Result<&'static ProviderInfo, Failure> {
        if let Some(info) = self.named_provider()? {
            return Ok(info);
        }
        if let Some(info) = self.typed_provider() {
            return Ok(info);
        }
        let set = env::vars_os()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, _)| name.into_string().ok());
        let set: Vec<String> = set.collect();
        let default = self.default_entry()?.map(|entry| entry.provider);
        let known: Vec<_> = self.registry.infos().collect();
        choose(&known, &set, default, || credential_store::providers(&self.registry))
    }

    /// Returns the provider to work with. If only one provider has the ability, it is chosen by default.
    pub fn provider_with(&self, ability: Ability) -> Result<&'static ProviderInfo, Failure> {
        if let Some(info) = self.named_provider()? {
            return Ok(info);
        }
        let mut able = self.registry.infos().filter(|info| info.capabilities.can(ability));
        match (able.next(), able.next()) {
            (Some(only), None) => Ok(only),
            _ => self.provider(),
        }
    }

    /// Returns the provider that `ANYVPN_PROVIDER` names.
    pub fn variable_provider(&self) -> Result<Option<&'static ProviderInfo>, Failure> {
        let named = variable("ANYVPN_PROVIDER").map(|name| {
            self.registry.info(&name).map_err(|_| {
                let known: Vec<_> = self.registry.infos().collect();
                Failure::usage(format!("unknown provider {name:?} in ANYVPN_PROVIDER"))
                    .hint(format!("this build has {}", names(&known)))
            })
        });
        named.transpose()
    }

    /// Returns the content of `config.toml`. It is empty if there is no such file.
    pub fn file(&self) -> Result<&File, Failure> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = ConfigFile::find().map(|file| file.read(&self.registry)).transpose()?;
        Ok(self.file.get_or_init(|| file.unwrap_or_default()))
    }

    fn default_entry(&self) -> Result<Option<&ProfileEntry>, Failure> {
        let file = self.file()?;
        Ok(file.default.as_deref().and_then(|name| file.get(name)))
    }

    fn entry(&self, name: &str) -> Result<&ProfileEntry, Failure> {
        ConfigFile::needed()?;
        let file = self.file()?;
        file.get(name).ok_or_else(|| profiles::unknown(name, file))
    }

    /// Returns the profile that applies to a provider: the one that was named, or else the default profile
    /// if it is for this provider.
    fn entry_at(&self, info: &ProviderInfo) -> Result<Option<&ProfileEntry>, Failure> {
        if let Some(name) = &self.profile {
            let entry = self.entry(name)?;
            return if entry.provider.name == info.name {
                Ok(Some(entry))
            } else {
                Err(mismatch(entry, info))
            };
        }
        let entry = match variable("ANYVPN_PROFILE") {
            Some(name) => Some(self.entry(&name)?),
            None => self.default_entry()?,
        };
        Ok(entry.filter(|entry| entry.provider.name == info.name))
    }

    /// Returns the name of the profile that is in force at a provider, if there is one.
    pub fn profile_name(&self, info: &ProviderInfo) -> Option<String> {
        Some(self.entry_at(info).ok()??.name.clone())
    }

    /// Opens the provider with settings from options, environment, profile and stored credentials, in this
    /// order. Sends nothing.
    pub async fn open(&self, info: &'static ProviderInfo) -> Result<Arc<dyn Provider>, Failure> {
        let settings = self.signed_in(info, true).await?;
        self.open_with(info, &settings)
    }

    /// Opens the provider like [`open`](Self::open), but without running programs and without the
    /// system's keyring.
    pub async fn open_at_hand(
        &self,
        info: &'static ProviderInfo,
    ) -> Result<Arc<dyn Provider>, Failure> {
        let settings = self.signed_in(info, false).await?;
        self.open_with(info, &settings)
    }

    /// Opens the provider with only these settings. Sends nothing.
    pub fn open_with(
        &self,
        info: &ProviderInfo,
        settings: &Settings,
    ) -> Result<Arc<dyn Provider>, Failure> {
        let mut context = anyvpn::Context::default().with_observer(self.observer());
        context.leases = FileLeaseStore::find(self.observer()).map(|store| Arc::new(store) as _);
        Ok(self.registry.open_with(info.name, settings, &context)?)
    }

    /// Returns the observer of all calls.
    pub fn observer(&self) -> Arc<dyn CallObserver> {
        Arc::clone(&self.watch) as _
    }

    async fn signed_in(
        &self,
        info: &'static ProviderInfo,
        may_ask: bool,
    ) -> Result<Settings, Failure> {
        let chosen = self.chosen(info)?;
        let mut all = chosen.settings.clone();
        settings::add(&mut all, info, |setting| chosen.secrets.get(setting.key).cloned());
        if let Some(entry) = &chosen.entry {
            for (setting, source) in &entry.sources {
                let is_at_hand = may_ask || !matches!(source, SecretSource::Command(_));
                if is_at_hand && !settings::has(&all, info, setting) {
                    let what = format!("{} of profile {}", source.key(setting), entry.name);
                    all.set(setting.key, source.read(&what)?);
                }
            }
        }
        let left: Vec<&Setting> = settings::secrets(info)
            .filter(|setting| !settings::has(&all, info, setting))
            .filter(|setting| !chosen.entry.as_ref().is_some_and(|entry| entry.has(setting)))
            .collect();
        if !left.is_empty()
            && let Some(store) = chosen.store()
            && (may_ask || store.path().is_some())
            && let Some(kept) = store.load().await?
        {
            for setting in left {
                if let Some(secret) = kept.secrets.get(setting.key) {
                    all.set(setting.key, secret.clone());
                }
            }
        }
        Ok(all)
    }

    /// Returns the provider with its public settings and its profile.
    pub fn chosen(&self, info: &'static ProviderInfo) -> Result<Chosen, Failure> {
        let (mut all, secrets) = self.given_with_secrets(info)?;
        let entry = self.entry_at(info)?;
        // A profile's secrets must not be sent to another address.
        let entry = entry.filter(|entry| {
            let is_given = settings::addresses(info).any(|setting| all.get(setting.key).is_some());
            let address =
                |settings| settings::address(info, settings).trim_end_matches('/').to_owned();
            !is_given || address(&all) == address(&entry.settings)
        });
        if let Some(entry) = entry {
            settings::add(&mut all, info, |setting| entry.settings.get(setting.key).cloned());
        }
        match settings::missing(&all, info) {
            Some(setting) => Err(missing(info, setting)),
            None => Ok(Chosen { info, settings: all, secrets, entry: entry.cloned() }),
        }
    }

    /// Returns the public settings from options and environment. Options take precedence.
    pub fn given(&self, info: &'static ProviderInfo) -> Result<Settings, Failure> {
        self.given_with_secrets(info).map(|(given, _)| given)
    }

    /// Returns the public settings from options and environment, and the secrets from the environment.
    fn given_with_secrets(
        &self,
        info: &'static ProviderInfo,
    ) -> Result<(Settings, Settings), Failure> {
        let prefix = prefix(info);
        let is_unreadable = |(name, value): &(OsString, OsString)| {
            name.to_str().is_some_and(|name| name.starts_with(&prefix)) && value.to_str().is_none()
        };
        // Ignoring an unreadable address would send the token to the default address.
        if let Some((name, _)) = env::vars_os().find(is_unreadable) {
            return Err(Failure::usage(format!("{} is not valid UTF-8", name.display()))
                .hint("correct it, or unset it"));
        }
        let mut environment = settings::from_environment(info);
        let mut secrets = Settings::new();
        for setting in settings::secrets(info) {
            let Some(secret) = environment.remove(setting.key) else { continue };
            // A password is not sent in a header, so it can contain any character.
            if setting.key != "password" {
                check_sendable(&secret, &setting.variable(info.name), Failure::usage)?;
            }
            secrets.set(setting.key, secret);
        }
        if let Some(key) = self.typed.keys().find(|key| info.setting(key).is_none()) {
            return Err(self.not_taken(info, key));
        }
        let mut given = self.typed.clone();
        settings::add(&mut given, info, |setting| environment.get(setting.key).cloned());
        Ok((given, secrets))
    }

    /// Returns the failure for an option that only other providers have.
    fn not_taken(&self, info: &'static ProviderInfo, key: &str) -> Failure {
        let others = self.registry.infos().filter(|other| other.setting(key).is_some());
        let others: Vec<_> = others.map(|other| other.title).collect();
        let option = format!("--{}", key.replace('_', "-"));
        Failure::usage(format!("{option} is not for {}", info.title))
            .hint(format!("it is for {}", others.join(" and ")))
            .of(info)
    }

    /// Adds to a failure which provider and address it is about, and how to sign in there.
    pub fn with_situation(&self, info: &'static ProviderInfo, failure: Failure) -> Failure {
        let entry = self.chosen(info).ok().and_then(|chosen| chosen.entry);
        let set = settings::secrets(info).map(|setting| setting.variable(info.name));
        let set = set.filter(|_| info.capabilities.can(Ability::SignIn));
        let sign_in = match (set.into_iter().find(|name| variable(name).is_some()), &entry) {
            // The variable overrides the profile.
            (Some(token), _) => Some(format!("correct {token}, or unset it and use anyvpn login")),
            (None, Some(entry)) => sign_in_to(entry),
            (None, None) => None,
        };
        let given = self.given(info).unwrap_or_default();
        let given = settings::addresses(info)
            .find_map(|setting| Some((setting, given.text(setting.key)?.to_owned())));
        let address = match (given, entry) {
            (Some((setting, shown)), _) => {
                let from = match self.typed.get(setting.key).is_some() {
                    true => settings::option(setting),
                    false => setting.variable(info.name),
                };
                Some(Address { shown: settings::without_secrets(&shown), from })
            }
            (None, Some(entry))
                if settings::addresses(info)
                    .any(|setting| entry.settings.get(setting.key).is_some()) =>
            {
                let from = format!("profile {}", entry.name);
                Some(Address { shown: entry.address(), from })
            }
            _ => None,
        };
        // Plain http is only accepted for loopback, which bypasses the proxy.
        let is_loopback =
            address.as_ref().is_some_and(|address| address.shown.starts_with("http:"));
        let proxy = proxy().filter(|_| !is_loopback);
        let verify = self.verify.clone();
        failure.about(About { provider: Some(info), address, proxy, sign_in, verify })
    }
}

/// Says how to sign in to a profile. `None` if the general hint for its provider fits.
fn sign_in_to(entry: &ProfileEntry) -> Option<String> {
    let name = &entry.name;
    match &entry.sources[..] {
        [] if !entry.provider.capabilities.can(Ability::SignIn) => None,
        [] => Some(command_line(&["login", "--profile", name], &[])),
        _ => Some(format!("correct profile {name}: {}", entry.sign_in().join(" and "))),
    }
}

/// Returns the failure for a missing setting that has no default.
pub fn missing(info: &'static ProviderInfo, setting: &'static Setting) -> Failure {
    let titles = settings::alternatives(info, setting, |setting| setting.title.to_owned());
    let options = settings::alternatives(info, setting, settings::option);
    let variables = settings::alternatives(info, setting, |setting| setting.variable(info.name));
    Failure::usage(format!("{} requires the provider's {titles}", info.title))
        .hint(format!("use {options}, or set {variables}"))
        .of(info)
}

fn mismatch(entry: &ProfileEntry, info: &ProviderInfo) -> Failure {
    let (name, its, title) = (&entry.name, entry.provider.title, info.title);
    Failure::usage(format!("profile {name} is for {its}, but this command is for {title}"))
        .hint("choose another profile, or none; to list all: anyvpn profile list")
}

/// Returns the prefix of a provider's environment variables.
fn prefix(info: &ProviderInfo) -> String {
    format!("ANYVPN_{}_", info.name.to_uppercase())
}
