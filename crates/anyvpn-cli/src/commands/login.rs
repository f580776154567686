//! `anyvpn login`

use anyvpn::azire::ops::DeleteToken;
use anyvpn::vpnscript::ops::CreateToken;
use anyvpn::{Error, ErrorKind, Profile, ProviderName, Secret};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use super::wait;
use crate::context::{Context, Settings, variable};
use crate::failure::{Failure, sign_in};
use crate::secrets::{PasswordSource, ask};
use crate::text::plain;
use crate::tokens::{Kept, Place};

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
    username: &'a str,
    path: String,
    /// Whether a token was made now.
    made: bool,
}

pub fn run(context: &Context, args: Login) -> Result<(), Failure> {
    let name = context.provider()?;
    wait(context.output, login(context, name, args)).map_err(|failure| failure.of(name))
}

async fn login(context: &Context, name: ProviderName, args: Login) -> Result<(), Failure> {
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
    let _turn = place.lock().await?;
    let kept = place.load().await?;
    if let Some(kept) = &kept
        && !args.force
    {
        if args.username.as_ref().is_some_and(|username| *username != kept.username) {
            return Err(Failure::usage(format!("{} is signed in here", kept.username))
                .hint("sign out before (anyvpn logout), or add --force"));
        }
        if is_good(&with_token(&profile, &kept.token)).await? {
            return tell(context, name, &kept.username, &place, false);
        }
    }
    let username = match (args.username, &kept) {
        (Some(username), _) => username,
        (None, Some(kept)) if !args.force => kept.username.clone(),
        (None, _) => ask("User name:", "--username NAME")?,
    };
    let password = args.password.present("Password:")?;
    let (id, token) = make(&profile, &username, password, args.device_name).await?;
    if let Err(failure) = place.save(username.clone(), id.clone(), token.clone()).await {
        // Nobody would ever use it.
        return Err(match delete(&with_token(&profile, &token), id.as_deref()).await {
            Ok(true) => failure,
            _ => failure.leaving("a token was made nevertheless", "delete it at the provider"),
        });
    }
    tell(context, name, &username, &place, true)?;
    // The one before has no further use; it dies by its own right, whosever it was.
    if let Some(old) = kept {
        let _ = delete(&with_token(&profile, &old.token), old.id.as_deref()).await;
    }
    Ok(())
}

fn tell(
    context: &Context,
    name: ProviderName,
    username: &str,
    place: &Place,
    made: bool,
) -> Result<(), Failure> {
    let path = place.path().display().to_string();
    let answer = Answer { provider: name.as_str(), username, path, made };
    context.output.answer(&answer, || {
        let how = if made { "is signed in" } else { "was signed in already" };
        let path = plain(&answer.path);
        format!("{} {how} at {}. The token is in\n{path}", plain(username), name.title())
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

/// Where the token of the chosen address is kept, and the profile without it.
pub(super) fn place(context: &Context, name: ProviderName) -> Result<(Settings, Place), Failure> {
    if name == ProviderName::Vpngn {
        return Err(Failure::unsupported(
            "VPNGN's commands take the reseller's keys, and no token that is kept",
        )
        .hint(sign_in(Some(name))));
    }
    let settings = context.settings(name)?;
    // An address that is none is told as such.
    anyvpn::open(&settings.profile)?;
    match settings.place() {
        Some(place) => Ok((settings, place)),
        None => Err(Failure::other("there is no place to keep a token: no home folder is known")
            .hint(format!("set XDG_STATE_HOME, or use {} instead", token_variable(name)))),
    }
}

/// The profile with this token instead of its own.
pub(super) fn with_token(profile: &Profile, new: &Secret) -> Profile {
    let mut profile = profile.clone();
    if let Profile::Azire { token, .. } | Profile::VpnScript { token, .. } = &mut profile {
        *token = Some(new.clone());
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

/// Makes a token; its id, where it has one.
pub(super) async fn make(
    profile: &Profile,
    username: &str,
    password: Secret,
    device_name: String,
) -> Result<(Option<String>, Secret), Error> {
    match profile {
        Profile::Azire { .. } => {
            let azire = anyvpn::open_azire(profile)?;
            let token = azire.sign_in(username, password, device_name).await?;
            Ok((Some(token.id.to_string()), token.key))
        }
        _ => {
            let sign_in = CreateToken { username: username.to_owned(), password, device_name };
            let token = anyvpn::open_vpnscript(profile)?.call(sign_in).await?;
            Ok((None, token.token))
        }
    }
}

/// Deletes a profile's own token at the provider. Whether that can be done.
pub(super) async fn delete(profile: &Profile, id: Option<&str>) -> Result<bool, Error> {
    match (profile, id) {
        (Profile::Azire { .. }, Some(id)) => {
            let deleted = anyvpn::open_azire(profile)?.call(DeleteToken { id: id.into() }).await;
            match deleted {
                // It is gone already.
                Err(e) if matches!(e.kind(), ErrorKind::Unauthorized | ErrorKind::NotFound) => {}
                other => other?,
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Deletes what is kept, at the provider where that can be done. Whether it could.
pub(super) async fn delete_kept(profile: &Profile, kept: &Kept) -> Result<bool, Failure> {
    Ok(delete(&with_token(profile, &kept.token), kept.id.as_deref()).await?)
}
