//! Passes files that the command wrote to the programs that use them. Run by `cargo xtask interop`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod common;
#[path = "interop/data_plane/mod.rs"]
mod data_plane;
#[path = "interop/durability.rs"]
mod durability;
#[path = "../../anyvpn-core/tests/interop/gluetun.rs"]
mod gluetun;
#[path = "../../anyvpn-core/tests/interop/part.rs"]
mod part;
#[path = "common/schema.rs"]
mod schema;
#[path = "interop/systemd.rs"]
mod systemd;
#[path = "interop/user.rs"]
mod user;

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyvpn::{Interface, IpNet, Peer, PublicKey, WireGuardConfig};
use anyvpn_sandbox::vpnscript::{Profile, Server};
use common::ok;
use part::{Program, accepts, apart_script, is_root, part};
use user::User;

const OPENVPN: &[Program] = &[("openvpn", "openvpn")];
const OPENVPN_APART: &[Program] = &[("openvpn", "openvpn"), ("unshare", "util-linux")];
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
const SETCONF: &[Program] =
    &[("wg", "wireguard-tools"), ("wireguard-go", "wireguard-go"), ("unshare", "util-linux")];
const NETWORK_MANAGER: &[Program] = &[
    ("NetworkManager", "network-manager"),
    ("nmcli", "network-manager"),
    ("dbus-daemon", "dbus-daemon"),
    ("unshare", "util-linux"),
];
const QR: &[Program] = &[("zbarimg", "zbar-tools")];

/// Options for an OpenVPN profile.
const CREDENTIALS: [&[&str]; 2] = [&["--credentials", "file"], &["--credentials", "inline"]];

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_starts_to_connect_with_what_was_written() {
    part("openvpn starts to connect with VPN Script's profile in each form", OPENVPN, None, || {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let user = User::new();
        let usual = Server { port, ..Server::openvpn("Loopback") };
        let documented = Server { profile: Profile::AsDocumented, ..usual.clone() };
        let [usual, documented] = [usual, documented].map(|server| user.server(server));
        for form in CREDENTIALS {
            let compat = [form, &["--compat"]].concat();
            for (server, form) in [(&usual, form), (&usual, &*compat), (&documented, &compat)] {
                connects(&socket, &user.openvpn(server, form));
            }
        }
    });
}

/// Starts OpenVPN with a profile, and waits for its first packet.
fn connects(socket: &UdpSocket, file: &Path) {
    // Skip the packets of an earlier client.
    socket.set_nonblocking(true).unwrap();
    let mut packet = [0; 2048];
    while socket.recv(&mut packet).is_ok() {}
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut client = Openvpn::start(file);
    let received = socket.recv(&mut packet);
    let said = client.stop();
    let length = received.unwrap_or_else(|error| panic!("{error}: {said}"));
    // P_CONTROL_HARD_RESET_CLIENT_V2 with key 0: the client's session, no acknowledgements, and
    // packet 0.
    assert_eq!((length, packet[0]), (14, 7 << 3), "{said}");
    assert_eq!(packet[9..14], [0; 5], "{said}");
}

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_refuses_what_it_is_known_to_refuse() {
    part(
        "openvpn refuses VPN Script's documented sample, and asks without credentials",
        OPENVPN,
        None,
        || {
            let user = User::new();
            let documented =
                Server { profile: Profile::AsDocumented, ..Server::openvpn("As documented") };
            let documented = user.server(documented);
            let usual = user.server(Server::openvpn("Usual"));
            for (server, form, why) in [
                (
                    &documented,
                    &[][..],
                    "Options error: Unrecognized option or missing or extra parameter(s)",
                ),
                (&usual, &["--credentials", "none"], "neither stdin nor stderr are a tty device"),
            ] {
                let mut client = Openvpn::start(&user.openvpn(server, form));
                let deadline = Instant::now() + Duration::from_secs(20);
                while client.0.try_wait().unwrap().is_none() && Instant::now() < deadline {
                    sleep(Duration::from_millis(20));
                }
                let said = client.stop();
                assert!(said.contains(why), "{said}");
            }
        },
    );
}

#[test]
#[ignore = "for cargo xtask interop"]
fn openvpn_reads_the_profiles_of_pia_and_vpnresellers() {
    part(
        "openvpn reads PIA's and VPNresellers' profiles in each form",
        OPENVPN_APART,
        None,
        || {
            let user = User::new();
            // VPNresellers' profiles ask for them.
            let login = user.world.file("login", "acme_u1001\nsecret\n");
            for form in CREDENTIALS {
                let tcp = [form, &["--openvpn-port", "tcp/443"]].concat();
                let says = |file: PathBuf, words: &str| {
                    let said = tries_apart(&file, &login);
                    assert!(said.contains(words), "{words:?} is not in {said}");
                };
                says(user.pia("openvpn", form), "UDPv4 link remote: [AF_INET]203.0.113.1:8080");
                says(
                    user.vpnresellers("openvpn", form),
                    "UDPv4 link remote: [AF_INET]203.0.113.40:1194",
                );
                says(
                    user.vpnresellers("openvpn", &tcp),
                    "Attempting to establish TCP connection with [AF_INET]203.0.113.40:443",
                );
            }
        },
    );
}

#[test]
#[ignore = "for cargo xtask interop"]
fn networkmanager_imports_what_was_written() {
    part(
        "NetworkManager imports each form that is for it",
        NETWORK_MANAGER,
        Some("networkmanager.sh"),
        || {
            let user = User::new();
            let openvpn = user.server(Server::openvpn("Loopback"));
            let wireguard = user.server(Server::wireguard("Loopback"));
            let profile = |name: &str, credentials: &str| {
                let file = user.openvpn(&openvpn, &["--credentials", credentials]);
                let own = user.world.path(name);
                fs::copy(file, &own).unwrap();
                own
            };
            let tunnel = user.vpnscript(&wireguard, "wireguard", &[]);
            let renamed = user.world.path("a-name-of-more-than-15-characters.conf");
            fs::copy(&tunnel, &renamed).unwrap();
            let files = [
                ("openvpn", profile("file.ovpn", "file"), "ok"),
                ("openvpn", profile("none.ovpn", "none"), "ok"),
                ("openvpn", profile("inline.ovpn", "inline"), "no Error: failed to import"),
                ("wireguard", tunnel, "ok"),
                ("wireguard", user.azire("se-sto", &[]), "ok"),
                ("wireguard", renamed, "no Error: failed to import"),
                ("openvpn", user.pia("openvpn", &["--credentials", "file"]), "ok"),
                ("openvpn", user.vpnresellers("openvpn", &["--credentials", "file"]), "ok"),
                ("wireguard", user.pia("wireguard", &[]), "ok"),
                ("wireguard", user.vpnresellers("wireguard", &[]), "ok"),
            ];
            let mut run = apart_script("networkmanager.sh");
            files.iter().for_each(|(kind, file, _)| _ = run.arg(kind).arg(file));
            let said = String::from_utf8(accepts(&mut run).stdout).unwrap();
            for ((_, file, expected), said) in files.iter().zip(said.lines()) {
                assert!(said.starts_with(expected), "{}: {said}", file.display());
            }
            // It has the values of the files.
            for line in [
                "remote=127.0.0.1:1194",
                "connection-type=password",
                "interface-name=vpnscript",
                "endpoint=se-sto.azirevpn.example:51820",
                "remote=203.0.113.40:1194",
            ] {
                assert!(said.contains(line), "{line} is not in {said}");
            }
        },
    );
}

#[test]
#[ignore = "for cargo xtask interop"]
fn wg_sets_what_was_written_for_it() {
    part("wg setconf takes each provider's file in its form", SETCONF, Some("setconf.sh"), || {
        let user = User::new();
        let server = user
            .server(Server { address: Ipv4Addr::new(192, 0, 2, 1), ..Server::wireguard("Peer") });
        let form = ["--format", "setconf"].map(OsStr::new);
        let azire = [&form[..], &["--endpoint-port", "53"].map(OsStr::new)].concat();
        let files = [
            user.vpnscript(&server, "wireguard", &form),
            user.azire("se-sto", &azire),
            user.pia("wireguard", &["--format", "setconf"]),
            user.vpnresellers("wireguard", &["--format", "setconf"]),
        ];
        for file in files {
            let written = WireGuardConfig::parse(&fs::read_to_string(&file).unwrap()).unwrap();
            let ran = accepts(apart_script("setconf.sh").arg(&file));
            let set = WireGuardConfig::parse(&String::from_utf8(ran.stdout).unwrap()).unwrap();
            let peer = |config: &WireGuardConfig| {
                let Peer { public_key, allowed_ips, .. } = config.peers().remove(0);
                (config.private_key().public_key(), public_key, sorted(&allowed_ips))
            };
            assert_eq!(peer(&set), peer(&written));
        }
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn wg_quick_strips_what_was_written() {
    part("wg-quick strips each provider's file", STRIP, None, || {
        let user = User::new();
        let server = user.server(Server::wireguard("Loopback"));
        let files = [
            user.vpnscript(&server, "wireguard", &[]),
            user.azire("se-sto", &[]),
            user.pia("wireguard", &[]),
            user.vpnresellers("wireguard", &[]),
        ];
        for file in files {
            // It requires root even for this.
            let mut strip = Command::new(if is_root() { "env" } else { "unshare" });
            strip.args(if is_root() { &[][..] } else { &["--map-root-user"] });
            let ran = accepts(strip.args(["wg-quick", "strip"]).arg(&file).stdin(Stdio::null()));
            // It warns about files that other users can read.
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
    part(
        "wg-quick brings VPN Script's file up, and a ping goes through",
        TUNNEL,
        Some("tunnel.sh"),
        || {
            let user = User::new();
            let server =
                Server { address: Ipv4Addr::new(192, 0, 2, 1), ..Server::wireguard("Peer") };
            let id = user.server(server);
            let file = user.vpnscript(&id, "wireguard", &[]);
            let config = WireGuardConfig::parse(&fs::read_to_string(&file).unwrap()).unwrap();

            // Creates the other end of the tunnel: the server's key and its only peer.
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
        },
    );
}

#[test]
#[ignore = "for cargo xtask interop"]
fn a_tunnel_to_a_name_with_both_families_comes_up() {
    part("wg-quick brings AzireVPN's file up", TUNNEL, Some("tunnel.sh"), || {
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
fn gluetun_accepts_what_was_written_for_it() {
    part("gluetun's written rules accept each provider's variables", &[], None, || {
        let user = User::new();
        let server = user.server(Server::wireguard("Loopback"));
        let form = ["--format", "gluetun"];
        for (file, address, port) in [
            (user.vpnscript(&server, "wireguard", &form.map(OsStr::new)), "127.0.0.1", "51820"),
            (user.pia("wireguard", &form), "127.0.0.1", "1337"),
            (user.vpnresellers("wireguard", &form), "203.0.113.40", "51820"),
        ] {
            let text = fs::read_to_string(file).unwrap();
            let variables = gluetun::read(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
            assert_eq!(variables["WIREGUARD_ENDPOINT_IP"], address);
            assert_eq!(variables["WIREGUARD_ENDPOINT_PORT"], port);
        }
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn a_qr_picture_holds_the_file() {
    part("zbarimg reads the files back from their QR pictures", QR, None, || {
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
            assert_eq!(scanned(picture), fs::read_to_string(file).unwrap());
        }
        // Draws a picture of a terminal, with a dark border.
        let mut get = user.world.command(&["config", "get", "se-sto", "--qr"]);
        let file = user.world.path("beside.conf");
        let drawn = ok(get.arg("--output").arg(&file));
        let screen = user.world.path("screen.pgm");
        fs::write(&screen, screenshot(&drawn)).unwrap();
        assert_eq!(scanned(&screen), fs::read_to_string(file).unwrap());
    });
}

/// Returns the text that a QR code reader finds in a picture.
fn scanned(picture: &Path) -> String {
    let mut zbarimg = Command::new("zbarimg");
    zbarimg.args(["--quiet", "--nodbus", "--raw", "--oneshot", "-Sbinary"]).arg(picture);
    String::from_utf8(accepts(&mut zbarimg).stdout).unwrap()
}

/// Converts half blocks on a dark terminal to a PGM picture.
fn screenshot(text: &str) -> Vec<u8> {
    const DARK: usize = 6;
    const SCALE: usize = 6;
    let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let is_light = |y: usize, x: usize| {
        let line = y.checked_sub(DARK).and_then(|y| lines.get(y / 2));
        let cell = line.and_then(|line| line.get(x.checked_sub(DARK)?));
        match cell {
            Some('█') => true,
            Some('▀') => (y - DARK).is_multiple_of(2),
            Some('▄') => !(y - DARK).is_multiple_of(2),
            _ => false,
        }
    };
    let (height, width) = (2 * lines.len() + 2 * DARK, lines[0].len() + 2 * DARK);
    let mut picture = format!("P5 {} {} 255\n", width * SCALE, height * SCALE).into_bytes();
    for y in 0..height * SCALE {
        picture.extend((0..width * SCALE).map(|x| u8::from(is_light(y / SCALE, x / SCALE)) * 255));
    }
    picture
}

/// Returns what a client says in two seconds. It runs in a network of its own, because the server in the file
/// does not exist in this test.
fn tries_apart(file: &Path, login: &str) -> String {
    let mut client = Command::new("timeout");
    client.args(["2", "unshare", "--net", "--map-root-user", "openvpn", "--cd"]);
    client.arg(file.parent().unwrap()).arg("--config").arg(file).args(["--auth-user-pass", login]);
    let ran = client.stdin(Stdio::null()).output().unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

/// A running client, which is stopped at the end of the test.
struct Openvpn(Child);

impl Openvpn {
    fn start(file: &Path) -> Openvpn {
        let mut client = Command::new("openvpn");
        // OpenVPN looks for the credentials there.
        client.arg("--cd").arg(file.parent().unwrap()).arg("--config").arg(file);
        client.stdin(Stdio::null());
        Openvpn(client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Stops the client, and returns its output.
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

/// Brings a tunnel up, and returns the state that wg and the system report.
fn tunnel(name: &str, file: &Path, server: &[&str]) -> String {
    let mut run = apart_script("tunnel.sh");
    run.arg(name).arg(file.file_stem().unwrap()).arg(file).args(server);
    String::from_utf8(accepts(&mut run).stdout).unwrap()
}

/// Returns whether the system has everything in the file, and wg nothing more.
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
