//! Tests completions in real shells on a terminal.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::terminal::Terminal;
use common::{LOGIN, World, command, provider_of, with_stdin};

/// A home with two profiles, and a file.
fn home() -> World {
    let world = World::new();
    let config = world.path("config/anyvpn/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let text = format!(
        "[profiles.alpha]\nprovider = 'azire'\nurl = '{}'\n[profiles.beta]\nprovider = \
         'vpnscript'\nurl = '{}'\n",
        world.sandbox.azire_url(),
        world.sandbox.vpnscript_url()
    );
    std::fs::write(config, text).unwrap();
    world.file("some file.json", "{}");
    world
}

/// A shell on a terminal, into which lines are typed and completed.
struct Shell<'a> {
    world: &'a World,
    terminal: Terminal,
    lines: usize,
}

impl Shell<'_> {
    fn new<'a>(world: &'a World, program: &str, arguments: &[&str], setup: &str) -> Shell<'a> {
        let _ = std::fs::remove_file(world.path("lines"));
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_anyvpn")).parent().unwrap();
        let mut shell = Command::new(program);
        shell.args(arguments).current_dir(world.folder.path()).env_clear();
        shell
            .env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()))
            .env("HOME", world.folder.path())
            .env("XDG_CONFIG_HOME", world.path("config"))
            .env("ANYVPN_VPNSCRIPT_TOKEN", &world.vpnscript_token);
        let mut terminal = Terminal::run(shell);
        terminal.press(&format!("{setup}\recho rea''dy\r"));
        terminal.wait_for("\nready");
        Shell { world, terminal, lines: 0 }
    }

    /// Types the line and the completion key, and returns the words that are run.
    fn completed(&mut self, line: &str) -> String {
        self.lines += 1;
        // Make the line write its words to a file: Ctrl-A moves to its start, Ctrl-E to its end.
        self.terminal.press(&format!("{line}\t\u{1}printf '<%s>' \u{5} >>lines; echo >>lines\r"));
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let lines = std::fs::read_to_string(self.world.path("lines")).unwrap_or_default();
            if lines.matches('\n').count() == self.lines {
                return lines.lines().last().unwrap().to_owned();
            }
            assert!(Instant::now() < deadline, "{line}: {}", self.terminal.written());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn script(world: &World, shell: &str) -> String {
    let ran = command(&["completions", shell]).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty());
    world.file(&format!("script.{shell}"), &String::from_utf8(ran.stdout).unwrap())
}

/// Checks that apply to every shell.
fn complete_all(shell: &mut Shell) {
    for (typed, run) in [
        ("anyvpn prof", "<anyvpn><profile>"),
        ("anyvpn profile show al", "<anyvpn><profile><show><alpha>"),
        ("anyvpn --profile be", "<anyvpn><--profile><beta>"),
        ("anyvpn --profile=be", "<anyvpn><--profile=beta>"),
        ("anyvpn --provider vpng", "<anyvpn><--provider><vpngn>"),
        ("anyvpn --provider=az", "<anyvpn><--provider=azire>"),
        ("anyvpn call az", "<anyvpn><call><azire>"),
        ("anyvpn call azire create-us", "<anyvpn><call><azire><create-user>"),
        ("anyvpn call azire create-token p", "<anyvpn><call><azire><create-token><password=@>"),
        (
            "anyvpn call azire create-port-forward hidden=tr",
            "<anyvpn><call><azire><create-port-forward><hidden=true>",
        ),
        (
            "anyvpn --profile alpha config get no-",
            "<anyvpn><--profile><alpha><config><get><no-osl>",
        ),
        (
            "anyvpn --url http://127.0.0.1:1/a:b profile us",
            "<anyvpn><--url><http://127.0.0.1:1/a:b><profile><use>",
        ),
        ("anyvpn login --username 'a b' --dev", "<anyvpn><login><--username><a b><--device-name>"),
        (
            "anyvpn call azire create-token --input som",
            "<anyvpn><call><azire><create-token><--input><some file.json>",
        ),
        ("anyvpn config get x --output=som", "<anyvpn><config><get><x><--output=some file.json>"),
        ("anyvpn frobnicate som", "<anyvpn><frobnicate><som>"),
        // No server listens there.
        (
            "anyvpn --url http://127.0.0.1:1 config get no",
            "<anyvpn><--url><http://127.0.0.1:1><config><get><no>",
        ),
    ] {
        assert_eq!(shell.completed(typed), run, "{typed}: {}", shell.terminal.written());
    }
    let screen = shell.terminal.written();
    assert!(!screen.contains("error"), "{screen}");
}

/// Returns the answer of `anyvpn complete` for a line.
fn answer(complete: &mut Command, line: &str) -> String {
    let ran = with_stdin(complete, &(line.replace(' ', "\n") + "\n"));
    assert_eq!(ran.status.code(), Some(0));
    assert!(ran.stderr.is_empty(), "{:?}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_server_gets_neither_a_command_nor_an_escape_into_the_line() {
    let place = |name: &str, city: &str| {
        serde_json::json!({ "name": name, "city": city, "country": "Sweden", "iso": "se",
            "pool": "a.example", "pubkey": "" })
    };
    let hostile = [
        "$(touch pwned)",
        "`touch pwned`",
        "x;touch pwned",
        "-rf",
        "a b",
        "*",
        "é",
        "../x",
        "a'b",
        "a\"b",
        "x\n:files",
        "a\u{1b}[2J",
        "",
        "a\\b",
        "~",
        "$HOME",
        "a&b",
    ];
    let mut places: Vec<_> = hostile.iter().map(|name| place(name, "Nowhere")).collect();
    places.push(place("no-osl", "a\u{1b}[2J\u{7}b\tc\n:d %F{red} $(touch pwned) `x`"));
    places.push(place("no-two", "Bergen: fine"));
    let body = serde_json::json!({ "status": "success", "locations": places });
    let url = provider_of("200 OK", body.to_string());
    let line = format!("anyvpn --provider azire --url {url} config get ");
    let told = answer(&mut command(&["complete"]), &line);
    let said = r"a\u{1b}[2J\u{7}b\tc\n:d %F{red} $(touch pwned) `x`, Sweden";
    assert_eq!(told, format!("no-osl\t{said}\nno-two\tBergen: fine, Sweden\n"));

    // The shells show the name without running any part of it.
    let world = home();
    for (program, arguments, setup) in shells(&world) {
        let mut shell = Shell::new(&world, program, arguments, &setup);
        let run = format!("<{}><no->", line.trim().replace(' ', "><"));
        assert_eq!(shell.completed(&line), run, "{program}: {}", shell.terminal.written());
        shell.terminal.press(&format!("{line}\t\t\t"));
        let shown = if program == "bash" { "no-two" } else { "%F{red}" };
        shell.terminal.wait_for(shown);
        let screen = shell.terminal.written();
        assert!(!screen.contains("\u{1b}[2J") && !screen.contains("\u{7}b"), "{program}: {screen}");
        assert!(!world.path("pwned").exists(), "{program}");
    }
}

#[test]
fn ids_ports_and_kinds_of_errors_are_known() {
    let world = World::with_device();
    let device = world.sandbox.azire().devices(LOGIN).remove(0);
    let address = device.internal_ipv4.to_string();
    let port = world.json(&["port", "create", "--internal-ipv4", &address])["port"].to_string();
    let answer = |line: &str| answer(&mut world.command(&["complete"]), line);
    for line in ["anyvpn config revoke ", "anyvpn config rotate "] {
        let ids = answer(line);
        assert!(ids.starts_with(&format!("{}\t", device.id)), "{ids}");
        assert!(ids.contains(&address), "{ids}");
    }
    for line in ["anyvpn port delete ", "anyvpn port check "] {
        assert_eq!(answer(line), format!("{port}\tof {address}\n"));
    }
    assert!(answer("anyvpn explain timeo").starts_with("timeout\t"));
}

#[test]
fn nothing_is_asked_run_or_waited_for() {
    let world = home();
    let script =
        world.file("vault", &format!("#!/bin/sh\ntouch {0}/ran; echo x", world.path("").display()));
    Command::new("chmod").args(["700", &script]).status().unwrap();
    let text = format!(
        "default = 'gamma'\n[profiles.gamma]\nprovider = 'vpnscript'\nurl = '{}'\ntoken_command = ['{script}']\n",
        world.sandbox.vpnscript_url()
    );
    std::fs::write(world.path("config/anyvpn/config.toml"), text).unwrap();
    let mut complete = command(&["complete"]);
    complete.env("XDG_CONFIG_HOME", world.path("config")).env("HOME", world.folder.path());
    assert_eq!(answer(&mut complete, "anyvpn config get "), "");
    assert!(!world.path("ran").exists());
    // With a stored token, the servers can be listed.
    complete.env("ANYVPN_VPNSCRIPT_TOKEN", &world.vpnscript_token);
    let known = answer(&mut complete, "anyvpn config get ");
    assert!(known.contains("\tFrankfurt"), "{known}");
    assert!(!world.path("ran").exists());

    // An invalid config.toml, no home folder, and invalid UTF-8.
    std::fs::write(world.path("config/anyvpn/config.toml"), "x = ").unwrap();
    assert_eq!(answer(&mut complete, "anyvpn profile show "), "");
    assert_eq!(answer(&mut command(&["complete"]), "anyvpn --profile "), "");
    assert_eq!(answer(&mut command(&["complete"]), ""), "");

    // First a server that does not reply, then a shell that does not.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let line = format!("anyvpn --provider azire --url {silent} config get ");
    assert_eq!(answer(&mut command(&["complete"]), &line), "");
    let mut waiting = command(&["complete"]).stdin(Stdio::piped()).spawn().unwrap();
    let _open = waiting.stdin.take();
    assert!(waiting.wait().unwrap().success());
}

/// Each shell, how it is started, and its setup. bash must exist. The others may be missing, unless
/// `ANYVPN_EVERY_SHELL` is set, as in CI.
fn shells(world: &World) -> Vec<(&'static str, &'static [&'static str], String)> {
    let zsh = "autoload -U compinit; compinit -u -d dump; source";
    let all: [(_, &[_], _); 3] = [
        ("bash", &["--norc", "--noprofile", "-i"], format!("source {}", script(world, "bash"))),
        ("zsh", &["-f", "-i"], format!("{zsh} {}", script(world, "zsh"))),
        ("fish", &["--no-config", "-i"], format!("source {}", script(world, "fish"))),
    ];
    let is_there = |shell: &str| {
        let mut asked = Command::new(shell);
        asked.arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    let all = all.into_iter().filter(|(shell, ..)| {
        *shell == "bash" || std::env::var_os("ANYVPN_EVERY_SHELL").is_some() || is_there(shell)
    });
    all.collect()
}

#[test]
fn bash_zsh_and_fish_complete() {
    let world = home();
    for (program, arguments, setup) in shells(&world) {
        complete_all(&mut Shell::new(&world, program, arguments, &setup));
    }
}
