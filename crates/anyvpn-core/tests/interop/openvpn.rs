//! Passes OpenVPN profiles to OpenVPN.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyvpn_core::OpenVpnProfile;
use proptest::prelude::*;
use proptest::sample::select;

use crate::difference::{Comparison, Meant, Refusal};
use crate::files::{Folder, generate};
use crate::part::{Program, accepts, part, script};

const PROGRAMS: &[Program] = &[("openvpn", "openvpn"), ("bash", "bash")];

/// The directives that the reader reads.
const READ: [&str; 5] = ["remote", "port", "rport", "proto", "connection"];

#[rustfmt::skip]
const THEIRS_ONLY: &[Meant] = &[
    Meant { says: "a port from 1 to 65535", holds: |_| true, why: "OpenVPN looks at a port when it connects" },
    Meant { says: "control character", holds: |line| line.chars().any(|c| c.is_control() && c != '\t'), why: "programs read control characters in different ways" },
    Meant { says: "cannot begin a parameter", holds: |line| line.contains("\\ ") || line.contains("\\\t"), why: "OpenVPN ignores a backslash there, which nobody means" },
    Meant { says: "write a directive's name", holds: |line| line.contains('<'), why: "OpenVPN takes any words for the name of a block, and knows none of these" },
    Meant { says: "at most 254 bytes", holds: |line| line.len() == 255, why: "in a connection block OpenVPN takes one byte more than elsewhere" },
    Meant { says: "may close the block", holds: |line| line.len() > 255, why: "OpenVPN cuts long lines, and sees another end of the block than a person" },
];

#[rustfmt::skip]
const OURS_ONLY: &[Meant] = &[
    Meant {
        says: "Unrecognized option or missing or extra parameter",
        holds: |said| {
            let name = said.split("): ").nth(1).unwrap_or_default().split(' ').next().unwrap_or_default();
            !READ.contains(&name)
        },
        why: "directives of other versions and programs are kept",
    },
    Meant { says: "cannot be used in this context", holds: |said| !READ.iter().any(|name| said.contains(&format!("'{name}'"))), why: "what may stand in a block depends on the version" },
    Meant { says: "Maximum option line length", holds: |_| true, why: "the line is longer for OpenVPN than it is" },
];

/// Generates one line with unusual spelling.
fn line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[a-z0-9.-]{1,9}",
        1 => "\"[a-z #;']{0,7}\"",
        1 => "'[a-z #;\"\\\\]{0,7}'",
        1 => select(vec!["a\\ b", "\\\\", "\\\"", "\"a\\\"b\"", "\\x", "\"", "'", "a\"b", "\\", "é", "\"\"", "\\ a"]).prop_map(str::to_owned),
    ];
    let port = prop_oneof![
        3 => (1..=65535u16).prop_map(|port| port.to_string()),
        1 => select(vec!["0", "65536", "https", "openvpn", "+1", "-1", "\"443\"", "http-alt"]).prop_map(str::to_owned),
    ];
    let proto = prop_oneof![
        4 => select(vec!["udp", "tcp", "udp4", "udp6", "tcp4", "tcp6", "tcp-client", "tcp4-client", "tcp6-server", "tcp-server"]),
        1 => select(vec!["udp5", "TCP", "tcp-", "udp-client", "tcp4-", "sctp", "tcpx", "udp64"]),
    ];
    let proto = proto.prop_map(str::to_owned);
    let end = select(vec!["", " # x", " ;x", "#", "\t", " extra"]);
    let remote = (word.clone(), prop::option::of((port.clone(), prop::option::of(proto.clone()))))
        .prop_map(|(host, more)| match more {
            None => format!("remote {host}"),
            Some((port, None)) => format!("remote {host} {port}"),
            Some((port, Some(proto))) => format!("remote {host} {port} {proto}"),
        });
    let simple = prop_oneof![
        4 => remote,
        2 => ("port|rport", port).prop_map(|(name, port)| format!("{name} {port}")),
        2 => proto.prop_map(|proto| format!("proto {proto}")),
        1 => "(nobind|verb 3|float|remote-random|pull)",
        1 => ("(x-new|setenv opt|setenv UV_A|ping)", word).prop_map(|(name, word)| format!("{name} {word}")),
        1 => "[;#] ?[ -~é]{0,20}",
        1 => (240..260usize).prop_map(|length| format!("#{}", "x".repeat(length))),
        1 => (240..260usize).prop_map(|length| format!("setenv UV_A {}", "x".repeat(length - 12))),
        1 => Just(String::new()),
    ];
    let begin = select(vec!["", "", "", "", " ", "\t", "--"]);
    (begin, simple, prop_oneof![4 => Just(""), 1 => end], select(vec!["\n", "\n", "\r\n"]))
        .prop_map(|(begin, line, more, end)| format!("{begin}{line}{more}{end}"))
}

fn item() -> impl Strategy<Value = String> {
    let connection = prop::collection::vec(line(), 0..4)
        .prop_map(|lines| format!("<connection>\n{}</connection>\n", lines.concat()));
    let block = (
        select(vec!["ca", "cert", "extra-certs"]),
        "([ -~é]{0,30}\n){0,3}",
        select(vec!["", " ", "\t"]),
        select(vec!["", " x", "\r"]),
    )
        .prop_map(|(name, body, before, after)| {
            format!("<{name}>\n{body}{before}</{name}>{after}\n")
        });
    let odd = select(vec![
        "<ca>\nx\n",
        "</ca>\n",
        "<>\n</>\n",
        "<connection>\n</connection>\n",
        "<connection> x\n</connection>\n",
        "<ca\n",
    ]);
    prop_oneof![8 => line(), 2 => connection, 2 => block, 1 => odd.prop_map(str::to_owned)]
}

/// Generates profiles, a quarter of which contain a wrong byte.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![select(b" \t#;\"'\\<>/-0a\n\r\x0b".to_vec()), 0x80..=0xffu8];
    let change = prop_oneof![3 => Just(None), 1 => (any::<prop::sample::Index>(), 0..3u8, byte).prop_map(Some)];
    (any::<bool>(), prop::collection::vec(item(), 1..5), change).prop_map(
        |(mark, items, change)| {
            let mark = if mark && items.len() == 1 { "\u{feff}" } else { "" };
            let mut text = format!("{mark}{}", items.concat()).into_bytes();
            if let (Some((at, how, with)), false) = (change, text.is_empty()) {
                let at = at.index(text.len());
                match how {
                    0 => text[at] = with,
                    1 => text.insert(at, with),
                    _ => _ = text.remove(at),
                }
            }
            text
        },
    )
}

fn ours(bytes: &[u8]) -> Result<(), Refusal> {
    match OpenVpnProfile::parse_bytes(bytes) {
        Ok(_) => Ok(()),
        Err(error) => {
            let of = bytes.split(|byte| *byte == b'\n').nth(error.line - 1).unwrap_or_default();
            Err(Refusal { says: error.what, of: String::from_utf8_lossy(of).into_owned() })
        }
    }
}

/// Returns OpenVPN's verdict on each file.
fn script_lines(folder: &Folder) -> Vec<String> {
    let mut run = Command::new("bash");
    let said = accepts(run.arg(script("openvpn.sh")).arg(folder.0.join("all"))).stdout;
    String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_profiles_are_accepted_by_both_or_none() {
    part("openvpn and the reader accept the same of generated profiles", PROGRAMS, None, || {
        let files = generate(&file(), 1200);
        let folder = Folder::new("openvpn");
        folder.files("all", "ovpn", &files);
        let said = script_lines(&folder);
        assert_eq!(said.len(), files.len());
        let mut all = Comparison::default();
        for (file, said) in files.iter().zip(&said) {
            all.add(&String::from_utf8_lossy(file), ours(file), said, [THEIRS_ONLY, OURS_ONLY]);
        }
        print!("{}", all.judge("openvpn"));
    });
}

/// Arguments that OpenVPN accepts for most directives.
const ARGUMENTS: [&str; 5] = ["", "1", "1 1", "10.0.0.0", "10.0.0.0 255.255.255.0"];

/// The arguments of the directives that accept none of these. If empty, it depends on how OpenVPN
/// was built.
#[rustfmt::skip]
const OWN_ARGUMENTS: &[(&str, &str)] = &[
    ("allow-compression", "yes"), ("auth-retry", "nointeract"),
    ("client-nat", "snat 10.0.0.0 255.0.0.0 10.1.0.0"), ("connection", ""),
    ("dns", "search-domains a.example"), ("fragment", "1300"),
    ("http-proxy-option", "AGENT x"), ("ifconfig-ipv6", "fd00::1/64 fd00::2"),
    ("key-derivation", "tls-ekm"), ("link-mtu", "1500"), ("mtu-disc", "yes"),
    ("ns-cert-type", "server"), ("remote-cert-tls", "server"), ("peer-fingerprint", ""), ("proto", "udp"),
    ("proto-force", "udp"), ("protocol-flags", "cc-exit"), ("pull-filter", "accept x"),
    ("remap-usr1", "SIGHUP"), ("route-ipv6-gateway", "fd00::1"), ("shaper", "1000"),
    ("tls-version-max", "1.3"), ("tls-version-min", "1.2"), ("topology", "subnet"),
    ("tun-mtu", "1500"), ("tun-mtu-max", "1600"), ("verify-hash", ""), ("x509-track", "CN"),
];

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_refuses_the_directives_that_are_listed() {
    part("openvpn refuses the listed directives and takes the others", PROGRAMS, None, || {
        let known = include_str!("../openvpn/directives-2.4-2.6.txt").lines().chain(["tls-remote"]);
        let mut lines = Vec::new();
        for name in known {
            let own = OWN_ARGUMENTS.iter().find(|(it, _)| *it == name);
            let tried = own.map_or(&ARGUMENTS[..], |(_, own)| std::slice::from_ref(own));
            let tried = tried.iter().filter(|own| !own.is_empty() || tried.len() > 1);
            lines.extend(tried.map(|arguments| (name, format!("{name} {arguments}\n"))));
        }
        let folder = Folder::new("openvpn-directives");
        folder.files("all", "ovpn", &lines.iter().map(|(_, line)| line).collect::<Vec<_>>());
        let said = script_lines(&folder);
        assert_eq!(said.len(), lines.len());
        let mut taken = BTreeMap::new();
        for ((name, _), said) in lines.iter().zip(&said) {
            *taken.entry(*name).or_insert(false) |= said == "ok";
        }
        let (mut refused, mut wrong) = (0, Vec::new());
        for (name, is_taken) in taken {
            let profile = OpenVpnProfile::parse(&format!("{name} 1\n"));
            let is_listed = profile.as_ref().is_ok_and(|it| !it.refused_lines().is_empty());
            // Directives that do more than describe a tunnel are not written in any case.
            let is_told = profile.is_ok_and(|it| !it.directives().is_empty());
            refused += usize::from(is_listed && !is_taken);
            if is_listed == is_taken && (is_listed || !is_told) {
                wrong.push(name);
            }
        }
        assert!(wrong.is_empty() && refused > 10, "{wrong:?}, {refused} refused");
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_connects_to_the_servers_that_the_reader_names() {
    part(
        "openvpn and the reader find the same servers in generated profiles",
        PROGRAMS,
        None,
        || {
            let port = || select(vec!["1", "443", "65535", "https"]);
            let proto = || select(vec!["udp", "udp4", "tcp-client", "tcp4-client"]);
            let line = prop_oneof![
                (
                    select(vec!["a", "b", "c"]),
                    prop::option::of((port(), prop::option::of(proto())))
                )
                    .prop_map(|(host, more)| {
                        let (port, proto) = more.unzip();
                        format!(
                            "remote {host} {} {}\n",
                            port.unwrap_or_default(),
                            proto.flatten().unwrap_or_default()
                        )
                    }),
                port().prop_map(|port| format!("port {port}\n")),
                port().prop_map(|port| format!("rport {port}\n")),
                proto().prop_map(|proto| format!("proto {proto}\n")),
            ];
            let line = line.boxed();
            let block = prop::collection::vec(line.clone(), 0..4).prop_map(|lines| {
                format!(
                    "<connection>\n{}remote z\n{}</connection>\n",
                    lines.concat(),
                    lines[lines.len() / 2..].concat()
                )
            });
            let file = prop::collection::vec(prop_oneof![2 => line, 1 => block], 1..6)
                .prop_map(|items| format!("remote first\n{}", items.concat()));
            let folder = Folder::new("openvpn-servers");
            let mut servers = 0;
            for file in generate(&file, 100) {
                let path = folder.0.join("it.ovpn");
                fs::write(&path, &file).unwrap();
                let theirs = connections(&path);
                let remotes = OpenVpnProfile::parse(&file).unwrap().remotes();
                let ours: Vec<_> = remotes
                    .iter()
                    .map(|it| format!("{} {} {}", it.proto, it.host, it.port))
                    .collect();
                assert_eq!(ours, theirs, "{file}");
                servers += ours.len();
            }
            println!("{servers} servers in 100 profiles");
        },
    );
}

/// Returns the servers that OpenVPN prints before it starts, each as `PROTOCOL HOST PORT`.
fn connections(profile: &std::path::Path) -> Vec<String> {
    let mut openvpn = Command::new("openvpn");
    openvpn.arg("--config").arg(profile);
    // The options that it needs besides servers. It stops before it connects, at the prompt for the
    // password.
    openvpn.args(["--verb", "4", "--dev", "null", "--client", "--nobind"]);
    openvpn.args(["--peer-fingerprint", &["00"; 32].join(":"), "--auth-user-pass"]);
    let mut child = openvpn.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut found: Vec<String> = Vec::new();
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        said.extend([&line, "\n"]);
        let Some((name, value)) = line.split_once(" = ") else {
            if line.ends_with("Connection profiles END") {
                break;
            }
            continue;
        };
        let value = value.trim_matches('\'');
        match name.rsplit(' ').next().unwrap_or_default() {
            "proto" => found.push(value.to_owned()),
            "remote" | "remote_port" => {
                let last = found.last_mut().unwrap();
                last.extend([" ", value]);
            }
            _ => {}
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    assert!(!found.is_empty(), "{said}");
    found
}
