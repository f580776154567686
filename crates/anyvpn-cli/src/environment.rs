//! Environment variables. An empty one counts as absent.

use std::env;
use std::path::PathBuf;

/// Reads an environment variable.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads an environment variable that holds an absolute path. A relative path counts as absent.
pub fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns the folder for this program's state, or `None` if no home folder is known.
pub fn state_folder() -> Option<PathBuf> {
    let state = path_variable("XDG_STATE_HOME")
        .or_else(|| path_variable("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("anyvpn"))
}

/// Returns the folder for persistent data. `None` if no home folder is known.
pub fn data_folder() -> Option<PathBuf> {
    let data = path_variable("XDG_DATA_HOME")
        .or_else(|| path_variable("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("anyvpn"))
}

/// Returns the name of the variable that sets a proxy for https, if one is set.
pub fn proxy() -> Option<&'static str> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    names.into_iter().find(|name| variable(name).is_some())
}
