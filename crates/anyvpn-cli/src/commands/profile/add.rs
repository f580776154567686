//! `anyvpn profile add`: asks for a provider, its address and credentials, tests them and stores them.

use std::path::Path;

use anyvpn::{Ability, Provider, ProviderInfo, Secret, Setting, Settings};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use super::check::check;
use super::questions::{ask_optional, with_address};
use super::secret_options::GivenSource;
use crate::commands::login::{Person, discard, is_good, obtain, revoke};
use crate::context::Context;
use crate::credential_store::{CredentialStore, LockedStore, StoredCredentials};
use crate::environment::{path_variable, variable};
use crate::failure::Failure;
use crate::hidden;
use crate::profiles::{
    ConfigFile, File, LockedConfigFile, ProfileEntry, SecretSource, StoreKind, name, wanted_secrets,
};
use crate::provider_settings;
use crate::secrets::{
    PasswordSource, ask, ask_or_nothing, check_sendable, choose, is_interactive, read,
};
use crate::text::{ShownPath, command_line, shell_word};

/// Settings with the sources of their secrets.
type Sources = Vec<(&'static Setting, SecretSource)>;
/// Settings with secrets that the user typed.
type Typed = Vec<(&'static Setting, Secret)>;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn profile add home             Ask for everything that is required
  anyvpn profile add home --provider azire --username jo --password-file FILE
  anyvpn profile add home --provider azire --token-command 'pass show azire'
  anyvpn profile add shop --brand acme --api-key-file API --secret-key-file KEY")]
pub struct Add {
    /// The name of the profile: lowercase letters, digits, - and _
    #[arg(value_parser = name)]
    name: String,
    /// Sign in as this user now, and store the token
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
    /// The sources of secrets that options give, by the settings' keys.
    #[arg(skip)]
    pub secrets: Vec<(&'static str, GivenSource)>,
    /// Store secrets in the system's keyring instead of a file
    #[arg(long)]
    keyring: bool,
    /// Also ask for optional settings
    #[arg(long)]
    all: bool,
    /// Make this the default profile, as the first profile always is
    #[arg(long = "use")]
    is_default: bool,
    /// Do not test the profile with a call to the provider
    #[arg(long)]
    no_check: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    name: &'a str,
    provider: &'static str,
    address: String,
    sign_in: Vec<String>,
    default: bool,
    /// The user who signed in during this command.
    username: Option<&'a str>,
    /// The command whose API call tested the profile.
    checked: Option<&'static str>,
    path: ShownPath,
}

pub async fn run(context: &Context, args: Add) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    // Check that the file can be written before we ask anything.
    let (_, file) = config.lock(&context.registry, &context.observer()).await?;
    is_free(&file, &args.name)?;
    let provider = provider(context)?;
    add(context, &config, provider, args).await.map_err(|failure| failure.of(provider))
}

async fn add(
    context: &Context,
    config: &ConfigFile,
    provider: &'static ProviderInfo,
    args: Add,
) -> Result<(), Failure> {
    let mut settings = with_address(context, provider)?;
    if args.all {
        ask_optional(provider, &mut settings)?;
    }
    let mut username = args.username.clone();
    let (sources, typed) = sources(provider, &args, &mut username)?;
    for (setting, secret) in &typed {
        check_sendable(secret, &format!("the {}", setting.title), Failure::usage)?;
    }
    let is_source = sources.iter().any(|(setting, _)| setting.key == "password")
        || typed.iter().any(|(setting, _)| setting.key == "password");
    if username.is_none() && args.password.password_file.is_some() && !is_source {
        return Err(Failure::usage("a password needs a user name").hint("add --username NAME"));
    }
    let store = if args.keyring { StoreKind::Keyring } else { StoreKind::File };
    let entry = ProfileEntry { name: args.name, provider, settings, sources, store };
    if args.keyring && entry.without_source().next().is_none() {
        return Err(Failure::usage(
            "there is nothing to store in the keyring, because files or commands have the secrets",
        )
        .hint("omit --keyring, or the options that name a file or command"));
    }
    // This reports an invalid address.
    let opened = context.open_with(provider, &entry.settings)?;
    // An earlier command may have been interrupted after it signed in.
    let found = match &username {
        Some(username) => found(context, &entry, username).await?,
        None => None,
    };
    let fields = match &username {
        Some(username) if found.is_none() => {
            let username = Some(username.clone());
            let person = Person { username, device_name: "anyvpn".to_owned() };
            Some(person.fields(context, &*opened, &args.password)?)
        }
        _ => None,
    };

    let (mut config_lock, file) = config.lock(&context.registry, &context.observer()).await?;
    is_free(&file, &entry.name)?;
    let store = match username.is_some() || !typed.is_empty() {
        true => Some(credential_store(&entry)?),
        false => None,
    };
    let mut locked = match &store {
        Some(store) => Some(store.lock(context.observer()).await?),
        None => None,
    };
    let before = match &locked {
        Some(locked) => locked.load().await?,
        None => None,
    };
    let is_found = found.is_some();
    let kept = match (found, &fields) {
        (Some(found), _) => found,
        (None, Some(fields)) => obtain(context, &*opened, fields).await.map_err(|failure| {
            failure.hint("check the user name and the password; nothing was stored")
        })?,
        (None, None) => {
            StoredCredentials { secrets: secrets_of(&typed), ..StoredCredentials::default() }
        }
    };
    let is_default = args.is_default || file.entries.is_empty();
    if is_default {
        config_lock.draft.set_default(&entry.name);
    }
    let checked =
        match stored(context, config_lock, &entry, locked.as_mut(), &kept, !args.no_check).await {
            Ok(checked) => checked,
            Err(failure) if is_found => return Err(failure),
            Err(failure) => {
                return Err(undo(failure, &entry, &*opened, locked, username, &kept).await);
            }
        };

    // The token that was replaced is not known anywhere else.
    if let Some(before) = before.filter(|_| !is_found) {
        let _ = revoke(&*opened, &before).await;
    }

    let shown = super::shown(&entry, &file);
    let answer = Answer {
        name: &entry.name,
        provider: provider.name,
        address: shown.address,
        sign_in: shown.sign_in,
        default: is_default,
        username: username.as_deref(),
        checked,
        path: config.path().into(),
    };
    context.output.answer(&answer, || {
        let used = match is_default {
            true => "It is the default profile.".to_owned(),
            false => {
                let choose = command_line(&["profile", "use", answer.name], &[]);
                format!("Use it with --profile {}, or run {choose}.", answer.name)
            }
        };
        format!("Added profile {}.\n{used}", answer.name)
    })?;
    if is_found {
        context.output.note("It uses the token that an interrupted command had stored.");
    }
    let is_kept = |setting: &Setting| kept.secrets.get(setting.key).is_some();
    for setting in entry.without_source().filter(|setting| !is_kept(setting)) {
        let name = setting.variable(provider.name);
        if variable(&name).is_some() {
            context.output.note(&format!(
                "The {} is not stored. It comes from {name}, which must be set wherever you use the \
                 profile.",
                setting.title
            ));
        }
    }
    if checked.is_none() {
        context.output.note("The profile was not tested with a call to the provider.");
    }
    Ok(())
}

/// Finds a valid token of this user that is stored for the profile's name although there is no such
/// profile.
async fn found(
    context: &Context,
    entry: &ProfileEntry,
    username: &str,
) -> Result<Option<StoredCredentials>, Failure> {
    let Some(kept) = credential_store(entry)?.load().await? else { return Ok(None) };
    let is_wanted = kept.username.as_deref() == Some(username)
        && is_good(context, entry.provider, &entry.settings, &kept).await?;
    Ok(Some(kept).filter(|_| is_wanted))
}

/// Returns the store for secrets that have no source of their own.
fn credential_store(entry: &ProfileEntry) -> Result<CredentialStore, Failure> {
    CredentialStore::of(entry.provider, &entry.settings, Some(entry)).ok_or_else(|| {
        Failure::other("cannot store a secret: no home folder is known")
            .hint("set HOME or XDG_STATE_HOME, or take the secret from a file or a command")
    })
}

/// Stores the secrets, tests the profile if `wanted`, and stores the profile. Returns the command whose
/// call tested it.
async fn stored(
    context: &Context,
    mut config_lock: LockedConfigFile<'_>,
    entry: &ProfileEntry,
    store: Option<&mut LockedStore<'_>>,
    kept: &StoredCredentials,
    wanted: bool,
) -> Result<Option<&'static str>, Failure> {
    if let Some(store) = store {
        store.save(kept).await?;
        let add = command_line(&["profile", "add", &entry.name], &[]);
        context.watch.record_stored(
            format!("the credentials are stored in {}, but no profile uses them", store.shown()),
            format!("to use them: {add}; to remove them: anyvpn profile prune"),
        );
    }
    let checked = match wanted {
        true => {
            let settings = all_settings(entry, kept)?;
            let provider = context.open_with(entry.provider, &settings)?;
            check(&*provider, &settings).await.map_err(|error| {
                Failure::from(error)
                    .hint("nothing was stored; correct the credentials, or add --no-check")
            })?
        }
        false => None,
    };
    config_lock.draft.add(entry);
    config_lock.write()?;
    Ok(checked)
}

/// Removes the secrets of a profile that could not be stored, and revokes a new token.
async fn undo(
    failure: Failure,
    entry: &ProfileEntry,
    provider: &dyn Provider,
    store: Option<LockedStore<'_>>,
    username: Option<String>,
    kept: &StoredCredentials,
) -> Failure {
    let failure = match store {
        Some(mut store) => match store.forget().await {
            Ok(()) => failure,
            Err(_) => {
                let hint = format!("remove {}", shell_word(&store.shown()));
                failure.leaving("a secret is still stored", hint)
            }
        },
        None => failure,
    };
    match username {
        Some(_) => discard(provider, &entry.address(), kept, failure).await,
        None => failure,
    }
}

fn is_free(file: &File, name: &str) -> Result<(), Failure> {
    match file.get(name) {
        None => Ok(()),
        Some(_) => Err(Failure::usage(format!("profile {name} already exists")).hint(format!(
            "choose another name, or remove it: {}",
            command_line(&["profile", "remove", name], &[])
        ))),
    }
}

fn provider(context: &Context) -> Result<&'static ProviderInfo, Failure> {
    if let Some(info) = context.typed_provider() {
        return Ok(info);
    }
    if let Some(info) = context.variable_provider()? {
        return Ok(info);
    }
    let unclear = || Failure::usage("no provider is given").hint("add --provider NAME");
    if !is_interactive() {
        return Err(unclear());
    }
    let titles = context.registry.infos().map(|info| info.title).collect();
    let chosen = choose("Provider:", titles)?;
    context.registry.infos().nth(chosen).ok_or_else(unclear)
}

/// Collects the sources of secrets and the secrets that are typed now, from options or by asking.
/// `username` is the user who signs in now.
fn sources(
    info: &'static ProviderInfo,
    args: &Add,
    username: &mut Option<String>,
) -> Result<(Sources, Typed), Failure> {
    let (mut sources, mut on_stdin) = (Sources::new(), Vec::new());
    for (key, given) in &args.secrets {
        let Some(setting) = info.setting(key) else {
            if *key == "password" {
                continue;
            }
            return Err(not_taken(info, &key.replace('_', " ")));
        };
        match given {
            GivenSource::File(file) if file == Path::new("-") => on_stdin.push(setting),
            GivenSource::File(file) => sources.push((setting, from_file(file)?)),
            GivenSource::Command(command) => sources.push((setting, from_command(command)?)),
        }
    }
    if username.is_some() {
        if !info.capabilities.can(Ability::SignIn) {
            return Err(not_taken(info, "sign-in by user name"));
        }
        if !args.secrets.is_empty() {
            return Err(Failure::usage(
                "--username cannot be combined with another source of secrets",
            )
            .hint("omit --username, or the options that name a file or command"));
        }
    }
    let typed = from_stdin(&on_stdin)?;
    match sources.is_empty() && typed.is_empty() && username.is_none() && is_interactive() {
        true => ask_for_sources(info, username),
        false => Ok((sources, typed)),
    }
}

/// Asks where each secret comes from.
fn ask_for_sources(
    info: &'static ProviderInfo,
    username: &mut Option<String>,
) -> Result<(Sources, Typed), Failure> {
    const SIGN_IN: &str = "Sign in with user name and password";
    const TYPED: &str = "Type it now";
    const FILE: &str = "Read it from a file";
    const COMMAND: &str = "Run a command that prints it";
    const LATER: &str = "Use an environment variable, or sign in later";
    let (mut sources, mut typed) = (Sources::new(), Typed::new());
    for setting in wanted_secrets(info) {
        let what = setting.title;
        let option = |kind: &str| format!("{}-{kind}", provider_settings::option(setting));
        let mut choices = vec![TYPED, FILE, COMMAND, LATER];
        if info.capabilities.can(Ability::SignIn) {
            choices.insert(0, SIGN_IN);
        }
        let chosen = choose(&format!("How to get the {what}:"), choices.clone())?;
        match choices.get(chosen).copied() {
            Some(FILE) => {
                let file = ask_or_nothing("a file", "File:", &option("file"))?;
                sources.push((setting, from_file(Path::new(&file.unwrap_or_default()))?));
            }
            Some(COMMAND) => {
                let command = ask_or_nothing("a command", "Command:", &option("command"))?;
                sources.push((setting, from_command(&command.unwrap_or_default())?));
            }
            Some(SIGN_IN) => {
                *username = Some(ask("User name:", "--username NAME")?);
                break;
            }
            Some(TYPED) => {
                let secret = hidden::ask(&format!("The {what}:"))?;
                if secret.is_empty() {
                    return Err(Failure::usage(format!("the {what} is empty")));
                }
                typed.push((setting, secret));
            }
            _ => {}
        }
    }
    Ok((sources, typed))
}

/// Reads one line of stdin for each setting.
fn from_stdin(wanted: &[&'static Setting]) -> Result<Typed, Failure> {
    if wanted.is_empty() {
        return Ok(Typed::new());
    }
    let text = read(Path::new("-"))?;
    let mut lines = text.expose().lines().filter(|line| !line.is_empty());
    let line = |setting: &&'static Setting| match lines.next() {
        Some(line) => Ok((*setting, Secret::from(line))),
        None => {
            let order: Vec<_> = wanted.iter().map(|setting| setting.title).collect();
            Err(Failure::usage(format!("stdin has no {}", setting.title))
                .hint(format!("send one line for each, in this order: {}", order.join(", "))))
        }
    };
    wanted.iter().map(line).collect()
}

fn not_taken(info: &'static ProviderInfo, what: &str) -> Failure {
    let takes: Vec<_> = provider_settings::secrets(info).map(|setting| setting.title).collect();
    Failure::usage(format!("a profile for {} has no {what}", info.title))
        .hint(format!("it can have: {}", takes.join(", ")))
}

/// Makes the path absolute, because the profile can be used from any folder.
fn from_file(file: &Path) -> Result<SecretSource, Failure> {
    let path = match (file.strip_prefix("~"), path_variable("HOME")) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        _ => std::path::absolute(file),
    };
    let path = path.map_err(|error| match file.as_os_str().is_empty() {
        true => Failure::usage("the file's name is empty"),
        false => Failure::usage(format!("cannot find the current folder: {error}"))
            .hint("type the file's whole path"),
    })?;
    match path.to_str() {
        Some(_) => Ok(SecretSource::File(path)),
        None => Err(Failure::usage(format!("the file name {} is not UTF-8", path.display()))),
    }
}

fn from_command(command: &str) -> Result<SecretSource, Failure> {
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    match words.is_empty() {
        true => Err(Failure::usage("the command is empty")),
        false => Ok(SecretSource::Command(words)),
    }
}

fn secrets_of(typed: &Typed) -> Settings {
    let mut secrets = Settings::new();
    for (setting, secret) in typed {
        secrets.set(setting.key, secret.clone());
    }
    secrets
}

/// Returns the profile's settings with the secrets from its sources, its store, and the environment.
fn all_settings(entry: &ProfileEntry, kept: &StoredCredentials) -> Result<Settings, Failure> {
    let mut all = entry.settings.clone();
    for (setting, source) in &entry.sources {
        let what = format!("{} of profile {}", source.key(setting), entry.name);
        all.set(setting.key, source.read(&what)?);
    }
    all.fill_from(kept.secrets.clone());
    let environment = provider_settings::from_environment(entry.provider);
    provider_settings::add(&mut all, entry.provider, |setting| {
        environment.get(setting.key).cloned()
    });
    Ok(all)
}
