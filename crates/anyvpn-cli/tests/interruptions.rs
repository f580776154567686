//! What an interruption prints, and what it leaves at the provider, in files and on the terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyvpn_sandbox::Fault;
use common::terminal::{CTRL_C, FOR_EVER, SIGINT, SIGTERM, Terminal, assert_gone, signal};
use common::{LOGIN, PASSWORD, World, command, files, inject, stderr};
use serde_json::Value;

const SIGHUP: i32 = 1;
const SIGQUIT: i32 = 3;

#[test]
fn an_interrupted_creation_is_named_and_leaves_no_file() {
    let world = World::with_device();
    let waiting = "Waiting for AzireVPN";
    inject(&world, "azire.create-port-forward", Fault::Delay(FOR_EVER));
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let create = ["port", "create", "--internal-ipv4", &device];
    let mut terminal = Terminal::run(world.command(&create));
    terminal.wait_for(waiting);
    terminal.press(CTRL_C);
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGINT));
    assert_gone(&left, waiting);
    let error = "error: interrupted; azire.create-port-forward was sent, but there is no reply yet\n  \
                 hint: it may have been done; check before you repeat it: anyvpn port list";
    assert!(left.screen.contains(error), "{}", left.screen);

    inject(&world, "azire.create-ip", Fault::Delay(FOR_EVER));
    let file = world.path("se.conf");
    let get = ["config", "get", "se-sto", "--output", file.to_str().unwrap()];
    let mut terminal = Terminal::run(world.command(&get));
    terminal.wait_for(waiting);
    // The draft, and the file that reserves its name.
    assert_eq!(files(world.folder.path()), 2);
    terminal.signal("TERM");
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGTERM));
    assert!(left.screen.contains("anyvpn config list"), "{}", left.screen);
    assert_eq!(files(world.folder.path()), 0);

    // A call that changes nothing, or was not sent yet, needs no check.
    inject(&world, "azire.list-locations", Fault::Delay(FOR_EVER));
    let mut terminal = Terminal::run(world.command(&get));
    terminal.wait_for(waiting);
    terminal.press(CTRL_C);
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGINT));
    assert!(left.screen.contains("error: interrupted; nothing was changed"), "{}", left.screen);
}

/// Runs a command until the operation has arrived, and ends it by a signal.
fn interrupted(world: &World, command: &mut Command, operation: &str, name: &str) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while world.calls(operation) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(child.id(), name);
    child.wait_with_output().unwrap()
}

#[test]
fn interruptions_are_reported_as_json() {
    let world = World::new();
    let vpnscript = world.sandbox.vpnscript();
    vpnscript.set_job_duration(FOR_EVER);
    let file = world.path("wg.conf");
    let get = ["config", "get", "2", "--output", file.to_str().unwrap(), "--json"];
    let created = "vpnscript.create-wireguard-config";
    inject(&world, created, Fault::Delay(FOR_EVER));
    let ran = interrupted(&world, &mut world.vpnscript(&get), created, "INT");
    assert_eq!((ran.status.signal(), ran.stdout.len()), (Some(SIGINT), 0));
    let report: Value = serde_json::from_slice(&ran.stderr).unwrap();
    let error = &report["error"];
    assert_eq!(error["kind"], "interrupted");
    assert_eq!(error["provider"], "vpnscript");
    assert_eq!(
        error["message"],
        format!("interrupted; {created} was sent, but there is no reply yet")
    );
    assert_eq!(
        error["hint"],
        "it may have been done; check before you repeat it: anyvpn config list"
    );
    assert_eq!(files(world.folder.path()), 0);

    // A deletion may be repeated.
    inject(&world, "vpnscript.delete-wireguard-config", Fault::Delay(FOR_EVER));
    let revoke = &mut world.vpnscript(&["config", "revoke", "1", "--json"]);
    let ran = interrupted(&world, revoke, "vpnscript.delete-wireguard-config", "TERM");
    assert_eq!(ran.status.signal(), Some(SIGTERM));
    let report: Value = serde_json::from_slice(&ran.stderr).unwrap();
    assert_eq!(report["error"]["hint"], "it may have been done; repeating it is harmless");
}

#[test]
fn an_interruption_names_what_was_already_done() {
    let world = World::new();
    let hint = |ran: &Output| {
        assert_eq!(ran.status.signal(), Some(SIGINT));
        let report: Value = serde_json::from_slice(&ran.stderr).unwrap();
        let of = |key: &str| report["error"][key].as_str().unwrap().to_owned();
        (of("message"), of("hint"))
    };
    let password = world.file("password", PASSWORD);
    let add = ["profile", "add", "home", "--username", LOGIN, "--password-file", &password];
    let mut add = world.command(&[&add[..], &["--provider", "azire", "--json"]].concat());
    inject(&world, "azire.get-user", Fault::Delay(FOR_EVER));
    let add = add.env("HOME", world.folder.path());
    let (message, next) = hint(&interrupted(&world, add, "azire.get-user", "INT"));
    let begin = "interrupted; the credentials are stored in ";
    assert!(message.starts_with(begin) && message.ends_with(", but no profile uses them"));
    assert_eq!(next, "to use them: anyvpn profile add home; to remove them: anyvpn profile prune");
    assert!(std::fs::exists(message[begin.len()..].split(',').next().unwrap()).unwrap());

    inject(&world, "azire.create-ip", Fault::Wire("reset-after"));
    inject(&world, "azire.list-ips", Fault::Delay(FOR_EVER));
    let get = &mut world.command(&["config", "get", "se-sto", "--json", "--reveal"]);
    let (message, next) = hint(&interrupted(&world, get, "azire.list-ips", "INT"));
    assert_eq!(message, "interrupted; azire.create-ip may have been done");
    assert_eq!(next, "check before you repeat it: anyvpn config list");
}

/// The deletion of the old device may be repeated, but the key of the new one is gone.
#[test]
fn an_interruption_names_a_lost_reply_and_a_pending_request() {
    let world = World::with_device();
    inject(&world, "azire.delete-ip", Fault::Delay(FOR_EVER));
    let id = world.sandbox.azire().devices(LOGIN)[0].id.clone();
    // A device accepts some keys before it is replaced.
    for _ in 0..10 {
        let mut rotate = world.command(&["config", "rotate", &id, "no-osl", "--reveal", "--json"]);
        let rotate = rotate.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = rotate.spawn().unwrap();
        while child.try_wait().unwrap().is_none() && world.calls("azire.delete-ip") == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        if world.calls("azire.delete-ip") == 0 {
            continue;
        }
        signal(child.id(), "INT");
        let ran = child.wait_with_output().unwrap();
        let report: Value = serde_json::from_slice(&ran.stderr).unwrap();
        let (error, hint) = (&report["error"]["message"], &report["error"]["hint"]);
        let message = "interrupted; azire.create-ip succeeded, but its reply is lost; \
                       azire.delete-ip was sent, but there is no reply yet";
        assert_eq!(error, message);
        let next = "it may have been done; check before you repeat it: anyvpn config list";
        assert_eq!(hint, next);
        return;
    }
    panic!("no device was replaced");
}

#[test]
fn an_interrupted_prompt_restores_the_terminal() {
    let world = World::new();
    let url = world.sandbox.azire_url();
    let home = world.folder.path();
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("HOME", home).env("ANYVPN_AZIRE_URL", &url);
        Terminal::run(command)
    };
    let mut terminal = run(&["login", "--username", LOGIN]);
    terminal.wait_for("Password:");
    terminal.press(CTRL_C);
    assert_eq!(terminal.end().signal, Some(SIGINT));

    let mut terminal = run(&["profile", "add", "home"]);
    terminal.wait_for("Provider:");
    terminal.signal("TERM");
    assert_eq!(terminal.end().signal, Some(SIGTERM));
    assert!(world.sandbox.received().is_empty());

    // The next command does not have to wait for a lock.
    let mut terminal = run(&["login", "--username", LOGIN]);
    terminal.wait_for("Password:");
    terminal.press(&format!("{PASSWORD}\r"));
    let left = terminal.end();
    assert_eq!(left.code, Some(0));
    assert!(left.screen.contains("david is now signed in at AzireVPN."), "{}", left.screen);
}

/// The shell reads and shows what a command leaves unread.
#[test]
fn no_signal_leaves_typed_characters_of_a_password_to_the_shell() {
    let world = World::new();
    for (name, number) in [("TERM", SIGTERM), ("INT", SIGINT), ("HUP", SIGHUP), ("QUIT", SIGQUIT)] {
        let mut login = command(&["login", "--provider", "azire", "--username", LOGIN]);
        login.env("HOME", world.folder.path()).env("ANYVPN_AZIRE_URL", world.sandbox.azire_url());
        let mut terminal = Terminal::run(login);
        terminal.wait_for("Password:");
        terminal.press("hunter2");
        terminal.signal(name);
        let left = terminal.end();
        assert_eq!((left.signal, left.unread), (Some(number), 0), "{name}");
        assert!(!left.written.contains("hunter2"), "{}", left.written);
    }
    // Ctrl-C discards the line, and the shell must not run what follows it.
    let mut login = command(&["login", "--provider", "azire", "--username", LOGIN]);
    login.env("HOME", world.folder.path()).env("ANYVPN_AZIRE_URL", world.sandbox.azire_url());
    let mut terminal = Terminal::run(login);
    terminal.wait_for("Password:");
    terminal.press(&format!("hunter{CTRL_C}2"));
    let left = terminal.end();
    assert_eq!((left.signal, left.unread), (Some(SIGINT), 0));
}

#[test]
fn sighup_cleans_up_unless_the_parent_ignores_it() {
    let world = World::new();
    let file = world.path("se.conf");
    let get = ["config", "get", "se-sto", "--output", file.to_str().unwrap(), "--json"];
    for (name, number) in [("HUP", SIGHUP), ("QUIT", SIGQUIT)] {
        inject(&world, "azire.create-ip", Fault::Delay(FOR_EVER));
        let ran = interrupted(&world, &mut world.command(&get), "azire.create-ip", name);
        assert_eq!(ran.status.signal(), Some(number), "{}", stderr(&ran));
        assert_eq!(files(world.folder.path()), 0, "{name}");
        world.sandbox.clear_received();
    }
    // As under `nohup`.
    inject(&world, "azire.create-ip", Fault::Delay(Duration::from_secs(1)));
    let line = format!("trap '' HUP; exec {} \"$@\"", env!("CARGO_BIN_EXE_anyvpn"));
    let mut nohup = Command::new("sh");
    nohup.args(["-c", &line, "sh"]).args(get);
    nohup.envs(world.command(&[]).get_envs().filter_map(|(a, b)| Some((a, b?))));
    let ran = interrupted(&world, &mut nohup, "azire.create-ip", "HUP");
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    assert!(file.exists());
}

#[test]
fn a_command_blocked_on_stdin_ends_at_the_first_signal() {
    let world = World::new();
    let pipe = world.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let arguments = ["account", "set-password", "--password-file", pipe.to_str().unwrap()];
    let mut command = world.command(&arguments);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // Opening succeeds once the command opens the pipe, which stays empty.
    let _writer = std::fs::File::options().write(true).open(&pipe).unwrap();
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().signal(), Some(SIGINT));
}
