//! `anyvpn profile`

mod add;
mod check;
mod prune;
mod questions;
pub mod secret_options;

use clap::Subcommand;
use serde::Serialize;

use super::login::revoke;
use crate::context::Context;
use crate::failure::Failure;
use crate::kept::{self, Place};
use crate::profiles::{self, ConfigFile, File, ProfileEntry, Store, name};
use crate::text::{Column, ShownPath, listing, plain, table};
use crate::work::wait;

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Profiles {
    /// Add a profile: asks what the options do not say
    Add(Box<add::Add>),
    /// List the profiles
    List,
    /// Show a profile
    Show {
        /// Which one
        #[arg(value_parser = name)]
        name: String,
    },
    /// Make a profile the one that is used where none is named
    Use {
        /// Which one
        #[arg(value_parser = name)]
        name: String,
    },
    /// Remove a profile, and its kept token, at the provider too where that can be done
    Remove {
        /// Which one
        #[arg(value_parser = name)]
        name: String,
        /// Leave the token at the provider as it is
        #[arg(long)]
        local: bool,
    },
    /// Remove kept tokens that no profile uses, at the provider too where that can be done
    Prune(prune::Prune),
}

#[derive(Serialize)]
struct Listed {
    profiles: Vec<Shown>,
    /// Kept tokens that no profile uses.
    unused: Vec<prune::Unused>,
    path: ShownPath,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    provider: &'static str,
    address: String,
    /// Where its secrets come from.
    sign_in: Vec<String>,
    /// Whether it is used where none is named.
    default: bool,
}

#[derive(Serialize)]
struct Done<'a> {
    done: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at_provider: Option<bool>,
}

pub fn run(context: &Context, command: Profiles) -> Result<(), Failure> {
    match command {
        Profiles::Add(args) => wait(context, add::run(context, *args)),
        Profiles::List => list(context),
        Profiles::Show { name } => show(context, &name),
        Profiles::Use { name } => wait(context, choose(context, &name)),
        Profiles::Remove { name, local } => wait(context, remove(context, &name, local)),
        Profiles::Prune(args) => wait(context, prune::run(context, &args)),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    let file = config.read(&context.registry)?;
    let shown = file.entries.iter().map(|entry| shown(entry, &file));
    let unused = prune::unused(&kept::orphans(&context.registry, &file));
    let answer = Listed { profiles: shown.collect(), unused, path: config.path().into() };
    context.output.answer(&answer, || {
        if answer.profiles.is_empty() {
            return "There are no profiles: anyvpn profile add NAME makes one.".to_owned();
        }
        let rows = answer.profiles.iter().map(|it| {
            let star = if it.default { "*" } else { "" };
            let (provider, address) = (it.provider.to_owned(), it.address.clone());
            vec![star.to_owned(), it.name.clone(), provider, address, it.sign_in.join("\n")]
        });
        let columns = [
            Column::Text("*"),
            Column::Whole("NAME"),
            Column::Whole("PROVIDER"),
            Column::Text("ADDRESS"),
            Column::Text("SIGN-IN"),
        ];
        table(&columns, rows.collect())
    })?;
    if !answer.unused.is_empty() {
        let unused: Vec<_> = answer.unused.iter().map(prune::Unused::shown).collect();
        context.output.note(&format!(
            "No profile uses what is kept for {}. anyvpn profile add NAME uses it again, and anyvpn \
             profile prune removes it.",
            unused.join(", ")
        ));
    }
    Ok(())
}

fn show(context: &Context, name: &str) -> Result<(), Failure> {
    let file = ConfigFile::needed()?.read(&context.registry)?;
    let shown = shown(found(&file, name)?, &file);
    context.output.answer(&shown, || {
        listing(vec![
            ("Name", shown.name.clone()),
            ("Provider", shown.provider.to_owned()),
            ("Address", shown.address.clone()),
            ("Sign-in", shown.sign_in.join("\n")),
            ("Default", if shown.default { "yes" } else { "no" }.to_owned()),
        ])
    })
}

async fn choose(context: &Context, name: &str) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    let (mut turn, file) = config.turn(&context.registry, &context.observer()).await?;
    found(&file, name)?;
    turn.draft.set_default(name);
    turn.write()?;
    let done = Done { done: "use", name, deleted_at_provider: None };
    context.output.answer(&done, || format!("{name} is used where no profile is named."))
}

async fn remove(context: &Context, name: &str, local: bool) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    let (mut turn, file) = config.turn(&context.registry, &context.observer()).await?;
    let entry = found(&file, name)?;
    let place = kept_place(entry);
    let mut deleted = false;
    let mut left = None;
    if let Some(place) = place {
        match forget(context, &place, local).await {
            Ok(it) => deleted = it,
            // A keyring that is gone must not hold the profile.
            Err(failure) if local => left = Some(failure),
            Err(failure) => {
                let hint = "the profile is still there; try again, or add --local";
                return Err(failure.hint(hint).of(entry.provider));
            }
        }
    }
    turn.draft.remove(name);
    turn.write()?;
    if let Some(failure) = left {
        context.output.note(&format!("What was kept for it may still be there: {failure}"));
    }
    let done = Done { done: "remove", name, deleted_at_provider: Some(deleted) };
    context.output.answer(&done, || format!("The profile {name} is removed."))
}

/// Forgets what is kept in a place, at the provider too where that can be done and not `local`.
/// Whether it could.
async fn forget(context: &Context, place: &Place, local: bool) -> Result<bool, Failure> {
    let mut locked = place.lock(context.observer()).await?;
    let mut deleted = false;
    // The token first: without the profile nobody would find it.
    if let (false, Some(kept)) = (local, locked.load().await?) {
        let provider = context.open_with(place.provider, &place.settings())?;
        deleted = revoke(&*provider, &kept).await?;
    }
    locked.forget().await?;
    Ok(deleted)
}

fn found<'a>(file: &'a File, name: &str) -> Result<&'a ProfileEntry, Failure> {
    file.get(name).ok_or_else(|| profiles::unknown(name, file))
}

fn shown(entry: &ProfileEntry, file: &File) -> Shown {
    let mut sign_in: Vec<String> = entry.sign_in();
    for setting in entry.without_source() {
        let what = setting.title;
        sign_in.push(match (kept_place(entry).is_some(), entry.store) {
            (true, Store::File) => format!("kept {what}"),
            (true, Store::Keyring) => format!("{what} in the keyring"),
            (false, _) => "environment".to_owned(),
        });
    }
    sign_in.dedup();
    Shown {
        name: entry.name.clone(),
        provider: entry.provider.name,
        address: plain(&entry.address()),
        sign_in,
        default: file.default.as_ref() == Some(&entry.name),
    }
}

/// Where something may be kept for a profile.
fn kept_place(entry: &ProfileEntry) -> Option<Place> {
    Place::of(entry.provider, &entry.settings, Some(entry)).filter(Place::may_have)
}
