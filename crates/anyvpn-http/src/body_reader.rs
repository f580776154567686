//! A reply's body as it arrives: bounded, and decompressed.

use std::task::{Context, Poll, ready};

use anyvpn_core::{Error, ErrorKind};
use bytes::Bytes;
use futures_util::StreamExt;
use http::response::Parts;
use http::{StatusCode, header};

use crate::Limits;
use crate::exchange::Failure;
use crate::transport::Body;

/// The pieces of a body, in order, within the bounds on its size.
pub(crate) struct BodyReader {
    wire: Wire,
    #[cfg(feature = "gzip")]
    gzip: Option<Gzip>,
    /// The bytes since other work was let in.
    at_a_stretch: usize,
}

/// How many bytes are read at a stretch. What has arrived already would otherwise be read and
/// decompressed without a look at the time.
const STRETCH: usize = 256 << 10;

/// The body as it is on the wire.
struct Wire {
    body: Body,
    status: StatusCode,
    /// Why not a byte of it can be read.
    unreadable: Option<String>,
    /// The most bytes.
    most: usize,
    /// The bytes so far.
    came: usize,
}

/// The most members of a reply. Servers send one; each costs a new decompressor, and an empty one
/// counts for no bound on the text.
#[cfg(feature = "gzip")]
const MEMBERS: usize = 100;

#[cfg(feature = "gzip")]
struct Gzip {
    /// Of the member that is being read.
    decoder: flate2::write::GzDecoder<Vec<u8>>,
    /// The members so far, that one included; zero before the first byte.
    members: usize,
    /// What is not yet decompressed: a small piece can become a large one.
    input: Bytes,
    /// The most bytes of plain text.
    most: usize,
    /// The bytes of plain text so far.
    came: usize,
    ended: bool,
}

impl BodyReader {
    /// The body of a reply to a request that asked for `gzip` or not, unless its head says already
    /// that it cannot be read.
    pub(crate) fn new(
        head: &Parts,
        body: Body,
        limits: &Limits,
        #[cfg_attr(not(feature = "gzip"), expect(unused_variables))] gzip: bool,
    ) -> Result<Self, Failure> {
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
                let asked = "the reply has a content encoding that was not asked for";
                // An empty body, as a 204 has, is readable whatever it is called.
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

    /// The next piece of plain text; `None` at the end.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        #[cfg(feature = "gzip")]
        if let Some(gzip) = &mut self.gzip {
            return gzip.poll_next(&mut self.wire, context);
        }
        self.wire.poll_next(context)
    }

    /// The same, waited for. It lets other work in now and then, which is also how the time of an
    /// attempt ends while there is always more to read.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Failure>> {
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
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let Some(chunk) = ready!(self.body.poll_next_unpin(context)) else {
            return Poll::Ready(None);
        };
        let chunk = chunk.map_err(Failure::Lost)?;
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
    ) -> Poll<Option<Result<Bytes, Failure>>> {
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

    /// What the input becomes, a few kilobytes at a time; `None` when it is used up.
    fn next(&mut self, status: StatusCode) -> Result<Option<Bytes>, Failure> {
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

    /// Begins the next member: the decoder takes no more, so the one before has ended.
    fn next_member(&mut self, status: StatusCode) -> Result<(), Failure> {
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

    /// What is left at the end of the body. No body at all, as of a 204, is no text.
    fn finish(&mut self, status: StatusCode) -> Result<Option<Bytes>, Failure> {
        if self.members > 0 && !std::mem::replace(&mut self.ended, true) {
            self.decoder.try_finish().map_err(|e| no_gzip(status, &e))?;
        }
        self.take(status)
    }

    fn take(&mut self, status: StatusCode) -> Result<Option<Bytes>, Failure> {
        let text = std::mem::take(self.decoder.get_mut());
        self.came += text.len();
        if self.came > self.most {
            return Err(too_large(status, self.most));
        }
        Ok((!text.is_empty()).then(|| text.into()))
    }
}

#[cfg(feature = "gzip")]
fn no_gzip(status: StatusCode, error: &std::io::Error) -> Failure {
    out_of_bounds(status, format!("the reply is not gzip: {error}"))
}

fn too_large(status: StatusCode, limit: usize) -> Failure {
    out_of_bounds(status, format!("the reply is larger than {limit} bytes"))
}

pub(crate) fn out_of_bounds(status: StatusCode, why: String) -> Failure {
    Failure::OutOfBounds(status, Error::new(ErrorKind::UnexpectedReply).with_detail(why))
}

/// Whether an encoding has one of these names, in any case.
fn names(encoding: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| encoding.eq_ignore_ascii_case(name.as_bytes()))
}
