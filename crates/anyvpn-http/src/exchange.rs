//! One attempt: send, and read the whole reply within its bounds.

use std::time::Duration;

use anyvpn_core::{Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::{HeaderMap, Response, StatusCode, header};

use crate::time::within;
use crate::transport::{Body, TransportError};
use crate::{Clock, Limits, Reply, structure};

/// Why an attempt gave no reply that can be judged.
pub(crate) enum Failure {
    /// No reply came, or only a part of one.
    Lost(TransportError),
    /// The time was over; the request may have arrived.
    TimedOut,
    /// A reply came that is out of bounds.
    OutOfBounds(StatusCode, Error),
}

/// Waits so long at most for the whole reply to what is sent, which asked for `gzip` or not.
pub(crate) async fn exchange(
    sent: BoxFuture<'_, Result<Response<Body>, TransportError>>,
    clock: &dyn Clock,
    limits: &Limits,
    time: Duration,
    gzip: bool,
) -> Result<Reply, Failure> {
    let attempt = async {
        let (head, body) = sent.await.map_err(Failure::Lost)?.into_parts();
        let out_of_bounds = |why| out_of_bounds(head.status, why);
        let size = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        if size.sum::<usize>() > limits.head {
            let why = format!("the reply's headers are larger than {} bytes", limits.head);
            return Err(out_of_bounds(why));
        }
        let body = collect(body, &head.headers, head.status, limits, gzip).await?;
        if let Some(why) = structure::excess(&body, limits.values, limits.nesting) {
            return Err(out_of_bounds(why));
        }
        Ok(Reply { status: head.status, headers: head.headers, body })
    };
    within(clock, time, attempt).await.unwrap_or(Err(Failure::TimedOut))
}

fn out_of_bounds(status: StatusCode, why: String) -> Failure {
    Failure::OutOfBounds(status, Error::new(ErrorKind::UnexpectedReply).with_detail(why))
}

/// The whole body, decompressed.
async fn collect(
    mut body: Body,
    headers: &HeaderMap,
    status: StatusCode,
    limits: &Limits,
    #[cfg_attr(not(feature = "gzip"), expect(unused_variables))] gzip: bool,
) -> Result<Bytes, Failure> {
    let out_of_bounds = |why| out_of_bounds(status, why);
    let too_large = |limit| out_of_bounds(format!("the reply is larger than {limit} bytes"));
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.reply) {
        return Err(too_large(limits.reply));
    }
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(Failure::Lost)?;
        if whole.len() + parts.len() + chunk.len() > limits.reply {
            return Err(too_large(limits.reply));
        }
        // Most replies are one chunk, which is kept as it is.
        if whole.is_empty() && parts.is_empty() {
            whole = chunk;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&chunk);
        }
    }
    if whole.is_empty() {
        whole = parts.freeze();
    }
    let transfer = headers.get_all(header::TRANSFER_ENCODING).iter();
    if transfer.map(|it| it.as_bytes()).any(|it| !it.eq_ignore_ascii_case(b"chunked")) {
        return Err(out_of_bounds("the reply has an unknown transfer encoding".to_owned()));
    }
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut encodings = encodings.map(|it| it.as_bytes()).filter(|it| !PLAIN.contains(it));
    match (encodings.next(), encodings.next()) {
        (None, _) => Ok(whole),
        #[cfg(feature = "gzip")]
        (Some(b"gzip"), None) if gzip => {
            use std::io::Read;
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(&whole[..])
                .take(limits.decompressed as u64 + 1)
                .read_to_end(&mut plain)
                .map_err(|e| out_of_bounds(format!("the reply is not gzip: {e}")))?;
            if plain.len() > limits.decompressed {
                return Err(too_large(limits.decompressed));
            }
            Ok(plain.into())
        }
        (Some(encoding), _) => {
            let encoding = String::from_utf8_lossy(encoding);
            let asked = "the reply has a content encoding that was not asked for";
            Err(out_of_bounds(format!("{asked}, {encoding:?}")))
        }
    }
}

/// Names of no encoding at all.
const PLAIN: [&[u8]; 2] = [b"", b"identity"];
