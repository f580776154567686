//! Secrets stay where they belong.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::io::pipe;
use std::process::Command;

use anyvpn::{OperationInfo, Registry, Replay};
use common::{LOGIN, PASSWORD, World, command, error, with_stdin};

#[test]
fn a_secret_among_the_arguments_is_refused_and_the_other_ways_are_named() {
    let world = World::new();
    let argument = format!("password={PASSWORD}");
    let call = ["call", "azire", "create-token", "username=david", &argument, "--reveal"];
    let text = world.fails(2, &call);
    for way in ["password=@FILE", "password=-", "--input"] {
        assert!(text.contains(way), "{text}");
    }
    assert!(!text.contains(PASSWORD), "{text}");
    let refused = world.error(2, &call);
    assert!(refused["fields"]["password"].is_array());
    assert!(world.sandbox.received().is_empty());
    world.fails(2, &["account", "set-password", "--password", "x"]);
    world.fails(2, &["config", "get", "se-sto", "--private-key", "x"]);
}

#[test]
fn a_file_is_for_its_owner_alone_and_none_is_overwritten() {
    let world = World::new();
    let path = world.path("se-sto.conf");
    let get = ["config", "get", "se-sto", "--output", path.to_str().unwrap()];
    let got = world.json(&get);
    assert_eq!(got["id"].as_str(), Some(&*world.sandbox.azire().devices(LOGIN)[0].id));
    assert_eq!(got.get("config"), None);
    let first = std::fs::read_to_string(&path).unwrap();
    assert!(first.contains("PrivateKey = "));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // This is refused before anything is created at the provider.
    let text = world.fails(2, &get);
    assert!(text.contains("already exists") && text.contains("--force"), "{text}");
    assert_eq!(world.sandbox.azire().devices(LOGIN).len(), 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first);

    world.ok(&[&get[..], &["--force"]].concat());
    assert_ne!(std::fs::read_to_string(&path).unwrap(), first);
    let lost = world.path("no/folder.conf");
    world.fails(1, &["config", "get", "se-sto", "--output", lost.to_str().unwrap()]);
    assert_eq!(world.sandbox.azire().devices(LOGIN).len(), 2);
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_key_that_would_not_be_shown_is_not_created() {
    let world = World::new();
    let text = world.error(2, &["config", "get", "se-sto"]);
    assert!(text["hint"].as_str().unwrap().contains("--reveal"), "{text}");
    world.error(2, &["config", "get", "se-sto", "--output", "-"]);
    assert!(world.sandbox.received().is_empty());
    let shown = world.json(&["config", "get", "se-sto", "--reveal"]);
    let config = shown["config"].as_str().unwrap();
    assert!(config.contains("PrivateKey = ") && !config.contains("[redacted]"));
}

#[test]
fn a_call_whose_new_secret_nobody_would_see_is_not_sent() {
    let mut refused = Vec::new();
    for info in Registry::builtin().infos() {
        let gives = |it: &&OperationInfo| it.replay != Replay::Safe && it.reply_has_secret;
        for operation in info.operations.iter().filter(gives) {
            let failure = error(2, &mut command(&["call", info.name, operation.id.name()]));
            let text = format!("{failure}");
            assert!(text.contains("never be shown") && text.contains("--reveal"), "{text}");
            refused.push(operation.id.to_string());
        }
    }
    let all = [
        "azire.create-otp",
        "azire.create-token",
        "azire.update-token",
        "vpnscript.create-token",
        "vpngn.add-client",
        "vpngn.token-refresh",
        "vpngn.new-product",
        "vpngn.upgrade-product",
        "pia.create-token",
        "pia.get-signature",
        "vpnresellers.create-account",
    ];
    assert_eq!(refused, all);

    let world = World::new();
    let password = format!("password=@{}", world.file("password", PASSWORD));
    let create = ["call", "azire", "create-token", "username=david", &password];
    world.error(2, &create);
    assert!(world.sandbox.received().is_empty());
    let made = world.json(&[&create[..], &["--reveal"]].concat());
    assert_ne!(made["key"], "[redacted]");
}

#[test]
fn a_lost_key_is_reported() {
    let world = World::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ran = world.command(&["config", "get", "se-sto"]).stdout(writer).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let text = String::from_utf8(ran.stderr).unwrap();
    let id = &world.sandbox.azire().devices(LOGIN)[0].id;
    assert!(text.contains(&format!("anyvpn config revoke {id}")), "{text}");
}

/// Returns what the line prints in a shell, if its stdout is a pipe whose reader is gone.
fn unread(command: &mut Command) -> String {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ran = command.stdout(writer).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{text}");
    text
}

#[test]
fn lost_generated_passwords_and_new_tokens_are_reported() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    let customer = "jo@mail.example";
    let generate = "--generate-password";
    let create = ["customer", "create", customer, "--country", "US", "--plan", "12", generate];
    let password = format!("password=@{}", world.file("password", PASSWORD));
    let sign_in = ["call", "azire", "create-token", "username=david", &password, "--reveal"];
    let cases = [
        (
            world.command(&sign_in),
            "azire.create-token succeeded, but its reply is lost",
            "check what it created: anyvpn call azire list-tokens",
        ),
        (
            world.command(&["account", "create", "eva", "--currency", "EUR", generate]),
            "the account eva was created with a generated password that could not be shown",
            "reset the password on the provider's site",
        ),
        (
            world.command(&["account", "set-password", generate]),
            "the password was changed to a generated one that could not be shown",
            "set another password: anyvpn account set-password",
        ),
        (
            world.vpngn(&create),
            "jo@mail.example was created with a generated password that could not be shown",
            "set another password: anyvpn customer set-password jo@mail.example",
        ),
        (
            world.vpngn(&["customer", "set-password", customer, generate]),
            "the password was changed to a generated one that could not be shown",
            "set another password: anyvpn customer set-password jo@mail.example",
        ),
    ];
    for (mut command, done, next) in cases {
        let text = unread(&mut command);
        assert!(text.contains(done) && text.contains(next), "{text}");
    }
    assert_eq!(world.sandbox.azire().accounts(), 2);
    assert_eq!(vpngn.created(customer), 1);
    // A password that the user chose is not lost, and neither is a reply that can be requested again.
    let known = ["account", "set-password", "--password-file", &world.file("known", "new-canary")];
    for command in [&known[..], &["call", "azire", "list-tokens", "--reveal"]] {
        let (_, writer) = pipe().unwrap();
        assert!(world.command(command).stdout(writer).status().unwrap().success());
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_lost_if_stdout_is_closed() {
    let world = World::with_device();
    let closed = |arguments: &str| {
        let line = format!("{} {arguments} >&-; echo $? >&2", env!("CARGO_BIN_EXE_anyvpn"));
        let mut shell = Command::new("sh");
        let environment = world.command(&[]);
        shell.args(["-c", &line]).envs(environment.get_envs().filter_map(|(a, b)| Some((a, b?))));
        String::from_utf8(shell.output().unwrap().stderr).unwrap()
    };
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4;
    let text = closed(&format!("port create --hidden --internal-ipv4 {device}"));
    let port = world.sandbox.azire().ports(LOGIN)[0].port;
    assert!(text.contains(&format!("port {port} is open now")), "{text}");
    assert!(text.ends_with("\n1\n"), "{text}");

    let text = closed("account set-password --generate-password");
    assert!(text.starts_with("error: cannot show the new password: stdout is closed"), "{text}");
    assert!(text.ends_with("\n1\n"), "{text}");
    assert_eq!(world.calls("azire.update-password"), 0);
}

#[test]
fn notes_and_progress_contain_no_secret() {
    let world = World::with_device();
    let password = world.file("password", PASSWORD);
    let field = format!("password=@{password}");
    let wrong = world.file("wrong", "wrong-canary");
    let wrong_field = format!("password=@{wrong}");
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let commands: [&[&str]; 9] = [
        &["account", "show"],
        &["account", "set-password", "--password-file", &password],
        &["account", "close", "--yes", "--password-file", &wrong],
        &["config", "list"],
        &["port", "create", "--internal-ipv4", &device],
        &["call", "azire", "list-tokens"],
        &["call", "azire", "create-token", "--reveal", "username=david", &field],
        &["call", "azire", "create-token", "--reveal", "username=david", &wrong_field],
        &["call", "azire", "create-otp", "--reveal"],
    ];
    for arguments in commands {
        for json in [None, Some("--json")] {
            let ran = world.command(arguments).arg("-vv").args(json).output().unwrap();
            let all = [ran.stdout, ran.stderr].concat();
            let all = String::from_utf8(all).unwrap();
            assert!(all.contains("operation=azire."), "{arguments:?}: {all}");
            for secret in [&*world.token, PASSWORD, "wrong-canary"] {
                assert!(!all.contains(secret), "{arguments:?}: {all}");
            }
        }
    }
    assert_eq!(world.sandbox.azire().accounts(), 1);
}

#[test]
fn invalid_json_input_is_not_repeated() {
    let world = World::new();
    let mut call = world.command(&["call", "azire", "create-token", "--reveal", "--input", "-"]);
    let ran = with_stdin(&mut call, &format!("{{\"password\": {PASSWORD}"));
    assert_eq!(ran.status.code(), Some(2));
    assert!(!String::from_utf8(ran.stderr).unwrap().contains(PASSWORD));
    let text = format!("{{\"username\": \"x\", \"password\": [\"{PASSWORD}\"]}}");
    let mut call = world.command(&["call", "azire", "create-token", "--reveal", "--input", "-"]);
    let ran = with_stdin(&mut call, &text);
    assert_eq!(ran.status.code(), Some(2));
    assert!(!String::from_utf8(ran.stderr).unwrap().contains(PASSWORD));
}

#[cfg(unix)]
#[test]
fn a_secret_file_that_others_can_read_is_refused_with_a_chmod_hint() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::with_device();
    let file = world.file("it's", PASSWORD);
    let field = format!("password=@{file}");
    let input = format!("{{\"username\": \"david\", \"password\": \"{PASSWORD}\"}}");
    let input = world.file("input", &input);
    let key = world.file("key", "x");
    let uses: [&[&str]; 5] = [
        &["account", "close", "--yes", "--password-file", &file],
        &["account", "set-password", "--password-file", &file],
        &["call", "azire", "create-token", "--reveal", "username=david", &field],
        &["call", "azire", "create-token", "--reveal", "--input", &input],
        &["config", "get", "se-sto", "--private-key-file", &key],
    ];
    for name in [&file, &input, &key] {
        std::fs::set_permissions(name, std::fs::Permissions::from_mode(0o640)).unwrap();
    }
    for arguments in uses {
        let text = world.fails(1, arguments);
        let name = arguments.last().unwrap().trim_start_matches("password=@");
        let quoted = match name.contains('\'') {
            true => format!("'{}'", name.replace('\'', r"'\''")),
            false => name.to_owned(),
        };
        assert!(text.contains(&format!("hint: run chmod 600 {quoted}, or pass")), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
    assert!(world.sandbox.received().is_empty());

    // A file without a secret may be readable by others, and the mode of a pipe does not matter.
    let username = format!("username=@{}", world.file("name", "david"));
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(world.path("name"), open).unwrap();
    let create = ["call", "azire", "create-token", "--reveal", &username, "password=-"];
    let mut call = world.command(&create);
    assert_eq!(with_stdin(&mut call, PASSWORD).status.code(), Some(0));
    let script = format!(
        "{} account set-password --password-file <(echo {PASSWORD})",
        env!("CARGO_BIN_EXE_anyvpn")
    );
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", &script])
        .envs(world.command(&[]).get_envs().filter_map(|(a, b)| Some((a, b?))));
    assert_eq!(bash.status().unwrap().code(), Some(0));
}

/// A crash of the command writes no memory to the disk, and no other program can read its memory.
#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_core_dump() {
    use std::os::unix::process::ExitStatusExt as _;
    let folder = tempfile::tempdir().unwrap();
    let crash = |program: &str| {
        // The process reports when it is ready, and then waits.
        let script = format!("ulimit -c \"$(ulimit -Hc)\"; exec {program}");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).current_dir(folder.path());
        let mut child = shell.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut ready = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let core = core.split_whitespace().nth(4).unwrap().to_owned();
        let abort = ["-ABRT", &child.id().to_string()];
        assert!(std::process::Command::new("kill").args(abort).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(6));
        (core, status.core_dumped())
    };
    let anyvpn = format!("{} sandbox", env!("CARGO_BIN_EXE_anyvpn"));
    assert_eq!(crash(&anyvpn), ("0".to_owned(), false));
    // Another program leaves a core dump here, if this machine writes core dumps to the current
    // folder.
    let (limit, dumped) = crash("sh -c 'echo; exec sleep 60'");
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    assert!(dumped || limit == "0" || !pattern.starts_with("core"), "{limit} {pattern}");
}

/// An unexpected argument may be a secret that was meant for a prompt.
#[test]
fn a_stray_secret_among_the_arguments_is_not_repeated() {
    let world = World::new();
    let secret = "Hunter2-canary=";
    let with = |begin: &str| format!("{begin}{secret}");
    let cases: [&[&str]; 13] = [
        &[secret],
        &["account", secret],
        &["login", secret],
        &["login", "--username", "jo", secret],
        &["login", &with("--password=")],
        &["login", &with("--password")],
        &["login", &with("--force=")],
        &["login", "--", secret],
        &["login", "--username", "jo", "--password-file", secret],
        &["profile", "add", "home", secret],
        &["call", "azire", "update-password", secret],
        &["call", "azire", "update-password", secret.trim_end_matches('=')],
        &["call", "azire", "update-password", &with("new_password=@")],
    ];
    for arguments in cases {
        for json in [None, Some("--json")] {
            let mut command = world.command(&[]);
            let ran = command.args(json).args(arguments).env("HOME", world.path("")).output();
            let ran = ran.unwrap();
            let text = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
            assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {text}");
            assert!(!text.to_lowercase().contains("hunter2"), "{arguments:?}: {text}");
        }
    }
    assert!(world.sandbox.received().is_empty());
    // A typing error is repeated.
    assert!(world.fails(2, &["accuont"]).contains("'accuont'"));
    assert!(world.fails(2, &["login", "--usernam", "jo"]).contains("'--usernam'"));
    let text = world.fails(2, &["call", "azire", "update-password", "new_pasword=@x"]);
    assert!(text.contains("did you mean new_password?"), "{text}");
}

#[test]
fn the_same_file_for_configuration_and_qr_code_is_refused_early() {
    let world = World::new();
    std::fs::create_dir(world.path("in")).unwrap();
    let (file, other) = (world.path("a.svg"), world.path("in/../a.svg"));
    for force in [&[][..], &["--force"]] {
        let get = ["config", "get", "se-sto", "-o", file.to_str().unwrap(), "--qr-file"];
        let text = world.fails(2, &[&get[..], &[other.to_str().unwrap()], force].concat());
        assert!(text.contains("are the same file"), "{text}");
    }
    let long = world.path(&"a".repeat(256));
    let folder = format!("{}/", world.path("nx").display());
    for (path, code, said) in [
        (long.to_str().unwrap(), 1, "the name is too long"),
        (&*folder, 2, "is the name of a folder"),
    ] {
        let text = world.fails(code, &["config", "get", "se-sto", "-o", path]);
        assert!(text.contains(said), "{text}");
    }
    assert!(world.sandbox.received().is_empty());
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 1);
}
