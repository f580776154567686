//! The environment variables of gluetun, a VPN client for containers.

use std::path::Path;

use anyvpn::WireGuardConfig;

use super::Format;
use crate::text::path_word;

pub static FORMAT: Format = Format {
    name: "gluetun",
    title: "environment variables for gluetun, as `docker --env-file` reads them",
    extension: "env",
    is_whole: false,
    needs_address: true,
    write: WireGuardConfig::to_gluetun,
    next,
};

fn next(path: &Path) -> Vec<String> {
    vec![format!(
        "Next: docker run --cap-add NET_ADMIN --device /dev/net/tun --env-file {} qmcgaw/gluetun",
        path_word(path)
    )]
}
