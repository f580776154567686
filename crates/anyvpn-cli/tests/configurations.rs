//! Configurations in the formats of common programs.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::fs;
use std::process::Command;

use anyvpn_sandbox::vpnscript::{Profile, Server};
use common::{LOGIN, World, fails, json, ok};
use serde_json::json;

/// Returns the stdout and stderr of a command that must succeed.
fn told(command: &mut Command) -> (String, String) {
    let ran = command.output().unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{command:?}: {stderr}");
    (String::from_utf8(ran.stdout).unwrap(), stderr)
}

/// The VPN Script server whose profile is the sample of the document.
fn documented(world: &World) -> String {
    let server = Server { profile: Profile::AsDocumented, ..Server::openvpn("As documented") };
    world.sandbox.vpnscript().add_server(server).to_string()
}

#[test]
fn credentials_go_to_a_file_beside_the_profile_unless_something_else_is_wanted() {
    let world = World::new();
    let (profile, credentials) = (world.path("de.ovpn"), world.path("de.auth"));
    let (inline, note) = told(&mut world.vpnscript(&["config", "get", "1"]));
    assert!(note.contains("OpenVPN before 2.6") && note.contains("--output FILE"), "{note}");
    let chosen = ["config", "get", "1", "--credentials", "inline"];
    assert_eq!(told(&mut world.vpnscript(&chosen)), (inline.clone(), String::new()));
    let (_, block) = inline.split_once("<auth-user-pass>\n").unwrap();
    let (lines, _) = block.split_once("</auth-user-pass>").unwrap();
    let password = lines.lines().nth(1).unwrap();
    let path = profile.to_str().unwrap();
    let get = ["config", "get", "1", "--output", path];
    let (stdout, stderr) = told(&mut world.vpnscript(&get));
    assert_eq!(stdout, format!("{path}\n{}\n", credentials.display()));
    let folder = world.folder.path().display();
    assert_eq!(stderr, format!("Next, as root: openvpn --cd {folder} --config de.ovpn\n"));
    let text = fs::read_to_string(&profile).unwrap();
    assert!(text.contains("\nauth-user-pass de.auth\n") && !text.contains(password), "{text}");
    assert_eq!(fs::read_to_string(&credentials).unwrap(), lines);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(credentials.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    // An existing file is not overwritten.
    fs::remove_file(&profile).unwrap();
    let calls = world.calls("vpnscript.get-openvpn-profile");
    assert!(fails(2, &mut world.vpnscript(&get)).contains("de.auth already exists"));
    assert_eq!((world.calls("vpnscript.get-openvpn-profile"), profile.exists()), (calls, false));

    let with = |more: &[&str]| {
        let got = json(&mut world.vpnscript(&[&get[..], &["--force"], more].concat()));
        (got, fs::read_to_string(&profile).unwrap())
    };
    let (got, _) = with(&[]);
    assert_eq!(got["credentials_path"], credentials.to_str().unwrap());
    let (got, text) = with(&["--credentials", "inline"]);
    assert!(text.contains(&format!("<auth-user-pass>\n{lines}")), "{text}");
    assert_eq!(got.get("credentials_path"), None);
    let (_, text) = with(&["--credentials", "none"]);
    assert!(text.contains("\nauth-user-pass\n") && !text.contains(password), "{text}");
    for wrong in [
        &["config", "get", "1", "--credentials", "file"][..],
        &["config", "get", "2", "--credentials", "none"],
        &["config", "get", "2", "--compat"],
        &["config", "get", "1", "--credentials", "all"],
        &["config", "get", "1", "--force", "--output", credentials.to_str().unwrap()],
    ] {
        fails(2, &mut world.vpnscript(wrong));
    }
}

#[test]
fn lines_that_openvpn_refuses_are_reported_and_can_be_commented_out() {
    let world = World::new();
    let server = documented(&world);
    let path = world.path("old.ovpn");
    let get = ["config", "get", &server, "--output", path.to_str().unwrap(), "--force"];
    let (_, stderr) = told(&mut world.vpnscript(&get));
    for line in [
        "has a directive that was removed in OpenVPN 2.5: client-cert-not-required\n",
        "has a directive that only OpenVPN for Windows accepts: block-outside-dns\n",
        "OpenVPN 2.6 refuses the profile because of this; --compat comments such lines out\n",
    ] {
        assert!(stderr.contains(line), "{line}{stderr}");
    }
    let before = fs::read_to_string(&path).unwrap();
    let (_, stderr) = told(&mut world.vpnscript(&[&get[..], &["--compat"]].concat()));
    assert!(stderr.contains("client-cert-not-required; the line is commented out\n"), "{stderr}");
    let after = fs::read_to_string(&path).unwrap();
    let commented = before
        .replace("client-cert-not-required", "# client-cert-not-required")
        .replacen("\nblock-outside-dns", "\n# block-outside-dns", 1);
    assert_eq!(after, commented);
    let got = json(&mut world.vpnscript(&get));
    assert_eq!(got["warnings"].as_array().unwrap().len(), 3, "{got}");

    let folder = world.path("all");
    let all = ["config", "get", "--all", "--protocol", "openvpn", "--compat", "--output-dir"];
    let (_, stderr) = told(world.vpnscript(&all).arg(&folder));
    assert!(stderr.contains("client-cert-not-required; the line is commented out\n"), "{stderr}");
    let files = fs::read_dir(&folder).unwrap().flatten();
    let texts: Vec<_> = files.map(|file| fs::read_to_string(file.path()).unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("\n# client-cert-not-required")), "{texts:?}");
}

#[test]
fn the_next_step_is_said_with_a_name_that_wg_quick_accepts() {
    let world = World::new();
    let path = |name: &str| world.path(name).to_str().unwrap().to_owned();
    let get = |name: &str| {
        let (_, stderr) = told(&mut world.command(&["config", "get", "se-sto", "-o", &path(name)]));
        stderr
    };
    assert_eq!(get("wg0.conf"), format!("Next, as root: wg-quick up {}\n", path("wg0.conf")));
    let (long, short) = (path("vpnscript-amsterdam.conf"), path("vpnscript-amste.conf"));
    let next = format!("Next, as root: mv {long} {short} && wg-quick up {short}\n");
    let told = get("vpnscript-amsterdam.conf");
    assert!(told.contains("refuses the file name vpnscript-amsterdam.conf"), "{told}");
    assert!(told.ends_with(&next), "{told}");
    let quiet = world.command(&["-q", "config", "get", "se-sto", "-o", &path("q.conf")]).output();
    assert!(quiet.unwrap().stderr.is_empty());
}

#[test]
fn one_option_chooses_the_form() {
    let world = World::new();
    let key = ok(&mut world.command(&["config", "get", "se-sto"]));
    let key = key.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).unwrap();
    let key = world.file("key", key);
    let get = |format: &str| {
        let endpoint = ["--private-key-file", &key, "--format", format];
        world.command(&[&["config", "get", "se-sto"], &endpoint[..]].concat())
    };
    let usual = ok(&mut get("wg-quick"));
    assert!(usual.contains("\nAddress = ") && usual.contains("\nDNS = "), "{usual}");
    let own = |line: &&str| !line.starts_with("Address") && !line.starts_with("DNS");
    let stripped: String = usual.split_inclusive('\n').filter(own).collect();
    assert_eq!(ok(&mut get("setconf")), stripped);
    // This format cannot be put into a QR code.
    fails(2, get("setconf").arg("--qr"));
    fails(2, &mut get("toml"));
    fails(2, &mut world.vpnscript(&["config", "get", "1", "--format", "setconf"]));
    let shown = json(&mut get("setconf"));
    assert_eq!(shown["config"], "[redacted]");

    // VPN Script's servers have addresses instead of names.
    let gluetun = ["config", "get", "2", "--format", "gluetun"];
    let path = world.path("de.env");
    let (_, next) = told(world.vpnscript(&gluetun).arg("--output").arg(&path));
    assert!(next.starts_with("Next: docker run ") && next.contains("de.env"), "{next}");
    let variables = fs::read_to_string(&path).unwrap();
    for name in ["VPN_TYPE=wireguard", "WIREGUARD_ENDPOINT_IP=127.0.0.1", "WIREGUARD_ADDRESSES="] {
        assert!(variables.contains(name), "{variables}");
    }
    // AzireVPN's servers have host names, and this one cannot be resolved. Nothing is created.
    let devices = world.sandbox.azire().devices(LOGIN).len();
    let refused = fails(7, &mut world.command(&["config", "get", "se-sto", "--format", "gluetun"]));
    assert!(refused.contains("se-sto.azirevpn.example"), "{refused}");
    assert_eq!(world.sandbox.azire().devices(LOGIN).len(), devices);
    let folder = world.path("all");
    let all = ["config", "get", "--all", "--protocol", "wireguard", "--country", "de"];
    told(world.vpnscript(&all).args(["--format", "gluetun", "--output-dir"]).arg(&folder));
    assert!(folder.join("Frankfurt-2.env").exists());
}

#[test]
fn a_server_is_found_by_its_name_in_any_case_and_two_of_one_name_are_not_confused() {
    let world = World::new();
    for (wanted, more) in [
        ("frankfurt 1", &[][..]),
        ("FRANKFURT 1", &["--protocol", "openvpn"]),
        ("Frankfurt 2", &["--protocol", "wireguard"]),
    ] {
        ok(&mut world.vpnscript(&[&["config", "get", wanted], more].concat()));
    }
    let path = world.path("new.conf").display().to_string();
    let rotate = ["config", "rotate", "1", "FRANKFURT 2", "--output", &path];
    assert_eq!(json(&mut world.vpnscript(&rotate))["server"], "2");
    ok(&mut world.command(&["config", "get", "SE-STO"]));
    ok(&mut world.command(&["config", "get", "oslo, norway"]));

    let text = world.fails(2, &["config", "get", "stockholm, sweden"]);
    assert!(text.contains("se-sto (Stockholm, Sweden), se-own (Stockholm, Sweden)"), "{text}");
    world.sandbox.vpnscript().add_server(Server::openvpn("FRANKFURT 1"));
    let text = fails(2, &mut world.vpnscript(&["config", "get", "frankfurt 1"]));
    assert!(text.contains("2 servers are named") && text.contains("use the id: 1 ("), "{text}");
    let rotate = ["config", "rotate", "2", "frankfurt 1", "--output", &path, "--force"];
    fails(2, &mut world.vpnscript(&rotate));
    assert_eq!(world.calls("vpnscript.create-wireguard-config"), 2);
    let text = fails(4, &mut world.vpnscript(&["config", "get", "frankfrut 2"]));
    assert!(text.contains("did you mean 2 (Frankfurt 2)?"), "{text}");
}

#[test]
fn a_device_has_the_name_that_was_given_to_it() {
    let world = World::new();
    let state = world.path("state");
    let run = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env("XDG_STATE_HOME", &state);
        command
    };
    let get = |name: &str| json(&mut run(&["config", "get", "se-sto", "--reveal", "--name", name]));
    let (laptop, phone) = (get("laptop")["id"].clone(), get("Jo's phone")["id"].clone());
    let labels = || {
        let list = json(&mut run(&["config", "list"]));
        let of = |id: &serde_json::Value| {
            let all = list["configs"].as_array().unwrap();
            all.iter().find(|config| config["id"] == *id).map(|config| config["label"].clone())
        };
        (of(&laptop), of(&phone))
    };
    assert_eq!(labels(), (Some(json!("laptop")), Some(json!("Jo's phone"))));
    let list = ok(&mut run(&["config", "list"]));
    assert!(list.contains("  laptop  ") && list.contains("  Jo's phone  "), "{list}");
    // A new key keeps the name, and a removed device loses it.
    let rotate = ["config", "rotate", laptop.as_str().unwrap(), "no-osl", "--reveal"];
    json(&mut run(&rotate));
    ok(&mut run(&["config", "revoke", phone.as_str().unwrap()]));
    assert_eq!(labels(), (Some(json!("laptop")), None));
    let file = fs::read_to_string(state.join("anyvpn/labels.json")).unwrap();
    assert!(file.contains("laptop") && !file.contains("phone"), "{file}");

    let devices = world.sandbox.azire().devices(LOGIN).len();
    for wrong in ["", "a\u{202e}b"] {
        fails(2, &mut run(&["config", "get", "se-sto", "--name", wrong]));
    }
    fs::write(state.join("anyvpn/labels.json"), "[]").unwrap();
    let text = fails(1, &mut run(&["config", "get", "se-sto", "--name", "x"]));
    assert!(text.contains("labels.json"), "{text}");
    fails(1, world.command(&["config", "get", "se-sto", "--name", "x"]).env_remove("HOME"));
    assert_eq!(world.sandbox.azire().devices(LOGIN).len(), devices);
}

#[test]
fn a_problem_that_all_servers_share_is_reported_once() {
    let world = World::new();
    let vpnscript = world.sandbox.vpnscript();
    for id in [2, 4, 5] {
        vpnscript.change_server(id, |server| server.profile = Profile::Hostile);
    }
    let folder = world.path("out");
    let all = ["config", "get", "--all", "--protocol", "wireguard", "--output-dir"];
    let all = [&all[..], &[folder.to_str().unwrap()]].concat();
    let ran = world.vpnscript(&all).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{text}");
    assert!(text.contains("1 of 3 servers failed, 2 not tried"), "{text}");
    assert!(text.contains("PostUp") && text.contains("anyvpn config revoke 1"), "{text}");
    assert_eq!(vpnscript.configs(LOGIN).len(), 1);

    // Options that the provider refuses fail for all servers, and nothing is created.
    let key = world.file("key", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n");
    let ran = world.vpnscript(&[&all[..], &["--private-key-file", &key]].concat()).output();
    let text = String::from_utf8(ran.unwrap().stderr).unwrap();
    assert!(text.contains("1 of 3 servers failed, 2 not tried"), "{text}");
    assert_eq!(vpnscript.configs(LOGIN).len(), 1);

    // An existing file is kept, and the other files are written.
    let openvpn = [&all[..2], &["--all", "--protocol", "openvpn", "--output-dir"]].concat();
    let openvpn = [&openvpn[..], &[folder.to_str().unwrap()]].concat();
    fs::write(folder.join("Frankfurt-1.auth"), "mine").unwrap();
    let ran = world.vpnscript(&openvpn).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains("1 of 3 servers failed, first") && text.contains("exists"), "{text}");

    // A refusal after successes does not stop the remaining servers.
    vpnscript.change_server(2, |server| server.profile = Profile::Usual);
    let ran = world.vpnscript(&all).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains("2 of 3 servers failed, first"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_unwritable_folder_stops_all_servers_before_anything_is_created() {
    let world = World::new();
    // This folder is not writable even for root.
    let all = ["config", "get", "--all", "--protocol", "wireguard", "--output-dir", "/proc/self"];
    let ran = world.vpnscript(&all).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{text}");
    assert!(text.contains("1 of 3 servers failed, 2 not tried"), "{text}");
    assert_eq!(world.calls("vpnscript.create-wireguard-config"), 0);
}

/// Runs the line in a shell where `$0` is the command.
#[cfg(unix)]
fn in_shell(command: &Command, line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        value.into_iter().for_each(|value| _ = shell.env(name, value));
    }
    shell
}

#[cfg(unix)]
#[test]
fn a_failed_write_to_stdout_names_the_created_configuration() {
    let world = World::new();
    for (index, line) in
        ["exec \"$0\" \"$@\" >&-", "exec \"$0\" \"$@\" >/dev/full"].iter().enumerate()
    {
        for more in [&[][..], &["--qr"], &["--json", "--reveal"]] {
            let get = world.command(&[&["config", "get", "se-sto"], more].concat());
            let ran = in_shell(&get, line).output().unwrap();
            let text = String::from_utf8(ran.stderr).unwrap();
            let devices = world.sandbox.azire().devices(LOGIN);
            let id = &devices.last().unwrap().id;
            assert_eq!(ran.status.code(), Some(1), "{index} {more:?}: {text}");
            assert!(text.contains("cannot write"), "{text}");
            assert!(text.contains(&format!("anyvpn config revoke {id}")), "{text}");
        }
    }
    let id = world.sandbox.azire().devices(LOGIN).last().unwrap().id.clone();
    let rotate = world.command(&["config", "rotate", &id, "no-osl"]);
    let ran = in_shell(&rotate, "exec \"$0\" \"$@\" >&-").output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{text}");
    assert!(text.contains(&format!("rotate again: anyvpn config rotate {id} no-osl")), "{text}");
    // Nothing is lost: the file is written, and an OpenVPN profile can be requested again.
    let path = world.path("a.conf");
    let get = world.command(&["config", "get", "se-sto", "--output", path.to_str().unwrap()]);
    assert_eq!(in_shell(&get, "exec \"$0\" \"$@\" >&-").status().unwrap().code(), Some(0));
    assert!(path.exists());
    let mut get = world.vpnscript(&["config", "get", "1"]);
    get.arg("--json");
    let ran = in_shell(&get, "exec \"$0\" \"$@\" >&-").output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&ran.stderr).unwrap();
    let report = &report["error"];
    assert_eq!(report.get("left_behind"), None, "{report}");
}

#[cfg(unix)]
#[test]
fn a_qr_code_taller_than_the_terminal_is_reported() {
    let world = World::new();
    let left =
        common::terminal::Terminal::run(world.command(&["config", "get", "se-sto", "--qr"])).end();
    let text = left.screen.replace('\n', " ");
    assert!(text.contains("but this terminal has 24."), "{text}");
    assert!(text.contains("--qr-file FILE.png"), "{text}");
}
