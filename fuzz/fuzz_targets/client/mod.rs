//! Clients of the built-in providers whose server answers what the fuzzer says.

#![allow(dead_code, reason = "each target uses a part of it")]

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyvpn::azire::Azire;
use anyvpn::vpngn::{Access, Vpngn};
use anyvpn::vpnscript::VpnScript;
use anyvpn_core::{Error, Provider, Timestamp};
use anyvpn_http::transport::{Body, Transport, TransportError};
use anyvpn_http::{ClientBuilder, Clock, Dialect, OperationInfo, RetryPolicy};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;

/// What a client sends, and no error shows.
pub const TOKEN: &str = "t0ken-of-the-caller";
pub const API_KEY: &str = "ap1-key-of-the-caller";

/// One answer, and the request that it was for.
#[derive(Clone, Default)]
pub struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
    received: Vec<Request<Bytes>>,
}

impl Server {
    pub fn answers(&self, status: StatusCode, content_type: Option<HeaderValue>, body: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let body = Bytes::copy_from_slice(body);
        *state = State { status, content_type, body, received: Vec::new() };
    }

    pub fn received(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).received)
    }
}

impl Transport for Server {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.received.push(request);
        let mut reply = Response::new(stream::iter([Ok(state.body.clone())]).boxed());
        *reply.status_mut() = state.status;
        if let Some(content_type) = &state.content_type {
            reply.headers_mut().insert(header::CONTENT_TYPE, content_type.clone());
        }
        Box::pin(async move { Ok(reply) })
    }
}

/// A clock on which nothing ends.
struct Still(Instant);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        self.0
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

pub struct Clients {
    pub server: Server,
    providers: Vec<Arc<dyn Provider>>,
}

pub static CLIENTS: LazyLock<Clients> = LazyLock::new(|| {
    let server = Server::default();
    let access = Access::server(API_KEY, TOKEN);
    let vpngn = built(&server, Vpngn::brand("acme").unwrap()).credential(access).build().unwrap();
    let vpnscript = VpnScript::builder("https://vpn.example.com");
    let providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(built(&server, Azire::builder()).token(TOKEN).build().unwrap()),
        Arc::new(built(&server, vpnscript).token(TOKEN).build().unwrap()),
        Arc::new(vpngn.for_customer("jo@example.com")),
        Arc::new(built(&server, anyvpn::pia::Pia::builder()).token(TOKEN).build().unwrap()),
        Arc::new(
            built(&server, anyvpn::vpnresellers::VpnResellers::builder())
                .token(TOKEN)
                .build()
                .unwrap(),
        ),
    ];
    Clients { server, providers }
});

fn built<D: Dialect>(server: &Server, builder: ClientBuilder<D>) -> ClientBuilder<D> {
    let once = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let clock = Arc::new(Still(Instant::now()));
    builder.transport(Arc::new(server.clone())).clock(clock).retry(once)
}

/// The operation of a name such as `azire.create-user`.
pub fn entry(name: &str) -> Option<&'static OperationInfo> {
    let (provider, name) = name.split_once('.')?;
    CLIENTS.provider(provider)?.info().operation(name)
}

impl Clients {
    /// The provider of a name such as `azire`.
    pub fn provider(&self, name: &str) -> Option<&dyn Provider> {
        self.providers.iter().map(|provider| &**provider).find(|it| it.info().name == name)
    }

    /// Calls an operation by its name.
    pub fn call(&self, entry: &OperationInfo, input: &Value, reveal: bool) -> Result<Value, Error> {
        let provider = self.provider(entry.id.provider()).expect("the operation was found there");
        ready(provider.call_json(entry.id.name(), input.clone(), reveal))
    }
}

/// What a future gives that has nothing to wait for.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing is waited for")
}

/// Asserts what holds for the text of every error: it has an end, no control characters, and none of
/// these secrets.
pub fn check(error: &Error, secrets: &[&str]) {
    let text = error.to_string();
    assert!(text.len() < 20_000, "{} bytes", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
    let all = format!("{text} {error:?}");
    for secret in secrets {
        assert!(!all.contains(secret), "{all}");
    }
}
