//! `anyvpn profile add`

use std::path::Path;

use anyvpn::{Ability, Provider, ProviderInfo, Secret, Setting, Settings};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use super::check::check;
use super::questions::{ask_optional, with_address};
use super::secret_options::GivenSource;
use crate::commands::login::{Person, is_good, make, revoke, unused};
use crate::context::Context;
use crate::environment::path_variable;
use crate::failure::Failure;
use crate::hidden;
use crate::kept::{Kept, LockedPlace, Place};
use crate::profiles::{
    ConfigFile, File, ProfileEntry, SecretSource, Store, Turn, name, wanted_secrets,
};
use crate::provider_settings;
use crate::secrets::{
    PasswordSource, ask, ask_or_nothing, check_sendable, choose, is_interactive, read,
};
use crate::text::{ShownPath, command_line, shell_word};

/// Secrets and where they come from, by their settings.
type Sources = Vec<(&'static Setting, SecretSource)>;
type Typed = Vec<(&'static Setting, Secret)>;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn profile add home                          Ask for what is needed
  anyvpn profile add home --provider azire --username jo --password-file FILE
  anyvpn profile add home --provider azire --token-command 'pass show azire'
  anyvpn profile add shop --brand acme --api-key-file API --secret-key-file KEY")]
pub struct Add {
    /// What to call it: small letters, digits, - and _
    #[arg(value_parser = name)]
    name: String,
    /// Sign in now as this user, and keep the token
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
    /// The options of the providers' secrets, by the settings' keys.
    #[arg(skip)]
    pub secrets: Vec<(&'static str, GivenSource)>,
    /// Keep what is kept in the system's keyring, and not in a file for you alone
    #[arg(long)]
    keyring: bool,
    /// Ask for the optional settings as well
    #[arg(long)]
    all: bool,
    /// Use it where no profile is named; the first one is used anyway
    #[arg(long = "use")]
    is_default: bool,
    /// Do not call the provider to see whether the answers are good
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
    /// Who signed in now.
    username: Option<&'a str>,
    /// The call that showed the answers to be good.
    checked: Option<&'static str>,
    path: ShownPath,
}

pub async fn run(context: &Context, args: Add) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    // Whether it could be written is known before anything is asked.
    let (_, file) = config.turn(&context.registry, &context.observer()).await?;
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
        return Err(Failure::usage("a password is given, and nobody signs in now")
            .hint("say who does with --username NAME"));
    }
    let store = if args.keyring { Store::Keyring } else { Store::File };
    let entry = ProfileEntry { name: args.name, provider, settings, sources, store };
    if args.keyring && entry.without_source().next().is_none() {
        return Err(Failure::usage(
            "there is nothing to keep in the keyring: files and commands have it",
        )
        .hint("omit --keyring, or the options that say where a secret is"));
    }
    // An address that is none is told as such.
    let opened = context.open_with(provider, &entry.settings)?;
    // An earlier command was interrupted after it had signed in.
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

    let (mut turn, file) = config.turn(&context.registry, &context.observer()).await?;
    is_free(&file, &entry.name)?;
    let place = match username.is_some() || !typed.is_empty() {
        true => Some(place(&entry)?),
        false => None,
    };
    let mut locked = match &place {
        Some(place) => Some(place.lock(context.observer()).await?),
        None => None,
    };
    let before = match &locked {
        Some(locked) => locked.load().await?,
        None => None,
    };
    let is_found = found.is_some();
    let kept = match (found, &fields) {
        (Some(found), _) => found,
        (None, Some(fields)) => make(context, &*opened, fields).await.map_err(|failure| {
            failure.hint("nothing was stored; check the user name and the password")
        })?,
        (None, None) => Kept { secrets: secrets_of(&typed), ..Kept::default() },
    };
    let is_default = args.is_default || file.entries.is_empty();
    if is_default {
        turn.draft.set_default(&entry.name);
    }
    let checked = match stored(context, turn, &entry, locked.as_mut(), &kept, !args.no_check).await
    {
        Ok(checked) => checked,
        Err(failure) if is_found => return Err(failure),
        Err(failure) => {
            return Err(undone(failure, &entry, &*opened, locked, username, &kept).await);
        }
    };

    // Nobody else knows of a token that this one has replaced.
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
            true => "It is used where no profile is named.".to_owned(),
            false => {
                let choose = command_line(&["profile", "use", answer.name], &[]);
                format!("Use it with --profile {}, or {choose}.", answer.name)
            }
        };
        format!("The profile {} is added.\n{used}", answer.name)
    })?;
    if is_found {
        context.output.note("The token is the one that an interrupted command had kept.");
    }
    if checked.is_none() {
        context.output.note("Nothing was called to see whether the answers are good.");
    }
    Ok(())
}

/// The token that is kept for this name although there is no such profile, where it is this user's and
/// good.
async fn found(
    context: &Context,
    entry: &ProfileEntry,
    username: &str,
) -> Result<Option<Kept>, Failure> {
    let Some(kept) = place(entry)?.load().await? else { return Ok(None) };
    let is_wanted = kept.username.as_deref() == Some(username)
        && is_good(context, entry.provider, &entry.settings, &kept).await?;
    Ok(Some(kept).filter(|_| is_wanted))
}

/// Where this program keeps what the profile has no source for.
fn place(entry: &ProfileEntry) -> Result<Place, Failure> {
    Place::of(entry.provider, &entry.settings, Some(entry)).ok_or_else(|| {
        Failure::other("there is no place to keep a secret")
            .hint("set XDG_STATE_HOME, or take the secret from a file or a command")
    })
}

/// Keeps the secrets, checks the profile where that is `wanted`, and stores it. The call that showed
/// it to be good.
async fn stored(
    context: &Context,
    mut turn: Turn<'_>,
    entry: &ProfileEntry,
    place: Option<&mut LockedPlace<'_>>,
    kept: &Kept,
    wanted: bool,
) -> Result<Option<&'static str>, Failure> {
    if let Some(place) = place {
        place.save(kept).await?;
        let add = command_line(&["profile", "add", &entry.name], &[]);
        context.watch.kept(
            format!("what signs in is kept in {}, and no profile uses it yet", place.shown()),
            format!("{add} uses it; anyvpn profile prune removes it"),
        );
    }
    let checked = match wanted {
        true => {
            let settings = all_settings(entry, kept)?;
            let provider = context.open_with(entry.provider, &settings)?;
            check(&*provider, &settings).await.map_err(|error| {
                Failure::from(error)
                    .hint("nothing was stored; correct the sign-in, or add --no-check")
            })?
        }
        false => None,
    };
    turn.draft.add(entry);
    turn.write()?;
    Ok(checked)
}

/// Takes back what was kept, and made, for a profile that is not stored.
async fn undone(
    failure: Failure,
    entry: &ProfileEntry,
    provider: &dyn Provider,
    place: Option<LockedPlace<'_>>,
    username: Option<String>,
    kept: &Kept,
) -> Failure {
    let failure = match place {
        Some(mut place) => match place.forget().await {
            Ok(()) => failure,
            Err(_) => {
                let hint = format!("remove {}", shell_word(&place.shown()));
                failure.leaving("a secret is kept nevertheless", hint)
            }
        },
        None => failure,
    };
    match username {
        Some(_) => unused(provider, &entry.address(), kept, failure).await,
        None => failure,
    }
}

fn is_free(file: &File, name: &str) -> Result<(), Failure> {
    match file.get(name) {
        None => Ok(()),
        Some(_) => Err(Failure::usage(format!("there is a profile {name} already")).hint(format!(
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
    let unclear = || Failure::usage("which provider?").hint("give it with --provider NAME");
    if !is_interactive() {
        return Err(unclear());
    }
    let titles = context.registry.infos().map(|info| info.title).collect();
    let chosen = choose("Provider:", titles)?;
    context.registry.infos().nth(chosen).ok_or_else(unclear)
}

/// Where the secrets come from, and those that are typed now: from options, or else asked for.
/// `username` is who signs in now.
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
                "--username signs in, and needs no other source of secrets",
            )
            .hint("omit --username, or the options that say where a secret is"));
        }
    }
    let typed = from_stdin(&on_stdin)?;
    match sources.is_empty() && typed.is_empty() && username.is_none() && is_interactive() {
        true => asked(info, username),
        false => Ok((sources, typed)),
    }
}

/// The same, asked for.
fn asked(
    info: &'static ProviderInfo,
    username: &mut Option<String>,
) -> Result<(Sources, Typed), Failure> {
    const SIGN_IN: &str = "by user name and password, now";
    const TYPED: &str = "typed in, now";
    const FILE: &str = "from a file";
    const COMMAND: &str = "from a command";
    const LATER: &str = "from the environment, or later";
    let (mut sources, mut typed) = (Sources::new(), Typed::new());
    for setting in wanted_secrets(info) {
        let what = setting.title;
        let option = |kind: &str| format!("{}-{kind}", provider_settings::option(setting));
        let mut ways = vec![TYPED, FILE, COMMAND, LATER];
        if info.capabilities.can(Ability::SignIn) {
            ways.insert(0, SIGN_IN);
        }
        let chosen = choose(&format!("The {what} comes"), ways.clone())?;
        match ways.get(chosen).copied() {
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

/// A line of stdin for each.
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
                .hint(format!("each secret is a line, in this order: {}", order.join(", "))))
        }
    };
    wanted.iter().map(line).collect()
}

fn not_taken(info: &'static ProviderInfo, what: &str) -> Failure {
    let takes: Vec<_> = provider_settings::secrets(info).map(|setting| setting.title).collect();
    Failure::usage(format!("{} has no {what} in a profile", info.title))
        .hint(format!("it has: {}", takes.join(", ")))
}

/// The file by its whole path: the profile is used from any folder.
fn from_file(file: &Path) -> Result<SecretSource, Failure> {
    let path = match (file.strip_prefix("~"), path_variable("HOME")) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        _ => std::path::absolute(file),
    };
    let path = path.map_err(|_| Failure::usage("the file's name is empty"))?;
    match path.to_str() {
        Some(_) => Ok(SecretSource::File(path)),
        None => Err(Failure::usage(format!("{} is no UTF-8 text", path.display()))),
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

/// The profile's settings with its own secrets, what is kept, and the environment's where it has
/// none.
fn all_settings(entry: &ProfileEntry, kept: &Kept) -> Result<Settings, Failure> {
    let mut all = entry.settings.clone();
    for (setting, source) in &entry.sources {
        let what = format!("{} of the profile {}", source.key(setting), entry.name);
        all.set(setting.key, source.read(&what)?);
    }
    all.fill_from(kept.secrets.clone());
    let environment = provider_settings::from_environment(entry.provider);
    provider_settings::add(&mut all, entry.provider, |it| environment.get(it.key).cloned());
    Ok(all)
}
