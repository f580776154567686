//! OpenVPN profiles as OpenVPN 2.6 reads them: we accept what it accepts, with the same meaning.

#![cfg(feature = "openvpn")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use anyvpn_core::{Certificate, OpenVpnProfile, Secret};
use proptest::prelude::*;

/// A certificate with the common name `Example, Inc. CA`.
const COMMA: &str = include_str!("openvpn/comma.pem");
/// The same certificate as OpenSSL writes it with trust settings.
const TRUSTED: &str = include_str!("openvpn/trusted.pem");
/// A certificate whose common name contains every character that RFC 4514 escapes.
const MARKS: &str = include_str!("openvpn/marks.pem");

/// Returns the servers of a profile, each as `HOST PORT PROTOCOL`.
fn remotes(text: &str) -> Vec<String> {
    let remotes = OpenVpnProfile::parse(text).unwrap().remotes().into_iter();
    remotes.map(|remote| format!("{} {} {}", remote.host, remote.port, remote.proto)).collect()
}

fn bytes(profile: &OpenVpnProfile) -> Vec<u8> {
    let mut bytes = Vec::new();
    profile.write_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_connection_has_one_remote_and_the_last_counts() {
    let text = "proto tcp\nport 7\n<connection>\nremote a 443 udp\nremote b\n</connection>\n\
                <connection>\nremote c 1\nport 2\nproto udp\nrport 3\n</connection>\n\
                <connection>\nremote d\n</connection>\n";
    assert_eq!(remotes(text), ["b 443 udp", "c 3 udp", "d 7 tcp"]);
}

#[test]
fn a_remote_without_an_address_family_keeps_that_of_the_profile() {
    let text = "remote a 1 udp\nremote b 1 tcp6-client\nproto tcp4-client\n\
                <connection>\nremote c 1 tcp6\nremote d 1 udp\n</connection>\n";
    assert_eq!(remotes(text), ["d 1 udp6"]);
    let (bare, _) = text.split_once('<').unwrap();
    assert_eq!(remotes(bare), ["a 1 udp4", "b 1 tcp6-client"]);
}

#[test]
fn a_port_may_be_the_name_of_a_service() {
    let text = "remote a https\nremote b http-alt tcp\nremote c\nport openvpn\n";
    assert_eq!(remotes(text), ["a https udp", "b http-alt tcp", "c openvpn udp"]);
    for wrong in ["0", "65536", "+1", "-a", "a/b", "\"\"", "é", &"a".repeat(33)] {
        assert!(OpenVpnProfile::parse(&format!("remote a {wrong}\n")).is_err(), "{wrong}");
    }
}

#[test]
fn each_label_of_a_certificate_is_known() {
    let [expected] = Certificate::from_pem(COMMA).unwrap().try_into().unwrap();
    let x509 = COMMA.replace(" CERTIFICATE-", " X509 CERTIFICATE-");
    for text in [&x509, TRUSTED] {
        assert_eq!(Certificate::from_pem(text).unwrap(), std::slice::from_ref(&expected), "{text}");
        let profile = OpenVpnProfile::parse(&format!("<ca>\n{text}</ca>\n")).unwrap();
        assert_eq!(profile.ca().unwrap(), std::slice::from_ref(&expected));
    }
    // Another label does not count, so the line is still skipped.
    let other = COMMA.replace(" CERTIFICATE-", " CERTIFICATE REQUEST-");
    assert!(Certificate::from_pem(&other).is_err());
}

#[test]
fn a_common_name_is_the_value_and_not_its_escaped_form() {
    let name = |pem: &str| Certificate::from_pem(pem).unwrap().remove(0);
    assert_eq!(name(COMMA).common_name.as_deref(), Some("Example, Inc. CA"));
    assert_eq!(name(COMMA).subject, "CN=Example\\, Inc. CA,O=Example");
    assert_eq!(name(MARKS).common_name.as_deref(), Some(" #1 \"Bücher\" + <x>=y; \\ "));
}

#[test]
fn bytes_that_are_not_utf_8_are_kept() {
    let text = b"# caf\xe9 \xff\xfe, and a real \xef\xbf\xbd\nclient\nauth-user-pass # \xe9\n\
                 <ca>\n Subject: O=\xc9mile\n</ca>\n; \xe2\x82\nremote a 1 # \xe9\n";
    let profile = OpenVpnProfile::parse_bytes(text).unwrap();
    assert_eq!(bytes(&profile), text);
    assert_eq!(profile.remotes()[0].host, "a");
    assert!(
        profile.redacted().starts_with("# caf\u{fffd} \u{fffd}\u{fffd}, and a real \u{fffd}\n")
    );
    let with = profile.with_auth_user_pass("us\u{fffd}er", Secret::from("p\u{fffd}")).unwrap();
    let expected =
        String::from("<auth-user-pass> # X\nus\u{fffd}er\np\u{fffd}\n</auth-user-pass>\n");
    let block = expected.into_bytes();
    let at = block.iter().position(|byte| *byte == b'X').unwrap();
    let block = [&block[..at], b"\xe9", &block[at + 1..]].concat();
    let begin = text.windows(14).position(|part| part == b"auth-user-pass").unwrap();
    let end = begin + b"auth-user-pass # \xe9\n".len();
    assert_eq!(bytes(&with), [&text[..begin], &block, &text[end..]].concat());
}

#[test]
fn a_line_is_as_long_as_in_the_file() {
    // 254 bytes are allowed, and each of these is shown as three.
    let line = |length: usize| [&[b'#'][..], &vec![0xe9; length - 1], b"\nverb 3\n"].concat();
    assert_eq!(bytes(&OpenVpnProfile::parse_bytes(&line(254)).unwrap()), line(254));
    let error = OpenVpnProfile::parse_bytes(&line(255)).unwrap_err();
    assert_eq!(error.line, 1);
    assert!(error.what.contains("254 bytes"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_that_parse_are_written_as_they_were(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'#'), Just(b' '), 0xbd..=0xf4u8], 0..60),
        comment: bool,
    ) {
        let bytes = if comment { [b"auth-user-pass\n# ", &*bytes].concat() } else { bytes };
        if let Ok(profile) = OpenVpnProfile::parse_bytes(&bytes) {
            let mut written = Vec::new();
            profile.write_to(&mut written).unwrap();
            prop_assert_eq!(&written, &bytes);
            let with = profile.with_auth_user_pass("u", Secret::from("p")).unwrap();
            let mut written = Vec::new();
            with.write_to(&mut written).unwrap();
            let again = OpenVpnProfile::parse_bytes(&written).unwrap();
            prop_assert_eq!(again.redacted(), with.redacted());
        }
    }
}
