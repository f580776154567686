//! Faults below HTTP: bytes that are missing, late, or end early.

use std::time::Duration;

use super::answer::{Act, Answer, End, Script};
use super::{AFTER, BEFORE, Level, WHOLE, WireFault, row};

const SECOND: Duration = Duration::from_secs(1);

#[rustfmt::skip]
pub(super) static FAULTS: &[WireFault] = &[
    row(Level::Tcp, BEFORE, "reset-before", "Reset before the work.", |_| Script::nothing(End::Reset)),
    row(Level::Tcp, AFTER, "reset-after", "Reset after the work, without a byte of reply.", |_| Script::nothing(End::Reset)),
    row(Level::Tcp, BEFORE, "close-before", "Closed before the work.", |_| Script::nothing(End::Close)),
    row(Level::Tcp, AFTER, "close-after", "Closed after the work, without a byte of reply.", |_| Script::nothing(End::Close)),
    row(Level::Tcp, BEFORE, "half-close-before", "The sending side closed before the work.", |_| Script::nothing(End::HalfClose)),
    row(Level::Tcp, AFTER, "half-close-after", "The sending side closed after the work.", |_| Script::nothing(End::HalfClose)),
    row(Level::Tcp, BEFORE, "silence-before", "No work and no reply, ever.", |_| Script::nothing(End::Silence)),
    row(Level::Tcp, AFTER, "silence-after", "The work, and never a reply.", |_| Script::nothing(End::Silence)),
    row(Level::Tcp, BEFORE, "reset-in-head-before", "No work; half of a head, then reset.", |answer| cut(answer.status(200).head(), End::Reset)),
    row(Level::Tcp, AFTER, "reset-after-first-byte", "The reply's first byte, then reset.", |answer| Script::new(answer.bytes()[..1].to_vec(), End::Reset)),
    row(Level::Tcp, AFTER, "reset-in-head", "Half of the reply's head, then reset.", |answer| cut(answer.head(), End::Reset)),
    row(Level::Tcp, AFTER, "reset-after-head", "The reply's head, then reset.", |answer| match answer.body.len() {
        // A head without a body is a complete message.
        0 => cut(answer.head(), End::Reset),
        _ => Script::new(answer.head(), End::Reset),
    }),
    row(Level::Tcp, AFTER, "cut-body", "Half of the reply's body, then reset; not a byte when it has none.", |answer| half(&answer, End::Reset)),
    row(Level::Tcp, AFTER, "reset-before-last-byte", "All but the reply's last byte, then reset.", |answer| {
        let bytes = answer.bytes();
        Script::new(bytes[..bytes.len() - 1].to_vec(), End::Reset)
    }),
    row(Level::Tcp, AFTER, "close-in-head", "Half of the reply's head, then closed.", |answer| cut(answer.head(), End::Close)),
    row(Level::Tcp, AFTER, "close-in-body", "Half of the reply's body, then closed.", |answer| half(&answer, End::Close)),
    row(Level::Tcp, AFTER, "half-close-in-body", "Half of the reply's body, then the sending side closed.", |answer| half(&answer, End::HalfClose)),
    row(Level::Tcp, AFTER, "silence-in-head", "Half of the reply's head, then silence.", |answer| cut(answer.head(), End::Silence)),
    row(Level::Tcp, AFTER, "silence-in-body", "Half of the reply's body, then silence.", |answer| half(&answer, End::Silence)),
    row(Level::Tcp, AFTER, "byte-a-second", "The reply, one byte a second.", |answer| Script::nothing(End::Close).then(Act::Bytewise(answer.bytes().into(), SECOND))),
    row(Level::Tcp, WHOLE, "byte-by-byte", "The reply, each byte by itself.", |answer| Script::nothing(End::Close).then(Act::Bytewise(answer.bytes().into(), Duration::ZERO))),
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
