//! Files that the command wrote, given to the programs they are for: `cargo xtask interop`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod common;

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyvpn::{Interface, IpNet, Peer, WireGuardConfig};
use anyvpn_sandbox::vpnscript::{Profile, Server};
use common::{World, command, ok};

/// A program, and the Debian package that has it.
type Program = (&'static str, &'static str);

const OPENVPN: &[Program] = &[("openvpn", "openvpn")];
const STRIP: &[Program] = &[("wg", "wireguard-tools"), ("wg-quick", "wireguard-tools")];
const TUNNEL: &[Program] = &[
    ("wg", "wireguard-tools"),
    ("wg-quick", "wireguard-tools"),
    ("wireguard-go", "wireguard-go"),
    ("ip", "iproute2"),
    ("ping", "iputils-ping"),
    ("nft", "nftables"),
    ("resolvconf", "openresolv"),
    ("unshare", "util-linux"),
];
const QR: &[Program] = &[("zbarimg", "zbar-tools")];

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/tunnel.sh");

/// Runs a part, or says why not. What could not be tried has not passed: the report tells the two
/// apart, and without a report it is a failure.
fn part(name: &str, programs: &[Program], run: impl FnOnce()) {
    let missing: Vec<&Program> = programs.iter().filter(|(it, _)| !is_there(it)).collect();
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let why = if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
        format!("there is no {}: apt-get install {}", names.join(", "), packages.join(" "))
    } else if let Some(why) = (programs == TUNNEL).then(no_tunnels).flatten() {
        format!("this machine has no tunnels to try: {why}")
    } else {
        run();
        return report(&format!("passed\t{name}\n"));
    };
    report(&format!("skipped\t{name}: {why}\n"));
}

fn report(line: &str) {
    match std::env::var_os("ANYVPN_INTEROP_REPORT") {
        Some(path) => {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        None => assert!(line.starts_with("passed"), "{line}"),
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn no_tunnels() -> Option<String> {
    let tried = apart().args(["sh", SCRIPT]).output().unwrap();
    (!tried.status.success()).then(|| String::from_utf8_lossy(&tried.stderr).trim().to_owned())
}

/// Begins a command in namespaces of its own, which end with it, as root in them.
fn apart() -> Command {
    let mut command = Command::new("timeout");
    command.args(["60", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]);
    if !is_root() {
        command.arg("--map-root-user");
    }
    command.stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// Runs a program that must accept what it gets.
fn accepts(command: &mut Command) -> Output {
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
    ran
}

/// A user of both providers.
struct User {
    world: World,
    token: String,
}

impl User {
    fn new() -> User {
        let world = World::new();
        let vpnscript = world.sandbox.vpnscript();
        vpnscript.set_job_duration(Duration::ZERO);
        let token = vpnscript.add_account("liam", "hunter2-canary").token;
        User { world, token }
    }

    /// Adds a server of VPN Script.
    fn server(&self, server: Server) -> String {
        self.world.sandbox.vpnscript().add_server(server).to_string()
    }

    /// What `config get` writes for a server of VPN Script.
    fn vpnscript(&self, server: &str, protocol: &str, more: &[&OsStr]) -> PathBuf {
        let url = self.world.sandbox.vpnscript_url();
        let mut get = command(&["config", "get", server, "--protocol", protocol]);
        get.env("ANYVPN_VPNSCRIPT_URL", url).env("ANYVPN_VPNSCRIPT_TOKEN", &self.token);
        self.write(get, "vpnscript.conf", more)
    }

    /// What `config get` writes for a location of AzireVPN.
    fn azire(&self, location: &str, more: &[&OsStr]) -> PathBuf {
        self.write(self.world.command(&["config", "get", location]), "azire.conf", more)
    }

    fn write(&self, mut get: Command, name: &str, more: &[&OsStr]) -> PathBuf {
        let path = self.world.path(name);
        ok(get.arg("--output").arg(&path).args(more));
        path
    }
}

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_starts_to_connect_with_what_was_written() {
    part("openvpn starts to connect with VPN Script's profile", OPENVPN, || {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let user = User::new();
        let server = user.server(Server { port, ..Server::openvpn("Loopback") });
        let file = user.vpnscript(&server, "openvpn", &[]);

        let mut client = Openvpn::start(&file);
        let mut packet = [0; 2048];
        let received = socket.recv(&mut packet);
        let said = client.stop();
        let length = received.unwrap_or_else(|error| panic!("{error}: {said}"));
        // P_CONTROL_HARD_RESET_CLIENT_V2 with key 0: the client's session, no acknowledgements,
        // and packet 0.
        assert_eq!((length, packet[0]), (14, 7 << 3), "{said}");
        assert_eq!(packet[9..14], [0; 5], "{said}");
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_refuses_what_it_is_known_to_refuse() {
    part("openvpn refuses VPN Script's documented sample", OPENVPN, || {
        let user = User::new();
        let server = Server { profile: Profile::AsDocumented, ..Server::openvpn("As documented") };
        let file = user.vpnscript(&user.server(server), "openvpn", &[]);
        let mut client = Openvpn::start(&file);
        let deadline = Instant::now() + Duration::from_secs(20);
        while client.0.try_wait().unwrap().is_none() && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
        let said = client.stop();
        assert!(said.contains("Options error") && said.contains("block-outside-dns"), "{said}");
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn wg_quick_strips_what_was_written() {
    part("wg-quick strips VPN Script's and AzireVPN's files", STRIP, || {
        let user = User::new();
        let server = user.server(Server::wireguard("Loopback"));
        let files = [user.vpnscript(&server, "wireguard", &[]), user.azire("se-sto", &[])];
        for file in files {
            // It asks for root even here.
            let mut strip = Command::new(if is_root() { "env" } else { "unshare" });
            strip.args(if is_root() { &[][..] } else { &["--map-root-user"] });
            let ran = accepts(strip.args(["wg-quick", "strip"]).arg(&file).stdin(Stdio::null()));
            // It warns of files that others can read.
            assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
            let written = fs::read_to_string(&file).unwrap();
            let own = |line: &&str| !line.starts_with("Address") && !line.starts_with("DNS");
            let expected: Vec<_> = written.lines().filter(own).collect();
            let stripped = String::from_utf8(ran.stdout).unwrap();
            assert_eq!(stripped.trim_end().lines().collect::<Vec<_>>(), expected);
        }
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn a_tunnel_from_a_written_file_carries_a_ping() {
    part("wg-quick brings VPN Script's file up, and a ping goes through", TUNNEL, || {
        let user = User::new();
        let server = Server { address: Ipv4Addr::new(192, 0, 2, 1), ..Server::wireguard("Peer") };
        let id = user.server(server);
        let file = user.vpnscript(&id, "wireguard", &[]);
        let config = WireGuardConfig::parse(&fs::read_to_string(&file).unwrap()).unwrap();

        // The other end: the server's key, and the one peer that the server has.
        let key = user.world.sandbox.vpnscript().server_key(id.parse().unwrap());
        let interface = Interface {
            private_key: key.parse().unwrap(),
            addresses: Vec::new(),
            dns: Vec::new(),
            mtu: None,
            listen_port: Some(51820),
        };
        let peer = Peer {
            public_key: config.private_key().public_key(),
            preshared_key: config.peers()[0].preshared_key.clone(),
            allowed_ips: config.addresses(),
            endpoint: None,
            persistent_keepalive: None,
        };
        let other = WireGuardConfig::new(interface, vec![peer]);
        let other = user.world.file("server.conf", other.to_secret().expose());

        let up = tunnel("peer.example", &file, &[&other, "10.66.0.1"]);
        is_what_was_written(&up, &config);
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn a_tunnel_to_a_name_with_both_families_comes_up() {
    part("wg-quick brings AzireVPN's file up", TUNNEL, || {
        let user = User::new();
        let more = ["--mtu", "1380", "--keepalive", "25"].map(OsStr::new);
        let file = user.azire("se-sto", &more);
        let mut config = WireGuardConfig::parse(&fs::read_to_string(&file).unwrap()).unwrap();
        let up = tunnel("se-sto.azirevpn.example", &file, &[]);
        config.set_endpoint(0, "192.0.2.1:51820".parse().unwrap()).unwrap();
        is_what_was_written(&up, &config);
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn a_qr_picture_holds_the_file() {
    part("zbarimg reads the files back from their QR pictures", QR, || {
        let user = User::new();
        let server = user.server(Server::wireguard("Loopback"));
        let picture = |name: &str| user.world.path(name);
        let pictures = [picture("vpnscript.png"), picture("azire.png")];
        let qr = |picture: &PathBuf| ["--qr-file".into(), picture.clone().into_os_string()];
        let [first, second] = pictures.each_ref().map(qr);
        let files = [
            user.vpnscript(&server, "wireguard", &first.each_ref().map(AsRef::as_ref)),
            user.azire("se-sto", &second.each_ref().map(AsRef::as_ref)),
        ];
        for (file, picture) in files.iter().zip(&pictures) {
            let mut zbarimg = Command::new("zbarimg");
            zbarimg.args(["--quiet", "--nodbus", "--raw", "--oneshot", "-Sbinary"]).arg(picture);
            let read = accepts(&mut zbarimg).stdout;
            assert_eq!(String::from_utf8(read).unwrap(), fs::read_to_string(file).unwrap());
        }
    });
}

/// A running client, which ends with the test.
struct Openvpn(Child);

impl Openvpn {
    fn start(file: &Path) -> Openvpn {
        let mut client = Command::new("openvpn");
        client.arg("--config").arg(file).stdin(Stdio::null());
        Openvpn(client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Ends it, and gives what it said.
    fn stop(&mut self) -> String {
        let _ = self.0.kill();
        let mut said = String::new();
        let stdout = self.0.stdout.take();
        stdout.map(|mut it| std::io::Read::read_to_string(&mut it, &mut said));
        let _ = self.0.wait();
        said
    }
}

impl Drop for Openvpn {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Brings a tunnel up, and gives what wg and the system have then.
fn tunnel(name: &str, file: &Path, server: &[&str]) -> String {
    let mut run = apart();
    run.args(["sh", SCRIPT, name]).arg(file.file_stem().unwrap()).arg(file).args(server);
    String::from_utf8(accepts(&mut run).stdout).unwrap()
}

/// Whether the system has all of the file, and wg nothing else.
fn is_what_was_written(up: &str, written: &WireGuardConfig) {
    let wg = WireGuardConfig::parse(up).unwrap();
    assert_eq!(wg.private_key().public_key(), written.private_key().public_key());
    assert_eq!(wg.peers().len(), written.peers().len());
    for (wg, written) in wg.peers().iter().zip(written.peers()) {
        assert_eq!(wg.public_key, written.public_key);
        let shared =
            |peer: &Peer| Some(peer.preshared_key.as_ref()?.to_secret().expose().to_owned());
        assert_eq!(shared(wg), shared(&written));
        assert_eq!(sorted(&wg.allowed_ips), sorted(&written.allowed_ips));
        assert_eq!(wg.endpoint, written.endpoint);
        assert_eq!(wg.persistent_keepalive, written.persistent_keepalive);
    }
    let addresses = written.addresses().into_iter().map(|it| format!(" {it} "));
    let resolvers = written.dns().into_iter().map(|it| format!("nameserver {it}\n"));
    let mtu = written.mtu().map(|it| format!(" mtu {it} "));
    for text in addresses.chain(resolvers).chain(mtu) {
        assert!(up.contains(&text), "{text:?} is not in {up}");
    }
}

fn sorted(networks: &[IpNet]) -> Vec<IpNet> {
    let mut networks = networks.to_vec();
    networks.sort();
    networks
}
