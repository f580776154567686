//! Oddly configured machines: endless files, a wrong clock, no list of interfaces, few open files.
//! The command says what is wrong, and neither hangs nor panics.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{LOGIN, World, command, stderr};

/// Runs the command, and fails if it does not end.
fn ended(command: &Command) -> Output {
    let mut bounded = Command::new("timeout");
    bounded.args(["--signal=KILL", "60"]).arg(command.get_program()).args(command.get_args());
    bounded.env_clear().stdin(Stdio::null());
    bounded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run(&mut bounded)
}

fn run(command: &mut Command) -> Output {
    let ran = command.output().unwrap();
    assert!(ran.status.code().is_some_and(|code| code < 128), "{command:?} did not end: {ran:?}");
    assert!(!stderr(&ran).contains("bug in anyvpn"), "{command:?}: {}", stderr(&ran));
    ran
}

/// Builds a library for `LD_PRELOAD` that makes the machine behave oddly. `what` is a macro of
/// `machine/odd.c`.
fn odd(folder: &Path, what: &str) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/odd.c");
    let library = folder.join("odd.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(format!("-D{what}")).arg(source);
    assert!(cc.status().unwrap().success());
    library
}

/// Creates files that must not be read to the end: a device without an end, and a pipe without a writer.
fn endless(folder: &Path) -> [PathBuf; 2] {
    let fifo = folder.join("fifo");
    if !fifo.exists() {
        assert!(Command::new("mkfifo").arg("-m600").arg(&fifo).status().unwrap().success());
    }
    ["/dev/zero".into(), fifo]
}

#[test]
fn an_endless_time_zone_file_is_not_read() {
    let world = World::new();
    for zone in endless(world.folder.path()) {
        let name = zone.file_name().unwrap().to_str().unwrap();
        for named in [zone.to_str().unwrap(), &format!(":{}", zone.display()), name] {
            let mut show = world.command(&["account", "show"]);
            let ran = ended(show.env("TZ", named).env("TZDIR", zone.parent().unwrap()));
            assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
            assert!(String::from_utf8_lossy(&ran.stdout).contains(" UTC ("), "{ran:?}");
        }
    }
}

#[test]
fn an_endless_certificate_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    for file in endless(folder.path()) {
        let mut list = command(&["server", "list", "--url", "https://127.0.0.1:9"]);
        list.args(["--provider", "azire"]).env("SSL_CERT_FILE", &file);
        let ran = ended(&list);
        assert_eq!(ran.status.code(), Some(2), "{}", stderr(&ran));
        let why = format!("SSL_CERT_FILE is not a file: {}", file.display());
        assert!(stderr(&ran).contains(&why), "{}", stderr(&ran));
    }
}

#[test]
fn endless_files_are_not_read() {
    let world = World::new();
    let config = world.path("config/anyvpn/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    for path in endless(world.folder.path()) {
        let path = path.to_str().unwrap();
        let at = |arguments: &[&str]| {
            let mut command = command(arguments);
            command.env("XDG_CONFIG_HOME", world.path("config"));
            command
        };
        // config.toml itself.
        let _ = fs::remove_file(&config);
        std::os::unix::fs::symlink(path, &config).unwrap();
        let ran = ended(&at(&["profile", "list"]));
        assert!(stderr(&ran).contains("config.toml"), "{path}: {}", stderr(&ran));
        assert_ne!(ran.status.code(), Some(0));
        // A secret file that a profile names.
        fs::remove_file(&config).unwrap();
        let profile = format!(
            "[profiles.x]\nprovider = 'azire'\nurl = '{}'\ntoken_file = '{path}'\n",
            world.sandbox.azire_url()
        );
        fs::write(&config, profile).unwrap();
        let ran = ended(&at(&["--profile", "x", "account", "show"]));
        assert!(stderr(&ran).contains(path) && ran.status.code() == Some(1), "{}", stderr(&ran));
    }
    // A file that the user names may be a pipe, as in `<(…)`, but its size is limited.
    let zero = "/dev/zero";
    for arguments in [
        &["login", "--provider", "azire", "--username", LOGIN, "--password-file", zero][..],
        &["call", "azire", "check-port", "--input", zero],
        &["call", "azire", "check-port", "port=@/dev/zero"],
    ] {
        let ran = ended(world.command(arguments).env("HOME", world.folder.path()));
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {}", stderr(&ran));
        assert!(stderr(&ran).contains(zero), "{arguments:?}: {}", stderr(&ran));
    }
    for arguments in [&["login", "--username", LOGIN, "--password-file", "-"][..], &["complete"]] {
        let mut command = world.command(arguments);
        command.env("HOME", world.folder.path());
        run(command.stdin(File::open(zero).unwrap()));
    }
}

#[test]
fn a_clock_before_1970_is_reported() {
    let world = World::new();
    let clock = odd(world.folder.path(), "ODD_CLOCK=-86400");
    let told = "this machine's clock shows a year before 1970; set it";
    let ran = ended(command(&["demo"]).env("LD_PRELOAD", &clock));
    assert_eq!(ran.status.code(), Some(1));
    assert!(stderr(&ran).contains(told), "{}", stderr(&ran));
    for arguments in [&["account", "show"][..], &["-v", "server", "list"]] {
        let ran = ended(world.command(arguments).env("LD_PRELOAD", &clock));
        assert_eq!(ran.status.code(), Some(2));
        assert!(stderr(&ran).contains(told), "{}", stderr(&ran));
    }
    let ran = ended(command(&["explain", "timeout"]).env("LD_PRELOAD", &clock));
    assert_eq!(ran.status.code(), Some(0));
}

#[test]
fn without_network_interfaces_the_device_must_be_given() {
    let world = World::with_device();
    let interfaces = odd(world.folder.path(), "ODD_INTERFACES");
    let run = |arguments: &[&str]| ended(world.command(arguments).env("LD_PRELOAD", &interfaces));
    let unread = "cannot read this machine's network interfaces";
    assert_eq!(run(&["port", "list"]).status.code(), Some(0));
    let ran = run(&["port", "delete", "5555"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(stderr(&ran).contains(unread), "{}", stderr(&ran));
    world.sandbox.azire().add_device(LOGIN).unwrap();
    for arguments in [&["port", "list"][..], &["port", "create"]] {
        let ran = run(arguments);
        assert_eq!(ran.status.code(), Some(1));
        let lines: Vec<&str> = stderr(&ran).lines().collect();
        assert!(lines[0].contains(unread) && lines[0].contains("Address family"), "{lines:?}");
        assert!(lines[1].contains("--internal-ipv4: 10.") && lines[1].contains("AF_NETLINK"));
    }
}

#[test]
fn too_few_file_descriptors_are_reported() {
    let world = World::new();
    for most in 4..=24 {
        let command = world.command(&["account", "show"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {most}; exec \"$@\""), "sh"]);
        limited.arg(command.get_program()).args(command.get_args()).env_clear();
        limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = ended(&limited);
        assert_eq!(ran.status.code(), Some(if stderr(&ran).is_empty() { 0 } else { 1 }), "{most}");
        if most == 6 {
            let told = "error: cannot start the runtime: Too many open files";
            assert!(stderr(&ran).starts_with(told), "{}", stderr(&ran));
        }
        assert!(!stderr(&ran).contains("uncategorized"), "{most}: {}", stderr(&ran));
    }
}
