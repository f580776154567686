//! OpenVPN profiles: the vendor's sample, unusual files, refusals with their position, and
//! properties.

#![cfg(feature = "openvpn")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use anyvpn_core::{Certificate, Directive, Error, ErrorKind, OpenVpnProfile, RemotePort, Secret};
use proptest::prelude::*;

/// Returns the profile in the JSON of VPN Script's document.
fn sample() -> String {
    serde_json::from_str(include_str!("openvpn/sample.json")).unwrap()
}

/// A CA that never expires, with a comma in its name.
const ENDLESS: &str = include_str!("openvpn/endless.pem");

fn parse(text: &str) -> OpenVpnProfile {
    OpenVpnProfile::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn remotes(text: &str) -> Vec<(String, RemotePort, String)> {
    let remotes = parse(text).remotes().into_iter();
    remotes.map(|remote| (remote.host, remote.port, remote.proto)).collect()
}

fn remote(host: &str, port: u16, proto: &str) -> (String, RemotePort, String) {
    (host.to_owned(), RemotePort::Number(port), proto.to_owned())
}

fn listed(text: &str) -> Vec<(usize, String, String, &'static str)> {
    let listed = parse(text).directives().into_iter();
    listed.map(|Directive { line, name, value, why, .. }| (line, name, value, why)).collect()
}

#[test]
fn the_documents_sample_is_understood_and_printed_byte_for_byte() {
    let text = sample();
    assert!(text.contains("\r\n") && text.ends_with("-----\r\n\n</ca>\n"));
    let profile = parse(&text);
    assert_eq!(profile.to_secret().expose(), text);
    assert_eq!(profile.redacted(), text);
    assert_eq!(remotes(&text), [remote("127.0.0.1", 1194, "udp")]);
    assert_eq!(profile.directives(), []);
    assert!(profile.asks_for_password());
    let [ca] = profile.ca().unwrap().try_into().unwrap();
    assert_eq!(ca.subject, "CN=cn_zpgzxYkRxogQ4rty");
    assert_eq!(ca.common_name.as_deref(), Some("cn_zpgzxYkRxogQ4rty"));
    assert_eq!(ca.not_before.to_string(), "2021-12-21T15:56:35Z");
    assert_eq!(ca.not_after.to_string(), "2031-12-19T15:56:35Z");
}

#[test]
fn the_samples_certificate_alone_and_several_in_one_text_are_read() {
    let text = sample();
    let (start, end) = (text.find("-----BEGIN").unwrap(), text.find("\n</ca>").unwrap());
    let both = format!("first\n{}\nsecond\r\n{ENDLESS}", &text[start..end]);
    let certificates = Certificate::from_pem(&both).unwrap();
    assert_eq!(certificates.len(), 2);
    let endless = &certificates[1];
    assert_eq!(endless.subject, "CN=vpn ca,O=Example\\, Inc,C=SE");
    assert_eq!(endless.common_name.as_deref(), Some("vpn ca"));
    assert_eq!(endless.not_before.to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(endless.not_after, anyvpn_core::Timestamp::MAX);

    let second = both.replace(ENDLESS, &ENDLESS.replace("MIIB", "MIIC"));
    let second = Certificate::from_pem(&second).unwrap_err();
    assert_eq!(second.detail(), Some("certificate 2: this is not X.509; fetch it again"));

    let profile = parse(&format!("<ca>\nold\n</ca>\n# x\n<ca>\n{both}</ca>\nca other.crt\n"));
    assert_eq!(profile.ca().unwrap(), certificates);
    assert_eq!(parse("client\n").ca().unwrap(), []);
}

#[test]
fn a_block_without_a_certificate_is_an_error_with_its_line() {
    let broken = ENDLESS.replace("MIIB", "MIIC");
    for body in
        ["", "hello\n", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", &broken]
    {
        let error = parse(&format!("client\n<ca>\n{body}</ca>\n")).ca().unwrap_err();
        assert_eq!((error.line, error.column), (2, 1), "{error}");
        assert_eq!(Certificate::from_pem(body).unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn remotes_have_the_port_and_protocol_that_hold_for_them() {
    let text = "proto udp4\nremote a.example\nremote 'b.example' 443\n--remote \"c\" 80 tcp-client;\n#remote d\nport 1195\n";
    // `80 tcp-client;` keeps its semicolon, because a comment starts a new word.
    assert!(OpenVpnProfile::parse(text).is_err());
    assert_eq!(
        remotes(&text.replace("client;", "client ;")),
        [
            remote("a.example", 1195, "udp4"),
            remote("b.example", 443, "udp4"),
            remote("c", 80, "tcp4-client")
        ]
    );
    let text = "remote ignored\nproto tcp\n<connection>\nremote a\n</connection>\nport 8080\n\
                <connection> # second\r\n\tremote b 1 udp\r\n  port 7\r\n  </connection> x\r\n<connection>\nremote c\n</connection>";
    assert_eq!(
        remotes(text),
        [remote("a", 1194, "tcp"), remote("b", 7, "udp"), remote("c", 8080, "tcp")]
    );
    assert_eq!(parse(text).to_secret().expose(), text);
    assert_eq!(remotes("client"), []);
    assert_eq!(remotes("setenv opt remote a 5"), [remote("a", 5, "udp")]);
}

#[test]
fn directives_that_run_programs_or_read_files_are_listed_with_their_lines() {
    let (runs, loads) = ("runs a program", "loads code");
    let (reads, writes) = ("reads a file", "writes a file");
    let cases: &[(&str, &str, &str, &str)] = &[
        ("up /bin/sh", "up", "/bin/sh", runs),
        ("--down \"/bin/a b\" c # d", "down", "/bin/a b c", runs),
        ("\"route-up\" x", "route-up", "x", runs),
        ("setenv opt tls-verify 'a b'", "tls-verify", "a b", runs),
        ("setenv opt up", "up", "", runs),
        ("\\up x", "", "", ""),
        ("ipchange x", "ipchange", "x", runs),
        ("route-pre-down x", "route-pre-down", "x", runs),
        ("auth-user-pass-verify x via-env", "auth-user-pass-verify", "x via-env", runs),
        ("client-connect x", "client-connect", "x", runs),
        ("client-disconnect x", "client-disconnect", "x", runs),
        ("learn-address x", "learn-address", "x", runs),
        ("iproute /tmp/ip", "iproute", "/tmp/ip", runs),
        ("dns-updown x", "dns-updown", "x", runs),
        ("plugin x.so", "plugin", "x.so", loads),
        ("pkcs11-providers x.so", "pkcs11-providers", "x.so", loads),
        ("providers x", "providers", "x", loads),
        ("engine x", "engine", "x", loads),
        ("script-security 2", "script-security", "2", "allows programs to be run"),
        (
            "setenv LD_PRELOAD x",
            "setenv",
            "LD_PRELOAD x",
            "sets a variable of the programs it runs",
        ),
        ("ca ca.crt", "ca", "ca.crt", reads),
        ("cert x", "cert", "x", reads),
        ("key x", "key", "x", reads),
        ("pkcs12 x", "pkcs12", "x", reads),
        ("crl-verify x dir", "crl-verify", "x dir", reads),
        ("tls-auth ta.key 1", "tls-auth", "ta.key 1", reads),
        ("tls-crypt x", "tls-crypt", "x", reads),
        ("auth-user-pass /etc/pw", "auth-user-pass", "/etc/pw", reads),
        ("askpass x", "askpass", "x", reads),
        ("http-proxy h 80 x basic", "http-proxy", "h 80 x basic", reads),
        ("socks-proxy h 80 x", "socks-proxy", "h 80 x", reads),
        ("capath x", "capath", "x", reads),
        ("log x", "log", "x", writes),
        ("log-append x", "log-append", "x", writes),
        ("status x 5", "status", "x 5", writes),
        ("writepid x", "writepid", "x", writes),
        ("tls-export-cert x", "tls-export-cert", "x", writes),
        ("show-pkcs11-ids /tmp/x.so", "show-pkcs11-ids", "/tmp/x.so", loads),
        ("dev-node /etc/passwd", "dev-node", "/etc/passwd", "opens a device by its path"),
        ("dev ../etc/passwd", "dev", "../etc/passwd", "opens a device by its path"),
        (
            "port-share 127.0.0.1 80 /tmp/x",
            "port-share",
            "127.0.0.1 80 /tmp/x",
            "writes files for another program",
        ),
        ("auth-user-pass username-only", "auth-user-pass", "username-only", reads),
        ("http-proxy h 80 basic", "http-proxy", "h 80 basic", reads),
        ("connection [[INLINE]] x", "connection", "[[INLINE]] x", "is only valid as a block"),
        ("push \"route 10.0.0.0\"", "push", "route 10.0.0.0", "makes this machine a server"),
        ("config x", "config", "x", "reads more directives from a file"),
        ("cd /tmp", "cd", "/tmp", "changes the directory of all files"),
        ("chroot /tmp", "chroot", "/tmp", "changes the directory of all files"),
        (
            "management 127.0.0.1 7505",
            "management",
            "127.0.0.1 7505",
            "lets other programs control the tunnel",
        ),
        ("daemon", "daemon", "", "goes to the background"),
        ("win-sys env", "win-sys", "env", "chooses where system programs are run from"),
        ("up \u{202e}x", "up", "\\u{202e}x", runs),
        ("up \u{3164}x", "up", "\\u{3164}x", runs),
        ("<up>\nx\n</up>", "up", "x", runs),
    ];
    for (text, name, value, why) in cases {
        let text = format!("client\n{text}\nverb 3\n");
        if name.is_empty() {
            assert!(OpenVpnProfile::parse(&text).is_err(), "{text}");
        } else {
            let expected = [(2, (*name).to_owned(), (*value).to_owned(), *why)];
            assert_eq!(listed(&text), expected, "{text}");
        }
    }
    let nested = "<connection>\nremote a\n# up x\nup y\n</connection>\n";
    assert_eq!(listed(nested), [(4, "up".to_owned(), "y".to_owned(), runs)]);
}

#[test]
fn directives_that_only_describe_the_tunnel_are_not_listed() {
    let text = "client\nauth-user-pass\nscript-security 1\nup-delay\nsetenv CLIENT_CERT 0\n\
                setenv UV_ID 7\nsetenv opt block-outside-dns\n# up x\n ;down y\nremote a # up z\n\
                tls-auth [inline] 1\nauth-user-pass stdin\ndh none\nhttp-proxy h 80 auto\n\
                <key>\nup x\n</key>\n<tls-crypt>\n<up>\n</tls-crypt>\nsetenv\ndev tun3\nmode p2p\nignore-unknown-option up x\n";
    assert_eq!(listed(text), []);
}

#[test]
fn nothing_shows_a_secret_but_on_purpose() {
    let key = "-----BEGIN PRIVATE KEY-----\nCANARY0\n-----END PRIVATE KEY-----\n";
    let long = "CANARY1".repeat(5);
    let text = format!(
        "\u{feff}client\n<key>\n{key}</key>CANARY2\n<tls-auth>\nCANARY3\n</tls-auth>\r\n<tls-crypt-v2>\nCANARY4\n</tls-crypt-v2>\n\
         <auth-user-pass>\nme\nCANARY5\n</auth-user-pass>\n<new-thing>\nCANARY6\n</new-thing>\n<cert>\n{ENDLESS}{key}</cert>\n\
         auth-token CANARY7\nsetenv opt auth-token CANARY8\nsetenv PW CANARY9\n# {long}\nx {long}\n\
         http-proxy-option CUSTOM-HEADER A CANARYa\n<connection>\nremote a 5\n<http-proxy-user-pass>\nCANARYb\n</http-proxy-user-pass>\n</connection>\n\
         <ca>\n{ENDLESS}</ca>\nverb 3"
    );
    let profile = parse(&text);
    assert_eq!(profile.to_secret().expose(), text);
    let shown = profile.redacted();
    assert!(!shown.contains("CANARY"), "{shown}");
    assert_eq!(format!("{profile:?}"), format!("OpenVpnProfile({shown:?})"));
    assert!(
        shown.starts_with("\u{feff}client\n<key>\n[redacted]\n</key>\n<tls-auth>\n[redacted]\n")
    );
    assert!(shown.contains("<connection>\nremote a 5\n<http-proxy-user-pass>\n[redacted]\n"));
    assert!(shown.ends_with(&format!("<ca>\n{ENDLESS}</ca>\nverb 3")));
}

#[test]
fn a_wrong_file_is_refused_at_its_place() {
    let long = "x".repeat(255);
    let cases: &[(String, usize, usize, &str)] = &[
        ("client\n <ca>\nx\n".into(), 2, 2, "never closed"),
        ("<ca>\nx\n</cert>\n".into(), 1, 1, "never closed"),
        ("client\n</ca>\n".into(), 2, 1, "not open"),
        ("<>\n</>\n".into(), 1, 1, "a directive's name"),
        ("\"<a b>\"\n</a b>\n".into(), 1, 1, "a directive's name"),
        ("up \"x\n".into(), 1, 4, "never closed"),
        ("é 'x\n".into(), 1, 3, "never closed"),
        ("up c:\\x\n".into(), 1, 6, "backslash"),
        ("up x\\\n".into(), 1, 5, "backslash"),
        ("up \\ \"x y\"\n".into(), 1, 4, "backslash"),
        ("u\0p x\n".into(), 1, 2, "U+0000"),
        ("a\rup x\n".into(), 1, 2, "U+000D"),
        ("<ca>\na\u{b}b\n</ca>\n".into(), 2, 2, "U+000B"),
        (format!("#\n{long}\n"), 2, 256, "254 bytes"),
        (format!("# {}é\n", &long[..252]), 1, 255, "254 bytes"),
        // OpenVPN would end the block in the middle of this line, and run the next one.
        (format!("<ca>\n{long}</ca>\nup x\n</ca>\n"), 2, 256, "break the line"),
        ("remote\n".into(), 1, 1, "HOST"),
        ("client\nremote\n".into(), 2, 1, "HOST"),
        ("\u{feff}remote a 0\n".into(), 1, 11, "port"),
        ("setenv opt remote a b;\n".into(), 1, 21, "port"),
        ("remote a -b\n".into(), 1, 10, "port"),
        ("remote a 0\n".into(), 1, 10, "port"),
        ("remote a 65536\n".into(), 1, 10, "port"),
        ("remote a +1\n".into(), 1, 10, "port"),
        ("remote a 1 udp5\n".into(), 1, 12, "protocol"),
        ("remote a 1 udp x\n".into(), 1, 1, "HOST"),
        ("proto\n".into(), 1, 1, "one value"),
        ("port\n".into(), 1, 1, "one value"),
        ("rport 1 2\n".into(), 1, 1, "one value"),
        ("proto é\n".into(), 1, 7, "protocol"),
        ("port 0\n".into(), 1, 6, "port"),
        ("<connection>\nport 1\n</connection>\n".into(), 1, 1, "remote"),
        ("<connection>\nremote a\n<x>\n</connection>\n</x>\n".into(), 3, 1, "never closed"),
    ];
    for (text, line, column, what) in cases {
        let error = OpenVpnProfile::parse(text).expect_err(text);
        assert_eq!((error.line, error.column), (*line, *column), "{text:?}: {error}");
        assert!(error.what.contains(what), "{text:?}: {error}");
    }
}

#[test]
fn everything_that_openvpn_accepts_is_accepted() {
    let long = "x".repeat(254);
    let cases = [
        String::new(),
        "\n\r\n \t\n".into(),
        "verb 3".into(),
        format!("{long}\n"),
        format!("{long}y"),
        format!("<pkcs12>\n{long}{long}\n</pkcs12>\n"),
        format!("<pkcs12>\n{}</x\n</pkcs12>\n", &long[..251]),
        "setenv opt\n".into(),
        "up \"c:\\\\a \\\"b\\\" c\" '\\x' a\\ b \"\"\n".into(),
        "--<ca>  # comment\r\n\r\n</ca> and more\r\n".into(),
        "<ca>\n <ca>\n# up x\n\t</ca>".into(),
        "a\"b c'd #\"\n".into(),
    ];
    for text in cases {
        assert_eq!(parse(&text).to_secret().expose(), text);
    }
    assert_eq!(parse("setenv opt\n").redacted(), "setenv [redacted]\n");
    let value = &listed("up \"c:\\\\a \\\"b\\\" c\" '\\x' a\\ b \"\"x\"#\" y;#z ;no\n")[0].2;
    assert_eq!(value, "c:\\a \"b\" c \\x a b  x\"#\" y;#z");
}

#[test]
fn credentials_take_the_place_of_the_bare_directive() {
    let password = || Secret::from("HZo vQQ#Zl\\\"");
    let block = "<auth-user-pass>\nadmin\nHZo vQQ#Zl\\\"\n</auth-user-pass>\n";
    let profile = parse(&sample()).with_auth_user_pass("admin", password()).unwrap();
    let expected = sample().replace("auth-user-pass\n", block);
    assert_eq!(profile.to_secret().expose(), expected);
    assert!(!profile.asks_for_password());
    assert!(!format!("{profile:?}").contains("HZo"));
    // A second call changes nothing, because there are already credentials.
    let again = profile.with_auth_user_pass("other", "x".into()).unwrap();
    assert_eq!(again.to_secret().expose(), expected);

    let cases = [
        (
            " --auth-user-pass  # ask\r\nverb 3",
            format!(" <auth-user-pass>  # ask\r\n{}\r\nverb 3", block[17..].trim_end()),
        ),
        ("auth-user-pass x\n\"auth-user-pass\"", format!("auth-user-pass x\n{}", block.trim_end())),
        ("auth-user-pass\nauth-user-pass x\n", "auth-user-pass\nauth-user-pass x\n".to_owned()),
        // Found by the fuzz target: the credentials became directives, and a block was not one.
        ("'auth-user-pass'#x\n", format!("<auth-user-pass> #x\n{}", &block[17..])),
        ("auth-user-pass # x\r", format!("<auth-user-pass> # x\n{}\r", block[17..].trim_end())),
        ("client\n", "client\n".to_owned()),
        ("# auth-user-pass\n", "# auth-user-pass\n".to_owned()),
    ];
    for (text, expected) in cases {
        let profile = parse(text).with_auth_user_pass("admin", password()).unwrap();
        assert_eq!(profile.to_secret().expose(), expected);
    }
}

#[test]
fn credentials_that_would_become_directives_are_refused() {
    let embed = |username: &str, password: &str| {
        parse("auth-user-pass\n").with_auth_user_pass(username, password.into())
    };
    let wrong = [
        "",
        "x\nup /bin/sh",
        "x\r",
        "</auth-user-pass>",
        "x\0",
        &format!("{}</auth-user-pass>", "x".repeat(255)),
    ];
    for text in wrong {
        let errors = [embed(text, "good").unwrap_err(), embed("good", text).unwrap_err()];
        for (error, field) in errors.iter().zip(["username", "password"]) {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.fields().contains_key(field), "{error}");
        }
    }
    assert!(embed("a", &"x".repeat(600)).is_ok());
}

#[test]
fn the_place_stands_in_the_error_of_the_crate() {
    let error = Error::from(OpenVpnProfile::parse("x\n<ca>").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.detail().unwrap().starts_with("line 2, column 1: "));
}

/// Generates lines and blocks that parse.
fn item() -> impl Strategy<Value = String> {
    let word =
        "[a-z0-9./-]{1,12}|\"[a-z #;']{0,9}\"|'[a-z #;\"\\\\]{0,9}'|[a-z](\\\\ |\\\\\\\\)[a-z]";
    let directive = ("[ \t]{0,2}(-{2})?[a-z]{3}-[a-z]{1,9}", prop::collection::vec(word, 0..5))
        .prop_map(|(name, words)| format!("{name} {}", words.join(" ")));
    let block =
        ("[a-z]{3}-[a-z0-9]{1,6}", prop::collection::vec("[ -;=-~é]{0,70}", 0..4), any::<bool>())
            .prop_map(|(name, lines, crlf)| {
                let end = if crlf { "\r\n" } else { "\n" };
                let body: String = lines.iter().map(|line| format!("{line}{end}")).collect();
                format!("<{name}>{end}{body}</{name}>")
            });
    prop_oneof![
        4 => directive,
        1 => block,
        1 => "[ \t]{0,3}([#;][ -~é]{0,30})?",
        1 => "remote [a-z.]{1,9}( [1-9][0-9]{0,3}( (tcp|udp6))?)?",
        1 => Just("auth-user-pass".to_owned()),
        1 => "(up|plugin|log) [a-z/]{1,9}",
    ]
}

fn file() -> impl Strategy<Value = String> {
    let end = prop_oneof![3 => Just("\n"), 1 => Just("\r\n")];
    (prop::collection::vec((item(), end), 0..9), any::<bool>()).prop_map(|(items, last)| {
        let text: String = items.iter().map(|(item, end)| format!("{item}{end}")).collect();
        if last { text } else { text.trim_end_matches(['\r', '\n']).to_owned() }
    })
}

proptest! {
    #[test]
    fn a_good_file_prints_the_same_bytes(text in file()) {
        let profile = parse(&text);
        let printed = profile.to_secret();
        prop_assert_eq!(printed.expose(), &text);
    }

    #[test]
    fn embedding_credentials_keeps_everything_else(text in file(), user in "[!-~]{1,20}", password in "[ -~]{1,300}") {
        prop_assume!(!password.contains("</"));
        let before = parse(&text);
        let (remotes, directives) = (before.remotes(), before.directives().len());
        let asks = before.asks_for_password();
        let after = before.with_auth_user_pass(&user, password.as_str().into()).unwrap();
        let printed = after.to_secret();
        let added = printed.expose().len() - text.len();
        // The length of the brackets, the two texts with their line ends, the closing tag, and the
        // end of the first line.
        let block = 2 + user.len() + 1 + password.len() + 1 + "</auth-user-pass>".len();
        let expected = if asks { block + 1..block + 3 } else { 0..1 };
        prop_assert!(expected.contains(&added), "{} not in {:?}", added, expected);
        prop_assert_eq!(after.remotes(), remotes);
        prop_assert_eq!(after.directives().len(), directives);
        prop_assert!(!after.asks_for_password());
    }

    #[test]
    fn parsed_profiles_print_the_same_bytes_without_panics(
        bytes: Vec<u8>,
        text: String,
        tags in "(<[a-z]{1,2}>|</[a-z]{1,2}>|[\"'\\\\#; ]|x|\n|\r\n|remote|connection){0,30}",
        begin in prop_oneof![Just(""), Just("<connection>\n"), Just("remote a "), Just("\u{feff}")],
    ) {
        for text in [text, String::from_utf8_lossy(&bytes).into_owned(), tags] {
            let text = format!("{begin}{text}");
            if let Ok(profile) = OpenVpnProfile::parse(&text) {
                let printed = profile.to_secret();
                prop_assert_eq!(printed.expose(), &text);
                let _ = (profile.redacted(), profile.remotes(), profile.directives(), profile.ca());
            }
            let _ = Certificate::from_pem(&text);
        }
    }
}
