//! Signing in once serves all commands.

mod common;

use std::path::PathBuf;

use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, PASSWORD, World, command, error, fails, json, ok, with_stdin};
use serde_json::Value;

/// Returns a command with a home folder and without tokens in its environment.
fn at_home(world: &World, provider: &str, arguments: &[&str]) -> std::process::Command {
    let mut command = command(&["--provider", provider]);
    command
        .args(arguments)
        .env("XDG_STATE_HOME", world.folder.path())
        .env("ANYVPN_AZIRE_URL", world.sandbox.azire_url())
        .env("ANYVPN_VPNSCRIPT_URL", world.sandbox.vpnscript_url());
    command
}

fn login(world: &World, provider: &str, more: &[&str]) -> Value {
    let mut login = at_home(world, provider, &["login", "--username", LOGIN]);
    json(login.args(more).env("ANYVPN_PASSWORD", PASSWORD))
}

#[allow(clippy::unwrap_used, reason = "what fails here fails the test")]
fn files(world: &World) -> Vec<PathBuf> {
    let folder = world.path("anyvpn/tokens");
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "json")).collect()
}

#[test]
fn a_token_is_created_once_stored_privately_and_used_by_all_commands() {
    let world = World::new();
    for (provider, operation) in
        [("azire", "azire.create-token"), ("vpnscript", "vpnscript.create-token")]
    {
        let hint = fails(3, &mut at_home(&world, provider, &["account", "show"]));
        assert!(hint.contains(&format!("anyvpn login --provider {provider}")), "{hint}");

        let first = login(&world, provider, &[]);
        assert_eq!(first["made"], true);
        assert_eq!(first["username"], LOGIN);
        let path = PathBuf::from(first["path"].as_str().unwrap());
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{provider}-127.0.0.1_")), "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode();
            assert_eq!(mode(&path) & 0o777, 0o600);
            assert_eq!(mode(path.parent().unwrap()) & 0o777, 0o700);
        }
        assert_eq!(login(&world, provider, &[])["made"], false);
        assert_eq!(world.calls(operation), 1);
        let shown = json(&mut at_home(&world, provider, &["account", "show"]));
        assert_eq!(shown["login"], LOGIN);

        // The environment takes precedence.
        let variable = format!("ANYVPN_{}_TOKEN", provider.to_uppercase());
        fails(3, at_home(&world, provider, &["account", "show"]).env(&variable, "wrong"));
        // The address takes precedence too, and the token is not sent to another one.
        let elsewhere = format!("{}/x", world.sandbox.azire_url());
        fails(3, &mut at_home(&world, provider, &["--url", &elsewhere, "config", "list"]));

        assert_eq!(login(&world, provider, &["--force"])["made"], true);
        assert_eq!(world.calls(operation), 2);
        json(&mut at_home(&world, provider, &["account", "show"]));
    }
    assert_eq!(files(&world).len(), 2);
}

#[test]
fn signing_out_deletes_the_token_here_and_at_the_provider_if_possible() {
    let world = World::new();
    login(&world, "azire", &[]);
    login(&world, "azire", &["--force"]);
    // The first token was revoked.
    assert_eq!(world.calls("azire.delete-token"), 1);
    let tokens = world.json(&["call", "azire", "list-tokens"]);
    assert_eq!(tokens.as_array().unwrap().len(), 2);

    // A token that could not be revoked stays stored, because it exists nowhere else.
    world.sandbox.inject(FaultRule::once("azire.delete-token", Fault::Status(500))).unwrap();
    for _ in 0..3 {
        world.sandbox.inject(FaultRule::once("azire.delete-token", Fault::Status(500))).unwrap();
    }
    let text = fails(7, &mut at_home(&world, "azire", &["logout"]));
    assert!(text.contains("still stored"), "{text}");
    assert_eq!(files(&world).len(), 1);

    let out = json(&mut at_home(&world, "azire", &["logout"]));
    assert_eq!(out["deleted_at_provider"], true);
    assert!(files(&world).is_empty());
    assert_eq!(world.json(&["call", "azire", "list-tokens"]).as_array().unwrap().len(), 1);
    fails(3, &mut at_home(&world, "azire", &["account", "show"]));

    login(&world, "vpnscript", &[]);
    let out = at_home(&world, "vpnscript", &["logout"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    let note = String::from_utf8(out.stderr).unwrap();
    assert!(note.contains("cannot revoke a token"), "{note}");
    assert!(files(&world).is_empty());
    let nobody = json(&mut at_home(&world, "vpnscript", &["logout"]));
    assert_eq!(nobody["username"], Value::Null);
}

#[test]
fn a_token_that_ended_is_replaced_and_another_persons_is_not() {
    let world = World::new();
    login(&world, "vpnscript", &[]);
    let text = fails(2, &mut at_home(&world, "vpnscript", &["login", "--username", "eva"]));
    assert!(text.contains("david is already signed in"), "{text}");

    world.sandbox.vpnscript().revoke_tokens(LOGIN);
    // The user name is stored.
    let again = at_home(&world, "vpnscript", &["login"]).env("ANYVPN_PASSWORD", PASSWORD).output();
    assert_eq!(again.unwrap().status.code(), Some(0));
    assert_eq!(world.sandbox.vpnscript().tokens(LOGIN), 1);

    world.sandbox.inject(FaultRule::once("vpnscript.get-account", Fault::Html(200))).unwrap();
    fails(8, &mut at_home(&world, "vpnscript", &["login"]));
    assert_eq!(world.calls("vpnscript.create-token"), 2);
}

#[test]
fn problems_are_found_before_a_token_is_created() {
    let world = World::new();
    let signs_in = ["login", "--username", LOGIN, "--password-file", "-"];
    let text = fails(2, &mut at_home(&world, "azire", &["login"]));
    assert!(text.contains("--username"), "{text}");
    let text = fails(2, &mut at_home(&world, "azire", &["login", "--username", LOGIN]));
    assert!(text.contains("--password-file") && text.contains("ANYVPN_PASSWORD"), "{text}");
    fails(2, &mut at_home(&world, "azire", &["login", "--password", "x"]));

    let ran = with_stdin(&mut at_home(&world, "azire", &signs_in), "wrong-canary");
    assert_eq!(ran.status.code(), Some(3));
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains("check the user name and the password"), "{text}");
    assert!(!text.contains("wrong-canary"), "{text}");
    let refused = world.calls("azire.create-token");

    let nowhere = world.file("no-folder", "");
    let text = fails(1, at_home(&world, "azire", &signs_in).env("XDG_STATE_HOME", &nowhere));
    assert!(text.contains("XDG_STATE_HOME"), "{text}");
    fails(1, at_home(&world, "azire", &signs_in).env_remove("XDG_STATE_HOME"));
    let report = error(5, &mut world.vpngn(&["login"]));
    assert_eq!(report["kind"], "unsupported");
    fails(2, &mut command(&["--provider", "vpnscript", "login"]));
    assert_eq!(world.calls("azire.create-token"), refused);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_or_that_was_moved_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    login(&world, "azire", &[]);
    let path = files(&world).remove(0);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let text = fails(1, &mut at_home(&world, "azire", &["account", "show"]));
    assert!(text.contains("chmod 600"), "{text}");

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let content = std::fs::read_to_string(&path).unwrap();
    let other = content.replace("http://", "https://");
    std::fs::write(&path, &other).unwrap();
    let text = fails(1, &mut at_home(&world, "azire", &["account", "show"]));
    assert!(text.contains("another address"), "{text}");
}

#[test]
fn a_stored_token_chooses_the_provider_and_is_never_printed() {
    let world = World::new();
    login(&world, "vpnscript", &[]);
    let content = std::fs::read_to_string(&files(&world)[0]).unwrap();
    let kept: Value = serde_json::from_str(&content).unwrap();
    let token = kept["token"]["token"].as_str().unwrap();
    let mut show = command(&["-vv", "account", "show", "--url"]);
    show.arg(world.sandbox.vpnscript_url()).env("XDG_STATE_HOME", world.folder.path());
    assert!(ok(&mut show).contains(LOGIN));
    for arguments in [&["login", "-vv"][..], &["logout", "-vv"], &["login", "-vv", "--json"]] {
        let mut command = at_home(&world, "vpnscript", arguments);
        let ran = command.env("ANYVPN_PASSWORD", PASSWORD).output().unwrap();
        let all = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
        assert!(!all.contains(token) && !all.contains(PASSWORD), "{all}");
    }
}
