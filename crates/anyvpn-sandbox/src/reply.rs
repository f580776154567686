//! An answer before it becomes HTTP, so that a fault can still take it apart.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");

/// A whole answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    content_type: Option<HeaderValue>,
    headers: Vec<(&'static str, HeaderValue)>,
    body: Bytes,
}

impl Reply {
    /// A status outside 200 to 599 becomes 500: others are not an answer by themselves.
    pub(crate) fn empty(status: u16) -> Reply {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| (200..600).contains(&status.as_u16()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Reply { status, content_type: None, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Reply {
        // Only maps with odd keys fail to serialize, and no reply here holds one.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Reply { content_type: Some(JSON), body: body.into(), ..Reply::empty(status) }
    }

    pub(crate) fn html(status: u16) -> Reply {
        let status = Reply::empty(status).status;
        let body = format!("<!DOCTYPE html>\n<html><body><h1>{status}</h1></body></html>\n");
        Reply { content_type: Some(HTML), body: body.into(), ..Reply::empty(status.as_u16()) }
    }

    pub(crate) fn with_header(
        mut self,
        name: &'static str,
        value: impl Into<HeaderValue>,
    ) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// A whole message with half of its JSON.
    pub(crate) fn halved(self) -> Reply {
        let body = match self.body.len() {
            0 => Bytes::from_static(b"{\"status\":"),
            length => self.body.slice(..length / 2),
        };
        Reply { status: StatusCode::OK, content_type: Some(JSON), body, ..self }
    }

    pub(crate) fn into_response(self) -> Response {
        let body = Body::from(self.body.clone());
        self.response_with(body)
    }

    /// The whole head, half the body, and then a reset.
    pub(crate) fn into_cut_response(self) -> Response {
        if self.body.is_empty() {
            return reset();
        }
        let half = self.body.slice(..self.body.len() / 2);
        let length = self.body.len();
        let parts = stream::unfold(Some(half), |half| async move {
            match half {
                Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
                Some(_) => {
                    // hyper sends what it holds when the body has nothing ready; without this
                    // pause the half would be lost with the connection.
                    tokio::task::yield_now().await;
                    Some((Err(Reset), None))
                }
                None => None,
            }
        });
        let mut response = self.response_with(Body::from_stream(parts));
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        response
    }

    fn response_with(self, body: Body) -> Response {
        let mut response = Response::new(body);
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
}

/// Marks a response that must never be sent: the connection is reset in its place.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is to be reset")]
pub(crate) struct Reset;

/// A response for the server's eyes only, see [`Reset`].
pub(crate) fn reset() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Reset);
    response
}
