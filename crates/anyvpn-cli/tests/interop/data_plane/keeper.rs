//! Runs `anyvpn port keep` in the client's network, with a torrent client.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::NEEDS;
use super::torrent::{CLIENTS, PATIENCE, QBITTORRENT, Running, curl, peer_id, qbittorrent};
use super::world::World;
use crate::part::part;

/// The address at which the keeper serves gluetun's API and its metrics.
const API: &str = "127.0.0.1:18000";

#[test]
#[ignore = "for cargo xtask interop"]
fn the_published_port_is_the_one_where_packets_arrive() {
    let name = "anyvpn port keep: qBittorrent is reached at the port that is published";
    part(name, CLIENTS, NEEDS, || {
        let mut world = World::start();
        world.connect_tunnel();
        // The port that the client starts with.
        world.port = 50_000;
        let _client = qbittorrent(&world);
        let mut keeper = keep(&world);
        for step in ["begin", "recreate the tunnel"] {
            if step != "begin" {
                world.bring("down");
                world.bring("up");
            }
            let deadline = Instant::now() + PATIENCE;
            loop {
                world.port = published(&world);
                if peer_id(&mut world).starts_with("-qB") {
                    break;
                }
                assert!(Instant::now() < deadline, "{step}: {}: nothing arrives", world.port);
            }
            let utp = format!("utp 198.51.100.1:{}", world.port);
            assert_eq!(world.internet.ask(&utp), "arrived", "{step}");
            assert!(world.is_open(), "{step}");
        }
        assert!(keeper.0.try_wait().unwrap().is_none(), "the keeper ended");
    });
}

fn keep(world: &World) -> Running {
    let client = format!("qbittorrent=http://{QBITTORRENT}");
    let key = world.folder.path().join("key");
    fs::write(&key, "made-up-key\n").unwrap();
    // The keeper refuses a secret that others can read.
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    let mut keeper = world.anyvpn(&["port", "keep", "--tunnel", "vpn", "--bind-clients"]);
    keeper.args(["--client", &client, "--state", "state", "--status-file", "port"]);
    keeper.args(["--api", API, "--api-key-file", "key"]);
    let keeper: Child = keeper.spawn().unwrap();
    Running(keeper)
}

/// Returns the port, on which file, API and metrics must agree.
fn published(world: &World) -> u16 {
    let read = || -> Option<u16> {
        let file = fs::read_to_string(world.folder.path().join("port")).ok()?.parse().ok()?;
        let ask = |path: &str| {
            let url = format!("http://{API}{path}");
            curl(world, &["--header", "X-API-Key: made-up-key", &url])
        };
        let api: serde_json::Value = serde_json::from_str(&ask("/v1/portforward")?).ok()?;
        let metrics = ask("/metrics")?;
        let metric = metrics.lines().find_map(|line| line.strip_prefix("anyvpn_port "))?;
        (api["port"] == file && metric.parse() == Ok(file)).then_some(file)
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(port) = read() {
            return port;
        }
        assert!(Instant::now() < deadline, "file, API and metric do not agree");
        sleep(Duration::from_millis(100));
    }
}
