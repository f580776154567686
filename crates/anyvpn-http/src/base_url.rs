//! The base URL, parsed once: the part of a URL before the documented paths.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyvpn_core::Error;
use http::HeaderValue;
use http::uri::{InvalidUri, Uri};
use url::{Host, ParseError, Position, Url};

/// A base URL to which credentials may be sent: https, or plain http to this machine.
#[derive(Clone, Debug)]
pub struct BaseUrl {
    url: Url,
    /// The header `Host`, which every request has.
    host: HeaderValue,
}

impl BaseUrl {
    /// Checks a base URL.
    ///
    /// # Errors
    ///
    /// `InvalidRequest`, as described at [`ClientBuilder::build`](crate::ClientBuilder::build).
    pub(crate) fn parse(base_url: &str) -> Result<Self, Error> {
        // The messages never repeat the URL: it could hold a password.
        let wrong = |why: &str| Error::invalid("url", why);
        let url = Url::parse(base_url.trim()).map_err(|e| match e {
            ParseError::RelativeUrlWithoutBase => wrong("must start with https://"),
            e => wrong(&format!("is not a valid URL ({e}); use the form https://vpn.example.com")),
        })?;
        // The parser takes the name in `vpn.example.com:443` for a scheme.
        let Some(host) = url.host() else {
            return Err(wrong("must start with https:// and a host name"));
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => {
                return Err(wrong(
                    "is plain http to another machine, which would show the token to everyone on \
                     the way; use https",
                ));
            }
            _ => return Err(wrong("must start with https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("must not contain a user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must not have a query or a fragment"));
        }
        let cannot_be_sent_to = || wrong("has an invalid host name");
        url.as_str().parse::<Uri>().map_err(|_| cannot_be_sent_to())?;
        let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
            .map_err(|_| cannot_be_sent_to())?;
        Ok(Self { url, host })
    }

    /// Creates the base URL of a server. The header `Host` has the name exactly as it is given.
    pub(crate) fn named(name: &str, port: u16) -> Result<Self, Error> {
        let mut base = Self::parse(&format!("https://{name}:{port}"))?;
        let port = base.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        base.host = HeaderValue::try_from(format!("{name}{port}"))
            .map_err(|_| Error::invalid("url", "has an invalid host name"))?;
        Ok(base)
    }

    /// Returns the whole URL, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Returns whether this URL is plain http.
    pub(crate) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Returns whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.url.host().is_some_and(|host| is_loopback(&host))
    }

    /// Returns the host, without the port.
    pub(crate) fn url_host(&self) -> Option<Host<&str>> {
        self.url.host()
    }

    /// Returns the value of the header `Host`, with the port unless it is the scheme's default.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// Returns the URI of a path and query below this URL.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if they are not valid in a URI.
    pub(crate) fn uri(&self, target: &str) -> Result<Uri, Error> {
        let whole = format!("{}{target}", self.as_str());
        whole.try_into().map_err(|e: InvalidUri| Error::invalid("path", e.to_string()))
    }

    /// Returns the URL of a path and query below this URL, as if it had been parsed.
    pub(crate) fn url(&self, target: &str) -> Url {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut url = self.url.clone();
        match self.url.path().trim_end_matches('/') {
            "" => url.set_path(path),
            base => url.set_path(&format!("{base}{path}")),
        }
        url.set_query(query);
        url
    }
}

/// Returns whether a host is this machine.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => is_localhost(name),
    }
}

/// Returns whether a name means this machine. Such names are never looked up, because requests to them may
/// be in clear text and a resolver could send them elsewhere.
pub(crate) fn is_localhost(name: &str) -> bool {
    let parent = name.len().checked_sub("localhost".len()).and_then(|at| name.split_at_checked(at));
    parent.is_some_and(|(parent, top)| {
        top.eq_ignore_ascii_case("localhost") && (parent.is_empty() || parent.ends_with('.'))
    })
}

/// The addresses of a name that means this machine.
pub(crate) const LOOPBACK: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_what_parsing_the_whole_gives() {
        for base in [
            "https://vpn.example.com",
            "https://vpn.example.com:8443/api/",
            "https://vpn.example.com:443",
            "http://localhost:8000",
            "http://127.0.0.1:8000/x",
            "http://[::1]/x",
            "https://münchen.example/ä",
        ] {
            let base = BaseUrl::parse(base).unwrap();
            for target in [
                "/v3/users/me",
                "/v3/portforwardings?internal_ipv4=10.0.16.181&hidden=1",
                "/v3/ips/a%20b%2Fc/key",
                "/",
                "//elsewhere.example.com/x",
                "/a/../b/./c?d=../e",
                "/%2e%2e/b",
                "/a b?c d",
                "/a?b?c",
                "/a?",
                "/\\elsewhere",
            ] {
                let whole = Url::parse(&format!("{}{target}", base.as_str())).unwrap();
                assert_eq!(base.url(target), whole, "{target}");
            }
        }
    }

    #[test]
    fn a_name_of_this_machine_ends_in_localhost() {
        for name in ["localhost", "LocalHost", "a.localhost", "a.b.LOCALHOST"] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["", "ocalhost", "notlocalhost", "localhost.example.com", "localhos\u{221}"] {
            assert!(!is_localhost(name), "{name}");
        }
    }

    #[test]
    fn a_host_has_the_port_that_is_not_the_schemes_own() {
        for (base, host) in [
            ("https://vpn.example.com/api", "vpn.example.com"),
            ("https://VPN.example.com:443", "vpn.example.com"),
            ("https://vpn.example.com:80", "vpn.example.com:80"),
            ("http://localhost:80", "localhost"),
            ("http://[::1]:8000/x", "[::1]:8000"),
            ("https://münchen.example", "xn--mnchen-3ya.example"),
        ] {
            assert_eq!(BaseUrl::parse(base).unwrap().host(), host);
        }
    }

    #[test]
    fn a_uri_is_the_base_and_the_target() {
        for (base, target) in [
            ("https://vpn.example.com", "/v3/users?page=2"),
            ("https://vpn.example.com/api", "/v3/ips/a%20b"),
            ("http://[::1]:8000", "/"),
        ] {
            let uri = BaseUrl::parse(base).unwrap().uri(target).unwrap();
            assert_eq!(uri.to_string(), format!("{base}{target}"));
        }
        let base = BaseUrl::parse("https://vpn.example.com").unwrap();
        assert!(base.uri("/a b").is_err());
    }
}
