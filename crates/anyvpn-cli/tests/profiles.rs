//! Profiles: named combinations of a provider, an address and sources of secrets.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, PASSWORD, World, command, error, fails, json, ok, stderr};
use serde_json::Value;

/// Returns a command with an empty home folder.
fn at_home(world: &World, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("HOME", world.folder.path());
    command
}

fn config(world: &World) -> PathBuf {
    world.path(".config/anyvpn/config.toml")
}

fn write(world: &World, text: &str) {
    let path = config(world);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(world: &World) -> String {
    fs::read_to_string(config(world)).unwrap()
}

/// Adds a profile for AzireVPN at the sandbox.
fn add(world: &World, name: &str, more: &[&str]) -> Command {
    let mut add = at_home(world, &["profile", "add", name, "--provider", "azire", "--url"]);
    add.arg(world.sandbox.azire_url()).args(more);
    add
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn tokens(world: &World) -> Vec<String> {
    let folder = fs::read_dir(world.path(".local/state/anyvpn/tokens"));
    let names = folder.into_iter().flatten().map(|it| it.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names.filter(|name| name.ends_with(".json")).collect()
}

#[test]
fn a_profile_is_added_used_shown_and_removed_with_its_token() {
    let world = World::new();
    let mut home = add(&world, "home", &["--username", LOGIN]);
    let added = json(home.env("ANYVPN_PASSWORD", PASSWORD));
    assert_eq!(added["checked"], "account show");
    assert_eq!(added["default"], true);
    assert_eq!(added["username"], LOGIN);
    assert!(!read(&world).contains(PASSWORD));
    #[cfg(unix)]
    {
        assert_eq!(mode(&config(&world)), 0o600);
        assert_eq!(mode(config(&world).parent().unwrap()), 0o700);
    }
    assert!(tokens(&world)[0].ends_with("@home.json"), "{:?}", tokens(&world));
    // The profile gives the address and the account.
    assert_eq!(json(&mut at_home(&world, &["account", "show"]))["login"], LOGIN);

    // A second profile, for another account at the same address, has its own token.
    world.sandbox.azire().add_account("eva", "eva-canary");
    let mut work = add(&world, "work", &["--username", "eva"]);
    assert_eq!(json(work.env("ANYVPN_PASSWORD", "eva-canary"))["default"], false);
    assert_eq!(tokens(&world).len(), 2);
    let show = ["--profile", "work", "account", "show"];
    assert_eq!(json(&mut at_home(&world, &show))["login"], "eva");
    let mut by_variable = at_home(&world, &["account", "show"]);
    assert_eq!(json(by_variable.env("ANYVPN_PROFILE", "work"))["login"], "eva");
    assert_eq!(json(&mut at_home(&world, &["account", "show"]))["login"], LOGIN);
    ok(&mut at_home(&world, &["profile", "use", "work"]));
    assert_eq!(json(&mut at_home(&world, &["account", "show"]))["login"], "eva");

    let list = json(&mut at_home(&world, &["profile", "list"]));
    let names: Vec<&Value> =
        list["profiles"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["home", "work"]);
    let text = ok(&mut at_home(&world, &["profile", "list"]));
    assert!(text.contains("*  work"), "{text}");
    let shown = json(&mut at_home(&world, &["profile", "show", "work"]));
    assert_eq!(shown["sign_in"][0], "stored token");

    // The same name again, and an invalid name.
    let text = fails(2, &mut add(&world, "home", &[]));
    assert!(text.contains("profile home already"), "{text}");
    let text = fails(4, &mut at_home(&world, &["profile", "use", "wrk"]));
    assert!(text.contains("did you mean work?"), "{text}");
    fails(2, &mut add(&world, "../x", &[]));

    ok(&mut at_home(&world, &["profile", "remove", "work"]));
    assert_eq!(tokens(&world).len(), 1);
    assert_eq!(world.calls("azire.delete-token"), 1);
    assert!(!read(&world).contains("default"), "{}", read(&world));
    let report = error(4, &mut at_home(&world, &["--profile", "work", "account", "show"]));
    assert_eq!(report["kind"], "not-found");
}

#[test]
fn a_profile_whose_token_is_only_in_the_environment_says_so() {
    let world = World::new();
    let ran = add(&world, "home", &[]).env("ANYVPN_AZIRE_TOKEN", &world.token).output().unwrap();
    let note = stderr(&ran);
    assert!(ran.status.success(), "{note}");
    assert!(note.contains("not stored. It comes from ANYVPN_AZIRE_TOKEN, which must"), "{note}");
    fails(3, &mut at_home(&world, &["account", "show"]));
    let stored =
        add(&world, "work", &["--username", LOGIN]).env("ANYVPN_PASSWORD", PASSWORD).output();
    assert!(!stderr(&stored.unwrap()).contains("not stored"));
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_profile() {
    let world = World::new();
    let token = world.file("token", &format!("{}\nnotes\n", world.token));
    ok(&mut add(&world, "home", &["--token-file", &token]));
    let show = ["account", "show"];
    assert_eq!(json(&mut at_home(&world, &show))["login"], LOGIN);
    // The token in the environment overrides the profile's.
    fails(3, at_home(&world, &show).env("ANYVPN_AZIRE_TOKEN", "wrong"));
    // So does the address, and the profile's secret is not sent there.
    let elsewhere = format!("{}/x", world.sandbox.azire_url());
    let before = world.sandbox.received().len();
    fails(3, at_home(&world, &show).env("ANYVPN_AZIRE_URL", &elsewhere));
    fails(3, &mut at_home(&world, &["--url", &elsewhere, "account", "show"]));
    fails(3, &mut at_home(&world, &["--profile", "home", "--url", &elsewhere, "account", "show"]));
    assert_eq!(world.sandbox.received().len(), before);
    // The profile's own address in an option uses the profile's secret.
    json(&mut at_home(&world, &["--url", &world.sandbox.azire_url(), "account", "show"]));
    // An option overrides the environment.
    let mut both = at_home(&world, &["--url", &world.sandbox.azire_url(), "account", "show"]);
    json(both.env("ANYVPN_AZIRE_URL", &elsewhere));

    // The environment chooses the provider before the default profile does.
    let vpnscript = json(
        at_home(&world, &show)
            .env("ANYVPN_VPNSCRIPT_URL", world.sandbox.vpnscript_url())
            .env("ANYVPN_VPNSCRIPT_TOKEN", &world.vpnscript_token),
    );
    assert_eq!(vpnscript["provider"], "vpnscript");
    // A named profile is never ignored.
    let other = ["--profile", "home", "--provider", "vpnscript", "account", "show"];
    let text = fails(2, &mut at_home(&world, &other));
    assert!(text.contains("profile home is for AzireVPN"), "{text}");
    let mut both = at_home(&world, &show);
    fails(2, both.env("ANYVPN_PROFILE", "home").env("ANYVPN_PROVIDER", "vpnscript"));
}

#[test]
fn comments_and_what_a_person_wrote_survive() {
    let world = World::new();
    let url = world.sandbox.azire_url();
    let before = format!(
        "# My providers.\n\ndefault = \"home\" # for now\n\n# At home.\n[profiles.home]\n\
         provider  =  'azire' # odd blanks\nurl = '{url}'\n"
    );
    write(&world, &before);
    set_mode(&config(&world), 0o600);
    ok(&mut add(&world, "work", &["--no-check"]));
    let after = read(&world);
    assert_eq!(
        after,
        format!("{before}\n[profiles.work]\nprovider = \"azire\"\nurl = \"{url}\"\n")
    );
    ok(&mut at_home(&world, &["profile", "use", "work"]));
    assert_eq!(read(&world), after.replace("\"home\" # for now", "\"work\" # for now"));
    ok(&mut at_home(&world, &["profile", "use", "home"]));
    ok(&mut at_home(&world, &["profile", "remove", "work"]));
    assert_eq!(read(&world), before);
    ok(&mut add(&world, "work", &["--no-check"]));
    ok(&mut at_home(&world, &["profile", "remove", "home"]));
    let left = read(&world);
    assert!(left.starts_with("# My providers.\n"), "{left}");
    assert!(!left.contains("home"), "{left}");

    // A symbolic link stays a link.
    #[cfg(unix)]
    {
        let kept = world.path("dotfiles.toml");
        fs::rename(config(&world), &kept).unwrap();
        std::os::unix::fs::symlink(&kept, config(&world)).unwrap();
        ok(&mut add(&world, "again", &["--no-check"]));
        assert!(config(&world).is_symlink());
        assert!(fs::read_to_string(&kept).unwrap().contains("[profiles.again]"));
    }
}

#[test]
fn a_profile_that_fails_the_test_is_not_stored() {
    let world = World::new();
    let wrong = world.file("wrong", "wrong-canary");
    let text = fails(3, &mut add(&world, "home", &["--token-file", &wrong]));
    assert!(text.contains("nothing was stored"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    let mut signs_in = add(&world, "home", &["--username", LOGIN]);
    fails(3, signs_in.env("ANYVPN_PASSWORD", "wrong-canary"));
    // A token that could not be used is revoked.
    world.sandbox.inject(FaultRule::once("azire.get-user", Fault::Html(200))).unwrap();
    let mut signs_in = add(&world, "home", &["--username", LOGIN]);
    fails(8, signs_in.env("ANYVPN_PASSWORD", PASSWORD));
    assert_eq!(world.calls("azire.delete-token"), 1);
    fails(
        7,
        &mut at_home(
            &world,
            &["profile", "add", "home", "--provider", "azire", "--url", "http://127.0.0.1:1"],
        ),
    );
    fails(
        2,
        &mut at_home(
            &world,
            &["profile", "add", "home", "--provider", "azire", "--url", "http://vpn.example.com"],
        ),
    );
    assert!(!config(&world).exists());
    assert!(tokens(&world).is_empty());

    let text = fails(2, &mut at_home(&world, &["profile", "add", "home"]));
    assert!(text.contains("--provider"), "{text}");
    let text = fails(2, &mut add(&world, "home", &["--password-file", &wrong]));
    assert!(text.contains("--username"), "{text}");
    let vpnscript = ["profile", "add", "home", "--provider", "vpnscript"];
    let text = fails(2, &mut at_home(&world, &vpnscript));
    assert!(text.contains("--url"), "{text}");

    // With --no-check the profile is stored, and errors name it.
    let added = json(&mut add(&world, "home", &["--token-file", &wrong, "--no-check"]));
    assert_eq!(added["checked"], Value::Null);
    let text = fails(3, &mut at_home(&world, &["account", "show"]));
    assert!(text.contains("correct profile home: token_file /"), "{text}");
    ok(&mut add(&world, "later", &[]));
    let text = fails(3, &mut at_home(&world, &["--profile", "later", "account", "show"]));
    assert!(text.contains("hint: anyvpn login --profile later"), "{text}");
    assert!(!read(&world).contains("canary"));
    let text = fails(2, &mut at_home(&world, &["login", "--username", LOGIN]));
    assert!(text.contains("already has a token_file"), "{text}");
}

#[test]
fn vpngn_keys_come_from_files_and_are_tested_with_a_fictitious_customer() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    let key = world.file("key", &vpngn.api_key());
    let secret = world.file("secret", &vpngn.secret_key());
    let url = world.sandbox.vpngn_url();
    let mut shop = at_home(&world, &["profile", "add", "shop", "--provider", "vpngn", "--url"]);
    shop.args([&url, "--api-key-file", &key, "--secret-key-file", &secret]);
    assert_eq!(json(&mut shop)["checked"], "customer find");
    vpngn.add_customer("jo@mail.example", PASSWORD, Some(12));
    let list = ["customer", "find", "jo@mail.example"];
    ok(&mut at_home(&world, &list));
    let wrong = world.file("wrong", "wrong");
    let mut shop = at_home(&world, &["profile", "add", "other", "--provider", "vpngn", "--url"]);
    shop.args([&url, "--api-key-file", &wrong, "--secret-key-file", &secret]);
    fails(3, &mut shop);
    let text = fails(2, &mut add(&world, "odd", &["--api-key-file", &key]));
    assert!(text.contains("a profile for AzireVPN has no api key"), "{text}");
}

#[cfg(unix)]
#[test]
fn secret_files_must_be_private_and_commands_get_no_secrets() {
    let world = World::new();
    let token = world.file("token", &world.token);
    set_mode(Path::new(&token), 0o644);
    let text = fails(1, &mut add(&world, "home", &["--token-file", &token]));
    assert!(text.contains(&format!("chmod 600 {token}")), "{text}");
    let folder = world.folder.path().to_str().unwrap();
    assert!(fails(1, &mut add(&world, "home", &["--token-file", folder])).contains("regular file"));
    assert!(!config(&world).exists());

    let seen = world.path("seen");
    let script = world.file(
        "vault",
        &format!(
            "#!/bin/sh\nenv > {}\necho \"$@\" >> {0}\necho a hint >&2\n[ \"$1\" = fail ] && exit 3\n\
             echo '{}'\necho more\n",
            seen.display(),
            world.token
        ),
    );
    set_mode(Path::new(&script), 0o700);
    let path = std::env::var("PATH").unwrap_or_default();
    let mut home = add(&world, "home", &["--token-command", &format!("{script} show $HOME;x")]);
    json(home.env("PATH", &path));
    let mut show = at_home(&world, &["account", "show"]);
    let ran = show.env("PATH", &path).env("ANYVPN_PASSWORD", "secret-canary").output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(ran.stderr, b"a hint\n");
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("show $HOME;x") && !seen.contains("canary"), "{seen}");
    assert!(!seen.contains(&world.token), "{seen}");

    for (command, said) in [
        (
            format!("{script} fail"),
            "vault, the token_command of profile bad, failed with exit code 3",
        ),
        ("/no/such/program".to_owned(), "no such file"),
        ("/bin/true".to_owned(), "is empty"),
    ] {
        let mut bad = add(&world, "bad", &["--token-command", &command]);
        let ran = bad.env("PATH", &path).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        let text = String::from_utf8(ran.stderr).unwrap();
        assert!(text.contains(said), "{text}");
    }
    assert!(!read(&world).contains("bad"));
}

#[test]
fn a_file_that_cannot_be_is_refused_with_its_line() {
    let world = World::new();
    let list = ["profile", "list"];
    write(&world, "[profiles.home]\nprovider = 'azire'\ntokn_file = 'x'\n");
    set_mode(&config(&world), 0o600);
    for arguments in [&list[..], &["account", "show"], &["profile", "use", "home"]] {
        let text = fails(2, &mut at_home(&world, arguments));
        assert!(text.contains("config.toml, line 3: ") && text.contains("mean token_file?"));
    }
    write(&world, "[profiles.home]\nprovider = 'azire'\ntoken = 'canary'\n");
    let text = fails(2, &mut at_home(&world, &list));
    assert!(!text.contains("canary") && text.contains("token_command"), "{text}");
    write(&world, "a = \"\\u001b[2J\u{1b}\n");
    let text = fails(2, &mut at_home(&world, &list));
    assert!(!text.contains('\u{1b}'), "{text}");
    // Commands that need no profile do not read the file.
    ok(&mut at_home(&world, &["capabilities"]));

    write(&world, "");
    #[cfg(unix)]
    {
        set_mode(&config(&world), 0o666);
        let text = fails(1, &mut at_home(&world, &list));
        assert!(text.contains("chmod go-w"), "{text}");
    }
    fs::remove_file(config(&world)).unwrap();
    fs::create_dir(config(&world)).unwrap();
    assert!(fails(1, &mut at_home(&world, &list)).contains("not a regular file"));
    fs::remove_dir(config(&world)).unwrap();
    fs::write(config(&world), [0xff, 0xfe]).unwrap();
    assert!(fails(1, &mut at_home(&world, &list)).contains("UTF-8"));
    fs::write(config(&world), "#".repeat((1 << 20) + 1)).unwrap();
    assert!(fails(1, &mut at_home(&world, &list)).contains("larger than 1 MiB"));
}

#[test]
fn a_missing_home_folder_is_reported() {
    for arguments in [&["profile", "list"][..], &["--profile", "x", "account", "show"]] {
        let text = fails(1, &mut command(arguments));
        assert!(text.contains("no home folder") && text.contains("XDG_CONFIG_HOME"), "{text}");
    }
    let world = World::new();
    let nowhere = world.file("no-folder", "");
    let mut add = add(&world, "home", &["--no-check"]);
    let text = fails(1, add.env("XDG_CONFIG_HOME", nowhere));
    assert!(text.contains("cannot write"), "{text}");
}

/// A file of an earlier release keeps working, and so do the variables.
#[test]
fn todays_profiles_and_variables_are_read() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer("jo@mail.example", PASSWORD, Some(12));
    let (azire, vpnscript) = (world.sandbox.azire_url(), world.sandbox.vpnscript_url());
    let url = world.sandbox.vpngn_url();
    let [token, key, secret] = [
        ("token", &*world.vpnscript_token),
        ("key", &vpngn.api_key()),
        ("secret", &vpngn.secret_key()),
    ]
    .map(|(name, content)| world.file(name, content));
    write(
        &world,
        &format!(
            "default = 'home'\n[profiles.home]\nprovider = 'azire'\nurl = '{azire}'\n\
             token_command = ['echo', '{}']\nstore = 'file'\n\
             [profiles.work]\nprovider = 'vpnscript'\nurl = '{vpnscript}'\ntoken_file = '{token}'\n\
             [profiles.shop]\nprovider = 'vpngn'\nurl = '{url}'\napi_key_file = '{key}'\n\
             secret_key_command = ['cat', '{secret}']\n\
             [profiles.brand]\nprovider = 'vpngn'\nbrand = 'acme'\napi_key_command = ['true']\n\
             secret_key_file = '{secret}'\nstore = 'keyring'\n",
            world.token
        ),
    );
    for (profile, provider) in [("home", "azire"), ("work", "vpnscript")] {
        let shown = json(&mut at_home(&world, &["--profile", profile, "account", "show"]));
        assert_eq!(shown["provider"], provider);
    }
    let find = ["--profile", "shop", "customer", "find", "jo@mail.example"];
    assert_eq!(json(&mut at_home(&world, &find))["plan"], "12");
    let brand = json(&mut at_home(&world, &["profile", "show", "brand"]));
    assert_eq!(brand["address"], "brand acme");

    let mut customer = at_home(&world, &["--provider", "vpngn", "account", "show"]);
    customer
        .env("ANYVPN_VPNGN_URL", &url)
        .env("ANYVPN_VPNGN_API_KEY", vpngn.api_key())
        .env("ANYVPN_VPNGN_PASSWORD", PASSWORD)
        .env("ANYVPN_VPNGN_CUSTOMER", "jo@mail.example");
    assert_eq!(json(&mut customer)["login"], "jo@mail.example");
}

/// It names the programs that are run.
#[cfg(unix)]
#[test]
fn a_file_of_profiles_that_another_user_could_write_is_not_obeyed() {
    let world = World::new();
    let ran = world.path("ran");
    write(
        &world,
        &format!(
            "default = 'home'\n[profiles.home]\nprovider = 'azire'\nurl = '{}'\n\
             token_command = ['touch', '{}']\n",
            world.sandbox.azire_url(),
            ran.display()
        ),
    );
    let config = config(&world);
    set_mode(&config, 0o600);
    let refused = |said: &str| {
        for command in [&["account", "show"][..], &["profile", "list"], &["profile", "use", "home"]]
        {
            let text = fails(1, &mut at_home(&world, command));
            assert!(text.contains(said), "{text}");
        }
        assert!(!ran.exists());
    };
    let folders = [config.parent().unwrap().to_owned(), world.path(".config"), world.path("")];
    for folder in &folders {
        let folder = folder.to_str().unwrap().trim_end_matches('/');
        let before = mode(Path::new(folder));
        set_mode(Path::new(folder), 0o777);
        refused(&format!("its folder {folder} can be written to by other users"));
        refused(&format!("hint: chmod go-w {folder}"));
        set_mode(Path::new(folder), before);
    }
    ok(&mut at_home(&world, &["profile", "list"]));
    // Only root can give files away.
    if std::os::unix::fs::chown(&config, Some(12_345), None).is_ok() {
        refused("it belongs to another user");
        refused(&format!("hint: chown 0 {}", config.display()));
        std::os::unix::fs::chown(&config, Some(0), None).unwrap();
        let token = world.file("token", &world.token);
        std::os::unix::fs::chown(&token, Some(12_345), None).unwrap();
        let text = fails(1, &mut add(&world, "work", &["--token-file", &token]));
        assert!(text.contains("it belongs to another user"), "{text}");
    }
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let world = World::new();
    write(
        &world,
        "[profiles.home]\nprovider = 'azire'\nurl = 'https://jo:hunter2@vpn.example/?t=hunter2'\n",
    );
    #[cfg(unix)]
    set_mode(&config(&world), 0o600);
    for command in [
        &["profile", "list"][..],
        &["profile", "show", "home"],
        &["--profile", "home", "account", "show"],
        &["--profile", "home", "server", "list"],
        &["--profile", "home", "login", "--username", "jo"],
    ] {
        for more in [&[][..], &["--json"], &["-vv"]] {
            let mut command = at_home(&world, command);
            let ran = command.args(more).env("ANYVPN_PASSWORD", PASSWORD).output().unwrap();
            let text = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
    let list = ok(&mut at_home(&world, &["profile", "list"]));
    assert!(list.contains("[redacted]@vpn.example"), "{list}");
}
