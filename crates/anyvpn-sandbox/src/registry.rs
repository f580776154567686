//! The registered providers.

use std::any::Any;
use std::sync::Arc;

use crate::provider::{Provider, Settings, Shared, State};
use crate::variation::{self, Row, Variation};

/// All providers. To add one, add its module and one line here; the module defines its accessors on the
/// sandbox.
pub(crate) static REGISTRY: &[Registration] = &[
    Registration::of::<crate::azire::State>(),
    Registration::of::<crate::pia::State>(),
    Registration::of::<crate::vpngn::State>(),
    Registration::of::<crate::vpnscript::State>(),
    Registration::of::<crate::natpmp::State>(),
    Registration::of::<crate::vpnresellers::State>(),
];

/// The suffix of a page for browsers, which is served like a call but is not an operation of the API.
const PAGE_SUFFIX: &str = "-page";

/// The description of a provider.
pub(crate) struct Registration {
    name: &'static str,
    demo: &'static str,
    hosts: &'static [&'static str],
    pub(crate) operations: fn() -> Vec<&'static str>,
    pub(crate) variations: fn() -> Vec<Variation>,
    pub(crate) start: fn(&Settings) -> Started,
}

/// A running provider: the server's view of it, and the handle for tests.
pub(crate) struct Started {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) service: Box<dyn Any + Send + Sync>,
}

impl Registration {
    const fn of<S: State>() -> Registration {
        Registration {
            name: S::NAME,
            demo: S::DEMO,
            hosts: S::HOSTS,
            operations: operations_of::<S>,
            variations: || S::VARIATIONS.iter().map(Row::variation).collect(),
            start: start::<S>,
        }
    }
}

fn operations_of<S: State>() -> Vec<&'static str> {
    let mut names: Vec<_> = S::ROUTES.iter().map(|route| route.operation).collect();
    names.retain(|name| !name.ends_with(PAGE_SUFFIX));
    names.dedup();
    names.extend(S::DATAGRAMS);
    names
}

fn start<S: State>(settings: &Settings) -> Started {
    let quirks = variation::draw(S::VARIATIONS, settings.seed);
    let quirks = variation::choose(S::VARIATIONS, quirks, &settings.variations);
    let state = Shared::new(S::new(settings, quirks));
    Started { service: Box::new(S::Service::from(state.clone())), provider: Arc::new(state) }
}

/// Returns the names of all servers that are separate hosts with TLS, each with its provider's name.
pub(crate) fn hosts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of = |provider: &'static Registration| {
        provider.hosts.iter().map(move |host| (provider.name, *host))
    };
    REGISTRY.iter().flat_map(of)
}

/// Returns the names of all operations that the sandbox serves, such as `azire.create-user`.
#[must_use]
pub fn operations() -> Vec<&'static str> {
    REGISTRY.iter().flat_map(|provider| (provider.operations)()).collect()
}

/// Returns the script of `anyvpn demo` for a provider. `None` if the sandbox has no such provider.
///
/// The script of a new provider is the file `demo.txt` beside its imitation. Each line begins with a
/// mark:
///
/// | line | what it does |
/// |---|---|
/// | `# Sign in` | begins a step of that title |
/// | `$ anyvpn login --username liam` | runs the command, at this provider; what `-o` names is told at the end |
/// | `< secret` | stands before a command: what it reads from stdin |
/// | `! verify-email {"username": "liam"}` | a control action of the provider, see [Over HTTP](crate#over-http); `! listen 55555` listens at a port |
/// | `= id /configs/0/id` | keeps a value of the JSON answer of the line before: `{id}` stands for it in later lines, and a name such as `ANYVPN_PIA_TOKEN` is in the commands' environment |
///
/// The commands have `ANYVPN_PROVIDER` and the provider's address in their environment, but no other
/// tokens or profiles. Together they call every operation of the provider, with every seed.
#[must_use]
pub fn demo(provider: &str) -> Option<&'static str> {
    REGISTRY.iter().find(|it| it.name == provider).map(|it| it.demo)
}

impl Variation {
    /// Returns all variations, by provider.
    pub fn all() -> impl Iterator<Item = Variation> {
        REGISTRY.iter().flat_map(|provider| (provider.variations)())
    }
}
