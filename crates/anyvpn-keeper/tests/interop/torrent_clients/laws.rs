//! Behaviour that all clients share, as observed with these programs.

use std::net::TcpListener;
use std::time::Duration;

use anyvpn_core::PortProtocols;
use anyvpn_keeper::{ClientError, ClientState, Listen, SocketProtocol, TorrentClient, sockets};

use super::world::{ADDRESS, OTHER_ADDRESS, World, is_open_tcp, is_open_utp};
use super::{NEXT_PASSWORD, PASSWORD, RealClient};

/// The port with which each client starts, and those that the keeper sets.
const OLD: u16 = 50_100;
const PORT: u16 = 50_123;
const SECOND: u16 = 50_300;
const TAKEN: u16 = 50_400;

pub fn wanted(client: &dyn RealClient, world: &World, port: u16) -> Listen {
    let mut wanted = Listen::new(port, world.tunnel());
    if !client.moves_udp(world) {
        wanted.protocols = PortProtocols::Tcp;
    }
    wanted
}

/// Returns whether a packet from outside reaches the client.
fn is_open(client: &dyn RealClient, world: &World, address: &str, port: u16) -> bool {
    is_open_tcp(address, port) && (!client.moves_udp(world) || is_open_utp(address, port))
}

/// Sets a port, and checks the result.
async fn set(client: &dyn RealClient, world: &World, wanted: &Listen) {
    let state = client.open(world, PASSWORD).listen_on(wanted).await.unwrap();
    assert!(state.is_in_sync(wanted), "{state:?}");
    assert_eq!((state.setting, state.listens_tcp), (wanted.port, Some(true)));
}

/// Checks the laws one after the other.
pub async fn hold(client: &dyn RealClient, world: &World) {
    client.configure(world, OLD, PASSWORD);
    let running = client.start(world);
    client.add_torrent(world);
    world.wait_for_announcement(OLD);
    quiet(world).await;
    a_port_is_set_seen_and_announced(client, world).await;
    a_changed_port_is_not_announced_by_itself(client, world).await;
    a_port_that_is_taken_is_no_success(client, world).await;
    a_recreated_tunnel_is_bound_anew(client, world, ADDRESS).await;
    a_recreated_tunnel_is_bound_anew(client, world, OTHER_ADDRESS).await;
    world.make_tunnel(ADDRESS);
    drop(running);
    a_client_that_is_down_is_unreachable_and_one_that_forgot_is_found(client, world).await;
}

async fn a_port_is_set_seen_and_announced(client: &dyn RealClient, world: &World) {
    let keeper = client.open(world, PASSWORD);
    let wanted = wanted(client, world, PORT);
    let before = keeper.observe(&wanted).await.unwrap();
    assert!(before.setting == OLD && before.version.is_some(), "{before:?}");
    assert!(!before.is_in_sync(&wanted));
    world.announced();
    let state = keeper.listen_on(&wanted).await.unwrap();
    assert!(state.is_in_sync(&wanted), "{state:?}");
    assert!(is_open(client, world, ADDRESS, PORT), "{state:?}");
    assert!(client.is_tidy(world));
    wait_for_announcement(client, world, PORT);
    // The old port is closed, and the settings stay.
    assert!(!is_open_tcp(ADDRESS, OLD));
    assert!(keeper.observe(&wanted).await.unwrap().is_in_sync(&wanted));
}

fn wait_for_announcement(client: &dyn RealClient, world: &World, port: u16) {
    if client.announces_at_once(world) {
        world.wait_for_announcement(port);
    }
}

/// Waits until nothing has been announced for longer than the tracker's minimum interval. Deluge
/// delays an announcement that is requested before that.
async fn quiet(world: &World) {
    loop {
        world.announced();
        tokio::time::sleep(Duration::from_secs(2)).await;
        if world.announced().is_empty() {
            break;
        }
    }
}

/// This is why the keeper announces it.
async fn a_changed_port_is_not_announced_by_itself(client: &dyn RealClient, world: &World) {
    quiet(world).await;
    client.set_by_hand(world, SECOND);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let itself = client.announces_by_itself(world);
    assert_eq!(world.announced().contains(&SECOND), itself);
    quiet(world).await;
    set(client, world, &wanted(client, world, PORT)).await;
    wait_for_announcement(client, world, PORT);
}

async fn a_port_that_is_taken_is_no_success(client: &dyn RealClient, world: &World) {
    let keeper = client.open(world, PASSWORD);
    let other = TcpListener::bind((ADDRESS, TAKEN)).unwrap();
    let wanted = wanted(client, world, TAKEN);
    match keeper.listen_on(&wanted).await {
        Ok(state) => {
            assert!(!state.is_in_sync(&wanted), "{state:?}");
            assert_eq!(state.listens_tcp, Some(false));
            assert!(state.needs.unwrap().contains("another program listens on TCP port 50400"));
        }
        // rTorrent says so itself.
        Err(error) => assert!(error.to_string().contains("Could not open/bind port"), "{error}"),
    }
    // The other program's socket is not mistaken for the client's.
    assert!(!keeper.observe(&wanted).await.unwrap().is_in_sync(&wanted));
    drop(other);
    // The same value would change nothing: the keeper sets another one first.
    let state = keeper.listen_on(&wanted).await.unwrap();
    assert!(state.is_in_sync(&wanted), "{state:?}");
    assert!(is_open(client, world, ADDRESS, TAKEN));
}

async fn a_recreated_tunnel_is_bound_anew(client: &dyn RealClient, world: &World, address: &str) {
    let keeper = client.open(world, PASSWORD);
    set(client, world, &wanted(client, world, PORT)).await;
    let old = world.tunnel();
    let new = world.make_tunnel(address);
    assert_ne!(old.index, new.index);
    let mut wanted = wanted(client, world, PORT);
    // Sockets of the old interface still listen on the port: the kernel's list tells them apart.
    let seen = sockets(SocketProtocol::Tcp, PORT).unwrap();
    let served = seen.iter().any(|socket| socket.serves(&new));
    let state = keeper.observe(&wanted).await.unwrap();
    assert_eq!(state.is_in_sync(&wanted), served && state.listens_tcp == Some(true), "{seen:?}");
    wanted.rebind = true;
    let state = keeper.listen_on(&wanted).await.unwrap();
    assert!(state.is_in_sync(&wanted), "{state:?} {:?}", sockets(SocketProtocol::Tcp, PORT));
    assert!(is_open(client, world, address, PORT), "{:?}", sockets(SocketProtocol::Tcp, PORT));
}

/// Returns the state of a client that has just started. Its first answer can take long on a busy machine.
async fn first_answer(keeper: &dyn TorrentClient, wanted: &Listen) -> ClientState {
    for _ in 0..10 {
        match keeper.observe(wanted).await {
            Err(ClientError::Unreachable(_)) => {}
            answer => return answer.unwrap(),
        }
    }
    panic!("the client never answers");
}

async fn a_client_that_is_down_is_unreachable_and_one_that_forgot_is_found(
    client: &dyn RealClient,
    world: &World,
) {
    let keeper = client.open(world, PASSWORD);
    let wanted = wanted(client, world, PORT);
    let error = keeper.observe(&wanted).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
    client.configure(world, OLD, PASSWORD);
    let running = client.start(world);
    let state = first_answer(&*keeper, &wanted).await;
    assert_eq!(state.setting, OLD);
    let state = keeper.listen_on(&wanted).await.unwrap();
    assert!(state.is_in_sync(&wanted), "{state:?}");
    // After a restart, the session is gone.
    drop(running);
    client.configure(world, OLD, PASSWORD);
    let _running = client.start(world);
    set(client, world, &wanted).await;
    assert!(keeper.observe(&wanted).await.unwrap().is_in_sync(&wanted));
}

/// Applies to clients with passwords.
pub async fn wrong_password_is_sent_once(client: &dyn RealClient, world: &World) {
    client.configure(world, OLD, PASSWORD);
    let running = client.start(world);
    let keeper = client.open(world, PASSWORD);
    let wanted = wanted(client, world, PORT);
    first_answer(&*keeper, &wanted).await;
    // A person changes the password.
    drop(running);
    client.configure(world, OLD, NEXT_PASSWORD);
    let _running = client.start(world);
    for _ in 0..6 {
        let error = keeper.observe(&wanted).await.unwrap_err();
        assert!(matches!(error, ClientError::Unauthorized(_)), "{error}");
        assert!(!error.to_string().contains(PASSWORD));
    }
    // That did not lock us out: the correct password still works.
    client.open(world, NEXT_PASSWORD).observe(&wanted).await.unwrap();
}
