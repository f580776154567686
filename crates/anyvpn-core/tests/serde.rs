//! The neutral values with serde: they can be written and read again. A ticket is written only
//! where it is revealed.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::fmt::Debug;
use std::time::Duration;

use anyvpn_core::{
    Ability, Account, CreatedCustomer, Customer, CustomerEnd, Lease, ObtainedConfig, PortCheck,
    PortForward, PortProtocols, Protocol, Secret, Server, Service, Status, Timestamp, reveal,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn again<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) -> Value {
    let written = serde_json::to_value(&value).unwrap();
    let read: T = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read, value, "{written}");
    written
}

#[test]
fn every_value_is_read_as_it_was_written() {
    let mut account = Account::new("jo".to_owned(), Status::Other("3".to_owned()));
    account.services = vec![Service::new("Plan", Status::Suspended)];
    account.expires_at = Some(Timestamp::UNIX_EPOCH);
    assert_eq!(again(account)["services"][0]["status"], "suspended");
    assert_eq!(again(Customer::new("jo@example.com", Status::Active))["status"], "active");
    let mut server = Server::new("1", "One");
    server.protocols = vec![Protocol::WireGuard, Protocol::from("ike")];
    assert_eq!(again(server)["protocols"], json!(["wireguard", "ike"]));
    let mut config = ObtainedConfig::new("7", Protocol::WireGuard, Status::Active);
    config.addresses = vec!["10.0.0.2".parse().unwrap()];
    again(config);
    again(PortCheck::new(1, true, None));
    again(Lease::KeptAlive { every: Duration::from_secs(45) });
    assert_eq!(again(PortProtocols::Both), "both");
    assert_eq!(again(CustomerEnd::PaidPeriod), "paid-period");
    let created = CreatedCustomer::FoundAfterDoubt(Customer::new("jo", Status::Active));
    let written = serde_json::to_value(&created).unwrap();
    assert_eq!(written["found-after-doubt"]["key"], "jo");
}

#[test]
fn an_ability_has_one_name() {
    for (ability, name) in Ability::ALL {
        assert_eq!(again(*ability), *name);
    }
}

#[test]
fn a_ticket_is_serialized_only_inside_reveal() {
    let mut port = PortForward::new(40_001);
    port.ticket = Some(Secret::from("canary"));
    let hidden = serde_json::to_string(&port).unwrap();
    assert!(!hidden.contains("canary") && !hidden.contains("ticket"), "{hidden}");
    let read: PortForward = serde_json::from_str(&hidden).unwrap();
    assert!(read.ticket.is_none());
    let (revealed, _) = reveal(|| serde_json::to_string(&port).unwrap());
    let read: PortForward = serde_json::from_str(&revealed).unwrap();
    assert_eq!(read, port);
}
