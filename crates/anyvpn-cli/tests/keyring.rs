//! Secrets in the system's keyring: GNOME Keyring on its own bus. Debian has both in the packages
//! dbus and gnome-keyring.
#![cfg(all(feature = "keyring", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, PASSWORD, World, command, fails, json, ok, with_stdin};

/// A token in JSON, as a regular expression.
const TOKEN: &str = r#""token"[[:space:]]*:[[:space:]]*""#;

/// An unlocked keyring, and a home folder.
struct Desktop {
    world: World,
    address: String,
    programs: Vec<Child>,
}

impl Desktop {
    fn new() -> Desktop {
        let world = World::new();
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address"]);
        let mut bus = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let mut keyring = Command::new("gnome-keyring-daemon");
        keyring.args(["--foreground", "--components=secrets", "--unlock"]);
        keyring.env("DBUS_SESSION_BUS_ADDRESS", &address).env("HOME", world.folder.path());
        keyring.env("XDG_RUNTIME_DIR", world.folder.path()).env_remove("XDG_DATA_HOME");
        let keyring = keyring.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = keyring.spawn().unwrap();
        keyring.stdin.take().unwrap().write_all(b"login").unwrap();
        let desktop = Desktop { world, address, programs: vec![keyring, bus] };
        // It is ready when it has its name on the bus.
        let mut asked = desktop.dbus_send("org.freedesktop.DBus.NameHasOwner");
        while !String::from_utf8(asked.output().unwrap().stdout).unwrap().contains("true") {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        desktop
    }

    fn dbus_send(&self, method: &str) -> Command {
        let mut send = Command::new("dbus-send");
        send.env("DBUS_SESSION_BUS_ADDRESS", &self.address).args([
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            method,
            "string:org.freedesktop.secrets",
        ]);
        send
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env("HOME", self.world.folder.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// Lists everything in the home folder that contains the text.
    fn files_with(&self, text: &str) -> Vec<String> {
        let mut grep = Command::new("grep");
        grep.args(["--recursive", "--files-with-matches", "--text", text]);
        let found = grep.arg(self.world.folder.path()).output().unwrap().stdout;
        String::from_utf8(found).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

#[test]
fn secrets_are_in_the_keyring_and_not_in_files() {
    let desktop = Desktop::new();
    let world = &desktop.world;
    let url = world.sandbox.azire_url();
    let add = ["profile", "add", "home", "--provider", "azire", "--url", &url];
    let mut add = desktop.command(&add);
    add.args(["--keyring", "--username", LOGIN]).env("ANYVPN_PASSWORD", PASSWORD);
    let added = json(&mut add);
    assert_eq!(added["sign_in"][0], "token in the keyring");
    let config = std::fs::read_to_string(world.path(".config/anyvpn/config.toml")).unwrap();
    assert!(config.contains("store = \"keyring\""), "{config}");
    assert_eq!(json(&mut desktop.command(&["account", "show"]))["login"], LOGIN);
    assert_eq!(json(&mut desktop.command(&["login"]))["made"], false);
    let forced = ["login", "--force", "--username", LOGIN];
    let made = json(desktop.command(&forced).env("ANYVPN_PASSWORD", PASSWORD));
    assert_eq!((&made["made"], &made["path"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(world.calls("azire.delete-token"), 1);

    // Passes a reseller's keys on stdin.
    let (key, secret) = (world.sandbox.vpngn().api_key(), world.sandbox.vpngn().secret_key());
    let vpngn = world.sandbox.vpngn_url();
    let mut shop = desktop.command(&["profile", "add", "shop", "--provider", "vpngn", "--url"]);
    shop.args([&vpngn, "--keyring", "--api-key-file", "-", "--secret-key-file", "-"]);
    let ran = with_stdin(&mut shop, &format!("{key}\n{secret}\n"));
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    world.sandbox.vpngn().add_customer("jo@mail.example", PASSWORD, Some(12));
    let list = ["--profile", "shop", "customer", "find", "jo@mail.example"];
    ok(&mut desktop.command(&list));

    // Completion does not use the keyring, because it could ask for a password.
    let mut complete = desktop.command(&["complete"]);
    assert!(!with_stdin(&mut complete, "anyvpn\nconfig\nget\n\n").stdout.is_empty());
    for secret in [&key, &secret] {
        assert_eq!(desktop.files_with(secret), [""; 0]);
    }

    assert_eq!(desktop.files_with(TOKEN), [""; 0]);

    let out = json(&mut desktop.command(&["logout"]));
    assert_eq!(out["deleted_at_provider"], true);
    assert_eq!(world.sandbox.azire().tokens(LOGIN), 1);
    fails(3, &mut desktop.command(&["account", "show"]));
    ok(&mut desktop.command(&["profile", "remove", "shop"]));
    fails(4, &mut desktop.command(&list));
}

#[test]
fn an_entry_that_a_killed_command_left_is_listed_and_pruned() {
    let desktop = Desktop::new();
    let world = &desktop.world;
    let url = world.sandbox.azire_url();
    let add = ["profile", "add", "home", "--provider", "azire", "--keyring", "--url", &url];
    let mut add = desktop.command(&[&add[..], &["--username", LOGIN]].concat());
    add.env("ANYVPN_PASSWORD", PASSWORD).stdout(Stdio::null()).stderr(Stdio::null());
    // The profile is tested when the entry is written.
    let hang = FaultRule::once("azire.get-user", Fault::Delay(Duration::from_secs(600)));
    world.sandbox.inject(hang).unwrap();
    let mut killed = add.spawn().unwrap();
    while world.calls("azire.get-user") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(world.sandbox.azire().tokens(LOGIN), 2);
    let listed = json(&mut desktop.command(&["profile", "list"]));
    let unused = &listed["unused"][0];
    assert_eq!(
        (&unused["profile"], &unused["username"], &unused["path"]),
        (&"home".into(), &LOGIN.into(), &serde_json::Value::Null)
    );
    assert_eq!(desktop.files_with(TOKEN), [""; 0]);
    let pruned = json(&mut desktop.command(&["profile", "prune", "--yes"]));
    assert_eq!(pruned["removed"][0]["deleted_at_provider"], true);
    assert_eq!(world.sandbox.azire().tokens(LOGIN), 1);
    let listed = json(&mut desktop.command(&["profile", "list"]));
    assert_eq!(listed["unused"], serde_json::json!([]));
    // The entry is gone, so the next sign-in needs the password.
    ok(add.stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(world.calls("azire.create-token"), 2);
    ok(&mut desktop.command(&["profile", "remove", "home"]));
    let listed = json(&mut desktop.command(&["profile", "list"]));
    assert_eq!(listed["unused"], serde_json::json!([]));
}

#[test]
fn a_missing_keyring_is_reported_early_and_the_profile_can_be_removed() {
    let mut desktop = Desktop::new();
    let world = &desktop.world;
    let url = world.sandbox.azire_url();
    let add = ["profile", "add", "home", "--provider", "azire", "--keyring", "--url", &url];
    let signs_in = [&add[..], &["--username", LOGIN]].concat();
    let mut nowhere = desktop.command(&signs_in);
    nowhere.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let text = fails(1, nowhere.env("ANYVPN_PASSWORD", PASSWORD));
    assert!(text.contains("cannot use the system's keyring: it does not answer"), "{text}");
    assert_eq!(world.calls("azire.create-token"), 0);
    assert!(!world.path(".config/anyvpn/config.toml").exists());

    ok(desktop.command(&signs_in).env("ANYVPN_PASSWORD", PASSWORD));
    let mut keyring = desktop.programs.remove(0);
    keyring.kill().unwrap();
    keyring.wait().unwrap();
    let gone = |arguments: &[&str]| {
        let mut gone = desktop.command(arguments);
        gone.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        gone
    };
    fails(1, &mut gone(&["account", "show"]));
    fails(1, &mut gone(&["profile", "remove", "home"]));
    let ran = gone(&["profile", "remove", "home", "--local"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let note = String::from_utf8(ran.stderr).unwrap();
    assert!(note.contains("may still exist: cannot use the system's keyring"), "{note}");
}
