//! NAT-PMP through the command, which has no code for NAT-PMP alone.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::process::Command;

use anyvpn_sandbox::{DatagramFault, Fault, FaultRule};
use common::{World, command, fails, json, ok, stderr};
use serde_json::{Value, json};

/// Returns the command for the sandbox's gateway. Each run is a separate process.
fn at_gateway(world: &World, arguments: &[&str]) -> Command {
    let mut natpmp = command(&[&["--provider", "natpmp"], arguments].concat());
    natpmp
        .env("ANYVPN_NATPMP_GATEWAY", world.sandbox.natpmp_gateway())
        .env("XDG_STATE_HOME", world.path("state"))
        .env("XDG_CONFIG_HOME", world.path("config"));
    natpmp
}

fn natpmp(world: &World, arguments: &[&str]) -> Value {
    json(&mut at_gateway(world, arguments))
}

#[test]
fn a_port_is_opened_found_by_another_program_renewed_and_closed() {
    let world = World::new();
    let empty = natpmp(&world, &["port", "list"]);
    assert_eq!(empty, json!({ "internal_ipv4": null, "ports": [] }));
    let made = natpmp(&world, &["port", "create"]);
    assert_eq!((&made["protocols"], &made["renew_every_seconds"]), (&json!("tcp+udp"), &json!(45)));
    assert_eq!(natpmp(&world, &["port", "list"])["ports"], json!([made]));
    let number = made["port"].to_string();
    let renewed = natpmp(&world, &["port", "create", "--port", &number]);
    assert_eq!(renewed["port"], made["port"]);
    assert_eq!(world.sandbox.natpmp().mappings().len(), 2);
    natpmp(&world, &["port", "delete", &number]);
    assert_eq!(natpmp(&world, &["port", "list"])["ports"], json!([]));
    assert!(world.sandbox.natpmp().mappings().is_empty());
}

#[test]
fn the_answer_says_when_a_port_closes_and_how_to_renew_it() {
    let world = World::new();
    let words = ok(&mut at_gateway(&world, &["port", "create"]));
    let made = &natpmp(&world, &["port", "list"])["ports"][0];
    let keep = "every 45 s; to do it automatically, run anyvpn port keep";
    assert!(words.contains("Open until") && words.contains(keep), "{words}");
    assert!(words.contains("This machine"), "{words}");
    let words = ok(&mut at_gateway(&world, &["port", "list"]));
    assert!(words.contains(&made["port"].to_string()), "{words}");
}

/// The record uses the same words as for a call over HTTP.
#[test]
fn each_request_is_logged_as_over_http() {
    let world = World::new();
    let fault = Fault::Datagram(DatagramFault::LostReply);
    world.sandbox.inject(FaultRule::once("natpmp.map-udp-port", fault)).unwrap();
    let ran = at_gateway(&world, &["-v", "port", "create"]).output().unwrap();
    let log = stderr(&ran);
    let requests: Vec<_> =
        log.lines().filter(|line| line.contains("operation=natpmp.map-udp")).collect();
    let [lost, done, ..] = requests[..] else { panic!("{log}") };
    let call = "INFO call{operation=natpmp.map-udp-port}: request attempt=";
    assert!(lost.contains(&format!("{call}1 duration_ms=")), "{log}");
    assert!(lost.ends_with("kind=\"timeout\""), "{log}");
    assert!(done.contains(&format!("{call}2 duration_ms=")), "{log}");
    assert!(!done.contains("kind="), "{log}");
}

#[test]
fn stored_ports_are_private_and_a_damaged_file_is_named() {
    let world = World::new();
    natpmp(&world, &["port", "create"]);
    let folder = world.path("state/anyvpn/leases");
    let file = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path());
    let file = file.into_iter().find(|it| it.extension().is_some_and(|it| it == "json")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    std::fs::write(&file, "{").unwrap();
    let said = fails(2, &mut at_gateway(&world, &["port", "list"]));
    assert!(said.contains(file.to_str().unwrap()) && said.contains("delete it"), "{said}");
}

#[test]
fn a_profile_names_the_gateway_or_the_interface() {
    let world = World::new();
    let gateway = world.sandbox.natpmp_gateway();
    let run = |arguments: &[&str]| {
        let mut run = command(arguments);
        run.env("XDG_STATE_HOME", world.path("state")).env("XDG_CONFIG_HOME", world.path("config"));
        run
    };
    let add = ["profile", "add", "proton", "--provider", "natpmp", "--lifetime", "30"];
    let added = json(&mut run(&[&add[..], &["--gateway", &gateway]].concat()));
    assert_eq!(added["address"], format!("gateway {gateway}"));
    let made = json(&mut run(&["--profile", "proton", "port", "create"]));
    assert_eq!(made["renew_every_seconds"], 22);
    let list =
        |options: &[&str]| run(&[&["--provider", "natpmp", "port", "list"], options].concat());
    fails(2, &mut list(&["--gateway", &gateway, "--interface", "tun0"]));
    fails(2, &mut list(&["--gateway", "proton"]));
    let said = fails(7, &mut list(&["--interface", "nosuch0"]));
    assert!(said.contains("nosuch0"), "{said}");
}

#[test]
fn unsupported_abilities_are_explained_and_requests_can_be_called() {
    let world = World::new();
    let said = fails(5, &mut at_gateway(&world, &["port", "check", "40000"]));
    assert!(said.contains("cannot test a port"), "{said}");
    let all = natpmp(&world, &["capabilities"]);
    let abilities = all["providers"][0]["capabilities"].as_array().unwrap();
    let can = abilities.iter().filter(|it| it["answer"] == "can").map(|it| &it["name"]);
    assert_eq!(can.collect::<Vec<_>>(), ["port-forwards", "list-port-forwards"]);
    let address = natpmp(&world, &["call", "natpmp", "get-address"]);
    assert_eq!(address["address"], "203.0.113.7");
    let map = ["call", "natpmp", "map-tcp-port", "internal_port=0", "external_port=1"];
    let mapped = natpmp(&world, &[&map[..], &["lifetime_seconds=7200"]].concat());
    assert_eq!(mapped["lifetime_seconds"], 60);
    assert_eq!(world.sandbox.natpmp().mappings().len(), 1);
}
