//! `anyvpn profile add`

use std::path::{Path, PathBuf};

use anyvpn::{Profile, ProviderName, Secret};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use super::bare;
use super::check::check;
use crate::commands::login::{make, unused};
use crate::context::{Context, path_variable, variable, variable_provider};
use crate::failure::Failure;
use crate::hidden;
use crate::kept::{Kept, LockedPlace, Place};
use crate::profiles::{
    ConfigFile, Credential, Entry, File, Secrets, Source, Store, Turn, name, profile_of,
};
use crate::secrets::{
    PasswordSource, ask, ask_or_nothing, check_sendable, choose, is_interactive, read,
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn profile add home                          Ask for everything
  anyvpn profile add home --provider azire --username jo --password-file FILE
  anyvpn profile add home --provider azire --token-command 'pass show azire'
  anyvpn profile add shop --brand acme --api-key-file API --secret-key-file KEY")]
pub struct Add {
    /// What to call it: small letters, digits, - and _
    #[arg(value_parser = name)]
    name: String,
    /// Sign in now as this user, and keep the token
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    #[arg(conflicts_with_all = ["token_file", "token_command"])]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
    /// The first line of this file is the token, each time; from stdin (`-`) it is kept
    #[arg(long, value_name = "FILE", conflicts_with = "token_command")]
    token_file: Option<PathBuf>,
    /// This program prints the token, each time; blanks part its words, no shell does
    #[arg(long, value_name = "COMMAND")]
    token_command: Option<String>,
    /// The same for VPNGN's API key
    #[arg(long, value_name = "FILE", conflicts_with = "api_key_command")]
    api_key_file: Option<PathBuf>,
    /// The same for VPNGN's API key
    #[arg(long, value_name = "COMMAND")]
    api_key_command: Option<String>,
    /// The same for VPNGN's secret key
    #[arg(long, value_name = "FILE", conflicts_with = "secret_key_command")]
    secret_key_file: Option<PathBuf>,
    /// The same for VPNGN's secret key
    #[arg(long, value_name = "COMMAND")]
    secret_key_command: Option<String>,
    /// Keep what is kept in the system's keyring, and not in a file for you alone
    #[arg(long)]
    keyring: bool,
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
    path: String,
}

pub async fn run(context: &Context, args: Add) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    // Whether it could be written is known before anything is asked.
    let (_, file) = config.turn().await?;
    is_free(&file, &args.name)?;
    let provider = provider(context)?;
    add(context, &config, provider, args).await.map_err(|failure| failure.of(provider))
}

async fn add(
    context: &Context,
    config: &ConfigFile,
    provider: ProviderName,
    args: Add,
) -> Result<(), Failure> {
    let (url, brand) = address(context, provider)?;
    let mut username = args.username.clone();
    let (sources, typed) = sources(provider, &args, &mut username)?;
    for (credential, secret) in &typed {
        let what = format!("the {}", credential.name().replace('_', " "));
        check_sendable(secret, &what, Failure::usage)?;
    }
    if username.is_none() && args.password.password_file.is_some() {
        return Err(Failure::usage("a password is given, and nobody signs in now")
            .hint("say who does with --username NAME"));
    }
    let store = if args.keyring { Store::Keyring } else { Store::File };
    let entry = Entry { name: args.name, provider, url, brand, sources, store };
    if args.keyring && entry.without_source().next().is_none() {
        return Err(Failure::usage(
            "there is nothing to keep in the keyring: files and commands have it",
        )
        .hint("leave --keyring away, or the options that say where a secret is"));
    }
    let without = bare(&entry);
    // An address that is none is told as such.
    anyvpn::open(&without)?;
    let password = match &username {
        Some(_) => Some(args.password.present("Password:")?),
        None => None,
    };

    let (mut turn, file) = config.turn().await?;
    is_free(&file, &entry.name)?;
    let place = match username.is_some() || !typed.is_empty() {
        true => Some(place(&without, &entry)?),
        false => None,
    };
    let mut locked = match &place {
        Some(place) => Some(place.lock().await?),
        None => None,
    };
    let kept = match (&username, password) {
        (Some(username), Some(password)) => {
            let made = make(&without, username.clone(), password, "anyvpn".to_owned()).await;
            made.map_err(|error| {
                Failure::from(error)
                    .hint("nothing was stored; check the user name and the password")
            })?
        }
        _ => Kept::secrets(&typed),
    };
    let is_default = args.is_default || file.entries.is_empty();
    if is_default {
        turn.draft.set_default(&entry.name);
    }
    let checked = match stored(turn, &entry, locked.as_mut(), &kept, !args.no_check).await {
        Ok(checked) => checked,
        Err(failure) => return Err(undone(failure, &without, locked, username, &kept).await),
    };

    let shown = super::shown(&entry, &file);
    let answer = Answer {
        name: &entry.name,
        provider: provider.as_str(),
        address: shown.address,
        sign_in: shown.sign_in,
        default: is_default,
        username: username.as_deref(),
        checked,
        path: config.path().display().to_string(),
    };
    context.output.answer(&answer, || {
        let used = match is_default {
            true => "It is used where no profile is named.".to_owned(),
            false => format!("Use it with --profile {0}, or anyvpn profile use {0}.", answer.name),
        };
        format!("The profile {} is added.\n{used}", answer.name)
    })?;
    if checked.is_none() {
        context.output.note("Nothing was called to see whether the answers are good.");
    }
    Ok(())
}

/// Where this program keeps what the profile has no source for.
fn place(profile: &Profile, entry: &Entry) -> Result<Place, Failure> {
    Place::of(profile, Some(entry)).ok_or_else(|| {
        Failure::other("there is no place to keep a secret")
            .hint("set XDG_STATE_HOME, or take the secret from a file or a command")
    })
}

/// Keeps the secrets, checks the profile where that is `wanted`, and stores it. The call that showed
/// it to be good.
async fn stored(
    mut turn: Turn<'_>,
    entry: &Entry,
    place: Option<&mut LockedPlace<'_>>,
    kept: &Kept,
    wanted: bool,
) -> Result<Option<&'static str>, Failure> {
    if let Some(place) = place {
        place.save(kept).await?;
    }
    let checked = match wanted {
        true => check(&with_secrets(entry, kept)?).await.map_err(|error| {
            Failure::from(error).hint("nothing was stored; correct the sign-in, or add --no-check")
        })?,
        false => None,
    };
    turn.draft.add(entry);
    turn.write()?;
    Ok(checked)
}

/// Takes back what was kept, and made, for a profile that is not stored.
async fn undone(
    failure: Failure,
    profile: &Profile,
    place: Option<LockedPlace<'_>>,
    username: Option<String>,
    kept: &Kept,
) -> Failure {
    let failure = match place {
        Some(mut place) => match place.forget().await {
            Ok(()) => failure,
            Err(_) => {
                let hint = format!("remove {}", place.shown());
                failure.leaving("a secret is kept nevertheless", hint)
            }
        },
        None => failure,
    };
    match username {
        Some(_) => unused(profile, kept, failure).await,
        None => failure,
    }
}

fn is_free(file: &File, name: &str) -> Result<(), Failure> {
    match file.get(name) {
        None => Ok(()),
        Some(_) => Err(Failure::usage(format!("there is a profile {name} already"))
            .hint(format!("choose another name, or remove it: anyvpn profile remove {name}"))),
    }
}

fn provider(context: &Context) -> Result<ProviderName, Failure> {
    if let Some(name) = context.typed_provider() {
        return Ok(name);
    }
    if context.typed_brand().is_some() {
        return Ok(ProviderName::Vpngn);
    }
    if let Some(name) = variable_provider()? {
        return Ok(name);
    }
    if !is_interactive() {
        return Err(Failure::usage("which provider is meant?").hint("say it with --provider NAME"));
    }
    let titles = ProviderName::ALL.iter().map(|name| name.title()).collect();
    let chosen = choose("Provider:", titles)?;
    ProviderName::ALL.get(chosen).copied().ok_or_else(|| Failure::usage("which provider is meant?"))
}

/// Address and brand: from flags and environment, or else asked for.
fn address(
    context: &Context,
    provider: ProviderName,
) -> Result<(Option<String>, Option<String>), Failure> {
    if context.typed_brand().is_some() && provider != ProviderName::Vpngn {
        return Err(Failure::usage(format!("{} has no brands; VPNGN has", provider.title()))
            .hint("use --url, or --provider vpngn"));
    }
    match (context.address(provider), provider) {
        ((None, None), ProviderName::Azire) if is_interactive() => {
            let question = format!("Address (none for {}):", anyvpn::azire::BASE_URL);
            Ok((ask_or_nothing("an address", &question, "--url URL")?, None))
        }
        ((None, None), ProviderName::VpnScript) => {
            let url = ask_or_nothing("an address", "Address (https://…):", "--url URL")?;
            match url {
                Some(url) => Ok((Some(url), None)),
                None => Err(Failure::usage("the address is empty")),
            }
        }
        ((None, None), ProviderName::Vpngn) => {
            let question = "Brand, or address (https://…):";
            match ask_or_nothing("a brand", question, "--brand NAME, or --url")? {
                Some(url) if url.contains("://") => Ok((Some(url), None)),
                Some(brand) => Ok((None, Some(brand))),
                None => Err(Failure::usage("the brand is empty")),
            }
        }
        (known, _) => Ok(known),
    }
}

/// Where the secrets come from, and those that are typed now: from flags, or else asked for.
/// `username` is who signs in now.
fn sources(
    provider: ProviderName,
    args: &Add,
    username: &mut Option<String>,
) -> Result<(Vec<(Credential, Source)>, Secrets), Failure> {
    use Credential::{ApiKey, SecretKey, Token};
    let given = [
        (Token, &args.token_file, &args.token_command),
        (ApiKey, &args.api_key_file, &args.api_key_command),
        (SecretKey, &args.secret_key_file, &args.secret_key_command),
    ];
    let takes = Credential::of(provider);
    let (mut sources, mut on_stdin) = (Vec::new(), Vec::new());
    for (credential, file, command) in given {
        if (file.is_some() || command.is_some()) && !takes.contains(&credential) {
            return Err(no(provider, credential));
        }
        match (file, command) {
            (Some(file), _) if file == Path::new("-") => on_stdin.push(credential),
            (Some(file), _) => sources.push((credential, from_file(file)?)),
            (None, Some(command)) => sources.push((credential, from_command(command)?)),
            (None, None) => {}
        }
    }
    if username.is_some() && !takes.contains(&Token) {
        return Err(no(provider, Token));
    }
    let typed = from_stdin(&on_stdin)?;
    match sources.is_empty() && typed.is_empty() && username.is_none() && is_interactive() {
        true => asked(takes, username),
        false => Ok((sources, typed)),
    }
}

/// The same, asked for.
fn asked(
    takes: &[Credential],
    username: &mut Option<String>,
) -> Result<(Vec<(Credential, Source)>, Secrets), Failure> {
    const SIGN_IN: &str = "by user name and password, now";
    const TYPED: &str = "typed in, now";
    const FILE: &str = "from a file";
    const COMMAND: &str = "from a command";
    const LATER: &str = "from the environment, or later";
    let (mut sources, mut typed) = (Vec::new(), Secrets::new());
    for credential in takes {
        let what = credential.name().replace('_', " ");
        let mut ways = vec![TYPED, FILE, COMMAND, LATER];
        if *credential == Credential::Token {
            ways.insert(0, SIGN_IN);
        }
        let chosen = choose(&format!("The {what} comes"), ways.clone())?;
        match ways.get(chosen).copied() {
            Some(FILE) => {
                let file = ask_or_nothing("a file", "File:", "--token-file FILE")?;
                sources.push((*credential, from_file(Path::new(&file.unwrap_or_default()))?));
            }
            Some(COMMAND) => {
                let command = ask_or_nothing("a command", "Command:", "--token-command COMMAND")?;
                sources.push((*credential, from_command(&command.unwrap_or_default())?));
            }
            Some(SIGN_IN) => *username = Some(ask("User name:", "--username NAME")?),
            Some(TYPED) => {
                let secret = hidden::ask(&format!("The {what}:"))?;
                if secret.is_empty() {
                    return Err(Failure::usage(format!("the {what} is empty")));
                }
                typed.push((*credential, secret));
            }
            _ => {}
        }
    }
    Ok((sources, typed))
}

/// A line of stdin for each.
fn from_stdin(credentials: &[Credential]) -> Result<Secrets, Failure> {
    if credentials.is_empty() {
        return Ok(Secrets::new());
    }
    let text = read(Path::new("-"))?;
    let mut lines = text.expose().lines().filter(|line| !line.is_empty());
    let line = |credential: &Credential| match lines.next() {
        Some(line) => Ok((*credential, Secret::from(line))),
        None => {
            Err(Failure::usage(format!("stdin has no {}", credential.name().replace('_', " ")))
                .hint("each secret is a line, the API key before the secret key"))
        }
    };
    credentials.iter().map(line).collect()
}

fn no(provider: ProviderName, credential: Credential) -> Failure {
    let takes = Credential::of(provider).iter().map(|it| it.name().replace('_', " "));
    let takes: Vec<_> = takes.collect();
    let what = credential.name().replace('_', " ");
    Failure::usage(format!("{} has no {what} in a profile", provider.title()))
        .hint(format!("it has: {}", takes.join(", ")))
}

/// The file by its whole path: the profile is used from any folder.
fn from_file(file: &Path) -> Result<Source, Failure> {
    let path = match (file.strip_prefix("~"), path_variable("HOME")) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        _ => std::path::absolute(file),
    };
    let path = path.map_err(|_| Failure::usage("the file's name is empty"))?;
    match path.to_str() {
        Some(_) => Ok(Source::File(path)),
        None => Err(Failure::usage(format!("{} is no UTF-8 text", path.display()))),
    }
}

fn from_command(command: &str) -> Result<Source, Failure> {
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    match words.is_empty() {
        true => Err(Failure::usage("the command is empty")),
        false => Ok(Source::Command(words)),
    }
}

/// The profile with its own secrets, what is kept, and the environment's where it has none.
fn with_secrets(entry: &Entry, kept: &Kept) -> Result<Profile, Failure> {
    let mut secrets = Secrets::new();
    for credential in Credential::of(entry.provider) {
        secrets.extend(kept.get(*credential).map(|secret| (*credential, secret.clone())));
    }
    for (credential, source) in &entry.sources {
        let what = format!("{} of the profile {}", source.key(*credential), entry.name);
        secrets.push((*credential, source.read(&what)?));
    }
    let (url, brand) = (entry.url.as_deref(), entry.brand.as_deref());
    Ok(profile_of(entry.provider, url, brand, |name| {
        let secret = secrets.iter().find(|(it, _)| it.variable(entry.provider) == name);
        secret.map(|(_, secret)| secret.expose().to_owned()).or_else(|| variable(name))
    }))
}
