#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Ports are reserved once, kept, found again, and given up.

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{
    ErrorKind, LeaseStore as _, ListPortForwards as _, MemoryLeaseStore, NewPortForward,
    PortForward, PortForwards as _, PortProtocols,
};
use anyvpn_lab::harness::{quick, still_sandbox};
use anyvpn_pia::{Connection, Pia};
use anyvpn_sandbox::pia::Quirks;
use anyvpn_sandbox::{Fault, FaultRule};
use world::World;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

async fn world() -> World {
    World::on(still_sandbox()).await
}

async fn create(pia: &Pia) -> PortForward {
    pia.create_port_forward(NewPortForward::new()).await.unwrap()
}

/// Returns a program that restarts with the same store, connected to another server.
fn restarted(world: &World, store: &Arc<MemoryLeaseStore>, server: &str) -> Pia {
    let clock = Arc::new(world::SandboxDay(world.sandbox.clock().clone()));
    let builder = quick(Pia::builder()).clock(clock).token(world.token.as_str());
    let gateway = world.service().gateway().parse().unwrap();
    let pia = world::client(&world.sandbox, builder).with_leases(store.clone());
    pia.with_connection(Connection::new(server, gateway))
}

#[tokio::test]
async fn the_port_is_the_same_after_a_reconnect_to_another_server() {
    let world = world().await;
    let store = Arc::new(MemoryLeaseStore::default());
    let before = world.service().reserved();
    let first = create(&restarted(&world, &store, "Server-12345-0a")).await;
    assert_eq!(world.service().ports(), [first.port]);
    assert_eq!(first.expires_at, Some(world.now().checked_add(MINUTE * 20).unwrap()));
    world.sandbox.clock().advance(DAY * 40);
    assert!(world.service().ports().is_empty());
    let second = create(&restarted(&world, &store, "berlin401")).await;
    assert_eq!((second.port, second.ends_at), (first.port, first.ends_at));
    assert_eq!(world.service().ports(), [first.port]);
    assert_eq!(world.service().reserved(), before + 1);
    // A port that expires within a week is replaced.
    world.sandbox.clock().advance(DAY * 16);
    let third = create(&restarted(&world, &store, "berlin401")).await;
    assert_ne!(third.port, first.port);
    let listed = restarted(&world, &store, "berlin401").list_port_forwards(None).await.unwrap();
    assert_eq!(listed, [third]);
}

#[tokio::test]
async fn a_port_that_the_server_refuses_is_replaced_once() {
    let world = world().await;
    let first = create(&world.pia).await;
    world.service().take_next_port();
    let second = create(&world.pia).await;
    assert_ne!(second.port, first.port);
    let listed = world.pia.list_port_forwards(None).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&second));
    // A second refusal is final. The reserved port is stored and used the next time.
    let busy = FaultRule::always(Fault::Status(409));
    let bind = Some("pia.bind-port".to_owned());
    world.sandbox.inject(FaultRule { operation: bind, ..busy }).unwrap();
    let before = world.service().reserved();
    let error = world.pia.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CapacityReached);
    assert_eq!(world.service().reserved(), before + 1);
    world.sandbox.clear_faults();
    let [stored] = &world.pia.list_port_forwards(None).await.unwrap()[..] else { panic!("one") };
    assert_eq!(create(&world.pia).await.port, stored.port);
    assert_eq!(world.service().reserved(), before + 1);
}

#[tokio::test]
async fn a_reserved_port_outlives_a_failure_to_open_it() {
    let world = world().await;
    let before = world.service().reserved();
    let bind = Some("pia.bind-port".to_owned());
    world
        .sandbox
        .inject(FaultRule { operation: bind, ..FaultRule::always(Fault::Html(504)) })
        .unwrap();
    assert!(world.pia.create_port_forward(NewPortForward::new()).await.is_err());
    world.sandbox.clear_faults();
    create(&world.pia).await;
    assert_eq!(world.service().reserved(), before + 1);
}

#[tokio::test]
async fn outside_of_the_tunnel_the_reason_is_said_and_nothing_is_asked_twice() {
    let world = world().await;
    world.service().set_connected(false);
    let error = world.pia.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidRequest, Some(401)));
    assert!(error.to_string().contains("tunnel"), "{error}");
    assert_eq!(world.arrived("get-signature"), 1);

    let builder = quick(Pia::builder()).base_url(world.sandbox.pia_url());
    let error = builder.build().unwrap().create_port_forward(NewPortForward::new()).await;
    assert!(error.unwrap_err().fields().contains_key("gateway"));
}

/// The pair is sent unchanged, and an altered pair was not issued by the server.
#[tokio::test]
async fn a_ticket_is_sent_back_byte_for_byte() {
    let expired_is_401 = |seed: &u64| Quirks::from_seed(*seed).port_expired == 401;
    for seed in [0, (0..).find(expired_is_401).unwrap()] {
        let world = World::on(still_sandbox().seed(seed)).await;
        let port = create(&world.pia).await;
        let ticket = port.ticket.clone().unwrap();
        let (payload, signature) = ticket.expose().split_once('\n').unwrap();
        assert!(!format!("{port:?}").contains(payload));
        for altered in [format!("{payload}=\n{signature}"), format!("{payload}\nx{signature}")] {
            let mut other = port.clone();
            other.ticket = Some(altered.into());
            let error = world.pia.renew_port_forward(&other).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(401)));
        }
        // A program that knows only the port's number.
        let mut bare = PortForward::new(port.port);
        assert_eq!(world.pia.renew_port_forward(&bare).await.unwrap().port, port.port);
        bare.ticket = Some("not one".into());
        let error = world.pia.renew_port_forward(&bare).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        world.sandbox.clock().advance(DAY * 63);
        let error = world.pia.renew_port_forward(&port).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(error.message(), Some("port expired"));
    }
}

#[tokio::test]
async fn unsupported_requests_are_refused_before_sending() {
    let world = world().await;
    type Spoil = fn(&mut NewPortForward);
    let spoils: [(&str, Spoil); 5] = [
        ("device", |new| new.device = Some([10, 0, 0, 1].into())),
        ("local_port", |new| new.local_port = Some(8080)),
        ("protocols", |new| new.protocols = PortProtocols::Tcp),
        ("lifetime", |new| new.lifetime = Some(MINUTE)),
        ("hidden", |new| new.hidden = true),
    ];
    for (field, spoil) in spoils {
        let mut new = NewPortForward::new();
        spoil(&mut new);
        let error = world.pia.create_port_forward(new).await.unwrap_err();
        assert!(error.fields().contains_key(field), "{field}: {error}");
    }
    assert!(world.sandbox.received().is_empty());
    let unknown = PortForward::new(1);
    let error = world.pia.delete_port_forward(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let store = MemoryLeaseStore::default();
    assert!(store.list("pia-x", world.now()).await.unwrap().is_empty());
}
