//! Certificates that follow from the seed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_ED25519};

use crate::random::Random;

/// An Ed25519 key in PKCS #8, up to the 32 bytes of the key itself.
const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// The next key of the sequence. Its signatures are the same in every run: unlike those of ECDSA, they
/// need no random numbers.
pub(crate) fn key(random: &mut Random) -> Result<KeyPair, rcgen::Error> {
    let key = [PKCS8.as_slice(), &random.key()].concat();
    KeyPair::from_pkcs8_der_and_sign_algo(&key.as_slice().into(), &PKCS_ED25519)
}

/// A certificate in PEM, with these line ends.
pub(crate) fn pem(der: &[u8], end: &str) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN CERTIFICATE-----{end}");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push_str(end);
    }
    pem + "-----END CERTIFICATE-----" + end
}
