//! Names that a person gave to WireGuard devices, where the provider has no place for a name. They are
//! kept by public key, in a file on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyvpn::{PublicKey, Secret, is_invisible};
use anyvpn_http::{create_private_folder, lock_file};

use crate::context::Context;
use crate::environment::state_folder;
use crate::failure::Failure;
use crate::file::Pending;
use crate::output::json;
use crate::text::reason;

/// The longest name, in characters.
const LONGEST: usize = 60;

/// The names, by public key.
#[derive(Default)]
pub struct Labels(BTreeMap<String, String>);

/// A name as it may be given.
pub fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(is_invisible) {
        return Err(format!("choose 1 to {LONGEST} characters that can be seen"));
    }
    Ok(text.to_owned())
}

impl Labels {
    /// Checks that a name can be kept.
    pub fn check() -> Result<(), Failure> {
        path()?;
        Self::read().map(drop)
    }

    /// Reads the names that are kept; none when there is no file, and no home for one.
    pub fn read() -> Result<Self, Failure> {
        let Ok(path) = path() else { return Ok(Self::default()) };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.map_err(|error| unusable(&path, &reason(&error)))?,
        };
        let names = serde_json::from_str(&text);
        Ok(Self(names.map_err(|_| unusable(&path, "it is no object of names"))?))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a device with these keys.
    pub fn of(&self, keys: &[PublicKey]) -> Option<&str> {
        keys.iter().find_map(|key| Some(&**self.0.get(&key.to_string())?))
    }

    /// Gives the name to the device with this key.
    pub fn set(&mut self, key: PublicKey, name: String) {
        self.0.insert(key.to_string(), name);
    }

    /// Forgets the name of the device with these keys.
    pub fn remove(&mut self, keys: &[PublicKey]) {
        for key in keys {
            self.0.remove(&key.to_string());
        }
    }

    /// Reads the names, changes them and writes them, while no other program does.
    pub async fn change(context: &Context, change: impl FnOnce(&mut Self)) -> Result<(), Failure> {
        let path = path()?;
        let failed = |error: std::io::Error| unusable(&path, &reason(&error));
        create_private_folder(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let lock = path.with_extension("json.lock");
        let _lock = lock_file(&lock, Some(&context.observer())).await.map_err(failed)?;
        let mut labels = Self::read()?;
        change(&mut labels);
        let text = json(&labels.0)? + "\n";
        Pending::new(&path, true)?.write(&Secret::from(text))
    }
}

fn path() -> Result<PathBuf, Failure> {
    state_folder().map(|folder| folder.join("labels.json")).ok_or_else(|| {
        Failure::other("there is no place for names of devices: no home folder is known")
            .hint("set HOME or XDG_STATE_HOME to a folder, as a whole path")
    })
}

fn unusable(path: &Path, why: &str) -> Failure {
    Failure::other(format!("the names of devices in {} cannot be used: {why}", path.display()))
        .hint("correct the file, or move it away")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_seen() {
        assert_eq!(label(" Jo's laptop "), Ok("Jo's laptop".to_owned()));
        for wrong in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(61)] {
            assert!(label(wrong).is_err(), "{wrong:?}");
        }
    }
}
