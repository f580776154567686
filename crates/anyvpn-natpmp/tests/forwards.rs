//! Forwards: both protocols on one number, both request forms, renewals, deletions, and what is
//! stored.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::time::Duration;

use anyvpn_core::{
    Advice, ErrorKind, LeaseStore, ListPortForwards, NewPortForward, PortForward, PortForwards,
    PortProtocols, Timestamp,
};
use anyvpn_natpmp::NatPmp;
use anyvpn_sandbox::{DatagramFault as Datagram, Fault};
use world::{SECOND, World};

const UDP: &str = "natpmp.map-udp-port";
const TCP: &str = "natpmp.map-tcp-port";
const PLAIN: &[(&str, &str)] = &[("form", "plain"), ("lifetime", "7200")];

async fn create(natpmp: &NatPmp) -> PortForward {
    natpmp.create_port_forward(NewPortForward::new()).await.unwrap()
}

async fn listed(natpmp: &NatPmp) -> Vec<u16> {
    let list = natpmp.list_port_forwards(None).await.unwrap();
    list.iter().map(|port| port.port).collect()
}

#[tokio::test]
async fn a_port_is_open_for_both_protocols_with_one_number() {
    for variation in [&[][..], &["natpmp.reply-has-both-ports"], &["natpmp.first-form-is-refused"]]
    {
        let world = World::with(0, variation, &[]).await;
        let port = create(&world.natpmp).await;
        let number = port.port;
        assert_eq!((port.local_port, port.protocols), (number, PortProtocols::Both));
        assert_eq!(world.mappings(), [(false, number, number), (true, number, number)]);
        assert_eq!(port.address.unwrap().to_string(), "203.0.113.7");
        assert_eq!(port.expires_at, Some(world.sandbox.clock().now() + 60 * SECOND));
        world.natpmp.delete_port_forward(&port).await.unwrap();
        assert!(world.mappings().is_empty());
    }
}

/// The gateway has answered the request for its address, so it is reachable, but does not support
/// the form.
#[tokio::test]
async fn a_form_that_is_not_answered_gives_way_to_the_older_one_within_four_seconds() {
    let world = World::with(0, &["natpmp.first-form-is-silent"], &[]).await;
    let port = create(&world.natpmp).await;
    assert_eq!(world.mappings().len(), 2);
    assert_eq!(world.time.elapsed(), Duration::from_millis(3750));
    assert_eq!(port.local_port, port.port);
}

#[tokio::test]
async fn the_granted_lifetime_counts_and_not_the_one_that_was_asked_for() {
    let world = World::with(0, &[], &[("lifetime", "7200")]).await;
    world.sandbox.natpmp().set_longest_lifetime(20 * SECOND);
    let port = create(&world.natpmp).await;
    assert_eq!(port.expires_at, Some(world.sandbox.clock().now() + 20 * SECOND));
    world.sandbox.clock().advance(20 * SECOND);
    assert!(listed(&world.natpmp).await.is_empty() && world.mappings().is_empty());
}

#[tokio::test]
async fn different_ports_for_tcp_and_udp_are_released() {
    let world = World::new().await;
    world.sandbox.natpmp().separate_protocols(true);
    let error = world.natpmp.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(world.mappings().is_empty() && listed(&world.natpmp).await.is_empty());
}

#[tokio::test]
async fn mappings_of_a_failed_forward_are_released_or_named() {
    for code in [2, 3, 4, 5, 9] {
        let world = World::new().await;
        world.inject(TCP, Fault::Status(code), None);
        let error = world.natpmp.create_port_forward(NewPortForward::new()).await.unwrap_err();
        assert_eq!(error.code(), Some(&*code.to_string()), "{error}");
        assert!(world.mappings().is_empty() && error.left_behind().is_empty(), "{error}");
    }
    let world = World::new().await;
    world.inject(TCP, Fault::Datagram(Datagram::LostRequest), None);
    let error = world.natpmp.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::Timeout, Advice::ReadBack), "{error}");
    assert_eq!(error.left_behind().len(), 1, "the end of TCP was not confirmed: {error}");
}

#[tokio::test]
async fn a_lost_number_is_replaced_in_each_way_that_a_gateway_may_go() {
    for variation in
        [&[][..], &["natpmp.late-renewal-is-symmetric"], &["natpmp.late-renewal-is-refused"]]
    {
        let world = World::with(0, variation, &[]).await;
        let first = create(&world.natpmp).await;
        world.sandbox.natpmp().forget();
        let next = world.natpmp.renew_port_forward(&first).await.unwrap();
        assert_ne!(next.port, first.port);
        let number = next.port;
        let mut mappings = world.mappings();
        mappings.sort_unstable();
        assert_eq!(mappings, [(false, number, number), (true, number, number)], "{variation:?}");
        assert_eq!(listed(&world.natpmp).await, [number]);
        let again = world.natpmp.renew_port_forward(&next).await.unwrap();
        assert_eq!((again.port, again.address), (number, first.address));
    }
}

/// RFC 6886, section 3.7: each forward is renewed, one after the other, within five seconds.
#[tokio::test]
async fn all_forwards_are_renewed_after_a_gateway_restart() {
    let world = World::plain(PLAIN).await;
    let mut ports = Vec::new();
    for local in [50_001, 50_002, 50_003] {
        let mut new = NewPortForward::new();
        new.local_port = Some(local);
        ports.push(world.natpmp.create_port_forward(new).await.unwrap());
    }
    world.sandbox.clock().advance(30 * SECOND);
    world.sandbox.natpmp().restart();
    let (before, count) = (world.time.elapsed(), world.count());
    let first = world.natpmp.renew_port_forward(&ports[0]).await.unwrap();
    assert_eq!(first.port, ports[0].port);
    assert_eq!(world.mappings().len(), 6);
    assert_eq!(world.count() - count, 6, "each is asked for once");
    let waited = world.time.elapsed() - before;
    assert!(waited > Duration::ZERO && waited <= 5 * SECOND, "{waited:?}");
    let mut numbers = listed(&world.natpmp).await;
    numbers.sort_unstable();
    assert_eq!(numbers, [50_001, 50_002, 50_003]);
    // It has already reported that.
    world.natpmp.renew_port_forward(&first).await.unwrap();
    assert_eq!(world.count() - count, 8);
}

#[tokio::test]
async fn a_gateway_that_goes_on_gets_nothing_that_it_has() {
    let world = World::new().await;
    let port = create(&world.natpmp).await;
    let count = world.count();
    for _ in 0..20 {
        world.sandbox.clock().advance(30 * SECOND);
        let renewed = world.natpmp.renew_port_forward(&port).await.unwrap();
        assert_eq!(renewed.port, port.port);
    }
    assert_eq!(world.count() - count, 40);
}

#[tokio::test]
async fn the_plain_form_leads_to_the_port_of_ones_own_choice() {
    let world = World::plain(PLAIN).await;
    world.sandbox.natpmp().set_longest_lifetime(Duration::from_secs(7200));
    let mut new = NewPortForward::new();
    (new.local_port, new.wished_port) = (Some(8080), Some(40_000));
    let port = world.natpmp.create_port_forward(new.clone()).await.unwrap();
    assert_eq!((port.port, port.local_port), (40_000, 8080));
    assert_eq!(world.mappings(), [(false, 8080, 40_000), (true, 8080, 40_000)]);
    // Another program knows only the port number, and shares the lease store.
    let other = world.again(PLAIN);
    let mut wish = NewPortForward::new();
    wish.wished_port = Some(40_000);
    let renewed = other.create_port_forward(wish).await.unwrap();
    assert_eq!((renewed.port, renewed.local_port), (40_000, 8080));
    assert_eq!(world.mappings().len(), 2);
    other.delete_port_forward(&PortForward::new(40_000)).await.unwrap();
    assert!(world.mappings().is_empty() && listed(&world.natpmp).await.is_empty());
    // By default, this machine's port is one that few programs use.
    let any = create(&world.natpmp).await;
    assert!(any.local_port >= 49_152 && any.port == any.local_port, "{any:?}");
}

/// The gateway identifies a mapping by this machine's port, so it would end the new one.
#[tokio::test]
async fn the_end_of_a_lost_number_does_not_end_the_one_that_replaced_it() {
    let world = World::plain(PLAIN).await;
    let mut new = NewPortForward::new();
    (new.local_port, new.wished_port) = (Some(8080), Some(40_000));
    let lost = world.natpmp.create_port_forward(new).await.unwrap();
    world.sandbox.natpmp().forget();
    let place = format!("natpmp-{}", world.sandbox.natpmp_gateway());
    let mut next = PortForward::new(40_001);
    (next.local_port, next.expires_at) = (8080, Some(Timestamp::MAX));
    world.leases.put(&place, Some(40_000), &next).await.unwrap();
    let count = world.count();
    let error = world.natpmp.delete_port_forward(&lost).await.unwrap_err();
    assert_eq!((error.kind(), world.count()), (ErrorKind::NotFound, count), "{error}");
}

#[tokio::test]
async fn one_protocol_alone_is_one_mapping() {
    let world = World::new().await;
    for (protocols, is_tcp) in [(PortProtocols::Udp, false), (PortProtocols::Tcp, true)] {
        let mut new = NewPortForward::new();
        new.protocols = protocols;
        let port = world.natpmp.create_port_forward(new).await.unwrap();
        assert_eq!(world.mappings(), [(is_tcp, port.port, port.port)]);
        let renewed = world.natpmp.renew_port_forward(&port).await.unwrap();
        assert_eq!(renewed.protocols, protocols);
        world.natpmp.delete_port_forward(&renewed).await.unwrap();
        assert!(world.mappings().is_empty());
    }
}

/// A renewal does not shorten a forward that was requested for longer than usual.
#[tokio::test]
async fn a_renewal_does_not_shorten() {
    let world = World::with(0, &[], &[]).await;
    world.sandbox.natpmp().set_longest_lifetime(Duration::from_secs(7200));
    let mut new = NewPortForward::new();
    new.lifetime = Some(Duration::from_secs(3600));
    let port = world.natpmp.create_port_forward(new).await.unwrap();
    let renewed = world.natpmp.renew_port_forward(&port).await.unwrap();
    assert_eq!(renewed.expires_at, port.expires_at);
}

#[tokio::test]
async fn unsupported_requests_are_refused_before_sending() {
    let world = World::new().await;
    type Spoil = fn(&mut NewPortForward);
    let spoils: [(&str, Spoil); 6] = [
        ("device", |new| new.device = Some([10, 2, 0, 2].into())),
        ("hidden", |new| new.hidden = true),
        ("local_port", |new| new.local_port = Some(8080)),
        ("wished_port", |new| new.wished_port = Some(0)),
        ("lifetime", |new| new.lifetime = Some(Duration::from_millis(999))),
        ("lifetime", |new| new.lifetime = Some(Duration::from_secs(1 << 32))),
    ];
    for (field, spoil) in spoils {
        let mut new = NewPortForward::new();
        spoil(&mut new);
        let error = world.natpmp.create_port_forward(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.fields().contains_key(field), "{field}: {error}");
    }
    let mut port = PortForward::new(40_000);
    port.device = Some([10, 2, 0, 2].into());
    for error in [
        world.natpmp.renew_port_forward(&port).await.map(drop).unwrap_err(),
        world.natpmp.delete_port_forward(&port).await.unwrap_err(),
        world.natpmp.list_port_forwards(port.device).await.map(drop).unwrap_err(),
    ] {
        assert!(error.fields().contains_key("device"), "{error}");
    }
    assert_eq!(world.count(), 0);
}

#[tokio::test]
async fn a_gateway_that_supports_only_pcp_is_reported() {
    let world = World::new().await;
    world.sandbox.natpmp().speak_pcp(true);
    let error = world.natpmp.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!((error.kind(), world.count()), (ErrorKind::NoService, 1), "{error}");
    assert!(error.detail().unwrap().contains("PCP"), "{error}");
}

#[tokio::test]
async fn each_result_is_the_error_that_it_means() {
    for (code, kind) in [
        (1, ErrorKind::NoService),
        (2, ErrorKind::Refused),
        (3, ErrorKind::Unavailable),
        (4, ErrorKind::CapacityReached),
        (5, ErrorKind::NoService),
        (6, ErrorKind::UnexpectedReply),
        (65_535, ErrorKind::UnexpectedReply),
    ] {
        let world = World::new().await;
        for operation in ["natpmp.get-address", UDP, TCP] {
            world.sandbox.clear_faults();
            world.inject(operation, Fault::Status(code), None);
            let error = world.natpmp.create_port_forward(NewPortForward::new()).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{operation}: {error}");
            assert_eq!(error.code(), Some(&*code.to_string()));
        }
    }
}
