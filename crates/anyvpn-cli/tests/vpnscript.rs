//! VPN Script's servers and configurations.

mod common;

use std::path::Path;

use anyvpn_sandbox::vpnscript::Server;
use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, World, error, fails, json, ok};
use qrcode::{Color, EcLevel, QrCode};
use serde_json::{Value, json};

#[allow(clippy::unwrap_used, reason = "what fails here fails the test")]
fn servers(answer: &Value) -> Vec<&str> {
    answer["servers"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[test]
fn the_account_and_the_servers_are_shown_and_chosen() {
    let world = World::new();
    let account = json(&mut world.vpnscript(&["account", "show"]));
    assert_eq!(account["provider"], "vpnscript");
    assert_eq!(account["services"][0]["name"], "Gold Plan");
    assert_eq!(account.get("generated_password"), None);

    let all = json(&mut world.vpnscript(&["server", "list"]));
    assert_eq!(
        all["servers"][1],
        json!({
            "id": "2", "name": "Frankfurt 2", "country": "Germany", "country_code": "de",
            "city": "Frankfurt", "host": "127.0.0.1", "protocols": ["wireguard"], "free_slots": 253
        })
    );
    world.sandbox.vpnscript().change_server(5, |server| server.slots = 0);
    let list = |filter: &[&str]| {
        let answer = json(&mut world.vpnscript(&[&["server", "list"], filter].concat()));
        servers(&answer).join(" ")
    };
    assert_eq!(list(&[]), "1 2 3 4 5 6 7");
    assert_eq!(list(&["--country", "DE"]), "1 2");
    assert_eq!(list(&["--country", "germany", "--protocol", "openvpn"]), "1");
    assert_eq!(list(&["--city", "STOCKHOLM"]), "4");
    assert_eq!(list(&["--protocol", "wireguard", "--free"]), "2 4");
    assert_eq!(list(&["--country", "xx"]), "");
    let table = ok(&mut world.vpnscript(&["server", "list"]));
    assert!(table.starts_with("SERVER  LOCATION ") && table.contains("PROTOCOLS  FREE"), "{table}");
    let none = ok(&mut world.vpnscript(&["server", "list", "--country", "xx"]));
    assert_eq!(none, "No server matches.\n");
    fails(2, &mut world.vpnscript(&["server", "list", "--protocol", "ikev2"]));
    fails(2, &mut world.vpnscript(&["server", "list", "--country", ""]));
}

#[test]
fn files_of_both_protocols_are_written_listed_rotated_and_revoked() {
    let world = World::new();
    let openvpn = ok(&mut world.vpnscript(&["config", "get", "1"]));
    assert!(openvpn.starts_with("client\n") && openvpn.contains("<auth-user-pass>\ndavid\n"));
    // The file is byte for byte what the library returns, including CRLF in the certificate.
    assert!(openvpn.contains("-----BEGIN CERTIFICATE-----\r\n"));
    let shown = json(&mut world.vpnscript(&["config", "get", "1"]));
    assert_eq!(shown["protocol"], "openvpn");
    assert_eq!(shown["id"], Value::Null);
    assert!(shown["config"].as_str().unwrap().contains("[redacted]"));
    assert!(world.sandbox.vpnscript().configs(LOGIN).is_empty());

    let path = world.path("wg.conf");
    let get = ["config", "get", "2", "--output", path.to_str().unwrap()];
    let got = json(&mut world.vpnscript(&get));
    assert_eq!(got, json!({ "id": "1", "protocol": "wireguard", "server": "2", "path": path }));
    let configs = world.sandbox.vpnscript().configs(LOGIN);
    assert_eq!(std::fs::read_to_string(&path).ok(), configs[0].text);
    // This is refused before anything is created at the provider.
    fails(2, &mut world.vpnscript(&get));
    for wrong in [
        &["config", "get", "2", "--protocol", "openvpn"][..],
        &["config", "get", "1", "--protocol", "wireguard"],
        &["config", "get", "1", "--mtu", "1400"],
        &["config", "get", "2", "--private-key-file", "/no/such"],
        &["config", "get", "2", "--country", "de"],
        &["config", "get", "--all"],
        &["config", "get", "--output-dir", "x"],
        &["config", "get", "2", "--all", "--output-dir", "x"],
        &["config", "get"],
    ] {
        fails(2, &mut world.vpnscript(wrong));
    }
    fails(4, &mut world.vpnscript(&["config", "get", "99"]));
    fails(5, &mut world.vpnscript(&["config", "get", "6"]));
    assert_eq!(world.sandbox.vpnscript().configs(LOGIN).len(), 1);

    let rotated = world.path("new.conf");
    let rotate = ["config", "rotate", "1", "2", "--output", rotated.to_str().unwrap()];
    let rotated = json(&mut world.vpnscript(&rotate));
    assert_eq!((&rotated["id"], &rotated["old_key_valid"]), (&json!("2"), &json!(false)));
    let list = json(&mut world.vpnscript(&["config", "list"]));
    assert_eq!(list["configs"].as_array().unwrap().len(), 1);
    assert_eq!(list["configs"][0]["status"], "active");
    assert_eq!(ok(&mut world.vpnscript(&["config", "revoke", "2"])), "Revoked 2.\n");
    fails(4, &mut world.vpnscript(&["config", "revoke", "2"]));
    assert!(world.sandbox.vpnscript().configs(LOGIN).is_empty());
}

#[test]
fn refusals_have_an_exit_code_and_a_hint() {
    let world = World::new();
    let vpnscript = world.sandbox.vpnscript();
    let get = |code: i32, server: &str| {
        let arguments = ["config", "get", server, "--protocol", "wireguard"];
        fails(code, &mut world.vpnscript(&arguments))
    };
    vpnscript.set_devices(LOGIN, 0);
    let text = get(5, "2");
    assert!(text.contains("anyvpn config revoke"), "{text}");
    vpnscript.set_devices(LOGIN, 10);
    vpnscript.change_server(5, |server| server.slots = 0);
    assert!(get(5, "5").contains("choose another server"));
    vpnscript.fail_next_job("The peer could not be added.");
    let text = get(5, "2");
    assert!(text.contains("The peer could not be added.") && text.contains("configuration 1"));
    vpnscript.set_service(LOGIN, anyvpn_sandbox::vpnscript::ServiceState::Expired);
    assert_eq!(error(5, &mut world.vpnscript(&["config", "get", "1"]))["kind"], "service-inactive");
    vpnscript.suspend(LOGIN, Some("Chargeback"));
    assert!(fails(5, &mut world.vpnscript(&["config", "list"])).contains("suspended"));
}

/// Returns the modules of a QR code on the terminal, and of one in a picture.
fn from_terminal(text: &str) -> Vec<Vec<bool>> {
    let halves = |c| match c {
        '█' => (false, false),
        '▀' => (false, true),
        '▄' => (true, false),
        ' ' => (true, true),
        other => panic!("{other:?}"),
    };
    let rows = text.lines().flat_map(|line| {
        let (upper, lower): (Vec<_>, Vec<_>) = line.chars().map(halves).unzip();
        [upper, lower]
    });
    rows.collect()
}

#[allow(clippy::unwrap_used, reason = "what fails here fails the test")]
fn from_png(path: &Path) -> Vec<Vec<bool>> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let bit = |y: usize, x: usize| pixels[y * info.line_size + x / 8] & (0x80 >> (x % 8)) == 0;
    let side = info.width as usize / 8;
    (0..side).map(|y| (0..side).map(|x| bit(y * 8 + 3, x * 8 + 3)).collect()).collect()
}

/// Returns the code without its border, which must be light.
fn inner(modules: &[Vec<bool>], border: usize, width: usize) -> Vec<bool> {
    let all = modules.iter().flatten().filter(|dark| **dark).count();
    let rows = modules.iter().skip(border).take(width);
    let inner: Vec<bool> =
        rows.flat_map(|row| row.iter().copied().skip(border).take(width)).collect();
    assert_eq!(all, inner.iter().filter(|dark| **dark).count());
    inner
}

#[test]
fn qr_codes_hold_the_files_bytes() {
    let world = World::new();
    let (file, png, svg) = (world.path("a.conf"), world.path("a.png"), world.path("a.SVG"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (file_name, png_name, svg_name) = (path(&file), path(&png), path(&svg));
    let get = ["config", "get", "2", "--output", &file_name, "--qr", "--qr-file", &png_name];
    let drawn = ok(&mut world.vpnscript(&get));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(png.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read(&file).unwrap();
    let code = QrCode::with_error_correction_level(&text, EcLevel::L).unwrap();
    let width = code.width();
    let expected: Vec<bool> =
        code.into_colors().into_iter().map(|color| color == Color::Dark).collect();
    assert!(drawn.lines().all(|line| line.chars().count() == width + 2));
    assert_eq!(inner(&from_terminal(&drawn), 1, width), expected);
    assert_eq!(inner(&from_png(&png), 4, width), expected);

    let ran = world.vpnscript(&["config", "get", "2", "--qr"]).output().unwrap();
    let told = "id 2\nNext: in the WireGuard app, choose \"Scan from QR code\", and scan the code above.\n";
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), told);
    let picture = path(&world.path("next.png"));
    let ran = world.vpnscript(&["config", "get", "2", "--qr-file", &picture]).output().unwrap();
    let told = String::from_utf8(ran.stderr).unwrap();
    let next = format!("choose \"Scan from QR code\", and scan {picture}\n");
    assert!(told.ends_with(&next), "{told}");
    let got = json(&mut world.vpnscript(&["config", "get", "2", "--qr-file", &svg_name]));
    assert_eq!(got["qr_path"], svg_name);
    assert_eq!((got.get("path"), got.get("config")), (None, None));
    let svg = std::fs::read_to_string(&svg).unwrap();
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("h1v1h-1z"), "{svg}");

    // This is refused before anything is created.
    let made = world.sandbox.vpnscript().configs(LOGIN).len();
    for wrong in [
        &["config", "get", "1", "--qr"][..],
        &["config", "get", "1", "--qr-file", "x.png"],
        &["config", "get", "2", "--qr-file", "x.gif"],
        &["config", "get", "2", "--qr-file", &png_name],
        &["config", "get", "2", "--force"],
    ] {
        fails(2, &mut world.vpnscript(wrong));
    }
    error(2, &mut world.vpnscript(&["config", "get", "2", "--qr"]));
    assert_eq!(world.sandbox.vpnscript().configs(LOGIN).len(), made);
}

#[test]
fn directives_that_run_programs_are_listed_and_not_written_unless_allowed() {
    let world = World::new();
    let (openvpn, wireguard) = world.sandbox.vpnscript().add_hostile_servers();
    let path = world.path("hostile");
    let run = |server: u64, more: &[&str]| {
        let server = server.to_string();
        let get = ["config", "get", &server, "--output", path.to_str().unwrap()];
        let ran = world.vpnscript(&[&get, more].concat()).output().unwrap();
        (ran.status.code().unwrap(), String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap())
    };
    let (code, text) = run(openvpn, &[]);
    assert_eq!(code, 1);
    for line in ["up /usr/bin/hostile", "plugin /usr/lib/hostile.so", "script-security 2"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("--allow-directives") && !text.contains("config revoke"), "{text}");
    let (code, text) = run(wireguard, &[]);
    assert_eq!(code, 1);
    assert!(text.contains("PostUp /usr/bin/hostile %i"), "{text}");
    assert!(text.contains("configuration 1 exists at the provider"), "{text}");
    assert!(text.contains("anyvpn config revoke 1"), "{text}");
    let (_, report) = run(wireguard, &["--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["error"]["detail"].as_str().unwrap().contains("PostUp"), "{report}");
    let left = json!([{"kind": "configuration", "id": "2"}]);
    assert_eq!(report["error"]["left_behind"], left, "{report}");
    // stdout can also be a file.
    let shown = world.vpnscript(&["config", "get", &openvpn.to_string()]).output().unwrap();
    assert_eq!((shown.status.code(), shown.stdout.len()), (Some(1), 0));
    assert!(!path.exists());

    assert_eq!(run(openvpn, &["--allow-directives"]).0, 0);
    assert!(std::fs::read_to_string(&path).unwrap().contains("up /usr/bin/hostile"));
    assert_eq!(run(wireguard, &["--allow-commands", "--force"]).0, 0);
    assert!(std::fs::read_to_string(&path).unwrap().contains("PostUp"));
}

#[test]
fn unwritable_files_are_found_before_anything_is_created() {
    let world = World::new();
    for name in ["x".repeat(300), "no/such/folder/x".to_owned()] {
        let path = world.path(&name);
        let path = path.to_str().unwrap();
        for arguments in [["--output", path].as_slice(), &["--qr-file", &format!("{path}.png")]] {
            let get = [&["config", "get", "2"], arguments].concat();
            let text = fails(1, &mut world.vpnscript(&get));
            assert!(text.contains("cannot write"), "{text}");
        }
    }
    assert_eq!(world.calls("vpnscript.create-wireguard-config"), 0);
    // A name that was reserved for a failed configuration is free again.
    let path = world.path("a.conf");
    fails(
        4,
        &mut world.vpnscript(&[
            "config",
            "get",
            "99",
            "--protocol",
            "wireguard",
            "--output",
            path.to_str().unwrap(),
        ]),
    );
    assert!(!path.exists());
}

#[test]
fn an_unreadable_configuration_is_created_once_and_available_with_raw() {
    let world = World::new();
    // No parser accepts an endpoint with port 0.
    let server = Server { port: 0, ..Server::wireguard("Zero") };
    let server = world.sandbox.vpnscript().add_server(server).to_string();
    let path = world.path("zero.conf");
    let get = ["config", "get", &server, "--output", path.to_str().unwrap()];
    for _ in 0..3 {
        let text = fails(8, &mut world.vpnscript(&get));
        assert!(text.contains("still at the provider: configuration 1"), "{text}");
        assert!(text.contains("--raw") && text.contains("anyvpn config revoke 1"), "{text}");
        assert!(text.lines().count() <= 4 && !path.exists(), "{text}");
    }
    let report = error(8, &mut world.vpnscript(&get));
    let left = json!([{"kind": "configuration", "id": "1"}]);
    assert_eq!(report["left_behind"], left);
    assert_eq!(world.sandbox.vpnscript().configs(LOGIN).len(), 1);

    let made = world.sandbox.vpnscript().configs(LOGIN).remove(0).text.unwrap();
    let ran = world.vpnscript(&[&get[..], &["--raw"]].concat()).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert!(String::from_utf8(ran.stderr).unwrap().contains("so it was not checked"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), made);
    assert_eq!(ok(&mut world.vpnscript(&["config", "get", &server, "--raw"])), made);
    let raw = ["config", "get", &server, "--raw", "--reveal"];
    assert_eq!(json(&mut world.vpnscript(&raw))["config"], made);
    assert_eq!(world.sandbox.vpnscript().configs(LOGIN).len(), 1);
}

#[test]
fn all_servers_are_written_to_one_folder_and_failures_are_reported() {
    let world = World::new();
    let vpnscript = world.sandbox.vpnscript();
    let (folder, outside) = (world.path("out"), world.path("passwd.ovpn"));
    for name in ["../passwd", "..", "/etc/passwd", "a\0b\x1b[2J", "Frankfurt 1", "CON\u{202e}", ""]
    {
        vpnscript.add_server(Server::openvpn(name));
    }
    vpnscript.add_hostile_servers();
    vpnscript.change_server(5, |server| server.slots = 0);
    let all = ["config", "get", "--all", "--output-dir", folder.to_str().unwrap()];
    let ran = world.vpnscript(&all).arg("--json").output().unwrap();
    // The first server that failed has no free slot.
    assert_eq!(ran.status.code(), Some(5));
    let failure: Value = serde_json::from_slice(&ran.stderr).unwrap();
    assert_eq!(failure["error"]["kind"], "capacity-reached");
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let rows = answer["configs"].as_array().unwrap();
    let of = |id: &str| rows.iter().find(|row| row["server"] == id).unwrap();
    assert_eq!(of("5")["error"]["kind"], "capacity-reached");
    assert_eq!(of("5")["path"], Value::Null);
    assert_eq!(answer["skipped"][0]["server"], "6");
    let hostile = rows.iter().filter(|row| row["name"].as_str().unwrap().starts_with("Hostile"));
    assert!(hostile.clone().count() == 2 && hostile.clone().all(|row| row["path"].is_null()));

    let names: std::collections::BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let written = |key: &str| rows.iter().filter(|row| row[key].is_string()).count();
    assert_eq!(names.len(), written("path") + written("credentials_path"));
    assert!(names.contains("Frankfurt-1-1.ovpn") && names.contains("Frankfurt-1-12.ovpn"));
    assert!(names.contains("Stockholm-4.conf"), "{names:?}");
    for name in &names {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        assert!(plain && !name.starts_with(['.', '-']), "{name:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = folder.join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    assert!(!outside.exists());
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 1);

    // Nothing is overwritten, and nothing is created if its file cannot be written.
    let made = vpnscript.configs(LOGIN).len();
    let ran = world.vpnscript(&[&all[..], &["--country", "se"]].concat()).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(text.contains("Stockholm-4.conf"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(vpnscript.configs(LOGIN).len(), made);
    let again = [&all[..], &["--country", "se", "--force"]].concat();
    let ran = world.vpnscript(&again).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let lines = String::from_utf8(ran.stderr).unwrap();
    assert!(lines.contains("Stockholm 4: "), "{lines}");
}

#[test]
fn one_failing_server_does_not_end_the_rest_but_a_lost_sign_in_does() {
    let world = World::new();
    let folder = world.path("out");
    let all = ["config", "get", "--all", "--protocol", "openvpn", "--output-dir"];
    let all = [&all[..], &[folder.to_str().unwrap()]].concat();
    world
        .sandbox
        .inject(FaultRule::once("vpnscript.get-openvpn-profile", Fault::Html(200)))
        .unwrap();
    let ran = world.vpnscript(&all).output().unwrap();
    assert_eq!(ran.status.code(), Some(8));
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains("1 of 3 servers failed"), "{text}");
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    assert_eq!(files.filter(|path| path.extension() == Some("ovpn".as_ref())).count(), 2);

    world.sandbox.vpnscript().set_service(LOGIN, anyvpn_sandbox::vpnscript::ServiceState::None);
    let ran = world.vpnscript(&[&all[..], &["--force"]].concat()).output().unwrap();
    assert_eq!(ran.status.code(), Some(5));
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains("1 of 3 servers failed, 2 not tried"), "{text}");
}

#[test]
fn all_of_azires_locations_share_one_device() {
    let world = World::new();
    let folder = world.path("out");
    let all = ["config", "get", "--all", "--output-dir", folder.to_str().unwrap()];
    let answer = world.json(&all);
    assert_eq!(world.sandbox.azire().devices(LOGIN).len(), 1);
    assert!(answer["configs"].as_array().unwrap().len() > 5);
    assert!(folder.join("se-sto.conf").exists());
    // It has no host, so it is offline.
    assert_eq!(answer["skipped"][0]["server"], "gb-lon");
}
