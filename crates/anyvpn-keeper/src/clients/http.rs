//! Sends requests to a client's web interface, with limits on time and size, and without proxies and
//! redirects.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use anyvpn_core::{Clock, Error, Secret, escape_invisible, redact};
use anyvpn_http::transport::{Body, Names, Reqwest, Setup, Transport as _, TransportError};
use bytes::{Bytes, BytesMut};
use futures_core::future::BoxFuture;
use futures_util::StreamExt as _;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::{PATIENCE, in_time};
use crate::ClientError;

/// The maximum size of a reply: the hashes of 90,000 torrents in Deluge.
const LARGEST: usize = 4 << 20;
/// How much of an unexpected reply is shown.
const EXCERPT: usize = 120;

/// The web interface of a client.
pub(crate) struct WebInterface {
    transport: Reqwest,
    clock: Arc<dyn Clock>,
    url: Url,
    /// The secrets, which no error may repeat.
    secrets: Vec<Secret>,
}

/// A whole reply.
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Bytes,
    secrets: Vec<Secret>,
}

impl WebInterface {
    /// Prepares requests to the client at `url`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if it is not an http or https URL, or if plain http would go over the Internet.
    pub fn new(url: &str, secrets: Vec<Secret>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        // The messages never repeat the URL: it could hold a password.
        let wrong = |why: &str| Error::invalid("url", why);
        let url = Url::parse(url.trim())
            .map_err(|_| wrong("is not a URL; write it like http://127.0.0.1:8080"))?;
        let plain = match url.scheme() {
            "http" => true,
            "https" => false,
            _ => return Err(wrong("must start with http:// or https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "must not contain a user name or password; there are separate settings for them",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must not have a query or a fragment"));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if plain && address.is_some_and(|address| !is_private(address)) {
            return Err(wrong(&format!("{PUBLIC}; use https")));
        }
        let mut setup = Setup::direct(PATIENCE, !plain)?;
        if plain {
            setup.names = Some(Arc::new(PrivateNames));
        }
        Ok(Self { transport: Reqwest::new(setup)?, clock, url, secrets })
    }

    /// Returns the URL of a path below that of the web interface.
    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.url.as_str().trim_end_matches('/'))
    }

    /// Prepares a GET request.
    pub fn get(&self, path: &str) -> http::request::Builder {
        Request::get(self.url(path))
    }

    /// Prepares a POST request with this content type.
    pub fn post(&self, path: &str, content_type: &'static str) -> http::request::Builder {
        Request::post(self.url(path)).header(CONTENT_TYPE, content_type)
    }

    /// Sends a request once, and returns the whole reply.
    ///
    /// # Errors
    ///
    /// `Unreachable` if there is no reply, or if the reply says that the client is down; `Unexpected`
    /// if the reply is too large.
    pub async fn send(
        &self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Result<Reply, ClientError> {
        let mut request = request.body(body.into()).map_err(|error| {
            ClientError::Unexpected(format!("cannot build the request: {error}"))
        })?;
        // A kept connection would break when the client restarts, and a request on it would be lost.
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        let exchange = async {
            let reply = self.transport.send(request).await.map_err(|error| self.lost(&error))?;
            self.collect(reply).await
        };
        let reply = in_time(&*self.clock, exchange).await??;
        match reply.status.as_u16() {
            // A proxy in front of the client answers with these if the client is down.
            502..=504 => Err(ClientError::Unreachable(reply.describe())),
            _ => Ok(reply),
        }
    }

    async fn collect(&self, reply: Response<Body>) -> Result<Reply, ClientError> {
        let (head, mut chunks) = reply.into_parts();
        let mut body = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            body.extend_from_slice(&chunk.map_err(|error| self.lost(&error))?);
            if body.len() > LARGEST {
                let why = format!("a reply of more than {LARGEST} bytes");
                return Err(ClientError::Unexpected(why));
            }
        }
        let (status, headers) = (head.status, head.headers);
        Ok(Reply { status, headers, body: body.freeze(), secrets: self.secrets.clone() })
    }

    fn lost(&self, error: &TransportError) -> ClientError {
        ClientError::Unreachable(redact(&error.reason, &self.secrets))
    }
}

impl Reply {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as one line, for a message.
    pub fn line(&self) -> String {
        let text = redact(&self.text(), &self.secrets);
        let words: Vec<_> = text.split_whitespace().collect();
        escape_invisible(&words.join(" ").chars().take(EXCERPT).collect::<String>())
    }

    /// Decodes the body from JSON.
    ///
    /// # Errors
    ///
    /// `Unexpected` if the status is not a success or the body has another form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        if !self.status.is_success() {
            return Err(self.unexpected());
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let why = redact(&error.to_string(), &self.secrets);
            ClientError::Unexpected(format!("{}: {}", self.describe(), escape_invisible(&why)))
        })
    }

    /// Returns the error for an unexpected reply.
    pub fn unexpected(&self) -> ClientError {
        ClientError::Unexpected(self.describe())
    }

    /// Returns the status and the beginning of the body, for a message.
    pub fn describe(&self) -> String {
        let line = self.line();
        // An HTML page adds nothing to its status.
        if line.is_empty() || line.starts_with('<') {
            return self.status.as_u16().to_string();
        }
        format!("{} {line}", self.status.as_u16())
    }

    /// Returns the cookies that the reply sets, in the form in which requests send them; `None` if it
    /// sets none.
    pub fn cookies(&self) -> Option<Secret> {
        let set = self.headers.get_all(http::header::SET_COOKIE);
        let pairs: Vec<_> = set
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .map(str::trim)
            .filter(|pair| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty()))
            .collect();
        (!pairs.is_empty()).then(|| Secret::from(pairs.join("; ")))
    }
}

/// Returns the header's value for a secret, hidden from logs.
pub(crate) fn secret_header(value: &Secret) -> Result<HeaderValue, ClientError> {
    let mut header = HeaderValue::from_str(value.expose()).map_err(|_| {
        ClientError::Unauthorized(
            "the credential has a character that cannot be sent in a header".into(),
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

const PUBLIC: &str = "is plain http to a public address, which would show the password on the way";

/// Looks up names with the system, and returns only the addresses to which plain http may be sent.
struct PrivateNames;

impl Names for PrivateNames {
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let private: Vec<_> =
                found.map(|address| address.ip()).filter(|ip| is_private(*ip)).collect();
            if private.is_empty() {
                return Err(io::Error::other(format!("{PUBLIC}; use https")));
            }
            Ok(private)
        })
    }
}

/// Returns whether an address belongs to this machine or to a private network.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            // The last range is used by carriers and overlay networks.
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use anyvpn_core::SystemClock;

    use super::*;

    #[test]
    fn plain_http_stays_in_private_networks() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost:8080/qbittorrent/",
            "http://192.168.1.5:8080",
            "http://100.101.102.103",
            "http://[fd00::1]:9091",
            "http://nas:8080",
            "https://torrents.example.com",
            "https://203.0.113.7",
        ] {
            assert!(WebInterface::new(url, Vec::new(), Arc::new(SystemClock)).is_ok(), "{url}");
        }
        for url in [
            "http://203.0.113.7:8080",
            "http://[2001:db8::1]",
            "http://[::ffff:203.0.113.7]/",
            "ftp://127.0.0.1",
            "127.0.0.1:8080",
            "http://keeper:made-up@127.0.0.1:8080",
            "http://127.0.0.1/?key=made-up",
            "",
        ] {
            let Err(error) = WebInterface::new(url, Vec::new(), Arc::new(SystemClock)) else {
                panic!("{url}")
            };
            assert!(!error.to_string().contains("made-up"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_name_with_a_public_address_is_not_asked_over_plain_http() {
        let addresses = PrivateNames.addresses("203.0.113.7").await;
        assert!(addresses.unwrap_err().to_string().contains("use https"));
        let addresses = PrivateNames.addresses("192.168.1.5").await.unwrap();
        assert_eq!(addresses, ["192.168.1.5".parse::<IpAddr>().unwrap()]);
    }
}
