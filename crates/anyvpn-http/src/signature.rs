//! Verifies the signatures of documents that a vendor signs.

use anyvpn_core::{Error, ErrorKind};
use rustls::SignatureScheme;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use crate::setup;

/// A vendor's public RSA key, for signatures by PKCS #1 v1.5 with SHA-256.
#[derive(Clone, Debug)]
pub struct SigningKey(Vec<u8>);

/// The algorithm `rsaEncryption`, which precedes an RSA key (RFC 3279).
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

impl SigningKey {
    /// Reads a public key in PEM, which begins with `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for the field `key` if it is not such a key.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let wrong = || Error::invalid("key", "is not an RSA public key in PEM");
        let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong())?;
        let key = || {
            let (info, _) = element(0x30, &key)?;
            let (algorithm, rest) = element(0x30, info)?;
            let (key, _) = element(0x03, rest)?;
            // The first byte is the number of unused bits in the last one.
            (algorithm == RSA).then_some(key)?.strip_prefix(&[0])
        };
        Ok(Self(key().ok_or_else(wrong)?.to_vec()))
    }

    /// Checks the signature of a message.
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` if the signature was not made with this key; `InvalidRequest` if the crypto
    /// provider does not support such signatures.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let provider = setup::crypto_provider().map_err(|why| setup::failed(&why))?;
        let known = provider.signature_verification_algorithms.mapping.iter();
        let rsa = known.filter(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256);
        let mut algorithms = rsa.flat_map(|(_, algorithms)| algorithms.iter());
        let algorithm = algorithms.next();
        let algorithm = algorithm
            .ok_or_else(|| setup::failed("the crypto provider does not support RSA signatures"))?;
        algorithm.verify_signature(&self.0, message, signature).map_err(|_| {
            Error::new(ErrorKind::UnexpectedReply).with_detail("its signature is not the vendor's")
        })
    }
}

/// Splits DER into the content of the first element and the rest; `None` if the first element has
/// another tag.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    (found == tag).then_some(rest)?.split_at_checked(length)
}
