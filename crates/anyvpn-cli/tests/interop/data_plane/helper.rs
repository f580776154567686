//! A helper in a namespace: the test binary itself, which listens and connects there.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Tells a test of this file that it runs as a helper in a namespace.
const HELPER: &str = "ANYVPN_DATA_PLANE_HELPER";
/// How long a connection may take. The sandbox's own check waits equally long.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long to wait for an answer to a packet, and how often to repeat it.
const PACKETS: (Duration, u32) = (Duration::from_millis(100), 10);
/// The first packet of a uTP connection, the rest of which can be anything.
const UTP_SYN: [u8; 20] = [0x41, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0];

/// Runs the test [`helper`] in a namespace. It reads one line at a time, and answers each with a
/// line.
pub struct Helper {
    pub process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Helper {
    pub fn start(enter: &[String]) -> Helper {
        let mut command = Command::new(&enter[0]);
        command.args(&enter[1..]).arg(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "--nocapture", "data_plane::helper::helper"]);
        let command = command.env(HELPER, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Helper { process, stdin, stdout: BufReader::new(stdout) }
    }

    pub fn ask(&mut self, line: &str) -> String {
        writeln!(self.stdin, "{line}").unwrap();
        loop {
            let mut answer = String::new();
            assert_ne!(self.stdout.read_line(&mut answer).unwrap(), 0, "the helper ended");
            if let Some(answer) = answer.trim_end().strip_prefix("helper: ") {
                return answer.to_owned();
            }
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "it is the helper in a namespace"]
fn helper() {
    if std::env::var_os(HELPER).is_none() {
        return;
    }
    let mut listeners: Vec<Listener> = Vec::new();
    let mut held = None;
    println!();
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words[..] {
            ["listen-tcp", address] => done(Listener::tcp(address).map(|it| listeners.push(it))),
            ["listen-udp", address] => done(Listener::udp(address).map(|it| listeners.push(it))),
            ["stop"] => {
                listeners.clear();
                done(Ok(()))
            }
            ["reach", address] => reach(address),
            ["hold", address] => {
                exchange(held.insert((tcp(address).unwrap(), udp(address).unwrap())))
            }
            ["reach-with-held", address] => thread::scope(|scope| {
                let held = scope.spawn(|| exchange(held.as_ref().unwrap()));
                format!("{} {}", reach(address), held.join().unwrap())
            }),
            // Send a packet that starts a connection, and expect the start of one that confirms it.
            ["utp", address] => arrived(udp(address).and_then(|it| by_udp(&it, &UTP_SYN, &[0x21]))),
            ["bittorrent", address, hash] => {
                by_bittorrent(address, hash).unwrap_or_else(|_| "lost".to_owned())
            }
            _ => panic!("{line}"),
        };
        println!("helper: {answer}");
    }
}

fn done(result: io::Result<()>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "ok".to_owned())
}

fn arrived(result: io::Result<()>) -> String {
    if result.is_ok() { "arrived" } else { "lost" }.to_owned()
}

/// Returns whether data comes back by TCP and by UDP. Both are tried at once, because waiting for a
/// lost reply takes time.
fn both(
    tcp: impl FnOnce() -> io::Result<()> + Send,
    udp: impl FnOnce() -> io::Result<()>,
) -> String {
    thread::scope(|scope| {
        let tcp = scope.spawn(tcp);
        let udp = arrived(udp());
        format!("{} {udp}", arrived(tcp.join().unwrap()))
    })
}

/// Uses new connections.
fn reach(address: &str) -> String {
    let udp = || udp(address).and_then(|socket| by_udp(&socket, b"hello", b"hello"));
    both(|| tcp(address).and_then(|stream| by_tcp(&stream)), udp)
}

/// Uses existing connections.
fn exchange((stream, socket): &(TcpStream, UdpSocket)) -> String {
    both(|| by_tcp(stream), || by_udp(socket, b"hello", b"hello"))
}

/// A program that echoes what it receives.
struct Listener {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    fn tcp(address: &str) -> io::Result<Listener> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Listener::run(move || {
            if let Ok((stream, _)) = listener.accept() {
                // A check connects without sending anything.
                thread::spawn(move || send_back(&stream));
            }
        }))
    }

    fn udp(address: &str) -> io::Result<Listener> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Listener::run(move || {
            let mut packet = [0; 64];
            if let Ok((length, peer)) = socket.recv_from(&mut packet) {
                let _ = socket.send_to(&packet[..length], peer);
            }
        }))
    }

    fn run(serve: impl Fn() + Send + 'static) -> Listener {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                serve();
                thread::sleep(Duration::from_millis(2));
            }
        });
        Listener { ended, thread: Some(thread) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn send_back(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    for line in BufReader::new(stream).lines() {
        writeln!(stream, "{}", line?)?;
    }
    Ok(())
}

fn tcp(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address.parse().unwrap(), CONNECT_LIMIT)?;
    stream.set_read_timeout(Some(CONNECT_LIMIT))?;
    Ok(stream)
}

fn udp(address: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(PACKETS.0))?;
    Ok(socket)
}

/// Sends a line, which must be echoed.
fn by_tcp(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(b"hello\n")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    match answer == "hello\n" {
        true => Ok(()),
        false => Err(io::Error::other(format!("the answer is {answer:?}"))),
    }
}

/// Sends a packet repeatedly until a reply with the expected start arrives.
fn by_udp(socket: &UdpSocket, packet: &[u8], expected: &[u8]) -> io::Result<()> {
    let mut answer = [0; 64];
    for _ in 0..PACKETS.1 {
        // The reply shows whether an earlier packet was refused or this one arrived.
        let _ = socket.send(packet);
        match socket.recv(&mut answer) {
            Ok(length) if answer[..length].starts_with(expected) => return Ok(()),
            _ => {}
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Returns the id of the peer that answers the handshake for a torrent, up to the first byte that
/// is not text.
fn by_bittorrent(address: &str, hash: &str) -> io::Result<String> {
    let mut stream = tcp(address)?;
    let hash = (0..20).map(|at| u8::from_str_radix(&hash[2 * at..2 * at + 2], 16).unwrap());
    let hash: Vec<u8> = hash.collect();
    let head = [&b"\x13BitTorrent protocol"[..], &[0; 8], &hash, b"-XX0000-abcdefghijkl"].concat();
    stream.write_all(&head)?;
    let mut answer = [0; 68];
    stream.read_exact(&mut answer)?;
    assert_eq!(answer[28..48], hash);
    Ok(String::from_utf8_lossy(&answer[48..56]).into_owned())
}
