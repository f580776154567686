//! The interface between a provider's imitation and the server, which knows nothing else about a
//! provider.
//!
//! A provider is a [`State`] with tables of its routes, variations and control actions. One generic
//! service, [`Shared`], runs them all.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::data_plane::{DataPlane, Network, VpnServer};
use crate::reply::Reply;
use crate::tls::Hosts;
use crate::variation::Row;
use crate::{Clock, locked};

/// A provider's state, and the tables of what it can do.
pub(crate) trait State: Sized + Send + 'static {
    /// The provider's own type for the target of a route.
    type Work: Copy + Send + Sync + 'static;
    /// The choices that the seed and variations determine.
    type Quirks: Default + 'static;
    /// The handle that tests have.
    type Service: From<Shared<Self>> + Send + Sync + 'static;

    /// The first segment of the path and of the operations' names.
    const NAME: &'static str;
    const ROUTES: &'static [Route<Self::Work>];
    const VARIATIONS: &'static [Row<Self::Quirks>];
    /// The actions that only the sandbox's user can perform, such as opening an e-mail.
    const ACTIONS: &'static [Action<Self>];
    /// The names of the provider's servers that are separate hosts with TLS; see [`tls`](crate::tls).
    const HOSTS: &'static [&'static str] = &[];
    /// The text that [`demo`](crate::demo) returns.
    const DEMO: &'static str;

    /// The operations that are requested by datagrams. A provider with such operations gets a UDP
    /// socket.
    const DATAGRAMS: &'static [&'static str] = &[];

    fn new(settings: &Settings, quirks: Self::Quirks) -> Self;

    /// Adds an account with this name, and returns what a client needs to use it.
    fn add_login(service: &Self::Service, name: &str, password: &str) -> Login;

    /// Applies everything that is due by now.
    fn settle(&mut self);

    /// Performs a call atomically. `Err` is a refusal that changes nothing.
    fn answer(&mut self, work: Self::Work, call: &Call) -> Result<Answer, Reply>;

    /// Returns the operation that a datagram requests; `None` if it is not a known request.
    fn datagram_operation(_bytes: &[u8]) -> Option<&'static str> {
        None
    }

    /// Handles a datagram, or refuses it with the code `refusal` if there is one. `None` means no
    /// reply.
    fn datagram(&mut self, _bytes: &[u8], _peer: IpAddr, _refusal: Option<u16>) -> Option<Vec<u8>> {
        None
    }

    /// Adds what is granted now: the peers of its VPN servers, and the forwarded ports.
    fn network(&self, _network: &mut Network) {}

    /// Returns a refusal in the provider's own form, for requests that never reach [`State::answer`].
    fn refusal(&self, status: u16, message: &str) -> Reply;

    /// Returns the refusal of a request that matches no route. Some providers' frameworks have their
    /// own form.
    fn no_route(&self, status: u16, message: &str) -> Reply {
        self.refusal(status, message)
    }
}

/// An account for trying a provider. It has no `Debug`, so that no test prints a key by accident.
#[derive(Clone)]
#[non_exhaustive]
pub struct Login {
    /// The name to sign in with; empty if the provider has no accounts.
    pub username: String,
    /// The credentials, by the keys of the client's settings, such as `token`.
    pub credentials: Vec<(&'static str, String)>,
}

/// The initial state of all providers.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) variations: Vec<String>,
    pub(crate) clock: Clock,
    pub(crate) azire_rate_limit: Option<u32>,
    pub(crate) vpngn_max_customers: usize,
    pub(crate) hosts: Hosts,
    pub(crate) data_plane: Option<Arc<dyn DataPlane>>,
    /// With a data plane: the one WireGuard server that stands for all of them.
    pub(crate) vpn_server: Option<VpnServer>,
}

/// A row of a provider's table of routes.
pub(crate) struct Route<W> {
    pub(crate) method: Method,
    /// The path below the provider's prefix, with `{name}` for a parameter.
    pub(crate) path: &'static str,
    /// The operation's name, such as `azire.create-user`.
    pub(crate) operation: &'static str,
    /// The fields of body and query that the log may show; all others are redacted.
    pub(crate) shows: &'static [&'static str],
    pub(crate) work: W,
}

pub(crate) const fn route<W>(
    method: Method,
    path: &'static str,
    operation: &'static str,
    shows: &'static [&'static str],
    work: W,
) -> Route<W> {
    Route { method, path, operation, shows, work }
}

/// A request to one of the routes.
pub(crate) struct Call {
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
}

impl Call {
    /// Returns a parameter of the path; empty if the route has none with this name.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Returns the value of a header, if it is present and is text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the credential of an `Authorization` header; the scheme's name is not case-sensitive.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, key) = self.header(AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    }
}

/// The answer to a successful call.
pub(crate) enum Answer {
    Now(Reply),
    /// The state is updated, but the reply takes time.
    Later(BoxFuture<'static, Reply>),
}

/// A control action: its name in the path, and the function that handles its JSON input.
pub(crate) struct Action<S> {
    pub(crate) name: &'static str,
    pub(crate) act: fn(&mut S, &Value) -> Result<Value, String>,
}

/// Returns the fields of an action's input, in the order of `names`; an unknown field is an error.
pub(crate) fn fields<'a, const N: usize>(
    input: &'a Value,
    names: [&str; N],
) -> Result<[&'a Value; N], String> {
    let given = input.as_object().ok_or("the input must be a JSON object")?;
    match given.keys().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => Err(format!("unknown field {unknown:?}")),
        None => Ok(names.map(|name| given.get(name).unwrap_or(&Value::Null))),
    }
}

/// Returns the text of a required field.
pub(crate) fn text<'a>(field: &'a Value, name: &str) -> Result<&'a str, String> {
    field.as_str().ok_or_else(|| format!("{name:?} is missing, or is not a string"))
}

/// A provider's state, shared by the server and tests.
pub(crate) struct Shared<S>(Arc<Mutex<S>>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Shared<S> {
        Shared(Arc::clone(&self.0))
    }
}

impl<S: State> Shared<S> {
    pub(crate) fn new(state: S) -> Shared<S> {
        Shared(Arc::new(Mutex::new(state)))
    }

    /// Locks the state and applies everything that is due by now.
    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        let mut state = locked(&self.0);
        state.settle();
        state
    }
}

/// A provider, independent of the type of its state.
pub(crate) trait Provider: Send + Sync {
    fn name(&self) -> &'static str;

    /// Returns the routes, without their targets.
    fn routes(&self) -> Vec<Route<()>>;

    /// Answers a call to the route with this index.
    fn answer(&self, route: usize, call: &Call) -> Result<Answer, Reply>;

    /// Returns whether the provider has operations that are requested by datagrams.
    fn has_datagrams(&self) -> bool;

    /// As [`State::datagram_operation`].
    fn datagram_operation(&self, bytes: &[u8]) -> Option<&'static str>;

    /// As [`State::datagram`].
    fn datagram(&self, bytes: &[u8], peer: IpAddr, refusal: Option<u16>) -> Option<Vec<u8>>;

    /// As [`State::network`].
    fn network(&self, network: &mut Network);

    fn refusal(&self, status: u16, message: &str) -> Reply;

    fn no_route(&self, status: u16, message: &str) -> Reply;

    fn add_login(&self, name: &str, password: &str) -> Login;

    /// Runs a control action; `None` if there is no such action.
    fn control(&self, action: &str, input: &Value) -> Option<Result<Value, String>>;
}

impl<S: State> Provider for Shared<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn routes(&self) -> Vec<Route<()>> {
        let plain = |it: &Route<_>| route(it.method.clone(), it.path, it.operation, it.shows, ());
        S::ROUTES.iter().map(plain).collect()
    }

    fn answer(&self, route: usize, call: &Call) -> Result<Answer, Reply> {
        self.lock().answer(S::ROUTES[route].work, call)
    }

    fn has_datagrams(&self) -> bool {
        !S::DATAGRAMS.is_empty()
    }

    fn datagram_operation(&self, bytes: &[u8]) -> Option<&'static str> {
        S::datagram_operation(bytes)
    }

    fn datagram(&self, bytes: &[u8], peer: IpAddr, refusal: Option<u16>) -> Option<Vec<u8>> {
        self.lock().datagram(bytes, peer, refusal)
    }

    fn network(&self, network: &mut Network) {
        self.lock().network(network);
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        locked(&self.0).refusal(status, message)
    }

    fn no_route(&self, status: u16, message: &str) -> Reply {
        locked(&self.0).no_route(status, message)
    }

    fn add_login(&self, name: &str, password: &str) -> Login {
        S::add_login(&S::Service::from(self.clone()), name, password)
    }

    fn control(&self, action: &str, input: &Value) -> Option<Result<Value, String>> {
        let action = S::ACTIONS.iter().find(|known| known.name == action)?;
        Some((action.act)(&mut self.lock(), input))
    }
}
