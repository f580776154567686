//! Faults below HTTP: bytes that are missing, late, or end early.

use std::time::Duration;

use super::answer::{Act, Answer, End, Script};
use super::{AFTER, BEFORE, Level, WHOLE, WireFault, row};

const SECOND: Duration = Duration::from_secs(1);

#[rustfmt::skip]
pub(super) static FAULTS: &[WireFault] = &[
    row(Level::Tcp, BEFORE, "reset-before", "The connection is reset before the request takes effect.", |_| Script::nothing(End::Reset)),
    row(Level::Tcp, AFTER, "reset-after", "The request takes effect, but the connection is reset before the reply.", |_| Script::nothing(End::Reset)),
    row(Level::Tcp, BEFORE, "close-before", "The connection is closed before the request takes effect.", |_| Script::nothing(End::Close)),
    row(Level::Tcp, AFTER, "close-after", "The request takes effect, but the connection is closed before the reply.", |_| Script::nothing(End::Close)),
    row(Level::Tcp, BEFORE, "half-close-before", "The server closes its sending side before the request takes effect.", |_| Script::nothing(End::HalfClose)),
    row(Level::Tcp, AFTER, "half-close-after", "The request takes effect, but the server closes its sending side before the reply.", |_| Script::nothing(End::HalfClose)),
    row(Level::Tcp, BEFORE, "silence-before", "The request has no effect and gets no reply.", |_| Script::nothing(End::Silence)),
    row(Level::Tcp, AFTER, "silence-after", "The request takes effect but gets no reply.", |_| Script::nothing(End::Silence)),
    row(Level::Tcp, BEFORE, "reset-in-head-before", "The request has no effect, and the connection is reset halfway through the headers.", |answer| cut(answer.status(200).head(), End::Reset)),
    row(Level::Tcp, AFTER, "reset-after-first-byte", "The connection is reset after the first byte of the reply.", |answer| Script::new(answer.bytes()[..1].to_vec(), End::Reset)),
    row(Level::Tcp, AFTER, "reset-in-head", "The connection is reset halfway through the headers of the reply.", |answer| cut(answer.head(), End::Reset)),
    row(Level::Tcp, AFTER, "reset-after-head", "The connection is reset after the headers of the reply.", |answer| match answer.body.len() {
        // A head without a body is a complete message.
        0 => cut(answer.head(), End::Reset),
        _ => Script::new(answer.head(), End::Reset),
    }),
    row(Level::Tcp, AFTER, "cut-body", "The connection is reset halfway through the body, or before the reply if it has no body.", |answer| half(&answer, End::Reset)),
    row(Level::Tcp, AFTER, "reset-before-last-byte", "The connection is reset before the last byte of the reply.", |answer| {
        let bytes = answer.bytes();
        Script::new(bytes[..bytes.len() - 1].to_vec(), End::Reset)
    }),
    row(Level::Tcp, AFTER, "close-in-head", "The connection is closed halfway through the headers of the reply.", |answer| cut(answer.head(), End::Close)),
    row(Level::Tcp, AFTER, "close-in-body", "The connection is closed halfway through the body of the reply.", |answer| half(&answer, End::Close)),
    row(Level::Tcp, AFTER, "half-close-in-body", "The server closes its sending side halfway through the body of the reply.", |answer| half(&answer, End::HalfClose)),
    row(Level::Tcp, AFTER, "silence-in-head", "The server stops sending halfway through the headers of the reply.", |answer| cut(answer.head(), End::Silence)),
    row(Level::Tcp, AFTER, "silence-in-body", "The server stops sending halfway through the body of the reply.", |answer| half(&answer, End::Silence)),
    row(Level::Tcp, AFTER, "byte-a-second", "The reply arrives at one byte per second.", |answer| Script::nothing(End::Close).then(Act::Bytewise(answer.bytes().into(), SECOND))),
    row(Level::Tcp, WHOLE, "byte-by-byte", "The reply arrives one byte at a time, without delays.", |answer| Script::nothing(End::Close).then(Act::Bytewise(answer.bytes().into(), Duration::ZERO))),
];

/// Sends the first half of the bytes.
fn cut(bytes: Vec<u8>, end: End) -> Script {
    let half = bytes.len() / 2;
    Script::new(bytes[..half].to_vec(), end)
}

/// Sends the head and half of the body. A reply without a body is not sent at all, because its head
/// would be complete.
fn half(answer: &Answer, end: End) -> Script {
    match answer.body.len() {
        0 => Script::nothing(end),
        length => answer.send(&answer.body[..length / 2], end),
    }
}
