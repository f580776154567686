//! Below HTTP: bytes that do not come, come late, or end early.

use std::time::Duration;

use super::answer::{Act, Answer, End, Script};
use super::{AFTER, BEFORE, Level, WHOLE, Wanted, WireFault};

const SECOND: Duration = Duration::from_secs(1);

const fn tcp(
    kind: (bool, Wanted),
    name: &'static str,
    what: &'static str,
    play: fn(Answer) -> Script,
) -> WireFault {
    super::row(Level::Tcp, kind, name, what, play)
}

pub(super) static FAULTS: &[WireFault] = &[
    tcp(BEFORE, "reset-before", "Reset before the work.", |_| Script::nothing(End::Reset)),
    tcp(AFTER, "reset-after", "Reset after the work, without a byte of reply.", |_| {
        Script::nothing(End::Reset)
    }),
    tcp(BEFORE, "close-before", "Closed before the work.", |_| Script::nothing(End::Close)),
    tcp(AFTER, "close-after", "Closed after the work, without a byte of reply.", |_| {
        Script::nothing(End::Close)
    }),
    tcp(BEFORE, "half-close-before", "The sending side closed before the work.", |_| {
        Script::nothing(End::HalfClose)
    }),
    tcp(AFTER, "half-close-after", "The sending side closed after the work.", |_| {
        Script::nothing(End::HalfClose)
    }),
    tcp(BEFORE, "silence-before", "No work and no reply, ever.", |_| Script::nothing(End::Silence)),
    tcp(AFTER, "silence-after", "The work, and never a reply.", |_| Script::nothing(End::Silence)),
    tcp(BEFORE, "reset-in-head-before", "No work; half of a head, then reset.", |it| {
        cut(it.status(200).head(), End::Reset)
    }),
    tcp(AFTER, "reset-after-first-byte", "The reply's first byte, then reset.", |it| {
        Script::new(it.bytes()[..1].to_vec(), End::Reset)
    }),
    tcp(AFTER, "reset-in-head", "Half of the reply's head, then reset.", |it| {
        cut(it.head(), End::Reset)
    }),
    tcp(AFTER, "reset-after-head", "The reply's head, then reset.", |it| match it.body.len() {
        // A head without a body is a whole message.
        0 => cut(it.head(), End::Reset),
        _ => Script::new(it.head(), End::Reset),
    }),
    tcp(
        AFTER,
        "cut-body",
        "Half of the reply's body, then reset; not a byte when it has none.",
        |it| half(&it, End::Reset),
    ),
    tcp(AFTER, "reset-before-last-byte", "All but the reply's last byte, then reset.", |it| {
        let bytes = it.bytes();
        Script::new(bytes[..bytes.len() - 1].to_vec(), End::Reset)
    }),
    tcp(AFTER, "close-in-head", "Half of the reply's head, then closed.", |it| {
        cut(it.head(), End::Close)
    }),
    tcp(AFTER, "close-in-body", "Half of the reply's body, then closed.", |it| {
        half(&it, End::Close)
    }),
    tcp(
        AFTER,
        "half-close-in-body",
        "Half of the reply's body, then the sending side closed.",
        |it| half(&it, End::HalfClose),
    ),
    tcp(AFTER, "silence-in-head", "Half of the reply's head, then silence.", |it| {
        cut(it.head(), End::Silence)
    }),
    tcp(AFTER, "silence-in-body", "Half of the reply's body, then silence.", |it| {
        half(&it, End::Silence)
    }),
    tcp(AFTER, "byte-a-second", "The reply, one byte a second.", |it| {
        Script::nothing(End::Close).then(Act::Bytewise(it.bytes().into(), SECOND))
    }),
    tcp(WHOLE, "byte-by-byte", "The reply, each byte by itself.", |it| {
        Script::nothing(End::Close).then(Act::Bytewise(it.bytes().into(), Duration::ZERO))
    }),
];

/// The first half.
fn cut(bytes: Vec<u8>, end: End) -> Script {
    let half = bytes.len() / 2;
    Script::new(bytes[..half].to_vec(), end)
}

/// The head and half of the body. A reply without a body is not sent at all: its head is the whole.
fn half(answer: &Answer, end: End) -> Script {
    match answer.body.len() {
        0 => Script::nothing(end),
        length => answer.send(&answer.body[..length / 2], end),
    }
}
