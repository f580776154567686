//! `anyvpn login`

use anyvpn::azire::ops::DeleteToken;
use anyvpn::vpnscript::ops::CreateToken;
use anyvpn::{Error, ErrorKind, Profile, ProviderName, Secret};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use super::wait;
use crate::advice::sign_in;
use crate::context::{Context, Settings, variable};
use crate::failure::Failure;
use crate::kept::{Kept, Place};
use crate::profiles::Credential;
use crate::secrets::{PasswordSource, ask};
use crate::text::plain;

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn login --provider azire                Ask for user name and password
  pass azire | anyvpn login --username jo --password-file -")]
pub struct Login {
    /// The user name; without this it is asked for
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    username: Option<String>,
    /// What the provider's list of tokens shows
    #[arg(long, value_name = "NAME", default_value = "anyvpn")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    device_name: String,
    /// Make another token, although one is kept
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Serialize)]
struct Answer<'a> {
    provider: &'static str,
    /// Absent for a token that was typed.
    username: Option<&'a str>,
    /// Absent when the system's keyring has the token.
    path: Option<String>,
    /// Whether a token was made now.
    made: bool,
}

pub fn run(context: &Context, args: Login) -> Result<(), Failure> {
    let name = context.provider()?;
    wait(context.output, login(context, name, args))
        .map_err(|failure| context.explain(name, failure))
}

async fn login(context: &Context, name: ProviderName, args: Login) -> Result<(), Failure> {
    if name == ProviderName::Vpngn {
        return Err(no_token());
    }
    let (Settings { profile, entry }, place) = place(context, name)?;
    if let Some(entry) = entry
        && let Some((credential, source)) = entry.sources.first()
    {
        let key = source.key(*credential);
        return Err(Failure::usage(format!("the profile {} has a {key} already", entry.name))
            .hint("remove that line from the profile to sign in instead"));
    }
    // Whoever has the turn is the only one who makes a token. It also finds out whether the token
    // could be kept at all, before there is one.
    let mut locked = place.lock().await?;
    let kept = locked.load().await?;
    if let Some(kept) = &kept
        && !args.force
    {
        if args.username.is_some() && args.username != kept.username {
            return Err(Failure::usage(format!("{} is signed in here", who(kept)))
                .hint("sign out before (anyvpn logout), or add --force"));
        }
        if is_good(&with_kept(&profile, kept)).await? {
            return tell(context, name, kept, &place, false);
        }
    }
    let username = match (args.username, &kept) {
        (Some(username), _) => username,
        (None, Some(Kept { username: Some(username), .. })) if !args.force => username.clone(),
        (None, _) => ask("User name:", "--username NAME")?,
    };
    let password = args.password.present("Password:")?;
    let new = make(&profile, username, password, args.device_name).await?;
    if let Err(failure) = locked.save(&new).await {
        return Err(unused(&profile, &new, failure).await);
    }
    tell(context, name, &new, &place, true)?;
    // The one before has no further use; it dies by its own right, whosever it was.
    if let Some(old) = kept {
        let _ = delete_kept(&profile, &old).await;
    }
    Ok(())
}

/// Deletes a token that was made, and that nobody would ever use.
pub(super) async fn unused(profile: &Profile, made: &Kept, failure: Failure) -> Failure {
    match delete_kept(profile, made).await {
        Ok(true) => failure,
        _ => {
            let (who, address) = (who(made), address(profile));
            let left = format!("the token that was made for {who} still exists at {address}");
            failure.leaving(&left, "delete it there, in the account's list of tokens")
        }
    }
}

/// Where a profile's tokens are made.
fn address(profile: &Profile) -> &str {
    match profile {
        Profile::VpnScript { url, .. } => url,
        Profile::Azire { url: Some(url), .. } | Profile::Vpngn { url: Some(url), .. } => url,
        _ => profile.provider().title(),
    }
}

fn who(kept: &Kept) -> &str {
    kept.username.as_deref().unwrap_or("somebody")
}

fn tell(
    context: &Context,
    name: ProviderName,
    kept: &Kept,
    place: &Place,
    made: bool,
) -> Result<(), Failure> {
    let path = place.path().map(|path| path.display().to_string());
    let username = kept.username.as_deref();
    let answer = Answer { provider: name.as_str(), username, path, made };
    context.output.answer(&answer, || {
        let how = if made { "is signed in" } else { "was signed in already" };
        let (who, place) = (plain(who(kept)), plain(&place.shown()));
        format!("{who} {how} at {}. The token is in\n{place}", name.title())
    })?;
    let variable_name = token_variable(name);
    if variable(&variable_name).is_some() {
        context.output.note(&format!("{variable_name} is set, and counts more than that token."));
    }
    Ok(())
}

fn token_variable(name: ProviderName) -> String {
    format!("ANYVPN_{}_TOKEN", name.as_str().to_uppercase())
}

/// Where the secrets of the chosen address are kept, and the profile without them.
pub(super) fn place(context: &Context, name: ProviderName) -> Result<(Settings, Place), Failure> {
    let settings = context.settings(name)?;
    // An address that is none is told as such.
    anyvpn::open(&settings.profile)?;
    match settings.place() {
        Some(place) => Ok((settings, place)),
        None if name == ProviderName::Vpngn => Err(no_token()),
        None => Err(Failure::other("there is no place to keep a token: no home folder is known")
            .hint(format!("set XDG_STATE_HOME, or use {} instead", token_variable(name)))),
    }
}

fn no_token() -> Failure {
    Failure::unsupported("VPNGN's commands take the reseller's keys, and no token")
        .hint(sign_in(Some(ProviderName::Vpngn)))
}

/// The profile with the token that is kept instead of its own.
fn with_kept(profile: &Profile, kept: &Kept) -> Profile {
    let mut profile = profile.clone();
    if let Profile::Azire { token, .. } | Profile::VpnScript { token, .. } = &mut profile {
        *token = kept.get(Credential::Token).cloned();
    }
    profile
}

/// Whether the provider takes the token.
async fn is_good(profile: &Profile) -> Result<bool, Failure> {
    let provider = anyvpn::open(profile)?;
    let Some(accounts) = provider.accounts() else {
        return Ok(true);
    };
    match accounts.account().await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Unauthorized => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes a token.
pub(super) async fn make(
    profile: &Profile,
    username: String,
    password: Secret,
    device_name: String,
) -> Result<Kept, Error> {
    match profile {
        Profile::Azire { .. } => {
            let azire = anyvpn::open_azire(profile)?;
            let token = azire.sign_in(&username, password, device_name).await?;
            Ok(Kept::token(username, Some(token.id.to_string()), token.key))
        }
        _ => {
            let sign_in = CreateToken { username: username.clone(), password, device_name };
            let token = anyvpn::open_vpnscript(profile)?.call(sign_in).await?;
            Ok(Kept::token(username, None, token.token))
        }
    }
}

/// Deletes what is kept, at the provider where that can be done. Whether it could.
pub(super) async fn delete_kept(profile: &Profile, kept: &Kept) -> Result<bool, Error> {
    match (profile, &kept.id) {
        (Profile::Azire { .. }, Some(id)) => {
            let azire = anyvpn::open_azire(&with_kept(profile, kept))?;
            match azire.call(DeleteToken { id: id.as_str().into() }).await {
                // It is gone already.
                Err(e) if matches!(e.kind(), ErrorKind::Unauthorized | ErrorKind::NotFound) => {}
                other => other?,
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}
