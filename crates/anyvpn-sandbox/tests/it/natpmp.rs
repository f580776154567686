//! The NAT-PMP gateway, byte for byte: RFC 6886, and the known behaviour of Proton's gateways.

use std::time::Duration;

use anyvpn_sandbox::natpmp::{FirstForm, LateRenewal, Quirks};
use anyvpn_sandbox::{Clock, DatagramFault, Fault, FaultRule, Sandbox};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use crate::client::Client;

const SECOND: Duration = Duration::from_secs(1);

struct Gateway {
    sandbox: Sandbox,
    socket: UdpSocket,
}

impl Gateway {
    async fn new(variations: &[&str]) -> Gateway {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().unwrap());
        let builder =
            variations.iter().fold(Sandbox::builder(), |builder, name| builder.variation(*name));
        let sandbox = builder.clock(clock).start().await.unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(sandbox.natpmp_gateway()).await.unwrap();
        Gateway { sandbox, socket }
    }

    async fn plain(variations: &[&str]) -> Gateway {
        let gateway = Gateway::new(variations).await;
        gateway.sandbox.natpmp().set_plain(true);
        gateway
    }

    /// Returns the reply to a datagram as text; empty if no reply arrives before that to the next
    /// datagram.
    async fn ask(&self, request: &str) -> String {
        let bytes: Vec<u8> =
            request.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        self.socket.send(&bytes).await.unwrap();
        let mark = [0, 77];
        self.socket.send(&mark).await.unwrap();
        let first = self.receive().await;
        if first.starts_with("00 CD 00 05") && bytes != mark {
            return String::new();
        }
        assert!(self.receive().await.starts_with("00 CD 00 05"), "{first}");
        first
    }

    async fn receive(&self) -> String {
        let mut buffer = [0; 100];
        let length = self.socket.recv(&mut buffer).await.unwrap();
        let shown = buffer[..length].iter().map(|byte| format!("{byte:02X}"));
        shown.collect::<Vec<_>>().join(" ")
    }

    /// Maps a port, and returns internal port, number and lifetime of the reply.
    async fn map(
        &self,
        protocol: u8,
        internal: u16,
        external: u16,
        lifetime: u32,
    ) -> (u16, u16, u32) {
        let [i, e] = [internal, external]
            .map(|port| port.to_be_bytes().map(|byte| format!("{byte:02X}")).join(" "));
        let lifetime = lifetime.to_be_bytes().map(|byte| format!("{byte:02X}")).join(" ");
        let reply = self.ask(&format!("00 0{protocol} 00 00 {i} {e} {lifetime}")).await;
        let bytes: Vec<u8> =
            reply.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        assert_eq!(
            (bytes.len(), bytes[1], &bytes[2..4]),
            (16, 128 + protocol, &[0, 0][..]),
            "{reply}"
        );
        let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        (number(8), number(10), u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]))
    }
}

/// 4,200,000 seconds: the gateway's initial epoch.
const EPOCH: &str = "00 40 16 40";

#[tokio::test]
async fn replies_follow_the_rfc() {
    let gateway = Gateway::plain(&[]).await;
    for (request, reply) in [
        ("00 00", format!("00 80 00 00 {EPOCH} CB 00 71 07")),
        ("00 00 FF", format!("00 80 00 00 {EPOCH} CB 00 71 07")),
        // UDP 51000, for 60 s; again; with more bytes; TCP gets the same number.
        (
            "00 01 00 00 C7 38 00 00 00 00 00 3C",
            format!("00 81 00 00 {EPOCH} C7 38 C7 38 00 00 00 3C"),
        ),
        (
            "00 01 00 00 C7 38 00 00 00 00 00 3C",
            format!("00 81 00 00 {EPOCH} C7 38 C7 38 00 00 00 3C"),
        ),
        (
            "00 02 00 00 C7 38 9C 40 00 00 00 3C FF",
            format!("00 82 00 00 {EPOCH} C7 38 C7 38 00 00 00 3C"),
        ),
        // Delete it, twice.
        (
            "00 01 00 00 C7 38 00 00 00 00 00 00",
            format!("00 81 00 00 {EPOCH} C7 38 00 00 00 00 00 00"),
        ),
        (
            "00 01 00 00 C7 38 00 00 00 00 00 00",
            format!("00 81 00 00 {EPOCH} C7 38 00 00 00 00 00 00"),
        ),
        // Internal port 0 is refused here.
        (
            "00 01 00 00 00 00 00 01 00 00 00 3C",
            format!("00 81 00 02 {EPOCH} 00 00 00 00 00 00 00 00"),
        ),
        // Another version, and an unknown request.
        ("01 00", format!("00 00 00 01 {EPOCH}")),
        ("02 01 00 00", format!("00 00 00 01 {EPOCH}")),
        ("00 03 00 00 C7 38", "00 83 00 05 C7 38".to_owned()),
        // Replies, and parts, are not answered.
        ("00 80", String::new()),
        ("00", String::new()),
        ("00 01 00 00 C7 38 00 00 00 00 00", String::new()),
    ] {
        assert_eq!(gateway.ask(request).await, reply, "{request}");
    }
    let mappings = gateway.sandbox.natpmp().mappings();
    assert_eq!(mappings.len(), 1);
    assert!(mappings[0].is_tcp && mappings[0].external_port == 51_000);
    assert!(
        gateway
            .ask("00 02 00 00 00 00 00 00 00 00 00 00")
            .await
            .ends_with("00 00 00 00 00 00 00 00")
    );
    assert!(gateway.sandbox.natpmp().mappings().is_empty());
}

#[tokio::test]
async fn protons_form_gives_one_number_to_both_sides_and_protocols() {
    let gateway = Gateway::new(&[]).await;
    let (internal, number, lifetime) = gateway.map(1, 0, 1, 7200).await;
    assert_eq!((internal, lifetime), (0, 60));
    assert_eq!(gateway.map(2, 0, 1, 60).await, (0, number, 60));
    // The renewal has the number twice, and so does its reply.
    gateway.sandbox.clock().advance(59 * SECOND);
    assert_eq!(gateway.map(1, number, number, 60).await, (number, number, 60));
    gateway.sandbox.clock().advance(2 * SECOND);
    let left = gateway.sandbox.natpmp().mappings();
    assert_eq!(left.iter().map(|it| it.is_tcp).collect::<Vec<_>>(), [false]);
    // An expired number is not granted again at once.
    gateway.sandbox.natpmp().forget();
    let (internal, other, _) = gateway.map(1, number, number, 60).await;
    assert!(internal == number && other != number);
    gateway.sandbox.natpmp().separate_protocols(true);
    let (udp, tcp) = (gateway.map(1, 0, 0, 60).await, gateway.map(2, 0, 0, 60).await);
    assert_ne!(udp.1, tcp.1);
    gateway.sandbox.natpmp().set_longest_lifetime(7 * SECOND);
    assert_eq!(gateway.map(1, 0, 0, 60).await.2, 7);
}

#[tokio::test]
async fn a_sixth_mapping_is_one_too_many() {
    for (variation, code) in [(&[][..], "04"), (&["natpmp.too-many-is-refused"], "02")] {
        let gateway = Gateway::plain(variation).await;
        for port in 0..5 {
            gateway.map(1, 50_000 + port, 0, 60).await;
        }
        let reply = gateway.ask("00 01 00 00 C7 38 00 00 00 00 00 3C").await;
        assert!(reply.starts_with(&format!("00 81 00 {code}")), "{reply}");
        gateway.map(2, 51_000, 0, 60).await;
    }
}

#[tokio::test]
async fn each_variation_is_what_it_says() {
    let gateway = Gateway::new(&["natpmp.reply-has-both-ports"]).await;
    let (internal, number, _) = gateway.map(1, 0, 1, 60).await;
    assert_eq!(internal, number);

    let first = "00 01 00 00 00 00 00 01 00 00 00 3C";
    let gateway = Gateway::new(&["natpmp.first-form-is-refused"]).await;
    assert!(gateway.ask(first).await.starts_with("00 81 00 02"));
    gateway.map(1, 0, 0, 60).await;
    let gateway = Gateway::new(&["natpmp.first-form-is-silent"]).await;
    assert_eq!(gateway.ask(first).await, "");
    gateway.map(1, 0, 0, 60).await;

    let gateway = Gateway::new(&["natpmp.late-renewal-is-symmetric"]).await;
    let (internal, number, _) = gateway.map(1, 40_000, 40_000, 60).await;
    assert!(internal == number && number != 40_000);
    let gateway = Gateway::new(&["natpmp.late-renewal-is-refused"]).await;
    let late = gateway.ask("00 01 00 00 9C 40 9C 40 00 00 00 3C").await;
    assert!(late.starts_with("00 81 00 02"), "{late}");

    let gateway = Gateway::plain(&["natpmp.refusal-is-filled"]).await;
    assert!(gateway.ask(first).await.ends_with("00 00 00 01 00 00 00 3C"));
    let gateway = Gateway::new(&["natpmp.unknown-is-short"]).await;
    assert_eq!(gateway.ask("00 03 00 00 C7 38").await, format!("00 83 00 05 {EPOCH}"));

    for (variation, left) in [(&[][..], 1), (&["natpmp.end-of-all-is-of-both"], 0)] {
        let gateway = Gateway::new(variation).await;
        gateway.map(1, 0, 1, 60).await;
        gateway.map(2, 0, 1, 60).await;
        gateway.map(1, 0, 0, 0).await;
        assert_eq!(gateway.sandbox.natpmp().mappings().len(), left);
    }
    assert_eq!(Quirks::from_seed(0), Quirks::default());
    assert!((1..100).any(|seed| Quirks::from_seed(seed).first_form == FirstForm::Silent));
    assert!((1..100).any(|seed| Quirks::from_seed(seed).late_renewal == LateRenewal::Refused));
}

#[tokio::test]
async fn datagrams_meet_faults_and_are_logged() {
    let gateway = Gateway::new(&[]).await;
    let request = "00 01 00 00 00 00 00 01 00 00 00 3C";
    let rule = |fault| FaultRule::once("natpmp.map-udp-port", fault);
    let inject = |fault| gateway.sandbox.inject(rule(Fault::Datagram(fault))).unwrap();
    inject(DatagramFault::LostRequest);
    assert_eq!(gateway.ask(request).await, "");
    assert!(gateway.sandbox.natpmp().mappings().is_empty());
    for lost in [DatagramFault::LostReply, DatagramFault::ForeignSource] {
        inject(lost);
        assert_eq!(gateway.ask(request).await, "");
        assert_eq!(gateway.sandbox.natpmp().mappings().len(), 1);
    }
    for (length, shown) in [(3, "00 81 00"), (10, "00 81 00 00 00 40 16 40 00 00")] {
        inject(DatagramFault::Length(length));
        assert_eq!(gateway.ask(request).await, shown);
    }
    gateway.sandbox.inject(rule(Fault::Status(700))).unwrap();
    assert!(gateway.ask(request).await.starts_with("00 81 02 BC"));
    inject(DatagramFault::Doubled);
    gateway.socket.send(&[0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 60]).await.unwrap();
    assert_eq!(gateway.receive().await, gateway.receive().await);

    let received = gateway.sandbox.received();
    assert_eq!((&*received[0].method, &*received[0].path), ("UDP", "/natpmp"));
    assert_eq!(received[0].operation, Some("natpmp.map-udp-port"));
    assert_eq!(received[0].body, b"00010000000000010000003c");
    let effects = received.iter().filter(|it| it.operation == Some("natpmp.map-udp-port"));
    let effects: Vec<_> = effects.map(|it| it.effect).collect();
    assert_eq!(effects, [false, true, true, true, true, false, true]);
}

#[tokio::test]
async fn the_state_is_also_available_over_http() {
    let gateway = Gateway::new(&[]).await;
    let client = Client::new(&gateway.sandbox);
    let post = async |path: &str, body: Value| {
        let answer = client.send_raw("POST", &format!("/_sandbox/{path}"), body).await.answer();
        answer.status
    };
    let number = gateway.map(1, 0, 1, 60).await.1;
    assert_eq!(post("natpmp/restart", json!({})).await, 204);
    assert!(gateway.ask("00 00").await.starts_with("00 80 00 00 00 00 00 00"));
    assert!(gateway.sandbox.natpmp().mappings().is_empty());
    assert_ne!(gateway.map(1, 0, 1, 60).await.1, number);
    assert_eq!(post("natpmp/forget", json!({})).await, 204);
    assert!(gateway.sandbox.natpmp().mappings().is_empty());
    assert_eq!(post("natpmp/set-longest-lifetime", json!({ "seconds": 9 })).await, 204);
    assert_eq!(gateway.map(1, 0, 1, 60).await.2, 9);
    assert_eq!(post("natpmp/separate-protocols", json!({ "separate": true })).await, 204);
    assert_ne!(gateway.map(2, 0, 1, 60).await.1, gateway.map(1, 0, 1, 60).await.1);
    assert_eq!(post("natpmp/set-plain", json!({ "plain": true })).await, 204);
    assert!(gateway.ask("00 01 00 00 00 00 00 01 00 00 00 3C").await.starts_with("00 81 00 02"));
    assert_eq!(post("natpmp/set-plain", json!({ "plain": 1 })).await, 400);
    for fault in ["lost-request", "lost-reply", "foreign-source"] {
        let rule = json!({ "fault": fault, "operation": "natpmp.get-address", "times": 1 });
        assert_eq!(post("faults", rule).await, 200, "{fault}");
        assert_eq!(gateway.ask("00 00").await, "", "{fault}");
    }
    let rule = json!({ "fault": "length", "length": 2, "times": 1 });
    assert_eq!(post("faults", rule).await, 200);
    assert_eq!(gateway.ask("00 00").await, "00 80");
    let rule = json!({ "fault": "result", "result": 3, "times": 1 });
    assert_eq!(post("faults", rule).await, 200);
    assert!(gateway.ask("00 00").await.starts_with("00 80 00 03"));
    for wrong in [json!({ "fault": "length" }), json!({ "fault": "result" })] {
        assert_eq!(post("faults", wrong).await, 400);
    }
    assert_eq!(post("natpmp/speak-pcp", json!({ "only_pcp": true })).await, 204);
    gateway.socket.send(&[0, 0]).await.unwrap();
    assert!(gateway.receive().await.starts_with("02 80 00 01 00 00"));
}

#[tokio::test]
async fn the_gateway_has_the_sandboxs_port_if_that_is_free() {
    let sandbox = Sandbox::start().await.unwrap();
    assert_eq!(sandbox.natpmp_gateway(), sandbox.address().to_string());
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    // The requested number is not replaced by another one.
    assert!(Sandbox::builder().listen(address).start().await.is_err());
}
