//! One attempt: sends a request and reads the whole reply, within the limits.

use std::time::Duration;

use anyvpn_core::{Error, within};
use bytes::{Bytes, BytesMut};
use futures_core::future::BoxFuture;
use http::{Response, StatusCode};

use crate::body_reader::{BodyReader, out_of_bounds};
use crate::transport::{Body, TransportError};
use crate::{Clock, Limits, Reply, json_bounds};

/// The reason why an attempt has no complete reply.
pub(crate) enum AttemptFailure {
    /// There was no reply, or only a part of one.
    Lost(TransportError),
    /// The time ran out; the request may have arrived.
    TimedOut,
    /// The reply exceeds the limits.
    OutOfBounds(StatusCode, Error),
}

/// Waits at most `time` for the whole reply to a request. `gzip` says whether the request asked for
/// gzip, and `verified` whether the server has proved its name.
pub(crate) async fn exchange(
    sent: BoxFuture<'_, Result<Response<Body>, TransportError>>,
    clock: &dyn Clock,
    limits: &Limits,
    time: Duration,
    gzip: bool,
    verified: bool,
) -> Result<Reply, AttemptFailure> {
    let attempt = async {
        let (head, body) = sent.await.map_err(AttemptFailure::Lost)?.into_parts();
        let size = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        if size.sum::<usize>() > limits.head {
            let why = format!("the reply's headers are larger than {} bytes", limits.head);
            return Err(out_of_bounds(head.status, why));
        }
        let body = collect(BodyReader::new(&head, body, limits, gzip)?).await?;
        if let Some(why) = json_bounds::exceeded(&body, limits.values, limits.nesting) {
            return Err(out_of_bounds(head.status, why));
        }
        Ok(Reply { status: head.status, headers: head.headers, body, verified })
    };
    within(clock, time, attempt).await.unwrap_or(Err(AttemptFailure::TimedOut))
}

/// Reads the whole body.
async fn collect(mut body: BodyReader) -> Result<Bytes, AttemptFailure> {
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        // Most replies are one chunk, which is kept as it is.
        if whole.is_empty() && parts.is_empty() {
            whole = piece;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&piece);
        }
    }
    Ok(if whole.is_empty() { parts.freeze() } else { whole })
}
