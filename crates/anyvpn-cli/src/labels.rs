//! The user's names for WireGuard devices, for providers that have no names. They are stored by public
//! key, in a file on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyvpn::{PublicKey, Secret, is_invisible};
use anyvpn_http::{create_private_folder, lock_file};

use crate::context::Context;
use crate::environment::state_folder;
use crate::failure::Failure;
use crate::file::OutputFile;
use crate::output::json;
use crate::text::reason;

/// The maximum length of a name in characters.
const LONGEST: usize = 60;

/// The names, by public key.
#[derive(Default)]
pub struct Labels(BTreeMap<String, String>);

/// Parses a name.
pub fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(is_invisible) {
        return Err(format!("use 1 to {LONGEST} visible characters"));
    }
    Ok(text.to_owned())
}

impl Labels {
    /// Checks that a name can be stored.
    pub fn check() -> Result<(), Failure> {
        path()?;
        Self::read().map(drop)
    }

    /// Reads the stored names. There are none if the file does not exist or no home folder is known.
    pub fn read() -> Result<Self, Failure> {
        let Ok(path) = path() else { return Ok(Self::default()) };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.map_err(|error| unusable(&path, &reason(&error)))?,
        };
        let names = serde_json::from_str(&text);
        Ok(Self(names.map_err(|_| unusable(&path, "it is not a JSON object of names"))?))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the name of a device with these keys.
    pub fn of(&self, keys: &[PublicKey]) -> Option<&str> {
        keys.iter().find_map(|key| Some(&**self.0.get(&key.to_string())?))
    }

    /// Sets the name of the device with this key.
    pub fn set(&mut self, key: PublicKey, name: String) {
        self.0.insert(key.to_string(), name);
    }

    /// Removes the name of the device with these keys.
    pub fn remove(&mut self, keys: &[PublicKey]) {
        for key in keys {
            self.0.remove(&key.to_string());
        }
    }

    /// Changes the stored names, while a lock keeps other processes from doing so.
    pub async fn change(context: &Context, change: impl FnOnce(&mut Self)) -> Result<(), Failure> {
        let path = path()?;
        let failed = |error: std::io::Error| unusable(&path, &reason(&error));
        create_private_folder(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let lock = path.with_extension("json.lock");
        let _lock = lock_file(&lock, Some(&context.observer())).await.map_err(failed)?;
        let mut labels = Self::read()?;
        change(&mut labels);
        let text = json(&labels.0)? + "\n";
        OutputFile::new(&path, true)?.write(&Secret::from(text))
    }
}

fn path() -> Result<PathBuf, Failure> {
    state_folder().map(|folder| folder.join("labels.json")).ok_or_else(|| {
        Failure::other("cannot store the name of a device: no home folder is known")
            .hint("set HOME or XDG_STATE_HOME to the absolute path of a folder")
    })
}

fn unusable(path: &Path, why: &str) -> Failure {
    Failure::other(format!("cannot use the names of devices in {}: {why}", path.display()))
        .hint("correct the file, or move it away")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_and_overlong_names_are_refused() {
        assert_eq!(label(" Jo's laptop "), Ok("Jo's laptop".to_owned()));
        for wrong in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(61)] {
            assert!(label(wrong).is_err(), "{wrong:?}");
        }
    }
}
