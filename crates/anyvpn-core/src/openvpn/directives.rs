//! Which directives do more than describe a tunnel: the facts of OpenVPN 2.6's manual.

const RUNS: &str = "runs a program";
const LOADS: &str = "loads code";
const READS: &str = "reads a file";
const WRITES: &str = "writes a file";

/// What the directive does beyond the tunnel, or `None`. A block's `words` are its name only, so a
/// file that comes as a block is none. `up` and the like are listed as blocks too: OpenVPN before
/// 2.5 took them.
pub(super) fn why(words: &[&str]) -> Option<&'static str> {
    let (name, arguments) = words.split_first()?;
    let argument = |index: usize| arguments.get(index).copied();
    match *name {
        "up"
        | "down"
        | "ipchange"
        | "route-up"
        | "route-pre-down"
        | "tls-verify"
        | "auth-user-pass-verify"
        | "client-connect"
        | "client-disconnect"
        | "client-crresponse"
        | "learn-address"
        | "tls-crypt-v2-verify"
        | "iproute" => Some(RUNS),
        "dns-updown" => (!matches!(argument(0), Some("disable" | "force"))).then_some(RUNS),
        "plugin" | "pkcs11-providers" | "providers" | "engine" => Some(LOADS),
        // 1 is the default: the system's own network tools, nothing that a profile names.
        "script-security" => {
            (!matches!(argument(0), Some("0" | "1"))).then_some("allows programs to be run")
        }
        "win-sys" => Some("chooses where system programs are run from"),
        "setenv" | "setenv-safe" => {
            (!is_plain_variable(argument(0)?)).then_some("sets a variable of the programs it runs")
        }
        "config" => Some("reads more directives from a file"),
        "cd" | "chroot" => Some("changes the directory of all files"),
        "management" => Some("lets other programs control the tunnel"),
        "daemon" => Some("goes to the background"),
        "log"
        | "log-append"
        | "status"
        | "writepid"
        | "replay-persist"
        | "tmp-dir"
        | "ifconfig-pool-persist"
        | "tls-export-cert"
        | "memstats"
        | "genkey" => Some(WRITES),
        "ca"
        | "cert"
        | "key"
        | "dh"
        | "pkcs12"
        | "crl-verify"
        | "extra-certs"
        | "tls-auth"
        | "tls-crypt"
        | "tls-crypt-v2"
        | "secret"
        | "auth-gen-token-secret"
        | "http-proxy-user-pass"
        | "auth-user-pass" => is_file(argument(0)?).then_some(READS),
        "askpass" => is_file(argument(0)?).then_some(READS),
        "capath" | "client-config-dir" => Some(READS),
        "http-proxy" | "socks-proxy" => is_file(argument(2)?).then_some(READS),
        _ => None,
    }
}

/// Not a file: the console, the mark of a block elsewhere in the profile, `dh none`, and what
/// `http-proxy` and `auth-user-pass` take in a file's place.
fn is_file(argument: &str) -> bool {
    const WORDS: [&str; 8] =
        ["stdin", "[inline]", "[[INLINE]]", "none", "auto", "auto-nct", "basic", "username-only"];
    !WORDS.contains(&argument)
}

/// Variables that OpenVPN itself reads, and those that only inform a server or a user interface.
/// Any other one reaches the programs that OpenVPN runs, and `PATH` or `LD_PRELOAD` would rule them.
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

/// Whether a block's text may be shown: certificates and what is public with them. Any other
/// block, a new one too, may hold a key.
pub(super) fn is_public_block(name: &str) -> bool {
    ["ca", "cert", "extra-certs", "dh", "crl-verify", "verify-hash", "peer-fingerprint"]
        .contains(&name)
}

/// Whether the words behind the name may be a password or a token.
pub(super) fn has_secret_words(name: &str) -> bool {
    ["auth-token", "http-proxy-option", "setenv", "setenv-safe"].contains(&name)
}
