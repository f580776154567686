//! The text of an OpenVPN profile, and the certificate authority in it.

use std::time::{Duration, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyUsagePurpose,
};

use super::servers::{Profile, Server};
use crate::certificate;
use crate::random::{LETTERS, Random};

/// Ten years of 365 days, as the sample's.
const VALID: SignedDuration = SignedDuration::from_hours(3650 * 24);

/// The server's certificate authority in PEM, with the line ends of the document's sample.
///
/// The same in every run with one seed.
pub(super) fn certificate(
    seed: u64,
    server: u64,
    started: Timestamp,
) -> Result<String, rcgen::Error> {
    let mut random = Random::new(seed, server << 8 | 13);
    let key = certificate::key(&mut random)?;

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

    Ok(certificate::pem(certificate.der(), "\r\n"))
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
