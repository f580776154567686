//! Names and messages of a hostile server: they choose no path, and no terminal obeys them.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::path::Path;
use std::process::Command;

use anyvpn_sandbox::vpnscript::Server;
use common::{PASSWORD, World, command, provider_of};
use serde_json::json;

/// A title for the window, a cleared screen, a line that is written over, the other way around.
const ESCAPES: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\r\u{8}\u{9b}31m\u{202e}\u{200b}";

const NAMES: [&str; 9] =
    ["../../evil", "/etc/evil", "..", ".hidden", "C:\\evil", "NUL", "evil\0", "-rf", "a\nb"];

/// Runs the command in each of its forms, and checks all that it says.
fn say(run: impl Fn() -> Command) -> String {
    let mut all = String::new();
    for more in [&[][..], &["-vvv"], &["--json"]] {
        let ran = run().args(more).output().unwrap();
        for text in [ran.stdout, ran.stderr] {
            let text = String::from_utf8(text).unwrap();
            let raw = text.chars().find(|c| {
                c.is_control() && *c != '\n' || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2060}')
            });
            assert_eq!(raw, None, "{more:?}: {text:?}");
            all.push_str(&text);
        }
    }
    all
}

#[test]
fn names_of_servers_choose_no_file_and_no_terminal_obeys_them() {
    let world = World::new();
    let names = NAMES.iter().map(|name| format!("{name}{ESCAPES}"));
    let names = names.chain([ESCAPES.to_owned(), "x".repeat(5000), "é".repeat(300)]);
    let names: Vec<String> = names.chain(NAMES.map(str::to_owned)).collect();
    for name in &names {
        world.sandbox.vpnscript().add_server(Server::openvpn(name));
        world.sandbox.vpnscript().add_server(Server::wireguard(name));
    }
    let listed = say(|| world.vpnscript(&["server", "list"]));
    assert!(listed.contains(r"\u{1b}]0;x\u{7}"), "{listed}");
    say(|| world.vpnscript(&["config", "list"]));
    say(|| world.vpnscript(&["call", "vpnscript", "list-servers"]));

    let folder = world.path("deep/in/here");
    let folder_name = folder.to_str().unwrap();
    let all = ["config", "get", "--all", "--force", "--output-dir", folder_name];
    say(|| world.vpnscript(&all));
    let mut found = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let (stem, end) = name.rsplit_once('.').unwrap();
        assert!(stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
        assert!(stem.len() <= 60 && ["conf", "ovpn", "auth"].contains(&end), "{name}");
        assert!(!stem.starts_with('-') && !stem.eq_ignore_ascii_case("nul"), "{name}");
        found += 1;
    }
    assert!(found >= names.len(), "{found}");
    // Nothing is above the folder but what leads to it.
    for (above, below) in [("deep/in", "here"), ("deep", "in"), ("", "deep")] {
        let inside = std::fs::read_dir(world.path(above)).unwrap();
        let inside: Vec<_> = inside.map(|it| it.unwrap().file_name()).collect();
        assert_eq!(inside, [below], "{above}");
    }
}

#[test]
fn ids_of_locations_choose_no_file_either() {
    let world = World::new();
    let place = |(number, id): (usize, &str)| {
        json!({ "name": id, "city": format!("{id}{ESCAPES}{number}"), "country": ESCAPES,
            "iso": ESCAPES, "pool": "pool.example", "pubkey": base64() })
    };
    let places: Vec<_> = NAMES.into_iter().chain([ESCAPES]).enumerate().map(place).collect();
    let url =
        provider_of("200 OK", json!({ "status": "success", "locations": places }).to_string());
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("ANYVPN_AZIRE_URL", &url).env("ANYVPN_AZIRE_TOKEN", "t");
        command
    };
    say(|| run(&["server", "list"]));
    let folder = world.path("configs");
    let get = ["config", "get", "--all", "--output-dir", folder.to_str().unwrap()];
    say(|| run(&get));
    say(|| run(&["config", "get", ESCAPES, "--output", folder.join("x").to_str().unwrap()]));
    assert!(!Path::new("/etc/evil.conf").exists());
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 1);
}

fn base64() -> String {
    format!("{}=", "A".repeat(43))
}

#[test]
fn messages_names_and_addresses_of_every_kind_are_shown_and_not_obeyed() {
    let message = format!("no{ESCAPES}\nreally: \u{2028} {}", "long ".repeat(2000));
    let errors = json!({ "status": "error", "message": message, "code": ESCAPES,
        "errors": { ESCAPES: [message] } });
    for status in ["422 X", "401 X", "404 X", "409 X", "500 X", "200 OK"] {
        let url = provider_of(status, errors.to_string());
        for (provider, token) in
            [("azire", "ANYVPN_AZIRE_TOKEN"), ("vpnscript", "ANYVPN_VPNSCRIPT_TOKEN")]
        {
            let run = |arguments: &[&str]| {
                let mut command = command(&["--provider", provider, "--url", &url]);
                // A failure is not waited for.
                command.args(arguments).env(token, "t").env("ANYVPN_PASSWORD", "p");
                command
            };
            if status != "500 X" {
                say(|| run(&["account", "show"]));
            }
            say(|| run(&["account", "set-password"]));
        }
    }

    // The provider's words for a person, a customer, a product, and the person's own.
    let world = World::new();
    let name = format!("eva{ESCAPES}");
    let token = world.sandbox.azire().add_account(&name, PASSWORD).token;
    let run = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env("ANYVPN_AZIRE_TOKEN", &token).env("HOME", world.folder.path());
        command.env("ANYVPN_PASSWORD", PASSWORD);
        command
    };
    say(|| run(&["account", "show"]));
    say(|| run(&["login", "--username", &name, "--force", "--device-name", ESCAPES]));
    say(|| run(&["call", "azire", "list-tokens"]));
    say(|| run(&["logout"]));
    say(|| world.vpngn(&["customer", "find", &format!("{ESCAPES}@mail.example")]));
    for argument in [&["frobnicate", ESCAPES][..], &[ESCAPES], &["--profile", ESCAPES, "login"]] {
        say(|| run(argument));
    }
    // The file of profiles may come from somebody else.
    let config = world.path(".config/anyvpn/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let text = "[profiles.x]\nprovider = 'azire'\nurl = \"https://x/\\u001b[2J\"\n\
                token_command = [\"\\u001b[2J\", \"\\u202e\"]";
    std::fs::write(&config, text).unwrap();
    for command in
        [&["profile", "list"][..], &["profile", "show", "x"], &["--profile", "x", "port", "list"]]
    {
        say(|| {
            let mut it = command_at(&world, command);
            it.env("ANYVPN_PASSWORD", PASSWORD);
            it
        });
    }
    for text in ["[profiles.\"\\u001b[2J\"]", "\"\\u001b[2J\" = 1", "default = \"\\u001b[2J\""] {
        std::fs::write(&config, text).unwrap();
        say(|| command_at(&world, &["profile", "list"]));
    }
}

fn command_at(world: &World, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("HOME", world.folder.path());
    command
}
