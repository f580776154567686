//! Compressed replies are bounded before and after decompression.

#![cfg(feature = "gzip")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;

use std::io::Write;
use std::sync::Arc;

use anyvpn_core::{Error, ErrorKind, OperationId, Timestamp};
use anyvpn_http::{
    Client, ClientBuilder, Dialect, Limits, Operation, Replay, Reply, Request, RetryPolicy,
    Security,
};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use bytes::Bytes;
use plain::Plain;

struct Length;

impl Operation for Length {
    type Dialect = Plain;
    type Output = usize;
    const ID: OperationId = OperationId::new("plain", "length");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/"))
    }

    fn decode(&self, reply: &Reply) -> Result<usize, Error> {
        Plain::decode::<String>(reply).map(|text| text.len())
    }
}

async fn call(encoding: &str, body: Vec<u8>) -> (Result<usize, Error>, Script) {
    call_with(ClientBuilder::gzip, encoding, body).await
}

async fn call_with(
    asks: impl FnOnce(ClientBuilder<Plain>) -> ClientBuilder<Plain>,
    encoding: &str,
    body: Vec<u8>,
) -> (Result<usize, Error>, Script) {
    let headers = vec![("content-encoding", encoding.to_owned())];
    let script = Script::new([Step::Reply(200, headers, body)]);
    let limits = Limits { reply: 10_000, decompressed: 100_000, ..Limits::default() };
    let builder = Client::<Plain>::builder("https://vpn.example.com")
        .transport(Arc::new(script.clone()))
        .limits(limits);
    let client = asks(builder).build().unwrap();
    (client.call(Length).await, script)
}

fn gzip(length: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(format!("\"{}\"", "a".repeat(length)).as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_reply_is_asked_for_and_read() {
    // A text that is exactly as long as allowed, including its quotes.
    let (length, script) = call("gzip", gzip(99_998)).await;
    assert_eq!(length.unwrap(), 99_998);
    assert_eq!(script.sent()[0].headers()["accept-encoding"], "gzip");
}

#[tokio::test]
async fn a_bomb_ends_at_the_bound() {
    for length in [99_999, 5_000_000] {
        let bomb = gzip(length);
        assert!(bomb.len() < 10_000);
        let error = call("gzip", bomb).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
        assert!(error.to_string().contains("larger than 100000 bytes"), "{error}");
    }
}

#[tokio::test]
async fn broken_and_unknown_encodings_are_errors() {
    let mut cut = gzip(1000);
    cut.truncate(20);
    for (encoding, body) in [("gzip", cut), ("gzip", b"plain".to_vec()), ("br", gzip(5))] {
        let error = call(encoding, body).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{encoding}: {error}");
    }
}

/// Another crate may have enabled the feature, so it must not change a client that does not ask for
/// compression.
#[tokio::test]
async fn content_encodings_that_were_not_requested_are_refused() {
    let (length, script) = call_with(|builder| builder, "gzip", gzip(5)).await;
    let error = length.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
    assert!(error.to_string().contains("that was not requested, \"gzip\""), "{error}");
    assert!(!script.sent()[0].headers().contains_key("accept-encoding"));
}

#[tokio::test]
async fn an_encoding_is_named_in_any_case_and_by_its_old_name() {
    for encoding in ["GZIP", "Gzip", "x-gzip", "X-GZip", " gzip "] {
        let (length, _) = call(encoding, gzip(5)).await;
        assert_eq!(length.unwrap(), 5, "{encoding}");
    }
}

/// A compressing proxy names the encoding even if a reply has no body.
#[tokio::test]
async fn an_empty_body_needs_no_decompression() {
    for status in [200, 204, 304] {
        for asks in [true, false] {
            for encoding in ["gzip", "br"] {
                let headers = vec![("content-encoding", encoding.to_owned())];
                let script = Script::new([Step::Reply(status, headers, Vec::new())]);
                let builder = Client::<Plain>::builder("https://vpn.example.com");
                let builder = builder.transport(Arc::new(script));
                let builder = if asks { builder.gzip() } else { builder };
                let outcome = builder.build().unwrap().call(Nothing).await;
                let what = format!("{status} {encoding} {asks}: {outcome:?}");
                match status {
                    304 => assert_eq!(outcome.unwrap_err().status(), Some(304), "{what}"),
                    _ => assert!(outcome.is_ok(), "{what}"),
                }
            }
        }
    }
}

struct Nothing;

impl Operation for Nothing {
    type Dialect = Plain;
    type Output = ();
    const ID: OperationId = OperationId::new("plain", "nothing");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/"))
    }

    fn decode(&self, reply: &Reply) -> Result<(), Error> {
        if !reply.status.is_success() {
            return Err(Plain::refusal(reply));
        }
        reply.json_or_nothing()
    }
}

/// Each member costs a new decompressor, however little is in it.
#[tokio::test]
async fn members_are_bounded() {
    let empty = compressed("");
    let text = compressed("\"aaaaa\"");
    let members = |count: usize| [empty.repeat(count), text.clone()].concat();
    assert_eq!(call("gzip", members(99)).await.0.unwrap(), 5);
    let error = call("gzip", members(400)).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
    assert!(error.to_string().contains("more than 100 gzip members"), "{error}");
}

/// All data has already arrived, so nothing else makes the call wait. Its timer has expired when it
/// is polled for the second time.
#[tokio::test]
async fn the_time_counts_while_a_reply_is_decompressed() {
    let headers = vec![("content-encoding", "gzip".to_owned())];
    let script = Script::new([Step::Reply(200, headers, gzip(50 << 20))]);
    let one = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let builder = Client::<Plain>::builder("https://vpn.example.com").transport(Arc::new(script));
    let time = VirtualTime::new(Timestamp::UNIX_EPOCH);
    let client = builder.clock(Arc::new(time)).retry(one).gzip().build().unwrap();
    assert_eq!(client.call(Length).await.unwrap_err().kind(), ErrorKind::Timeout);
}

struct Words;

impl Operation for Words {
    type Dialect = Plain;
    type Output = Vec<String>;
    const ID: OperationId = OperationId::new("plain", "words");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/"))
    }

    fn decode(&self, reply: &Reply) -> Result<Vec<String>, Error> {
        Plain::decode(reply)
    }
}

/// Returns the words of a compressed reply that arrives in pieces of this many bytes.
async fn words(body: &[u8], size: usize) -> Result<Vec<String>, Error> {
    let headers = vec![("content-encoding", "gzip".to_owned())];
    let pieces = body.chunks(size).map(Bytes::copy_from_slice).collect();
    let script = Script::new([Step::Pieces(200, headers, pieces)]);
    let limits = Limits { reply: 10_000, decompressed: 100_000, ..Limits::default() };
    let builder = Client::<Plain>::builder("https://vpn.example.com").transport(Arc::new(script));
    builder.limits(limits).gzip().build().unwrap().call(Words).await
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_reply_is_read_in_pieces() {
    // Two consecutive members form one text.
    let body = [compressed(r#"["one","two"#), compressed(r#" and more","three"]"#)].concat();
    for size in [1, 2, 7, 40, 1000] {
        assert_eq!(words(&body, size).await.unwrap(), ["one", "two and more", "three"], "{size}");
    }
}

#[tokio::test]
async fn a_compressed_reply_is_bounded_and_complete() {
    let word = "a".repeat(999);
    let list = format!("[\"{word}\"{}]", format!(",\"{word}\"").repeat(1000));
    let body = compressed(&list);
    assert!(body.len() < 10_000);
    let error = words(&body, 100_000).await.unwrap_err();
    assert!(error.to_string().contains("larger than 100000 bytes"), "{error}");

    let whole = compressed(r#"["one","two"]"#);
    for cut in 1..whole.len() {
        let error = words(&whole[..cut], 1000).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{cut}");
    }
    let mut broken = whole.clone();
    let sum = broken.len() - 6;
    broken[sum] ^= 1;
    assert!(words(&broken, 1000).await.unwrap_err().to_string().contains("not gzip"));
}
