//! Profiles: named combinations of a provider, an address and sources of secrets.
//!
//! The file itself never contains a secret.

pub mod draft;
mod entry;
mod file;
mod read;
mod source;

pub use entry::{ProfileEntry, StoreKind, name, wanted_secrets};
pub use file::{ConfigFile, LockedConfigFile};
pub use read::File;
pub use source::SecretSource;

use crate::failure::Failure;

/// Returns the failure for an unknown profile.
pub fn unknown(name: &str, file: &File) -> Failure {
    let names = file.entries.iter().map(|entry| &*entry.name);
    let hint = match crate::text::nearest(name, names) {
        Some(meant) => format!("did you mean {meant}? to list all: anyvpn profile list"),
        None => "to list all: anyvpn profile list; to add one: anyvpn profile add".to_owned(),
    };
    Failure::not_found(format!("there is no profile {name:?}")).hint(hint)
}
