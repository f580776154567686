//! Output on a terminal: progress, colours, widths.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyvpn_sandbox::Fault;
use common::terminal::{CTRL_C, FOR_EVER, SIGINT, SIGTERM, Terminal, assert_gone};
use common::{LOGIN, World, command, files, inject, stderr};
use serde_json::Value;

#[test]
fn a_slow_call_shows_a_spinner_and_removes_it() {
    let world = World::new();
    inject(&world, "azire.list-locations", Fault::Delay(Duration::from_secs(1)));
    let left = Terminal::run(world.command(&["server", "list"])).end();
    assert_eq!(left.code, Some(0));
    assert_gone(&left, "| Waiting for AzireVPN");
    assert!(left.screen.starts_with("SERVER  LOCATION"), "{}", left.screen);
}

#[test]
fn a_retry_is_reported_with_its_reason_and_delay() {
    let world = World::new();
    let limit = || {
        let retry_after = Some(Duration::from_secs(1));
        inject(&world, "azire.get-user", Fault::TooManyRequests { retry_after });
    };
    let show = ["account", "show"];
    let line = "AzireVPN: too many requests (HTTP 429); retrying in 1 s";
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
    assert!(log.contains("retrying kind=\"rate-limited\""), "{log}");
    assert!(log.contains("authorization: [hidden]") && !log.contains(line), "{log}");
    // Each request appears once, and with a single `-v` nothing else does.
    for options in [&["-v"][..], &["-vv"]] {
        let log = run(options);
        let requests: Vec<_> = log.lines().filter(|line| line.contains(" request ")).collect();
        let [refused, done] = requests[..] else { panic!("{log}") };
        let sent =
            "INFO call{operation=azire.get-user}: request method=GET path=/v3/users/me attempt=";
        assert!(refused.contains(&format!("{sent}1 status=429 duration_ms=")), "{log}");
        assert!(done.contains(&format!("{sent}2 status=200 duration_ms=")), "{log}");
        assert_eq!(log.contains("headers="), options == ["-vv"], "{log}");
    }

    for more in [&["-vvv"][..], &["-vv", "--verbose"]] {
        let text = world.fails(2, &[&show, more].concat());
        assert!(text.contains("-vv prints everything there is"), "{text}");
    }

    // On a terminal that cannot clear a line, no spinner is shown.
    limit();
    let mut dumb = world.command(&show);
    dumb.env("TERM", "dumb");
    let left = Terminal::run(dumb).end();
    assert!(left.screen.starts_with(line) && !left.written.contains('\u{1b}'), "{}", left.screen);

    // Errors are still printed.
    let ran = world.command(&["-q", "config", "revoke", "nope"]).output().unwrap();
    assert!(stderr(&ran).starts_with("error: azire.delete-ip: not found"), "{}", stderr(&ran));
}

#[test]
fn queued_jobs_are_reported_with_a_line() {
    let world = World::new();
    world.sandbox.vpnscript().set_job_duration(Duration::from_secs(3));
    let ran = world.vpnscript(&["config", "get", "2"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let line = "Waiting in VPN Script's job queue, for up to 2 minutes.\n";
    assert_eq!(stderr(&ran), line);
    let revoked = world.vpnscript(&["-q", "config", "revoke", "1"]).output().unwrap();
    assert_eq!((revoked.status.code(), stderr(&revoked)), (Some(0), ""));
}

#[test]
fn a_bar_shows_progress_and_an_interruption_reports_it() {
    let world = World::new();
    world.sandbox.vpnscript().set_job_duration(Duration::from_secs(1));
    let all = |folder: &Path| {
        let folder = folder.to_str().unwrap();
        world.vpnscript(&["config", "get", "--all", "--country", "de", "--output-dir", folder])
    };
    let left = Terminal::run(all(&world.path("whole"))).end();
    assert_eq!(left.code, Some(0));
    assert_gone(&left, "[==========          ] 1 of 2  Frankfurt 2: queued");
    assert!(left.screen.starts_with("Wrote 2 configurations to"), "{}", left.screen);

    // Without a terminal, each part gets a line.
    let ran = all(&world.path("lines")).output().unwrap();
    assert_eq!(stderr(&ran).lines().filter(|line| line.starts_with("Frankfurt ")).count(), 2);

    world.sandbox.vpnscript().set_job_duration(FOR_EVER);
    let part = world.path("part");
    let mut terminal = Terminal::run(all(&part));
    // The command needs a moment to recognize the new configuration as its own.
    terminal.wait_for("1 of 2  Frankfurt 2: queued (2 s)");
    terminal.press(CTRL_C);
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGINT));
    let error = "error: interrupted after 1 of 2; VPN Script is still creating the configuration 3";
    assert!(left.screen.contains(error), "{}", left.screen);
    // An OpenVPN profile and the file of its credentials.
    assert_eq!(files(&part), 2);
}

#[test]
fn the_spinner_is_removed_before_another_program_asks() {
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
    terminal.wait_for("Waiting for another anyvpn process to finish");
    lock.unlock().unwrap();
    let left = terminal.end();
    assert_eq!(left.code, Some(0), "{}", left.screen);
    assert_eq!(left.screen.lines().next(), Some("Which key?"), "{}", left.screen);
}

#[test]
fn the_sandbox_and_the_demo_end_cleanly() {
    let world = World::new();
    let mut terminal = Terminal::run(command(&["sandbox"]));
    // What to do stays on the screen, after the variables.
    terminal.wait_for("Press Ctrl-C to stop.");
    terminal.press(CTRL_C);
    let left = terminal.end();
    assert_eq!(left.signal, Some(SIGINT));
    let shown = left.screen.trim_end();
    assert!(shown.ends_with("Press Ctrl-C to stop.\n^C"), "{shown}");
    let (variables, note) = shown.split_once("Sandbox running at ").unwrap();
    assert!(variables.ends_with("export ANYVPN_PROVIDER=azire\n"), "{shown}");
    assert!(note.lines().count() < 8, "{shown}");

    let mut demo = command(&["demo"]);
    demo.env("TMPDIR", world.folder.path());
    let mut terminal = Terminal::run(demo);
    terminal.wait_for("$ anyvpn");
    terminal.signal("TERM");
    let left = terminal.end();
    // If the command finishes before the signal, the files that it names exist.
    if left.code != Some(0) {
        assert_eq!(left.signal, Some(SIGTERM));
        assert_eq!(files(world.folder.path()), 0);
    }
}

#[test]
fn the_log_and_the_spinner_do_not_overlap() {
    let world = World::new();
    inject(&world, "azire.get-user", Fault::Delay(Duration::from_secs(1)));
    let left = Terminal::run(world.command(&["-v", "account", "show"])).end();
    assert_eq!(left.code, Some(0));
    assert_gone(&left, "Waiting");
    let log = left.screen.lines().next().unwrap_or_default();
    let request = "INFO call{operation=azire.get-user}: request";
    assert!(log.contains(request), "{}", left.screen);
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
fn tables_fit_the_terminal() {
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
    // Wide columns use the available space.
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
fn times_are_local_for_people_and_utc_in_json() {
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
