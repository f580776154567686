//! Passes WireGuard files to `wg setconf`, `wg-quick strip` and `ip`.

use std::fs;

use anyvpn_core::WireGuardConfig;
use proptest::prelude::*;
use proptest::sample::select;

use crate::difference::{Comparison, Meant, Refusal};
use crate::files::{Folder, generate};
use crate::part::{Program, accepts, apart_script, part};

const PROGRAMS: &[Program] = &[
    ("wg", "wireguard-tools"),
    ("wg-quick", "wireguard-tools"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("bash", "bash"),
];

const KEY: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
const PEER: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";

/// The host names that resolve.
const HOSTS: &str = "127.0.0.1 localhost\n192.0.2.9 a.example b-c.example bücher.example\n";

/// The keys of `wg`, as it compares them.
const KEYS: [&str; 8] = [
    "privatekey",
    "listenport",
    "fwmark",
    "publickey",
    "presharedkey",
    "allowedips",
    "endpoint",
    "persistentkeepalive",
];

/// Returns a value without its comment and without the blanks that `wg` removes.
fn value(line: &str) -> String {
    let line = line.split('#').next().unwrap();
    let value = line.split_once('=').map_or("", |(_, value)| value);
    value.chars().filter(|c| !c.is_whitespace()).collect()
}

fn is_odd_port(text: &str) -> bool {
    !text.bytes().all(|b| b.is_ascii_digit()) || !text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Returns whether it is `any`, or an IPv4 address that is short or contains a number that is not
/// decimal.
fn is_odd_address(line: &str) -> bool {
    let value = value(line);
    let (address, prefix) = value.split_once('/').unwrap_or((&value, "0"));
    let is_odd = |number: &str| number.len() > 1 && number.starts_with('0');
    let is_ipv4 = !address.contains(':');
    let is_short = address.split('.').count() < 4 || address.split('.').any(is_odd);
    (is_ipv4 && is_short) || is_odd(prefix)
}

#[rustfmt::skip]
const THEIRS_ONLY: &[Meant] = &[
    Meant { says: "is repeated here", holds: |_| true, why: "wg takes the last of two keys, other programs the first" },
    Meant { says: "has no PrivateKey", holds: |_| true, why: "wg takes a file for a part of a configuration" },
    Meant { says: "no [Interface]", holds: |_| true, why: "wg takes a file for a part of a configuration" },
    Meant { says: "after the last colon", holds: |line| is_odd_port(value(line).rsplit(':').next().unwrap()), why: "a port of 0, of too many digits or by name has no number that all programs agree on" },
    Meant { says: "ListenPort", holds: |line| is_odd_port(&value(line)), why: "a port of too many digits or by name has no number that all programs agree on" },
    Meant {
        says: "a host's name such as",
        // Returns whether it looks like `10.1`, `0x7f.1` or `010.0.0.1`, which the C library reads
        // as IPv4.
        holds: |line| value(line).rsplit_once(':').is_some_and(|(host, _)| {
            let host = host.trim_matches(['[', ']']).split('%').next().unwrap();
            host.split('.').all(|part| {
                let digits = part.strip_prefix("0x").or(part.strip_prefix("0X")).unwrap_or(part);
                digits.bytes().all(|b| b.is_ascii_hexdigit())
            })
        }),
        why: "an address that is short or octal is another one in other programs",
    },
    Meant { says: "control character", holds: |line| line.chars().any(char::is_control), why: "programs read control characters in different ways" },
    Meant { says: "AllowedIPs", holds: |line| value(line).split(',').any(|it| it.starts_with(['+', '-'])), why: "newer ones of wg take a change of the networks, which has no sense in a file" },
];

#[rustfmt::skip]
const OURS_ONLY: &[Meant] = &[
    Meant {
        says: "Line unrecognized",
        holds: |said| {
            let line = said.split('`').nth(1).unwrap_or_default().to_ascii_lowercase();
            !line.starts_with('[') && line.split_once('=').is_some_and(|(key, _)| !KEYS.contains(&key))
        },
        why: "keys of other programs are kept",
    },
    Meant { says: "Persistent keepalive", holds: |said| said.contains('-'), why: "AmneziaWG takes seconds from and to" },
    Meant { says: "Name or service not known", holds: |_| true, why: "wg looks for the name or the interface, and there is none here" },
    Meant { says: "name resolution", holds: |_| true, why: "wg looks for the name or the interface, and there is none here" },
];

/// Generates a key with unusual spelling: upper and lower case, and blanks in it and around the
/// equals sign.
fn entry(
    keys: &'static [&'static str],
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    let odd = prop_oneof![6 => Just(0), 1 => Just(1), 1 => Just(2)];
    let equals = select(vec![" = ", "=", " =", "= ", "\t=  "]);
    let comment = prop_oneof![6 => Just(""), 1 => Just(" # x = y"), 1 => Just("#")];
    (select(keys), odd, 0..12usize, equals, value, comment).prop_map(
        |(key, odd, at, equals, value, comment)| {
            let key = match odd {
                1 => key.to_uppercase(),
                2 => format!("{} {}", &key[..at.min(key.len())], &key[at.min(key.len())..]),
                _ => key.to_owned(),
            };
            format!("{key}{equals}{value}{comment}\n")
        },
    )
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(values).prop_map(str::to_owned)
}

fn interface_line() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => entry(&["ListenPort"], one_of(&["0", "51820", "65535", "65536", "", "+1", "0x10", "https", "051820", "5 1"])),
        2 => entry(&["FwMark"], one_of(&["0", "off", "OFF", "0xca6c", "51820", "0x", "0X1", "4294967295", "4294967296", "-1", "0x1g", "010"])),
        1 => entry(&["Jc", "X-Key", "S1", "Private"], "[0-9a-z]{0,4}"),
        1 => entry(&["PublicKey", "Endpoint"], one_of(&[PEER, "a.example:1"])),
    ]
}

fn peer_line() -> impl Strategy<Value = String> {
    let network = prop_oneof![
        3 => (any::<std::net::IpAddr>(), 0..140u8).prop_map(|(ip, prefix)| format!("{ip}/{prefix}")),
        2 => any::<std::net::IpAddr>().prop_map(|ip| ip.to_string()),
        2 => one_of(&["0.0.0.0/0", "::/0", "10.0.0.0/8", "fd00::/8", "::ffff:1.2.3.4/96"]),
        2 => one_of(&["", "10.0.0/8", "10.0.0.0/", "010.0.0.0/8", "10.0.0.0/08", "10.0.0.0/255.0.0.0", "a.example", "::1%lo", "+10.0.0.0/8", "1.2.3.4/ 8"]),
    ];
    let host = prop_oneof![
        4 => one_of(&["a.example", "b-c.example", "bücher.example", "localhost", "192.0.2.1", "[2001:db8::1]", "2001:db8::1", "[fe80::1%lo]", "fe80::1%lo", "[192.0.2.1]", "[a.example]"]),
        1 => any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        1 => any::<std::net::Ipv6Addr>().prop_map(|ip| format!("[{ip}]")),
        2 => one_of(&["", "[]", "[::1", "::1]", "10.1", "0x7f.1", "a.example.", "-a", "a..b", "[2001:db8::1%lo]", "[2001:db8::1%1]", "[fe80::1%nope]", "192.0.2.1%lo", "[::1]x", "nobody.example", "1.2.3.4.5", "a b.example"]),
    ];
    let port = prop_oneof![
        4 => (1..=65535u16).prop_map(|port| format!(":{port}")),
        1 => one_of(&["", ":", ":0", ":65536", ":https", ":+1", ":-1", ":00051820", ":1 2", ":1:2"]),
    ];
    prop_oneof![
        3 => entry(&["AllowedIPs"], prop::collection::vec((network, select(vec![",", ", ", " ,"])), 0..4).prop_map(|items| {
            let mut text: String = items.iter().map(|(network, comma)| format!("{network}{comma}")).collect();
            text.truncate(text.trim_end_matches([' ', ',']).len());
            text
        })),
        3 => entry(&["Endpoint"], (host, port).prop_map(|(host, port)| host + &port)),
        2 => entry(&["PersistentKeepalive"], one_of(&["25", "0", "off", "Off", "65535", "65536", "", "25s", "20-30", "025", "+1", "2 5"])),
        1 => entry(&["PresharedKey", "PublicKey"], one_of(&[KEY, PEER, "", "dwdt", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp="])),
        1 => entry(&["FwMark", "AdvancedSecurity", "End"], one_of(&["1", "on"])),
    ]
}

fn header(name: &'static str) -> impl Strategy<Value = String> {
    (
        prop_oneof![
            8 => Just(format!("[{name}]")),
            1 => Just(format!("[ {name}\t]")),
            1 => Just(format!("[{}]", name.to_uppercase())),
            1 => Just(format!(" [{}]# x", name.to_lowercase())),
        ],
        select(vec!["\n", "\r\n", "\n\n", "\n# x\n"]),
    )
        .prop_map(|(header, end)| header + end)
}

/// Generates files for `wg`, a quarter of which contain a wrong character.
fn file() -> impl Strategy<Value = String> {
    let peer = (
        header("Peer"),
        entry(&["PublicKey"], one_of(&[PEER])),
        prop::collection::vec(peer_line(), 0..3),
    );
    let own = (
        header("Interface"),
        entry(&["PrivateKey"], one_of(&[KEY])),
        prop::collection::vec(interface_line(), 0..2),
    );
    let change = prop_oneof![3 => Just(None), 1 => (any::<prop::sample::Index>(), 0..3u8, select(" \t#=[],:./%0x-+aZ;\"é\u{b}\n".chars().collect::<Vec<_>>())).prop_map(Some)];
    (own, prop::collection::vec(peer, 0..3), change).prop_map(
        |((header, key, lines), peers, change)| {
            let mut text = header + &key + &lines.concat();
            for (header, key, lines) in peers {
                text.push_str(&(header + &key + &lines.concat()));
            }
            let Some((at, how, with)) = change else { return text };
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            match how {
                0 => characters[at] = with,
                1 => characters.insert(at, with),
                _ => _ = characters.remove(at),
            }
            characters.into_iter().collect()
        },
    )
}

/// Generates files for `wg-quick` with valid values for `wg`, which it passes on unchecked.
fn quick_file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        entry(&["Address"], one_of(&["10.0.0.2/32", "10.0.0.2/255.255.255.0, fd00::2", ""])),
        entry(
            &["DNS"],
            one_of(&["1.1.1.1", "1.1.1.1:53 *.corp.example", "fd00::1,bücher.example", ""])
        ),
        entry(&["MTU"], one_of(&["1420", ""])),
        entry(&["Table"], one_of(&["off", "auto", "51820"])),
        entry(&["SaveConfig"], one_of(&["true", "FALSE", "yes", ""])),
        entry(&["PostUp", "PreDown"], one_of(&["id", "a = b # c"])),
        entry(&["ListenPort"], one_of(&["7"])),
    ];
    let lines = || prop::collection::vec(line.clone().boxed(), 0..4);
    let own = (header("Interface"), entry(&["PrivateKey"], one_of(&[KEY])), lines());
    let peer = (
        header("Peer"),
        entry(&["PublicKey"], one_of(&[PEER])),
        prop_oneof![4 => Just(Vec::new()), 1 => lines()],
    );
    (own, prop::option::of(peer)).prop_map(|((header, key, lines), peer)| {
        let peer = peer.map(|(header, key, lines)| header + &key + &lines.concat());
        header + &key + &lines.concat() + &peer.unwrap_or_default()
    })
}

fn ours(text: &str) -> Result<(), Refusal> {
    match WireGuardConfig::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let of = text.split('\n').nth(error.line - 1).unwrap_or_default().to_owned();
            Err(Refusal { says: error.what, of })
        }
    }
}

/// Returns a file with one line under `[Interface]`.
fn with(line: &str) -> String {
    format!("[Interface]\nPrivateKey = {KEY}\n{line}\n")
}

#[test]
#[ignore = "for cargo xtask interop"]
fn wireguard_files_are_accepted_by_all_or_none() {
    part(
        "wg, wg-quick, ip and the reader accept the same of generated files",
        PROGRAMS,
        Some("wireguard.sh"),
        || {
            let files = generate(&file(), 2000);
            let quick = generate(&quick_file(), 400);
            let read = quick.iter().filter_map(|file| WireGuardConfig::parse(file).ok());
            let forms: Vec<_> = read
                .filter_map(|config| Some(config.to_setconf().ok()?.expose().to_owned()))
                .collect();
            let address = prop_oneof![
                (any::<std::net::IpAddr>(), 0..140u8)
                    .prop_map(|(ip, prefix)| format!("{ip}/{prefix}")),
                (any::<std::net::Ipv4Addr>(), 0..33u8).prop_map(|(ip, bits)| {
                    let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or_default();
                    format!("{ip}/{}", std::net::Ipv4Addr::from(mask))
                }),
                one_of(&[
                    "10.0.0.2",
                    "fd00::2",
                    "10.1",
                    "10/8",
                    "10.0.0.2/010",
                    "010.0.0.2/8",
                    "10.0.0.2/0x18",
                    "10.0.0.2/",
                    "10.0.0.2/255.0.255.0",
                    "fd00::2/ffff::",
                    "fe80::1%lo/64",
                    "10.0.0.2/33",
                    "10.0.0.2/00",
                    "any",
                    "x"
                ]),
            ];
            let addresses = generate(&address, 300);
            let mtus = ["68", "1420", "65535", "67", "0", "01400", "0x58c", "x", "1420x"];
            let folder = Folder::new("wireguard");
            folder.files("setconf", "conf", &files);
            folder.files("quick", "conf", &quick);
            folder.files("forms", "conf", &forms);
            fs::write(folder.0.join("hosts"), HOSTS).unwrap();
            let list =
                |items: &[String]| items.iter().map(|item| format!("{item}\n")).collect::<String>();
            fs::write(folder.0.join("addresses"), list(&addresses)).unwrap();
            fs::write(folder.0.join("mtus"), list(&mtus.map(str::to_owned))).unwrap();
            let said = accepts(apart_script("wireguard.sh").arg(&folder.0)).stdout;
            let said: Vec<_> = String::from_utf8_lossy(&said).lines().map(str::to_owned).collect();
            assert_eq!(
                said.len(),
                files.len() + quick.len() + forms.len() + addresses.len() + mtus.len()
            );
            let mut said = said.iter();

            let mut all = Comparison::default();
            for (file, said) in files.iter().zip(said.by_ref()) {
                all.add(file, ours(file), said, [THEIRS_ONLY, OURS_ONLY]);
            }
            print!("{}", all.judge("wg setconf"));
            let mut all = Comparison::default();
            for (file, said) in quick.iter().zip(said.by_ref()) {
                all.add(file, ours(file), said, [THEIRS_ONLY, OURS_ONLY]);
            }
            print!("{}", all.judge("wg-quick strip"));
            for (form, said) in forms.iter().zip(said.by_ref()) {
                assert_eq!(said, "ok", "{form:?}");
            }
            println!("wg setconf takes {} of its own form", forms.len());
            let short = Meant {
                says: "Address",
                holds: is_odd_address,
                why: "a short, octal or hexadecimal number is another one in other programs",
            };
            let mut all = Comparison::default();
            for (address, said) in addresses.iter().zip(said.by_ref()) {
                // `ip` does not assign unspecified and multicast addresses to an interface.
                let is_nobodys =
                    said.contains("Invalid") || said.contains("RTNETLINK") || said.contains("IPv6");
                if !is_nobodys {
                    all.add(
                        address,
                        ours(&with(&format!("Address = {address}"))),
                        said,
                        [std::slice::from_ref(&short), &[]],
                    );
                }
            }
            print!("{}", all.judge("ip address add"));
            for (mtu, said) in mtus.iter().zip(said) {
                let is_ours = ours(&with(&format!("MTU = {mtu}"))).is_ok();
                // `ip` accepts any base, and wireguard-go any size.
                assert!(!is_ours || said == "ok", "MTU {mtu}: {said}");
            }
        },
    );
}
