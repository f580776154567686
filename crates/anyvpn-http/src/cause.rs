//! Describes the causes of network failures in plain words.

use std::error::Error as StdError;
use std::io;

use rustls::pki_types::InvalidDnsNameError;
use rustls::{CertificateError, Error as TlsError};

/// Describes the innermost cause, which is the most specific: in plain words if it is a common one,
/// otherwise in its own.
pub(crate) fn describe_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    loop {
        // An error that another crate wrapped in an `io::Error` is not its source.
        let system = cause.downcast_ref::<io::Error>();
        let inner =
            system.and_then(io::Error::get_ref).map(|inner| inner as &(dyn StdError + 'static));
        match inner.or_else(|| cause.source()) {
            Some(deeper) => cause = deeper,
            None => break,
        }
    }
    if let Some(error) = cause.downcast_ref::<TlsError>() {
        return tls(error);
    }
    if cause.is::<InvalidDnsNameError>() {
        return "the address has no valid host name".to_owned();
    }
    match cause.downcast_ref::<io::Error>() {
        Some(error) => io(error),
        None => named(&cause.to_string()),
    }
}

/// Describes the operating system's errors.
fn io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens at that address (connection refused)",
        io::ErrorKind::ConnectionReset => "the connection was reset",
        _ => return system_message(error),
    }
    .to_owned()
}

/// Describes an error of the operating system, without the system's number for it.
#[must_use]
pub fn system_message(error: &io::Error) -> String {
    match error.kind().to_string() {
        // The standard library names no kind for some, such as too many open files.
        kind if kind == "uncategorized error" => {
            let message = error.to_string();
            match message.rsplit_once(" (os error ") {
                Some((message, _)) => message.to_owned(),
                None => message,
            }
        }
        kind => kind,
    }
}

/// Describes causes that have no public type.
fn named(text: &str) -> String {
    match text.split_once("lookup address information: ") {
        Some((_, why)) => format!("the host name was not found ({why})"),
        None if text.starts_with("tunnel error") => "the proxy refused the connection".to_owned(),
        None => text.to_owned(),
    }
}

fn tls(error: &TlsError) -> String {
    use CertificateError as C;
    let certificate = |what: &str| format!("the server's certificate {what}");
    match error {
        TlsError::InvalidMessage(_) => "the server does not speak TLS (https)".to_owned(),
        TlsError::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            certificate("has expired, or this machine's clock is wrong")
        }
        TlsError::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            certificate("is not valid yet, or this machine's clock is wrong")
        }
        TlsError::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            certificate("is for another host name")
        }
        TlsError::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => {
            certificate("is from an authority that this machine does not trust")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::InvalidMessage;

    use super::*;

    #[test]
    fn common_causes_are_described_without_error_numbers_or_type_names() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(
            describe_cause(&refused),
            "nothing listens at that address (connection refused)"
        );
        assert_eq!(describe_cause(&io::Error::from_raw_os_error(2)), "entity not found");
        #[cfg(unix)]
        assert_eq!(describe_cause(&io::Error::from_raw_os_error(24)), "Too many open files");
        let name = io::Error::other("failed to lookup address information: Name not known");
        assert_eq!(describe_cause(&name), "the host name was not found (Name not known)");

        let plain = TlsError::InvalidMessage(InvalidMessage::InvalidContentType);
        let wrapped = io::Error::other(io::Error::other(plain));
        assert_eq!(describe_cause(&wrapped), "the server does not speak TLS (https)");
        let expired = TlsError::InvalidCertificate(CertificateError::Expired);
        assert_eq!(
            describe_cause(&expired),
            "the server's certificate has expired, or this machine's clock is wrong"
        );
    }
}
