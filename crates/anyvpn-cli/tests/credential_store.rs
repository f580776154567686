//! Storing and deleting the credentials of profiles, from one process or several.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, PASSWORD, World, command, fails, json, ok, with_stdin};

/// Returns a command with an empty home folder.
fn at_home(world: &World, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("HOME", world.folder.path());
    command
}

/// Adds a profile for AzireVPN at the sandbox.
fn add(world: &World, name: &str, more: &[&str]) -> Command {
    let mut add = at_home(world, &["profile", "add", name, "--provider", "azire", "--url"]);
    add.arg(world.sandbox.azire_url()).args(more);
    add
}

fn config(world: &World) -> PathBuf {
    world.path(".config/anyvpn/config.toml")
}

/// Lists all files of the home folder, with their modes.
#[cfg(unix)]
fn files(world: &World) -> Vec<(PathBuf, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = Vec::new();
    let mut left = vec![world.folder.path().to_owned()];
    while let Some(folder) = left.pop() {
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                left.push(path.clone());
            }
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            found.push((path, mode));
        }
    }
    found
}

fn tokens(world: &World) -> Vec<PathBuf> {
    let folder = fs::read_dir(world.path(".local/state/anyvpn/tokens"));
    let paths = folder.into_iter().flatten().map(|it| it.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|it| it == "json")).collect()
}

#[test]
fn typed_secrets_are_stored_and_deleted_with_the_profile() {
    let world = World::new();
    let typed = with_stdin(&mut add(&world, "home", &["--token-file", "-"]), &world.token);
    assert_eq!(typed.status.code(), Some(0), "{}", String::from_utf8_lossy(&typed.stderr));
    assert_eq!(json(&mut at_home(&world, &["account", "show"]))["login"], LOGIN);
    let shown = json(&mut at_home(&world, &["profile", "show", "home"]));
    assert_eq!(shown["sign_in"], serde_json::json!(["stored token"]));
    let text = fs::read_to_string(config(&world)).unwrap();
    assert!(!text.contains(&world.token) && !text.contains("token"), "{text}");

    // The user name and the id of a typed token are not known.
    let text = fails(2, &mut at_home(&world, &["login", "--username", LOGIN]));
    assert!(text.contains("the user of the stored token is already signed in"), "{text}");
    let again = json(&mut at_home(&world, &["login"]));
    assert_eq!((&again["made"], &again["username"]), (&false.into(), &serde_json::Value::Null));
    ok(&mut at_home(&world, &["profile", "remove", "home"]));
    assert!(tokens(&world).is_empty());
    assert_eq!(world.calls("azire.delete-token"), 0);

    let vpngn = world.sandbox.vpngn();
    let (key, secret) = (vpngn.api_key(), vpngn.secret_key());
    let url = world.sandbox.vpngn_url();
    let mut shop = at_home(&world, &["profile", "add", "shop", "--provider", "vpngn", "--url"]);
    shop.args([&url, "--secret-key-file", "-", "--api-key-file", "-", "--json"]);
    let missing = with_stdin(&mut shop, &key);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("stdin has no secret key"));
    let typed = with_stdin(&mut shop, &format!("{key}\n{secret}\n"));
    let typed: serde_json::Value = serde_json::from_slice(&typed.stdout).unwrap();
    assert_eq!(typed["checked"], "customer find");
    assert_eq!(typed["sign_in"], serde_json::json!(["stored API key", "stored secret key"]));
    vpngn.add_customer("jo@mail.example", PASSWORD, Some(12));
    let list = ["customer", "find", "jo@mail.example"];
    ok(&mut at_home(&world, &list));
    // A customer's credential in the environment overrides the reseller's.
    let mut as_customer = at_home(&world, &list);
    fails(3, as_customer.env("ANYVPN_VPNGN_PASSWORD", "wrong-canary"));
    // The secrets of a profile are not sent to another address.
    let elsewhere = format!("{url}/x");
    fails(3, &mut at_home(&world, &[&["--url", &elsewhere][..], &list].concat()));
    ok(&mut at_home(&world, &["logout"]));
    assert!(tokens(&world).is_empty());
    fails(3, &mut at_home(&world, &list));
}

#[test]
fn invalid_secrets_are_not_stored() {
    let world = World::new();
    let typed = with_stdin(&mut add(&world, "home", &["--token-file", "-"]), "wrong-canary");
    assert_eq!(typed.status.code(), Some(3));
    assert!(tokens(&world).is_empty() && !config(&world).exists());
    let typed = with_stdin(&mut add(&world, "home", &["--token-file", "-"]), "\n");
    assert_eq!(typed.status.code(), Some(2));
    let file = world.file("token", &world.token);
    let text = fails(2, &mut add(&world, "home", &["--keyring", "--token-file", &file]));
    assert!(text.contains("nothing to store in the keyring"), "{text}");
    let text = fails(5, &mut at_home(&world, &["--provider", "vpngn", "--brand", "a", "logout"]));
    assert!(text.contains("VPNGN does not support sign-in"), "{text}");
}

#[cfg(not(feature = "keyring"))]
#[test]
fn a_build_without_keyring_support_fails_before_anything_is_created() {
    let world = World::new();
    let mut signs_in = add(&world, "home", &["--keyring", "--username", LOGIN]);
    let text = fails(1, signs_in.env("ANYVPN_PASSWORD", PASSWORD));
    assert!(text.contains("has no keyring support"), "{text}");
    assert!(text.contains("--features keyring") && text.contains("omit --keyring"), "{text}");
    assert_eq!(world.calls("azire.create-token"), 0);
    assert!(!config(&world).exists());

    let text = format!(
        "[profiles.home]\nprovider = 'azire'\nstore = 'keyring'\nurl = '{}'\n",
        world.sandbox.azire_url()
    );
    fs::create_dir_all(config(&world).parent().unwrap()).unwrap();
    fs::write(config(&world), text).unwrap();
    let list = ok(&mut at_home(&world, &["profile", "list"]));
    assert!(list.contains("token in the keyring"), "{list}");
    fails(1, &mut at_home(&world, &["--profile", "home", "account", "show"]));
    fails(1, &mut at_home(&world, &["profile", "remove", "home"]));
    ok(&mut at_home(&world, &["profile", "remove", "home", "--local"]));
    assert!(!fs::read_to_string(config(&world)).unwrap().contains("home"));
}

#[test]
fn an_unreachable_provider_keeps_the_token_unless_local_is_given() {
    let world = World::new();
    let sign_in = ["--username", LOGIN];
    for name in ["home", "work"] {
        ok(add(&world, name, &sign_in).env("ANYVPN_PASSWORD", PASSWORD));
    }
    // The server has stopped.
    let text = fs::read_to_string(config(&world)).unwrap();
    let gone = "http://127.0.0.1:1/azire";
    fs::write(config(&world), text.replace(&world.sandbox.azire_url(), gone)).unwrap();
    for path in tokens(&world) {
        let kept = fs::read_to_string(&path).unwrap();
        fs::write(&path, kept.replace(&world.sandbox.azire_url(), gone)).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = format!("azire-127.0.0.1_1_azire@{}", name.split_once('@').unwrap().1);
        fs::rename(&path, path.with_file_name(name)).unwrap();
    }
    let text = fails(7, &mut at_home(&world, &["--profile", "home", "logout"]));
    assert!(text.contains("still stored") && text.contains("--local"), "{text}");
    let text = fails(7, &mut at_home(&world, &["profile", "remove", "work"]));
    assert!(text.contains("was not removed") && text.contains("--local"), "{text}");
    assert_eq!(tokens(&world).len(), 2);

    let out = at_home(&world, &["--profile", "home", "logout", "--local"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    let (stdout, note) = (String::from_utf8(out.stdout).unwrap(), out.stderr);
    assert_eq!(stdout, "david is signed out of AzireVPN.\n");
    assert!(
        String::from_utf8(note).unwrap().contains("stays valid until it expires at the provider")
    );
    ok(&mut at_home(&world, &["profile", "remove", "work", "--local"]));
    assert!(tokens(&world).is_empty());
    let list = json(&mut at_home(&world, &["profile", "list"]));
    assert_eq!(list["profiles"].as_array().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_private_with_any_umask() {
    let world = World::new();
    let bin = env!("CARGO_BIN_EXE_anyvpn");
    let (url, folder) = (world.sandbox.azire_url(), world.path("configs"));
    let folder = folder.display();
    let script = format!(
        "umask 000; {bin} profile add home --provider azire --url {url} --username {LOGIN} && \
         {bin} config get se-sto --output $HOME/one.conf && \
         {bin} config get se-sto --qr-file $HOME/one.png && \
         {bin} config get --all --output-dir {folder}"
    );
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).env_clear().env("HOME", world.folder.path());
    let status = shell.env("ANYVPN_PASSWORD", PASSWORD).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    let found = files(&world);
    assert!(found.len() > 12, "{found:?}");
    for (path, mode) in found {
        // The folders above anyvpn's own are not changed.
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_above = [".config", ".local", "state"].contains(&name);
        assert!(mode & 0o077 == 0 || is_above, "{mode:o} {}", path.display());
    }
}

#[test]
fn of_many_that_add_and_choose_at_once_none_is_lost() {
    let world = World::new();
    ok(&mut add(&world, "first", &["--no-check"]));
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    let mut children = Vec::new();
    for name in &names {
        let mut choose = at_home(&world, &["profile", "use", "first"]);
        for command in [&mut add(&world, name, &["--no-check"]), &mut choose] {
            children.push(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        }
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let list = json(&mut at_home(&world, &["profile", "list"]));
    let profiles = list["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), names.len() + 1);
    let default: Vec<_> = profiles.iter().filter(|it| it["default"] == true).collect();
    assert_eq!(default.len(), 1);
    assert_eq!(default[0]["name"], "first");
}

#[test]
fn of_many_that_sign_in_at_once_one_makes_a_token() {
    let world = World::new();
    ok(&mut add(&world, "home", &[]));
    let mut children: Vec<_> = (0..6)
        .map(|_| {
            let mut login = at_home(&world, &["login", "--username", LOGIN]);
            login.env("ANYVPN_PASSWORD", PASSWORD).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(world.calls("azire.create-token"), 1);
    json(&mut at_home(&world, &["account", "show"]));
}

/// If a process ends at any point, the next one finds either the old file or the new one.
#[test]
fn a_killed_process_leaves_the_old_file_or_the_new_one() {
    let world = World::new();
    for name in ["one", "two"] {
        ok(&mut add(&world, name, &["--no-check"]));
    }
    ok(&mut at_home(&world, &["profile", "use", "one"]));
    let one = fs::read_to_string(config(&world)).unwrap();
    let two = one.replace("default = \"one\"", "default = \"two\"");
    let mut changed = 0;
    let mut wait = Duration::from_micros(200);
    // Each process is killed a little later than the one before, until some finish.
    while changed < 10 {
        fs::write(config(&world), &one).unwrap();
        let mut choose = at_home(&world, &["profile", "use", "two"]);
        let mut child = choose.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(wait);
        wait = wait.mul_f64(1.05);
        child.kill().unwrap();
        child.wait().unwrap();
        let left = fs::read_to_string(config(&world)).unwrap();
        assert!(left == one || left == two, "{left}");
        changed += usize::from(left == two);
    }
    // The next command removes the locks and drafts that the killed ones left.
    ok(&mut at_home(&world, &["profile", "use", "two"]));
    assert_eq!(fs::read_dir(config(&world).parent().unwrap()).unwrap().count(), 1);
}

/// Ends a command by a signal when the operation has arrived once more, and returns its stderr.
#[cfg(unix)]
fn interrupted(world: &World, command: &mut Command, operation: &str, signal: &str) -> String {
    world
        .sandbox
        .inject(FaultRule::once(operation, Fault::Delay(Duration::from_secs(600))))
        .unwrap();
    let before = world.calls(operation);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while world.calls(operation) == before {
        std::thread::sleep(Duration::from_millis(5));
    }
    common::terminal::signal(child.id(), signal);
    String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
}

/// Returns the names of profiles that have stored secrets but no entry, as the list shows them.
#[cfg(unix)]
fn unused(world: &World) -> Vec<String> {
    let list = json(&mut at_home(world, &["profile", "list"]));
    let names = list["unused"].as_array().unwrap().iter();
    names.map(|it| it["profile"].as_str().unwrap().to_owned()).collect()
}

#[cfg(unix)]
#[test]
fn credentials_stored_by_an_interrupted_command_are_used_again() {
    let world = World::new();
    let sign_in = ["--username", LOGIN];
    let add_interrupted = |name: &str, signal: &str| {
        let mut add = add(&world, name, &sign_in);
        interrupted(&world, add.env("ANYVPN_PASSWORD", PASSWORD), "azire.get-user", signal)
    };
    let text = add_interrupted("home", "INT");
    assert!(text.contains("are stored in /") && text.contains("anyvpn profile add home"), "{text}");
    assert!(!text.contains("lost"), "{text}");
    assert_eq!(unused(&world), ["home"]);
    let listed = at_home(&world, &["profile", "list"]).output().unwrap();
    let note = String::from_utf8(listed.stderr).unwrap();
    assert!(note.contains("home (david at azire)") && note.contains("profile prune"), "{note}");

    // The same command uses the token without a password. Another user cannot use it.
    fails(2, &mut add(&world, "home", &["--username", "eva"]));
    let added = add(&world, "home", &sign_in).output().unwrap();
    let note = String::from_utf8(added.stderr).unwrap();
    assert!(added.status.success() && note.contains("interrupted command"), "{note}");
    assert_eq!(world.calls("azire.create-token"), 1);
    assert_eq!(json(&mut at_home(&world, &["account", "show"]))["login"], LOGIN);
    assert!(unused(&world).is_empty());

    // Signing in at the same address uses it too.
    add_interrupted("work", "KILL");
    assert_eq!(unused(&world), ["work"]);
    let url = world.sandbox.azire_url();
    ok(&mut at_home(&world, &["logout"]));
    let other = ["--provider", "azire", "--url", &url, "login", "--username", "eva"];
    fails(2, &mut at_home(&world, &other));
    let signed_in = json(&mut at_home(&world, &["login", "--username", LOGIN]));
    assert_eq!((&signed_in["made"], &signed_in["username"]), (&false.into(), &LOGIN.into()));
    assert_eq!(world.calls("azire.create-token"), 2);
    assert!(unused(&world).is_empty());

    // An invalid token is replaced, and the old one is revoked.
    add_interrupted("late", "TERM");
    let tokens = world.calls("azire.delete-token");
    world.sandbox.inject(FaultRule::once("azire.get-user", Fault::Status(401))).unwrap();
    ok(add(&world, "late", &sign_in).env("ANYVPN_PASSWORD", PASSWORD));
    assert_eq!(world.calls("azire.create-token"), 4);
    assert_eq!(world.calls("azire.delete-token"), tokens + 1);
}

#[cfg(unix)]
#[test]
fn prune_removes_credentials_that_no_profile_uses() {
    let world = World::new();
    let prune = ["profile", "prune"];
    assert!(ok(&mut at_home(&world, &prune)).contains("There are no unused secrets"));
    for name in ["home", "work"] {
        ok(add(&world, name, &["--username", LOGIN]).env("ANYVPN_PASSWORD", PASSWORD));
    }
    // Rename a profile by hand, and leave secrets of a provider that cannot revoke tokens.
    let text = fs::read_to_string(config(&world)).unwrap();
    fs::write(config(&world), text.replace("profiles.work", "profiles.job")).unwrap();
    let vpngn = world.sandbox.vpngn();
    let mut shop = at_home(&world, &["profile", "add", "shop", "--provider", "vpngn", "--url"]);
    shop.args([&world.sandbox.vpngn_url(), "--api-key-file", "-", "--secret-key-file", "-"]);
    let keys = format!("{}\n{}\n", vpngn.api_key(), vpngn.secret_key());
    assert!(with_stdin(&mut shop, &keys).status.success());
    let text = fs::read_to_string(config(&world)).unwrap();
    fs::write(config(&world), text.split("\n[profiles.shop]").next().unwrap()).unwrap();
    assert_eq!(unused(&world), ["shop", "work"]);

    let text = fails(2, &mut at_home(&world, &prune));
    assert!(text.contains("--yes"), "{text}");
    assert_eq!(tokens(&world).len(), 3);
    // The token is kept unless the provider confirms.
    for _ in 0..4 {
        world.sandbox.inject(FaultRule::once("azire.delete-token", Fault::Status(500))).unwrap();
    }
    let text = fails(7, at_home(&world, &prune).arg("--yes"));
    assert!(text.contains("still stored") && text.contains("--local"), "{text}");
    assert_eq!(unused(&world), ["work"]);
    let pruned = json(at_home(&world, &prune).arg("--yes"));
    assert_eq!(pruned["removed"][0]["profile"], "work");
    assert_eq!(pruned["removed"][0]["deleted_at_provider"], true);
    assert_eq!(tokens(&world).len(), 1);
    assert_eq!(json(&mut at_home(&world, &["account", "show"]))["login"], LOGIN);
    // No lock and no draft is left behind.
    let left = fs::read_dir(world.path(".local/state/anyvpn/tokens")).unwrap().count();
    assert_eq!((left, fs::read_dir(config(&world).parent().unwrap()).unwrap().count()), (1, 1));
}

#[cfg(unix)]
#[test]
fn prune_names_files_it_cannot_read_and_removes_what_killed_commands_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    ok(add(&world, "home", &["--username", LOGIN]).env("ANYVPN_PASSWORD", PASSWORD));
    let folder = world.path(".local/state/anyvpn/tokens");
    let name = |name: &str| folder.join(name);
    let (torn, busy) = (name("azire-api@torn.json"), name("azire-api@busy.json.lock"));
    let draft = name(".azire-api@old.json.a1B2c3.new");
    let (old, others) = (name("azire-api@old.json.lock"), name("notes.new"));
    for file in [&torn, &busy, &draft, &old, &others] {
        fs::write(file, "{").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let held = fs::File::options().write(true).open(&busy).unwrap();
    held.lock().unwrap();

    assert_eq!(unused(&world), ["torn"]);
    let text = fails(1, &mut at_home(&world, &["profile", "prune", "--yes"]));
    assert!(text.contains("azire-api@torn.json") && text.contains("--local"), "{text}");
    assert!([&torn, &busy, &others].iter().all(|file| file.exists()));
    assert!(!draft.exists() && !old.exists());
    let pruned = json(&mut at_home(&world, &["profile", "prune", "--yes", "--local"]));
    assert_eq!(pruned["removed"][0]["profile"], "torn");
    assert!(!torn.exists() && unused(&world).is_empty());

    // Every change of a credential removes them too.
    fs::write(&old, "").unwrap();
    ok(&mut at_home(&world, &["login", "--username", LOGIN]));
    assert!(!old.exists() && busy.exists());
}

#[test]
fn a_killed_sign_in_leaves_the_old_token_or_the_new_one() {
    let world = World::new();
    let login = ["login", "--username", LOGIN, "--force"];
    ok(at_home(&world, &["--provider", "azire", "--url", &world.sandbox.azire_url()])
        .args(login)
        .env("ANYVPN_PASSWORD", PASSWORD));
    let command = |arguments: &[&str]| {
        let mut command = at_home(&world, arguments);
        command.env("ANYVPN_AZIRE_URL", world.sandbox.azire_url());
        command.env("ANYVPN_PASSWORD", PASSWORD);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut wait = Duration::from_millis(2);
    while world.calls("azire.delete-token") < 3 {
        let mut child = command(&login).spawn().unwrap();
        std::thread::sleep(wait);
        wait = wait.mul_f64(1.15);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(command(&["account", "show"]).status().unwrap().success(), "{wait:?}");
    }
}
