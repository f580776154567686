//! The file of `wg setconf`, for users who set up addresses and routes themselves.

use std::path::Path;

use anyvpn::{WireGuardConfig, is_interface_name};

use super::Format;
use crate::text::path_word;

pub static FORMAT: Format = Format {
    name: "setconf",
    title: "a file for `wg setconf`, without addresses, resolvers and MTU",
    extension: "conf",
    is_whole: false,
    needs_address: false,
    write: WireGuardConfig::to_setconf,
    next,
};

fn next(path: &Path) -> Vec<String> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let interface = if is_interface_name(&stem) { &*stem } else { "wg0" };
    let file = path_word(path);
    vec![format!(
        "Next, as root: ip link add {interface} type wireguard && wg setconf {interface} {file}"
    )]
}
