//! Prompts for passwords on a terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use common::terminal::Terminal;
use common::{LOGIN, PASSWORD, World, command, ok};

fn login(world: &World, username: &str) -> std::process::Command {
    let login = ["login", "--force", "--provider", "azire", "--username", username, "--url"];
    let mut login = command(&login);
    login.arg(world.sandbox.azire_url()).env("HOME", world.folder.path());
    login
}

#[test]
fn a_password_is_never_shown_even_when_typed_fast() {
    let world = World::new();
    let password = "%^".repeat(120);
    world.sandbox.azire().add_account("eva", &password);
    // A prompt that disables the echo for one key at a time would show some of these letters.
    for _ in 0..5 {
        let mut terminal = Terminal::run(login(&world, "eva"));
        terminal.wait_for("Password:");
        for letter in password.chars() {
            terminal.press(&letter.to_string());
        }
        // A typing error that Backspace corrects.
        terminal.press("é\u{7f}\r");
        let left = terminal.end();
        assert_eq!(left.code, Some(0), "{}", left.written);
        assert!(left.screen.contains("eva is now signed in"), "{}", left.screen);
        assert!(!left.written.contains(['%', '^']), "{}", left.written);
    }
}

#[test]
fn a_new_password_is_asked_for_twice() {
    let world = World::new();
    for (again, code, said) in [("wrong", 2, "do not match"), ("new", 0, "Password changed")] {
        let mut set = Terminal::run(world.command(&["account", "set-password"]));
        set.wait_for("password:");
        set.press("new-password\r");
        set.wait_for("Repeat the password:");
        set.press(&format!("{again}-password\r"));
        let left = set.end();
        assert_eq!(left.code, Some(code), "{}", left.screen);
        assert!(left.screen.contains(said), "{}", left.screen);
    }
    for (keys, said) in [
        ("ab\u{1b}[D\r", "arrow keys do not work here"),
        ("\u{4}", "cancelled; nothing was changed"),
    ] {
        let mut terminal = Terminal::run(login(&world, "eva"));
        terminal.wait_for("Password:");
        terminal.press(keys);
        assert!(terminal.end().screen.contains(said));
    }
}

/// A secret that an operation needs is typed at a prompt, and not shown.
#[test]
fn call_asks_for_a_required_secret_without_showing_it() {
    let world = World::new();
    let call = ["call", "azire", "update-password"];
    let mut terminal = Terminal::run(world.command(&call));
    terminal.wait_for("new_password:");
    terminal.press("new-canary\r");
    let left = terminal.end();
    assert_eq!(left.code, Some(0), "{}", left.written);
    assert!(!left.written.contains("canary"), "{}", left.written);
    assert_eq!(world.calls("azire.update-password"), 1);
    // Without a terminal, nothing is asked.
    let text = world.fails(2, &call);
    assert!(text.contains("new_password: is required") && text.contains("@FILE"), "{text}");
}

/// The account's only device may be a telephone, so the command names it and asks.
#[test]
fn the_only_device_is_asked_for_before_a_port_is_opened_or_closed() {
    let world = World::new();
    let azire = world.sandbox.azire();
    let password = format!("password=@{}", world.file("password", PASSWORD));
    let name = "Jo's telephone";
    let device_name = format!("device_name={name}");
    let sign_in = ["call", "azire", "create-token", "username=david", &password, &device_name];
    let token = world.json(&[&sign_in[..], &["--reveal"]].concat());
    let key = format!("key=AAB{}=", "A".repeat(40));
    let mut register = world.command(&["call", "azire", "create-ip", &key]);
    ok(register.env("ANYVPN_AZIRE_TOKEN", token["key"].as_str().unwrap()));
    let address = azire.devices(LOGIN)[0].internal_ipv4.to_string();
    let ask = |arguments: &[&str], key: &str| {
        let mut terminal = Terminal::run(world.command(arguments));
        terminal.wait_for("in the tunnel");
        terminal.wait_for("(y/N)");
        terminal.press(&format!("{key}\r"));
        let left = terminal.end();
        let asked = left.written.replace("\r\n", " ");
        assert!(asked.contains(&address) && asked.contains(name), "{}", left.written);
        left.code
    };
    assert_eq!(ask(&["port", "create"], ""), Some(1));
    assert_eq!(azire.ports(LOGIN).len(), 0);
    assert_eq!(ask(&["port", "create"], "y"), Some(0));
    assert_eq!(azire.ports(LOGIN).len(), 1);
    let port = azire.ports(LOGIN)[0].port.to_string();
    assert_eq!(ask(&["port", "delete", &port], "n"), Some(1));
    assert_eq!(azire.ports(LOGIN).len(), 1);
    assert_eq!(ask(&["port", "delete", &port], "y"), Some(0));
    assert_eq!(azire.ports(LOGIN).len(), 0);
}

/// Returns the text of a profile after the prompts for optional settings were answered with these
/// keys.
fn optional(world: &World, name: &str, answers: &[(&str, &str)]) -> String {
    let add = ["profile", "add", name, "--provider", "natpmp", "--all", "--no-check"];
    let mut add = command(&add);
    add.env("HOME", world.folder.path()).env("ANYVPN_NATPMP_GATEWAY", "127.0.0.1:1");
    let mut terminal = Terminal::run(add);
    for (question, keys) in answers {
        terminal.wait_for(question);
        terminal.press(keys);
    }
    let left = terminal.end();
    assert_eq!(left.code, Some(0), "{}", left.screen);
    let config = world.folder.path().join(".config/anyvpn/config.toml");
    std::fs::read_to_string(config).unwrap()
}

/// The user selects a valid value. After an invalid one, the command asks again.
#[test]
fn optional_settings_are_asked_for_with_all() {
    const DOWN: &str = "\u{1b}[B";
    let world = World::new();
    let lifetime = "Lifetime (leave empty for 60):";
    let text = optional(&world, "usual", &[("symmetric (default)", "\r"), (lifetime, "\r")]);
    assert!(text.contains("gateway") && !text.contains("form") && !text.contains("lifetime"));
    let again = [
        ("symmetric (default)", &format!("{DOWN}\r")[..]),
        (lifetime, "soon\r"),
        ("must be a number of seconds", "\u{7f}\u{7f}\u{7f}\u{7f}120\r"),
    ];
    let text = optional(&world, "odd", &again);
    assert!(text.contains("form = \"plain\"") && text.contains("lifetime = \"120\""), "{text}");

    // Without a terminal, nothing is asked.
    let add = ["profile", "add", "x", "--provider", "natpmp", "--all"];
    let ran = command(&add).env("HOME", world.folder.path()).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(common::stderr(&ran).contains("cannot ask for settings"), "{}", common::stderr(&ran));
    // The option accepts only these values, too.
    let text = world.fails(2, &["--provider", "natpmp", "--form", "odd", "port", "list"]);
    assert!(text.contains("symmetric, plain"), "{text}");
}
