//! Passes generated files to the programs that read such files and to our readers. If only one of
//! them accepts a file, either the reason is listed here, or the test fails. Run by `cargo xtask
//! interop`.

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
