//! Certificates, good and bad.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The kinds of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    Good,
    OtherName,
    Expired,
    NotYet,
    OtherIssuer,
    SelfSigned,
}

impl Certificate {
    pub(crate) const ALL: [Self; 6] = [
        Self::Good,
        Self::OtherName,
        Self::Expired,
        Self::NotYet,
        Self::OtherIssuer,
        Self::SelfSigned,
    ];
}

/// The name that good certificates are for.
pub(crate) const NAME: &str = "vpn.test";

/// Two certificate authorities: one that the lab's clients trust, and one that they do not.
pub(crate) struct Authority {
    trusted: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    other: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let (trusted, root) = issuer("lab");
        let (other, _) = issuer("stranger");
        Self { trusted, root, other }
    }

    /// Returns a client's TLS configuration that trusts only the good authority.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("the root certificate is valid");
        ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports all versions")
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    /// Returns a server's TLS configuration with this certificate.
    pub(crate) fn server(&self, certificate: Certificate) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key can be generated");
        let name = if certificate == Certificate::OtherName { "other.test" } else { NAME };
        let mut params = CertificateParams::new([name.to_owned()]).expect("the name is valid");
        match certificate {
            Certificate::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Certificate::NotYet => params.not_before = date_time_ymd(4000, 1, 1),
            _ => {}
        }
        let signed = match certificate {
            Certificate::OtherIssuer => params.signed_by(&key, &self.other),
            Certificate::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &self.trusted),
        };
        let signed = signed.expect("ring signs").der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports all versions")
            .with_no_client_auth()
            .with_single_cert(vec![signed], key);
        Arc::new(config.expect("the key matches the certificate"))
    }
}

fn issuer(name: &str) -> (Issuer<'static, KeyPair>, CertificateDer<'static>) {
    let key = KeyPair::generate().expect("a key can be generated");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let root = params.self_signed(&key).expect("ring signs").der().clone();
    (Issuer::new(params, key), root)
}

/// Returns a record with a ServerHello of this version, whose 32 random bytes end with these.
pub(crate) fn server_hello(version: [u8; 2], random_end: &[u8; 8]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend_from_slice(&[0x5a; 24]);
    hello.extend_from_slice(random_end);
    // No session; ECDHE-RSA with AES-128-GCM; no compression; no extensions.
    hello.extend_from_slice(&[0, 0xc0, 0x2f, 0, 0, 0]);
    let mut record = vec![22, 3, 3, 0, hello.len() as u8 + 4, 2, 0, 0, hello.len() as u8];
    record.extend(hello);
    record
}
