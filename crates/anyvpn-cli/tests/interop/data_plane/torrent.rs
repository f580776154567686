//! Torrent clients behind a forwarded port.

use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::NEEDS;
use super::world::World;
use crate::part::{Program, accepts, part};

pub const CLIENTS: &[Program] = &[
    ("wireguard-go", "wireguard-go"),
    ("conntrack", "conntrack"),
    ("curl", "curl"),
    ("qbittorrent-nox", "qbittorrent-nox"),
    ("transmission-daemon", "transmission-daemon"),
];
/// How long a client may take to respond.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A torrent that has no seeds.
const HASH: &str = "0123456789abcdef0123456789abcdef01234567";
pub const QBITTORRENT: &str = "127.0.0.1:18080";
const TRANSMISSION: &str = "127.0.0.1:18091";

#[test]
#[ignore = "for cargo xtask interop"]
fn torrent_clients_are_reached_from_the_internet() {
    part("qBittorrent and Transmission are reached through the tunnel", CLIENTS, NEEDS, || {
        let mut world = World::start();
        world.connect();
        for (start, peer) in [(qbittorrent as fn(&World) -> Running, "-qB"), (transmission, "-TR")]
        {
            let running = start(&world);
            // The torrent may need a moment to start.
            let deadline = Instant::now() + PATIENCE;
            let mut answer = peer_id(&mut world);
            while answer == "lost" && Instant::now() < deadline {
                answer = peer_id(&mut world);
            }
            assert!(answer.starts_with(peer), "{answer}");
            let utp = format!("utp 198.51.100.1:{}", world.port);
            assert_eq!(world.internet.ask(&utp), "arrived");
            assert!(world.is_open());

            // As soon as the port is closed, a new peer cannot connect.
            accepts(&mut world.anyvpn(&["port", "delete", &world.port.to_string()]));
            assert_eq!(peer_id(&mut world), "lost");
            assert_eq!(world.internet.ask(&utp), "lost");
            assert!(!world.is_open());
            drop(running);
            world.open_port();
        }
    });
}

/// Returns how the client identifies itself to a peer on the internet, or `lost`.
pub fn peer_id(world: &mut World) -> String {
    world.internet.ask(&format!("bittorrent 198.51.100.1:{} {HASH}", world.port))
}

/// A program that is stopped when this value is dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn qbittorrent(world: &World) -> Running {
    let folder = world.folder.path().join("qbittorrent");
    let config = folder.join("qBittorrent/config");
    fs::create_dir_all(&config).unwrap();
    let port = world.port;
    let text = format!(
        "[LegalNotice]\nAccepted=true\n[BitTorrent]\nSession\\Port={port}\nSession\\Interface=vpn\n\
         Session\\InterfaceName=vpn\nSession\\DHTEnabled=false\nSession\\LSDEnabled=false\n\
         [Network]\nPortForwardingEnabled=false\n[Preferences]\nWebUI\\Address=127.0.0.1\n\
         WebUI\\Port=18080\nWebUI\\LocalHostAuth=false\n"
    );
    fs::write(config.join("qBittorrent.conf"), text).unwrap();
    let profile = format!("--profile={}", folder.display());
    let running = Running(world.in_client("qbittorrent-nox", &[&profile]).spawn().unwrap());
    let add = format!("urls=magnet:?xt=urn:btih:{HASH}");
    let url = format!("http://{QBITTORRENT}/api/v2/torrents");
    until(|| curl(world, &["--data", &add, &format!("{url}/add")]).is_some_and(|it| it == "Ok."));
    until(|| curl(world, &[&format!("{url}/info")]).is_some_and(|it| it.contains(HASH)));
    running
}

fn transmission(world: &World) -> Running {
    let folder = world.folder.path().join("transmission");
    fs::create_dir_all(&folder).unwrap();
    let settings = serde_json::json!({
        "rpc-bind-address": "127.0.0.1", "rpc-port": 18091, "rpc-authentication-required": false,
        "rpc-whitelist-enabled": false, "peer-port": world.port, "dht-enabled": false,
        "lpd-enabled": false, "port-forwarding-enabled": false,
        "download-dir": folder, "incomplete-dir": folder,
    });
    fs::write(folder.join("settings.json"), settings.to_string()).unwrap();
    let settings = folder.to_string_lossy();
    let arguments = ["--foreground", "--config-dir", &settings];
    let running = Running(world.in_client("transmission-daemon", &arguments).spawn().unwrap());
    let url = format!("http://{TRANSMISSION}/transmission/rpc");
    let add = serde_json::json!({
        "method": "torrent-add", "arguments": { "filename": format!("magnet:?xt=urn:btih:{HASH}") },
    })
    .to_string();
    until(|| {
        // The first answer contains the session id for the second call.
        let headers = curl(world, &["--dump-header", "-", &url]).unwrap_or_default();
        let session = headers.lines().find(|line| line.starts_with("X-Transmission-Session-Id"));
        let session = session.unwrap_or("X-None: none").trim();
        curl(world, &["--header", session, "--data", &add, &url])
            .is_some_and(|it| it.contains("success"))
    });
    running
}

/// Returns the reply of a URL in the client's network, or `None` if there is no reply.
pub fn curl(world: &World, arguments: &[&str]) -> Option<String> {
    let ran = world.in_client("curl", &["--silent", "--max-time", "5"]).args(arguments).output();
    let ran = ran.unwrap();
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}

pub fn until(is_done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_done() {
        assert!(Instant::now() < deadline, "the client does not start");
        sleep(Duration::from_millis(50));
    }
}
