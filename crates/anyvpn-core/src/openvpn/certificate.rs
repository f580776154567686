//! Reads the parts of a certificate that users want to know: its subject and its validity.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode as _, SliceReader};
use x509_cert::ext::pkix::name::DirectoryString;
use x509_cert::time::Time;

use crate::escape_invisible;
use crate::{Error, ErrorKind};

/// `id-at-commonName` of X.520.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// An X.509 certificate, such as the CA of a server. Nothing is verified: OpenVPN does that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The subject's whole name, such as `CN=vpn.example.net,O=Example` (RFC 4514), with control
    /// characters escaped.
    pub subject: String,
    /// The subject's common name, if it has one, such as `Example, Inc. CA`, with control characters
    /// escaped.
    pub common_name: Option<String>,
    /// When it becomes valid.
    pub not_before: Timestamp,
    /// When it expires. The last instant of the year 9999 means "never".
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads all certificates of a PEM text. Other sections and the text in between are skipped.
    ///
    /// It accepts the same labels as OpenSSL: `CERTIFICATE`, `X509 CERTIFICATE`, and `TRUSTED
    /// CERTIFICATE`, whose trust settings are skipped.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if there is no certificate, or one cannot be read. Code that got
    /// the text from a provider changes the kind to [`ErrorKind::UnexpectedReply`].
    pub fn from_pem(text: &str) -> Result<Vec<Self>, Error> {
        let wrong = |what: String| Error::new(ErrorKind::InvalidRequest).with_detail(what);
        let mut certificates = Vec::new();
        let text = text.replace(" X509 CERTIFICATE-----", " CERTIFICATE-----");
        let text = text.replace(" TRUSTED CERTIFICATE-----", " CERTIFICATE-----");
        for (index, der) in CertificateDer::pem_slice_iter(text.as_bytes()).enumerate() {
            let number = index + 1;
            let der = der.map_err(|_| {
                wrong(format!("certificate {number}: the PEM text is invalid; fetch it again"))
            })?;
            certificates.push(Self::from_der(&der).ok_or_else(|| {
                wrong(format!("certificate {number}: this is not X.509; fetch it again"))
            })?);
        }
        if certificates.is_empty() {
            return Err(wrong("there is no BEGIN CERTIFICATE line; fetch the text again".into()));
        }
        Ok(certificates)
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        // Like OpenSSL, we ignore what follows a certificate, such as trust settings.
        let certificate = x509_cert::Certificate::decode(&mut SliceReader::new(der).ok()?).ok()?;
        let certificate = certificate.tbs_certificate();
        let subject = certificate.subject();
        let mut names = subject.iter().filter(|attribute| attribute.oid == COMMON_NAME);
        // If there are several common names, the last one is the most specific.
        let common_name =
            names.by_ref().last().map(|name| match DirectoryString::try_from(&name.value) {
                Ok(text) => escape_invisible(&text.value()),
                // The string type is not allowed here, or it has characters that are invalid for its type.
                Err(_) => escape_invisible(&String::from_utf8_lossy(name.value.value())),
            });
        Some(Self {
            subject: escape_invisible(&subject.to_string()),
            common_name,
            not_before: timestamp(certificate.validity().not_before),
            not_after: timestamp(certificate.validity().not_after),
        })
    }
}

/// Converts a time. X.509 writes "never" as 9999-12-31T23:59:59Z, which is a day later than the maximum
/// of a timestamp.
fn timestamp(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}
