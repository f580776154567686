//! qBittorrent: `qbittorrent-nox`.

use std::sync::Arc;

use anyvpn_core::SystemClock;
use anyvpn_keeper::{ClientError, ClientSettings, open_client};

use super::world::{World, post};
use super::{INSIDE, MAGNET, NEXT_PASSWORD, PASSWORD, RealClient, Running, client, laws};

/// PBKDF2 of the two passwords.
const HASHES: [(&str, &str); 2] = [
    (
        PASSWORD,
        "MDEyMzQ1Njc4OWFiY2RlZg==:J5TTqVITAeEcg4FAXZJC/uYtkzHwIH9i43H/gbhTNvz+t2pU94bUSvfWmaXiDM7+uiANUCt0RztTrDUWgVfBww==",
    ),
    (
        NEXT_PASSWORD,
        "MDEyMzQ1Njc4OWFiY2RlZg==:S9dx/sA1MG8CzNTQ40FFiN2oshQcgvybkgZjSds8rEusmwtfmg5T+1jNXhzLvYWfNucnjotzhftYgnCddTLCuA==",
    ),
];

/// Versions before 5.2 ignore it.
const KEY: &str = "qbt_madeupkeymadeupkeymadeupkey1";

struct QBittorrent;

#[test]
#[ignore = "it needs qbittorrent-nox: cargo xtask interop"]
fn qbittorrent_listens() {
    let programs = [("qbittorrent-nox", "qbittorrent-nox")];
    client("qBittorrent", &programs, "torrent_clients::qbittorrent::inside_qbittorrent");
}

#[tokio::test]
#[ignore = "it is run inside a namespace by another test"]
async fn inside_qbittorrent() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let world = World::new();
    laws::hold(&QBittorrent, &world).await;
    laws::wrong_password_is_sent_once(&QBittorrent, &world).await;
    let version = world.version("qbittorrent-nox");
    if !["v4.", "v5.0", "v5.1"].iter().any(|old| version.contains(old)) {
        an_api_key_is_enough(&world).await;
    }
}

/// From 5.2 on.
async fn an_api_key_is_enough(world: &World) {
    QBittorrent.configure(world, 50_100, PASSWORD);
    let _running = QBittorrent.start(world);
    let wanted = laws::wanted(&QBittorrent, world, 50_123);
    let open = |key: &str| {
        let mut settings = ClientSettings::new("http://127.0.0.1:18080");
        settings.api_key = Some(key.into());
        open_client("qbittorrent", &settings, Arc::new(SystemClock)).unwrap()
    };
    let state = open(KEY).listen_on(&wanted).await.unwrap();
    assert!(state.is_in_sync(&wanted), "{state:?}");
    let error = open(&KEY.replace('k', "x")).observe(&wanted).await.unwrap_err();
    assert!(matches!(error, ClientError::Unauthorized(_)), "{error}");
}

/// Calls the API as a user on this machine who is signed in.
fn call(world: &World, route: &str, arguments: &[&str]) -> String {
    let cookies = world.folder.join("cookies").display().to_string();
    post(
        &format!("http://127.0.0.1:18080/api/v2/{route}"),
        &[&["--cookie", &cookies, "--cookie-jar", &cookies], arguments].concat(),
    )
}

fn sign_in(world: &World) {
    call(world, "auth/login", &["--data", &format!("username=keeper&password={PASSWORD}")]);
}

impl RealClient for QBittorrent {
    fn kind(&self) -> &'static str {
        "qbittorrent"
    }

    fn configure(&self, world: &World, port: u16, password: &str) {
        let (_, hash) = HASHES.iter().find(|(known, _)| *known == password).unwrap();
        let text = format!(
            "[LegalNotice]\nAccepted=true\n[BitTorrent]\nSession\\Port={port}\nSession\\DHTEnabled=false\n\
             Session\\LSDEnabled=false\nSession\\PeXEnabled=false\n[Network]\nPortForwardingEnabled=true\n\
             [Preferences]\nWebUI\\Address=127.0.0.1\nWebUI\\Port=18080\nWebUI\\Username=keeper\n\
             WebUI\\Password_PBKDF2=\"@ByteArray({hash})\"\nWebUI\\MaxAuthenticationFailCount=3\n\
             WebUI\\APIKey={KEY}\n"
        );
        world.write("qb/qBittorrent/config/qBittorrent.conf", &text);
    }

    fn start(&self, world: &World) -> Running {
        let profile = format!("--profile={}/qb", world.seen);
        Running(vec![world.start("qbittorrent-nox", &[&profile], 18_080)])
    }

    fn add_torrent(&self, world: &World) {
        sign_in(world);
        call(world, "torrents/add", &["--data-urlencode", &format!("urls={MAGNET}")]);
    }

    fn set_by_hand(&self, world: &World, port: u16) {
        sign_in(world);
        let preferences = format!("json={{\"listen_port\":{port}}}");
        call(world, "app/setPreferences", &["--data-urlencode", &preferences]);
    }

    fn is_tidy(&self, world: &World) -> bool {
        sign_in(world);
        let preferences = call(world, "app/preferences", &[]);
        preferences.contains("\"upnp\":false") && preferences.contains("\"random_port\":false")
    }

    fn settings(&self, _: &World, password: &str) -> ClientSettings {
        let mut settings = ClientSettings::new("http://127.0.0.1:18080");
        settings.username = Some("keeper".to_owned());
        settings.password = Some(password.into());
        settings.bind_interface = true;
        settings
    }
}
