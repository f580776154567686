//! `anyvpn profile prune`

use clap::Args;
use serde::Serialize;

use super::forget;
use crate::context::Context;
use crate::failure::Failure;
use crate::kept::{Orphan, orphans};
use crate::profiles::ConfigFile;
use crate::secrets::confirm;
use crate::text::{ShownPath, plain};

#[derive(Args)]
pub struct Prune {
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Leave the tokens at the provider as they are
    #[arg(long)]
    local: bool,
}

/// What is kept and no profile uses.
#[derive(Serialize)]
pub struct Unused {
    /// The profile that it was for.
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
    /// Whether the provider does not take the token any more.
    deleted_at_provider: bool,
}

impl Unused {
    fn of(orphan: &Orphan) -> Self {
        Self {
            profile: orphan.profile.clone(),
            provider: orphan.place.provider.name,
            username: orphan.username.clone(),
            path: orphan.place.path().map(Into::into),
        }
    }

    /// The profile, the provider and the user in words.
    pub fn shown(&self) -> String {
        let who = self.username.as_ref().map(|name| format!("{name} at ")).unwrap_or_default();
        format!("{} ({who}{})", self.profile, self.provider)
    }
}

/// What is kept and no profile uses, as an answer has it.
pub fn unused(orphans: &[Orphan]) -> Vec<Unused> {
    orphans.iter().map(Unused::of).collect()
}

pub async fn run(context: &Context, args: &Prune) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    // Nobody adds a profile meanwhile.
    let (_turn, file) = config.turn(&context.registry, &context.observer()).await?;
    let orphans = orphans(&context.registry, &file);
    if !orphans.is_empty() && !args.yes {
        let shown: Vec<_> = orphans.iter().map(|it| Unused::of(it).shown()).collect();
        let question =
            format!("Remove what is kept for {}, at the provider too?", shown.join(", "));
        confirm(&question, "--yes")?;
    }
    let mut removed = Vec::new();
    for orphan in &orphans {
        let deleted = forget(context, &orphan.place, args.local).await.map_err(|failure| {
            failure
                .of(orphan.place.provider)
                .part_of(format!("what is kept for {}", orphan.profile))
                .hint("it is still kept; try again, or remove it here alone: --local")
        })?;
        removed.push(Removed { unused: Unused::of(orphan), deleted_at_provider: deleted });
    }
    let answer = Answer { removed };
    context.output.answer(&answer, || {
        if answer.removed.is_empty() {
            return "A profile uses each token that is kept.".to_owned();
        }
        let line = |it: &Removed| plain(&format!("{} is removed.", it.unused.shown()));
        answer.removed.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
