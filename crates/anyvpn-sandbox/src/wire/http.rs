//! Faults in HTTP: statuses, headers, lengths, chunks and encodings.

use std::time::Duration;

use super::answer::{Act, Answer, End, Script};
use super::{AFTER, BEFORE, Level, OTHER, WHOLE, WireFault, row};

const MEGABYTE: usize = 1 << 20;
const NO_WAIT: Duration = Duration::ZERO;

#[rustfmt::skip]
pub(super) static FAULTS: &[WireFault] = &[
    // Informational replies.
    row(Level::Http, WHOLE, "continue-100", "A 100 response before the reply.", |answer| first("HTTP/1.1 100 Continue\r\n\r\n", &answer)),
    row(Level::Http, WHOLE, "early-hints-103", "A 103 response with a header before the reply.", |answer| first("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n", &answer)),
    row(Level::Http, BEFORE, "switching-protocols-101", "An unsolicited 101 response.", |answer| answer.status(101).body("").without("content-length").whole()),
    row(Level::Http, BEFORE, "informational-flood", "An endless series of 103 responses, a thousand per second.", |_| {
        let flood = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000);
        endless("", flood, Duration::from_secs(1))
    }),
    // Statuses that are not those of the provider.
    row(Level::Http, OTHER, "status-201", "The reply with status 201.", |answer| answer.status(201).whole()),
    row(Level::Http, OTHER, "status-202", "The reply with status 202.", |answer| answer.status(202).whole()),
    row(Level::Http, OTHER, "status-206", "The reply with status 206, although no range was requested.", |answer| answer.status(206).whole()),
    row(Level::Http, OTHER, "status-204", "204 instead of the reply.", |answer| answer.status(204).body("").whole()),
    row(Level::Http, OTHER, "status-205", "205 instead of the reply.", |answer| answer.status(205).body("").whole()),
    row(Level::Http, OTHER, "status-304", "304 instead of the reply.", |answer| answer.status(304).body("").whole()),
    row(Level::Http, BEFORE, "status-600", "Status 600.", |answer| answer.line("HTTP/1.1 600 Six").whole()),
    row(Level::Http, BEFORE, "status-999", "Status 999.", |answer| answer.line("HTTP/1.1 999 Nines").whole()),
    row(Level::Http, BEFORE, "status-42", "A two-digit status.", |answer| answer.line("HTTP/1.1 42 Short").whole()),
    row(Level::Http, BEFORE, "status-words", "A status that is not a number.", |answer| answer.line("HTTP/1.1 two hundred").whole()),
    row(Level::Http, AFTER, "error-500-after", "The request takes effect, but the reply is 500 without a body.", |answer| answer.status(500).body("").whole()),
    row(Level::Http, AFTER, "gateway-502-after", "The request takes effect, but a gateway answers 502.", |answer| page(answer, 502)),
    row(Level::Http, AFTER, "gateway-504-after", "The request takes effect, but a gateway answers 504.", |answer| page(answer, 504)),
    // Requests to wait.
    row(Level::Http, BEFORE, "retry-after-year", "429 with a `Retry-After` of one year.", |answer| limited(answer, "31536000")),
    row(Level::Http, BEFORE, "retry-after-2-64", "429 with a `Retry-After` of 2⁶⁴ − 1 seconds.", |answer| limited(answer, "18446744073709551615")),
    row(Level::Http, BEFORE, "retry-after-30-digits", "429 with a `Retry-After` that does not fit in 64 bits.", |answer| limited(answer, "999999999999999999999999999999")),
    row(Level::Http, BEFORE, "retry-after-negative", "429 with a `Retry-After` of −1 seconds.", |answer| limited(answer, "-1")),
    row(Level::Http, BEFORE, "retry-after-words", "429 with `Retry-After: soon`.", |answer| limited(answer, "soon")),
    row(Level::Http, BEFORE, "retry-after-past", "429 with a `Retry-After` date in the past.", |answer| limited(answer, "Wed, 21 Oct 2015 07:28:00 GMT")),
    row(Level::Http, BEFORE, "retry-after-9999", "429 with a `Retry-After` date at the end of the year 9999.", |answer| limited(answer, "Fri, 31 Dec 9999 23:59:59 GMT")),
    row(Level::Http, BEFORE, "retry-after-twice", "429 with two different `Retry-After` headers.", |answer| answer.status(429).with("retry-after", "1").with("retry-after", "31536000").whole()),
    row(Level::Http, BEFORE, "unavailable-year", "503 with a `Retry-After` of one year.", |answer| answer.status(503).with("retry-after", "31536000").whole()),
    // Redirects.
    row(Level::Http, BEFORE, "redirect-301", "A 301 redirect to the same host.", |answer| to_same(answer, 301)),
    row(Level::Http, BEFORE, "redirect-302", "A 302 redirect to the same host.", |answer| to_same(answer, 302)),
    row(Level::Http, AFTER, "redirect-303", "The request takes effect, but the reply is a 303 redirect to the same host.", |answer| to_same(answer, 303)),
    row(Level::Http, BEFORE, "redirect-307", "A 307 redirect to the same host.", |answer| to_same(answer, 307)),
    row(Level::Http, BEFORE, "redirect-308", "A 308 redirect to the same host.", |answer| to_same(answer, 308)),
    row(Level::Http, BEFORE, "redirect-301-away", "A 301 redirect to another host.", |answer| to_other(answer, 301)),
    row(Level::Http, BEFORE, "redirect-302-away", "A 302 redirect to another host.", |answer| to_other(answer, 302)),
    row(Level::Http, AFTER, "redirect-303-away", "The request takes effect, but the reply is a 303 redirect to another host.", |answer| to_other(answer, 303)),
    row(Level::Http, BEFORE, "redirect-307-away", "A 307 redirect to another host.", |answer| to_other(answer, 307)),
    row(Level::Http, BEFORE, "redirect-308-away", "A 308 redirect to another host.", |answer| to_other(answer, 308)),
    row(Level::Http, BEFORE, "redirect-nowhere", "A 302 redirect without a `Location`.", |answer| answer.status(302).whole()),
    row(Level::Http, BEFORE, "redirect-to-itself", "A 307 redirect to the requested address.", |answer| answer.status(307).with("location", "").whole()),
    // Content types and encodings.
    row(Level::Http, WHOLE, "content-type-html", "The reply with the content type of HTML.", |answer| typed(answer, &["text/html"])),
    row(Level::Http, WHOLE, "content-type-none", "The reply without a content type.", |answer| typed(answer, &[])),
    row(Level::Http, WHOLE, "content-type-twice", "The reply with two content types.", |answer| typed(answer, &["application/json", "text/html"])),
    row(Level::Http, WHOLE, "content-type-utf-16", "The reply in UTF-8, declared as UTF-16.", |answer| { typed(answer, &["application/json; charset=utf-16"]) }),
    row(Level::Http, AFTER, "encoding-gzip", "The uncompressed reply, declared as gzip.", |answer| encoded(answer, &["gzip"])),
    row(Level::Http, AFTER, "encoding-brotli", "The uncompressed reply, declared as brotli.", |answer| encoded(answer, &["br"])),
    row(Level::Http, AFTER, "encoding-twice", "The uncompressed reply, declared as both uncompressed and gzip.", |answer| encoded(answer, &["identity", "gzip"])),
    row(Level::Http, AFTER, "gzip-bomb", "A 100 KB gzip body that expands to 16 MB.", |answer| bomb(answer, "gzip", [&GZIP_HEAD[..], &deflated_zeros(16 * MEGABYTE)].concat())),
    row(Level::Http, AFTER, "deflate-bomb", "A 100 KB deflate body that expands to 16 MB.", |answer| bomb(answer, "deflate", [&ZLIB_HEAD[..], &deflated_zeros(16 * MEGABYTE)].concat())),
    row(Level::Http, AFTER, "endless-gzip", "An endless gzip stream.", |answer| {
        let head = answer.without("content-length").with("content-encoding", "gzip").head();
        let head = [head, GZIP_HEAD.to_vec()].concat();
        Script::new(head, End::Close)
            .then(Act::Endless(deflated_zeros(4 * MEGABYTE).into(), NO_WAIT))
    }),
    // Lengths.
    row(Level::Http, AFTER, "length-short", "A `Content-Length` of half the body.", |answer| {
        let answer = answer.filled();
        let half = (answer.body.len() / 2).to_string();
        answer.with_length(half).whole()
    }),
    row(Level::Http, AFTER, "length-long-close", "A `Content-Length` beyond the body, then the connection is closed.", |answer| longer(answer, End::Close)),
    row(Level::Http, AFTER, "length-long-silence", "A `Content-Length` beyond the body, then nothing more is sent.", |answer| longer(answer, End::Silence)),
    row(Level::Http, AFTER, "length-terabyte", "A `Content-Length` of one terabyte.", |answer| lengths(answer, &["1099511627776"])),
    row(Level::Http, AFTER, "length-2-64", "A `Content-Length` of 2⁶⁴.", |answer| lengths(answer, &["18446744073709551616"])),
    row(Level::Http, AFTER, "length-negative", "A `Content-Length` of −1.", |answer| lengths(answer, &["-1"])),
    row(Level::Http, AFTER, "length-words", "A `Content-Length` that is not a number.", |answer| lengths(answer, &["long"])),
    row(Level::Http, AFTER, "length-twice-different", "Two different `Content-Length` headers.", |answer| lengths(answer, &["2", "3"])),
    row(Level::Http, WHOLE, "length-twice", "The same `Content-Length` header twice.", |answer| {
        let length = answer.body.len().to_string();
        match answer.body.len() {
            0 => answer.whole(),
            _ => lengths(answer, &[&*length; 2]),
        }
    }),
    row(Level::Http, WHOLE, "length-none", "The reply without a length; it ends when the connection is closed.", |answer| answer.without("content-length").whole()),
    row(Level::Http, AFTER, "length-none-cut", "Half of the reply without a length, then the connection is closed.", |answer| {
        let answer = answer.without("content-length");
        match answer.body.len() {
            0 => Script::nothing(End::Close),
            length => answer.send(&answer.body[..length / 2], End::Close),
        }
    }),
    row(Level::Http, OTHER, "length-and-chunks", "A chunked reply with a `Content-Length` that contradicts it.", |answer| {
        let answer = answer.filled().with("transfer-encoding", "chunked").with_length("3");
        answer.send(chunks(&answer.body), End::Close)
    }),
    row(Level::Http, WHOLE, "bytes-after", "The reply, followed by unrelated bytes.", |answer| Script::new([answer.kept().bytes(), b"\r\n\0\xff rest".to_vec()].concat(), End::Keep)),
    row(Level::Http, WHOLE, "second-reply", "The reply, followed by an unsolicited second one.", |answer| {
        let answer = answer.kept();
        let forged = answer.clone().status(200).with_json(r#"{"status":"success","data":{}}"#);
        Script::new([answer.bytes(), forged.bytes()].concat(), End::Keep)
    }),
    // Chunks.
    row(Level::Http, WHOLE, "chunks", "The reply in two chunks.", |answer| answer.in_chunks(|answer| chunks(&answer.body))),
    row(Level::Http, WHOLE, "chunk-trailers", "The reply in chunks, followed by trailers.", |answer| {
        answer.in_chunks(|answer| {
            let mut whole = chunks(&answer.body);
            whole.truncate(whole.len() - 2);
            [whole, b"x-after: 1\r\ncontent-length: 1\r\n\r\n".to_vec()].concat()
        })
    }),
    row(Level::Http, AFTER, "chunk-garbage", "A chunk size that is not a number.", |answer| answer.in_chunks(|answer| [b"zz\r\n", &answer.body[..], b"\r\n0\r\n\r\n"].concat())),
    row(Level::Http, AFTER, "chunk-huge", "A chunk size of 2⁶⁴ − 1 bytes.", |answer| answer.in_chunks(|answer| [b"ffffffffffffffff\r\n", &answer.body[..]].concat())),
    row(Level::Http, AFTER, "chunk-overflow", "A chunk size that does not fit in 64 bits.", |answer| answer.in_chunks(|answer| [b"fffffffffffffffffff\r\n", &answer.body[..]].concat())),
    row(Level::Http, AFTER, "chunk-negative", "A chunk size of −1 bytes.", |answer| answer.in_chunks(|answer| [b"-1\r\n", &answer.body[..], b"\r\n0\r\n\r\n"].concat())),
    row(Level::Http, AFTER, "chunk-short", "A chunk that is longer than its size.", |answer| answer.in_chunks(|answer| [b"1\r\n{", &answer.body[..], b"\r\n0\r\n\r\n"].concat())),
    row(Level::Http, AFTER, "chunks-cut", "All chunks but the last, then the connection is closed.", |answer| {
        answer.in_chunks(|answer| {
            let mut whole = chunks(&answer.body);
            whole.truncate(whole.len() - 5);
            whole
        })
    }),
    row(Level::Http, AFTER, "chunk-extension-endless", "A chunk with an endless extension.", |answer| {
        let head = answer.filled().chunked().head();
        endless([head, b"5;".to_vec()].concat(), "x".repeat(4096), NO_WAIT)
    }),
    row(Level::Http, AFTER, "trailer-megabyte", "The reply in chunks, followed by a one-megabyte trailer.", |answer| {
        answer.in_chunks(|answer| {
            let mut whole = chunks(&answer.body);
            whole.truncate(whole.len() - 2);
            [whole, format!("x-after: {}\r\n\r\n", "x".repeat(MEGABYTE)).into_bytes()].concat()
        })
    }),
    row(Level::Http, AFTER, "transfer-encoding-unknown", "An unknown transfer encoding.", |answer| answer.without("content-length").with("transfer-encoding", "rot13, chunked, rot13").whole()),
    // Heads.
    row(Level::Http, AFTER, "header-megabyte", "A one-megabyte header.", |answer| answer.with("x-long", "x".repeat(MEGABYTE)).whole()),
    row(Level::Http, AFTER, "header-100-kilobytes", "A 100-kilobyte header.", |answer| answer.with("x-long", "x".repeat(100_000)).whole()),
    row(Level::Http, AFTER, "headers-100000", "100,000 headers.", |answer| {
        let each = |answer: Answer, number| answer.with(&format!("x-{number}"), "1");
        (0..100_000).fold(answer, each).whole()
    }),
    row(Level::Http, AFTER, "head-endless", "Headers that never end.", |_| endless("HTTP/1.1 200 OK\r\n", "x-again: and again\r\n".repeat(200), NO_WAIT)),
    row(Level::Http, AFTER, "status-line-megabyte", "A one-megabyte status line.", |answer| answer.line(format!("HTTP/1.1 200 {}", "x".repeat(MEGABYTE))).whole()),
    row(Level::Http, WHOLE, "headers-fifty", "The reply with fifty cookies.", |answer| {
        let each = |answer: Answer, number| answer.with("set-cookie", format!("c{number}=1; path=/"));
        (0..50).fold(answer, each).whole()
    }),
    row(Level::Http, WHOLE, "header-latin-1", "The reply with a header that is not ASCII.", |answer| answer.with("x-name", b"caf\xe9").whole()),
    row(Level::Http, AFTER, "header-nul", "A header that contains NUL.", |answer| answer.with("x-nul", b"a\0b").whole()),
    row(Level::Http, AFTER, "header-name-space", "A header with spaces in its name.", |answer| answer.with("x y z", "1").whole()),
    row(Level::Http, AFTER, "header-folded", "A header that continues on the next line.", |answer| answer.with("x-folded", "a\r\n b").whole()),
    row(Level::Http, AFTER, "header-without-colon", "A header line without a colon.", |answer| {
        let line = answer.line(format!("{}\r\nno colon here", "HTTP/1.1 200 OK"));
        line.whole()
    }),
    row(Level::Http, WHOLE, "http-1.0", "The reply in HTTP/1.0.", |answer| {
        let line = String::from_utf8_lossy(&answer.head()).lines().next().map(str::to_owned);
        answer.line(line.unwrap_or_default().replace("HTTP/1.1", "HTTP/1.0")).whole()
    }),
    row(Level::Http, AFTER, "http-0.9", "The body without a status line or headers.", |answer| {
        let body = if answer.body.is_empty() { b"{}".to_vec() } else { answer.body };
        Script::new(body, End::Close)
    }),
    row(Level::Http, AFTER, "http-2", "A server that speaks HTTP/2.", |_| Script::new(&b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0\0\x06\0\0\x40\0"[..], End::Close)),
    row(Level::Http, AFTER, "ssh", "A server that speaks SSH.", |_| Script::new(&b"SSH-2.0-OpenSSH_9.2\r\n"[..], End::Close)),
    // Bodies.
    row(Level::Http, OTHER, "body-empty", "200 without a body.", |answer| answer.status(200).body("").whole()),
    row(Level::Http, AFTER, "body-endless", "An endless body without a length.", |answer| {
        let head = answer.filled().without("content-length").head();
        endless(&head, format!("\"{}\",", "x".repeat(4000)), NO_WAIT)
    }),
    row(Level::Http, AFTER, "chunks-endless", "An endless series of chunks.", |answer| {
        let head = answer.filled().chunked().head();
        endless(&head, format!("1000\r\n{}\r\n", " ".repeat(4096)), NO_WAIT)
    }),
    row(Level::Http, AFTER, "page-200-after", "The request takes effect, but the reply is an HTML page.", |answer| page(answer, 200)),
    // Replies that repeat what was sent.
    row(Level::Http, BEFORE, "echo-in-message", "400 with a message that echoes the request's secrets.", |answer| {
        let echo = answer.echo();
        let json = serde_json::json!({ "status": "error", "message": echo, "code": echo });
        answer.status(400).with_json(json.to_string()).whole()
    }),
    row(Level::Http, BEFORE, "echo-in-field", "422 with field errors that repeat the request's secrets.", |answer| {
        let echo = answer.echo();
        let json = serde_json::json!({
            "status": "error", "message": "invalid", "errors": { &*echo: [&echo] },
            "data": { &*echo: [&echo] },
        });
        answer.status(422).with_json(json.to_string()).whole()
    }),
    row(Level::Http, BEFORE, "echo-in-location", "A redirect to an address that echoes the request's secrets.", |answer| {
        let echo = answer.echo().replace(char::is_whitespace, "/");
        answer.status(302).with("location", format!("https://elsewhere.example/{echo}")).whole()
    }),
    row(Level::Http, BEFORE, "echo-in-header", "Headers that repeat the request's secrets.", |answer| {
        let echo = answer.echo().replace(char::is_control, " ");
        let answer = answer.without("content-type").with("content-type", &echo).with("x-echo", &echo);
        answer.status(200).body("no JSON").whole()
    }),
    row(Level::Http, BEFORE, "echo-in-status-line", "A status line that echoes the request's secrets.", |answer| {
        let echo = answer.echo().replace(char::is_control, " ");
        answer.line(format!("HTTP/1.1 418 {echo}")).whole()
    }),
    row(Level::Http, BEFORE, "echo-in-keys", "JSON with keys and values that repeat the request's secrets.", |answer| {
        let echo = answer.echo();
        let json = serde_json::json!({ "data": { &*echo: [&echo, { &*echo: &echo }] } });
        answer.status(200).with_json(json.to_string()).whole()
    }),
    row(Level::Http, BEFORE,
        "echo-escaped",
        "400 with a message that echoes the request's secrets, escaped as in URLs and JSON.",
        |answer| {
            let echo = answer.echo();
            let percent: String = echo.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let unicode: String = echo.chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
            let message = format!("{percent} {unicode} {echo:?}");
            let json = serde_json::json!({ "status": "error", "message": message });
            answer.status(400).with_json(json.to_string()).whole()
        },
    ),
    row(Level::Http, BEFORE, "echo-in-garbage", "The request's secrets instead of an HTTP reply.", |answer| Script::new(answer.echo(), End::Close)),
];

impl Answer {
    /// Sends the headers of a chunked body, and the body that `body` returns.
    fn in_chunks(self, body: fn(&Answer) -> Vec<u8>) -> Script {
        let answer = self.filled().chunked();
        answer.send(body(&answer), End::Close)
    }
}

fn first(interim: &str, answer: &Answer) -> Script {
    Script::new([interim.as_bytes(), &answer.bytes()].concat(), End::Close)
}

fn endless(head: impl AsRef<[u8]>, again: String, every: Duration) -> Script {
    Script::new(head.as_ref().to_vec(), End::Close).then(Act::Endless(again.into(), every))
}

/// Answers with a gateway's page.
fn page(answer: Answer, status: u16) -> Script {
    let page = format!("<!DOCTYPE html>\n<html><body><h1>{status}</h1></body></html>\n");
    let answer = answer.status(status).without("content-type");
    answer.with("content-type", "text/html; charset=UTF-8").body(page).whole()
}

fn limited(answer: Answer, retry_after: &str) -> Script {
    answer.status(429).with("retry-after", retry_after).whole()
}

/// Redirects to a path on the same host. No client may follow; the sandbox's log shows whether one did.
fn to_same(answer: Answer, status: u16) -> Script {
    answer.status(status).with("location", "/elsewhere").whole()
}

/// Redirects to the same machine by another name, which is another host to every client.
fn to_other(answer: Answer, status: u16) -> Script {
    let port = answer.host().rsplit(':').next().unwrap_or_default().to_owned();
    answer.status(status).with("location", format!("http://localhost:{port}/elsewhere")).whole()
}

fn typed(answer: Answer, types: &[&str]) -> Script {
    let answer = answer.without("content-type");
    types.iter().fold(answer, |answer, name| answer.with("content-type", name)).whole()
}

fn encoded(answer: Answer, encodings: &[&str]) -> Script {
    let answer = answer.filled();
    encodings.iter().fold(answer, |answer, name| answer.with("content-encoding", name)).whole()
}

fn bomb(answer: Answer, encoding: &str, body: Vec<u8>) -> Script {
    answer.with_json(body).with("content-encoding", encoding).whole()
}

fn lengths(answer: Answer, lengths: &[&str]) -> Script {
    let answer = answer.filled().without("content-length");
    lengths.iter().fold(answer, |answer, length| answer.with("content-length", length)).whole()
}

fn longer(answer: Answer, end: End) -> Script {
    let answer = answer.filled();
    let length = (answer.body.len() + 7).to_string();
    let body = answer.body.clone();
    answer.with_length(length).send(body, end)
}

/// Returns the body as two chunks and the final empty one.
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

/// Returns an RFC 1951 block that contains one zero, and then "repeat 258 times" in 13 bits each.
fn deflated_zeros(length: usize) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    // Codes are written from their first bit, as the lowest; these are the fixed codes with the bits
    // reversed.
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
