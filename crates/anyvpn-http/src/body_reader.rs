//! Reads a reply's body as it arrives, within the limits, and decompresses it.

use std::task::{Context, Poll, ready};

use anyvpn_core::{Error, ErrorKind};
use bytes::Bytes;
use futures_util::StreamExt;
use http::response::Parts;
use http::{StatusCode, header};

use crate::Limits;
use crate::exchange::AttemptFailure;
use crate::transport::Body;

/// Reads a body piece by piece, within the limits on its size.
pub(crate) struct BodyReader {
    wire: Wire,
    #[cfg(feature = "gzip")]
    gzip: Option<Gzip>,
    /// The number of bytes read since the task last yielded.
    at_a_stretch: usize,
}

/// How many bytes are read before the task yields. Otherwise bytes that have already arrived would be
/// read and decompressed without the deadline being checked.
const STRETCH: usize = 256 << 10;

/// The body as it is on the wire.
struct Wire {
    body: Body,
    status: StatusCode,
    /// Why the body cannot be read at all.
    unreadable: Option<String>,
    /// The limit on the number of bytes.
    most: usize,
    /// The number of bytes read so far.
    came: usize,
}

/// The maximum number of gzip members in a reply. Servers send one. Each needs a new decompressor, and
/// empty ones would escape the limit on the text.
#[cfg(feature = "gzip")]
const MEMBERS: usize = 100;

#[cfg(feature = "gzip")]
struct Gzip {
    /// The decoder of the current member.
    decoder: flate2::write::GzDecoder<Vec<u8>>,
    /// The number of members so far, including the current one; zero before the first byte.
    members: usize,
    /// The input that is not decompressed yet, because a small piece can become a large one.
    input: Bytes,
    /// The limit on the number of decompressed bytes.
    most: usize,
    /// The number of decompressed bytes so far.
    came: usize,
    ended: bool,
}

impl BodyReader {
    /// Prepares to read the body of a reply. `gzip` says whether the request asked for gzip. Fails if
    /// the headers already show that the body is too large or cannot be read.
    pub(crate) fn new(
        head: &Parts,
        body: Body,
        limits: &Limits,
        #[cfg_attr(not(feature = "gzip"), expect(unused_variables))] gzip: bool,
    ) -> Result<Self, AttemptFailure> {
        let status = head.status;
        let announced = head
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limits.reply) {
            return Err(too_large(status, limits.reply));
        }
        let transfer = head.headers.get_all(header::TRANSFER_ENCODING).iter();
        if transfer
            .map(|coding| coding.as_bytes())
            .any(|coding| !coding.eq_ignore_ascii_case(b"chunked"))
        {
            let why = "the reply has an unknown transfer encoding";
            return Err(out_of_bounds(status, why.to_owned()));
        }
        let encodings = head.headers.get_all(header::CONTENT_ENCODING).iter();
        let encodings = encodings.map(|encoding| encoding.as_bytes().trim_ascii());
        let is_plain = |encoding: &&[u8]| names(encoding, &["", "identity"]);
        let mut encodings = encodings.filter(|encoding| !is_plain(encoding));
        let mut unreadable = None;
        #[cfg(feature = "gzip")]
        let mut decompress = None;
        match (encodings.next(), encodings.next()) {
            (None, _) => {}
            #[cfg(feature = "gzip")]
            (Some(encoding), None) if gzip && names(encoding, &["gzip", "x-gzip"]) => {
                decompress = Some(Gzip {
                    decoder: flate2::write::GzDecoder::new(Vec::new()),
                    members: 0,
                    input: Bytes::new(),
                    most: limits.decompressed,
                    came: 0,
                    ended: false,
                });
            }
            (Some(encoding), _) => {
                let encoding = String::from_utf8_lossy(encoding);
                let asked = "the reply has a content encoding that was not requested";
                // An empty body, such as that of a 204, needs no decoding, whatever the header says.
                unreadable = Some(format!("{asked}, {encoding:?}"));
            }
        }
        Ok(Self {
            wire: Wire { body, status, unreadable, most: limits.reply, came: 0 },
            #[cfg(feature = "gzip")]
            gzip: decompress,
            at_a_stretch: 0,
        })
    }

    /// Returns the next decompressed piece; `None` at the end.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, AttemptFailure>>> {
        #[cfg(feature = "gzip")]
        if let Some(gzip) = &mut self.gzip {
            return gzip.poll_next(&mut self.wire, context);
        }
        self.wire.poll_next(context)
    }

    /// Waits for the next piece. It yields now and then, so that other tasks run and an attempt's
    /// deadline is noticed even if there is always more to read.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, AttemptFailure>> {
        if self.at_a_stretch > STRETCH {
            self.at_a_stretch = 0;
            tokio::task::yield_now().await;
        }
        let piece = std::future::poll_fn(|context| self.poll_next(context)).await;
        if let Some(Ok(piece)) = &piece {
            self.at_a_stretch += piece.len();
        }
        piece
    }
}

impl Wire {
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, AttemptFailure>>> {
        let Some(chunk) = ready!(self.body.poll_next_unpin(context)) else {
            return Poll::Ready(None);
        };
        let chunk = chunk.map_err(AttemptFailure::Lost)?;
        self.came += chunk.len();
        if self.came > self.most {
            return Poll::Ready(Some(Err(too_large(self.status, self.most))));
        }
        if !chunk.is_empty()
            && let Some(why) = self.unreadable.take()
        {
            return Poll::Ready(Some(Err(out_of_bounds(self.status, why))));
        }
        Poll::Ready(Some(Ok(chunk)))
    }
}

#[cfg(feature = "gzip")]
impl Gzip {
    fn poll_next(
        &mut self,
        wire: &mut Wire,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, AttemptFailure>>> {
        loop {
            if let Some(text) = self.next(wire.status)? {
                return Poll::Ready(Some(Ok(text)));
            }
            match ready!(wire.poll_next(context)).transpose()? {
                Some(chunk) => self.input = chunk,
                None => return Poll::Ready(self.finish(wire.status).transpose()),
            }
        }
    }

    /// Decompresses the next few kilobytes of the input; `None` when it is used up.
    fn next(&mut self, status: StatusCode) -> Result<Option<Bytes>, AttemptFailure> {
        use bytes::Buf;
        use std::io::Write;
        while !self.input.is_empty() {
            self.members = self.members.max(1);
            let used = self.decoder.write(&self.input).map_err(|e| no_gzip(status, &e))?;
            if used == 0 {
                self.next_member(status)?;
            }
            self.input.advance(used);
            if let Some(text) = self.take(status)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Begins the next member. The decoder accepts no more input, so the previous member has ended.
    fn next_member(&mut self, status: StatusCode) -> Result<(), AttemptFailure> {
        self.decoder.try_finish().map_err(|e| no_gzip(status, &e))?;
        if self.members == MEMBERS {
            let why = format!("the reply has more than {MEMBERS} gzip members");
            return Err(out_of_bounds(status, why));
        }
        self.members += 1;
        let text = std::mem::take(self.decoder.get_mut());
        self.decoder = flate2::write::GzDecoder::new(text);
        Ok(())
    }

    /// Returns the rest of the text at the end of the body; `None` if there was no body, as with a 204.
    fn finish(&mut self, status: StatusCode) -> Result<Option<Bytes>, AttemptFailure> {
        if self.members > 0 && !std::mem::replace(&mut self.ended, true) {
            self.decoder.try_finish().map_err(|e| no_gzip(status, &e))?;
        }
        self.take(status)
    }

    fn take(&mut self, status: StatusCode) -> Result<Option<Bytes>, AttemptFailure> {
        let text = std::mem::take(self.decoder.get_mut());
        self.came += text.len();
        if self.came > self.most {
            return Err(too_large(status, self.most));
        }
        Ok((!text.is_empty()).then(|| text.into()))
    }
}

#[cfg(feature = "gzip")]
fn no_gzip(status: StatusCode, error: &std::io::Error) -> AttemptFailure {
    out_of_bounds(status, format!("the reply is not gzip: {error}"))
}

fn too_large(status: StatusCode, limit: usize) -> AttemptFailure {
    out_of_bounds(status, format!("the reply is larger than {limit} bytes"))
}

pub(crate) fn out_of_bounds(status: StatusCode, why: String) -> AttemptFailure {
    AttemptFailure::OutOfBounds(status, Error::new(ErrorKind::UnexpectedReply).with_detail(why))
}

/// Returns whether an encoding has one of these names, ignoring case.
fn names(encoding: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| encoding.eq_ignore_ascii_case(name.as_bytes()))
}
