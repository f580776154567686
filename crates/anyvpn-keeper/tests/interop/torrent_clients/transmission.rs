//! Transmission: `transmission-daemon`.

use anyvpn_keeper::{ClientSettings, Listen};

use super::world::{ADDRESS, World, is_open_tcp, is_open_utp};
use super::{INSIDE, MAGNET, PASSWORD, RealClient, Running, client, laws};
use crate::run;

struct Transmission;

#[test]
#[ignore = "it needs transmission-daemon: cargo xtask interop"]
fn transmission_listens() {
    let programs = [
        ("transmission-daemon", "transmission-daemon"),
        ("transmission-remote", "transmission-cli"),
    ];
    client("Transmission", &programs, "torrent_clients::transmission::inside_transmission");
}

#[tokio::test]
#[ignore = "it is run inside a namespace by another test"]
async fn inside_transmission() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let world = World::new();
    laws::hold(&Transmission, &world).await;
    laws::wrong_password_is_sent_once(&Transmission, &world).await;
    if is_old(&world) {
        udp_moves_only_at_a_start(&world).await;
    }
}

/// Version 3.00: TCP moves, UDP stays until a restart, and the keeper says so.
async fn udp_moves_only_at_a_start(world: &World) {
    Transmission.configure(world, 50_100, PASSWORD);
    let mut running = Transmission.start(world);
    let keeper = Transmission.open(world, PASSWORD);
    let wanted = Listen::new(50_123, world.tunnel());
    let state = keeper.listen_on(&wanted).await.unwrap();
    assert_eq!((state.listens_tcp, state.listens_udp), (Some(true), Some(false)), "{state:?}");
    assert!(state.needs.clone().unwrap().contains("restart Transmission"), "{state:?}");
    assert!(!state.is_in_sync(&wanted));
    assert!(is_open_tcp(ADDRESS, 50_123) && !is_open_utp(ADDRESS, 50_123));
    // It saves the port at once or when it ends, so that the next start has it.
    remote(world, &["--exit"]);
    running.0[0].wait().unwrap();
    let _running = Transmission.start(world);
    let state = keeper.observe(&wanted).await.unwrap();
    assert!(state.is_in_sync(&wanted), "{state:?}");
    assert!(is_open_utp(ADDRESS, 50_123));
}

fn is_old(world: &World) -> bool {
    world.version("transmission-daemon").contains("3.00")
}

fn remote(world: &World, arguments: &[&str]) -> String {
    let _ = world;
    let user = format!("keeper:{PASSWORD}");
    run("transmission-remote", &[&["127.0.0.1:19091", "--auth", &user], arguments].concat())
}

impl RealClient for Transmission {
    fn kind(&self) -> &'static str {
        "transmission"
    }

    fn configure(&self, world: &World, port: u16, password: &str) {
        let text = format!(
            "{{\"rpc-bind-address\":\"127.0.0.1\",\"rpc-port\":19091,\"rpc-authentication-required\":true,\
             \"rpc-username\":\"keeper\",\"rpc-password\":\"{password}\",\"rpc-whitelist-enabled\":false,\
             \"peer-port\":{port},\"peer-port-random-on-start\":false,\"port-forwarding-enabled\":true,\
             \"dht-enabled\":false,\"lpd-enabled\":false,\"pex-enabled\":false,\"utp-enabled\":true}}"
        );
        world.write("transmission/settings.json", &text);
    }

    fn start(&self, world: &World) -> Running {
        let folder = format!("{}/transmission", world.seen);
        Running(vec![world.start("transmission-daemon", &["-f", "-g", &folder], 19_091)])
    }

    fn add_torrent(&self, world: &World) {
        remote(world, &["--add", MAGNET]);
    }

    fn set_by_hand(&self, world: &World, port: u16) {
        remote(world, &["--port", &port.to_string()]);
    }

    fn is_tidy(&self, world: &World) -> bool {
        remote(world, &["--session-info"]).contains("Portforwarding enabled: No")
    }

    fn moves_udp(&self, world: &World) -> bool {
        !is_old(world)
    }

    fn announces_by_itself(&self, world: &World) -> bool {
        is_old(world)
    }

    /// Version 4 waits for two minutes.
    fn announces_at_once(&self, world: &World) -> bool {
        is_old(world)
    }

    fn settings(&self, _: &World, password: &str) -> ClientSettings {
        let mut settings = ClientSettings::new("http://127.0.0.1:19091");
        settings.username = Some("keeper".to_owned());
        settings.password = Some(password.into());
        settings
    }
}
