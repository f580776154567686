//! Replies before they become HTTP, so that faults can change them.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::wire::{Answer, End, Script, WireFault};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=UTF-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");

/// The size of most replies, in bytes.
const ROOM: usize = 512;

/// A complete reply.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    content_type: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Reply {
    /// Creates a reply. A status outside 200 to 599 becomes 500, because others are not final.
    pub(crate) fn empty(status: u16) -> Reply {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| (200..600).contains(&status.as_u16()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Reply { status, content_type: None, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Reply {
        // Only maps with unusual keys fail to serialize, and no reply has one.
        let mut bytes = Vec::with_capacity(ROOM);
        if serde_json::to_writer(&mut bytes, body).is_err() {
            bytes.clear();
        }
        Reply { content_type: Some(JSON), body: bytes.into(), ..Reply::empty(status) }
    }

    pub(crate) fn text(status: u16, body: String) -> Reply {
        Reply { content_type: Some(TEXT), body: body.into(), ..Reply::empty(status) }
    }

    pub(crate) fn html(status: u16) -> Reply {
        let status = Reply::empty(status).status;
        let body = format!("<!DOCTYPE html>\n<html><body><h1>{status}</h1></body></html>\n");
        Reply::page(status.as_u16(), body)
    }

    /// Creates a text reply with the content type of a framework's pages.
    pub(crate) fn page(status: u16, body: String) -> Reply {
        Reply { content_type: Some(HTML), body: body.into(), ..Reply::empty(status) }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        response
    }

    /// Returns the script with which the reply to this request fails.
    pub(crate) fn corrupted(self, fault: &WireFault, parts: &Parts, asked: &[u8]) -> Script {
        let (head, _) = Reply { body: Bytes::new(), ..self.clone() }.into_response().into_parts();
        let body = self.body.to_vec();
        (fault.play)(Answer::new(head.status, &head.headers, body, parts, asked))
    }
}

/// Marks a response that is not sent; the server plays the script instead.
#[derive(Clone)]
pub(crate) struct Takeover(pub(crate) Arc<Script>);

/// Creates a response that only the server sees, see [`Takeover`].
pub(crate) fn takeover(script: Script) -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Takeover(Arc::new(script)));
    response
}

/// Creates a response that resets the connection without a byte of reply.
pub(crate) fn reset() -> Response {
    takeover(Script::nothing(End::Reset))
}
