//! The effect of each directive of OpenVPN, classified from the manuals and parsers of OpenVPN 2.4.12,
//! 2.5.11 and 2.6.14.
//!
//! A list of dangerous directives is never complete: it would miss those of a new version, or names
//! that we did not think of. So a directive counts as harmless only if this table says that it describes
//! a tunnel.

use Effect::{Block, Describes, Device, File, Only, Refused, Variable};

/// The effect of a directive.
#[derive(Clone, Copy)]
enum Effect {
    /// It describes the tunnel, the way to the server, or the logging.
    Describes,
    /// It describes the tunnel, but only as a block.
    Block,
    /// It names the network device. On systems other than Linux, a path in its place is opened.
    Device,
    /// It describes the tunnel only with these values; otherwise it has the effect in the text.
    Only(&'static [&'static str], &'static str),
    /// It reads the file that the argument at this index names, unless the argument is one of these
    /// words. As a block, or without that argument, it describes the tunnel.
    File(usize, &'static [&'static str]),
    /// It sets an environment variable.
    Variable,
    /// It has another effect, in words that follow "the line".
    Refused(&'static str),
}

const RUNS: &str = "runs a program";
const SERVER: &str = "makes this machine a server";
const UNKNOWN: &str = "is not a directive that anyvpn knows";
const NO_BLOCK: &str = "is not a block that OpenVPN knows";

/// The value that refers to a block elsewhere in the profile.
const INLINE: &[&str] = &["[inline]", "[[INLINE]]"];

/// The directives whose value may come as a block.
const BLOCKS: &[&str] = &[
    "auth-user-pass",
    "ca",
    "cert",
    "connection",
    "crl-verify",
    "dh",
    "extra-certs",
    "http-proxy-user-pass",
    "key",
    "peer-fingerprint",
    "pkcs12",
    "secret",
    "tls-auth",
    "tls-crypt",
    "tls-crypt-v2",
    "verify-hash",
];

#[rustfmt::skip]
const TABLE: &[(Effect, &[&str])] = &[
    (Describes, &[
        "allow-compression", "allow-pull-fqdn", "allow-recursive-routing", "auth",
        "auth-nocache", "auth-retry", "auth-token", "auth-token-user", "bind", "bind-dev",
        "block-ipv6", "block-outside-dns", "cipher", "client", "client-cert-not-required",
        "client-nat", "comp-lzo", "comp-noadapt", "compat-mode", "compat-names", "compress",
        "connect-retry", "connect-retry-max", "connect-timeout", "data-ciphers",
        "data-ciphers-fallback", "dev-type", "dhcp-option", "dhcp-pre-release", "dhcp-release",
        "dhcp-renew", "disable-dco", "disable-occ", "dns", "down-pre", "ecdh-curve",
        "errors-to-stderr", "explicit-exit-notify", "fast-io", "float", "fragment", "group",
        "hand-window", "http-proxy-option", "http-proxy-retry", "http-proxy-timeout",
        "ifconfig", "ifconfig-ipv6", "ifconfig-noexec", "ifconfig-nowarn",
        "ignore-unknown-option", "inactive", "ip-win32", "keepalive", "key-derivation",
        "key-direction", "key-method", "keysize", "link-mtu", "lladdr", "local", "lport",
        "machine-readable-output", "mark", "max-packet-size", "max-routes", "mssfix",
        "mtu-disc", "mtu-dynamic", "mtu-test", "multihome", "mute", "mute-replay-warnings",
        "ncp-ciphers", "ncp-disable", "no-iv", "no-name-remapping", "no-replay", "nobind",
        "ns-cert-type", "passtos", "peer-fingerprint", "peer-id", "persist-key",
        "persist-local-ip", "persist-remote-ip", "persist-tun", "ping", "ping-exit",
        "ping-restart", "ping-timer-rem", "port", "preresolve", "prng", "proto", "proto-force",
        "protocol-flags", "pull", "pull-filter", "push-peer-info", "rcvbuf", "redirect-gateway",
        "redirect-private", "register-dns", "remap-usr1", "remote", "remote-cert-eku",
        "remote-cert-ku", "remote-cert-tls", "remote-random", "remote-random-hostname",
        "reneg-bytes", "reneg-pkts", "reneg-sec", "replay-window", "resolv-retry", "route",
        "route-delay", "route-gateway", "route-ipv6", "route-ipv6-gateway", "route-method",
        "route-metric", "route-noexec", "route-nopull", "rport", "server-poll-timeout",
        "session-timeout", "shaper", "single-session", "sndbuf", "socket-flags",
        "socks-proxy-retry", "static-challenge", "status-version", "suppress-timestamps",
        "tap-sleep", "tcp-nodelay", "tls-cert-profile", "tls-cipher", "tls-ciphersuites",
        "tls-client", "tls-exit", "tls-groups", "tls-timeout", "tls-version-max",
        "tls-version-min", "topology", "tran-window", "tun-ipv6", "tun-mtu", "tun-mtu-extra",
        "tun-mtu-max", "txqueuelen", "udp-mtu", "up-delay", "up-restart",
        "use-prediction-resistance", "user", "verb", "verify-hash", "verify-x509-name",
        "windows-driver", "x509-track", "x509-username-field",
    ]),
    (Block, &["connection"]),
    (Device, &["dev"]),
    (Only(&["p2p"], SERVER), &["mode"]),
    (Only(&["0", "1"], "allows programs to be run"), &["script-security"]),
    (Variable, &["setenv", "setenv-safe"]),
    (File(0, INLINE), &[
        "ca", "cert", "crl-verify", "extra-certs", "key", "pkcs12", "secret", "tls-auth",
        "tls-crypt", "tls-crypt-v2",
    ]),
    (File(0, &["none", "[inline]", "[[INLINE]]"]), &["dh"]),
    (File(0, &["stdin"]), &["askpass"]),
    (File(0, &["stdin", "[inline]", "[[INLINE]]"]), &["auth-user-pass", "http-proxy-user-pass"]),
    (File(2, &["stdin", "auto", "auto-nct"]), &["http-proxy"]),
    (File(2, &["stdin"]), &["socks-proxy"]),
    (Refused(RUNS), &[
        "auth-user-pass-verify", "client-connect", "client-crresponse", "client-disconnect",
        "dns-updown", "down", "ipchange", "iproute", "learn-address", "route-pre-down",
        "route-up", "tls-crypt-v2-verify", "tls-verify", "up",
    ]),
    (Refused("loads code"), &[
        "engine", "pkcs11-providers", "plugin", "providers", "show-pkcs11-ids",
    ]),
    (Refused("reads a file"), &["capath", "client-config-dir"]),
    (Refused("reads more directives from a file"), &["config"]),
    (Refused("writes a file"), &[
        "genkey", "ifconfig-pool-persist", "log", "log-append", "memstats", "replay-persist",
        "status", "tls-export-cert", "tmp-dir", "writepid",
    ]),
    (Refused("writes files for another program"), &["port-share"]),
    (Refused("opens a device by its path"), &["dev-node"]),
    (Refused("changes the directory of all files"), &["cd", "chroot"]),
    (Refused("lets other programs control the tunnel"), &[
        "http-proxy-override", "management", "management-client", "management-client-auth",
        "management-client-group", "management-client-pf", "management-client-user",
        "management-external-cert", "management-external-key", "management-forget-disconnect",
        "management-hold", "management-log-cache", "management-query-passwords",
        "management-query-proxy", "management-query-remote", "management-signal",
        "management-up-down",
    ]),
    (Refused("uses a key of this machine"), &[
        "cryptoapicert", "pkcs11-cert-private", "pkcs11-id", "pkcs11-id-management",
        "pkcs11-pin-cache", "pkcs11-private-mode", "pkcs11-protected-authentication",
    ]),
    (Refused(SERVER), &[
        "auth-gen-token", "auth-gen-token-secret", "auth-user-pass-optional", "bcast-buffers",
        "ccd-exclusive", "client-to-client", "connect-freq", "connect-freq-initial", "disable",
        "duplicate-cn", "force-tls-key-material-export", "hash-size", "ifconfig-ipv6-pool",
        "ifconfig-ipv6-push", "ifconfig-pool", "ifconfig-pool-linear", "ifconfig-push",
        "ifconfig-push-constraint", "iroute", "iroute-ipv6", "max-clients",
        "max-routes-per-client", "opt-verify", "push", "push-continuation", "push-remove",
        "push-reset", "server", "server-bridge", "server-ipv6", "stale-routes-check",
        "tcp-queue-limit", "tls-server", "username-as-common-name", "verify-client-cert",
        "vlan-accept", "vlan-pvid", "vlan-tagging",
    ]),
    (Refused("goes to the background"), &["daemon"]),
    (Refused("changes how OpenVPN runs"), &[
        "allow-nonadmin", "gremlin", "inetd", "mlock", "msg-channel", "nice", "pause-exit",
        "service", "show-net-up", "setcon", "syslog",
    ]),
    (Refused("chooses where system programs are run from"), &["win-sys"]),
    (Refused("does something other than opening a tunnel"), &[
        "dhcp-internal", "help", "mktun", "rdns-internal", "rmtun", "show-adapters",
        "show-ciphers", "show-curves", "show-digests", "show-engines", "show-gateway",
        "show-groups", "show-net", "show-tls", "show-valid-subnets", "test-crypto", "version",
    ]),
    (Refused("speaks to other programs"), &[
        "echo", "foreign-option", "ip-remote-hint", "keying-material-exporter", "parameter",
        "show-net-up",
    ]),
];

/// Returns the effect of a directive beyond describing a tunnel; `None` if it has none. The `words` of
/// a block are only its name.
pub(super) fn why(words: &[&str], is_block: bool) -> Option<&'static str> {
    let (name, arguments) = words.split_first()?;
    let Some((effect, _)) = TABLE.iter().find(|(_, names)| names.contains(name)) else {
        return Some(UNKNOWN);
    };
    match *effect {
        Refused(why) => Some(why),
        _ if is_block => (!BLOCKS.contains(name)).then_some(NO_BLOCK),
        Describes => None,
        Block => Some("is only valid as a block"),
        Device => {
            (!arguments.iter().all(|name| is_device(name))).then_some("opens a device by its path")
        }
        Only(values, why) => {
            (!matches!(arguments, [value] if values.contains(value))).then_some(why)
        }
        File(index, besides) => {
            let file = arguments.get(index)?;
            (!besides.contains(file)).then_some("reads a file")
        }
        Variable => {
            let variable = arguments.first()?;
            (!is_plain_variable(variable)).then_some("sets a variable of the programs it runs")
        }
    }
}

/// Returns whether a directive's value may be shown, given its effect. A path or a command must be
/// shown completely; a block, or the value of an unknown directive, may be a key.
pub(super) fn is_shown(why: &str, is_block: bool, looks_secret: bool) -> bool {
    match why {
        RUNS => true,
        UNKNOWN => !is_block && !looks_secret,
        _ => !is_block,
    }
}

/// Returns whether a word is a device's name and not a path.
fn is_device(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name.chars().all(is_good)
}

/// Returns whether a variable is read by OpenVPN itself, or only informs a server or a user interface.
/// Any other variable reaches the programs that OpenVPN runs, and `PATH` or `LD_PRELOAD` would control
/// them.
fn is_plain_variable(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "ALLOW_PASSWORD_SAVE",
        "CLIENT_CERT",
        "FORWARD_COMPATIBLE",
        "GENERIC_CONFIG",
        "PUSH_PEER_INFO",
        "REMOTE_RANDOM_HOSTNAME",
        "SERVER_POLL_TIMEOUT",
    ];
    let prefixes = ["IV_", "UV_", "OPENVPN_"];
    NAMES.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns whether a block's text may be shown, because it has certificates or other public data. Any
/// other block, including new ones, may contain a key.
pub(super) fn is_public_block(name: &str) -> bool {
    ["ca", "cert", "extra-certs", "dh", "crl-verify", "verify-hash", "peer-fingerprint"]
        .contains(&name)
}

/// Returns whether the words after the name may be a password or a token.
pub(super) fn has_secret_words(name: &str) -> bool {
    ["auth-token", "http-proxy-option", "setenv", "setenv-safe"].contains(&name)
}
