//! What each command does when nothing fails.

mod common;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use common::{LOGIN, PASSWORD, World, command, ok, with_stdin};
use serde_json::{Value, json};

#[allow(clippy::unwrap_used, reason = "what fails here fails the test")]
fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn an_account_is_created_shown_changed_and_closed() {
    let world = World::new();
    let shown = world.json(&["account", "show"]);
    assert_eq!(shown["login"], LOGIN);
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["services"][0]["name"], "AzireVPN");
    let words = world.ok(&["account", "show"]);
    assert!(words.contains("Access until") && words.contains("(in "), "{words}");

    let file = world.file("password", "first\n");
    let new = ["account", "create", "eva", "--currency", "SEK", "--password-file", &file];
    assert_eq!(world.json(&new)["login"], "eva");
    let sign_in = ["username=eva", &format!("password=@{file}")];
    world.json(&[&["call", "azire", "create-token", "--reveal"], &sign_in[..]].concat());

    let set = ["account", "set-password"];
    let done: Value = serde_json::from_str(&ok(world
        .command(&set)
        .env("ANYVPN_PASSWORD", "second")
        .arg("--json")))
    .unwrap();
    assert_eq!(done, json!({ "provider": "azire", "done": "set-password" }));

    let close = &mut world.command(&["account", "close", "--yes", "--password-file", "-"]);
    let closed = with_stdin(close, "second\r\n");
    assert_eq!(closed.status.code(), Some(0));
    assert_eq!(closed.stdout, b"Account closed.\n");
    world.fails(3, &["account", "show"]);
}

#[test]
fn servers_are_listed_with_and_without_an_account() {
    let world = World::new();
    let all = world.json(&["server", "list"]);
    let first = &all["servers"][0];
    assert_eq!(first["id"], "se-sto");
    assert_eq!(first["country_code"], "se");
    assert_eq!(first["protocols"], json!(["wireguard"]));
    assert!(world.ok(&["server", "list"]).starts_with("SERVER "));

    let stranger = &mut command(&["--provider", "azire", "server", "list", "--json"]);
    stranger.args(["--url", &world.sandbox.azire_url()]);
    let public: Value = serde_json::from_str(&ok(stranger)).unwrap();
    let count = |list: &Value| list["servers"].as_array().unwrap().len();
    assert_eq!(count(&public) + 1, count(&all));
}

#[test]
fn configurations_are_obtained_listed_rotated_and_revoked() {
    let world = World::new();
    assert_eq!(world.ok(&["config", "list"]), "You have no configurations.\n");
    let config = world.ok(&["config", "get", "se-sto"]);
    assert!(config.starts_with("[Interface]\nPrivateKey = "), "{config}");
    assert!(config.contains("Endpoint = se-sto.azirevpn.example:51820"));

    let options = [
        "--dns",
        "1.1.1.1,9.9.9.9",
        "--mtu",
        "1380",
        "--keepalive",
        "25",
        "--ipv4-only",
        "--endpoint-port",
        "443",
    ];
    let config = world.ok(&[&["config", "get", "no-osl"], &options[..]].concat());
    for line in [
        "DNS = 1.1.1.1, 9.9.9.9\n",
        "MTU = 1380\n",
        "AllowedIPs = 0.0.0.0/0\n",
        "Endpoint = no-osl.azirevpn.example:443\n",
        "PersistentKeepalive = 25\n",
    ] {
        assert!(config.contains(line), "{line} {config}");
    }
    // The case does not matter.
    let config = world.ok(&["config", "get", "SE-Sto", "--no-dns"]);
    assert!(config.contains("se-sto.azirevpn.example") && !config.contains("DNS"), "{config}");

    let list = world.json(&["config", "list"]);
    assert_eq!(list["configs"].as_array().unwrap().len(), 3);
    let first = &list["configs"][0];
    assert_eq!(first["public_keys"].as_array().unwrap().len(), 1);
    let id = text(&first["id"]);

    let path = world.path("new.conf");
    let path = path.to_str().unwrap();
    let rotated = world.json(&["config", "rotate", id, "se-sto", "--output", path]);
    assert_eq!(rotated["id"], id);
    assert_eq!(rotated["path"], path);
    assert_eq!(rotated["old_key_valid"], true);
    assert_eq!(world.sandbox.azire().devices(LOGIN)[0].keys.len(), 2);

    assert_eq!(world.ok(&["config", "revoke", id]), format!("Revoked {id}.\n"));
    assert_eq!(world.json(&["config", "list"])["configs"].as_array().unwrap().len(), 2);
    assert!(world.ok(&["config", "list"]).starts_with("ID "));
}

#[test]
fn a_key_of_ones_own_keeps_its_device() {
    let world = World::new();
    let config = world.ok(&["config", "get", "se-sto"]);
    let line = config.lines().find(|line| line.starts_with("PrivateKey")).unwrap();
    let key = world.file("key", &format!("{}\n", line.split(" = ").nth(1).unwrap()));
    let again = world.ok(&["config", "get", "se-sto", "--private-key-file", &key]);
    assert_eq!(again, config);
    assert_eq!(world.sandbox.azire().devices(LOGIN).len(), 1);
    // The caller already has the key, so the answer may omit it.
    let hidden = world.json(&["config", "get", "se-sto", "--private-key-file", &key]);
    assert!(text(&hidden["config"]).contains("PrivateKey = [redacted]"));
}

#[test]
fn ports_are_opened_listed_checked_hidden_and_closed() {
    let world = World::with_device();
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let empty = world.json(&["port", "list"]);
    assert_eq!(empty, json!({ "internal_ipv4": device, "ports": [] }));

    let made = world.json(&["port", "create", "--days", "7", "--internal-ipv4", &device]);
    assert_eq!(made["internal_ipv4"], device);
    assert_eq!(made["hidden"], false);
    let port = made["port"].to_string();
    let list = world.command(&["port", "list"]).output().unwrap();
    assert!(String::from_utf8(list.stdout).unwrap().contains(" days)"));
    let note = String::from_utf8(list.stderr).unwrap();
    assert_eq!(note, format!("Using internal address {device} (the account's only device).\n"));

    let [number, address] = [("port", &port), ("internal_ipv4", &device)]
        .map(|(field, value)| format!("{field}={value}"));
    let hidden = world.json(&["call", "azire", "hide-port-forward", &number, &address]);
    assert_eq!(hidden["port"], made["port"]);
    assert_eq!(world.json(&["port", "list"])["ports"], json!([]));
    let deleted = world.json(&["port", "delete", &port, "--internal-ipv4", &device]);
    assert_eq!(deleted["deleted"], true);
    assert!(world.sandbox.azire().ports(LOGIN).is_empty());
    let create = ["port", "create", "--hidden", "--internal-ipv4", &device];
    assert!(world.ok(&create).contains("no, so note the number"));
}

/// Outside of the tunnel, the account's only device may be a telephone. A command that reads uses
/// it and prints a note. A command that changes something refuses if it cannot ask.
#[test]
fn the_only_device_is_not_taken_for_this_machine() {
    let world = World::with_device();
    let azire = world.sandbox.azire();
    let device = azire.devices(LOGIN)[0].internal_ipv4.to_string();
    let create = ["port", "create", "--internal-ipv4", &device];
    let port = world.json(&create)["port"].to_string();
    let before = azire.ports(LOGIN).len();
    let changes = ["azire.create-port-forward", "azire.delete-port-forward"];
    let calls = || changes.iter().map(|it| world.calls(it)).sum::<usize>();
    assert_eq!(calls(), 1);
    for arguments in [
        &["port", "create"][..],
        &["port", "create", "--hidden", "--days", "7"],
        &["port", "delete", &port],
    ] {
        let text = world.fails(2, arguments);
        assert!(text.contains("in the tunnel"), "{text}");
        assert!(text.contains(&format!("--internal-ipv4 {device}")), "{text}");
        assert_eq!(world.error(2, arguments)["kind"], "usage");
    }
    assert_eq!((calls(), azire.ports(LOGIN).len()), (1, before));
    assert!(!azire.ports(LOGIN)[0].hidden);
}

#[test]
fn checking_a_port_needs_no_token_and_a_closed_port_is_not_an_error() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let url = world.sandbox.azire_url();
    let check =
        || ok(&mut command(&["--provider", "azire", "--url", &url, "port", "check", &port]));
    assert!(check().contains("is open"), "{}", check());
    drop(listener);
    assert!(check().contains("is closed"), "{}", check());
    assert_eq!(world.json(&["port", "check", &port])["open"], false);
    let told = |arguments: &[&str]| {
        let ran = world.command(arguments).output().unwrap();
        assert!(ran.stderr.is_empty(), "{ran:?}");
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    };
    let closed = told(&["port", "check", &port]);
    assert_eq!(closed.0, Some(0));
    assert_eq!(told(&["port", "check", &port, "--exit-code"]), (Some(10), closed.1));
    let (code, answer) = told(&["port", "check", &port, "--exit-code", "--json"]);
    assert_eq!(code, Some(10));
    assert!(answer.contains(r#""open": false"#), "{answer}");
}

#[test]
fn any_operation_can_be_called_with_fields_of_each_kind() {
    let world = World::with_device();
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let call = ["call", "azire"];
    let address = format!("internal_ipv4={device}");
    let made = world.json(
        &[&call[..], &["create-port-forward", &address, "expires_in=3", "hidden=true"]].concat(),
    );
    assert_eq!(made["hidden"], true);

    let tokens = world.json(&[&call[..], &["list-tokens"]].concat());
    assert_eq!(tokens[0]["key"], "[redacted]");
    let tokens = world.json(&[&call[..], &["list-tokens", "--reveal"]].concat());
    assert_eq!(tokens[0]["key"], world.token);

    let sign_in = ["create-token", "username=david", "password=-", "--reveal", "--json"];
    let token = with_stdin(&mut world.command(&[&call[..], &sign_in].concat()), PASSWORD);
    let token: Value = serde_json::from_slice(&token.stdout).unwrap();
    assert_ne!(token["key"], world.token);

    let input = json!({ "username": LOGIN, "password": PASSWORD }).to_string();
    let create = ["create-token", "--input", "-", "device_name=phone", "--reveal", "--json"];
    let token = with_stdin(&mut world.command(&[&call[..], &create].concat()), &input);
    let token: Value = serde_json::from_slice(&token.stdout).unwrap();
    assert_eq!(token["device_name"], "phone");
}

#[test]
fn a_call_shows_its_fields_and_answers_for_people() {
    let world = World::with_device();
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let help = ok(&mut command(&["call", "azire", "hide-port-forward", "--help"]));
    for words in ["Hides a port", "Usage: anyvpn call azire hide-port-forward", "port=NUMBER"] {
        assert!(help.contains(words), "no {words}: {help}");
    }
    assert!(help.contains("(required)") && help.contains("PUT /v3/portforwardings"), "{help}");
    let help = ok(&mut command(&["call", "--help"]));
    assert!(help.contains("anyvpn call [OPTIONS]"), "{help}");

    // A single object is printed as a listing, and several objects as a table.
    let user = world.ok(&["call", "azire", "get-user"]);
    assert!(
        user.lines().any(|line| line.starts_with("username ") && line.ends_with(LOGIN)),
        "{user}"
    );
    let ips = world.ok(&["call", "azire", "list-ips"]);
    assert!(ips.contains(&device) && !ips.contains('{'), "{ips}");
    let tokens = world.ok(&["call", "azire", "list-tokens"]);
    assert!(tokens.contains("[redacted]") && !tokens.contains('{'), "{tokens}");
    assert!(!tokens.contains(&world.token), "{tokens}");
    let address = format!("internal_ipv4={device}");
    let ports = world.ok(&["call", "azire", "list-port-forwards", &address]);
    assert!(ports.lines().any(|line| line.starts_with("ports")), "{ports}");
}

#[test]
fn operations_and_capabilities_are_listed_without_any_request() {
    let nowhere = |arguments| ok(command(arguments).env("ANYVPN_AZIRE_URL", "no address at all"));
    let operations: Value = serde_json::from_str(&nowhere(&["call", "azire", "--json"])).unwrap();
    let azire = anyvpn::Registry::builtin();
    let azire = azire.info("azire").unwrap().operations;
    assert_eq!(operations["operations"].as_array().unwrap().len(), azire.len());
    assert_eq!(operations["operations"][0]["fields"][1]["kind"], "secret");
    assert!(nowhere(&["call", "azire"]).contains("password=@FILE"));

    let all: Value = serde_json::from_str(&nowhere(&["capabilities", "--json"])).unwrap();
    let azire = &all["providers"][0];
    assert_eq!(
        azire["capabilities"][0],
        json!({
            "name": "sign-in", "answer": "can", "why": null, "link": null, "note": null
        })
    );
    assert_eq!(azire["capabilities"][6]["answer"], "cannot");
    assert!(nowhere(&["capabilities"]).contains("https://www.azirevpn.com/"));
    assert!(nowhere(&["--version"]).starts_with("anyvpn "));
}

#[test]
fn the_sandbox_prints_what_a_shell_needs_and_serves() {
    let mut child = command(&["sandbox", "--seed", "7"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut environment = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        environment.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if name == "ANYVPN_PROVIDER" {
            break;
        }
    }
    let show = |arguments: &[&str]| {
        let shown = command(arguments).envs(environment.clone()).arg("--json").output().unwrap();
        serde_json::from_slice::<Value>(&shown.stdout).unwrap_or_default()
    };
    let first = show(&["account", "show"]);
    let second = show(&["account", "show", "--provider", "vpnscript"]);
    let customer = ["account", "show", "--provider", "vpngn", "--customer", "demo@mail.example"];
    let third = show(&customer);
    child.kill().unwrap();
    child.wait().unwrap();
    let seen = [&first, &second, &third].map(|it| (text(&it["provider"]), text(&it["login"])));
    assert_eq!(seen, [("azire", "demo"), ("vpnscript", "demo"), ("vpngn", "demo@mail.example")]);
    // VPN Script's tokens contain a `|`, which a shell would read as a pipe.
    assert!(environment.iter().any(|(_, value)| value.contains('|')));
}

#[test]
fn variations_of_the_sandbox_are_listed_and_unknown_ones_refused() {
    let list = command(&["sandbox", "--list-variations"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.lines().any(|line| line.starts_with("azire.created-ip-is-bare  ")), "{list}");
    let refused = command(&["sandbox", "--variation", "azire.fast"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("azire.fast") && error.contains("--list-variations"), "{error}");
}
