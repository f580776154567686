//! A reply as bytes, and what is done with them.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};

/// What is sent, in order, and how it ends.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The status that is told, when a whole message is.
    pub(crate) status: Option<u16>,
    pub(crate) acts: Vec<Act>,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Bytes),
    /// Byte after byte, with this wait between them.
    Bytewise(Bytes, Duration),
    /// Again and again, with this wait in between, until the peer has gone.
    Endless(Bytes, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// FIN.
    Close,
    /// FIN, and the other direction stays open until the peer has gone.
    HalfClose,
    /// Nothing more is sent, and the peer waits for it in vain.
    Silence,
    /// Nothing more is due, and the connection stays open.
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

/// What was asked, as far as an answer repeats it.
#[derive(Clone, Debug)]
struct Asked {
    host: String,
    credential: String,
    body: String,
}

/// A whole answer, to be taken apart.
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
        // A script ends the connection, and a good client is told: it must not send the next
        // request into the end of this one.
        answer.status(status.as_u16()).length().with("connection", "close")
    }

    /// For a connection that stays open.
    pub(crate) fn kept(self) -> Answer {
        self.without("connection")
    }

    /// Where the request went: `HOST:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.asked.host
    }

    /// What the request brought: its credential and its body.
    pub(crate) fn echo(&self) -> String {
        format!("{} {}", self.asked.credential, self.asked.body)
    }

    pub(crate) fn status(mut self, status: u16) -> Answer {
        // The tables hold valid statuses; a line that is none is set with `line`.
        self.status = StatusCode::from_u16(status).unwrap_or(self.status);
        let reason = self.status.canonical_reason().unwrap_or("Status");
        self.line(format!("HTTP/1.1 {status} {reason}"))
    }

    /// Another status line.
    pub(crate) fn line(mut self, line: impl Into<String>) -> Answer {
        self.line = line.into();
        self
    }

    /// One more header, whatever its name and value hold.
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

    /// The body as JSON; a small object when there is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| serde_json::json!({ "status": "success" }))
    }

    /// The answer itself, or with a small object when it has no body.
    pub(crate) fn filled(self) -> Answer {
        match self.body.len() {
            0 => {
                let json = self.json().to_string();
                self.with_json(json)
            }
            _ => self,
        }
    }

    /// Another JSON text, as a whole and good message.
    pub(crate) fn with_json(self, text: impl Into<Vec<u8>>) -> Answer {
        let answer = match self.status {
            StatusCode::NO_CONTENT => self.status(200),
            _ => self,
        };
        answer.without("content-type").with("content-type", "application/json").body(text)
    }

    /// The length that the body has, where a message of its status may have one.
    fn length(self) -> Answer {
        let length = self.body.len().to_string();
        let answer = self.without("content-length");
        match answer.status {
            StatusCode::NO_CONTENT => answer,
            _ => answer.with("content-length", length),
        }
    }

    /// A length that is not the body's.
    pub(crate) fn with_length(self, length: impl AsRef<[u8]>) -> Answer {
        self.without("content-length").with("content-length", length)
    }

    /// The head of a body in chunks.
    pub(crate) fn chunked(self) -> Answer {
        self.without("content-length").with("transfer-encoding", "chunked")
    }

    /// Status line, headers, empty line.
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

    /// The whole message.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    /// Sends the head and these bytes.
    pub(crate) fn send(&self, body: impl AsRef<[u8]>, end: End) -> Script {
        Script::new([&self.head(), body.as_ref()].concat(), end)
    }

    /// Sends the whole message, and closes.
    pub(crate) fn whole(&self) -> Script {
        let status = Some(self.status.as_u16());
        Script { status, ..Script::new(self.bytes(), End::Close) }
    }
}
