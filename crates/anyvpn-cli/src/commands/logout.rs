//! `anyvpn logout`

use anyvpn::ProviderName;
use serde::Serialize;

use super::login::{delete_kept, place};
use super::wait;
use crate::context::{Context, Settings};
use crate::failure::Failure;
use crate::text::plain;

#[derive(Serialize)]
struct Answer {
    provider: &'static str,
    /// Absent when nobody was signed in.
    username: Option<String>,
    /// Whether the provider does not take the token any more.
    deleted_at_provider: bool,
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let name = context.provider()?;
    wait(context.output, logout(context, name)).map_err(|failure| failure.of(name))
}

async fn logout(context: &Context, name: ProviderName) -> Result<(), Failure> {
    let (Settings { profile, .. }, place) = place(context, name)?;
    let mut answer = Answer { provider: name.as_str(), username: None, deleted_at_provider: false };
    // Where nothing is kept, nothing is made to keep it in.
    if place.load().await?.is_none() {
        let text = || format!("Nobody is signed in at {}.", name.title());
        return context.output.answer(&answer, text);
    }
    let _turn = place.lock().await?;
    if let Some(kept) = place.load().await? {
        let path = place.path().display();
        let deleted = delete_kept(&profile, &kept).await.map_err(|failure| {
            failure.hint(format!("the token is still kept; try again, or remove {path}"))
        })?;
        place.forget().await?;
        answer.username = Some(kept.username);
        answer.deleted_at_provider = deleted;
    }
    context.output.answer(&answer, || {
        let username = answer.username.as_deref().unwrap_or_default();
        plain(&format!("{username} is signed out of {}", name.title()))
    })?;
    if !answer.deleted_at_provider {
        let note = format!(
            "{}'s API has no call that deletes a token: it stays good until the provider ends it.",
            name.title()
        );
        context.output.note(&note);
    }
    Ok(())
}
