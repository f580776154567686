//! Handles every request, for every provider: check, read, log, fault, work, answer.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::RETRY_AFTER;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::sync::watch;

use crate::access::{self, Hosts};
use crate::data_plane::{DataPlane, Network, VpnServer};
use crate::fault::{Fault, Faults};
use crate::log::{Entry, Log};
use crate::provider::{Answer, Call, Provider, Route};
use crate::reply::{Reply, reset, takeover};
use crate::wire::{Wait, WireFault};
use crate::{Clock, locked};

/// The longest body that is accepted.
const BODY_LIMIT: usize = 1024 * 1024;
/// How much of a longer body is read and discarded, so that its sender gets to read the refusal.
const DISCARD_LIMIT: usize = 16 * BODY_LIMIT;

/// How often the data plane is updated while no request changes anything.
const DATA_PLANE_INTERVAL: Duration = Duration::from_millis(250);

/// The parameters of the path; an error if one is not UTF-8.
type Params = Result<RawPathParams, RawPathParamsRejection>;

/// A connection, as seen by its requests.
pub(crate) struct Connection {
    pub(crate) peer: IpAddr,
    /// Whether a complete request is being answered; otherwise the connection is idle or reading.
    working: AtomicBool,
}

impl Connection {
    pub(crate) fn new(peer: IpAddr) -> Connection {
        Connection { peer, working: AtomicBool::new(false) }
    }

    pub(crate) fn is_working(&self) -> bool {
        self.working.load(Ordering::Relaxed)
    }

    pub(crate) fn set_working(&self, working: bool) {
        self.working.store(working, Ordering::Relaxed);
    }
}

/// The state that all requests share.
pub(crate) struct RequestHandler {
    pub(crate) providers: Vec<Arc<dyn Provider>>,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) log: Mutex<Log>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) wait: Wait,
    pub(crate) read_timeout: Duration,
    pub(crate) hosts: Hosts,
    pub(crate) data_plane: Option<(Arc<dyn DataPlane>, VpnServer)>,
    pub(crate) data_plane_lock: tokio::sync::Mutex<()>,
    /// Why the data plane failed; `None` while it has not.
    pub(crate) failure: watch::Sender<Option<String>>,
}

/// Creates the routes of all providers.
pub(crate) fn router(handler: &Arc<RequestHandler>) -> Router {
    let mut router = Router::new();
    for provider in &handler.providers {
        for (place, route) in provider.routes().into_iter().enumerate() {
            // The tables contain only standard methods. A method without a filter in axum would have no
            // route, and the test of the tables would fail.
            let Ok(method) = MethodFilter::try_from(route.method.clone()) else {
                continue;
            };
            let path = format!("/{}{}", provider.name(), route.path);
            let (handler, provider, route) = (handler.clone(), provider.clone(), Arc::new(route));
            let handle = async move |params: Params, request: Request| {
                handler.handle(&*provider, place, &route, params, request).await
            };
            router = router.route(&path, on(method, handle));
        }
    }
    let (missing, refused) = (handler.clone(), handler.clone());
    router
        .method_not_allowed_fallback(async move |request: Request| {
            refused.refuse(StatusCode::METHOD_NOT_ALLOWED, request).await
        })
        .fallback(async move |request: Request| {
            missing.refuse(StatusCode::NOT_FOUND, request).await
        })
}

impl RequestHandler {
    /// Returns the provider with this name.
    pub(crate) fn provider(&self, name: &str) -> Option<&dyn Provider> {
        self.providers.iter().find(|provider| provider.name() == name).map(|provider| &**provider)
    }

    /// Answers a request. All requests pass through here before they are routed.
    pub(crate) async fn serve(&self, router: Router, request: Request) -> Response {
        if let Err(reason) = access::check(&request, &self.hosts) {
            return Reply::json(403, &json!({ "error": reason })).into_response();
        }
        if access::is_control(&request) {
            return self.control(request).await;
        }
        let Ok(response) = TowerToHyperService::new(router).call(request).await;
        response
    }

    /// Returns the network that all providers grant at this moment.
    pub(crate) fn network(&self) -> Network {
        let mut network = Network::default();
        self.providers.iter().for_each(|provider| provider.network(&mut network));
        network
    }

    /// Lets the data plane, if there is one, carry out what is granted now.
    pub(crate) async fn update_data_plane(&self) {
        let Some((plane, server)) = &self.data_plane else { return };
        // The lock also orders reading what is granted, so that an older state is never carried out
        // after a newer one.
        let _lock = self.data_plane_lock.lock().await;
        if let Err(why) = Arc::clone(plane).apply(server.clone(), self.network()).await {
            self.failure.send_replace(Some(why));
        }
    }

    /// Keeps the data plane up to date as time passes. Returns when it has failed.
    pub(crate) async fn keep_data_plane(&self) {
        let mut failure = self.failure.subscribe();
        let update = async {
            loop {
                self.update_data_plane().await;
                tokio::time::sleep(DATA_PLANE_INTERVAL).await;
            }
        };
        tokio::select! {
            _ = failure.wait_for(Option::is_some) => {}
            () = update => {}
        }
    }

    async fn handle(
        &self,
        provider: &dyn Provider,
        place: usize,
        route: &Route<()>,
        params: Params,
        request: Request,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let operation = route.operation;
        let body = match self.read(&parts, body).await {
            Ok(body) => body,
            Err(Unread::Broken) => return reset(),
            Err(Unread::Refused(status)) => {
                let received = Entry::new(&parts, b"", Some(operation), route.shows);
                return self.answer(received, refusal(provider, status));
            }
        };
        let mut received = Entry::new(&parts, &body, Some(operation), route.shows);
        let Ok(params) = params else {
            return self.answer(received, refusal(provider, StatusCode::NOT_FOUND));
        };
        let fault = locked(&self.faults).next(operation);
        let wire = fault.as_ref().and_then(Fault::on_the_wire);
        let unworked = match &fault {
            Some(Fault::TooManyRequests { retry_after }) => {
                let reply = refusal(provider, StatusCode::TOO_MANY_REQUESTS);
                Some(match retry_after {
                    Some(wait) => reply.with_header(RETRY_AFTER, wait.as_secs_f64().ceil() as u64),
                    None => reply,
                })
            }
            Some(Fault::Status(status)) => Some(provider.refusal(*status, "Server Error")),
            Some(Fault::Html(status)) => Some(Reply::html(*status)),
            _ if wire.is_some_and(|fault| !fault.worked) => {
                Some(provider.refusal(500, "Server Error"))
            }
            _ => None,
        };
        let asked = wire.map(|wire| (wire, parts.clone(), body.clone()));
        let reply = match unworked {
            Some(reply) => reply,
            None => match provider.answer(place, &call(parts, params, body)) {
                Ok(answer) => {
                    received.effect = true;
                    self.update_data_plane().await;
                    match answer {
                        Answer::Now(reply) => reply,
                        Answer::Later(reply) => reply.await,
                    }
                }
                Err(refusal) => refusal,
            },
        };
        if let Some((wire, parts, body)) = asked {
            return self.corrupt(received, reply, wire, &parts, &body);
        }
        // Logged first: if the caller gives up, this code is cancelled.
        let response = self.answer(received, reply);
        if let Some(Fault::Delay(delay)) = fault {
            (self.wait.0)(delay).await;
        }
        response
    }

    /// Makes the reply fail on the wire.
    fn corrupt(
        &self,
        mut received: Entry,
        reply: Reply,
        fault: &WireFault,
        parts: &Parts,
        body: &[u8],
    ) -> Response {
        let script = reply.corrupted(fault, parts, body);
        received.status = script.status;
        locked(&self.log).push(received);
        takeover(script)
    }

    /// Refuses a request that has no route, in the form of the provider whose prefix it has.
    async fn refuse(&self, status: StatusCode, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let (status, body) = match self.read(&parts, body).await {
            Ok(body) => (status, body),
            Err(Unread::Broken) => return reset(),
            Err(Unread::Refused(status)) => (status, Bytes::new()),
        };
        let received = Entry::new(&parts, &body, None, &[]);
        let name = parts.uri.path().split('/').nth(1).unwrap_or_default();
        match self.provider(name) {
            Some(provider) => self.answer(received, no_route(provider, status)),
            None => Reply::json(status.as_u16(), &json!({ "error": status.to_string() }))
                .into_response(),
        }
    }

    fn answer(&self, mut received: Entry, reply: Reply) -> Response {
        received.status = Some(reply.status.as_u16());
        locked(&self.log).push(received);
        reply.into_response()
    }

    /// Reads the whole body, if it arrives in time and is not too long.
    pub(crate) async fn read(&self, parts: &Parts, body: Body) -> Result<Bytes, Unread> {
        let late = |_| Unread::Refused(StatusCode::REQUEST_TIMEOUT);
        let body = match body.is_end_stream() {
            true => Bytes::new(),
            false => tokio::time::timeout(self.read_timeout, read(body)).await.map_err(late)??,
        };
        if let Some(connection) = parts.extensions.get::<Arc<Connection>>() {
            connection.set_working(true);
        }
        Ok(body)
    }
}

fn call(parts: Parts, params: RawPathParams, body: Bytes) -> Call {
    let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // The server adds the connection to every request.
    let connection = parts.extensions.get::<Arc<Connection>>();
    Call {
        params,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        peer: connection.map_or(IpAddr::from([0; 4]), |connection| connection.peer),
    }
}

fn refusal(provider: &dyn Provider, status: StatusCode) -> Reply {
    provider.refusal(status.as_u16(), status.canonical_reason().unwrap_or("Refused"))
}

fn no_route(provider: &dyn Provider, status: StatusCode) -> Reply {
    provider.no_route(status.as_u16(), status.canonical_reason().unwrap_or("Refused"))
}

/// The reason why the body could not be read.
pub(crate) enum Unread {
    /// It is too long, or did not arrive in time.
    Refused(StatusCode),
    Broken,
}

async fn read(mut body: Body) -> Result<Bytes, Unread> {
    let mut whole = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame.map_err(|_| Unread::Broken)?.into_data() else {
            continue;
        };
        length += frame.len();
        if length > DISCARD_LIMIT {
            break;
        }
        if length <= BODY_LIMIT {
            whole.extend_from_slice(&frame);
        }
    }
    match length > BODY_LIMIT {
        true => Err(Unread::Refused(StatusCode::PAYLOAD_TOO_LARGE)),
        false => Ok(whole.freeze()),
    }
}
