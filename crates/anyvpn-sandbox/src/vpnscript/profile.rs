//! The text of an OpenVPN profile, and the certificate authority in it.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ED25519,
};

use super::servers::{Profile, Server};
use crate::random::{LETTERS, Random};

/// Ten years of 365 days, as the sample's.
const VALID: SignedDuration = SignedDuration::from_hours(3650 * 24);
/// An Ed25519 key in PKCS #8, up to the 32 bytes of the key itself.
const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// The server's certificate authority in PEM, with the line ends of the document's sample.
///
/// The same in every run with one seed: an Ed25519 signature, unlike the sample's ECDSA, needs no
/// random numbers.
pub(super) fn certificate(
    seed: u64,
    server: u64,
    started: Timestamp,
) -> Result<String, rcgen::Error> {
    let mut random = Random::new(seed, server << 8 | 13);
    let key = [PKCS8.as_slice(), &random.key()].concat();
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&key.as_slice().into(), &PKCS_ED25519)?;

    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let name = format!("cn_{}", random.text(16, LETTERS));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // A certificate's years have four digits, and no sign.
    let begin = started.max(Timestamp::UNIX_EPOCH);
    let end = begin.checked_add(VALID).unwrap_or(Timestamp::MAX);
    let at = |time: Timestamp| UNIX_EPOCH + Duration::from_secs(time.as_second().unsigned_abs());
    params.not_before = at(begin).into();
    params.not_after = at(end).into();
    let certificate = params.self_signed(&key)?;

    let text = STANDARD.encode(certificate.der());
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\r\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push_str("\r\n");
    }
    pem.push_str("-----END CERTIFICATE-----\r\n");
    Ok(pem)
}

/// The document's sample, with what its `Profile` changes in it.
pub(super) fn text(server: &Server, ca: &str) -> String {
    let Server { address, port, profile, .. } = server;
    // What OpenVPN 2.6 refuses outside Windows, each in its place in the sample.
    let (bare, without_certificate) = match profile {
        Profile::AsDocumented => ("block-outside-dns\n", "client-cert-not-required\n"),
        _ => ("", ""),
    };
    let hostile = match profile {
        Profile::Hostile => "script-security 2\nup /usr/bin/hostile\nplugin /usr/lib/hostile.so\n",
        _ => "",
    };
    format!(
        "client\ndev tun\nproto udp\nremote {address} {port}\nresolv-retry infinite\nnobind\n\
         persist-tun\nauth-user-pass\nreneg-sec 0\n{bare}cipher AES-128-GCM\n\
         tls-version-min 1.2\ntls-cipher TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256\n\
         mute-replay-warnings\nverb 0\n{without_certificate}\
         ignore-unknown-option block-outside-dns\n\
         setenv opt block-outside-dns # Prevent Windows 10 DNS leak\n{hostile}\
         <ca>\n{ca}\n</ca>\n"
    )
}
