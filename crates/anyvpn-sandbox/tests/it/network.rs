//! What the sandbox reports to a data plane: which peers may connect, and where ports lead.

use std::net::SocketAddr;
use std::time::Duration;

use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::data_plane::Network;
use serde_json::json;

use crate::client::{DAY, signed_in};
use crate::vpnscript_world::{WIREGUARD, World};

/// Returns the forwards, each as `tcp 50123 10.0.1.2:50123`, sorted.
fn forwards(network: &Network) -> Vec<String> {
    let protocol = |is_tcp| if is_tcp { "tcp" } else { "udp" };
    let forwards = network.forwards.iter();
    let lines = forwards.map(|(it, to)| format!("{} {} {to}", protocol(it.is_tcp), it.port));
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_port_of_azirevpn_leads_to_its_device_until_it_ends() {
    let (sandbox, client) = signed_in(0).await;
    let address = sandbox.azire().add_device("david").unwrap();
    assert_eq!(forwards(&sandbox.network()), [""; 0]);
    let create = json!({ "internal_ipv4": address, "expires_in": 1 });
    let made = client.send("POST", "/portforwardings", create.clone()).await.json();
    let first = made["data"]["port"].as_u64().unwrap();
    let made = client.send("POST", "/portforwardings", create).await.json();
    let second = made["data"]["port"].as_u64().unwrap();
    assert_eq!(forwards(&sandbox.network()).len(), 4);
    let delete = json!({ "internal_ipv4": address, "port": first });
    client.send("DELETE", "/portforwardings", delete).await;
    let left = ["tcp", "udp"].map(|protocol| format!("{protocol} {second} {address}:{second}"));
    assert_eq!(forwards(&sandbox.network()), left);
    sandbox.clock().advance(DAY);
    assert_eq!(forwards(&sandbox.network()), [""; 0]);
}

#[tokio::test]
async fn a_device_of_azirevpn_connects_with_each_of_its_keys_while_the_account_is_active() {
    let (sandbox, client) = signed_in(0).await;
    sandbox.azire().add_device("david").unwrap();
    let device = sandbox.azire().devices("david").remove(0);
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    client.send("PUT", &format!("/ips/{}/keys", device.id), json!({ "key": key })).await;
    let network = sandbox.network();
    let keys: Vec<_> = network.peers.iter().map(|peer| &*peer.public_key).collect();
    assert_eq!(keys, [&*device.keys[0], key]);
    for peer in &network.peers {
        assert_eq!(peer.addresses[0], device.internal_ipv4);
        assert!(peer.addresses[1].is_ipv6());
    }
    assert!(network.hosts.contains("se-sto.azirevpn.example"));
    sandbox.azire().suspend("david", true);
    assert!(sandbox.network().peers.is_empty());
}

#[tokio::test]
async fn a_configuration_of_vpn_script_connects_when_its_job_is_done() {
    let world = World::new(0).await;
    world.service().set_job_duration(Duration::from_secs(60));
    world.create(WIREGUARD).await;
    assert_eq!(world.sandbox.network().peers, []);
    world.pass(60);
    let network = world.sandbox.network();
    let [peer] = &network.peers[..] else { panic!("{network:?}") };
    let shared = peer.preshared_key.as_ref().unwrap();
    assert!(!format!("{network:?}").contains(shared));
    world.service().suspend("liam", None);
    assert_eq!(world.sandbox.network().peers, []);
}

#[tokio::test]
async fn a_mapping_leads_only_to_clients_of_a_tunnel() {
    let sandbox = Sandbox::start().await.unwrap();
    let gateway: SocketAddr = sandbox.natpmp_gateway().parse().unwrap();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // TCP, internal port 0, external port 1, 60 s.
    socket.send_to(&[0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 60], gateway).await.unwrap();
    socket.recv(&mut [0; 64]).await.unwrap();
    assert_eq!(sandbox.natpmp().mappings().len(), 1);
    assert!(sandbox.network().forwards.is_empty());
}
