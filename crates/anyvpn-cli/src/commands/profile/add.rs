//! `anyvpn profile add`

use std::path::{Path, PathBuf};

use anyvpn::{Profile, ProviderName, Secret};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use super::bare;
use super::check::check;
use crate::commands::login::{delete, make, with_token};
use crate::context::{Context, path_variable, variable, variable_provider};
use crate::failure::Failure;
use crate::profiles::{ConfigFile, Credential, Entry, File, Source, name};
use crate::secrets::{PasswordSource, ask, ask_or_nothing, choose, is_interactive};
use crate::tokens::Place;

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
    /// The first line of this file is the token, each time
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
    is_free(&config.read()?, &args.name)?;
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
    let sources = sources(provider, &args, &mut username)?;
    if username.is_none() && args.password.password_file.is_some() {
        return Err(Failure::usage("a password is given, and nobody signs in now")
            .hint("say who does with --username NAME"));
    }
    let entry = Entry { name: args.name, provider, url, brand, sources };
    let without = bare(&entry);
    // An address that is none is told as such.
    anyvpn::open(&without)?;
    let password = match &username {
        Some(_) => Some(args.password.present("Password:")?),
        None => None,
    };

    let (mut turn, file) = config.turn().await?;
    is_free(&file, &entry.name)?;
    let signed_in = match (&username, password) {
        (Some(username), Some(password)) => {
            Some(SignedIn::new(&without, &entry, username, password).await?)
        }
        _ => None,
    };
    let checked = match &signed_in {
        _ if args.no_check => Ok(None),
        Some(it) => check(&it.profile).await,
        None => check(&with_sources(&entry)?).await,
    };
    let stored = checked
        .map_err(|error| {
            Failure::from(error).hint("nothing was stored; correct the sign-in, or add --no-check")
        })
        .and_then(|checked| {
            let is_default = args.is_default || file.entries.is_empty();
            if is_default {
                turn.set_default(&entry.name);
            }
            turn.add(&entry);
            turn.write()?;
            Ok((checked, is_default))
        });
    let (checked, is_default) = match (stored, signed_in) {
        (Ok(stored), _) => stored,
        (Err(failure), None) => return Err(failure),
        (Err(failure), Some(it)) => return Err(it.undo(failure).await),
    };

    let mut sign_in = entry.sign_in();
    if sign_in.is_empty() {
        sign_in.push(if username.is_some() { "kept token" } else { "environment" }.to_owned());
    }
    let answer = Answer {
        name: &entry.name,
        provider: provider.as_str(),
        address: entry.address(),
        sign_in,
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

/// A token that was made now, and is kept.
struct SignedIn {
    profile: Profile,
    id: Option<String>,
    place: Place,
}

impl SignedIn {
    async fn new(
        profile: &Profile,
        entry: &Entry,
        username: &str,
        password: Secret,
    ) -> Result<Self, Failure> {
        let Some(place) = Place::of(profile, Some(&entry.name)) else {
            return Err(Failure::other("there is no place to keep a token")
                .hint("set XDG_STATE_HOME, or take the token from a file or a command"));
        };
        let _turn = place.lock().await?;
        let (id, token) =
            make(profile, username, password, "anyvpn".to_owned()).await.map_err(|error| {
                Failure::from(error)
                    .hint("nothing was stored; check the user name and the password")
            })?;
        let it = Self { profile: with_token(profile, &token), id: id.clone(), place };
        match it.place.save(username.to_owned(), id, token).await {
            Ok(()) => Ok(it),
            Err(failure) => Err(it.undo(failure).await),
        }
    }

    /// Nobody would ever use the token.
    async fn undo(self, failure: Failure) -> Failure {
        let forgotten = self.place.forget().await;
        match (delete(&self.profile, self.id.as_deref()).await, forgotten) {
            (Ok(true), Ok(())) => failure,
            _ => failure.leaving("a token was made nevertheless", "delete it at the provider"),
        }
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

/// Where the secrets come from: from flags, or else asked for. `username` is who signs in now.
fn sources(
    provider: ProviderName,
    args: &Add,
    username: &mut Option<String>,
) -> Result<Vec<(Credential, Source)>, Failure> {
    use Credential::{ApiKey, SecretKey, Token};
    let given = [
        (Token, &args.token_file, &args.token_command),
        (ApiKey, &args.api_key_file, &args.api_key_command),
        (SecretKey, &args.secret_key_file, &args.secret_key_command),
    ];
    let takes = Credential::of(provider);
    let mut sources = Vec::new();
    for (credential, file, command) in given {
        let source = match (file, command) {
            (Some(file), _) => from_file(file)?,
            (None, Some(command)) => from_command(command)?,
            (None, None) => continue,
        };
        if !takes.contains(&credential) {
            return Err(no(provider, credential));
        }
        sources.push((credential, source));
    }
    if username.is_some() && !takes.contains(&Token) {
        return Err(no(provider, Token));
    }
    if !sources.is_empty() || username.is_some() || !is_interactive() {
        return Ok(sources);
    }
    for credential in takes {
        let what = credential.name().replace('_', " ");
        let mut ways = vec!["from a file", "from a command", "from the environment, or later"];
        if *credential == Token {
            ways.insert(0, "by user name and password, now");
        }
        let chosen = choose(&format!("The {what} comes"), ways.clone())?;
        match ways.get(chosen).copied() {
            Some("from a file") => {
                let file = ask_or_nothing("a file", "File:", "--token-file FILE")?;
                sources.push((*credential, from_file(Path::new(&file.unwrap_or_default()))?));
            }
            Some("from a command") => {
                let command = ask_or_nothing("a command", "Command:", "--token-command COMMAND")?;
                sources.push((*credential, from_command(&command.unwrap_or_default())?));
            }
            Some("by user name and password, now") => {
                *username = Some(ask("User name:", "--username NAME")?);
            }
            _ => {}
        }
    }
    Ok(sources)
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

/// The profile with its own secrets, and the environment's where it has none.
fn with_sources(entry: &Entry) -> Result<Profile, Failure> {
    let mut secrets = Vec::new();
    for (credential, source) in &entry.sources {
        let what = format!("{} of the profile {}", source.key(*credential), entry.name);
        secrets.push((credential.variable(entry.provider), source.read(&what)?));
    }
    let url = format!("ANYVPN_{}_URL", entry.provider.as_str().to_uppercase());
    Ok(Profile::from_environment(entry.provider, |name| match name {
        _ if name == url => entry.url.clone(),
        "ANYVPN_VPNGN_BRAND" => entry.brand.clone(),
        _ => match secrets.iter().find(|(it, _)| it == name) {
            Some((_, secret)) => Some(secret.expose().to_owned()),
            None => variable(name),
        },
    }))
}
