//! The environment's variables, in which an empty one counts as absent.

use std::env;
use std::path::PathBuf;

/// An environment variable.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The absolute path in an environment variable.
pub fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The place for what this program remembers; `None` when this person has no home.
pub fn state_folder() -> Option<PathBuf> {
    let state = path_variable("XDG_STATE_HOME")
        .or_else(|| path_variable("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("anyvpn"))
}

/// The variable that names a proxy for https, where one does.
pub fn proxy() -> Option<&'static str> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    names.into_iter().find(|name| variable(name).is_some())
}
