//! In HTTP: statuses, headers, lengths, chunks and encodings.

use std::time::Duration;

use super::answer::{Act, Answer, End, Script};
use super::{AFTER, BEFORE, Level, OTHER, WHOLE, Wanted, WireFault};

const MEGABYTE: usize = 1 << 20;
const NO_WAIT: Duration = Duration::ZERO;

const fn http(
    kind: (bool, Wanted),
    name: &'static str,
    what: &'static str,
    play: fn(Answer) -> Script,
) -> WireFault {
    super::row(Level::Http, kind, name, what, play)
}

pub(super) static FAULTS: &[WireFault] = &[
    // Informational replies.
    http(WHOLE, "continue-100", "100, then the reply.", |it| {
        first("HTTP/1.1 100 Continue\r\n\r\n", &it)
    }),
    http(WHOLE, "early-hints-103", "103 with a header, then the reply.", |it| {
        first("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n", &it)
    }),
    http(BEFORE, "switching-protocols-101", "101, which nobody asked for.", |it| {
        it.status(101).body("").without("content-length").whole()
    }),
    http(BEFORE, "informational-flood", "103 without end, a thousand a second.", |_| {
        let flood = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000);
        endless("", flood, Duration::from_secs(1))
    }),
    // Statuses that are not those of the provider.
    http(OTHER, "status-201", "The reply, with status 201.", |it| it.status(201).whole()),
    http(OTHER, "status-202", "The reply, with status 202.", |it| it.status(202).whole()),
    http(OTHER, "status-206", "The reply, with status 206, which nobody asked for.", |it| {
        it.status(206).whole()
    }),
    http(OTHER, "status-204", "204 in place of the reply.", |it| it.status(204).body("").whole()),
    http(OTHER, "status-205", "205 in place of the reply.", |it| it.status(205).body("").whole()),
    http(OTHER, "status-304", "304 in place of the reply.", |it| it.status(304).body("").whole()),
    http(BEFORE, "status-600", "Status 600.", |it| it.line("HTTP/1.1 600 Six").whole()),
    http(BEFORE, "status-999", "Status 999.", |it| it.line("HTTP/1.1 999 Nines").whole()),
    http(BEFORE, "status-42", "A status of two digits.", |it| it.line("HTTP/1.1 42 Short").whole()),
    http(BEFORE, "status-words", "A status that is no number.", |it| {
        it.line("HTTP/1.1 two hundred").whole()
    }),
    http(AFTER, "error-500-after", "The work, and 500 without words.", |it| {
        it.status(500).body("").whole()
    }),
    http(AFTER, "gateway-502-after", "The work, and a gateway's 502.", |it| page(it, 502)),
    http(AFTER, "gateway-504-after", "The work, and a gateway's 504.", |it| page(it, 504)),
    // Asked to wait.
    http(BEFORE, "retry-after-year", "429, to try again in a year.", |it| limited(it, "31536000")),
    http(BEFORE, "retry-after-2-64", "429, to try again in 2⁶⁴ − 1 seconds.", |it| {
        limited(it, "18446744073709551615")
    }),
    http(BEFORE, "retry-after-30-digits", "429 with more seconds than 64 bits hold.", |it| {
        limited(it, "999999999999999999999999999999")
    }),
    http(BEFORE, "retry-after-negative", "429, to try again in −1 seconds.", |it| {
        limited(it, "-1")
    }),
    http(BEFORE, "retry-after-words", "429, to try again “soon”.", |it| limited(it, "soon")),
    http(BEFORE, "retry-after-past", "429 with a date that has passed.", |it| {
        limited(it, "Wed, 21 Oct 2015 07:28:00 GMT")
    }),
    http(BEFORE, "retry-after-9999", "429 with the last day of the year 9999.", |it| {
        limited(it, "Fri, 31 Dec 9999 23:59:59 GMT")
    }),
    http(BEFORE, "retry-after-twice", "429 with two times to wait.", |it| {
        it.status(429).with("retry-after", "1").with("retry-after", "31536000").whole()
    }),
    http(BEFORE, "unavailable-year", "503, to try again in a year.", |it| {
        it.status(503).with("retry-after", "31536000").whole()
    }),
    // Redirects.
    http(BEFORE, "redirect-301", "Moved, to the same host.", |it| to_same(it, 301)),
    http(BEFORE, "redirect-302", "Found, on the same host.", |it| to_same(it, 302)),
    http(AFTER, "redirect-303", "The work, and “see other” on the same host.", |it| {
        to_same(it, 303)
    }),
    http(BEFORE, "redirect-307", "Moved with the method, to the same host.", |it| to_same(it, 307)),
    http(BEFORE, "redirect-308", "Moved for good, to the same host.", |it| to_same(it, 308)),
    http(BEFORE, "redirect-301-away", "Moved, to another host.", |it| to_other(it, 301)),
    http(BEFORE, "redirect-302-away", "Found, on another host.", |it| to_other(it, 302)),
    http(AFTER, "redirect-303-away", "The work, and “see other” on another host.", |it| {
        to_other(it, 303)
    }),
    http(BEFORE, "redirect-307-away", "Moved with the method, to another host.", |it| {
        to_other(it, 307)
    }),
    http(BEFORE, "redirect-308-away", "Moved for good, to another host.", |it| to_other(it, 308)),
    http(BEFORE, "redirect-nowhere", "302 without a location.", |it| it.status(302).whole()),
    http(BEFORE, "redirect-to-itself", "307 to the address that was asked.", |it| {
        it.status(307).with("location", "").whole()
    }),
    // Content types and encodings.
    http(WHOLE, "content-type-html", "The reply, called HTML.", |it| typed(it, &["text/html"])),
    http(WHOLE, "content-type-none", "The reply, without a content type.", |it| typed(it, &[])),
    http(WHOLE, "content-type-twice", "The reply with two content types.", |it| {
        typed(it, &["application/json", "text/html"])
    }),
    http(WHOLE, "content-type-utf-16", "The reply, called UTF-16.", |it| {
        typed(it, &["application/json; charset=utf-16"])
    }),
    http(AFTER, "encoding-gzip", "The reply, called gzip, and plain.", |it| encoded(it, &["gzip"])),
    http(AFTER, "encoding-brotli", "The reply, called brotli, and plain.", |it| {
        encoded(it, &["br"])
    }),
    http(AFTER, "encoding-twice", "The reply, called both plain and gzip.", |it| {
        encoded(it, &["identity", "gzip"])
    }),
    http(AFTER, "gzip-bomb", "100 KB of gzip that become 16 MB.", |it| {
        bomb(it, "gzip", [&GZIP_HEAD[..], &deflated_zeros(16 * MEGABYTE)].concat())
    }),
    http(AFTER, "deflate-bomb", "100 KB of deflate that become 16 MB.", |it| {
        bomb(it, "deflate", [&ZLIB_HEAD[..], &deflated_zeros(16 * MEGABYTE)].concat())
    }),
    http(AFTER, "endless-gzip", "Gzip without end.", |it| {
        let head = it.without("content-length").with("content-encoding", "gzip").head();
        let head = [head, GZIP_HEAD.to_vec()].concat();
        Script::new(head, End::Close)
            .then(Act::Endless(deflated_zeros(4 * MEGABYTE).into(), NO_WAIT))
    }),
    // Lengths.
    http(AFTER, "length-short", "A length that is half of the body's.", |it| {
        let it = it.filled();
        let half = (it.body.len() / 2).to_string();
        it.with_length(half).whole()
    }),
    http(AFTER, "length-long-close", "A length beyond the body, then closed.", |it| {
        longer(it, End::Close)
    }),
    http(AFTER, "length-long-silence", "A length beyond the body, then silence.", |it| {
        longer(it, End::Silence)
    }),
    http(AFTER, "length-terabyte", "A length of a terabyte.", |it| lengths(it, &["1099511627776"])),
    http(AFTER, "length-2-64", "A length of 2⁶⁴.", |it| lengths(it, &["18446744073709551616"])),
    http(AFTER, "length-negative", "A length of −1.", |it| lengths(it, &["-1"])),
    http(AFTER, "length-words", "A length that is no number.", |it| lengths(it, &["long"])),
    http(AFTER, "length-twice-different", "Two lengths that differ.", |it| {
        lengths(it, &["2", "3"])
    }),
    http(WHOLE, "length-twice", "The length, twice.", |it| {
        let length = it.body.len().to_string();
        match it.body.len() {
            0 => it.whole(),
            _ => lengths(it, &[&*length; 2]),
        }
    }),
    http(WHOLE, "length-none", "The reply without a length, ended by the connection.", |it| {
        it.without("content-length").whole()
    }),
    http(AFTER, "length-none-cut", "Half of the reply without a length, then closed.", |it| {
        let it = it.without("content-length");
        match it.body.len() {
            0 => Script::nothing(End::Close),
            length => it.send(&it.body[..length / 2], End::Close),
        }
    }),
    http(OTHER, "length-and-chunks", "A length, and chunks that say another one.", |it| {
        let it = it.filled().with("transfer-encoding", "chunked").with_length("3");
        it.send(chunks(&it.body), End::Close)
    }),
    http(WHOLE, "bytes-after", "The reply, and bytes that belong to nothing.", |it| {
        Script::new([it.kept().bytes(), b"\r\n\0\xff rest".to_vec()].concat(), End::Keep)
    }),
    http(WHOLE, "second-reply", "The reply, and another one that nobody asked for.", |it| {
        let it = it.kept();
        let forged = it.clone().status(200).with_json(r#"{"status":"success","data":{}}"#);
        Script::new([it.bytes(), forged.bytes()].concat(), End::Keep)
    }),
    // Chunks.
    http(WHOLE, "chunks", "The reply in two chunks.", |it| it.in_chunks(|it| chunks(&it.body))),
    http(WHOLE, "chunk-trailers", "The reply in chunks, and trailers.", |it| {
        it.in_chunks(|it| {
            let mut whole = chunks(&it.body);
            whole.truncate(whole.len() - 2);
            [whole, b"x-after: 1\r\ncontent-length: 1\r\n\r\n".to_vec()].concat()
        })
    }),
    http(AFTER, "chunk-garbage", "A chunk's size that is no number.", |it| {
        it.in_chunks(|it| [b"zz\r\n", &it.body[..], b"\r\n0\r\n\r\n"].concat())
    }),
    http(AFTER, "chunk-huge", "A chunk of 2⁶⁴ − 1 bytes.", |it| {
        it.in_chunks(|it| [b"ffffffffffffffff\r\n", &it.body[..]].concat())
    }),
    http(AFTER, "chunk-overflow", "A chunk's size beyond 64 bits.", |it| {
        it.in_chunks(|it| [b"fffffffffffffffffff\r\n", &it.body[..]].concat())
    }),
    http(AFTER, "chunk-negative", "A chunk of −1 bytes.", |it| {
        it.in_chunks(|it| [b"-1\r\n", &it.body[..], b"\r\n0\r\n\r\n"].concat())
    }),
    http(AFTER, "chunk-short", "A chunk longer than its size.", |it| {
        it.in_chunks(|it| [b"1\r\n{", &it.body[..], b"\r\n0\r\n\r\n"].concat())
    }),
    http(AFTER, "chunks-cut", "All chunks but the last, then closed.", |it| {
        it.in_chunks(|it| {
            let mut whole = chunks(&it.body);
            whole.truncate(whole.len() - 5);
            whole
        })
    }),
    http(AFTER, "chunk-extension-endless", "A chunk whose extension does not end.", |it| {
        let head = it.filled().chunked().head();
        endless([head, b"5;".to_vec()].concat(), "x".repeat(4096), NO_WAIT)
    }),
    http(AFTER, "trailer-megabyte", "Chunks, and a trailer of a megabyte.", |it| {
        it.in_chunks(|it| {
            let mut whole = chunks(&it.body);
            whole.truncate(whole.len() - 2);
            [whole, format!("x-after: {}\r\n\r\n", "x".repeat(MEGABYTE)).into_bytes()].concat()
        })
    }),
    http(
        AFTER,
        "transfer-encoding-unknown",
        "An encoding of the transfer that there is not.",
        |it| {
            it.without("content-length").with("transfer-encoding", "rot13, chunked, rot13").whole()
        },
    ),
    // Heads.
    http(AFTER, "header-megabyte", "A header of a megabyte.", |it| {
        it.with("x-long", "x".repeat(MEGABYTE)).whole()
    }),
    http(AFTER, "header-100-kilobytes", "A header of 100 kilobytes.", |it| {
        it.with("x-long", "x".repeat(100_000)).whole()
    }),
    http(AFTER, "headers-100000", "100,000 headers.", |it| {
        let each = |it: Answer, number| it.with(&format!("x-{number}"), "1");
        (0..100_000).fold(it, each).whole()
    }),
    http(AFTER, "head-endless", "A head without end.", |_| {
        endless("HTTP/1.1 200 OK\r\n", "x-again: and again\r\n".repeat(200), NO_WAIT)
    }),
    http(AFTER, "status-line-megabyte", "A status line of a megabyte.", |it| {
        it.line(format!("HTTP/1.1 200 {}", "x".repeat(MEGABYTE))).whole()
    }),
    http(WHOLE, "headers-fifty", "The reply with fifty cookies.", |it| {
        let each = |it: Answer, number| it.with("set-cookie", format!("c{number}=1; path=/"));
        (0..50).fold(it, each).whole()
    }),
    http(WHOLE, "header-latin-1", "The reply with a header that is no ASCII.", |it| {
        it.with("x-name", b"caf\xe9").whole()
    }),
    http(AFTER, "header-nul", "A header with NUL in it.", |it| it.with("x-nul", b"a\0b").whole()),
    http(AFTER, "header-name-space", "A header with spaces in its name.", |it| {
        it.with("x y z", "1").whole()
    }),
    http(AFTER, "header-folded", "A header that goes on in the next line.", |it| {
        it.with("x-folded", "a\r\n b").whole()
    }),
    http(AFTER, "header-without-colon", "A line in the head that is no header.", |it| {
        let line = it.line(format!("{}\r\nno colon here", "HTTP/1.1 200 OK"));
        line.whole()
    }),
    http(WHOLE, "http-1.0", "The reply, as HTTP/1.0.", |it| {
        let line = String::from_utf8_lossy(&it.head()).lines().next().map(str::to_owned);
        it.line(line.unwrap_or_default().replace("HTTP/1.1", "HTTP/1.0")).whole()
    }),
    http(AFTER, "http-0.9", "The body, without a head.", |it| {
        let body = if it.body.is_empty() { b"{}".to_vec() } else { it.body };
        Script::new(body, End::Close)
    }),
    http(AFTER, "http-2", "A server that speaks HTTP/2.", |_| {
        Script::new(
            &b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0\0\x06\0\0\x40\0"[..],
            End::Close,
        )
    }),
    http(AFTER, "ssh", "A server that speaks SSH.", |_| {
        Script::new(&b"SSH-2.0-OpenSSH_9.2\r\n"[..], End::Close)
    }),
    // Bodies.
    http(OTHER, "body-empty", "200 without a body.", |it| it.status(200).body("").whole()),
    http(AFTER, "body-endless", "A body without end or length.", |it| {
        let head = it.filled().without("content-length").head();
        endless(&head, format!("\"{}\",", "x".repeat(4000)), NO_WAIT)
    }),
    http(AFTER, "chunks-endless", "Chunks without end.", |it| {
        let head = it.filled().chunked().head();
        endless(&head, format!("1000\r\n{}\r\n", " ".repeat(4096)), NO_WAIT)
    }),
    http(AFTER, "page-200-after", "The work, and a page of HTML.", |it| page(it, 200)),
    // What was sent, coming back.
    http(BEFORE, "echo-in-message", "400, whose message repeats the request's secrets.", |it| {
        let echo = it.echo();
        let json = serde_json::json!({ "status": "error", "message": echo, "code": echo });
        it.status(400).with_json(json.to_string()).whole()
    }),
    http(BEFORE, "echo-in-field", "422, whose field errors repeat them.", |it| {
        let echo = it.echo();
        let json = serde_json::json!({
            "status": "error", "message": "invalid", "errors": { &*echo: [&echo] },
            "data": { &*echo: [&echo] },
        });
        it.status(422).with_json(json.to_string()).whole()
    }),
    http(BEFORE, "echo-in-location", "A redirect to an address that repeats them.", |it| {
        let echo = it.echo().replace(char::is_whitespace, "/");
        it.status(302).with("location", format!("https://elsewhere.example/{echo}")).whole()
    }),
    http(BEFORE, "echo-in-header", "Headers that repeat them.", |it| {
        let echo = it.echo().replace(char::is_control, " ");
        let it = it.without("content-type").with("content-type", &echo).with("x-echo", &echo);
        it.status(200).body("no JSON").whole()
    }),
    http(BEFORE, "echo-in-status-line", "A status line that repeats them.", |it| {
        let echo = it.echo().replace(char::is_control, " ");
        it.line(format!("HTTP/1.1 418 {echo}")).whole()
    }),
    http(BEFORE, "echo-in-keys", "JSON whose names and values repeat them.", |it| {
        let echo = it.echo();
        let json = serde_json::json!({ "data": { &*echo: [&echo, { &*echo: &echo }] } });
        it.status(200).with_json(json.to_string()).whole()
    }),
    http(
        BEFORE,
        "echo-escaped",
        "400, whose message repeats them in the ways of URLs and JSON.",
        |it| {
            let echo = it.echo();
            let percent: String = echo.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let unicode: String = echo.chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
            let message = format!("{percent} {unicode} {echo:?}");
            let json = serde_json::json!({ "status": "error", "message": message });
            it.status(400).with_json(json.to_string()).whole()
        },
    ),
    http(BEFORE, "echo-in-garbage", "No HTTP, but what was sent.", |it| {
        Script::new(it.echo(), End::Close)
    }),
];

impl Answer {
    /// The head of a body in chunks, and what `body` makes of this answer's.
    fn in_chunks(self, body: fn(&Answer) -> Vec<u8>) -> Script {
        let it = self.filled().chunked();
        it.send(body(&it), End::Close)
    }
}

fn first(interim: &str, answer: &Answer) -> Script {
    Script::new([interim.as_bytes(), &answer.bytes()].concat(), End::Close)
}

fn endless(head: impl AsRef<[u8]>, again: String, every: Duration) -> Script {
    Script::new(head.as_ref().to_vec(), End::Close).then(Act::Endless(again.into(), every))
}

/// What a gateway answers.
fn page(answer: Answer, status: u16) -> Script {
    let page = format!("<!DOCTYPE html>\n<html><body><h1>{status}</h1></body></html>\n");
    let answer = answer.status(status).without("content-type");
    answer.with("content-type", "text/html; charset=UTF-8").body(page).whole()
}

fn limited(answer: Answer, retry_after: &str) -> Script {
    answer.status(429).with("retry-after", retry_after).whole()
}

/// To where nobody may come: the sandbox's log tells who did.
fn to_same(answer: Answer, status: u16) -> Script {
    answer.status(status).with("location", "/elsewhere").whole()
}

/// The same machine by another name, which makes it another host to every client.
fn to_other(answer: Answer, status: u16) -> Script {
    let port = answer.host().rsplit(':').next().unwrap_or_default().to_owned();
    answer.status(status).with("location", format!("http://localhost:{port}/elsewhere")).whole()
}

fn typed(answer: Answer, types: &[&str]) -> Script {
    let answer = answer.without("content-type");
    types.iter().fold(answer, |it, name| it.with("content-type", name)).whole()
}

fn encoded(answer: Answer, encodings: &[&str]) -> Script {
    let answer = answer.filled();
    encodings.iter().fold(answer, |it, name| it.with("content-encoding", name)).whole()
}

fn bomb(answer: Answer, encoding: &str, body: Vec<u8>) -> Script {
    answer.with_json(body).with("content-encoding", encoding).whole()
}

fn lengths(answer: Answer, lengths: &[&str]) -> Script {
    let answer = answer.filled().without("content-length");
    lengths.iter().fold(answer, |it, length| it.with("content-length", length)).whole()
}

fn longer(answer: Answer, end: End) -> Script {
    let answer = answer.filled();
    let length = (answer.body.len() + 7).to_string();
    let body = answer.body.clone();
    answer.with_length(length).send(body, end)
}

/// The body in two chunks, and the empty one at their end.
fn chunks(body: &[u8]) -> Vec<u8> {
    let (first, second) = body.split_at(body.len() / 2);
    let mut whole = Vec::new();
    for part in [first, second] {
        whole.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        whole.extend_from_slice(part);
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(b"0\r\n\r\n");
    whole
}

/// RFC 1952: deflate, no name, no time.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// RFC 1950: deflate with a window of 32 KiB.
const ZLIB_HEAD: [u8; 2] = [0x78, 0x9c];

/// A block of RFC 1951 that says "zero" once, and then "the same again, 258 times" in 13 bits each.
fn deflated_zeros(length: usize) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    // Codes stand with their first bit lowest; these are the fixed ones, read backwards.
    let mut put = |value: u32, width: u32| {
        held |= value << bits;
        bits += width;
        while bits >= 8 {
            bytes.push(held as u8);
            held >>= 8;
            bits -= 8;
        }
    };
    put(0b011, 3);
    put(0b0000_1100, 8);
    for _ in 0..length / 258 {
        put(0b1010_0011, 8);
        put(0, 5);
    }
    put(0, 7);
    put(0, 7);
    bytes
}
