//! A reply as bytes, and the steps that send them.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};

/// The steps that send a reply, in order, and how they end.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The status, if a complete message is sent.
    pub(crate) status: Option<u16>,
    pub(crate) acts: Vec<Act>,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Bytes),
    /// Sends one byte at a time, with this wait in between.
    Bytewise(Bytes, Duration),
    /// Sends the bytes repeatedly, with this wait in between, until the peer is gone.
    Endless(Bytes, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// FIN.
    Close,
    /// FIN; the other direction stays open until the peer is gone.
    HalfClose,
    /// Nothing more is sent, although the peer waits for more.
    Silence,
    /// Nothing more needs to be sent, and the connection stays open.
    Keep,
    /// RST.
    Reset,
}

impl Script {
    pub(crate) fn new(bytes: impl Into<Bytes>, end: End) -> Script {
        Script { status: None, acts: vec![Act::Send(bytes.into())], end }
    }

    pub(crate) fn nothing(end: End) -> Script {
        Script { status: None, acts: Vec::new(), end }
    }

    pub(crate) fn then(mut self, act: Act) -> Script {
        self.acts.push(act);
        self
    }
}

/// The parts of the request that an answer can repeat.
#[derive(Clone, Debug)]
struct Asked {
    host: String,
    credential: String,
    body: String,
}

/// A complete answer, which faults then change.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    line: String,
    headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    asked: Asked,
}

impl Answer {
    pub(crate) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        body: Vec<u8>,
        parts: &Parts,
        asked: &[u8],
    ) -> Answer {
        let text = |name| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let asked = Asked {
            host: text(header::HOST),
            credential: text(header::AUTHORIZATION),
            body: String::from_utf8_lossy(asked).into_owned(),
        };
        let headers =
            headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        let answer =
            Answer { status, line: String::new(), headers: headers.collect(), body, asked };
        // A script ends the connection, so the header tells a correct client not to send its next
        // request on it.
        answer.status(status.as_u16()).length().with("connection", "close")
    }

    /// Removes the header that announces the end of the connection.
    pub(crate) fn kept(self) -> Answer {
        self.without("connection")
    }

    /// Returns the host that the request named, `HOST:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.asked.host
    }

    /// Returns the credential and body of the request.
    pub(crate) fn echo(&self) -> String {
        format!("{} {}", self.asked.credential, self.asked.body)
    }

    pub(crate) fn status(mut self, status: u16) -> Answer {
        // The tables contain only valid statuses; an invalid status line is set with `line`.
        self.status = StatusCode::from_u16(status).unwrap_or(self.status);
        let reason = self.status.canonical_reason().unwrap_or("Status");
        self.line(format!("HTTP/1.1 {status} {reason}"))
    }

    /// Sets the status line.
    pub(crate) fn line(mut self, line: impl Into<String>) -> Answer {
        self.line = line.into();
        self
    }

    /// Adds a header, even with an invalid name or value.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Answer {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Answer {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Answer {
        self.body = body.into();
        self.length()
    }

    /// Returns the body as JSON; a small object if there is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| serde_json::json!({ "status": "success" }))
    }

    /// Adds a small JSON object if the answer has no body.
    pub(crate) fn filled(self) -> Answer {
        match self.body.len() {
            0 => {
                let json = self.json().to_string();
                self.with_json(json)
            }
            _ => self,
        }
    }

    /// Replaces the body by another JSON text, in a complete and correct message.
    pub(crate) fn with_json(self, text: impl Into<Vec<u8>>) -> Answer {
        let answer = match self.status {
            StatusCode::NO_CONTENT => self.status(200),
            _ => self,
        };
        answer.without("content-type").with("content-type", "application/json").body(text)
    }

    /// Sets the body's length, if a message with this status may have one.
    fn length(self) -> Answer {
        let length = self.body.len().to_string();
        let answer = self.without("content-length");
        match answer.status {
            StatusCode::NO_CONTENT => answer,
            _ => answer.with("content-length", length),
        }
    }

    /// Sets a length that is not the body's.
    pub(crate) fn with_length(self, length: impl AsRef<[u8]>) -> Answer {
        self.without("content-length").with("content-length", length)
    }

    /// Sets the headers for a chunked body.
    pub(crate) fn chunked(self) -> Answer {
        self.without("content-length").with("transfer-encoding", "chunked")
    }

    /// Returns the status line, the headers and an empty line.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    /// Returns the whole message.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    /// Sends the head and these bytes.
    pub(crate) fn send(&self, body: impl AsRef<[u8]>, end: End) -> Script {
        Script::new([&self.head(), body.as_ref()].concat(), end)
    }

    /// Sends the whole message, then closes the connection.
    pub(crate) fn whole(&self) -> Script {
        let status = Some(self.status.as_u16());
        Script { status, ..Script::new(self.bytes(), End::Close) }
    }
}
