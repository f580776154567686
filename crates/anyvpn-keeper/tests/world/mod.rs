//! A client that replies byte for byte what a test tells it to, and a clock on which waiting takes
//! no time.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_keeper::{ClientSettings, Listen, TorrentClient, Tunnel, open_client};
use anyvpn_testkit::time::VirtualTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub const PASSWORD: &str = "canary-pass+word/1";

/// The limit on one request.
const PATIENCE: Duration = Duration::from_secs(10);

/// The next request that is expected, and its reply.
pub struct Step {
    /// The start of the request, and a text that it contains.
    pub expects: Vec<String>,
    /// The complete reply. Absent if there is none.
    pub reply: Option<Vec<u8>>,
}

/// A step: the parts of the request that are checked, and the reply.
pub fn step(expects: &[&str], reply: impl Into<Vec<u8>>) -> Step {
    let expects = expects.iter().map(|text| (*text).to_owned()).collect();
    Step { expects, reply: Some(reply.into()) }
}

/// Returns the bytes of a fixture, such as `qbittorrent/4.5.2/login.http`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Replaces a text in a reply by another of the same length.
pub fn edited(reply: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(reply.to_vec()).unwrap();
    assert!(text.contains(from) && from.len() == to.len(), "{from} in {text}");
    text.replace(from, to).into_bytes()
}

/// Returns a reply with this status line and JSON.
pub fn json(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n");
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A server on this machine.
pub struct Script {
    pub address: String,
    left: Arc<Mutex<Vec<Step>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Script {
    /// Listens, and answers each request with the next step.
    pub async fn start(steps: Vec<Step>) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let left = Arc::new(Mutex::new(steps));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (steps, heard) = (Arc::clone(&left), Arc::clone(&requests));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                heard.lock().unwrap().push(request.clone());
                let step = {
                    let mut steps = steps.lock().unwrap();
                    let is_next = steps.first().is_some_and(|step| fits(step, &request));
                    is_next.then(|| steps.remove(0))
                };
                match step.map(|step| step.reply) {
                    Some(Some(reply)) => {
                        let _ = stream.write_all(&reply).await;
                    }
                    Some(None) => {
                        // Silence, until the other side closes the connection.
                        let _ = stream.read(&mut [0]).await;
                    }
                    None => {
                        let _ = stream.write_all(&json("418 ", "\"not in the script\"")).await;
                    }
                }
            }
        });
        Script { address, left, requests }
    }

    /// Adds steps.
    pub fn then(&self, steps: Vec<Step>) {
        self.left.lock().unwrap().extend(steps);
    }

    /// Checks that every step was used and that nothing else was requested. Returns the requests
    /// since the last call.
    #[track_caller]
    pub fn finish(&self) -> Vec<String> {
        let left = self.left.lock().unwrap();
        let left: Vec<_> = left.iter().map(|step| &step.expects).collect();
        let requests = std::mem::take(&mut *self.requests.lock().unwrap());
        assert!(left.is_empty(), "not asked: {left:?}\nasked: {requests:#?}");
        requests
    }

    /// Returns a client of this kind at this server, in another network namespace, with a clock on
    /// which waiting takes no time.
    pub fn client(
        &self,
        kind: &str,
        change: impl FnOnce(&mut ClientSettings),
    ) -> Arc<dyn TorrentClient> {
        self.client_at(kind, &VirtualTime::default().with_endless(PATIENCE), change)
    }

    /// Returns the same client, with this clock.
    pub fn client_at(
        &self,
        kind: &str,
        time: &VirtualTime,
        change: impl FnOnce(&mut ClientSettings),
    ) -> Arc<dyn TorrentClient> {
        let address = match kind {
            "rtorrent" => self.address.clone(),
            _ => format!("http://{}", self.address),
        };
        let mut settings = ClientSettings::new(address);
        settings.same_network = false;
        change(&mut settings);
        open_client(kind, &settings, Arc::new(time.clone())).unwrap()
    }
}

fn fits(step: &Step, request: &str) -> bool {
    let mut expects = step.expects.iter();
    expects.next().is_none_or(|first| request.starts_with(first))
        && expects.all(|text| request.contains(text))
}

/// Reads an HTTP or SCGI request: the headers, and a body of the length that they announce.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if is_whole(&text) {
            return text;
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return text,
            Ok(length) => bytes.extend_from_slice(&part[..length]),
        }
    }
}

fn is_whole(request: &str) -> bool {
    let head = match request.split_once(':') {
        // SCGI: a netstring, then the body.
        Some((length, rest)) if length.parse::<usize>().is_ok() => {
            let length: usize = length.parse().unwrap();
            rest.get(..length).zip(rest.get(length + 1..))
        }
        _ => request.split_once("\r\n\r\n"),
    };
    let Some((head, body)) = head else { return false };
    let mut words = head.split(['\0', '\r', '\n', ':', ' ']).filter(|word| !word.is_empty());
    let named =
        words.find(|word| word.eq_ignore_ascii_case("content-length") || *word == "CONTENT_LENGTH");
    let length = named.and_then(|_| words.next()).map_or(0, |length| length.parse().unwrap());
    body.len() >= length
}

/// The port that all scripts use, on a tunnel that this machine does not have.
pub fn wanted() -> Listen {
    Listen::new(50_123, Tunnel::new("wg0", 7, vec!["10.66.0.2".parse().unwrap()]))
}
