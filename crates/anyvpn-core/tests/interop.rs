//! Generated files, given to the programs that read such files and to our readers: what only one of
//! them accepts is listed here with the reason, or it is a failure. `cargo xtask interop` runs it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[path = "interop/difference.rs"]
mod difference;
#[path = "interop/files.rs"]
mod files;
#[path = "interop/openvpn.rs"]
mod openvpn;
#[path = "interop/part.rs"]
mod part;
#[path = "interop/wireguard.rs"]
mod wireguard;
