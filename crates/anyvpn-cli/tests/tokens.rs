//! Sources and forms of tokens, and what happens to a token that cannot be stored.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, PASSWORD, World, command, fails, json, with_stdin};

fn at_home(world: &World, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("HOME", world.folder.path());
    command
}

/// Creates a profile for AzireVPN at the sandbox, with this line.
fn profile(world: &World, line: &str) {
    let config = world.path(".config/anyvpn/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let url = world.sandbox.azire_url();
    fs::write(config, format!("[profiles.home]\nprovider = 'azire'\nurl = '{url}'\n{line}\n"))
        .unwrap();
}

fn show(world: &World) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut show = at_home(world, &["--profile", "home", "account", "show"]);
    show.env("PATH", path);
    show
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Characters that an editor or a copy adds would be sent as part of the token.
#[test]
fn an_unsendable_token_is_refused_when_it_is_read() {
    let world = World::new();
    for (before, after, said) in [
        ("\u{feff}", "", "it starts with a byte order mark"),
        ("", "é", "it ends with a character that is not ASCII"),
        (" ", "", "it starts with a space"),
        ("", " ", "it ends with a space"),
        ("a\u{200b}", "", "its character 2 is a character that is not ASCII"),
        ("a\u{7}", "", "its character 2 is a control character"),
        ("a\t", "", "its character 2 is a tab"),
    ] {
        let token = format!("{before}{}{after}", world.token);
        let file = world.file("token", &token);
        let told = |code: i32, command: &mut Command, source: &str| {
            let text = fails(code, command);
            assert!(text.contains(source), "{text}");
            assert!(text.contains(&format!("is invalid: {said}")), "{text}");
            assert!(!text.contains(&world.token), "{text}");
        };
        profile(&world, &format!("token_file = '{file}'"));
        told(1, &mut show(&world), &format!("{file}, the token_file of profile home,"));
        profile(&world, &format!("token_command = ['cat', '{file}']"));
        told(1, &mut show(&world), "token_command of profile home");

        let mut by_variable = command(&["--provider", "azire", "account", "show"]);
        by_variable.env("ANYVPN_AZIRE_URL", world.sandbox.azire_url());
        told(2, by_variable.env("ANYVPN_AZIRE_TOKEN", &token), "ANYVPN_AZIRE_TOKEN");

        fs::remove_file(world.path(".config/anyvpn/config.toml")).unwrap();
        let url = world.sandbox.azire_url();
        let add = ["profile", "add", "home", "--provider", "azire", "--url", &url];
        let typed = with_stdin(at_home(&world, &add).args(["--token-file", "-"]), &token);
        assert_eq!(typed.status.code(), Some(2));
        let text = String::from_utf8(typed.stderr).unwrap();
        assert!(text.contains(said.trim_start_matches("it ")), "{text}");
    }
    assert!(world.sandbox.received().is_empty());

    // A stored token that was modified.
    let url = world.sandbox.azire_url();
    let add = ["profile", "add", "home", "--provider", "azire", "--url", &url];
    let typed = with_stdin(at_home(&world, &add).args(["--token-file", "-"]), &world.token);
    assert_eq!(typed.status.code(), Some(0), "{}", String::from_utf8_lossy(&typed.stderr));
    let folder = world.path(".local/state/anyvpn/tokens");
    let kept = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let kept = kept.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let kept = kept.collect::<Vec<_>>().remove(0);
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replace(&world.token, &format!("\u{feff}{}", world.token))).unwrap();
    world.sandbox.clear_received();
    let text = fails(1, &mut show(&world));
    assert!(text.contains("is invalid: it starts with a byte order mark"), "{text}");
    assert!(world.sandbox.received().is_empty());
}

#[test]
fn a_password_file_with_a_byte_order_mark_is_refused() {
    let world = World::new();
    let file = world.file("password", &format!("\u{feff}{PASSWORD}"));
    let url = world.sandbox.azire_url();
    let login = ["--provider", "azire", "--url", &url, "login", "--username", LOGIN];
    let text = fails(2, at_home(&world, &login).args(["--password-file", &file]));
    assert!(text.contains("starts with a byte order mark"), "{text}");
    assert!(world.sandbox.received().is_empty());
    let key = world.file("key", &format!("\u{feff}{}=\n", "A".repeat(43)));
    let get = ["config", "get", "se-sto", "--private-key-file", &key];
    let text = fails(2, &mut world.command(&get));
    assert!(text.contains(&key), "{text}");
    assert_eq!(world.calls("azire.create-ip"), 0);
}

#[test]
fn a_token_file_that_is_a_pipe_is_refused_at_once() {
    let world = World::new();
    let pipe = world.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    profile(&world, &format!("token_file = '{}'", pipe.display()));
    let began = Instant::now();
    assert!(fails(1, &mut show(&world)).contains("not a regular file"));
    // The same applies to the file of the stored token.
    profile(&world, "");
    let url = world.sandbox.azire_url();
    let folder = world.path(".local/state/anyvpn/tokens");
    fs::create_dir_all(&folder).unwrap();
    let place = url.trim_start_matches("http://").replace([':', '/'], "_");
    let kept = folder.join(format!("azire-{place}@home.json"));
    assert!(Command::new("mkfifo").arg(&kept).status().unwrap().success());
    assert!(fails(1, &mut show(&world)).contains("not a regular file"));
    assert!(began.elapsed() < Duration::from_secs(30));
}

/// systemd's `LoadCredential=` gives mode 0440 with an access list.
#[test]
fn a_credential_of_systemd_is_accepted_and_a_file_like_it_is_not() {
    let world = World::new();
    let token = world.file("token", &world.token);
    set_mode(Path::new(&token), 0o440);
    profile(&world, &format!("token_file = '{token}'"));
    let text = fails(1, &mut show(&world));
    assert!(text.contains(&format!("hint: chmod 600 {token}")), "{text}");
    let elsewhere = world.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fails(1, show(&world).env("CREDENTIALS_DIRECTORY", &elsewhere));
    json(show(&world).env("CREDENTIALS_DIRECTORY", world.folder.path()));
    set_mode(Path::new(&token), 0o444);
    fails(1, show(&world).env("CREDENTIALS_DIRECTORY", world.folder.path()));
}

/// VPN Script has no call that deletes a token, so the user must learn that it exists. AzireVPN has
/// one, so nothing is left there.
#[test]
fn a_token_that_cannot_be_stored_is_named_or_revoked() {
    let world = World::new();
    for (provider, url, is_left) in [
        ("vpnscript", world.sandbox.vpnscript_url(), true),
        ("azire", world.sandbox.azire_url(), false),
    ] {
        // Writing to files fails, as on a full disk, so nothing is created.
        let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
        let login = ["--provider", provider, "--url", &url, "login", "--username", LOGIN];
        let mut full = Command::new("/bin/sh");
        full.args(["-c", script, "sh", env!("CARGO_BIN_EXE_anyvpn")]).args(login).env_clear();
        full.env("HOME", world.folder.path()).env("ANYVPN_PASSWORD", PASSWORD);
        let text = fails(1, &mut full);
        assert!(
            text.contains("free some disk space")
                && text.contains("the stored secrets are unchanged"),
            "{text}"
        );
        let create = format!("{provider}.create-token");
        assert_eq!(world.calls(&create), 0);

        // The folder disappears while the token is created.
        let delay = Fault::Delay(Duration::from_secs(1));
        world.sandbox.inject(FaultRule::once(&create, delay)).unwrap();
        let mut login = at_home(&world, &login);
        login.env("ANYVPN_PASSWORD", PASSWORD).stdout(Stdio::piped()).stderr(Stdio::piped());
        let login = login.spawn().unwrap();
        while world.calls(&create) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let tokens = world.path(".local/state/anyvpn/tokens");
        fs::rename(&tokens, world.path(&format!("gone-{provider}"))).unwrap();
        fs::write(&tokens, "").unwrap();
        let ran = login.wait_with_output().unwrap();
        let text = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{text}");
        fs::remove_file(&tokens).unwrap();
        assert!(
            text.contains("cannot write") && text.contains("the stored secrets are unchanged"),
            "{text}"
        );
        let left = format!("the new token of {LOGIN} still exists at {url}");
        assert_eq!(text.contains(&left), is_left, "{text}");
        assert_eq!(text.contains("list of tokens"), is_left, "{text}");
    }
    assert_eq!(world.calls("azire.delete-token"), 1);
}

/// If there is no room for another token, the existing one is valid, and no hint advises to remove
/// it.
#[test]
fn a_new_sign_in_on_a_full_disk_keeps_the_token() {
    let world = World::new();
    let url = world.sandbox.vpnscript_url();
    let at = ["--provider", "vpnscript", "--url", &url];
    let login = [&at[..], &["login", "--username", LOGIN]].concat();
    json(at_home(&world, &login).env("ANYVPN_PASSWORD", PASSWORD));
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let mut full = Command::new("/bin/sh");
    full.args(["-c", script, "sh", env!("CARGO_BIN_EXE_anyvpn")]).args(&login).arg("--force");
    full.env_clear().env("HOME", world.folder.path()).env("ANYVPN_PASSWORD", PASSWORD);
    let text = fails(1, &mut full);
    assert!(!text.contains("remove") && !text.contains("delete"), "{text}");
    assert_eq!(world.calls("vpnscript.create-token"), 1);
    let show = [&at[..], &["account", "show"]].concat();
    assert_eq!(json(&mut at_home(&world, &show))["login"], LOGIN);
}

/// A program that asks for a passphrase ends when the token is no longer needed.
#[cfg(target_os = "linux")]
#[test]
fn a_token_command_ends_with_the_command() {
    let world = World::new();
    let pids = world.path("pids");
    let script =
        format!("(echo $$; exec sh -c 'echo $$; exec sleep 1000') > {}; true", pids.display());
    profile(&world, &format!("token_command = ['sh', '-c', \"{script}\"]"));
    for name in ["TERM", "HUP", "INT"] {
        let child = show(&world).stderr(Stdio::null()).spawn().unwrap();
        let running = || fs::read_to_string(&pids).unwrap_or_default();
        while running().lines().count() < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        common::terminal::signal(child.id(), name);
        assert!(!child.wait_with_output().unwrap().status.success());
        for process in running().lines() {
            let state = || fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            let is_over = || state().is_empty() || state().contains(") Z ");
            // Killing a process takes a moment.
            for _ in 0..1000 {
                if is_over() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(is_over(), "{name}: {}", state());
        }
        fs::remove_file(&pids).unwrap();
    }
}
