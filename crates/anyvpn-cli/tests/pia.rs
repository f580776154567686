//! Private Internet Access: what the command does with it, which knows no provider by name.

mod common;

use std::process::Command;

use common::{LOGIN, PASSWORD, World, command, error, fails, json, ok};
use serde_json::{Value, json};

/// The command with what it has to trust, and connected to a server of the sandbox's.
fn pia(world: &World, arguments: &[&str]) -> Command {
    let service = world.sandbox.pia();
    let mut command = command(arguments);
    command
        .env("ANYVPN_PROVIDER", "pia")
        .env("ANYVPN_PIA_URL", world.sandbox.pia_url())
        .env("ANYVPN_PIA_CA", service.ca())
        .env("ANYVPN_PIA_LIST_KEY", service.list_key())
        .env("ANYVPN_PIA_SERVER_NAME", service.server())
        .env("ANYVPN_PIA_GATEWAY", service.gateway())
        .env("XDG_STATE_HOME", world.folder.path())
        .env("XDG_CONFIG_HOME", world.folder.path());
    command
}

/// A world with an account that is signed in.
fn signed_in() -> World {
    let world = World::new();
    world.sandbox.pia().add_account(LOGIN, PASSWORD);
    let password = world.file("password", PASSWORD);
    ok(&mut pia(&world, &["login", "--username", LOGIN, "--password-file", &password]));
    world
}

#[test]
fn signing_in_shows_the_account_and_the_regions() {
    let world = signed_in();
    let account = json(&mut pia(&world, &["account", "show"]));
    assert_eq!((&account["login"], &account["status"]), (&json!(LOGIN), &json!("active")));
    let list = json(&mut pia(&world, &["server", "list"]));
    let swiss = &list["servers"][0];
    assert_eq!(
        (&swiss["id"], &swiss["protocols"]),
        (&json!("swiss"), &json!(["wireguard", "openvpn"]))
    );
    let abilities = ok(&mut pia(&world, &["capabilities"]));
    assert!(abilities.contains("Private Internet Access"), "{abilities}");
    let called = json(&mut pia(&world, &["call", "pia", "list-servers", "version=v7"]));
    assert_eq!(called["regions"][0]["id"], "swiss");
    let tokens = world.sandbox.pia().tokens(LOGIN);
    ok(&mut pia(&world, &["logout"]));
    assert_eq!(world.sandbox.pia().tokens(LOGIN), tokens - 1);
    fails(3, &mut pia(&world, &["account", "show"]));
}

#[test]
fn a_configuration_says_that_it_is_a_lease() {
    let world = signed_in();
    let path = world.path("swiss.conf").display().to_string();
    let get = ["config", "get", "swiss", "--output", &path];
    let told = pia(&world, &get).output().expect("it runs").stderr;
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("The key is a lease") && told.contains("10.4.128.1"), "{told}");
    let file = std::fs::read_to_string(&path).expect("it is written");
    assert!(file.contains("Endpoint = 127.0.0.1:1337") && file.contains("10.4.130.1/32"), "{file}");
    let shown = json(&mut pia(&world, &["config", "get", "de_berlin", "--reveal"]));
    assert!(shown["warnings"][0].as_str().is_some_and(|note| note.contains("lease")), "{shown}");
    let openvpn = ok(&mut pia(&world, &["config", "get", "gr", "--protocol", "openvpn"]));
    assert!(openvpn.contains("<auth-user-pass>"), "{openvpn}");
    fails(4, &mut pia(&world, &["config", "get", "atlantis"]));

    // Nothing at the provider has the name, so nothing here does.
    let named = ["config", "get", "swiss", "--protocol", "wireguard", "--name", "laptop"];
    let told = pia(&world, &named).output().expect("it runs").stderr;
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("was not stored: this provider does not list configurations"), "{told}");
    assert!(!world.path("anyvpn/labels.json").exists());
}

#[test]
fn a_server_is_found_whatever_its_case() {
    let world = signed_in();
    for words in [&["SWISS"][..], &["de berlin"], &["DE_Berlin", "--protocol", "wireguard"]] {
        ok(&mut pia(&world, &[&["config", "get"], words].concat()));
    }
}

#[test]
fn a_port_is_created_listed_renewed_and_forgotten() {
    let world = signed_in();
    let made = json(&mut pia(&world, &["port", "create"]));
    let port = made["port"].as_u64().expect("a number");
    assert_eq!(made["renew_every_seconds"], 900);
    assert_eq!(world.sandbox.pia().ports(), [port as u16]);
    let numbers = || {
        let list = json(&mut pia(&world, &["port", "list"]));
        list["ports"]
            .as_array()
            .cloned()
            .unwrap_or_default()
            .iter()
            .map(|it| it["port"].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(numbers(), [json!(port)]);
    let number = port.to_string();
    let again = json(&mut pia(&world, &["port", "create", "--port", &number]));
    assert_eq!(again["port"], port);
    // The next tunnel gets the same port.
    assert_eq!(json(&mut pia(&world, &["port", "create"]))["port"], port);
    ok(&mut pia(&world, &["port", "delete", &number]));
    assert!(numbers().is_empty());
    fails(4, &mut pia(&world, &["port", "delete", &number]));
    world.sandbox.pia().set_connected(false);
    let refused = error(2, &mut pia(&world, &["port", "create"]));
    assert!(refused.to_string().contains("tunnel"), "{refused}");
    fails(5, &mut pia(&world, &["port", "check", &number]));
}

#[test]
fn a_profile_contains_only_public_settings() {
    let world = World::new();
    world.sandbox.pia().add_account(LOGIN, PASSWORD);
    let password = world.file("password", PASSWORD);
    let add = ["profile", "add", "home", "--username", LOGIN, "--password-file", &password];
    ok(&mut pia(&world, &add));
    let shown = ok(&mut pia(&world, &["profile", "show", "home"]));
    assert!(!shown.contains(PASSWORD), "{shown}");
    let account = json(&mut pia(&world, &["--profile", "home", "account", "show"]));
    assert_eq!(account["login"], LOGIN);
}
