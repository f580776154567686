//! Private Internet Access through the command, which has no code for this provider.

mod common;

use common::{LOGIN, PASSWORD, World, error, fails, json, ok};
use serde_json::{Value, json};

#[test]
fn signing_in_shows_the_account_and_the_regions() {
    let world = World::signed_in_at_pia();
    let account = json(&mut world.pia(&["account", "show"]));
    assert_eq!((&account["login"], &account["status"]), (&json!(LOGIN), &json!("active")));
    let list = json(&mut world.pia(&["server", "list"]));
    let swiss = &list["servers"][0];
    assert_eq!(
        (&swiss["id"], &swiss["protocols"]),
        (&json!("swiss"), &json!(["wireguard", "openvpn"]))
    );
    let abilities = ok(&mut world.pia(&["capabilities"]));
    assert!(abilities.contains("Private Internet Access"), "{abilities}");
    let called = json(&mut world.pia(&["call", "pia", "list-servers", "version=v7"]));
    assert_eq!(called["regions"][0]["id"], "swiss");
    let tokens = world.sandbox.pia().tokens(LOGIN);
    ok(&mut world.pia(&["logout"]));
    assert_eq!(world.sandbox.pia().tokens(LOGIN), tokens - 1);
    fails(3, &mut world.pia(&["account", "show"]));
}

#[test]
fn a_configuration_says_that_it_is_a_lease() {
    let world = World::signed_in_at_pia();
    let path = world.path("swiss.conf").display().to_string();
    let get = ["config", "get", "swiss", "--output", &path];
    let told = world.pia(&get).output().expect("it runs").stderr;
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("The key is a lease") && told.contains("10.4.128.1"), "{told}");
    let file = std::fs::read_to_string(&path).expect("it is written");
    assert!(file.contains("Endpoint = 127.0.0.1:1337") && file.contains("10.4.130.1/32"), "{file}");
    let shown = json(&mut world.pia(&["config", "get", "de_berlin", "--reveal"]));
    assert!(shown["warnings"][0].as_str().is_some_and(|note| note.contains("lease")), "{shown}");
    let openvpn = ok(&mut world.pia(&["config", "get", "gr", "--protocol", "openvpn"]));
    assert!(openvpn.contains("<auth-user-pass>"), "{openvpn}");
    fails(4, &mut world.pia(&["config", "get", "atlantis"]));

    // Devices have no names at the provider, so they have none here.
    let named = ["config", "get", "swiss", "--protocol", "wireguard", "--name", "laptop"];
    let told = world.pia(&named).output().expect("it runs").stderr;
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("was not stored: this provider does not list configurations"), "{told}");
    assert!(!world.path("anyvpn/labels.json").exists());
}

#[test]
fn a_server_is_found_whatever_its_case() {
    let world = World::signed_in_at_pia();
    for words in [&["SWISS"][..], &["de berlin"], &["DE_Berlin", "--protocol", "wireguard"]] {
        ok(&mut world.pia(&[&["config", "get"], words].concat()));
    }
}

#[test]
fn a_port_is_created_listed_renewed_and_forgotten() {
    let world = World::signed_in_at_pia();
    let made = json(&mut world.pia(&["port", "create"]));
    let port = made["port"].as_u64().expect("a number");
    assert_eq!(made["renew_every_seconds"], 900);
    assert_eq!(world.sandbox.pia().ports(), [port as u16]);
    let numbers = || {
        let list = json(&mut world.pia(&["port", "list"]));
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
    let again = json(&mut world.pia(&["port", "create", "--port", &number]));
    assert_eq!(again["port"], port);
    // The next tunnel gets the same port.
    assert_eq!(json(&mut world.pia(&["port", "create"]))["port"], port);
    ok(&mut world.pia(&["port", "delete", &number]));
    assert!(numbers().is_empty());
    fails(4, &mut world.pia(&["port", "delete", &number]));
    world.sandbox.pia().set_connected(false);
    let refused = error(2, &mut world.pia(&["port", "create"]));
    assert!(refused.to_string().contains("tunnel"), "{refused}");
    fails(5, &mut world.pia(&["port", "check", &number]));
}

#[test]
fn a_profile_contains_only_public_settings() {
    let world = World::new();
    world.sandbox.pia().add_account(LOGIN, PASSWORD);
    let password = world.file("password", PASSWORD);
    let add = ["profile", "add", "home", "--username", LOGIN, "--password-file", &password];
    ok(&mut world.pia(&add));
    let shown = ok(&mut world.pia(&["profile", "show", "home"]));
    assert!(!shown.contains(PASSWORD), "{shown}");
    let account = json(&mut world.pia(&["--profile", "home", "account", "show"]));
    assert_eq!(account["login"], LOGIN);
}
