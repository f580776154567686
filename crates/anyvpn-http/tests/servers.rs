//! A provider with several servers, over real sockets and TLS.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{
    Client, Dialect, Operation, Replay, Reply, Request, RetryPolicy, Security, Server, SigningKey,
    TrustRoots,
};
use anyvpn_testkit::scripted::{Script, Step};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const NAME: &str = "Server-12345-0a";
const SECOND: Duration = Duration::from_secs(1);

/// Its credential is for the servers at the base URL and `ports`.
struct Several;

impl Dialect for Several {
    type Provider = Client<Self>;
    type Credential = Secret;

    fn is_credential_for(server: Option<&'static str>) -> bool {
        matches!(server, None | Some("ports"))
    }

    fn attach(token: Option<&Secret>, security: Security, to: &mut Request) -> Result<(), Error> {
        match security.schemes {
            ["query"] => to.attach_query("pt", token.unwrap()),
            _ => return security.attach_bearer(token, to),
        }
        Ok(())
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() { reply.json() } else { Err(Self::refusal(reply)) }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        reply.verified && reply.status == 401 || reply.body.starts_with(b"{")
    }

    fn refuses_credential(reply: &Reply) -> bool {
        reply.body.ends_with(b"\"Login failed!\"}")
    }

    fn refusal(reply: &Reply) -> Error {
        let is_refused = reply.status == 401 || Self::refuses_credential(reply);
        Error::new(if is_refused { ErrorKind::Unauthorized } else { ErrorKind::Refused })
    }
}

macro_rules! operation {
    ($name:ident, $server:expr, $security:expr) => {
        struct $name;

        impl Operation for $name {
            type Dialect = Several;
            type Output = u32;
            const ID: OperationId = OperationId::new("several", stringify!($name));
            const REPLAY: Replay = Replay::Safe;
            const SERVER: Option<&'static str> = $server;

            fn security(&self) -> Security {
                $security
            }

            fn request(&self) -> Result<Request, Error> {
                Ok(Request::get("/number").query("key", "a+b"))
            }

            fn decode(&self, reply: &Reply) -> Result<u32, Error> {
                Several::decode(reply)
            }
        }
    };
}

operation!(Own, None, Security::required(&["bearer"]));
operation!(List, Some("list"), Security::NONE);
operation!(ListWithToken, Some("list"), Security::required(&["bearer"]));
operation!(Ports, Some("ports"), Security::required(&["query"]));

/// Creates an authority and a certificate from it.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = STANDARD.encode(params.self_signed(&key).unwrap().der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Returns the TLS configuration of a server with these alternative names and a common name.
    fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, NAME);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key);
        Arc::new(config.unwrap())
    }
}

/// Answers each connection once. Returns the address, and what was received: the ClientHello and
/// the request.
async fn serve(tls: Arc<ServerConfig>, reply: &'static str) -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(String::new())));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let length = stream.peek(&mut bytes).await.unwrap();
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            let Ok(mut stream) = TlsAcceptor::from(Arc::clone(&tls)).accept(stream).await else {
                continue;
            };
            let length = stream.read(&mut bytes).await.unwrap();
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            stream.write_all(reply.as_bytes()).await.unwrap();
            let _ = stream.shutdown().await;
        }
    });
    (address, seen)
}

const SEVEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7";

fn client(script: &Script) -> Client<Several> {
    let transport = Arc::new(script.clone());
    let builder =
        Client::<Several>::builder("https://a.example").server("list", "https://b.example");
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    builder.token("t0k/n").transport(transport).retry(retry).build().unwrap()
}

fn pinned(client: &Client<Several>, address: SocketAddr, authority: &Authority) -> Client<Several> {
    let roots = TrustRoots::from_pem(&authority.pem).unwrap();
    client.with_server("ports", Server::pinned(NAME, address, &roots, SECOND * 10).unwrap())
}

#[tokio::test]
async fn a_pinned_server_is_connected_to_at_its_address_and_called_by_its_name() {
    let authority = Authority::new();
    let (address, seen) = serve(authority.server(&[NAME]), SEVEN).await;
    let script = Script::new([]);
    let client = pinned(&client(&script), address, &authority);
    assert_eq!(client.call(Ports).await.unwrap(), 7);
    let seen = seen.lock().unwrap().clone();
    let (hello, request) = seen.split_once("GET ").unwrap();
    assert!(hello.contains(NAME), "the name of TLS is another one: {hello:?}");
    assert!(request.starts_with("/number?key=a%2Bb&pt=t0k%2Fn HTTP/1.1\r\n"), "{request}");
    let host = format!("\r\nhost: {NAME}:{}\r\n", address.port());
    assert!(request.contains(&host), "{request}");
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn a_server_that_does_not_prove_its_name_is_sent_nothing() {
    let authority = Authority::new();
    let other_name = authority.server(&["Server-12345-0b"]);
    let only_common_name = authority.server(&[]);
    let stranger = Authority::new().server(&[NAME]);
    for (tls, reason) in [
        (other_name, "is for another host name"),
        (only_common_name, "is for another host name"),
        (stranger, "is from an authority"),
    ] {
        let (address, seen) = serve(tls, SEVEN).await;
        let client = pinned(&client(&Script::new([])), address, &authority);
        let error = client.call(Ports).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!seen.lock().unwrap().contains("GET "));
    }
    let roots = TrustRoots::from_pem(&authority.pem).unwrap();
    let address = "127.0.0.1:1".parse().unwrap();
    for name in ["", "a b", "203.0.113.7", "a/b", "a:1"] {
        let error = Server::pinned(name, address, &roots, SECOND).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name:?}: {error}");
    }
    for pem in ["", "-----BEGIN", &authority.pem.replace("CERTIFICATE", "PUBLIC KEY")] {
        assert!(TrustRoots::from_pem(pem).is_err(), "{pem}");
    }
}

#[tokio::test]
async fn a_credential_is_sent_to_its_servers_only() {
    let script = Script::new([Step::json(200, "1"), Step::json(200, "2")]);
    let client = client(&script);
    let error = client.call(ListWithToken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.fields().contains_key("server"), "{error}");
    // Its address is unknown, and the client does not guess it.
    let error = client.call(Ports).await.unwrap_err();
    assert!(error.to_string().contains("the address of the server ports"), "{error}");
    assert!(script.sent().is_empty());

    assert_eq!(client.call(Own).await.unwrap(), 1);
    assert_eq!(client.call(List).await.unwrap(), 2);
    let requests = script.sent();
    let hosts: Vec<_> = requests.iter().map(|it| it.uri().host().unwrap()).collect();
    assert_eq!(hosts, ["a.example", "b.example"]);
    let has_token: Vec<_> =
        requests.iter().map(|it| it.headers().contains_key("authorization")).collect();
    assert_eq!(has_token, [true, false]);
}

#[tokio::test]
async fn another_base_url_holds_for_all_servers() {
    let script = Script::new([Step::json(200, "1"), Step::json(200, "2")]);
    let builder =
        Client::<Several>::builder("https://a.example").server("list", "https://b.example");
    let client =
        builder.base_url("https://c.example").token("t").transport(Arc::new(script.clone()));
    let client = client.build().unwrap();
    client.call(List).await.unwrap();
    client.call(Ports).await.unwrap();
    assert!(script.sent().iter().all(|it| it.uri().host() == Some("c.example")));
}

#[tokio::test]
async fn a_401_from_an_authenticated_server_counts_with_any_body() {
    let authority = Authority::new();
    let denied = "HTTP/1.1 401 Denied\r\ncontent-length: 4\r\n\r\n<no>";
    let (address, _) = serve(authority.server(&[NAME]), denied).await;
    let client = pinned(
        &client(&Script::new([Step::json(500, "{\"m\":\"Login failed!\"}")])),
        address,
        &authority,
    );
    assert_eq!(client.call(Ports).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    // Another status counts too, if the provider's dialect says so.
    assert_eq!(client.call(Own).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

/// Created with `openssl dgst -sha256 -sign`.
#[test]
fn a_signature_is_of_one_key_and_one_message() {
    let (public, signature) =
        (include_str!("signature/public.pem"), include_bytes!("signature/message.sig"));
    let key = SigningKey::from_pem(public).unwrap();
    assert!(key.verify(b"what the vendor says", signature).is_ok());
    for (message, signature) in [
        (&b"what the vendor said"[..], &signature[..]),
        (b"what the vendor says", &signature[1..]),
        (b"what the vendor says", b""),
    ] {
        let error = key.verify(message, signature).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
    }
    let cut = public.lines().nth(1).unwrap();
    for pem in ["", &public.replace("PUBLIC KEY", "CERTIFICATE"), &public.replace(cut, "")] {
        assert!(SigningKey::from_pem(pem).is_err(), "{pem}");
    }
}
