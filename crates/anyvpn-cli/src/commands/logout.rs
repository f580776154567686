//! `anyvpn logout`

use anyvpn::{Ability, Capability, ProviderInfo};
use clap::Args;
use serde::Serialize;

use super::login::{place, revoke};
use crate::context::Context;
use crate::failure::Failure;
use crate::text::plain;
use crate::work::wait;

#[derive(Args)]
pub struct Logout {
    /// Forget it here, and leave the token at the provider as it is
    #[arg(long)]
    local: bool,
}

#[derive(Serialize)]
struct Answer {
    provider: &'static str,
    /// Absent when nobody was signed in, or it is not known who.
    username: Option<String>,
    /// Whether the provider does not take the token any more.
    deleted_at_provider: bool,
}

pub fn run(context: &Context, args: &Logout) -> Result<(), Failure> {
    let info = context.provider()?;
    let done = logout(context, info, args.local);
    wait(context, done).map_err(|failure| context.explain(info, failure))
}

async fn logout(
    context: &Context,
    info: &'static ProviderInfo,
    local: bool,
) -> Result<(), Failure> {
    let (_, provider, place) = place(context, info)?;
    let mut answer = Answer { provider: info.name, username: None, deleted_at_provider: false };
    // Where nothing is kept, nothing is made to keep it in.
    if place.load().await?.is_none() {
        let text = || format!("Nobody is signed in at {}.", info.title);
        return context.output.answer(&answer, text);
    }
    let mut locked = place.lock(context.observer()).await?;
    if let Some(kept) = locked.load().await? {
        if !local {
            let revoked = revoke(&*provider, &kept).await.map_err(|error| {
                Failure::from(error)
                    .hint("it is still kept; try again, or forget it here alone: --local")
            })?;
            answer.deleted_at_provider = revoked;
        }
        locked.forget().await?;
        answer.username = kept.username;
    }
    context.output.answer(&answer, || match &answer.username {
        Some(username) => plain(&format!("{username} is signed out of {}", info.title)),
        None => format!("What was kept for {} is forgotten.", info.title),
    })?;
    if !answer.deleted_at_provider {
        let why = match info.capabilities.of(Ability::SignOut) {
            Capability::Cannot { why, .. } => format!(": {why}"),
            _ => String::new(),
        };
        let note = format!("The token stays valid until the provider ends it{why}.");
        context.output.note(&note);
    }
    Ok(())
}
