//! What one sees on a terminal, and what is left there: waiting, interruptions, colours, widths.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule};
use common::terminal::{Left, Terminal, signal};
use common::{LOGIN, PASSWORD, World, command};
use serde_json::Value;

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGTERM: i32 = 15;
const CTRL_C: &str = "\u{3}";

/// Long enough to be seen, and never waited for to its end.
const FOR_EVER: Duration = Duration::from_secs(600);

fn inject(world: &World, operation: &str, fault: Fault) {
    world.sandbox.inject(FaultRule::once(operation, fault)).unwrap();
}

/// The texts that are taken back were there, and nothing of them stays.
fn assert_gone(left: &Left, text: &str) {
    assert!(left.written.contains(text), "{:?}", left.written);
    assert!(!left.screen.contains(text), "{}", left.screen);
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn stderr(ran: &Output) -> &str {
    str::from_utf8(&ran.stderr).unwrap()
}

#[test]
fn a_slow_call_shows_a_spinner_that_leaves_nothing_behind() {
    let world = World::new();
    inject(&world, "azire.list-locations", Fault::Delay(Duration::from_secs(1)));
    let left = Terminal::run(world.command(&["server", "list"])).end();
    assert_eq!(left.code, Some(0));
    assert_gone(&left, "| Waiting for AzireVPN");
    assert!(left.screen.starts_with("SERVER  PLACE"), "{}", left.screen);
}

#[test]
fn a_repetition_is_told_with_its_reason_and_the_wait() {
    let world = World::new();
    let limit = || {
        let retry_after = Some(Duration::from_secs(1));
        inject(&world, "azire.get-user", Fault::TooManyRequests { retry_after });
    };
    let show = ["account", "show"];
    let line = "AzireVPN: too many requests (HTTP 429); again in 1 s";
    limit();
    let left = Terminal::run(world.command(&show)).end();
    assert_eq!(left.code, Some(0));
    assert_gone(&left, line);

    let run = |options: &[&str]| {
        limit();
        let ran = world.command(&[&show, options].concat()).output().unwrap();
        assert_eq!(ran.status.code(), Some(0));
        stderr(&ran).to_owned()
    };
    assert_eq!(run(&[]), format!("{line}\n"));
    for silent in ["--json", "--quiet", "-q"] {
        assert_eq!(run(&[silent]), "");
    }
    let log = run(&["-vv"]);
    assert!(log.contains("trying again") && !log.contains(line), "{log}");

    // A line that cannot be taken back is not written on a terminal.
    limit();
    let mut dumb = world.command(&show);
    dumb.env("TERM", "dumb");
    let left = Terminal::run(dumb).end();
    assert!(left.screen.starts_with(line) && !left.written.contains('\u{1b}'), "{}", left.screen);

    // And errors stay.
    let ran = world.command(&["-q", "config", "revoke", "nope"]).output().unwrap();
    assert!(stderr(&ran).starts_with("error: azire.delete-ip: not found"), "{}", stderr(&ran));
}

#[test]
fn a_queued_job_and_a_turn_are_worth_a_line() {
    let world = World::new();
    world.sandbox.vpnscript().set_job_duration(Duration::from_secs(3));
    let ran = world.vpnscript(&["config", "get", "2"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let line = "VPN Script does it by a queued job; that can take 2 minutes.\n";
    assert_eq!(stderr(&ran), line);
    let revoked = world.vpnscript(&["-q", "config", "revoke", "1"]).output().unwrap();
    assert_eq!((revoked.status.code(), stderr(&revoked)), (Some(0), ""));
}

#[test]
fn a_bar_shows_how_many_are_done_and_an_interruption_says_it() {
    let world = World::new();
    world.sandbox.vpnscript().set_job_duration(Duration::from_secs(1));
    let all = |folder: &Path| {
        let folder = folder.to_str().unwrap();
        world.vpnscript(&["config", "get", "--all", "--country", "de", "--output-dir", folder])
    };
    let left = Terminal::run(all(&world.path("whole"))).end();
    assert_eq!(left.code, Some(0));
    assert_gone(&left, "[==========          ] 1 of 2  Frankfurt 2: a queued job");
    assert!(left.screen.starts_with("2 configurations are in"), "{}", left.screen);

    // Elsewhere each part has its line.
    let ran = all(&world.path("lines")).output().unwrap();
    assert_eq!(stderr(&ran).lines().filter(|line| line.starts_with("Frankfurt ")).count(), 2);

    world.sandbox.vpnscript().set_job_duration(FOR_EVER);
    let part = world.path("part");
    let mut terminal = Terminal::run(all(&part));
    // It takes a moment until the new configuration is surely this one.
    terminal.wait_for("1 of 2  Frankfurt 2: a queued job (2 s)");
    terminal.press(CTRL_C);
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGINT));
    let error = "error: interrupted after 1 of 2; VPN Script still makes the configuration 3";
    assert!(left.screen.contains(error), "{}", left.screen);
    // A profile, and the file of its credentials.
    assert_eq!(files(&part), 2);
}

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
    let error = "error: interrupted; azire.create-port-forward was sent and is not answered\n  \
                 hint: it may have been done; look before you repeat it: anyvpn port list";
    assert!(left.screen.contains(error), "{}", left.screen);

    inject(&world, "azire.create-ip", Fault::Delay(FOR_EVER));
    let file = world.path("se.conf");
    let get = ["config", "get", "se-sto", "--output", file.to_str().unwrap()];
    let mut terminal = Terminal::run(world.command(&get));
    terminal.wait_for(waiting);
    // The file and the name that it will have.
    assert_eq!(files(world.folder.path()), 2);
    terminal.signal("TERM");
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGTERM));
    assert!(left.screen.contains("anyvpn config list"), "{}", left.screen);
    assert_eq!(files(world.folder.path()), 0);

    // What changes nothing, or is not sent yet, leaves nothing to look at.
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
fn programs_are_told_of_an_interruption_too() {
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
    assert_eq!(error["message"], format!("interrupted; {created} was sent and is not answered"));
    assert_eq!(
        error["hint"],
        "it may have been done; look before you repeat it: anyvpn config list"
    );
    assert_eq!(files(world.folder.path()), 0);

    // A deletion may be repeated.
    inject(&world, "vpnscript.delete-wireguard-config", Fault::Delay(FOR_EVER));
    let revoke = &mut world.vpnscript(&["config", "revoke", "1", "--json"]);
    let ran = interrupted(&world, revoke, "vpnscript.delete-wireguard-config", "TERM");
    assert_eq!(ran.status.signal(), Some(SIGTERM));
    let report: Value = serde_json::from_slice(&ran.stderr).unwrap();
    assert_eq!(report["error"]["hint"], "it may have been done; to repeat it does no harm");
}

#[test]
fn what_was_done_before_an_interruption_is_named_too() {
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
    let begin = "interrupted; what signs in is kept in ";
    assert!(message.starts_with(begin) && message.ends_with(", and no profile uses it yet"));
    assert_eq!(next, "anyvpn profile add home uses it; anyvpn profile prune removes it");
    assert!(std::fs::exists(message[begin.len()..].split(',').next().unwrap()).unwrap());

    inject(&world, "azire.create-ip", Fault::Wire("reset-after"));
    inject(&world, "azire.list-ips", Fault::Delay(FOR_EVER));
    let get = &mut world.command(&["config", "get", "se-sto", "--json", "--reveal"]);
    let (message, next) = hint(&interrupted(&world, get, "azire.list-ips", "INT"));
    assert_eq!(message, "interrupted; it is not known whether azire.create-ip was done");
    assert_eq!(next, "look before you repeat it: anyvpn config list");
}

#[test]
fn a_prompt_that_is_interrupted_gives_the_terminal_back() {
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

    // No lock is left that the next command would wait for.
    let mut terminal = run(&["login", "--username", LOGIN]);
    terminal.wait_for("Password:");
    terminal.press(&format!("{PASSWORD}\r"));
    let left = terminal.end();
    assert_eq!(left.code, Some(0));
    assert!(left.screen.contains("david is signed in at AzireVPN."), "{}", left.screen);
}

/// The shell reads what a command leaves unread, and shows it.
#[test]
fn no_signal_leaves_a_part_of_a_password_to_the_shell() {
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
    // Ctrl-C ends a line; what follows is no command either.
    let mut login = command(&["login", "--provider", "azire", "--username", LOGIN]);
    login.env("HOME", world.folder.path()).env("ANYVPN_AZIRE_URL", world.sandbox.azire_url());
    let mut terminal = Terminal::run(login);
    terminal.wait_for("Password:");
    terminal.press(&format!("hunter{CTRL_C}2"));
    let left = terminal.end();
    assert_eq!((left.signal, left.unread), (Some(SIGINT), 0));
}

#[test]
fn the_end_of_the_terminal_leaves_nothing_and_is_ignored_where_the_parent_ignores_it() {
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
    // As below `nohup`.
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
fn another_program_that_asks_finds_an_empty_line() {
    let world = World::new();
    let home = world.folder.path();
    std::fs::create_dir_all(home.join(".config/anyvpn")).unwrap();
    let lock = std::fs::File::create(home.join(".config/anyvpn/config.toml.lock")).unwrap();
    lock.lock().unwrap();
    let program = home.join("pass");
    let script = format!("#!/bin/sh\necho 'Which key?' >&2\necho {}\n", world.token);
    std::fs::write(&program, script).unwrap();
    let set_mode = Command::new("chmod").arg("700").arg(&program).status().unwrap();
    assert!(set_mode.success());
    let add = ["profile", "add", "home", "--provider", "azire", "--token-command"];
    let mut add = command(&[&add[..], &[program.to_str().unwrap()]].concat());
    add.env("HOME", home).env("ANYVPN_AZIRE_URL", world.sandbox.azire_url());
    let mut terminal = Terminal::run(add);
    terminal.wait_for("Waiting for another anyvpn to finish");
    lock.unlock().unwrap();
    let left = terminal.end();
    assert_eq!(left.code, Some(0), "{}", left.screen);
    assert_eq!(left.screen.lines().next(), Some("Which key?"), "{}", left.screen);
}

#[test]
fn a_command_that_reads_without_end_ends_by_the_first_signal() {
    let world = World::new();
    let pipe = world.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let arguments = ["account", "set-password", "--password-file", pipe.to_str().unwrap()];
    let mut command = world.command(&arguments);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // It opens when the command does, which then finds nothing in it.
    let _writer = std::fs::File::options().write(true).open(&pipe).unwrap();
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().signal(), Some(SIGINT));
}

#[test]
fn the_sandbox_and_the_demo_end_cleanly() {
    let world = World::new();
    let mut terminal = Terminal::run(command(&["sandbox"]));
    terminal.wait_for("export ANYVPN_PROVIDER=azire");
    terminal.press(CTRL_C);
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGINT));
    assert!(
        left.screen.trim_end().ends_with("export ANYVPN_PROVIDER=azire\n^C"),
        "{}",
        left.screen
    );

    let mut demo = command(&["demo"]);
    demo.env("TMPDIR", world.folder.path());
    let mut terminal = Terminal::run(demo);
    terminal.wait_for("$ anyvpn");
    terminal.signal("TERM");
    let left = terminal.end();
    // Who is done before the signal comes has left the files that it names.
    if left.code != Some(0) {
        assert_eq!(left.signal, Some(SIGTERM));
        assert_eq!(files(world.folder.path()), 0);
    }
}

#[test]
fn the_log_stands_beside_the_spinner() {
    let world = World::new();
    inject(&world, "azire.get-user", Fault::Delay(Duration::from_secs(1)));
    let left = Terminal::run(world.command(&["-v", "account", "show"])).end();
    assert_eq!(left.code, Some(0));
    assert_gone(&left, "Waiting");
    let log = left.screen.lines().next().unwrap_or_default();
    assert!(
        log.contains("INFO anyvpn_http::client: done operation=azire.get-user"),
        "{}",
        left.screen
    );
}

#[test]
fn colours_obey_the_environment_and_stop_on_a_pipe() {
    let world = World::new();
    world.sandbox.vpnscript().suspend(LOGIN, None);
    let list = |variables: &[(&str, &str)]| {
        let mut list = world.command(&["server", "list"]);
        list.envs(variables.iter().copied());
        list
    };
    let head = "\u{1b}[1mSERVER\u{1b}[0m";
    let on_terminal = |variables: &[(&str, &str)]| {
        let left = Terminal::run(list(variables)).end();
        assert!(left.screen.starts_with("SERVER"), "{}", left.screen);
        left.written.contains(head)
    };
    assert!(on_terminal(&[]));
    assert!(on_terminal(&[("NO_COLOR", "")]));
    assert!(on_terminal(&[("CLICOLOR", "1")]));
    assert!(!on_terminal(&[("NO_COLOR", "1")]));
    assert!(!on_terminal(&[("CLICOLOR", "0")]));
    assert!(!on_terminal(&[("TERM", "dumb")]));
    let on_pipe = |variables: &[(&str, &str)]| {
        let ran = list(variables).output().unwrap();
        String::from_utf8(ran.stdout).unwrap().contains(head)
    };
    assert!(!on_pipe(&[]));
    assert!(!on_pipe(&[("TERM", "xterm"), ("CLICOLOR", "1")]));
    assert!(on_pipe(&[("CLICOLOR_FORCE", "1")]));
    assert!(!on_pipe(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));

    let left = Terminal::run(world.command(&["config", "revoke", "nope"])).end();
    assert!(left.written.contains("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m azire"), "{}", left.written);
    assert!(left.written.contains("\u{1b}[1m\u{1b}[36m  hint:\u{1b}[0m "), "{}", left.written);
    let left = Terminal::run(command(&["server", "--help"])).end();
    assert!(left.written.contains("\u{1b}[1m"), "{}", left.written);
    let left = Terminal::run(world.command(&["server", "list", "--json"])).end();
    assert!(!left.written.contains('\u{1b}'), "{}", left.written);
}

#[test]
fn tables_fit_the_terminal_that_they_are_on() {
    let world = World::new();
    world.ok(&["config", "get", "se-sto"]);
    let width = |columns: u16, arguments: &[&str], vpnscript: bool| {
        let make = if vpnscript { World::vpnscript } else { World::command };
        let mut command = make(&world, arguments);
        command.env("NO_COLOR", "1");
        let left = Terminal::wide(columns, command).end();
        assert_eq!(left.code, Some(0));
        left.written.lines().map(|line| line.trim_end().chars().count()).max().unwrap()
    };
    // What is wide has the room that there is.
    assert!(width(120, &["call", "azire"], false) > 80);
    for columns in [100, 80, 60, 40] {
        for arguments in
            [&["server", "list"][..], &["config", "list"], &["account", "show"], &["call", "azire"]]
        {
            let wide = width(columns, arguments, false);
            assert!(wide <= columns.into(), "{arguments:?} at {columns}: {wide}");
        }
        assert!(width(columns, &["server", "list"], true) <= columns.into());
    }
    assert!((21..=40).contains(&width(20, &["server", "list"], true)));
}

#[test]
fn times_are_the_persons_own_and_in_json_they_are_utc() {
    let world = World::with_device();
    let run = |arguments: &[&str]| {
        let ran = world.command(arguments).env("TZ", "XYZ-3").output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let made = run(&["port", "create", "--days", "30", "--internal-ipv4", &device]);
    let until = made.lines().find(|line| line.starts_with("Open until")).unwrap();
    assert!(until.contains(" XYZ (in ") && until.ends_with(" days)"), "{made}");
    let list: Value = serde_json::from_str(&run(&["port", "list", "--json"])).unwrap();
    let expires: anyvpn::Timestamp =
        list["ports"][0]["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(list["ports"][0]["expires_at"].as_str().unwrap().ends_with('Z'));
    let local = expires + Duration::from_secs(3 * 3600);
    let shown = local.to_string();
    let (date, time) = (&shown[..10], &shown[11..16]);
    assert!(until.contains(&format!("{date} {time} XYZ")), "{until} {shown}");
}
