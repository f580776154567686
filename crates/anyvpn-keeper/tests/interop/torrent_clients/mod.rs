//! Torrent clients from Debian, each in its own namespaces, with a tunnel and a peer outside.

mod deluge;
mod laws;
mod qbittorrent;
mod rtorrent;
mod transmission;
mod world;

use std::process::Child;
use std::sync::Arc;

use anyvpn_core::SystemClock;
use anyvpn_keeper::{ClientSettings, TorrentClient, open_client};

use crate::{INSIDE, Program, in_namespaces, part};
use world::World;

const PASSWORD: &str = "made-up-pass";
const NEXT_PASSWORD: &str = "made-up-next";
/// The torrent that each client gets. Nobody has its data.
const MAGNET: &str = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&tr=http://10.66.0.1:6969/announce";

/// A program that the tests can start.
trait RealClient {
    /// Its name in the keeper's settings.
    fn kind(&self) -> &'static str;

    /// Writes its configuration with this port and password, as for its first start.
    fn configure(&self, world: &World, port: u16, password: &str);

    /// Starts it, and waits until it answers.
    fn start(&self, world: &World) -> Running;

    /// Adds the torrent.
    fn add_torrent(&self, world: &World);

    /// Sets the port as a user would, without changing anything else.
    fn set_by_hand(&self, world: &World, port: u16);

    /// Returns whether the settings that the keeper turns off are off.
    fn is_tidy(&self, world: &World) -> bool;

    /// Returns whether its UDP socket moves with its port.
    fn moves_udp(&self, _: &World) -> bool {
        true
    }

    /// Returns whether it announces a changed port by itself.
    fn announces_by_itself(&self, _: &World) -> bool {
        false
    }

    /// Returns whether it announces on request, even soon after the last time.
    fn announces_at_once(&self, _: &World) -> bool {
        true
    }

    /// Returns its address, and how to sign in.
    fn settings(&self, world: &World, password: &str) -> ClientSettings;

    fn open(&self, world: &World, password: &str) -> Arc<dyn TorrentClient> {
        open_client(self.kind(), &self.settings(world, password), Arc::new(SystemClock)).unwrap()
    }
}

/// Programs that are stopped when this value is dropped.
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const TOOLS: [Program; 4] =
    [("unshare", "util-linux"), ("ip", "iproute2"), ("curl", "curl"), ("ss", "iproute2")];

/// Runs a client's test in namespaces, if its programs are installed.
fn client(name: &str, programs: &[Program], inside: &str) {
    let programs = [&TOOLS, programs].concat();
    part(&format!("{name} listens where the keeper says"), &programs, || in_namespaces(inside));
}
