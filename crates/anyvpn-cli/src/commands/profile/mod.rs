//! `anyvpn profile`: named combinations of a provider, an address and credentials.

mod add;
mod check;
mod prune;
mod questions;
pub mod secret_options;

use clap::Subcommand;
use serde::Serialize;

use super::login::revoke;
use crate::context::Context;
use crate::credential_store::{self, CredentialStore};
use crate::failure::Failure;
use crate::profiles::{self, ConfigFile, File, ProfileEntry, StoreKind, name};
use crate::text::{Column, ShownPath, listing, plain, table};
use crate::work::wait;

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  anyvpn profile add home            Sign in, step by step
  anyvpn --profile home account show")]
pub enum Profiles {
    /// Add a profile; asks for what no option or variable gives
    Add(Box<add::Add>),
    /// List all profiles
    List,
    /// Show a profile
    Show {
        /// The name of the profile
        #[arg(value_parser = name)]
        name: String,
    },
    /// Make a profile the default
    Use {
        /// The name of the profile
        #[arg(value_parser = name)]
        name: String,
    },
    /// Remove a profile and its stored token, and revoke the token if possible
    Remove {
        /// The name of the profile
        #[arg(value_parser = name)]
        name: String,
        /// Do not revoke the token at the provider
        #[arg(long)]
        local: bool,
    },
    /// Remove stored tokens that no profile uses, and revoke them if possible
    Prune(prune::Prune),
}

#[derive(Serialize)]
struct Listed {
    profiles: Vec<Shown>,
    /// Stored credentials that no profile uses.
    unused: Vec<prune::Unused>,
    path: ShownPath,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    provider: &'static str,
    address: String,
    /// The sources of its secrets.
    sign_in: Vec<String>,
    /// Whether this is the default profile.
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
    let unused = prune::unused(&credential_store::orphans(&context.registry, &file));
    let answer = Listed { profiles: shown.collect(), unused, path: config.path().into() };
    context.output.answer(&answer, || {
        if answer.profiles.is_empty() {
            return "You have no profiles. To add one: anyvpn profile add NAME".to_owned();
        }
        let rows = answer.profiles.iter().map(|profile| {
            let star = if profile.default { "*" } else { "" };
            let (name, provider) = (profile.name.clone(), profile.provider.to_owned());
            let sign_in = profile.sign_in.join("\n");
            vec![star.to_owned(), name, provider, profile.address.clone(), sign_in]
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
            "Stored secrets that no profile uses: {}. To use them, run anyvpn profile add NAME. To remove \
             them, run anyvpn profile prune.",
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
    let (mut config_lock, file) = config.lock(&context.registry, &context.observer()).await?;
    found(&file, name)?;
    config_lock.draft.set_default(name);
    config_lock.write()?;
    let done = Done { done: "use", name, deleted_at_provider: None };
    context.output.answer(&done, || format!("{name} is now the default profile."))
}

async fn remove(context: &Context, name: &str, local: bool) -> Result<(), Failure> {
    let config = ConfigFile::needed()?;
    let (mut config_lock, file) = config.lock(&context.registry, &context.observer()).await?;
    let entry = found(&file, name)?;
    let store = credential_store(entry);
    let mut deleted = false;
    let mut left = None;
    if let Some(store) = store {
        match forget(context, &store, local).await {
            Ok(revoked) => deleted = revoked,
            // A profile can be removed even if its keyring is gone.
            Err(failure) if local => left = Some(failure),
            Err(failure) => {
                let hint = "the profile was not removed; try again, or add --local";
                return Err(failure.hint(hint).of(entry.provider));
            }
        }
    }
    config_lock.draft.remove(name);
    config_lock.write()?;
    if let Some(failure) = left {
        context.output.note(&format!("Its stored secrets may still exist: {failure}"));
    }
    let done = Done { done: "remove", name, deleted_at_provider: Some(deleted) };
    context.output.answer(&done, || format!("Removed profile {name}."))
}

/// Deletes the credentials in a store, and revokes them at the provider unless `local` is set. Returns
/// whether they were revoked.
async fn forget(context: &Context, store: &CredentialStore, local: bool) -> Result<bool, Failure> {
    let mut locked = store.lock(context.observer()).await?;
    let mut deleted = false;
    // Revoke the token first. Once it is deleted here, it can no longer be found.
    if !local && let Some(kept) = locked.load().await? {
        let provider = context.open_with(store.provider, &store.settings())?;
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
        sign_in.push(match (credential_store(entry).is_some(), entry.store) {
            (true, StoreKind::File) => format!("stored {what}"),
            (true, StoreKind::Keyring) => format!("{what} in the keyring"),
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

/// Returns the store of a profile, if there may be something in it.
fn credential_store(entry: &ProfileEntry) -> Option<CredentialStore> {
    CredentialStore::of(entry.provider, &entry.settings, Some(entry))
        .filter(CredentialStore::may_have)
}
