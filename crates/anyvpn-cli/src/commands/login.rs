//! `anyvpn login`: signs in and stores the token.

use std::sync::Arc;

use anyvpn::{Ability, ErrorKind, Provider, ProviderInfo, Settings};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;

use crate::context::{Chosen, Context};
use crate::credential_store::{CredentialStore, LockedStore, StoredCredentials, orphans};
use crate::environment::variable;
use crate::failure::Failure;
use crate::hidden;
use crate::provider_settings::{secrets, shown_address};
use crate::secrets::{PasswordSource, ask, ask_or_nothing, is_interactive};
use crate::text::{ShownPath, capitalized, plain};
use crate::work::{ability, lacks, wait};

#[derive(Args)]
#[command(after_help = "\
Examples:
  anyvpn login --provider azire       Ask for user name and password
  pass azire | anyvpn login --username jo --password-file -")]
pub struct Login {
    /// The user name [default: ask for it]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    username: Option<String>,
    /// The name of this device in the provider's list of tokens
    #[arg(long, value_name = "NAME", default_value = "anyvpn")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    device_name: String,
    /// Sign in again even if a token is stored
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Serialize)]
struct Answer<'a> {
    provider: &'static str,
    /// `None` if the user typed the token itself.
    username: Option<&'a str>,
    /// `None` if the token is in the system's keyring.
    path: Option<ShownPath>,
    /// Whether this command created the token.
    made: bool,
}

pub fn run(context: &Context, args: Login) -> Result<(), Failure> {
    let info = context.provider()?;
    wait(context, login(context, info, args))
        .map_err(|failure| context.with_situation(info, failure))
}

async fn login(context: &Context, info: &'static ProviderInfo, args: Login) -> Result<(), Failure> {
    if !info.capabilities.can(Ability::SignIn) {
        return Err(lacks(context, info, Ability::SignIn));
    }
    let (Chosen { settings, entry, .. }, provider, store) = store(context, info)?;
    if let Some(entry) = entry
        && let Some((setting, source)) = entry.sources.first()
    {
        let key = source.key(setting);
        return Err(Failure::usage(format!("profile {} already has a {key}", entry.name))
            .hint("to sign in instead, remove that line from the profile"));
    }
    // Only the holder of the lock creates a token. Locking also checks that the token can be stored,
    // before it is created.
    let mut locked = store.lock(context.observer()).await?;
    let kept = locked.load().await?;
    if let Some(kept) = &kept
        && !args.force
    {
        if args.username.is_some() && args.username != kept.username {
            return Err(Failure::usage(format!("{} is already signed in", who(kept)))
                .hint("sign out first (anyvpn logout), or add --force"));
        }
        if is_good(context, info, &settings, kept).await? {
            return tell(context, info, kept, &store, false);
        }
    }
    if kept.is_none()
        && !args.force
        && let Some(found) = adopted(context, info, &settings, &store, &args, &mut locked).await?
    {
        return tell(context, info, &found, &store, false);
    }
    let username = match (args.username, &kept) {
        (None, Some(StoredCredentials { username: Some(username), .. })) if !args.force => {
            Some(username.clone())
        }
        (username, _) => username,
    };
    let person = Person { username, device_name: args.device_name };
    let fields = person.fields(context, &*provider, &args.password)?;
    let new = obtain(context, &*provider, &fields).await?;
    if let Err(failure) = locked.save(&new).await {
        let address = shown_address(info, &settings);
        return Err(discard(&*provider, &address, &new, failure).await);
    }
    let told = tell(context, info, &new, &store, true);
    // The old token is not used any more. It is revoked with itself, since it may be another user's.
    if let Some(old) = kept {
        let _ = revoke(&*provider, &old).await;
    }
    told
}

/// Adopts a valid token for the same address that no profile uses. An interrupted command leaves one.
async fn adopted(
    context: &Context,
    info: &'static ProviderInfo,
    settings: &Settings,
    store: &CredentialStore,
    args: &Login,
    locked: &mut LockedStore<'_>,
) -> Result<Option<StoredCredentials>, Failure> {
    for orphan in orphans(&context.registry, context.file()?) {
        let is_wanted = args.username.is_none() || args.username == orphan.username;
        if !orphan.store.is_at(store) || !is_wanted {
            continue;
        }
        let mut left = orphan.store.lock(context.observer()).await?;
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

/// What the arguments say about the user who signs in.
pub(super) struct Person {
    pub username: Option<String>,
    pub device_name: String,
}

impl Person {
    /// Collects the fields for signing in, and asks for those that the arguments do not give.
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

/// Signs in and returns the new credentials.
pub(super) async fn obtain(
    context: &Context,
    provider: &dyn Provider,
    fields: &Settings,
) -> Result<StoredCredentials, Failure> {
    let sign_in = ability(context, provider, provider.sign_in(), Ability::SignIn)?;
    let credential = sign_in.obtain_credential(fields).await?;
    Ok(StoredCredentials::obtained(fields.text("username").map(str::to_owned), credential))
}

/// Revokes a new token that could not be stored. If that fails too, the failure names the token, which
/// exists at `address`.
pub(super) async fn discard(
    provider: &dyn Provider,
    address: &str,
    new: &StoredCredentials,
    failure: Failure,
) -> Failure {
    match revoke(provider, new).await {
        Ok(true) => failure,
        _ => {
            let left = format!("the new token of {} still exists at {address}", who(new));
            failure.leaving(&left, "delete it there, in the account's list of tokens")
        }
    }
}

/// Revokes credentials at the provider, and returns whether they were revoked. Some providers cannot.
pub(super) async fn revoke(
    provider: &dyn Provider,
    kept: &StoredCredentials,
) -> Result<bool, anyvpn::Error> {
    // A token that the user typed has neither an id nor a user name, so we cannot revoke it.
    match provider.sign_out().filter(|_| kept.id.is_some() || kept.username.is_some()) {
        Some(sign_out) => sign_out.revoke_credential(&kept.credential()).await.map(|()| true),
        None => Ok(false),
    }
}

fn who(kept: &StoredCredentials) -> &str {
    kept.username.as_deref().unwrap_or("the user of the stored token")
}

fn tell(
    context: &Context,
    info: &'static ProviderInfo,
    kept: &StoredCredentials,
    store: &CredentialStore,
    made: bool,
) -> Result<(), Failure> {
    let path = store.path().map(Into::into);
    let username = kept.username.as_deref();
    let answer = Answer { provider: info.name, username, path, made };
    context.output.answer(&answer, || {
        let how = if made { "is now signed in" } else { "is already signed in" };
        let (who, store) = (plain(who(kept)), plain(&store.shown()));
        format!("{who} {how} at {}. The token is stored in\n{store}", info.title)
    })?;
    let mut variables = secrets(info).map(|setting| setting.variable(info.name));
    if let Some(set) = variables.find(|name| variable(name).is_some()) {
        context.output.note(&format!("{set} is set and overrides the stored token."));
    }
    Ok(())
}

/// Opens the provider without credentials, and returns the store of its credentials.
pub(super) fn store(
    context: &Context,
    info: &'static ProviderInfo,
) -> Result<(Chosen, Arc<dyn Provider>, CredentialStore), Failure> {
    let chosen = context.chosen(info)?;
    // This reports an invalid address.
    let provider = context.open_with(info, &chosen.settings)?;
    match chosen.store() {
        Some(store) => Ok((chosen, provider, store)),
        None if !info.capabilities.can(Ability::SignIn) => {
            Err(lacks(context, info, Ability::SignIn))
        }
        None => {
            let variables = secrets(info).map(|setting| setting.variable(info.name));
            let variables = variables.collect::<Vec<_>>().join(" and ");
            Err(Failure::other("cannot store a token: no home folder is known")
                .hint(format!("set HOME or XDG_STATE_HOME, or use {variables} instead")))
        }
    }
}

/// Whether the provider accepts the stored token.
pub(super) async fn is_good(
    context: &Context,
    info: &ProviderInfo,
    settings: &Settings,
    kept: &StoredCredentials,
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
