//! What a user wants to know of a certificate: whose it is and until when.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::time::Time;

use crate::escape_invisible;
use crate::{Error, ErrorKind};

/// `id-at-commonName` of X.520.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// An X.509 certificate, such as the CA of a server. Nothing is verified: OpenVPN does that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The whole name of its subject, such as `CN=vpn.example.net,O=Example` (RFC 4514), with
    /// control characters escaped.
    pub subject: String,
    /// The subject's common name, where it has one, with control characters escaped.
    pub common_name: Option<String>,
    /// When it begins to be valid.
    pub not_before: Timestamp,
    /// When it expires. The last instant of the year 9999 says "never".
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads all certificates of a PEM text; other sections and text between are skipped.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] when there is none, or one cannot be read. Whoever got the
    /// text from a provider gives the error [`ErrorKind::UnexpectedReply`].
    pub fn from_pem(text: &str) -> Result<Vec<Self>, Error> {
        let wrong = |what: String| Error::new(ErrorKind::InvalidRequest).with_detail(what);
        let mut certificates = Vec::new();
        for (index, der) in CertificateDer::pem_slice_iter(text.as_bytes()).enumerate() {
            let number = index + 1;
            let der = der.map_err(|_| {
                wrong(format!("certificate {number}: the PEM text is broken; fetch it anew"))
            })?;
            certificates.push(Self::from_der(&der).ok_or_else(|| {
                wrong(format!("certificate {number}: this is not X.509; fetch it anew"))
            })?);
        }
        if certificates.is_empty() {
            return Err(wrong("there is no BEGIN CERTIFICATE line; fetch the text anew".into()));
        }
        Ok(certificates)
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let subject = certificate.subject();
        let mut names = subject.iter().filter(|attribute| attribute.oid == COMMON_NAME);
        // Of several common names the last one is the most specific.
        let common_name = names.by_ref().last().map(|name| {
            let text = name.to_string();
            escape_invisible(text.split_once('=').map_or(&*text, |(_, value)| value))
        });
        Some(Self {
            subject: escape_invisible(&subject.to_string()),
            common_name,
            not_before: timestamp(certificate.validity().not_before),
            not_after: timestamp(certificate.validity().not_after),
        })
    }
}

/// X.509 writes "never" as 9999-12-31T23:59:59Z, which is a day more than a timestamp holds.
fn timestamp(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}
