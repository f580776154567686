//! Profiles: which provider, where, and where its secrets come from, under a name.
//!
//! The file never holds a secret.

pub mod draft;
mod entry;
mod file;
mod read;
mod source;

pub use entry::{ProfileEntry, Store, name, wanted_secrets};
pub use file::{ConfigFile, Turn};
pub use read::File;
pub use source::SecretSource;

use crate::failure::Failure;

/// There is none of that name.
pub fn unknown(name: &str, file: &File) -> Failure {
    let names = file.entries.iter().map(|entry| &*entry.name);
    let hint = match crate::text::nearest(name, names) {
        Some(meant) => format!("did you mean {meant}? anyvpn profile list shows all"),
        None => "anyvpn profile list shows all; anyvpn profile add makes one".to_owned(),
    };
    Failure::not_found(format!("there is no profile {name:?}")).hint(hint)
}
