//! `anyvpn profile prune`: removes stored secrets that no profile uses.

use clap::Args;
use serde::Serialize;

use super::forget;
use crate::context::Context;
use crate::credential_store::{Orphan, orphans, remove_leftovers};
use crate::failure::Failure;
use crate::profiles::ConfigFile;
use crate::secrets::confirm;
use crate::text::{ShownPath, plain};

#[derive(Args)]
pub struct Prune {
    /// Skip the confirmation prompt
    #[arg(long)]
    yes: bool,
    /// Do not revoke the tokens at the provider
    #[arg(long)]
    local: bool,
}

/// Stored secrets that no profile uses.
#[derive(Serialize)]
pub struct Unused {
    /// The profile to which they belonged.
    profile: String,
    provider: &'static str,
    username: Option<String>,
    path: Option<ShownPath>,
}

#[derive(Serialize)]
struct Answer {
    removed: Vec<Removed>,
}

#[derive(Serialize)]
struct Removed {
    #[serde(flatten)]
    unused: Unused,
    /// Whether the token was revoked at the provider.
    deleted_at_provider: bool,
}

impl Unused {
    fn of(orphan: &Orphan) -> Self {
        Self {
            profile: orphan.profile.clone(),
            provider: orphan.store.provider.name,
            username: orphan.username.clone(),
            path: orphan.store.path().map(Into::into),
        }
    }

    /// Describes the secrets by profile, provider and user.
    pub fn shown(&self) -> String {
        let who = self.username.as_ref().map(|name| format!("{name} at ")).unwrap_or_default();
        format!("{} ({who}{})", self.profile, self.provider)
    }
}

/// Converts the orphans to the form in which the command prints them.
pub fn unused(orphans: &[Orphan]) -> Vec<Unused> {
    orphans.iter().map(Unused::of).collect()
}

pub async fn run(context: &Context, args: &Prune) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    // The lock keeps other commands from adding a profile meanwhile.
    let (_config_lock, file) = config.lock(&context.registry, &context.observer()).await?;
    remove_leftovers();
    let orphans = orphans(&context.registry, &file);
    if !orphans.is_empty() && !args.yes {
        let shown: Vec<_> = orphans.iter().map(|orphan| Unused::of(orphan).shown()).collect();
        let question = match args.local {
            true => format!("Remove the stored secrets of {}?", shown.join(", ")),
            false => format!("Remove and revoke the stored secrets of {}?", shown.join(", ")),
        };
        confirm(&question, "--yes")?;
    }
    let mut removed = Vec::new();
    for orphan in &orphans {
        let deleted = forget(context, &orphan.store, args.local).await.map_err(|failure| {
            failure
                .of(orphan.store.provider)
                .within(format!("the stored secrets of {}", orphan.profile))
                .hint("they are still stored; try again, or remove them only here: --local")
        })?;
        removed.push(Removed { unused: Unused::of(orphan), deleted_at_provider: deleted });
    }
    let answer = Answer { removed };
    context.output.answer(&answer, || {
        if answer.removed.is_empty() {
            return "There are no unused secrets.".to_owned();
        }
        let line = |removed: &Removed| plain(&format!("Removed {}.", removed.unused.shown()));
        answer.removed.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
