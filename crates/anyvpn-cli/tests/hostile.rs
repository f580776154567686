//! Names and messages from a hostile server choose no path and cannot control the terminal.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::path::Path;
use std::process::Command;

use anyvpn_sandbox::vpnscript::Server;
use common::{PASSWORD, World, command, provider_by, provider_of};
use serde_json::json;

/// Sequences that set the window title, clear the screen, overwrite a line, or reverse the text
/// direction.
const ESCAPES: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\r\u{8}\u{9b}31m\u{202e}\u{200b}";

const NAMES: [&str; 9] =
    ["../../evil", "/etc/evil", "..", ".hidden", "C:\\evil", "NUL", "evil\0", "-rf", "a\nb"];

/// Runs the command in each of its forms, and checks all its output.
fn say(run: impl Fn() -> Command) -> String {
    let mut all = String::new();
    for more in [&[][..], &["-vv"], &["--json"]] {
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
fn server_names_cannot_choose_paths_or_control_the_terminal() {
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
    // No files appear outside the folder.
    for (above, below) in [("deep/in", "here"), ("deep", "in"), ("", "deep")] {
        let inside = std::fs::read_dir(world.path(above)).unwrap();
        let inside: Vec<_> = inside.map(|it| it.unwrap().file_name()).collect();
        assert_eq!(inside, [below], "{above}");
    }
}

#[test]
fn location_ids_cannot_choose_paths() {
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

#[test]
fn a_text_of_a_megabyte_is_cut_in_a_table_and_whole_in_json() {
    let long = "é".repeat(1 << 19);
    let place = json!({ "name": "x", "city": long, "country": long, "iso": "se",
        "pool": "pool.example", "pubkey": base64() });
    let url =
        provider_of("200 OK", json!({ "status": "success", "locations": [place] }).to_string());
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("ANYVPN_AZIRE_URL", &url).env("ANYVPN_AZIRE_TOKEN", "t");
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    };
    for arguments in [&["server", "list"][..], &["call", "azire", "list-locations"]] {
        let table = run(arguments);
        assert!(table.contains('…') && table.len() < 10_000, "{}", table.len());
        assert!(run(&[arguments, &["--json"]].concat()).contains(&long));
    }
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
                command.args(arguments).env(token, "t").env("ANYVPN_PASSWORD", "p");
                command
            };
            // A reading is retried with pauses after a 500, which would only take time here.
            if status != "500 X" {
                say(|| run(&["account", "show"]));
            }
            say(|| run(&["account", "set-password"]));
        }
    }

    // Hostile text in an account, a customer, a product and an argument.
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
    // config.toml may come from another person.
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

/// Users copy hints into a shell.
#[test]
fn an_id_is_one_word_of_every_command_that_is_suggested() {
    let world = World::new();
    let hostile = "dev1; touch pwned #$(touch pwned)`touch pwned`'\"\n--yes";
    let places = json!({ "status": "success", "locations": [{ "name": "se-sto", "city": "Stockholm",
        "country": "Sweden", "iso": "se", "pool": "pool.example", "pubkey": base64() }] });
    // The server's key differs from the one in the configuration.
    let device = json!({ "id": hostile, "ipv4_address": "10.0.1.136", "ipv4_netmask": 32,
        "ipv6_address": "2a0e:1c80::1", "ipv6_netmask": 128, "dns": ["10.0.0.1"],
        "device_name": hostile, "keys": [{ "key": base64(), "created_at": 1691499313 }] });
    let url = provider_by(move |request| match request.contains("/locations") {
        true => ("200 OK", places.to_string()),
        false => ("201 Created", device.to_string()),
    });
    let mut get = command(&["config", "get", "se-sto"]);
    get.env("ANYVPN_AZIRE_URL", &url).env("ANYVPN_AZIRE_TOKEN", "t").env("HOME", world.path(""));
    let text = common::fails(8, &mut get);
    let begin = "anyvpn config revoke ";
    let at = text.find(begin).unwrap_or_else(|| panic!("{text}"));
    let shown = hostile.replace('\n', " ");
    let words: Vec<String> = shlex::Shlex::new(&text[at..]).take(4).collect();
    assert_eq!(words.last(), Some(&shown), "{text}");

    // Arguments are escaped too.
    let customer = "$(touch pwned)@mail.example";
    let create = ["customer", "create", customer, "--country", "US", "--plan", "12"];
    let mut create = world.vpngn(&[&create[..], &["--generate-password"]].concat());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = create.stdout(writer).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains(&format!("anyvpn customer set-password '{customer}'")), "{text}");
}
