//! qBittorrent by its own bytes: 4.5.2 as Debian's program sent them, 5.0.5 and 5.2.3 as its sources say.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_keeper::{ClientError, ClientSettings};
use anyvpn_testkit::time::VirtualTime;
use world::{PASSWORD, Script, Step, edited, fixture, json, step, wanted};

const VERSIONS: &[&str] = &["4.5.2", "5.0.5", "5.2.3"];

fn with_password(settings: &mut ClientSettings) {
    settings.username = Some("keeper".to_owned());
    settings.password = Some(PASSWORD.into());
}

fn reply(version: &str, name: &str) -> Vec<u8> {
    fixture(&format!("qbittorrent/{version}/{name}.http"))
}

fn login(version: &str) -> Step {
    let body = "\r\n\r\nusername=keeper&password=canary-pass%2Bword%2F1";
    step(&["POST /api/v2/auth/login HTTP/1.1\r\n", body], reply(version, "login"))
}

/// Returns the requests of one look at the client, if it has this port and status.
fn look(version: &str, port: u16, status: &str) -> Vec<Step> {
    let port = format!("\"listen_port\":{port}");
    let transfer = reply(version, "transfer");
    let transfer = String::from_utf8(transfer).unwrap();
    let body = transfer.split_once("\r\n\r\n").unwrap().1.replace("firewalled", status);
    vec![
        step(&["GET /api/v2/app/version HTTP/1.1\r\n"], reply(version, "version")),
        step(
            &["GET /api/v2/app/preferences HTTP/1.1\r\n"],
            edited(&reply(version, "preferences"), "\"listen_port\":50100", &port),
        ),
        step(&["GET /api/v2/transfer/info HTTP/1.1\r\n"], json("200 OK", &body)),
    ]
}

fn set(version: &str, port: u16) -> Step {
    let port = format!("listen_port%22%3A{port}%2C");
    let off = ["%22random_port%22%3Afalse", "%22upnp%22%3Afalse"];
    let route = "POST /api/v2/app/setPreferences HTTP/1.1\r\n";
    step(&[route, "\r\n\r\njson=%7B", &port, off[0], off[1]], reply(version, "done"))
}

fn announce(version: &str) -> Step {
    let route = "POST /api/v2/torrents/reannounce HTTP/1.1\r\n";
    step(&[route, "\r\n\r\nhashes=all"], reply(version, "done"))
}

#[tokio::test]
async fn each_version_is_set_read_back_and_announced_with_one_sign_in() {
    for version in VERSIONS {
        let script = Script::start(vec![login(version)]).await;
        script.then(look(version, 50_100, "firewalled"));
        script.then(vec![set(version, 50_123)]);
        script.then(look(version, 50_123, "firewalled"));
        script.then(vec![announce(version)]);
        let client = script.client("qbittorrent", with_password);
        let state = client.listen_on(&wanted()).await.unwrap();
        assert_eq!(state.version, Some(format!("v{version}")));
        assert!(state.is_in_sync(&wanted()), "{state:?}");
        assert_eq!(
            (state.setting, state.listens_tcp, state.listens_udp, state.reached),
            (50_123, Some(true), None, Some(false))
        );
        let requests = script.finish();
        let cookie = match *version {
            "4.5.2" => "cookie: SID=",
            "5.0.5" => "cookie: SID=q7+cZ/0yXUqmCv3JwTnZ5kz8dR2hLb4e\r\n",
            _ => "cookie: QBT_SID_8080=q7+cZ/0yXUqmCv3JwTnZ5kz8dR2hLb4e\r\n",
        };
        assert!(requests[1..].iter().all(|request| request.contains(cookie)), "{requests:#?}");

        // Nothing has to change: no rebind and no announcement, but random port and UPnP go off.
        script.then(look(version, 50_123, "connected"));
        script.then(vec![set(version, 50_123)]);
        script.then(look(version, 50_123, "connected"));
        let state = client.listen_on(&wanted()).await.unwrap();
        assert_eq!(state.reached, Some(true));
        script.finish();
    }
}

#[tokio::test]
async fn a_dead_socket_or_a_new_tunnel_gets_another_port_first() {
    for (status, rebind) in [("disconnected", false), ("firewalled", true)] {
        let script = Script::start(vec![login("4.5.2")]).await;
        script.then(look("4.5.2", 50_123, status));
        script.then(vec![set("4.5.2", 50_124), set("4.5.2", 50_123)]);
        // It reports the port later than the socket opens.
        script.then(look("4.5.2", 50_123, "disconnected"));
        script.then(look("4.5.2", 50_123, "firewalled"));
        script.then(vec![announce("4.5.2")]);
        let mut wanted = wanted();
        wanted.rebind = rebind;
        let state = script.client("qbittorrent", with_password).listen_on(&wanted).await.unwrap();
        assert!(state.is_in_sync(&wanted), "{state:?}");
        script.finish();
    }
}

#[tokio::test]
async fn a_success_after_which_nothing_listens_is_not_in_sync_and_is_announced_once_it_listens() {
    let script = Script::start(vec![login("5.0.5")]).await;
    script.then(look("5.0.5", 50_100, "firewalled"));
    script.then(vec![set("5.0.5", 50_123)]);
    // It reports this each time it is asked.
    (0..31).for_each(|_| script.then(look("5.0.5", 50_123, "disconnected")));
    let client = script.client("qbittorrent", with_password);
    let state = client.listen_on(&wanted()).await.unwrap();
    assert_eq!((state.setting, state.listens_tcp), (50_123, Some(false)));
    assert!(!state.is_in_sync(&wanted()));
    script.finish();

    script.then(look("5.0.5", 50_123, "firewalled"));
    script.then(vec![set("5.0.5", 50_123)]);
    script.then(look("5.0.5", 50_123, "firewalled"));
    script.then(vec![announce("5.0.5")]);
    assert!(client.listen_on(&wanted()).await.unwrap().is_in_sync(&wanted()));
    script.finish();
}

#[tokio::test]
async fn refused_credentials_are_not_sent_again_for_hours() {
    let refusals = [
        (reply("4.5.2", "login-wrong"), "Fails."),
        (reply("5.2.3", "login-wrong"), "401 Unauthorized"),
        (reply("4.5.2", "banned"), "banned after too many failed"),
    ];
    for (refusal, text) in refusals {
        let mut first = login("4.5.2");
        first.reply = Some(refusal);
        let script = Script::start(vec![first]).await;
        let time = VirtualTime::default();
        let client = script.client_at(
            "qbittorrent",
            &time.clone().with_endless(std::time::Duration::from_secs(4)),
            with_password,
        );
        for _ in 0..3 {
            let error = client.observe(&wanted()).await.unwrap_err();
            let ClientError::Unauthorized(why) = &error else { panic!("{error}") };
            assert!(why.contains(text) && !why.contains("canary"), "{why}");
        }
        assert_eq!(script.finish().len(), 1);
        // After the wait, the keeper tries once more, and by now the password is correct.
        anyvpn_core::Clock::sleep(&time, std::time::Duration::from_secs(6 * 3600)).await;
        script.then(vec![login("4.5.2")]);
        script.then(look("4.5.2", 50_123, "firewalled"));
        assert!(client.observe(&wanted()).await.unwrap().is_in_sync(&wanted()));
        script.finish();
    }
}

#[tokio::test]
async fn an_expired_session_is_signed_in_again_once() {
    let expired = || step(&["GET /api/v2/app/version "], reply("4.5.2", "forbidden"));
    let script = Script::start(vec![login("4.5.2")]).await;
    script.then(look("4.5.2", 50_123, "firewalled"));
    let client = script.client("qbittorrent", with_password);
    client.observe(&wanted()).await.unwrap();
    script.then(vec![expired(), login("4.5.2")]);
    script.then(look("4.5.2", 50_123, "firewalled"));
    client.observe(&wanted()).await.unwrap();
    script.finish();
    // If a new session is refused too, the keeper gives up.
    script.then(vec![expired(), login("4.5.2"), expired()]);
    let error = client.observe(&wanted()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unauthorized(_)), "{error}");
    script.finish();
}

#[tokio::test]
async fn a_new_session_that_is_refused_is_not_followed_by_another() {
    let forbidden = step(&["GET /api/v2/app/version "], reply("4.5.2", "forbidden"));
    let script = Script::start(vec![login("4.5.2"), forbidden]).await;
    let client = script.client("qbittorrent", with_password);
    for _ in 0..2 {
        let error = client.observe(&wanted()).await.unwrap_err();
        assert!(matches!(error, ClientError::Unauthorized(_)), "{error}");
    }
    assert_eq!(script.finish().len(), 2);
}

#[tokio::test]
async fn an_api_key_needs_no_session() {
    let key = "qbt_canary7890123456789012345678";
    let with_key = |settings: &mut ClientSettings| settings.api_key = Some(key.into());
    let script = Script::start(look("5.2.3", 50_123, "firewalled")).await;
    let client = script.client("qbittorrent", with_key);
    client.observe(&wanted()).await.unwrap();
    let bearer = format!("authorization: Bearer {key}\r\n");
    assert!(script.finish().iter().all(|request| request.contains(&bearer)));
    // A wrong key is refused like a missing session.
    script.then(vec![step(&["GET "], reply("5.2.3", "forbidden"))]);
    let error = client.observe(&wanted()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unauthorized(_)), "{error}");
    client.observe(&wanted()).await.unwrap_err();
    script.finish();
}

#[tokio::test]
async fn without_credentials_it_must_let_this_machine_in() {
    let script = Script::start(look("4.5.2", 50_123, "firewalled")).await;
    let client = script.client("qbittorrent", |_| ());
    assert!(client.observe(&wanted()).await.unwrap().is_in_sync(&wanted()));
    script.then(vec![step(&["GET "], reply("4.5.2", "forbidden"))]);
    let error = client.observe(&wanted()).await.unwrap_err();
    // It is no refusal, after which the keeper waits for an hour.
    let ClientError::Unable(why) = error else { panic!("{error}") };
    assert!(why.contains("asks for a password"), "{why}");
    script.finish();
    // Nothing was sent that could lock us out, so the keeper asks again.
    script.then(look("4.5.2", 50_123, "firewalled"));
    assert!(client.observe(&wanted()).await.unwrap().is_in_sync(&wanted()));
    script.finish();
}

#[tokio::test]
async fn it_is_bound_to_the_interface_where_that_is_asked() {
    let mut bound = set("5.2.3", 50_123);
    bound.expects.push("%22current_network_interface%22%3A%22wg0%22".to_owned());
    bound.expects.push("%22current_interface_address%22%3A%22%22".to_owned());
    let script = Script::start(look("5.2.3", 50_100, "firewalled")).await;
    script.then(vec![bound]);
    script.then(look("5.2.3", 50_123, "firewalled"));
    script.then(vec![announce("5.2.3")]);
    let client = script.client("qbittorrent", |settings| settings.bind_interface = true);
    client.listen_on(&wanted()).await.unwrap();
    script.finish();
}

#[tokio::test]
async fn another_public_port_is_announced_from_5_1_on() {
    let announces = |port: &str| {
        let preferences = String::from_utf8(reply("5.2.3", "preferences")).unwrap();
        let body = preferences.split_once("\r\n\r\n").unwrap().1;
        let body = body.replace("50100", "50123").replace("\"announce_port\":0", port);
        step(&["GET /api/v2/app/preferences "], json("200 ", &body))
    };
    let mut wanted = wanted();
    wanted.public_port = 61_000;
    let mut told = set("5.2.3", 50_123);
    told.expects.push("%22announce_port%22%3A61000".to_owned());
    let script = Script::start(look("5.2.3", 50_100, "firewalled")).await;
    script.then(vec![told]);
    let mut looks = look("5.2.3", 50_100, "firewalled");
    looks[1] = announces("\"announce_port\":61000");
    script.then(looks);
    script.then(vec![announce("5.2.3")]);
    let client = script.client("qbittorrent", |_| ());
    assert!(client.listen_on(&wanted).await.unwrap().is_in_sync(&wanted));
    script.finish();
    // An unsupported version would announce a port that nobody can reach.
    script.then(look("4.5.2", 50_123, "firewalled"));
    let state = client.observe(&wanted).await.unwrap();
    assert!(!state.is_in_sync(&wanted));
    assert!(state.needs.unwrap().contains("tells trackers port 50123"));
}

#[tokio::test]
async fn a_port_that_cannot_be_forwarded_is_not_sent() {
    let script = Script::start(Vec::new()).await;
    let client = script.client("qbittorrent", with_password);
    let mut wanted = wanted();
    wanted.port = 0;
    let error = client.listen_on(&wanted).await.unwrap_err();
    assert!(matches!(error, ClientError::Unable(_)), "{error}");
    assert!(script.finish().is_empty());
}

#[tokio::test]
async fn a_setting_that_is_no_port_is_none() {
    for number in ["70000", "0", "-1"] {
        let mut looks = look("4.5.2", 50_100, "disconnected");
        let body = format!("{{\"listen_port\":{number}}}");
        looks[1] = step(&["GET "], json("200 OK", &body));
        let script = Script::start(looks).await;
        let state = script.client("qbittorrent", |_| ()).observe(&wanted()).await.unwrap();
        assert_eq!(state.setting, 0);
    }
}
