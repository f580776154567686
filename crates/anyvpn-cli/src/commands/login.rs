//! `anyvpn login`

use std::sync::Arc;

use anyvpn::{Ability, ErrorKind, Provider, ProviderInfo, Settings};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use crate::context::{Chosen, Context};
use crate::environment::variable;
use crate::failure::Failure;
use crate::hidden;
use crate::kept::{Kept, LockedPlace, Place, orphans};
use crate::provider_settings::{secrets, shown_address};
use crate::secrets::{PasswordSource, ask, ask_or_nothing, is_interactive};
use crate::text::{ShownPath, capitalized, plain};
use crate::work::{ability, lacks, wait};

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn login --provider azire                Ask for user name and password
  pass azire | anyvpn login --username jo --password-file -")]
pub struct Login {
    /// The user name; without this it is asked for
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    username: Option<String>,
    /// The name under which the provider lists the token
    #[arg(long, value_name = "NAME", default_value = "anyvpn")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    device_name: String,
    /// Sign in again, although a token is kept
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
    path: Option<ShownPath>,
    /// Whether a token was made now.
    made: bool,
}

pub fn run(context: &Context, args: Login) -> Result<(), Failure> {
    let info = context.provider()?;
    wait(context, login(context, info, args)).map_err(|failure| context.explain(info, failure))
}

async fn login(context: &Context, info: &'static ProviderInfo, args: Login) -> Result<(), Failure> {
    if !info.capabilities.can(Ability::SignIn) {
        return Err(lacks(context, info, Ability::SignIn));
    }
    let (Chosen { settings, entry, .. }, provider, place) = place(context, info)?;
    if let Some(entry) = entry
        && let Some((setting, source)) = entry.sources.first()
    {
        let key = source.key(setting);
        return Err(Failure::usage(format!("the profile {} has a {key} already", entry.name))
            .hint("remove that line from the profile to sign in instead"));
    }
    // Whoever has the turn is the only one who makes a token. It also finds out whether the token
    // could be kept at all, before there is one.
    let mut locked = place.lock(context.observer()).await?;
    let kept = locked.load().await?;
    if let Some(kept) = &kept
        && !args.force
    {
        if args.username.is_some() && args.username != kept.username {
            return Err(Failure::usage(format!("{} is signed in here", who(kept)))
                .hint("sign out before (anyvpn logout), or add --force"));
        }
        if is_good(context, info, &settings, kept).await? {
            return tell(context, info, kept, &place, false);
        }
    }
    if kept.is_none()
        && !args.force
        && let Some(found) = adopted(context, info, &settings, &place, &args, &mut locked).await?
    {
        return tell(context, info, &found, &place, false);
    }
    let username = match (args.username, &kept) {
        (None, Some(Kept { username: Some(username), .. })) if !args.force => {
            Some(username.clone())
        }
        (username, _) => username,
    };
    let person = Person { username, device_name: args.device_name };
    let fields = person.fields(context, &*provider, &args.password)?;
    let new = make(context, &*provider, &fields).await?;
    if let Err(failure) = locked.save(&new).await {
        let address = shown_address(info, &settings);
        return Err(unused(&*provider, &address, &new, failure).await);
    }
    let told = tell(context, info, &new, &place, true);
    // The one before has no further use; it dies by its own right, whosever it was.
    if let Some(old) = kept {
        let _ = revoke(&*provider, &old).await;
    }
    told
}

/// Takes over a good token of the same address that no profile uses: an interrupted command left it.
async fn adopted(
    context: &Context,
    info: &'static ProviderInfo,
    settings: &Settings,
    place: &Place,
    args: &Login,
    locked: &mut LockedPlace<'_>,
) -> Result<Option<Kept>, Failure> {
    for orphan in orphans(&context.registry, context.file()?) {
        let is_wanted = args.username.is_none() || args.username == orphan.username;
        if !orphan.place.is_at(place) || !is_wanted {
            continue;
        }
        let mut left = orphan.place.lock(context.observer()).await?;
        if let Some(kept) = left.load().await?
            && is_good(context, info, settings, &kept).await?
        {
            locked.save(&kept).await?;
            left.forget().await?;
            return Ok(Some(kept));
        }
    }
    Ok(None)
}

/// Who signs in, as far as the arguments say it.
pub(super) struct Person {
    pub username: Option<String>,
    pub device_name: String,
}

impl Person {
    /// What the provider takes for signing in: from the arguments, or else asked for.
    pub fn fields(
        self,
        context: &Context,
        provider: &dyn Provider,
        password: &PasswordSource,
    ) -> Result<Settings, Failure> {
        let sign_in = ability(context, provider, provider.sign_in(), Ability::SignIn)?;
        let mut fields = Settings::new();
        for field in sign_in.sign_in_fields() {
            let question = format!("{}:", capitalized(field.title));
            match field.key {
                "username" => fields.set(
                    field.key,
                    match &self.username {
                        Some(username) => username.clone(),
                        None => ask(&question, "--username NAME")?,
                    },
                ),
                "password" => fields.set(field.key, password.present(&question)?),
                "device_name" => fields.set(field.key, self.device_name.clone()),
                _ if !field.required => {}
                _ if field.secret && is_interactive() => {
                    fields.set(field.key, hidden::ask(&question)?)
                }
                _ => {
                    if let Some(answer) = ask_or_nothing(field.title, &question, "a terminal")? {
                        fields.set(field.key, answer);
                    }
                }
            }
        }
        Ok(fields)
    }
}

/// Signs in.
pub(super) async fn make(
    context: &Context,
    provider: &dyn Provider,
    fields: &Settings,
) -> Result<Kept, Failure> {
    let sign_in = ability(context, provider, provider.sign_in(), Ability::SignIn)?;
    let credential = sign_in.obtain_credential(fields).await?;
    Ok(Kept::made(fields.text("username").map(str::to_owned), credential))
}

/// Revokes a token that was made, and that nobody would ever use.
/// `address` is where it exists.
pub(super) async fn unused(
    provider: &dyn Provider,
    address: &str,
    made: &Kept,
    failure: Failure,
) -> Failure {
    match revoke(provider, made).await {
        Ok(true) => failure,
        _ => {
            let who = who(made);
            let left = format!("the token that was made for {who} still exists at {address}");
            failure.leaving(&left, "delete it there, in the account's list of tokens")
        }
    }
}

/// Revokes what is kept, where the provider can. Whether it could.
pub(super) async fn revoke(provider: &dyn Provider, kept: &Kept) -> Result<bool, anyvpn::Error> {
    // Of what a person typed, neither the provider's id nor a name is known.
    match provider.sign_out().filter(|_| kept.id.is_some() || kept.username.is_some()) {
        Some(sign_out) => sign_out.revoke_credential(&kept.credential()).await.map(|()| true),
        None => Ok(false),
    }
}

fn who(kept: &Kept) -> &str {
    kept.username.as_deref().unwrap_or("somebody")
}

fn tell(
    context: &Context,
    info: &'static ProviderInfo,
    kept: &Kept,
    place: &Place,
    made: bool,
) -> Result<(), Failure> {
    let path = place.path().map(Into::into);
    let username = kept.username.as_deref();
    let answer = Answer { provider: info.name, username, path, made };
    context.output.answer(&answer, || {
        let how = if made { "is signed in" } else { "was signed in already" };
        let (who, place) = (plain(who(kept)), plain(&place.shown()));
        format!("{who} {how} at {}. The token is in\n{place}", info.title)
    })?;
    let mut variables = secrets(info).map(|setting| setting.variable(info.name));
    if let Some(set) = variables.find(|name| variable(name).is_some()) {
        context.output.note(&format!("{set} is set, and counts more than that token."));
    }
    Ok(())
}

/// The provider without a credential, and where the secrets of its address are kept.
pub(super) fn place(
    context: &Context,
    info: &'static ProviderInfo,
) -> Result<(Chosen, Arc<dyn Provider>, Place), Failure> {
    let chosen = context.chosen(info)?;
    // An address that is none is told as such.
    let provider = context.open_with(info, &chosen.settings)?;
    match chosen.place() {
        Some(place) => Ok((chosen, provider, place)),
        None if !info.capabilities.can(Ability::SignIn) => {
            Err(lacks(context, info, Ability::SignIn))
        }
        None => {
            let variables = secrets(info).map(|setting| setting.variable(info.name));
            let variables = variables.collect::<Vec<_>>().join(" and ");
            Err(Failure::other("there is no place to keep a token: no home folder is known")
                .hint(format!("set XDG_STATE_HOME, or use {variables} instead")))
        }
    }
}

/// Whether the provider takes the token.
pub(super) async fn is_good(
    context: &Context,
    info: &ProviderInfo,
    settings: &Settings,
    kept: &Kept,
) -> Result<bool, Failure> {
    let mut with_kept = kept.secrets.clone();
    with_kept.fill_from(settings.clone());
    let provider = context.open_with(info, &with_kept)?;
    let Some(accounts) = provider.accounts() else {
        return Ok(true);
    };
    match accounts.account().await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Unauthorized => Ok(false),
        Err(error) => Err(error.into()),
    }
}
