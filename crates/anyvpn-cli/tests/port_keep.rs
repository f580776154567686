//! `anyvpn port keep` and `anyvpn port status`, for the three providers that forward ports.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;
#[cfg(unix)]
#[path = "common/schema.rs"]
mod schema;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixDatagram;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::process::Child;
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::{sync::mpsc, thread};

use common::{LOGIN, PASSWORD, World, command, fails, json, ok, stderr};
use serde_json::Value;

/// Returns the command with its own folders, on the tunnel interface that every machine has.
fn keep(world: &World, mut run: Command, options: &[&str]) -> Command {
    run.args(["port", "keep", "--tunnel", "lo"]).args(options);
    with_folders(world, run)
}

fn with_folders(world: &World, mut run: Command) -> Command {
    run.env("XDG_STATE_HOME", world.path("state")).env("XDG_CONFIG_HOME", world.path("config"));
    run
}

fn natpmp(world: &World) -> Command {
    let mut run = command(&["--provider", "natpmp"]);
    run.env("ANYVPN_NATPMP_GATEWAY", world.sandbox.natpmp_gateway());
    run
}

fn pia(world: &World) -> Command {
    let service = world.sandbox.pia();
    let mut run = command(&["--provider", "pia"]);
    run.env("ANYVPN_PIA_URL", world.sandbox.pia_url())
        .env("ANYVPN_PIA_CA", service.ca())
        .env("ANYVPN_PIA_LIST_KEY", service.list_key())
        .env("ANYVPN_PIA_SERVER_NAME", service.server())
        .env("ANYVPN_PIA_GATEWAY", service.gateway());
    run
}

fn status(world: &World, mut run: Command) -> Value {
    run.args(["port", "status"]);
    json(&mut with_folders(world, run))
}

fn number(status: &Value) -> u16 {
    status["port"]["port"].as_u64().unwrap().try_into().unwrap()
}

/// AzireVPN: a second run adopts the port that the first one opened, and the hook runs once.
#[test]
fn a_fixed_port_is_opened_once_and_found_again() {
    let world = World::with_device();
    let (file, told) = (world.path("port"), world.path("told"));
    let hook = format!("sh -c 'cat >> {}'", told.display());
    let device = world.json(&["call", "azire", "list-ips"]);
    let device = device[0]["ipv4_address"].as_str().unwrap().to_owned();
    let options = [
        &["--once", "--internal-ipv4", &device, "--on-change", &hook, "--status-file"][..],
        &[file.to_str().unwrap()],
    ]
    .concat();
    // Nothing listens on the port yet.
    let ran = keep(&world, world.command(&[]), &options).output().unwrap();
    let said = stderr(&ran);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("nothing answers at the port"), "{said}");
    let known = status(&world, world.command(&[]));
    let port = number(&known);
    assert_eq!(fs::read_to_string(&file).unwrap(), port.to_string());

    let _program = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let said = ok(&mut keep(&world, world.command(&[]), &options));
    assert!(said.contains(&port.to_string()), "{said}");
    assert_eq!(world.calls("azire.create-port-forward"), 1);
    let known = status(&world, world.command(&[]));
    assert_eq!((number(&known), &known["phase"]), (port, &"stopping".into()));
    assert!(known["port"]["verified_at"].is_string(), "{known}");
    let events = fs::read_to_string(told).unwrap();
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&event["event"], &event["port"]), (&"opened".into(), &port.into()));
    let mut shown = world.command(&["port", "status"]);
    shown = with_folders(&world, shown);
    let shown = ok(&mut shown);
    assert!(shown.contains("Open until") && shown.contains(&port.to_string()), "{shown}");
}

/// NAT-PMP and PIA: the number is the same in every run.
#[test]
fn a_port_that_is_kept_alive_is_the_same_after_a_restart() {
    let world = World::new();
    world.sandbox.pia().add_account(LOGIN, PASSWORD);
    let password = world.file("password", PASSWORD);
    let mut login = pia(&world);
    login.args(["login", "--username", LOGIN, "--password-file", &password]);
    ok(&mut with_folders(&world, login));
    for provider in [natpmp, pia] {
        let run = || {
            ok(&mut keep(&world, provider(&world), &["--once"]));
            number(&status(&world, provider(&world)))
        };
        assert_eq!(run(), run());
    }
    assert_eq!(world.sandbox.natpmp().mappings().len(), 2);
}

#[test]
#[cfg(unix)]
fn it_runs_until_a_signal_answers_meanwhile_and_releases_the_port_where_asked() {
    let world = World::new();
    let options = ["--json", "--api", "127.0.0.1:0", "--on-exit", "release"];
    let mut run = keep(&world, natpmp(&world), &options);
    let told = service_manager(&world.path("notify"));
    run.env("NOTIFY_SOCKET", world.path("notify"));
    let mut keeper = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
    let mut events = lines.by_ref().map(|line| line.unwrap());
    let mut stops = 0;
    let mut event = |name: &str| loop {
        let event: Value = serde_json::from_str(&events.next().unwrap()).unwrap();
        stops += u32::from(event["event"] == "stopping");
        if event["event"] == name {
            return event;
        }
    };
    let opened = event("port-opened");
    assert_eq!(world.sandbox.natpmp().mappings().len(), 2);

    // A second keeper with the same state would conflict with the first one.
    let said = fails(1, &mut keep(&world, natpmp(&world), &["--once"]));
    assert!(said.contains("another keeper"), "{said}");

    // After a reload it has the same port, so nothing is opened, and nothing looks like an end.
    signal(keeper.id(), "HUP");
    let mut is_reloading = false;
    let until_ready: Vec<String> = told
        .iter()
        .take_while(|message| {
            is_reloading |= message.starts_with("RELOADING=1");
            !is_reloading || message != "READY=1"
        })
        .collect();
    assert!(!until_ready.concat().contains("stopping"), "{until_ready:?}");
    while status(&world, natpmp(&world))["phase"] != "holding" {}
    assert_eq!(status(&world, natpmp(&world))["port"]["port"], opened["port"]);
    signal(keeper.id(), "TERM");
    event("port-closed");
    let ended = keeper.wait().unwrap();
    assert!(ended.success(), "{ended}");
    assert_eq!(stops, 1);
    assert!(world.sandbox.natpmp().mappings().is_empty());
}

/// A service manager in systemd's place, and what it is told.
#[cfg(unix)]
fn service_manager(path: &Path) -> mpsc::Receiver<String> {
    let socket = UnixDatagram::bind(path).unwrap();
    let (sender, told) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            let message = String::from_utf8_lossy(&buffer[..length]);
            if sender.send(message.trim_end().to_owned()).is_err() {
                return;
            }
        }
    });
    told
}

/// gluetun's API, at an address of its own.
#[test]
#[cfg(unix)]
fn the_api_has_the_number_of_the_status_file() {
    let world = World::new();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let file = world.path("port");
    let options = ["--json", "--api", &address, "--status-file", file.to_str().unwrap()];
    let mut keeper = keep(&world, natpmp(&world), &options).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
    let opened = lines.map(|line| line.unwrap()).find(|line| line.contains("port-opened"));
    let opened: Value = serde_json::from_str(&opened.unwrap()).unwrap();
    let mut stream = TcpStream::connect(&address).unwrap();
    let request = format!("GET /v1/portforward HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let port = &opened["port"];
    assert!(reply.ends_with(&format!("{{\"port\":{port},\"ports\":[{port}]}}\n")), "{reply}");
    assert_eq!(fs::read_to_string(file).unwrap(), port.to_string());
    signal(keeper.id(), "INT");
    assert!(keeper.wait().unwrap().success());
}

/// A keeper of NAT-PMP that has opened its port.
#[cfg(unix)]
fn running(world: &World, options: &[&str]) -> Child {
    let mut run = keep(world, natpmp(world), &[&["--json"][..], options].concat());
    let mut keeper = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("port-opened")));
    // A closed pipe does not end a keeper.
    keeper
}

/// A service must not end because of a mistake in a file: after each failed reload, the old keeper goes on.
#[test]
#[cfg(unix)]
fn a_reload_that_fails_changes_nothing_and_says_why() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new();
    let [config, secret, hook] =
        ["config/anyvpn/config.toml", "qbittorrent-password", "hook"].map(|name| world.path(name));
    let good = "default = \"home\"\n\n[profiles.home]\nprovider = \"natpmp\"\n";
    let write = |path: &Path, text: &str, mode: u32| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    write(&config, good, 0o600);
    write(&secret, "made-up-password", 0o600);
    write(&hook, "#!/bin/sh\n", 0o700);
    let mut run = command(&["port", "keep", "--tunnel", "lo", "--on-exit", "release"]);
    run.args(["--client", "qbittorrent=http://me@127.0.0.1:1", "--on-change"]).arg(&hook);
    run.env("ANYVPN_NATPMP_GATEWAY", world.sandbox.natpmp_gateway());
    run.env("CREDENTIALS_DIRECTORY", secret.parent().unwrap());
    let told = service_manager(&world.path("notify"));
    run.env("NOTIFY_SOCKET", world.path("notify")).stdout(Stdio::null()).stderr(Stdio::piped());
    let keeper = with_folders(&world, run).spawn().unwrap();
    let wait_for = |begin: &str| assert!(told.iter().any(|message| message.starts_with(begin)));
    wait_for("READY=1");
    let reload = || {
        signal(keeper.id(), "HUP");
        wait_for("RELOADING=1");
        wait_for("READY=1");
        let mut shown = with_folders(&world, command(&["port", "status"]));
        let known = json(&mut shown);
        assert_eq!(known["running"], true, "{known}");
        assert_eq!(world.sandbox.natpmp().mappings().len(), 2);
    };
    write(&config, "=", 0o600);
    reload();
    write(&config, "default = \"nobody\"\n", 0o600);
    reload();
    fs::remove_file(&config).unwrap();
    reload();
    write(&config, &good.replace("home", "other"), 0o600);
    reload();
    write(&config, good, 0o600);
    write(&secret, "made-up-password", 0o644);
    reload();
    fs::remove_file(&secret).unwrap();
    fs::create_dir(&secret).unwrap();
    reload();
    fs::remove_dir(&secret).unwrap();
    write(&secret, "made-up-password", 0o600);
    // A hook is read when it runs.
    write(&hook, "#!/bin/sh\n", 0o000);
    reload();
    signal(keeper.id(), "TERM");
    let ended = keeper.wait_with_output().unwrap();
    let said = stderr(&ended);
    assert_eq!(ended.status.code(), Some(0), "{said}");
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 6, "{said}");
    let why =
        ["config.toml", "nobody", "another profile", "another profile", "password", "password"];
    for (error, why) in errors.iter().zip(why) {
        let begin = "error: cannot reload, so the old settings stay: ";
        assert!(error.starts_with(begin) && error.contains(why), "{why}: {error}");
    }
    assert!(!said.contains("made-up-password"), "{said}");
    assert!(world.sandbox.natpmp().mappings().is_empty());
}

/// The status tells a keeper that was killed from one that runs, and needs no provider to do so.
#[test]
#[cfg(unix)]
fn the_status_says_whether_the_keeper_is_running() {
    let world = World::new();
    let file = world.path("status.json");
    let shown = |options: &[&str]| {
        let mut run = command(&["port", "status"]);
        run.args(options);
        with_folders(&world, run)
    };
    let said = fails(4, &mut shown(&[]));
    assert!(said.contains("no keeper has written what it knows"), "{said}");
    for options in [&[][..], &["--status-json", file.to_str().unwrap()]] {
        let mut keeper = running(&world, options);
        let file = ["--file", file.to_str().unwrap()];
        let place = if options.is_empty() { &[][..] } else { &file };
        let known = json(&mut shown(place));
        assert_eq!(known["running"], true, "{known}");
        schema::Schemas::load().check("port-status", &known);
        let said = ok(shown(place).arg("--exit-code"));
        assert!(said.starts_with("Port ") && said.contains("Next step"), "{said}");

        keeper.kill().unwrap();
        keeper.wait().unwrap();
        // Another process may have its number by now.
        let lock = if options.is_empty() { "state/anyvpn/port-keep/natpmp/" } else { "" };
        let lock = world.path(&format!("{lock}status.json.lock"));
        fs::write(lock, std::process::id().to_string()).unwrap();
        let known = json(&mut shown(place));
        assert_eq!(known["running"], false, "{known}");
        schema::Schemas::load().check("port-status", &known);
        let said = ok(&mut shown(place));
        assert!(said.starts_with("The keeper is not running (last written "), "{said}");
        assert!(!said.contains("State") && !said.contains("Next step"), "{said}");
        let ended = shown(place).arg("--exit-code").output().unwrap();
        assert_eq!((ended.status.code(), stderr(&ended)), (Some(10), ""));
    }
}

/// Without a name, the status is that of the keeper that runs.
#[test]
#[cfg(unix)]
fn the_status_of_several_keepers_is_that_of_the_one_that_runs() {
    let world = World::new();
    let shown = |options: &[&str]| {
        let mut run = command(&["port", "status"]);
        run.args(options);
        with_folders(&world, run)
    };
    world.sandbox.pia().add_account(LOGIN, PASSWORD);
    let password = world.file("password", PASSWORD);
    let mut login = pia(&world);
    login.args(["login", "--username", LOGIN, "--password-file", &password]);
    ok(&mut with_folders(&world, login));
    ok(&mut keep(&world, pia(&world), &["--once"]));
    assert_eq!(json(&mut shown(&[]))["running"], false);
    let mut keeper = running(&world, &[]);
    assert_eq!(json(&mut shown(&[]))["running"], true);
    assert_eq!(json(&mut shown(&["--provider", "pia"]))["running"], false);
    signal(keeper.id(), "TERM");
    assert!(keeper.wait().unwrap().success());
    // PIA is signed in to, so it is what a keeper without a name would use.
    assert_eq!(json(&mut shown(&[]))["port"], json(&mut shown(&["--provider", "pia"]))["port"]);
    fs::rename(world.path("state/anyvpn/port-keep/pia"), world.path("state/anyvpn/port-keep/a"))
        .unwrap();
    let said = fails(2, &mut shown(&[]));
    assert!(said.contains("several keepers") && said.contains("--file "), "{said}");
    // The file of a provider is found without the provider's settings.
    assert_eq!(json(&mut shown(&["--provider", "natpmp"]))["running"], false);
    // A file of settings that cannot be read does not matter.
    fs::create_dir_all(world.path("config/anyvpn")).unwrap();
    fs::write(world.path("config/anyvpn/config.toml"), "=").unwrap();
    assert_eq!(json(&mut shown(&["--profile", "a"]))["running"], false);
    assert_eq!(json(&mut shown(&["--provider", "natpmp"]))["running"], false);
}

#[cfg(unix)]
fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn what_cannot_be_is_refused_at_the_start() {
    let world = World::new();
    let refused = |options: &[&str]| fails(2, &mut keep(&world, natpmp(&world), options));
    for (options, says) in [
        (&["--days", "7"][..], "they are renewed"),
        (&["--client", "azureus"], "use one of deluge, qbittorrent"),
        (&["--client", "qbittorrent=http://me:secret@127.0.0.1:1"], "ANYVPN_QBITTORRENT_PASSWORD"),
        (&["--on-change", "sh -c 'x"], "a quote is not closed"),
        (&["--up-command", "x \"a"], "a \" is not closed"),
        (&["--metrics-file", "metrics.txt"], ".prom"),
        (&["--api", "0.0.0.0:0"], "other machines could read the API"),
        (&["--api-key-file", "key"], "--api"),
    ] {
        let said = refused(options);
        assert!(said.contains(says), "{options:?}: {said}");
        assert!(!said.contains("secret@"), "{said}");
    }
    let said =
        fails(4, &mut with_folders(&world, command(&["--provider", "natpmp", "port", "status"])));
    assert!(said.contains("start anyvpn port keep"), "{said}");
    // An unreadable journal is kept.
    let folder = world.path("state/anyvpn/port-keep/natpmp");
    fs::create_dir_all(&folder).unwrap();
    let journal = world.path("state/anyvpn/port-keep/natpmp/journal.json");
    fs::write(&journal, "{").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&journal, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let said = fails(1, &mut keep(&world, natpmp(&world), &["--once"]));
    assert!(said.contains("move it away"), "{said}");
    assert_eq!(fs::read_to_string(&journal).unwrap(), "{");
}
