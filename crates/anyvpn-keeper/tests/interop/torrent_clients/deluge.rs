//! Deluge: `deluged` and `deluge-web`.

use anyvpn_keeper::{ClientError, ClientSettings};
use std::os::unix::fs::PermissionsExt as _;

use super::world::{World, post};
use super::{INSIDE, MAGNET, NEXT_PASSWORD, PASSWORD, RealClient, Running, client, laws};

/// deluge-web's id for the daemon, and the daemon's key for this machine.
const HOST: &str = "0123456789abcdef0123456789abcdef";
const KEY: &str = "0123456789abcdef0123456789abcdef01234567";
/// SHA-1 of the salt and each password.
const HASHES: [(&str, &str); 2] = [
    (PASSWORD, "64adc3c96256799718e960f1dab3605efeda911a"),
    (NEXT_PASSWORD, "8f0f37685988a09ab12515d56a4ac2ccd9b58116"),
];

struct Deluge;

#[test]
#[ignore = "it needs deluged and deluge-web: cargo xtask interop"]
fn deluge_listens() {
    let programs = [("deluged", "deluged"), ("deluge-web", "deluge-web")];
    client("Deluge", &programs, "torrent_clients::deluge::inside_deluge");
}

#[tokio::test]
#[ignore = "it is run inside a namespace by another test"]
async fn inside_deluge() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let world = World::new();
    laws::hold(&Deluge, &world).await;
    laws::wrong_password_is_sent_once(&Deluge, &world).await;
    a_web_interface_without_a_daemon_is_unreachable(&world).await;
}

/// The daemon is restarted, and deluge-web must be connected to it again.
async fn a_web_interface_without_a_daemon_is_unreachable(world: &World) {
    Deluge.configure(world, 50_100, PASSWORD);
    let mut running = Deluge.start(world);
    let keeper = Deluge.open(world, PASSWORD);
    let wanted = laws::wanted(&Deluge, world, 50_123);
    keeper.observe(&wanted).await.unwrap();
    drop(Running(vec![running.0.remove(0)]));
    for _ in 0..2 {
        let error = keeper.observe(&wanted).await.unwrap_err();
        let ClientError::Unreachable(why) = error else { panic!("{error}") };
        assert!(why.contains("not connected to a daemon"), "{why}");
    }
    running.0.push(daemon(world));
    let state = keeper.listen_on(&wanted).await.unwrap();
    assert!(state.is_in_sync(&wanted), "{state:?}");
}

fn daemon(world: &World) -> std::process::Child {
    let folder = format!("{}/deluge", world.seen);
    world.start("deluged", &["-d", "-c", &folder, "-p", "58900", "-u", "127.0.0.1"], 58_900)
}

/// Calls a method as a user on this machine who is signed in and connected.
fn call(world: &World, method: &str, params: &str) -> String {
    let cookies = world.folder.join("cookies").display().to_string();
    let send = |method: &str, params: &str| {
        let call = format!("{{\"method\":\"{method}\",\"params\":{params},\"id\":1}}");
        let json = ["--header", "Content-Type: application/json", "--data", &call];
        let cookies = ["--cookie", &cookies, "--cookie-jar", &cookies];
        post("http://127.0.0.1:18112/json", &[&cookies[..], &json].concat())
    };
    send("auth.login", &format!("[\"{PASSWORD}\"]"));
    send("web.connect", &format!("[\"{HOST}\"]"));
    let answer = send(method, params);
    assert!(answer.contains("\"error\": null"), "{method}: {answer}");
    answer
}

impl RealClient for Deluge {
    fn kind(&self) -> &'static str {
        "deluge"
    }

    fn configure(&self, world: &World, port: u16, password: &str) {
        let (_, hash) = HASHES.iter().find(|(known, _)| *known == password).unwrap();
        let _ = std::fs::remove_dir_all(world.folder.join("deluge"));
        world.write("deluge/auth", &format!("localclient:{KEY}:10\n"));
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(world.folder.join("deluge/auth"), private).unwrap();
        let core = format!(
            "{{\"file\":1,\"format\":1}}{{\"daemon_port\":58900,\"listen_ports\":[{port},{port}],\
             \"random_port\":false,\"dht\":false,\"upnp\":true,\"natpmp\":true,\"lsd\":false,\
             \"new_release_check\":false}}"
        );
        world.write("deluge/core.conf", &core);
        // It does not connect to the daemon by itself.
        let web = format!(
            "{{\"file\":2,\"format\":1}}{{\"port\":18112,\"interface\":\"127.0.0.1\",\"pwd_salt\":\"c0ffee\",\
             \"pwd_sha1\":\"{hash}\",\"first_login\":false,\"sessions\":{{}},\"base\":\"/\"}}"
        );
        world.write("deluge/web.conf", &web);
        let hosts = format!(
            "{{\"file\":3,\"format\":1}}{{\"hosts\":[[\"{HOST}\",\"127.0.0.1\",58900,\"localclient\",\"{KEY}\"]]}}"
        );
        world.write("deluge/hostlist.conf", &hosts);
    }

    fn start(&self, world: &World) -> Running {
        let folder = format!("{}/deluge", world.seen);
        let web = ["-d", "-c", &folder, "-i", "127.0.0.1", "-p", "18112"];
        Running(vec![daemon(world), world.start("deluge-web", &web, 18_112)])
    }

    fn add_torrent(&self, world: &World) {
        call(world, "core.add_torrent_magnet", &format!("[\"{MAGNET}\",{{}}]"));
    }

    fn set_by_hand(&self, world: &World, port: u16) {
        call(world, "core.set_config", &format!("[{{\"listen_ports\":[{port},{port}]}}]"));
    }

    fn is_tidy(&self, world: &World) -> bool {
        let answer =
            call(world, "core.get_config_values", "[[\"upnp\",\"natpmp\",\"random_port\"]]");
        answer.matches("false").count() == 3
    }

    fn settings(&self, _: &World, password: &str) -> ClientSettings {
        let mut settings = ClientSettings::new("http://127.0.0.1:18112");
        settings.password = Some(password.into());
        settings.bind_interface = true;
        settings
    }
}
