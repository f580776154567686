//! rTorrent by its own bytes: 0.9.8 as Debian's program sent them, 0.16.17 and 0.16.20 as they were seen to
//! behave.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_core::PortProtocols;
use anyvpn_keeper::{ClientError, Listen};
use world::{Script, Step, edited, fixture, step};

fn wanted() -> Listen {
    let mut wanted = world::wanted();
    wanted.protocols = PortProtocols::Tcp;
    wanted
}

fn reply(version: &str, name: &str) -> Vec<u8> {
    fixture(&format!("rtorrent/{version}/{name}.scgi"))
}

fn call(method: &str, values: &[&str], reply: Vec<u8>) -> Step {
    let method = format!("<methodName>{method}</methodName>");
    let values = values.iter().map(|value| format!("<value>{value}</value>"));
    let mut step = step(&["", "SCGI\u{0}1\u{0}", &method], reply);
    step.expects.extend(values);
    step
}

fn look(version: &str, port: u16) -> Vec<Step> {
    let port = edited(&reply(version, "port"), "50100", &port.to_string());
    vec![
        call("system.client_version", &[], reply(version, "version")),
        call("network.listen.port", &["<string></string>"], port),
    ]
}

/// In 0.9.8, the range is only a variable, and setting the address opens the socket.
fn reopen(version: &str, port: u16, address: &str, bound: &str) -> Vec<Step> {
    let range = format!("<string>{port}-{port}</string>");
    let address = format!("<string>{address}</string>");
    let number = format!("<i8>{port}</i8>");
    let ranged = if version == "0.9.8" { "range" } else { "bind-address" };
    vec![
        call("network.listen.port.set", &[&number], reply(version, "no-method")),
        call("network.bind_address", &["<string></string>"], reply(version, "bind-address")),
        call("network.port_random.set", &["<i8>0</i8>"], reply(version, ranged)),
        call("network.port_range.set", &[&range], reply(version, ranged)),
        call("network.bind_address.set", &[&address], reply(version, bound)),
    ]
}

fn announce(version: &str) -> Step {
    let values = ["<string>main</string>", "<string>d.tracker_announce=</string>"];
    call("d.multicall2", &values, reply(version, "announced"))
}

#[tokio::test]
async fn version_0_9_8_is_moved_by_setting_its_address_again() {
    let script = Script::start(look("0.9.8", 50_100)).await;
    // It starts with an empty address, and refuses to be set to one.
    script.then(reopen("0.9.8", 50_123, "0.0.0.0", "bound"));
    script.then(look("0.9.8", 50_123).split_off(1));
    script.then(look("0.9.8", 50_123));
    script.then(vec![announce("0.9.8")]);
    let state = script.client("rtorrent", |_| ()).listen_on(&wanted()).await.unwrap();
    assert!(state.is_in_sync(&wanted()), "{state:?}");
    assert_eq!((state.version.as_deref(), state.listens_udp), (Some("0.9.8"), None));
    script.finish();
}

#[tokio::test]
async fn version_0_9_8_is_bound_to_the_tunnels_address_where_that_is_asked() {
    let script = Script::start(look("0.9.8", 50_100)).await;
    let mut steps = reopen("0.9.8", 50_123, "10.66.0.2", "bound");
    steps.remove(1);
    script.then(steps);
    script.then(look("0.9.8", 50_123).split_off(1));
    script.then(look("0.9.8", 50_123));
    script.then(vec![announce("0.9.8")]);
    let client = script.client("rtorrent", |settings| settings.bind_interface = true);
    client.listen_on(&wanted()).await.unwrap();
    script.finish();
}

#[tokio::test]
async fn a_port_that_version_0_9_8_cannot_open_is_its_own_word() {
    let script = Script::start(look("0.9.8", 50_100)).await;
    script.then(reopen("0.9.8", 50_123, "0.0.0.0", "taken"));
    let error = script.client("rtorrent", |_| ()).listen_on(&wanted()).await.unwrap_err();
    assert!(error.to_string().contains("Could not open/bind port"), "{error}");
    script.finish();
}

#[tokio::test]
async fn version_0_16_17_has_to_be_restarted() {
    let script = Script::start(look("0.16.17", 50_100)).await;
    script.then(reopen("0.16.17", 50_123, "0.0.0.0", "done"));
    script.then(look("0.16.17", 50_100).split_off(1));
    let error = script.client("rtorrent", |_| ()).listen_on(&wanted()).await.unwrap_err();
    let ClientError::Unable(why) = error else { panic!("{error}") };
    assert!(
        why.contains("network.port_range.set = 50123-50123") && why.contains("restart"),
        "{why}"
    );
    script.finish();
}

#[tokio::test]
async fn version_0_16_20_moves_by_itself_and_from_another_value_when_it_is_dead() {
    let set = |port: u16| {
        let port = format!("<i8>{port}</i8>");
        call("network.listen.port.set", &["<string></string>", &port], reply("0.16.20", "done"))
    };
    let script = Script::start(look("0.16.20", 50_100)).await;
    script.then(vec![set(50_123)]);
    script.then(look("0.16.20", 50_123));
    script.then(vec![announce("0.16.20")]);
    let client = script.client("rtorrent", |_| ());
    assert!(client.listen_on(&wanted()).await.unwrap().is_in_sync(&wanted()));
    script.finish();
    let mut again = wanted();
    again.rebind = true;
    script.then(look("0.16.20", 50_123));
    script.then(vec![set(50_124), set(50_123)]);
    script.then(look("0.16.20", 50_123));
    script.then(vec![announce("0.16.20")]);
    client.listen_on(&again).await.unwrap();
    script.finish();
}
