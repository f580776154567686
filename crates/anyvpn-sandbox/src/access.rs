//! Decides which requests are served: those of programs on this machine, but not those of web pages.
//!
//! A browser lets any page send requests to this machine. A page whose name resolves to this machine
//! (DNS rebinding) can also read the replies, but its requests have that name in `Host`. Other pages
//! cannot read replies, and cannot add a header without a preflight request, which the sandbox refuses.

use std::net::IpAddr;

use axum::extract::Request;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;

/// The header that control requests must have: its name and its value.
const CONTROL_HEADER: (&str, &str) = ("x-anyvpn-sandbox", "control");
const CONTROL_PREFIX: &str = "/_sandbox/";

/// Returns whether a request is for the sandbox itself rather than for a provider.
pub(crate) fn is_control(request: &Request) -> bool {
    request.uri().path().starts_with(CONTROL_PREFIX)
}

/// The hosts that requests may name, besides those of this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    /// Whether any IP address is accepted, because other machines may call. Unlike a name, an address
    /// cannot be made to resolve to this machine.
    pub(crate) any_address: bool,
    pub(crate) names: Vec<String>,
}

/// Checks a request. The error is the reason for refusing it.
pub(crate) fn check(request: &Request, hosts: &Hosts) -> Result<(), &'static str> {
    let headers = request.headers();
    let mut sent = headers.get_all(HOST).iter().map(|host| host.to_str().ok());
    let host = sent.next().flatten().and_then(|host| host.parse::<Authority>().ok());
    let named = [host.as_ref(), request.uri().authority()];
    let only = host.is_some() && sent.next().is_none();
    if !only || !named.into_iter().flatten().all(|authority| hosts.contain(authority.host())) {
        return Err("the Host header must name this machine: localhost or a loopback address");
    }
    if !is_control(request) {
        return Ok(());
    }
    if headers.contains_key(ORIGIN) {
        return Err("control requests must not come from a web page: omit the Origin header");
    }
    let (name, value) = CONTROL_HEADER;
    match headers.get(name).is_some_and(|sent| sent == value) {
        true => Ok(()),
        false => Err("control requests must have the header X-Anyvpn-Sandbox: control"),
    }
}

impl Hosts {
    fn contain(&self, host: &str) -> bool {
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = address.unwrap_or(host).parse::<IpAddr>() {
            return self.any_address || address.to_canonical().is_loopback();
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let local = name == "localhost" || name.ends_with(".localhost");
        local || self.names.contains(&name)
    }
}
