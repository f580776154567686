//! Certificates that follow from the seed.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ED25519,
};

use crate::random::{LETTERS, Random};

/// Ten years of 365 days, as in the vendor's sample.
const VALID: SignedDuration = SignedDuration::from_hours(3650 * 24);

/// An Ed25519 key in PKCS #8, up to the 32 bytes of the key itself.
const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// Returns the next key of the sequence. Its signatures are the same in every run: unlike those of
/// ECDSA, they need no random numbers.
pub(crate) fn key(random: &mut Random) -> Result<KeyPair, rcgen::Error> {
    let key = [PKCS8.as_slice(), &random.key()].concat();
    KeyPair::from_pkcs8_der_and_sign_algo(&key.as_slice().into(), &PKCS_ED25519)
}

/// Returns the certificate authority of an OpenVPN server in PEM, with CRLF line ends. It is the same in
/// every run with one seed.
pub(crate) fn certificate(
    seed: u64,
    server: u64,
    started: Timestamp,
) -> Result<String, rcgen::Error> {
    let mut random = Random::new(seed, server << 8 | 13);
    let key = key(&mut random)?;

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
    Ok(pem(params.self_signed(&key)?.der(), "\r\n"))
}

/// Returns a certificate in PEM, with these line ends.
pub(crate) fn pem(der: &[u8], end: &str) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN CERTIFICATE-----{end}");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push_str(end);
    }
    pem + "-----END CERTIFICATE-----" + end
}
