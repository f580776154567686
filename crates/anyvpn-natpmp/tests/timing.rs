//! When requests are sent, and which replies count.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::net::UdpSocket;
use std::time::Duration;

use anyvpn_core::{Context, ErrorKind, Limits, NewPortForward, PortForwards, Settings};
use anyvpn_natpmp::NatPmp;
use anyvpn_natpmp::wire::{MapProtocol, MapRequest};
use anyvpn_sandbox::{DatagramFault as Datagram, Fault};
use world::{SECOND, World};

const ADDRESS: &str = "natpmp.get-address";
const UDP: MapRequest =
    MapRequest { protocol: MapProtocol::Udp, internal_port: 0, external_port: 1, lifetime: 60 };

#[tokio::test]
async fn a_request_is_sent_nine_times_within_127_seconds_and_no_more() {
    let world = World::new().await;
    world.inject(ADDRESS, Fault::Datagram(Datagram::LostRequest), None);
    let error = world.natpmp.address().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let at: Vec<_> = world.sends.at.lock().unwrap().iter().map(Duration::as_millis).collect();
    assert_eq!(at, [0, 250, 750, 1750, 3750, 7750, 15_750, 31_750, 63_750]);
    assert_eq!(world.time.elapsed(), Duration::from_millis(127_750));
}

#[tokio::test]
async fn a_call_ends_at_the_limit_of_the_program() {
    let world = World::new().await;
    world.inject(ADDRESS, Fault::Datagram(Datagram::LostRequest), None);
    let limits = Limits { call: 2 * SECOND, ..Limits::default() };
    let context = Context::default()
        .with_clock(std::sync::Arc::new(world.time.clone()))
        .with_observer(world.sends.clone())
        .with_limits(limits);
    let settings = Settings::new().with("gateway", world.sandbox.natpmp_gateway());
    let natpmp = NatPmp::open(&settings, &context).unwrap();
    let error = natpmp.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!((world.count(), world.time.elapsed()), (4, 2 * SECOND));
}

#[tokio::test]
async fn a_closed_port_is_no_service_without_waiting() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings::new().with("gateway", free.to_string());
    let natpmp = NatPmp::open(&settings, &Context::default()).unwrap();
    let error = natpmp.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoService, "{error}");
    assert!(error.detail().unwrap().contains("+pmp"), "{error}");
}

#[tokio::test]
async fn a_lost_packet_a_late_one_and_a_foreign_one_cost_a_repetition() {
    for (fault, sends) in [
        (Fault::Datagram(Datagram::LostRequest), 2),
        (Fault::Datagram(Datagram::LostReply), 2),
        (Fault::Datagram(Datagram::ForeignSource), 2),
        (Fault::Datagram(Datagram::Doubled), 1),
        (Fault::Delay(Duration::from_millis(200)), 1),
        (Fault::Delay(Duration::from_millis(300)), 2),
    ] {
        let world = World::new().await;
        world.inject("natpmp.map-udp-port", fault.clone(), Some(1));
        let mapping = world.natpmp.map(UDP).await.unwrap();
        assert_eq!(world.count(), sends, "{fault:?}");
        assert_eq!(world.mappings(), [(false, mapping.external_port, mapping.external_port)]);
        // A late reply does not answer the next request.
        let tcp = MapRequest { protocol: MapProtocol::Tcp, ..UDP };
        assert_eq!(world.natpmp.map(tcp).await.unwrap().external_port, mapping.external_port);
    }
}

/// Each takes its turn: a gateway is asked one thing at a time.
#[tokio::test]
async fn one_request_is_under_way_at_a_time() {
    let world = World::new().await;
    world.inject(ADDRESS, Fault::Delay(Duration::from_millis(200)), None);
    let (first, second) = (world.natpmp.clone(), world.natpmp.clone());
    let both = futures(first, second).await;
    assert_eq!(both, (true, true));
    let at: Vec<_> = world.sends.at.lock().unwrap().iter().map(Duration::as_millis).collect();
    assert_eq!(at, [0, 200]);
}

async fn futures(first: NatPmp, second: NatPmp) -> (bool, bool) {
    let second = tokio::spawn(async move { second.address().await.is_ok() });
    (first.address().await.is_ok(), second.await.unwrap())
}

#[tokio::test]
async fn a_dropped_call_leaves_the_client_usable() {
    let world = World::new().await;
    world.inject(ADDRESS, Fault::Datagram(Datagram::LostRequest), Some(3));
    let natpmp = world.natpmp.clone();
    let call = tokio::spawn(async move { natpmp.address().await });
    while world.count() < 2 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    world.sandbox.clear_faults();
    world.natpmp.address().await.unwrap();
}

#[test]
fn a_call_without_a_runtime_is_an_error() {
    use std::pin::pin;
    use std::task::{Context as Task, Poll, Waker};
    let natpmp = NatPmp::open(&Settings::new(), &Context::default()).unwrap();
    let mut call = pin!(natpmp.address());
    match call.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}"),
        other => panic!("{other:?}"),
    };
}
