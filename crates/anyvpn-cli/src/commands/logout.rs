//! `anyvpn logout`: deletes the stored token, here and at the provider.

use anyvpn::{Ability, Capability, ProviderInfo};
use clap::Args;
use serde::Serialize;

use super::login::{revoke, store};
use crate::context::Context;
use crate::failure::Failure;
use crate::text::plain;
use crate::work::wait;

#[derive(Args)]
pub struct Logout {
    /// Delete the token only here, without revoking it at the provider
    #[arg(long)]
    local: bool,
}

#[derive(Serialize)]
struct Answer {
    provider: &'static str,
    /// `None` if nobody was signed in, or the user is not known.
    username: Option<String>,
    /// Whether the token was revoked at the provider.
    deleted_at_provider: bool,
}

pub fn run(context: &Context, args: &Logout) -> Result<(), Failure> {
    let info = context.provider()?;
    let done = logout(context, info, args.local);
    wait(context, done).map_err(|failure| context.with_situation(info, failure))
}

async fn logout(
    context: &Context,
    info: &'static ProviderInfo,
    local: bool,
) -> Result<(), Failure> {
    let (_, provider, store) = store(context, info)?;
    let mut answer = Answer { provider: info.name, username: None, deleted_at_provider: false };
    // Locking creates the folder, which is needless if nothing is stored.
    if store.load().await?.is_none() {
        let text = || format!("You are not signed in at {}.", info.title);
        return context.output.answer(&answer, text);
    }
    let mut locked = store.lock(context.observer()).await?;
    if let Some(kept) = locked.load().await? {
        if !local {
            let revoked = revoke(&*provider, &kept).await.map_err(|error| {
                Failure::from(error)
                    .hint("the token is still stored; try again, or delete it only here: --local")
            })?;
            answer.deleted_at_provider = revoked;
        }
        locked.forget().await?;
        answer.username = kept.username;
    }
    context.output.answer(&answer, || match &answer.username {
        Some(username) => plain(&format!("{username} is signed out of {}.", info.title)),
        None => format!("The stored secrets for {} are deleted.", info.title),
    })?;
    if !answer.deleted_at_provider {
        let why = match info.capabilities.of(Ability::SignOut) {
            Capability::Cannot { why, .. } => format!(": {why}"),
            _ => String::new(),
        };
        let note = format!("The token itself stays valid until it expires at the provider{why}.");
        context.output.note(&note);
    }
    Ok(())
}
