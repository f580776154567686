//! Torrent clients as Debian has them, each in namespaces of its own, with a tunnel and somebody outside.

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
/// The torrent that each client has: nobody has its data.
const MAGNET: &str = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&tr=http://10.66.0.1:6969/announce";

/// A program that the tests can start.
trait RealClient {
    /// Its name in the keeper's settings.
    fn kind(&self) -> &'static str;

    /// Writes its configuration, with this port and password, as if it had never run.
    fn configure(&self, world: &World, port: u16, password: &str);

    /// Starts it, and waits until it answers.
    fn start(&self, world: &World) -> Running;

    /// Gives it the torrent.
    fn add_torrent(&self, world: &World);

    /// Sets the port as a person would, without anything else.
    fn set_by_hand(&self, world: &World, port: u16);

    /// Whether the settings that the keeper turns off are off.
    fn is_tidy(&self, world: &World) -> bool;

    /// Whether it has UDP that moves with its port.
    fn moves_udp(&self, _: &World) -> bool {
        true
    }

    /// Whether it announces a changed port by itself.
    fn announces_by_itself(&self, _: &World) -> bool {
        false
    }

    /// Whether it announces when it is asked to, also soon after the last time.
    fn announces_at_once(&self, _: &World) -> bool {
        true
    }

    /// Where it is, and how to sign in.
    fn settings(&self, world: &World, password: &str) -> ClientSettings;

    fn open(&self, world: &World, password: &str) -> Arc<dyn TorrentClient> {
        open_client(self.kind(), &self.settings(world, password), Arc::new(SystemClock)).unwrap()
    }
}

/// Programs that end with this.
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

/// Runs a client's test in namespaces, if its programs are there.
fn client(name: &str, programs: &[Program], inside: &str) {
    let programs = [&TOOLS, programs].concat();
    part(&format!("{name} listens where the keeper says"), &programs, || in_namespaces(inside));
}
