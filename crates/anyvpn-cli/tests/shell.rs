//! Help, completions and manual pages. None of them needs a network, a home folder or a profile.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::collections::BTreeSet;
use std::process::Command;

use common::{command, error, fails, ok};

/// Lists the subcommands of a command, from its help. The first help has several on a line.
fn below(words: &[&str]) -> Vec<String> {
    let help = ok(command(words).arg("--help"));
    let list = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let list = list.take_while(|line| !line.is_empty());
    // Lines with a deeper indentation belong to the line before.
    let list = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = list.flat_map(|line| line.trim().split("  ").next().unwrap().split(", "));
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Lists all commands, as they are typed.
fn all() -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut left: Vec<Vec<String>> = below(&[]).into_iter().map(|name| vec![name]).collect();
    while let Some(words) = left.pop() {
        let typed: Vec<&str> = words.iter().map(|word| &**word).collect();
        left.extend(below(&typed).into_iter().map(|name| [&words[..], &[name]].concat()));
        all.push(words);
    }
    all
}

#[test]
fn the_help_fits_one_screen_and_shows_three_examples() {
    let help = ok(&mut command(&["--help"]));
    assert_eq!(help, ok(&mut command(&["-h"])));
    assert_eq!(help, ok(&mut command(&["help"])));
    // With the prompt, the help fills a screen of 24 lines.
    assert!(help.lines().count() < 24, "{}:\n{help}", help.lines().count());
    let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    assert_eq!(examples.filter(|line| line.starts_with("  anyvpn ")).count(), 3, "{help}");

    // The help is written by hand, so check that no command and no option is missing.
    let page = String::from_utf8(ok_long(&["man"])).unwrap();
    let commands = page.lines().filter_map(|line| line.strip_prefix("anyvpn\\-"));
    let commands = commands.filter_map(|line| line.strip_suffix("(1)"));
    let commands: BTreeSet<_> = commands.filter(|name| *name != "help").collect();
    assert_eq!(commands, below(&[]).iter().map(|name| &**name).collect());
    // Options for providers' settings may be represented by the ellipsis.
    let settings = anyvpn::Registry::builtin();
    let settings: BTreeSet<_> = settings
        .infos()
        .flat_map(|info| info.settings)
        .map(|setting| setting.key.replace('_', "-"))
        .collect();
    for (option, _) in page.split("\\fB\\-\\-").skip(1).filter_map(|it| it.split_once("\\fR")) {
        let option = option.replace('\\', "");
        let shown = help.contains(&format!("--{option}")) || settings.contains(&option);
        assert!(shown, "{option} {help}");
    }
}

#[test]
fn the_help_of_each_group_fits_one_screen_and_shows_what_to_type_first() {
    for group in ["account", "config", "customer", "fleet", "port", "profile", "server"] {
        let help = ok(&mut command(&[group, "--help"]));
        assert_eq!(help, ok(&mut command(&[group, "-h"])));
        assert!(help.lines().count() < 24, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let mut examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
        assert!(examples.next().is_some_and(|line| line.starts_with("  anyvpn ")), "{help}");
    }
}

#[test]
fn every_help_fits_80_columns_without_breaking_examples() {
    for words in all() {
        let help = ok(command(&[]).args(&words).arg("--help"));
        assert!(help.contains("\nUsage: anyvpn "), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{words:?}: {help}");
        let global = help.lines().filter(|line| line.starts_with("Global options: "));
        assert_eq!(global.count(), usize::from(!words.is_empty()), "{words:?}: {help}");
        let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
        let mut continues = false;
        for line in examples {
            assert!(line.starts_with("  "), "{words:?}: {line}");
            let tells =
                ["anyvpn ", "| anyvpn", "& anyvpn", ". ./"].iter().any(|it| line.contains(it));
            assert!(tells || continues, "{words:?}: {line}");
            continues = line.ends_with('\\');
        }
    }
}

#[test]
fn misspelled_words_are_answered_with_a_suggestion() {
    for (typed, meant) in [
        (&["profil"][..], "'profile'"),
        (&["config", "rotat", "1"], "'rotate'"),
        (&["config", "gte", "se-sto"], "the commands are get, list, revoke, rotate"),
        (&["port", "create", "--day", "7"], "'--days'"),
        (&["server", "list", "--contry", "se"], "'--country'"),
        (&["--provider", "azir", "account", "show"], "'azire'"),
        (&["server", "list", "--protocol", "wiregard"], "'wireguard'"),
        (&["call", "vpnscrip"], "'vpnscript'"),
        (&["call", "azire", "creat-user"], "did you mean create-user?"),
        (&["completions", "fsh"], "'fish'"),
    ] {
        let text = fails(2, &mut command(typed));
        assert!(text.contains(meant), "{typed:?}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn commands_without_network_start_no_runtime() {
    let home = tempfile::tempdir().unwrap();
    // A runtime needs more file descriptors.
    let run = |arguments: &str| {
        let script = format!("ulimit -n 4; exec '{}' {arguments}", env!("CARGO_BIN_EXE_anyvpn"));
        Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .env("HOME", home.path())
            .env("ANYVPN_AZIRE_URL", "http://127.0.0.1:1")
            .output()
            .unwrap()
    };
    for arguments in [
        "--version",
        "--help",
        "profile list",
        "capabilities",
        "call azire",
        "man",
        "completions zsh",
    ] {
        let ran = run(arguments);
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{arguments}: {stderr}");
    }
    let ran = run("server list");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(stderr.contains("cannot start the runtime"), "{stderr}");
}

#[test]
fn completions_exist_for_four_shells() {
    let text = fails(2, &mut command(&["completions", "tcsh"]));
    assert!(text.contains("[possible values: bash, zsh, fish, powershell]"), "{text}");
    // The scripts contain no part of the command, so they do not become outdated.
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = String::from_utf8(ok_long(&["completions", shell])).unwrap();
        assert!(script.contains("anyvpn complete") && !script.contains("config"), "{shell}");
    }
}

/// A script's lines may be long.
fn ok_long(arguments: &[&str]) -> Vec<u8> {
    let ran = command(arguments).output().unwrap();
    assert!(ran.status.success());
    ran.stdout
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new/man1");
    let mut man = command(&["man", "--json", "--output-dir"]);
    let written: serde_json::Value = serde_json::from_str(&ok(man.arg(&place))).unwrap();
    let found: BTreeSet<String> = std::fs::read_dir(&place)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(written["pages"].as_array().unwrap().len(), found.len());

    let pages = all().into_iter().map(|words| format!("anyvpn-{}.1", words.join("-")));
    let expected: BTreeSet<String> = pages.chain(["anyvpn.1".to_owned()]).collect();
    assert_eq!(found, expected);
    assert!(found.contains("anyvpn-config-get.1") && found.len() > 30, "{found:?}");
    for name in &found {
        let page = std::fs::read_to_string(place.join(name)).unwrap();
        let title = name.strip_suffix(".1").unwrap();
        assert!(page.contains(&format!(".TH {title} 1")), "{name}: {page}");
    }
    let printed = ok_long(&["man"]);
    let kept = std::fs::read(place.join("anyvpn.1")).unwrap();
    assert_eq!(printed.trim_ascii_end(), kept.trim_ascii_end());

    let report = error(1, &mut command(&["man", "--output-dir", "/dev/null/x"]));
    assert_eq!(report["kind"], "other");
}
