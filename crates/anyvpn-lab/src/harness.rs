//! The description of a provider for all tests that need the sandbox.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::transport::{Reqwest, Transport};
use anyvpn_http::{ClientBuilder, Clock as _, Dialect, Limits, OperationInfo, RetryPolicy};
use anyvpn_sandbox::{Clock, Sandbox, SandboxBuilder};
use anyvpn_testkit::fixtures::{self, Call, Summary};
use anyvpn_testkit::openapi::Document;
use anyvpn_testkit::time::VirtualTime;
use serde_json::Value;

use crate::InstrumentedTransport;

/// The description of a provider for the tests.
pub trait ProviderHarness: 'static {
    /// An account with one of everything, on its own sandbox.
    type World: Send + Sync + 'static;

    /// The name in operation ids and in the sandbox's paths, such as `azire`.
    const NAME: &'static str;

    /// The name as people write it.
    const TITLE: &'static str;

    /// The path of the provider's crate.
    const FOLDER: &'static str;

    /// The text of its OpenAPI document.
    const OPENAPI: &'static str;

    /// All operations.
    const OPERATIONS: &'static [OperationInfo];

    /// An operation that changes nothing and needs no input except the world.
    const PROBE: &'static str;

    /// Starts a sandbox and creates a world on it. Equal sandboxes give equal worlds.
    fn world(sandbox: SandboxBuilder) -> impl Future<Output = Self::World> + Send + 'static;

    /// Returns the world's sandbox.
    fn sandbox(world: &Self::World) -> &Sandbox;

    /// Returns the world's secrets, which must not appear anywhere.
    fn secrets(world: &Self::World) -> Vec<String>;

    /// Returns the number of ways to call the operation, for example with different credentials.
    fn variants(operation: OperationId) -> usize {
        let _ = operation;
        1
    }

    /// Calls the operation once, with valid input and a client of these settings. The `Debug` output of
    /// the values involved is appended to `shown`.
    fn call(
        world: &Self::World,
        settings: &ClientSettings,
        operation: OperationId,
        shown: &mut String,
    ) -> impl Future<Output = Result<Value, Error>>;

    /// Calls an operation for a fixture, once and without retries.
    fn call_fixture(call: Call<'_>) -> impl Future<Output = Result<Value, Error>>;
}

/// The settings of a client in the tests.
pub struct ClientSettings {
    /// The provider's base URL.
    pub url: String,
    /// Which of the operation's variants to call, from 0.
    pub variant: usize,
    transport: Arc<dyn Transport>,
    time: VirtualTime,
}

impl ClientSettings {
    /// Creates settings for a client of the provider `name` at `address`. Its requests take virtual
    /// time.
    pub(crate) fn new(
        address: &str,
        name: &str,
        variant: usize,
        transport: &InstrumentedTransport,
        time: &VirtualTime,
    ) -> Self {
        let transport = Arc::new(transport.clone());
        Self { url: format!("{address}/{name}"), variant, transport, time: time.clone() }
    }

    /// Applies the base URL, transport, clock, limits and retries to a client.
    #[must_use]
    pub fn apply<D: Dialect>(&self, builder: ClientBuilder<D>) -> ClientBuilder<D> {
        let retry = RetryPolicy { jitter_seed: Some(1), ..RetryPolicy::default() };
        builder
            .base_url(&*self.url)
            .transport(Arc::clone(&self.transport))
            .clock(Arc::new(self.time.clone()))
            .limits(limits())
            .retry(retry)
    }
}

/// Returns the limits of clients in the tests: the default times, and sizes that a test can afford.
#[must_use]
pub fn limits() -> Limits {
    Limits { reply: 1 << 20, decompressed: 4 << 20, values: 100_000, ..Limits::default() }
}

/// Configures a client on the machine's clock, with negligible waits, and with enough time for a busy
/// machine.
#[must_use]
pub fn quick<D: Dialect>(builder: ClientBuilder<D>) -> ClientBuilder<D> {
    let first_delay = Duration::from_millis(1);
    builder
        .retry(RetryPolicy { first_delay, ..RetryPolicy::default() })
        .limits(Limits { attempt: Duration::from_secs(10), ..Limits::default() })
}

/// Starts a sandbox whose clock stands still at the start of [`VirtualTime::default`] until it is
/// advanced.
#[must_use]
pub fn still_sandbox() -> SandboxBuilder {
    Sandbox::builder().clock(Clock::fixed(VirtualTime::default().now()))
}

/// Starts the same sandbox, where the waits of faults take the returned virtual time.
pub(crate) fn timed_sandbox() -> (SandboxBuilder, VirtualTime) {
    let time = VirtualTime::default();
    let waits = time.clone();
    (still_sandbox().wait_with(move |duration| waits.server_waits(duration)), time)
}

/// Returns how often the sandbox received the operation since its log was cleared.
#[must_use]
pub fn arrived(sandbox: &Sandbox, operation: OperationId) -> usize {
    let name = operation.to_string();
    sandbox.received().iter().filter(|received| received.operation == Some(&name)).count()
}

/// Returns the provider's OpenAPI document.
///
/// # Panics
///
/// If it is not valid.
#[must_use]
pub fn document<H: ProviderHarness>() -> Document {
    Document::load(H::OPENAPI).unwrap_or_else(|error| panic!("{}: {error}", H::NAME))
}

/// Asserts that the sandbox serves exactly the provider's operations, and that there are `count`.
///
/// # Panics
///
/// If it does not.
pub fn check_operations<H: ProviderHarness>(count: usize) {
    let mut client: Vec<_> = H::OPERATIONS.iter().map(|entry| entry.id.to_string()).collect();
    let prefix = format!("{}.", H::NAME);
    let mut sandbox = anyvpn_sandbox::operations();
    sandbox.retain(|id| id.starts_with(&prefix));
    client.sort_unstable();
    sandbox.sort_unstable();
    assert_eq!(client.len(), count);
    assert_eq!(client, sandbox);
}

/// Calls each variant of every operation, in a new world for each of the first `seeds` seeds, and
/// asserts that it works and that request and reply match the document. The sandbox shares no types
/// with the client.
///
/// # Panics
///
/// If a call fails or differs from the document.
pub async fn check_replies<H: ProviderHarness>(seeds: u64) {
    let document = document::<H>();
    for seed in 0..seeds {
        for operation in H::OPERATIONS.iter().map(|entry| entry.id) {
            for variant in 0..H::variants(operation) {
                let (builder, time) = timed_sandbox();
                let world = H::world(builder.seed(seed)).await;
                let address = format!("http://{}", H::sandbox(&world).address());
                let transport = Reqwest::loopback().expect("the transport can be created");
                let transport = InstrumentedTransport::new(Arc::new(transport));
                let observed = transport.clone().with_time(time.clone());
                let settings = ClientSettings::new(&address, H::NAME, variant, &observed, &time);
                let outcome = H::call(&world, &settings, operation, &mut String::new()).await;
                let what = format!("variant {variant}, seed {seed}");
                assert!(outcome.is_ok(), "{operation}, {what}: {outcome:?}");
                check_exchange(&document, &settings.url, operation, &transport, &what);
            }
        }
    }
}

/// Asserts that exactly one exchange passed the transport, and that it matches the document.
///
/// # Panics
///
/// If there was none or more than one, or if the exchange differs from the document.
pub fn check_exchange(
    document: &Document,
    base_url: &str,
    operation: OperationId,
    transport: &InstrumentedTransport,
    what: &str,
) {
    let seen = transport.take();
    let [exchange] = &seen[..] else { panic!("{operation}, {what}: {} requests", seen.len()) };
    let request = &exchange.request;
    let target = request.uri().to_string();
    let target = target.trim_start_matches(base_url);
    let name = operation.name();
    document
        .validate_request(name, request.method().as_str(), target, request.body())
        .and_then(|()| document.validate_reply(name, exchange.status, &exchange.body()))
        .unwrap_or_else(|error| panic!("{operation}, {what}: {error}\n{exchange:?}"));
}

/// Runs every fixture of the provider.
///
/// # Panics
///
/// With a report of the fixtures that failed.
pub async fn check_fixtures<H: ProviderHarness>() -> Summary {
    let operations: Vec<_> = H::OPERATIONS.iter().map(|entry| entry.id.name()).collect();
    let folder = Path::new(H::FOLDER).join("fixtures");
    let call = async |call: Call<'_>| H::call_fixture(call).await;
    let summary = fixtures::run(&folder, &operations, &document::<H>(), call).await;
    summary.unwrap_or_else(|report| panic!("{report}"))
}
