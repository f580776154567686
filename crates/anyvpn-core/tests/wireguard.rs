//! WireGuard configurations: realistic files, refusals with their position, edits, and properties.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use anyvpn_core::{
    ConfigError, Endpoint, Error, ErrorKind, Host, Interface, Peer, PresharedKey, PrivateKey,
    PublicKey, Secret, WireGuardConfig,
};
use proptest::prelude::*;

/// Alice's and Bob's keys of RFC 7748, section 6.1, in base64.
const ALICE: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
const ALICE_PUBLIC: &str = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
const BOB: &str = "XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=";
const BOB_PUBLIC: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";
/// Not part of a key pair, and easy to search for.
const SHARED: &str = "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=";

fn parse(text: &str) -> WireGuardConfig {
    WireGuardConfig::parse(text).unwrap()
}

/// A file with most of what the manuals allow, in unusual spelling.
fn full() -> String {
    format!(
        "# From the provider\r\n\
         \t[interface]  # mine\r\n\
         PRIVATEKEY={ALICE}# old: {BOB}\r\n\
         Address = 10.0.0.2/24, fd00::2/64\n\
         Address = 10.9.0.2\n\
         DNS = 10.0.0.1, fd00::1 example.net # resolvers\n\
         \n\
         MTU = 1380\n\
         ListenPort = 0\nFwMark = 0xca6c\nTable = off\nSaveConfig = False\n\
         Proxy = 4\n\
         PreUp = echo \"#1\" # not a comment\n\
         PostUp = iptables -A OUTPUT ! -o %i -j REJECT\n\
         postdown =\u{202e}x\n\
         [Peer]\n\
         PublicKey = {BOB_PUBLIC}\n\
         PresharedKey = {SHARED}\n\
         AllowedIPs = 0.0.0.0/0, ::/0\n\
         AllowedIPs = 192.168.7.9\n\
         Endpoint = vpn.example.net:51820\n\
         PersistentKeepalive = 25\n\
         \n\
         [Peer]\n\
         PublicKey = {ALICE_PUBLIC}\n\
         Endpoint = [2001:db8::1]:443\n\
         PersistentKeepalive = OFF"
    )
}

#[test]
fn a_full_file_is_understood_and_printed_byte_for_byte() {
    let text = full();
    let config = parse(&text);
    assert_eq!(config.to_secret().expose(), text);
    assert_eq!(config.private_key().to_secret().expose(), ALICE);
    let networks = |networks: Vec<ipnet::IpNet>| {
        let texts: Vec<_> = networks.iter().map(ToString::to_string).collect();
        texts.join(" ")
    };
    assert_eq!(networks(config.addresses()), "10.0.0.2/24 fd00::2/64 10.9.0.2/32");
    assert_eq!(config.dns(), ["10.0.0.1", "fd00::1", "example.net"]);
    assert_eq!((config.mtu(), config.listen_port()), (Some(1380), Some(0)));
    let [first, second] = config.peers().try_into().unwrap();
    assert_eq!(first.public_key.to_string(), BOB_PUBLIC);
    assert_eq!(first.preshared_key.unwrap().to_secret().expose(), SHARED);
    assert_eq!(networks(first.allowed_ips), "0.0.0.0/0 ::/0 192.168.7.9/32");
    assert_eq!(first.endpoint.unwrap().to_string(), "vpn.example.net:51820");
    assert_eq!(first.persistent_keepalive, Some(25));
    assert_eq!(second.endpoint.unwrap().to_string(), "[2001:db8::1]:443");
    assert_eq!(second.persistent_keepalive, None);
    assert!(second.preshared_key.is_none() && second.allowed_ips.is_empty());
}

#[test]
fn commands_are_listed_with_their_lines_and_safe_to_show() {
    let commands: Vec<_> = parse(&full())
        .directives()
        .into_iter()
        .map(|directive| (directive.line, directive.name, directive.value, directive.why))
        .collect();
    let line = |line, name: &str, value: &str, why| (line, name.to_owned(), value.to_owned(), why);
    let command = |number, name, value| line(number, name, value, "runs a program");
    let expected = [
        line(13, "Proxy", "4", "is not a key that wg-quick knows"),
        command(14, "PreUp", "echo \"#1\" # not a comment"),
        command(15, "PostUp", "iptables -A OUTPUT ! -o %i -j REJECT"),
        command(16, "PostDown", "\\u{202e}x"),
    ];
    assert_eq!(commands, expected);
}

#[test]
fn unknown_directives_and_those_that_write_files_are_listed() {
    let text = format!(
        "[Interface] # x=1\nPrivateKey={ALICE}\n\tPost.Up = {BOB} # y\nSaveConfig = TRUE\nTable = off\n\n# a = b\n"
    );
    let listed: Vec<_> =
        parse(&text).directives().into_iter().map(|d| (d.line, d.name, d.value, d.why)).collect();
    let line = |line, name: &str, value: &str, why| (line, name.to_owned(), value.to_owned(), why);
    let expected = [
        line(3, "Post.Up", "[redacted]", "is not a key that wg-quick knows"),
        line(4, "SaveConfig", "TRUE", "writes a file"),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn a_long_path_in_a_command_is_shown_and_a_key_is_not() {
    let path = format!("/{}", "a/long/way/".repeat(9));
    let text = format!("[Interface]\nPrivateKey={ALICE}\nPostUp = {path}x --psk={SHARED}\n");
    let (commands, redacted) = (parse(&text).directives(), parse(&text).redacted());
    assert_eq!(commands[0].value, format!("{path}x --psk=[redacted]"));
    assert!(redacted.ends_with(&format!("{path}x --psk=[redacted]\n")), "{redacted}");
}

#[test]
fn nothing_shows_a_key_but_on_purpose() {
    let config = parse(&full());
    let mut shown = format!("{config:?} {:?} {:?}", config.peers(), config.directives());
    shown.push_str(&format!("{:?}", config.private_key()));
    shown.push_str(&config.redacted());
    for key in [ALICE, BOB, SHARED] {
        assert!(!shown.contains(&key[..12]), "{shown}");
    }
    let redacted = config.redacted();
    assert!(redacted.contains("PRIVATEKEY=[redacted]# old: [redacted]\r\n"));
    assert!(redacted.contains(BOB_PUBLIC));
    assert_eq!(format!("{config:?}"), format!("WireGuardConfig({redacted:?})"));
    assert!(format!("{:?}", config.peers()).contains(BOB_PUBLIC));
}

#[test]
fn a_wrong_file_is_refused_at_its_place() {
    let own = format!("[Interface]\nPrivateKey = {ALICE}\n");
    let peer = format!("{own}[Peer]\nPublicKey = {BOB_PUBLIC}\n");
    let cases: &[(String, usize, usize, &str)] = &[
        (String::new(), 1, 1, "no [Interface] section"),
        ("# nothing\n".into(), 1, 1, "no [Interface] section"),
        (format!("[Peer]\nPublicKey={BOB_PUBLIC}"), 1, 1, "no [Interface] section"),
        (format!("PrivateKey = {ALICE}\n"), 1, 1, "before any section"),
        ("# x\n[Interface]\n".into(), 2, 1, "no PrivateKey"),
        (format!("{own}[Peer]\nEndpoint = a:1\n"), 3, 1, "no PublicKey"),
        (format!("{own}PrivateKey = {BOB}\n"), 3, 1, "is repeated here"),
        (format!("{peer}PublicKey = {ALICE_PUBLIC}\n"), 5, 1, "is repeated here"),
        ("[Interface]\nPrivateKey = dwdt\n".into(), 2, 14, "44 characters"),
        // Not canonical: the bits after the 32 bytes are set.
        (
            "[Interface]\nPrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=".into(),
            2,
            14,
            "44 characters",
        ),
        (format!("{own}[Server]\n"), 3, 1, "sections [Interface] and [Peer]"),
        (format!("{own} [Interface] = 1\n"), 3, 2, "sections [Interface] and [Peer]"),
        (format!("{own}hello\n"), 3, 1, "neither a section"),
        (format!("{own}; DNS = 1.1.1.1\n"), 3, 1, "key of letters"),
        // A space of Unicode, and a NUL that bash drops: wg-quick may run the command.
        (format!("{own}\u{2003}PostUp = id\n"), 3, 1, "key of letters"),
        (format!("{own}Post\0Up = id\n"), 3, 5, "U+0000"),
        (format!("{own}\rPostUp = id\n"), 3, 1, "U+000D"),
        (format!("{own}PublicKey = {BOB_PUBLIC}\n"), 3, 1, "belongs under [Peer]"),
        (format!("{peer}DNS = 1.1.1.1\n"), 5, 1, "belongs under [Interface]"),
        (format!("{own}Address = 10.0.0.2/33\n"), 3, 11, "Address"),
        (format!("{own}Address = 10.0.0.2/24, fd00::2/129\n"), 3, 24, "Address"),
        (format!("{own}Address = *\n"), 3, 11, "Address"),
        (format!("{own}DNS = 1.1.1\n"), 3, 7, "not an address"),
        (format!("{own}DNS = $(id)\n"), 3, 7, "search domains"),
        (format!("{own}DNS = 1.1.1.1 , fe80::1%;id\n"), 3, 17, "not an address"),
        (format!("{own}DNS = 1.1.1.1%eth0:\n"), 3, 7, "not an address"),
        (format!("{own}MTU = 67\n"), 3, 7, "68 to 65535"),
        (format!("{own}MTU = 1420x\n"), 3, 7, "68 to 65535"),
        (format!("{own}ListenPort = 65536\n"), 3, 14, "0 to 65535"),
        (format!("{own}ListenPort = +1\n"), 3, 14, "0 to 65535"),
        (format!("{own}ListenPort =\n"), 3, 13, "0 to 65535"),
        (format!("{own}FwMark = 0x100000000\n"), 3, 10, "FwMark"),
        (format!("{own}FwMark = 0x\n"), 3, 10, "FwMark"),
        (format!("{own}FwMark = 0x+1\n"), 3, 10, "FwMark"),
        (format!("{own}FwMark = +1\n"), 3, 10, "FwMark"),
        (format!("{own}Table = a b\n"), 3, 9, "Table"),
        (format!("{own}SaveConfig = yes\n"), 3, 14, "true"),
        (format!("{peer}AllowedIPs =\n"), 5, 13, "AllowedIPs"),
        (format!("{peer}AllowedIPs = 0.0.0.0/0,\n"), 5, 24, "AllowedIPs"),
        (format!("{peer}AllowedIPs = 0.0.0.0/0, 1.2.3/8\n"), 5, 25, "AllowedIPs"),
        (format!("{peer}AllowedIPs = 0.0.0.0/0 ::/0\n"), 5, 14, "AllowedIPs"),
        (format!("{peer}Endpoint = (none)\n"), 5, 12, "host and port"),
        (format!("{peer}Endpoint = a.example\n"), 5, 12, "host and port"),
        (format!("{peer}Endpoint = a.example:0\n"), 5, 12, "1 to 65535"),
        (format!("{peer}Endpoint = a.example:70000\n"), 5, 12, "1 to 65535"),
        (format!("{peer}Endpoint = [::1:51820\n"), 5, 12, "host and port"),
        (format!("{peer}Endpoint = 10.1:1\n"), 5, 12, "host"),
        (format!("{peer}Endpoint = -x:1\n"), 5, 12, "host"),
        (format!("{peer}PersistentKeepalive = 65536\n"), 5, 23, "off"),
        (format!("{peer}PresharedKey = é{SHARED}\n"), 5, 16, "44 characters"),
        (format!("{peer}é\u{7}\n"), 5, 2, "U+0007"),
        ("\u{feff}[Interface]\n".into(), 1, 1, "neither a section"),
    ];
    for (text, line, column, what) in cases {
        let error = WireGuardConfig::parse(text).expect_err(text);
        assert_eq!((error.line, error.column), (*line, *column), "{text:?}: {error}");
        assert!(error.what.contains(what), "{text:?}: {error}");
        assert!(!error.to_string().contains("dwdt"), "{error}");
    }
}

#[test]
fn everything_that_the_programs_accept_is_accepted() {
    let own = format!("[Interface]\nPrivateKey = {ALICE}\n");
    let peer = format!("{own}[Peer]\nPublicKey = {BOB_PUBLIC}\n");
    let spaced = format!("{} {}", &ALICE[..20], &ALICE[20..]);
    let cases = [
        format!("[Interface]\n PrivateKey\t=  {spaced}\t"),
        format!("{own}MTU =\nDNS =\nAddress =\nTable =\n"),
        format!("{own}DNS = fe80::1%eth0,,~corp.example, ~.\n"),
        format!("{own}X-of_somebody.else = 1\nFwMark = 51820\n"),
        format!("{own}Table = main\nFwMark = OFF\nSaveConfig = TRUE\n"),
        format!("{own}MTU = 1400\nMTU = 1300\n"),
        format!("{own}[Peer]\nPublicKey={BOB_PUBLIC}\n[Interface]\nMTU=1300\n"),
        format!("{peer}Endpoint = 2001:db8::1:51820\n"),
        format!("{peer}Endpoint = a_b.example.:1\nAllowedIPs=10.0.0.7/8 , fd00::/8\n"),
        format!("{peer}Endpoint = a.example:1\nEndpoint = b.example:2\n"),
        format!("{own}\r\r\n"),
    ];
    for text in cases {
        let config = WireGuardConfig::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(config.to_secret().expose(), text);
        assert_eq!(config.private_key().to_secret().expose(), ALICE);
        assert!(!config.redacted().contains(&ALICE[..12]), "{text}");
    }
    let text = format!("{peer}Endpoint = a.example:1\nEndpoint = 2001:db8::1:2\n");
    let endpoint = parse(&text).peers()[0].endpoint.clone().unwrap();
    assert_eq!(endpoint.to_string(), "[2001:db8::1]:2");
}

#[test]
fn edits_keep_everything_else() {
    let mut config = parse(&full());
    config.set_private_key(BOB.parse().unwrap());
    config.set_dns(&["9.9.9.9".parse().unwrap()]);
    config.set_mtu(Some(1280)).unwrap();
    config.set_endpoint(0, "192.0.2.7:443".parse().unwrap()).unwrap();
    config.set_keepalive(0, None).unwrap();
    config.set_keepalive(1, Some(15)).unwrap();
    config.ipv4_only();
    let expected = full()
        .replace(&format!("{ALICE}#"), &format!("{BOB}#"))
        .replace("10.0.0.1, fd00::1 example.net", "9.9.9.9, example.net")
        .replace("1380", "1280")
        .replace("vpn.example.net:51820", "192.0.2.7:443")
        .replace("PersistentKeepalive = 25\n", "")
        .replace("= OFF", "= 15")
        .replace("10.0.0.2/24, fd00::2/64", "10.0.0.2/24")
        .replace("0.0.0.0/0, ::/0", "0.0.0.0/0");
    assert_eq!(config.to_secret().expose(), expected);
    assert_eq!(config.private_key().to_secret().expose(), BOB);
    assert_eq!(config.peers()[0].persistent_keepalive, None);
    // A list without IPv6 is not rewritten.
    let text = format!("[Interface]\nPrivateKey = {ALICE}\nDNS = 1.1.1.1 ,9.9.9.9\n");
    let mut unchanged = parse(&text);
    unchanged.ipv4_only();
    assert_eq!(unchanged.to_secret().expose(), text);
    // The value in memory matches the text.
    assert_eq!(format!("{:?}", parse(&expected).peers()), format!("{:?}", config.peers()));
}

#[test]
fn new_lines_follow_the_section_and_the_ends_of_lines() {
    let own = format!("[Interface]\r\nPrivateKey = {ALICE}");
    let mut config = parse(&own);
    config.set_mtu(Some(1300)).unwrap();
    assert_eq!(config.to_secret().expose(), format!("{own}\r\nMTU = 1300"));
    config.set_mtu(None).unwrap();
    assert_eq!(config.to_secret().expose(), format!("{own}\r\n"));
    // The last line may have an incomplete line end.
    let mut config = parse(&format!("{own}\r"));
    config.set_mtu(Some(1300)).unwrap();
    assert_eq!(config.to_secret().expose(), format!("{own}\r\nMTU = 1300\r"));

    let text =
        format!("[Interface]\nPrivateKey = {ALICE}\n\n# Paris\n[Peer]\nPublicKey = {BOB_PUBLIC}\n");
    let mut config = parse(&text);
    config.set_dns(&["1.1.1.1".parse().unwrap(), "::1".parse().unwrap()]);
    config.set_keepalive(0, Some(25)).unwrap();
    let expected =
        text.replace("\n\n#", "\nDNS = 1.1.1.1, ::1\n\n#") + "PersistentKeepalive = 25\n";
    assert_eq!(config.to_secret().expose(), expected);
}

#[test]
fn a_removed_entry_leaves_its_comment_and_repetitions_go() {
    let own = format!("[Interface]\nPrivateKey = {ALICE}\n");
    let mut config = parse(&format!(
        "{own}Address = fd00::2/128  # six\nAddress = 10.0.0.2\nDNS = ::1\nDNS = 1.1.1.1 # four\n"
    ));
    config.ipv4_only();
    let expected = format!("{own}# six\nAddress = 10.0.0.2\nDNS = 1.1.1.1 # four\n");
    assert_eq!(config.to_secret().expose(), expected);
    config.set_dns(&[]);
    let expected = format!("{own}# six\nAddress = 10.0.0.2\n# four\n");
    assert_eq!(config.to_secret().expose(), expected);
    let mut config = parse(&format!("{own}MTU = 1300 # a\nMTU = 1400 # b\n"));
    assert_eq!(config.mtu(), Some(1400));
    config.set_mtu(Some(1500)).unwrap();
    assert_eq!(config.to_secret().expose(), format!("{own}MTU = 1500 # a\n# b\n"));
}

#[test]
fn invalid_edits_are_refused() {
    let text = full();
    let mut config = parse(&text);
    let kinds = [
        config.set_mtu(Some(67)),
        config.set_keepalive(2, None),
        config.set_endpoint(2, "a.example:1".parse().unwrap()),
        config.set_endpoint(0, Endpoint { host: "a.example".parse().unwrap(), port: 0 }),
    ]
    .map(|result| result.unwrap_err().kind());
    assert_eq!(kinds, [ErrorKind::InvalidRequest; 4]);
    assert_eq!(config.to_secret().expose(), text);
    // The minimum value, and no value.
    config.set_mtu(Some(68)).unwrap();
    config.set_keepalive(0, Some(0)).unwrap();
    let expected = text.replace("1380", "68").replace("PersistentKeepalive = 25\n", "");
    assert_eq!(config.to_secret().expose(), expected);
}

#[test]
fn a_fresh_document_is_in_the_usual_order() {
    let config = WireGuardConfig::new(
        Interface {
            private_key: ALICE.parse().unwrap(),
            addresses: vec!["10.0.0.2/32".parse().unwrap(), "fd00::2/128".parse().unwrap()],
            dns: vec!["10.0.0.1".parse().unwrap()],
            mtu: Some(1420),
            listen_port: None,
        },
        vec![
            Peer {
                public_key: BOB_PUBLIC.parse().unwrap(),
                preshared_key: Some(SHARED.parse().unwrap()),
                allowed_ips: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
                endpoint: Some("vpn.example.net:51820".parse().unwrap()),
                persistent_keepalive: Some(25),
            },
            Peer {
                public_key: ALICE_PUBLIC.parse().unwrap(),
                preshared_key: None,
                allowed_ips: vec![],
                endpoint: None,
                persistent_keepalive: Some(0),
            },
        ],
    );
    let expected = format!(
        "[Interface]\nPrivateKey = {ALICE}\nAddress = 10.0.0.2/32, fd00::2/128\nDNS = 10.0.0.1\nMTU = 1420\n\
         \n[Peer]\nPublicKey = {BOB_PUBLIC}\nPresharedKey = {SHARED}\nAllowedIPs = 0.0.0.0/0, ::/0\n\
         Endpoint = vpn.example.net:51820\nPersistentKeepalive = 25\n\
         \n[Peer]\nPublicKey = {ALICE_PUBLIC}\n"
    );
    assert_eq!(config.to_secret().expose(), expected);
    assert_eq!(config.peers().len(), 2);
}

#[test]
fn a_hosts_name_is_what_was_written() {
    for name in ["a.example", "A_b.example."] {
        assert_eq!(name.parse::<anyvpn_core::HostName>().unwrap().as_str(), name);
    }
}

#[test]
fn public_keys_match_rfc_7748() {
    let public = |key: &str| key.parse::<PrivateKey>().unwrap().public_key().to_string();
    assert_eq!(public(ALICE), ALICE_PUBLIC);
    assert_eq!(public(BOB), BOB_PUBLIC);
    // Section 5.2: scalar 9, base point 9, one iteration. Its bits are not clamped.
    let nine = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(public(nine), "QiyOemIn17yhNQs+K7cnn3iXuHu2hUt4PGDoAxGuMHk=");
}

#[test]
fn a_generated_key_is_clamped_and_new() {
    use base64::Engine as _;
    let key = PrivateKey::generate().unwrap();
    let text = key.to_secret();
    let others = || PrivateKey::generate().unwrap().to_secret();
    for text in std::iter::repeat_with(others).take(32).chain([text.clone()]) {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.expose()).unwrap();
        assert_eq!((bytes.len(), bytes[0] & 7, bytes[31] & 0xc0), (32, 0, 0x40));
    }
    let again = PrivateKey::from_base64(&text).unwrap();
    assert_eq!(again.public_key(), key.public_key());
    assert_ne!(PrivateKey::generate().unwrap().public_key(), key.public_key());
}

#[test]
fn an_invalid_key_is_refused_without_being_quoted() {
    let wrong = [
        "",
        "hello",
        &ALICE[..43],
        &format!("{ALICE}="),
        &format!(" {}", &ALICE[..43]),
        &ALICE.replace('=', "A"),
        &ALICE.replace('o', "p"),
        &ALICE.replace("dwdt", "dw-t"),
        &ALICE.replace("dwdt", "dwé"),
    ]
    .map(str::to_owned);
    for text in wrong {
        let errors = [
            text.parse::<PublicKey>().unwrap_err(),
            text.parse::<PresharedKey>().unwrap_err(),
            PrivateKey::from_base64(&Secret::from(text.as_str())).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(text.is_empty() || !format!("{error} {error:?}").contains(&text), "{error}");
        }
        let json = serde_json::to_string(&text).unwrap();
        assert!(serde_json::from_str::<PublicKey>(&json).is_err());
    }
    let key: PublicKey = serde_json::from_str(&format!("\"{ALICE_PUBLIC}\"")).unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{ALICE_PUBLIC}\""));
}

#[test]
fn the_place_stands_in_the_error_of_the_crate() {
    let error: ConfigError = WireGuardConfig::parse("x = 1").unwrap_err();
    let error = Error::from(error);
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.detail().unwrap().starts_with("line 1, column 1: "));
}

/// Generates a key's text from any 32 bytes.
fn key() -> impl Strategy<Value = String> {
    use base64::Engine as _;
    any::<[u8; 32]>().prop_map(|bytes| base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let host = prop_oneof![
        any::<std::net::IpAddr>().prop_map(Host::Ip),
        "[a-z][a-z0-9-]{0,9}\\.[a-z]{2,5}".prop_map(|name| name.parse().unwrap()),
    ];
    (host, 1..=u16::MAX).prop_map(|(host, port)| Endpoint { host, port })
}

fn network() -> impl Strategy<Value = ipnet::IpNet> {
    let network = |(ip, prefix): (std::net::IpAddr, u8)| {
        ipnet::IpNet::new(ip, if ip.is_ipv4() { prefix % 33 } else { prefix % 129 }).unwrap()
    };
    (any::<std::net::IpAddr>(), any::<u8>()).prop_map(network)
}

prop_compose! {
    fn peer()(
        public in key(),
        preshared in prop::option::of(key()),
        allowed_ips in prop::collection::vec(network(), 0..4),
        endpoint in prop::option::of(endpoint()),
        persistent_keepalive in prop::option::of(1u16..),
    ) -> Peer {
        let public_key = public.parse().unwrap();
        let preshared_key = preshared.map(|key| key.parse().unwrap());
        Peer { public_key, preshared_key, allowed_ips, endpoint, persistent_keepalive }
    }
}

prop_compose! {
    fn document()(
        own in key(),
        addresses in prop::collection::vec(network(), 0..4),
        dns in prop::collection::vec(any::<std::net::IpAddr>(), 0..3),
        mtu in prop::option::of(68u16..),
        listen_port in any::<Option<u16>>(),
        peers in prop::collection::vec(peer(), 0..4),
    ) -> (Interface, Vec<Peer>) {
        let private_key = own.parse().unwrap();
        (Interface { private_key, addresses, dns, mtu, listen_port }, peers)
    }
}

/// Generates texts that often parse: valid, unusual or wrong lines, with any line end.
fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        8 => Just("[Peer]\nPublicKey=3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=".to_owned()),
        4 => Just("[Interface]".to_owned()),
        2 => "[ \t]{0,2}(address|DNS|MTU|Jc|x) ?= ?",
        2 => "Address ?=[ ,]10\\.0\\.0\\.[0-9]{1,2}/(8|32) ?(#[a-z é]{0,5})?",
        2 => "(PostUp|preDown) ?=[ -~]{0,20}",
        2 => "[ \t]*#[ -~é]{0,20}",
        2 => "[ \t]{0,3}",
        1 => "(Endpoint|AllowedIPs|ListenPort) = [0-9a-f:./]{0,12}",
    ];
    let end = prop_oneof![3 => Just("\n"), 1 => Just("\r\n")];
    let lines = prop::collection::vec((line, end), 0..12);
    (lines, any::<bool>()).prop_map(|(lines, last)| {
        let mut text = format!("[Interface]\nPrivateKey={ALICE}\n");
        lines.iter().for_each(|(line, end)| text.extend([line.as_str(), end]));
        if last { text } else { text.trim_end().to_owned() }
    })
}

proptest! {
    #[test]
    fn a_written_configuration_reads_the_same((interface, peers) in document()) {
        let config = WireGuardConfig::new(interface.clone(), peers.clone());
        let text = config.to_secret();
        let read = WireGuardConfig::parse(text.expose()).unwrap();
        let again = read.to_secret();
        prop_assert_eq!(again.expose(), text.expose());
        prop_assert_eq!(read.addresses(), interface.addresses);
        let dns: Vec<_> = interface.dns.iter().map(ToString::to_string).collect();
        prop_assert_eq!(read.dns(), dns);
        prop_assert_eq!((read.mtu(), read.listen_port()), (interface.mtu, interface.listen_port));
        prop_assert_eq!(read.private_key().public_key(), interface.private_key.public_key());
        let shown = |peers: &[Peer]| format!("{peers:?}");
        prop_assert_eq!(shown(&read.peers()), shown(&peers));
        let shared = |peers: Vec<Peer>| {
            let keys = peers.into_iter().map(|peer| peer.preshared_key);
            keys.map(|key| key.map(|key| key.to_secret().expose().to_owned())).collect::<Vec<_>>()
        };
        prop_assert_eq!(shared(read.peers()), shared(peers));
    }

    #[test]
    fn parsed_configurations_print_the_same_bytes_and_hide_keys(text in file()) {
        if let Ok(config) = WireGuardConfig::parse(&text) {
            let printed = config.to_secret();
            prop_assert_eq!(printed.expose(), &text);
            let shown = format!("{config:?}{:?}", config.directives());
            prop_assert!(!shown.contains("dwdtCnMY"));
            prop_assert_eq!(config.redacted(), text.replace(ALICE, "[redacted]"));
        }
    }

    #[test]
    fn edits_leave_a_file_that_reads_as_it_was_set(text in file(), mtu in 68u16.., dns: [std::net::IpAddr; 2]) {
        if let Ok(mut config) = WireGuardConfig::parse(&text) {
            config.set_mtu(Some(mtu)).unwrap();
            config.set_dns(&dns);
            config.ipv4_only();
            let read = WireGuardConfig::parse(config.to_secret().expose()).unwrap();
            prop_assert_eq!(read.mtu(), Some(mtu));
            prop_assert_eq!(read.dns(), config.dns());
            prop_assert!(read.addresses().iter().all(|address| address.addr().is_ipv4()));
            prop_assert_eq!(read.directives().len(), config.directives().len());
            // Comments after entries and unknown keys are preserved.
            let count = |text: &str| text.matches("Jc").count() + text.matches('#').count();
            prop_assert_eq!(count(config.to_secret().expose()), count(&text));
        }
    }

    #[test]
    fn no_text_makes_it_panic(bytes: Vec<u8>, text: String, tail in "\\PC{0,40}") {
        let _ = WireGuardConfig::parse(&text);
        let _ = WireGuardConfig::parse(&String::from_utf8_lossy(&bytes));
        let _ = WireGuardConfig::parse(&format!("[Interface]\nPrivateKey={ALICE}\n{tail}={text}"));
        let _ = tail.parse::<Endpoint>();
        let _ = tail.parse::<PublicKey>();
    }
}
