//! The lock that tasks and programs hold while they create a configuration.

use std::ffi::OsString;
use std::path::PathBuf;

use anyvpn_http::{FileLock, create_private_folder, lock_file};
use tokio::sync::OwnedMutexGuard;

use crate::VpnScript;

/// The held lock. Dropping it releases the lock.
pub(crate) struct CreationLock {
    _task: OwnedMutexGuard<()>,
    _program: Option<FileLock>,
}

impl VpnScript {
    /// Waits for the lock, which this client's tasks and this user's programs on this machine share.
    ///
    /// Without a lock file, tasks still wait for each other, and a configuration that cannot be told
    /// apart from another program's is an error.
    pub(crate) async fn lock_creation(&self) -> CreationLock {
        let task = std::sync::Arc::clone(&self.creation).lock_owned().await;
        let program = match &self.lock_folder {
            Some(folder) if create_private_folder(folder).is_ok() => {
                let name =
                    self.client.base_url().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
                let path = folder.join(format!("{name}.lock"));
                lock_file(&path, self.client.observer()).await.ok()
            }
            _ => None,
        };
        CreationLock { _task: task, _program: program }
    }
}

/// Returns `anyvpn` in the folder for files that programs of one user share.
pub(crate) fn default_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_RUNTIME_DIR")
        .or_else(|| absolute("XDG_STATE_HOME"))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("anyvpn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_runtime_one_and_never_relative() {
        let folder = |pairs: &'static [(&str, &str)]| {
            default_folder(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
            })
        };
        let runtime = &[("XDG_RUNTIME_DIR", "/run/user/1"), ("HOME", "/home/liam")];
        assert_eq!(folder(runtime), Some("/run/user/1/anyvpn".into()));
        let home = &[("XDG_RUNTIME_DIR", "relative"), ("HOME", "/home/liam")];
        assert_eq!(folder(home), Some("/home/liam/.local/state/anyvpn".into()));
        assert_eq!(folder(&[]), None);
    }
}
