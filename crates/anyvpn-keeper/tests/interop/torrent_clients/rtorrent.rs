//! rTorrent.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyvpn_keeper::{ClientError, ClientSettings};

use super::world::World;
use super::{INSIDE, RealClient, Running, client, laws};

/// A torrent with one file and the outside tracker.
const TORRENT: &[u8] =
    b"d8:announce30:http://10.66.0.1:6969/announce4:infod6:lengthi16384e4:name4:file\
    12:piece lengthi16384e6:pieces20:0123456789abcdefghijee";

struct RTorrent;

#[test]
#[ignore = "it needs rtorrent: cargo xtask interop"]
fn rtorrent_listens() {
    client("rTorrent", &[("rtorrent", "rtorrent")], "torrent_clients::rtorrent::inside_rtorrent");
}

#[tokio::test]
#[ignore = "it is run inside a namespace by another test"]
async fn inside_rtorrent() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let world = World::new();
    if only_a_restart_helps(&world).await {
        return;
    }
    laws::hold(&RTorrent, &world).await;
}

/// The versions between 0.9.8 and 0.16.18 cannot move, and the keeper says what to do.
async fn only_a_restart_helps(world: &World) -> bool {
    RTorrent.configure(world, 50_100, "");
    let _running = RTorrent.start(world);
    let keeper = RTorrent.open(world, "");
    let wanted = laws::wanted(&RTorrent, world, 50_123);
    let version = keeper.observe(&wanted).await.unwrap().version.unwrap();
    if version == "0.9.8" {
        return false;
    }
    let error = keeper.listen_on(&wanted).await.unwrap_err();
    let ClientError::Unable(why) = error else { panic!("{version}: {error}") };
    assert!(why.contains("network.port_range.set = 50123-50123"), "{why}");
    true
}

/// Calls a method as a user on this machine, with texts as parameters.
fn call(method: &str, params: &[&str]) -> String {
    let params: String = params
        .iter()
        .map(|param| format!("<param><value><string>{param}</string></value></param>"))
        .collect();
    let body = format!(
        "<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
    );
    let head = format!("CONTENT_LENGTH\0{}\0SCGI\x001\0", body.len());
    let mut stream = TcpStream::connect("127.0.0.1:15000").unwrap();
    write!(stream, "{}:{head},{body}", head.len()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(!reply.contains("faultCode"), "{method}: {reply}");
    reply
}

impl RealClient for RTorrent {
    fn kind(&self) -> &'static str {
        "rtorrent"
    }

    fn configure(&self, world: &World, port: u16, _: &str) {
        let seen = &world.seen;
        for folder in ["session", "downloads"] {
            let _ = std::fs::remove_dir_all(world.folder.join(folder));
            std::fs::create_dir(world.folder.join(folder)).unwrap();
        }
        std::fs::write(world.folder.join("one.torrent"), TORRENT).unwrap();
        let text = format!(
            "system.daemon.set = true\nsession.path.set = {seen}/session\n\
             directory.default.set = {seen}/downloads\nnetwork.port_range.set = {port}-{port}\n\
             network.port_random.set = no\ndht.mode.set = disable\nprotocol.pex.set = no\n\
             trackers.use_udp.set = no\nnetwork.scgi.open_port = 127.0.0.1:15000\n"
        );
        world.write("rtorrent.rc", &text);
    }

    fn start(&self, world: &World) -> Running {
        let import = format!("import={}/rtorrent.rc", world.seen);
        Running(vec![world.start("rtorrent", &["-n", "-o", &import], 15_000)])
    }

    fn add_torrent(&self, world: &World) {
        call("load.start", &["", &format!("{}/one.torrent", world.seen)]);
    }

    fn set_by_hand(&self, _: &World, port: u16) {
        call("network.port_range.set", &["", &format!("{port}-{port}")]);
        call("network.bind_address.set", &["", "0.0.0.0"]);
    }

    fn is_tidy(&self, _: &World) -> bool {
        call("network.port_random", &[""]).contains("<i8>0</i8>")
    }

    /// It has no uTP.
    fn moves_udp(&self, _: &World) -> bool {
        false
    }

    fn settings(&self, _: &World, _: &str) -> ClientSettings {
        ClientSettings::new("127.0.0.1:15000")
    }
}
