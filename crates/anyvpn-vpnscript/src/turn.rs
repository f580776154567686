//! Taking turns with the other tasks and programs that create configurations.

use std::ffi::OsString;
use std::path::PathBuf;

use anyvpn_http::{FileLock, lock_file};
use tokio::sync::OwnedMutexGuard;

use crate::VpnScript;

/// The right to create a configuration; dropping it gives it back.
pub(crate) struct Turn {
    _task: OwnedMutexGuard<()>,
    _program: Option<FileLock>,
}

impl VpnScript {
    /// Waits for the turn: of this client's tasks, and of this person's programs on this machine.
    ///
    /// Where no lock file can be had, tasks still wait for each other, and a configuration that
    /// cannot be told from another program's is an error.
    pub(crate) async fn turn(&self) -> Turn {
        let task = std::sync::Arc::clone(&self.turn).lock_owned().await;
        let program = match &self.lock_folder {
            Some(folder) if make_private(folder).is_ok() => {
                let name =
                    self.client.base_url().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
                let path = folder.join(format!("{name}.lock"));
                lock_file(&path, self.client.observer()).await.ok()
            }
            _ => None,
        };
        Turn { _task: task, _program: program }
    }
}

/// Makes the folder for its owner alone.
fn make_private(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// `anyvpn` in the place for what programs of one person share.
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
