//! Tests the sandbox over raw sockets, so that no library stands between a test and the bytes.

// Tests may panic, but clippy does not recognize the helpers as tests.
#![allow(clippy::unwrap_used)]

mod access;
mod client;
mod control;
mod devices;
mod faults;
mod http;
mod natpmp;
mod network;
mod pia_quirks;
mod ports;
mod public_clients;
mod quirks;
mod samples;
mod users;
mod variations;
mod vpngn_access;
mod vpngn_aliases;
mod vpngn_client;
mod vpngn_clients;
mod vpngn_products;
mod vpngn_quirks;
mod vpngn_tokens;
mod vpnresellers;
mod vpnscript_account;
mod vpnscript_http;
mod vpnscript_openvpn;
mod vpnscript_quirks;
mod vpnscript_servers;
mod vpnscript_wireguard;
mod vpnscript_world;
mod wire;
