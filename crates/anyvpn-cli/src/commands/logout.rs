//! `anyvpn logout`

use anyvpn::ProviderName;
use clap::Args;
use serde::Serialize;

use super::login::{delete_kept, place};
use super::wait;
use crate::context::{Context, Settings};
use crate::failure::Failure;
use crate::text::plain;

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
    let name = context.provider()?;
    let done = logout(context, name, args.local);
    wait(context.output, done).map_err(|failure| context.explain(name, failure))
}

async fn logout(context: &Context, name: ProviderName, local: bool) -> Result<(), Failure> {
    let (Settings { profile, .. }, place) = place(context, name)?;
    let mut answer = Answer { provider: name.as_str(), username: None, deleted_at_provider: false };
    // Where nothing is kept, nothing is made to keep it in.
    if place.load().await?.is_none() {
        let text = || format!("Nobody is signed in at {}.", name.title());
        return context.output.answer(&answer, text);
    }
    let mut locked = place.lock().await?;
    if let Some(kept) = locked.load().await? {
        if !local {
            let deleted = delete_kept(&profile, &kept).await.map_err(|error| {
                Failure::from(error)
                    .hint("it is still kept; try again, or forget it here alone: --local")
            })?;
            answer.deleted_at_provider = deleted;
        }
        locked.forget().await?;
        answer.username = kept.username;
    }
    context.output.answer(&answer, || match &answer.username {
        Some(username) => plain(&format!("{username} is signed out of {}", name.title())),
        None => format!("What was kept for {} is forgotten.", name.title()),
    })?;
    if !answer.deleted_at_provider {
        let why = match name {
            ProviderName::VpnScript => "VPN Script's API has no call that deletes a token: it",
            _ => "What the provider gave",
        };
        context.output.note(&format!("{why} stays good until the provider ends it."));
    }
    Ok(())
}
