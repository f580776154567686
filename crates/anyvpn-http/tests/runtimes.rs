//! One client in several runtimes, and outside of any.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anyvpn_core::{Error, ErrorKind, OperationId};
use anyvpn_http::transport::Reqwest;
use anyvpn_http::{Client, ClientBuilder, Dialect, Limits, Operation, Replay, Reply, Request};
use anyvpn_http::{RetryPolicy, Security};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use plain::Plain;
use tokio::runtime::Runtime;

struct Create;

impl Operation for Create {
    type Dialect = Plain;
    type Output = u32;
    const ID: OperationId = OperationId::new("plain", "create");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::post("/things"))
    }

    fn decode(&self, reply: &Reply) -> Result<u32, Error> {
        Plain::decode(reply)
    }
}

/// A server that answers each request on a connection that stays open, without a runtime.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, requests: Arc::default(), connections: Arc::default() };
        let (requests, connections) = (server.requests.clone(), server.connections.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let requests = requests.clone();
                thread::spawn(move || answer(stream.unwrap(), &requests));
            }
        });
        server
    }

    fn client(
        &self,
        change: impl FnOnce(ClientBuilder<Plain>) -> ClientBuilder<Plain>,
    ) -> Client<Plain> {
        let limits = Limits { attempt: Duration::from_secs(5), ..Limits::default() };
        change(Client::<Plain>::builder(&self.url).limits(limits)).build().unwrap()
    }
}

fn answer(mut stream: TcpStream, requests: &AtomicUsize) {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        request.extend_from_slice(&piece[..length]);
        if request.ends_with(b"\r\n\r\n") {
            requests.fetch_add(1, Ordering::SeqCst);
            request.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7").unwrap();
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_client_works_in_every_runtime_and_each_keeps_its_connection() {
    let server = Server::start();
    let client = server.client(|builder| builder);
    let (one, other) = (runtime(), runtime());
    let began = Instant::now();
    for runtime in [&one, &other, &one, &other, &one] {
        assert_eq!(runtime.block_on(client.call(Create)).unwrap(), 7);
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let counts = [&server.requests, &server.connections].map(|it| it.load(Ordering::SeqCst));
    assert_eq!(counts, [5, 2]);
    // A program may create a runtime for each call without getting slower or making the client
    // grow.
    drop(one);
    for _ in 0..40 {
        assert_eq!(runtime().block_on(client.call(Create)).unwrap(), 7);
    }
    assert_eq!(other.block_on(client.call(Create)).unwrap(), 7);
    assert_eq!(server.requests.load(Ordering::SeqCst), 46);
}

#[test]
fn a_client_on_a_builder_of_the_callers_own_is_refused_at_once_in_a_second_runtime() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start();
    let client = server.client(|builder| builder.http_client(reqwest::Client::builder()));
    let (one, other) = (runtime(), runtime());
    assert_eq!(one.block_on(client.call(Create)).unwrap(), 7);
    let began = Instant::now();
    let error = other.block_on(client.call(Create)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert!(error.to_string().contains("one for each runtime"), "{error}");
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
    assert_eq!(one.block_on(client.call(Create)).unwrap(), 7);
    assert_eq!(server.requests.load(Ordering::SeqCst), 2);
}

/// Polls once, without a runtime.
fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_call_outside_of_a_runtime_is_an_error() {
    let server = Server::start();
    let script = || Arc::new(Script::new([Step::Hang]));
    let transport = Arc::new(Reqwest::loopback().unwrap());
    let still = VirtualTime::default();
    let clients = [
        server.client(|builder| builder),
        // This machine's clock needs a runtime too, and so does a transport behind another clock.
        server.client(|builder| builder.transport(script())),
        server.client(|builder| builder.transport(transport).clock(Arc::new(still.clone()))),
    ];
    for client in clients {
        let Poll::Ready(outcome) = poll_once(client.call(Create)) else { panic!("it waits") };
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.to_string().contains("a tokio runtime"), "{error}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
    // A call that needs no runtime does not require one.
    let script = Arc::new(Script::new([Step::json(200, "7")]));
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let builder = Client::<Plain>::builder(&server.url).transport(script).retry(retry);
    let client = builder.clock(Arc::new(still)).build().unwrap();
    assert!(matches!(poll_once(client.call(Create)), Poll::Ready(Ok(7))));
}
