//! Finds the proxy that the environment sets for a base URL.
//!
//! We read the variables ourselves, because the HTTP client ignores values that it does not understand
//! and then connects directly. That would expose the address of a person who wants to hide it.

use std::ffi::OsString;
use std::net::IpAddr;

use anyvpn_core::Error;
use ipnet::IpNet;
use url::{Host, Url};

use crate::BaseUrl;

const HTTPS_PROXY: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const ALL_PROXY: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Returns the proxy for a base URL; `None` if requests go there directly.
///
/// # Errors
///
/// `InvalidRequest`, naming the variable, if a value applies that cannot be understood.
pub(crate) fn from_environment(base: &BaseUrl) -> Result<Option<Url>, Error> {
    find(base, |name| std::env::var_os(name))
}

fn find(base: &BaseUrl, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Url>, Error> {
    // localhost must bypass the proxy. Plain http is only used for localhost, so HTTP_PROXY never
    // applies.
    if base.is_loopback() {
        return Ok(None);
    }
    // An empty value counts as absent.
    let set = |names: [&'static str; 2]| {
        let mut values = names.into_iter().map(|name| (name, variable(name).unwrap_or_default()));
        values.find(|(_, value)| !value.is_empty())
    };
    let Some((name, value)) = set(HTTPS_PROXY).or_else(|| set(ALL_PROXY)) else {
        return Ok(None);
    };
    let exceptions = set(NO_PROXY).unwrap_or_default().1;
    if base.url_host().is_some_and(|host| exempts(&exceptions.to_string_lossy(), &host)) {
        return Ok(None);
    }
    // The message never shows the value: it could hold a password.
    let proxy = value.to_str().ok_or(MISSPELT).and_then(parse);
    proxy.map(Some).map_err(|why| Error::invalid(name, why))
}

const MISSPELT: &str = "must be written like http://proxy.example.com:3128, without quotes or \
                        spaces; nothing was sent";
const SOCKS: &str = "names a SOCKS proxy, which is not supported; name an http:// or https:// proxy \
                     in HTTPS_PROXY, or send directly with NO_PROXY; nothing was sent";

fn parse(value: &str) -> Result<Url, &'static str> {
    // The URL parser would remove spaces.
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(MISSPELT);
    }
    let url = match value.split_once("://") {
        // We parse it like curl.
        None => format!("http://{value}"),
        Some((scheme, _)) => match &*scheme.to_ascii_lowercase() {
            "http" | "https" => value.to_owned(),
            scheme if scheme.starts_with("sock") => return Err(SOCKS),
            _ => return Err(MISSPELT),
        },
    };
    let url = Url::parse(&url).map_err(|_| MISSPELT)?;
    // The HTTP client parses the text again, with another parser.
    let uri: http::Uri = url.as_str().parse().map_err(|_| MISSPELT)?;
    // A path is a typing error, as in `http:/proxy:3128`.
    let is_host = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    match uri.host() {
        Some(host) if is_host && !host.is_empty() => Ok(url),
        _ => Err(MISSPELT),
    }
}

/// Returns whether a value of `NO_PROXY` applies to a host: it has `*`, the host's address, a network
/// that contains it, or a domain that equals or contains the host's name.
fn exempts(exceptions: &str, host: &Host<&str>) -> bool {
    let is_meant = |exception: &str| {
        let in_network = |address: IpAddr| {
            let literal = exception.trim_start_matches('[').trim_end_matches(']');
            match exception.parse::<IpNet>() {
                Ok(network) => network.contains(&address),
                Err(_) => literal.parse::<IpAddr>() == Ok(address),
            }
        };
        match *host {
            _ if exception == "*" => true,
            Host::Ipv4(address) => in_network(address.into()),
            Host::Ipv6(address) => in_network(address.into()),
            Host::Domain(name) => {
                let domain = exception.trim_start_matches('.').to_ascii_lowercase();
                let above = name.strip_suffix(&*domain);
                !domain.is_empty()
                    && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
        }
    };
    let split = |c: char| c == ',' || c.is_whitespace();
    exceptions.split(split).filter(|exception| !exception.is_empty()).any(is_meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the proxy that these variables, given as `NAME=value`, set for a base URL.
    fn proxy(base: &str, variables: &[&str]) -> Result<Option<String>, Error> {
        let base = BaseUrl::parse(base).unwrap();
        let variable = |name: &str| {
            let values = variables.iter().filter_map(|variable| variable.split_once('='));
            values.clone().find(|(it, _)| *it == name).map(|(_, value)| value.into())
        };
        find(&base, variable).map(|url| url.map(String::from))
    }

    const BASE: &str = "https://vpn.example.com/api";

    #[test]
    fn the_first_variable_that_applies_counts() {
        for (variables, expected) in [
            (&[][..], None),
            (&["HTTP_PROXY=http://a:1"], None),
            (&["HTTPS_PROXY="], None),
            (&["HTTPS_PROXY=http://a:1", "ALL_PROXY=socks://b:2"], Some("http://a:1/")),
            (&["HTTPS_PROXY=", "https_proxy=http://a:1"], Some("http://a:1/")),
            (&["ALL_PROXY=https://a", "https_proxy=b:2"], Some("http://b:2/")),
            (&["all_proxy=HTTP://user:hunter2@a:1"], Some("http://user:hunter2@a:1/")),
            (&["ALL_PROXY=http://[::1]:3128"], Some("http://[::1]:3128/")),
        ] {
            let proxy = proxy(BASE, variables).unwrap();
            assert_eq!(proxy.as_deref(), expected, "{variables:?}");
        }
        // localhost cannot be reached through a proxy.
        let to_loopback = proxy("http://localhost:8000", &["ALL_PROXY=socks://a:1"]);
        assert_eq!(to_loopback.unwrap(), None);
    }

    #[test]
    fn invalid_proxy_variables_are_refused_by_name() {
        for value in [
            "socks://a:1",
            "socks5://user:hunter2@a:1",
            "sock5://a:1",
            "ftp://a:1",
            "http://a:1 ",
            " http://a:1",
            "\"http://user:hunter2@a:1\"",
            "'a:1'",
            "http://",
            "http://:3128",
            "http://a:port",
            "http://user:hunter2@",
            "http:/a:1",
            "http:a:1",
            "http://a:1/proxy.pac",
            "http://a:1?b",
            "http://a\"b:1",
            "http://caf\u{e9}:1",
            "://a",
        ] {
            for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let error = proxy(BASE, &[&format!("{name}={value}")]).unwrap_err();
                assert!(error.fields().contains_key(name), "{value:?}: {error}");
                assert!(!error.to_string().contains("hunter2"), "{error}");
                let exempt = proxy(BASE, &[&format!("{name}={value}"), "NO_PROXY=*"]);
                assert_eq!(exempt.unwrap(), None, "{value}");
            }
        }
    }

    #[test]
    fn exceptions_are_names_addresses_and_networks() {
        for (base, exceptions, direct) in [
            (BASE, "example.com", true),
            (BASE, ".example.com", true),
            (BASE, "other.org, VPN.Example.com", true),
            (BASE, "a.org vpn.example.com", true),
            (BASE, "pn.example.com", false),
            (BASE, "a.vpn.example.com,,", false),
            (BASE, "10.0.0.0/8", false),
            (BASE, "*", true),
            ("https://10.1.2.3", "*", true),
            ("https://10.1.2.3", "10.0.0.0/8", true),
            ("https://10.1.2.3", "10.1.2.3", true),
            ("https://10.1.2.3", "10.1.2.4,11.0.0.0/8,2.3", false),
            ("https://[2001:db8::1]:8443", "*", true),
            ("https://[2001:db8::1]:8443", "2001:db8::/32", true),
            ("https://[2001:db8::1]:8443", "[2001:db8::1]", true),
            ("https://[2001:db8::1]:8443", "2001:db8::2", false),
        ] {
            let no_proxy = format!("no_proxy={exceptions}");
            let proxy = proxy(base, &["ALL_PROXY=http://a:1", &no_proxy]).unwrap();
            assert_eq!(proxy.is_none(), direct, "{base} {exceptions}");
        }
    }
}
