//! The directives of an OpenVPN profile that are known to only describe a tunnel.

#![cfg(feature = "openvpn")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use anyvpn_core::{Directive, OpenVpnProfile};

/// The directive names in `openvpn --help` of version 2.6.14.
const HELP: &str = include_str!("openvpn/help-2.6.14.txt");
/// The directive names that the parsers of versions 2.4.12, 2.5.11 and 2.6.14 accept.
const PARSERS: &str = include_str!("openvpn/directives-2.4-2.6.txt");

const UNKNOWN: &str = "is not a directive that anyvpn knows";

fn listed(text: &str) -> Vec<Directive> {
    OpenVpnProfile::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}")).directives()
}

/// Returns a line with this directive, and an argument that may be a file.
fn line(name: &str) -> String {
    match name {
        "remote" => "remote /x 1\n".to_owned(),
        "port" | "rport" => format!("{name} 1\n"),
        "proto" => "proto udp\n".to_owned(),
        _ => format!("{name} /x 1 /x\n"),
    }
}

#[test]
fn every_directive_of_the_manuals_is_sorted() {
    let (mut describe, mut others) = (0, 0);
    for name in HELP.lines().chain(PARSERS.lines()) {
        match &listed(&line(name))[..] {
            [] => describe += 1,
            [directive] => {
                assert_ne!(directive.why, UNKNOWN, "sort {name} into the table");
                others += 1;
            }
            several => panic!("{several:?}"),
        }
    }
    assert!(describe > 200 && others > 200, "{describe} and {others}");
}

#[test]
fn no_directive_of_the_manuals_that_takes_a_path_only_describes_a_tunnel() {
    // Selected by hand from the manual: directives that load, run, read or write the file at a path.
    let paths = [
        "askpass",
        "auth-gen-token-secret",
        "auth-user-pass",
        "auth-user-pass-verify",
        "ca",
        "capath",
        "cd",
        "cert",
        "chroot",
        "client-config-dir",
        "client-connect",
        "client-crresponse",
        "client-disconnect",
        "config",
        "crl-verify",
        "dev",
        "dev-node",
        "dh",
        "down",
        "engine",
        "extra-certs",
        "genkey",
        "http-proxy",
        "http-proxy-user-pass",
        "ifconfig-pool-persist",
        "ipchange",
        "iproute",
        "key",
        "learn-address",
        "log",
        "log-append",
        "management",
        "management-client-user",
        "memstats",
        "pkcs11-providers",
        "pkcs12",
        "plugin",
        "port-share",
        "providers",
        "replay-persist",
        "route-pre-down",
        "route-up",
        "secret",
        "show-pkcs11-ids",
        "socks-proxy",
        "status",
        "tls-auth",
        "tls-crypt",
        "tls-crypt-v2",
        "tls-crypt-v2-verify",
        "tls-export-cert",
        "tls-verify",
        "tmp-dir",
        "up",
        "writepid",
    ];
    for name in paths {
        assert_eq!(listed(&line(name)).len(), 1, "{name}");
    }
}

#[test]
fn a_name_of_another_spelling_or_behind_an_excuse_is_listed() {
    for text in [
        "new-thing x",
        "UP /x",
        "Up /x",
        "---up /x",
        "ignore-unknown-option new-thing\nnew-thing x",
        "setenv opt new-thing x",
        "setenv opt --up /x",
        "setenv opt setenv opt up /x",
        "<new-thing>\nx\n</new-thing>",
        "<verb>\n3\n</verb>",
        "<connection>\nremote a\nnew-thing\n</connection>",
        "\"#\" x",
    ] {
        assert_eq!(listed(&format!("client\n{text}\n")).len(), 1, "{text}");
    }
    let text = "ignore-unknown-option block-outside-dns\nsetenv opt block-outside-dns\n";
    assert_eq!(listed(text), []);
}

#[test]
fn possible_keys_of_unknown_directives_are_hidden() {
    let key = "CANARY".repeat(6);
    for text in [
        format!("new-key {key}\n"),
        format!("<new-key>\n{key}\n</new-key>\n"),
        "<new-key>\nshort\n</new-key>\n".to_owned(),
        "<auth-gen-token-secret>\nshort\n</auth-gen-token-secret>\n".to_owned(),
    ] {
        let listed = listed(&text);
        assert_eq!((listed.len(), &*listed[0].value), (1, "[redacted]"), "{text}");
    }
    let path = format!("/{}x.so", "usr/lib/".repeat(6));
    assert_eq!(listed(&format!("plugin {path}\n"))[0].value, path);
}
