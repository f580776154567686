//! What happens to every request, whichever provider it is for: read, log, fault, work, answer.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

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
use serde_json::json;

use crate::fault::{Fault, Faults};
use crate::log::{Entry, Log};
use crate::provider::{Call, Provider, Route};
use crate::reply::{Reply, reset, takeover};
use crate::wire::{Wait, WireFault};
use crate::{Clock, locked};

/// Longest body that is taken.
const BODY_LIMIT: usize = 1024 * 1024;
/// How much of a longer body is read and thrown away, so that its sender comes to read the refusal.
const DISCARD_LIMIT: usize = 16 * BODY_LIMIT;

/// An error when a parameter is not UTF-8.
type Params = Result<RawPathParams, RawPathParamsRejection>;

/// The address that a request came from.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// All that the requests share.
pub(crate) struct Gate {
    pub(crate) providers: Vec<Arc<dyn Provider>>,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) log: Mutex<Log>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) wait: Wait,
}

/// The routes of all providers and of the sandbox itself.
pub(crate) fn router(gate: &Arc<Gate>) -> Router {
    let mut router = Router::new();
    for provider in &gate.providers {
        for route in provider.routes() {
            // The tables hold nothing but plain methods; one that axum has no filter for has no
            // route, and the test of the tables fails.
            let Ok(method) = MethodFilter::try_from(route.method.clone()) else {
                continue;
            };
            let (gate, provider) = (gate.clone(), provider.clone());
            let path = format!("/{}{}", provider.name(), route.path);
            let handler = async move |params: Params, request: Request| {
                gate.operate(&*provider, route, params, request).await
            };
            router = router.route(&path, on(method, handler));
        }
    }
    let missing = gate.clone();
    let refused = gate.clone();
    router
        .merge(crate::control::router(gate))
        .method_not_allowed_fallback(async move |request: Request| {
            refused.refuse(StatusCode::METHOD_NOT_ALLOWED, request).await
        })
        .fallback(async move |request: Request| {
            missing.refuse(StatusCode::NOT_FOUND, request).await
        })
}

impl Gate {
    async fn operate(
        &self,
        provider: &dyn Provider,
        route: &'static Route,
        params: Params,
        request: Request,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let body = match read(body).await {
            Ok(body) => body,
            Err(Unread::Broken) => return reset(),
            Err(Unread::TooLong) => {
                let received = Entry::new(&parts, b"", Some(route.operation), route.shows);
                return self.answer(received, refusal(provider, StatusCode::PAYLOAD_TOO_LARGE));
            }
        };
        let mut received = Entry::new(&parts, &body, Some(route.operation), route.shows);
        let Ok(params) = params else {
            return self.answer(received, refusal(provider, StatusCode::NOT_FOUND));
        };
        let fault = locked(&self.faults).next(route.operation);
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
            _ if wire.is_some_and(|it| !it.worked) => Some(provider.refusal(500, "Server Error")),
            _ => None,
        };
        let asked = wire.map(|wire| (wire, parts.clone(), body.clone()));
        let reply = match unworked {
            Some(reply) => reply,
            None => {
                let answer = provider.answer(route.operation, call(parts, params, body)).await;
                received.effect = answer.is_ok();
                answer.unwrap_or_else(|refusal| refusal)
            }
        };
        if let Some((wire, parts, body)) = asked {
            return self.spoil(received, reply, wire, &parts, &body);
        }
        // Logged first: whoever asks gives up waiting sooner, and this code with it.
        let response = self.answer(received, reply);
        if let Some(Fault::Delay(delay)) = fault {
            (self.wait.0)(delay).await;
        }
        response
    }

    /// Lets the reply go wrong on the wire.
    fn spoil(
        &self,
        mut received: Entry,
        reply: Reply,
        fault: &WireFault,
        parts: &Parts,
        body: &[u8],
    ) -> Response {
        let script = reply.spoiled(fault, parts, body);
        received.status = script.status;
        locked(&self.log).push(received);
        takeover(script)
    }

    /// Refuses what no route takes, in the form of the provider whose prefix it has.
    async fn refuse(&self, status: StatusCode, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let (status, body) = match read(body).await {
            Ok(body) => (status, body),
            Err(Unread::Broken) => return reset(),
            Err(Unread::TooLong) => (StatusCode::PAYLOAD_TOO_LARGE, Bytes::new()),
        };
        let received = Entry::new(&parts, &body, None, &[]);
        let name = parts.uri.path().split('/').nth(1).unwrap_or_default();
        match self.providers.iter().find(|provider| provider.name() == name) {
            Some(provider) => self.answer(received, no_route(&**provider, status)),
            None => Reply::json(status.as_u16(), &json!({ "error": status.to_string() }))
                .into_response(),
        }
    }

    fn answer(&self, mut received: Entry, reply: Reply) -> Response {
        received.status = Some(reply.status.as_u16());
        locked(&self.log).push(received);
        reply.into_response()
    }
}

fn call(parts: Parts, params: RawPathParams, body: Bytes) -> Call {
    let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // The server adds the address to every request; without it the caller is nobody.
    let peer = parts.extensions.get().map_or(IpAddr::from([0; 4]), |Peer(address)| *address);
    Call {
        params,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        peer,
    }
}

fn refusal(provider: &dyn Provider, status: StatusCode) -> Reply {
    provider.refusal(status.as_u16(), status.canonical_reason().unwrap_or("Refused"))
}

fn no_route(provider: &dyn Provider, status: StatusCode) -> Reply {
    provider.no_route(status.as_u16(), status.canonical_reason().unwrap_or("Refused"))
}

/// Why there is no body.
pub(crate) enum Unread {
    TooLong,
    Broken,
}

/// The whole body, if it is not too long.
pub(crate) async fn read(mut body: Body) -> Result<Bytes, Unread> {
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
    if length > BODY_LIMIT { Err(Unread::TooLong) } else { Ok(whole.freeze()) }
}
