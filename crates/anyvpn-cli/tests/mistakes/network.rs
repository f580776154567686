//! Problems between this machine and the provider.

use std::net::TcpListener;
use std::sync::{Arc, LazyLock};
use std::thread;

use anyvpn_sandbox::{Fault, FaultRule};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::{ServerConfig, ServerConnection};

use crate::environment::{Environment, How, Who};
use crate::{Mistake, mistake};

pub const ALL: &[Mistake] = &[
    mistake(
        "nobody-listens",
        7,
        "No server listens at the address.",
        "anyvpn --url http://127.0.0.1:1 account show",
    ),
    mistake(
        "nobody-listens-at-variable",
        7,
        "No server listens at the address in the variable.",
        "ANYVPN_AZIRE_URL=http://127.0.0.1:1 anyvpn server list",
    )
    .by(Who::Nobody),
    mistake(
        "nobody-listens-at-profile",
        7,
        "No server listens at the profile's address.",
        "anyvpn server list",
    )
    .by(Who::Nobody)
    .when(|environment| {
        environment.config(
            "default = \"home\"\n\n[profiles.home]\nprovider = \"azire\"\nurl = \
         \"http://127.0.0.1:1\"\n",
        )
    }),
    mistake("no-network", 7, "There is no network.", "anyvpn server list --provider azire")
        .by(Who::Nobody)
        .how(How::NoNetwork),
    mistake(
        "unknown-name",
        7,
        "The host name in the address does not exist.",
        "anyvpn --url https://vpn..example.com account show",
    ),
    mistake(
        "https-at-http",
        7,
        "The server does not support https.",
        "anyvpn --url https://127.0.0.1:PORT/azire account show",
    ),
    mistake(
        "unknown-authority",
        7,
        "The server's certificate is self-signed.",
        "anyvpn --url https://localhost:PORT account show",
    )
    .when(|environment| serve_tls(environment, "localhost", [2019, 2099], false)),
    mistake(
        "certificate-expired",
        7,
        "The certificate has expired, or the clock is wrong.",
        "anyvpn --url https://localhost:PORT account show",
    )
    .when(|environment| serve_tls(environment, "localhost", [2019, 2020], true)),
    mistake(
        "certificate-not-yet-valid",
        7,
        "The certificate is not valid yet, or the clock is wrong.",
        "anyvpn --url https://localhost:PORT account show",
    )
    .when(|environment| serve_tls(environment, "localhost", [2098, 2099], true)),
    mistake(
        "certificate-of-another-name",
        7,
        "The certificate is for another name.",
        "anyvpn --url https://localhost:PORT account show",
    )
    .when(|environment| serve_tls(environment, "vpn.example.com", [2019, 2099], true)),
    mistake(
        "proxy-is-gone",
        7,
        "The proxy is not running.",
        "https_proxy=http://127.0.0.1:1 anyvpn --url https://vpn.example.com account show",
    ),
    mistake(
        "proxy-refuses",
        7,
        "The proxy refuses the connection.",
        "https_proxy=http://127.0.0.1:PORT anyvpn --url https://vpn.example.com account show",
    ),
    mistake(
        "proxy-is-socks",
        2,
        "The proxy is a SOCKS proxy, which desktops set.",
        "all_proxy=socks://127.0.0.1:1/ anyvpn --url https://vpn.example.com account show",
    ),
    mistake(
        "proxy-has-a-blank",
        2,
        "The proxy's address ends with a space.",
        "https_proxy='http://127.0.0.1:1 ' anyvpn --url https://vpn.example.com account show",
    ),
    mistake(
        "no-authorities",
        2,
        "The machine has no CA certificates, like a minimal container.",
        "SSL_CERT_FILE=none anyvpn --url https://vpn.example.com account show",
    ),
    mistake(
        "login-page",
        8,
        "A hotel's network answers with its login page.",
        "anyvpn account show",
    )
    .when(|environment| always(environment, "azire.get-user", Fault::Html(200))),
    mistake(
        "website",
        8,
        "The address is that of a website, not of the API.",
        "anyvpn --url http://127.0.0.1:PORT account show",
    ),
    mistake(
        "page-that-refuses",
        8,
        "A content-delivery network refuses with its own page.",
        "anyvpn account show",
    )
    .when(|environment| always(environment, "azire.get-user", Fault::Html(403))),
    mistake(
        "page-in-place-of-a-list",
        8,
        "A gateway answers that the list does not exist.",
        "anyvpn config list",
    )
    .by(Who::VpnScript)
    .when(|environment| always(environment, "vpnscript.list-wireguard-configs", Fault::Html(404))),
    mistake("gateway-page", 7, "A gateway answers with its own page.", "anyvpn account show")
        .when(|environment| always(environment, "azire.get-user", Fault::Html(502))),
    mistake("server-error", 7, "The provider has an internal error.", "anyvpn account show")
        .when(|environment| always(environment, "azire.get-user", Fault::Status(500))),
    mistake("reply-cut", 8, "The reply is incomplete.", "anyvpn account show")
        .when(|environment| always(environment, "azire.get-user", Fault::Wire("half-json"))),
    mistake("connection-cut", 7, "The connection is reset each time.", "anyvpn account show")
        .when(|environment| always(environment, "azire.get-user", Fault::Wire("reset-before"))),
    mistake(
        "outcome-unknown",
        9,
        "The connection is reset while a port is opened.",
        "anyvpn port create --internal-ipv4 $DEVICE",
    )
    .when(|environment| {
        device(environment);
        always(environment, "azire.create-port-forward", Fault::Wire("reset-after"));
    }),
    mistake(
        "outcome-unknown-of-account",
        9,
        "The connection is reset while an account is created.",
        "anyvpn account create eva --password-file password",
    )
    .when(|environment| {
        environment.file("password", "correct horse");
        always(environment, "azire.create-user", Fault::Wire("reset-after"));
    }),
    mistake(
        "maybe-done",
        7,
        "A gateway times out while a port is opened.",
        "anyvpn port create --internal-ipv4 $DEVICE",
    )
    .when(|environment| {
        device(environment);
        always(environment, "azire.create-port-forward", Fault::Html(504));
    }),
];

/// Makes every request for the operation fail.
fn always(environment: &Environment, operation: &str, fault: Fault) {
    let rule = FaultRule { operation: Some(operation.to_owned()), ..FaultRule::always(fault) };
    environment.world.sandbox.inject(rule).unwrap();
}

fn device(environment: &Environment) {
    let azire = environment.world.sandbox.azire();
    azire.add_device(crate::common::LOGIN).unwrap();
    environment.set("DEVICE", azire.devices(crate::common::LOGIN)[0].internal_ipv4.to_string());
}

/// The only authority that these cases trust. They do not use this machine's authorities.
static AUTHORITY: LazyLock<CertifiedIssuer<'static, KeyPair>> =
    LazyLock::new(|| authority("Trusted"));

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap()
}

/// Returns the file of the trusted authority.
pub fn trusted() -> String {
    let certificate = BASE64_STANDARD.encode(AUTHORITY.der());
    format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n")
}

/// Starts a server at `PORT` with a certificate for this name and these years, whose authority may
/// be trusted.
fn serve_tls(environment: &Environment, name: &str, [from, to]: [i32; 2], trusted: bool) {
    let key = KeyPair::generate().unwrap();
    let mut server = CertificateParams::new([name.to_owned()]).unwrap();
    server.not_before = date_time_ymd(from, 1, 1);
    server.not_after = date_time_ymd(to, 1, 1);
    let certificate = match trusted {
        true => server.signed_by(&key, &AUTHORITY),
        false => server.signed_by(&key, &authority("Nobody knows it")),
    };
    let certificate = certificate.unwrap().der().clone();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config =
        ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
    let config = Arc::new(config);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    environment.port.set(listener.local_addr().unwrap().port());
    // The server ends with the test.
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // The client closes the connection, as the test expects.
            let _ = connection.complete_io(&mut socket.unwrap());
        }
    });
}
