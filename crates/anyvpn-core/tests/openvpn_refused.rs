//! Lines that make OpenVPN 2.6 refuse a profile, and credentials for programs that refuse a block.

#![cfg(feature = "openvpn")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use anyvpn_core::{ErrorKind, OpenVpnProfile, Secret};
use proptest::prelude::*;

fn parse(text: &str) -> OpenVpnProfile {
    OpenVpnProfile::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Returns the refused lines, each as `LINE NAME VALUE`.
fn refused(text: &str) -> Vec<String> {
    let lines = parse(text).refused_lines().into_iter();
    lines.map(|it| format!("{} {} {}", it.line, it.name, it.value)).collect()
}

#[test]
fn removed_and_windows_only_directives_are_listed_with_the_reason() {
    let text =
        "client\nclient-cert-not-required # old\nremote a\n\tblock-outside-dns\nkeysize 128\n";
    let lines = parse(text).refused_lines();
    let why: Vec<_> = lines.iter().map(|it| (it.line, &*it.name, &*it.value, it.why)).collect();
    assert_eq!(
        why,
        [
            (2, "client-cert-not-required", "", "has a directive that was removed in OpenVPN 2.5"),
            (4, "block-outside-dns", "", "has a directive that only OpenVPN for Windows accepts"),
            (5, "keysize", "128", "has a directive that was removed in OpenVPN 2.6"),
        ]
    );
    assert_eq!(
        refused("<connection>\nremote a\nip-win32 dynamic\n</connection>\n"),
        ["3 ip-win32 dynamic"]
    );
    let key = "a".repeat(40);
    assert_eq!(refused(&format!("keysize {key}\n")), ["1 keysize [redacted]"]);
}

#[test]
fn lines_that_openvpn_skips_are_not_refused() {
    assert!(refused("setenv opt block-outside-dns\nsetenv opt no-iv\n").is_empty());
    let told = "ignore-unknown-option x block-outside-dns\n";
    assert!(refused(&format!("{told}block-outside-dns\n")).is_empty());
    // `ignore-unknown-option` must come before the line that it excuses, and in the same `<connection>` block.
    assert_eq!(refused(&format!("block-outside-dns\n{told}")), ["1 block-outside-dns "]);
    let inner = format!("{told}<connection>\nremote a\nblock-outside-dns\n</connection>\n");
    assert_eq!(refused(&inner), ["4 block-outside-dns "]);
    // OpenVPN knows these directives and does not skip them.
    assert_eq!(refused("setenv opt compat-names\n"), ["1 compat-names "]);
    assert_eq!(refused("ignore-unknown-option mtu-dynamic\nmtu-dynamic\n"), ["2 mtu-dynamic "]);
}

#[test]
fn refused_lines_are_commented_out_and_nothing_else_changes() {
    let text = "client\r\n\tno-iv ; x\r\n<connection>\nremote a\n--tap-sleep 1\n</connection>\n# é\nblock-outside-dns";
    let profile = parse(text).comment_out_refused().unwrap();
    let expected = "client\r\n# \tno-iv ; x\r\n<connection>\nremote a\n# --tap-sleep 1\n</connection>\n# é\n# block-outside-dns";
    assert_eq!(profile.to_secret().expose(), expected);
    assert!(profile.refused_lines().is_empty());

    let bytes = b"# caf\xe9\nno-iv # \xff\n# \xe9\n";
    let mut written = Vec::new();
    let profile = OpenVpnProfile::parse_bytes(bytes).unwrap().comment_out_refused().unwrap();
    profile.write_to(&mut written).unwrap();
    assert_eq!(written, b"# caf\xe9\n# no-iv # \xff\n# \xe9\n");

    let long = format!("no-iv # {}\n", "x".repeat(245));
    let error = parse(&long).comment_out_refused().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[test]
fn credentials_go_to_a_file_or_are_left_out() {
    let bare = "client\r\nauth-user-pass # theirs\r\nverb 3\n";
    let with = parse(bare).with_auth_user_pass("jo", Secret::from("p w")).unwrap();
    let (without, lines) = with.clone().without_auth_user_pass(None).unwrap();
    assert_eq!(without.to_secret().expose(), bare);
    assert_eq!(lines.unwrap().expose(), "jo\np w\n");
    for (file, word) in [
        ("se-sto.auth", "se-sto.auth"),
        ("höfn.auth", "höfn.auth"),
        ("a b#.auth", "\"a b#.auth\""),
        ("it's \"\\\".auth", "\"it's \\\"\\\\\\\".auth\""),
    ] {
        let (profile, lines) = with.clone().without_auth_user_pass(Some(file)).unwrap();
        let expected = bare.replace("pass #", &format!("pass {word} #"));
        assert_eq!(profile.to_secret().expose(), expected);
        assert_eq!(lines.unwrap().expose(), "jo\np w\n");
        assert_eq!(profile.directives()[0].value, file);
    }
    let long = "x".repeat(250);
    for wrong in ["", "stdin", "[inline]", "a\nb", &long] {
        let error = with.clone().without_auth_user_pass(Some(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{wrong}");
    }
    // Without a block there is nothing to remove.
    let (same, lines) = parse(bare).without_auth_user_pass(Some("x")).unwrap();
    assert_eq!((same.to_secret().expose(), lines.is_none()), (bare, true));
}

#[test]
fn the_last_block_counts_and_all_blocks_are_removed() {
    let text =
        "<auth-user-pass>\na\nb\n</auth-user-pass>\n<auth-user-pass>\nc\nd\n</auth-user-pass> x";
    let (profile, lines) = parse(text).without_auth_user_pass(Some("f")).unwrap();
    assert_eq!(profile.to_secret().expose(), "auth-user-pass f\nauth-user-pass f\n");
    assert_eq!(lines.unwrap().expose(), "c\nd\n");
}

proptest! {
    #[test]
    fn any_bytes_keep_what_is_not_edited(
        before in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n')], 0..40),
        after in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n')], 0..40),
    ) {
        let text = |middle: &[u8]| [b"# ", &*before, b"\n", middle, b"# ", &*after].concat();
        let block = text(b"<auth-user-pass>\n\xe9\np\n</auth-user-pass>\nno-iv\n");
        if let Ok(profile) = OpenVpnProfile::parse_bytes(&block) {
            prop_assume!(profile.refused_lines().len() == 1);
            let (profile, _) = profile.without_auth_user_pass(None).unwrap();
            let profile = profile.comment_out_refused().unwrap();
            let mut written = Vec::new();
            profile.write_to(&mut written).unwrap();
            prop_assert_eq!(written, text(b"auth-user-pass\n# no-iv\n"));
        }
    }
}
