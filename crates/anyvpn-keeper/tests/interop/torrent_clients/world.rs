//! A network of three parts: this machine, a tunnel, and an outside peer with a tracker.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyvpn_keeper::{Tunnel, find_tunnel};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::run;

/// How long a program may take for any step.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The tunnel's address, and another one.
pub const ADDRESS: &str = "10.66.0.2";
pub const OTHER_ADDRESS: &str = "10.66.0.9";
/// A folder with another Debian release, whose programs are used instead of this machine's.
const CHROOT: &str = "ANYVPN_KEEPER_CHROOT";

pub struct World {
    /// The folder for files, as this test sees it.
    pub folder: PathBuf,
    /// The same folder, as the programs see it.
    pub seen: String,
    chroot: Option<PathBuf>,
    announced: Arc<Mutex<Vec<u16>>>,
}

impl World {
    /// Sets up the network. We already have our own namespaces.
    pub fn new() -> World {
        run("mount", &["-t", "tmpfs", "tmpfs", "/run"]);
        run("ip", &["link", "set", "lo", "up"]);
        run("ip", &["netns", "add", "outside"]);
        let chroot = std::env::var_os(CHROOT).map(PathBuf::from);
        let root = chroot.clone().unwrap_or_else(|| "/".into());
        let at = |name: &str| root.join(name).display().to_string();
        if chroot.is_some() {
            run("mount", &["-t", "proc", "proc", &at("proc")]);
            run("mount", &["--rbind", "/dev", &at("dev")]);
        }
        run("mount", &["-t", "tmpfs", "tmpfs", &at("tmp")]);
        let (folder, seen) = (root.join("tmp"), "/tmp".to_owned());
        let world = World { folder, seen, chroot, announced: Arc::default() };
        world.make_tunnel(ADDRESS);
        world.start_tracker();
        world
    }

    /// Creates the tunnel, and replaces it if there is one.
    pub fn make_tunnel(&self, address: &str) -> Tunnel {
        let _ = Command::new("ip").args(["link", "delete", "tun0"]).stderr(Stdio::null()).status();
        let pair =
            ["link", "add", "tun0", "type", "veth", "peer", "name", "far", "netns", "outside"];
        run("ip", &pair);
        run("ip", &["address", "add", &format!("{address}/24"), "dev", "tun0"]);
        run("ip", &["link", "set", "tun0", "up"]);
        // Without it, Transmission 4.1.4 does not reply to uTP.
        run("ip", &["route", "add", "default", "via", "10.66.0.1"]);
        run("ip", &["-n", "outside", "address", "add", "10.66.0.1/24", "dev", "far"]);
        run("ip", &["-n", "outside", "link", "set", "far", "up"]);
        self.tunnel()
    }

    pub fn tunnel(&self) -> Tunnel {
        find_tunnel("tun0").unwrap().unwrap()
    }

    /// Creates a file for the programs, and returns its path as they see it.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        format!("{}/{name}", self.seen)
    }

    fn command(&self, program: &str) -> Command {
        let Some(root) = &self.chroot else { return Command::new(program) };
        let mut command = Command::new("chroot");
        command.arg(root).arg(program);
        command
    }

    /// Returns what a program prints about its version.
    pub fn version(&self, program: &str) -> String {
        let said = self.command(program).arg("--version").output().unwrap();
        [said.stdout, said.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    }

    /// Starts a program, and waits until a port of this machine is open.
    pub fn start(&self, program: &str, arguments: &[&str], ready: u16) -> Child {
        let log = std::fs::File::create(self.folder.join(format!("{program}.log"))).unwrap();
        let mut command = self.command(program);
        command.args(arguments).env("HOME", &self.seen).stdin(Stdio::null());
        let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", ready)).is_err() {
            assert!(
                child.try_wait().unwrap().is_none() && Instant::now() < until,
                "{}",
                self.log(program)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// Returns the output of a program.
    pub fn log(&self, program: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("{program}.log"))).unwrap_or_default()
    }

    /// Returns the ports that were announced since the last call.
    pub fn announced(&self) -> Vec<u16> {
        std::mem::take(&mut *self.announced.lock().unwrap())
    }

    /// Waits until a port is announced.
    pub fn wait_for_announcement(&self, port: u16) {
        let until = Instant::now() + PATIENCE;
        while !self.announced.lock().unwrap().contains(&port) {
            assert!(Instant::now() < until, "announced: {:?}", self.announced());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn start_tracker(&self) {
        let announced = Arc::clone(&self.announced);
        std::thread::spawn(move || {
            go_outside();
            let listener = TcpListener::bind("0.0.0.0:6969").unwrap();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 2048];
                let length = stream.read(&mut request).unwrap_or_default();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let port =
                    request.split(['?', '&', ' ']).find_map(|pair| pair.strip_prefix("port="));
                announced.lock().unwrap().extend(port.and_then(|port| port.parse::<u16>().ok()));
                let body = "d8:intervali1800e12:min intervali1e5:peers0:e";
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
    }
}

/// Moves this thread to the other end of the tunnel.
fn go_outside() {
    let namespace = std::fs::File::open("/run/netns/outside").unwrap();
    let network = Some(LinkNameSpaceType::Network);
    move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), network).unwrap();
}

/// Returns whether an outside peer can connect to the port through the tunnel.
pub fn is_open_tcp(address: &str, port: u16) -> bool {
    let address: SocketAddr = format!("{address}:{port}").parse().unwrap();
    let outside = std::thread::spawn(move || {
        go_outside();
        TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
    });
    outside.join().unwrap()
}

/// Returns whether a client answers the start of a uTP connection from outside.
pub fn is_open_utp(address: &str, port: u16) -> bool {
    let address: SocketAddr = format!("{address}:{port}").parse().unwrap();
    let outside = std::thread::spawn(move || {
        go_outside();
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        // ST_SYN of version 1; the reply is ST_STATE.
        let mut syn = [0; 20];
        (syn[0], syn[3], syn[13], syn[17]) = (0x41, 7, 0xff, 1);
        socket.send_to(&syn, address).unwrap();
        let mut reply = [0; 64];
        socket.recv_from(&mut reply).is_ok_and(|_| reply[0] == 0x21)
    });
    outside.join().unwrap()
}

/// Sends a POST with curl, which must succeed, and returns the body.
pub fn post(url: &str, arguments: &[&str]) -> String {
    let common = ["--silent", "--show-error", "--fail", "--max-time", "10"];
    run("curl", &[&common[..], arguments, &[url]].concat())
}
