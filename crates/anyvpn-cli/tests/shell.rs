//! What the shell gets: help, completions, manual pages. None needs a network, a home or a profile.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::collections::BTreeSet;
use std::process::Command;

use common::{command, error, fails, ok};

/// The commands under a command, from its help.
fn below(words: &[&str]) -> Vec<String> {
    let help = ok(command(words).arg("--help"));
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    // What is deeper belongs to the line before.
    let list = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = list.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_help_fits_one_screen_and_shows_examples() {
    let help = ok(&mut command(&["-h"]));
    let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    assert!(examples.count() >= 3, "{help}");
    for form in ["-h", "--help"] {
        let lines = ok(&mut command(&[form])).lines().count();
        assert!(lines < 40, "{form}: {lines} lines");
    }
    let text = fails(2, &mut command(&["profil"]));
    assert!(text.contains("profile"), "{text}");
}

#[test]
fn the_shells_that_have_completions_are_these() {
    let text = fails(2, &mut command(&["completions", "tcsh"]));
    assert!(text.contains("[possible values: bash, zsh, fish, powershell]"), "{text}");
    for (shell, begins, names) in [
        ("bash", "_anyvpn()", "rotate"),
        ("zsh", "#compdef anyvpn", "rotate"),
        ("fish", "# Print an optspec", "rotate"),
        ("powershell", "\nusing namespace System.Management.Automation", "rotate"),
    ] {
        let ran = command(&["completions", shell]).output().unwrap();
        assert!(ran.status.success() && ran.stderr.is_empty());
        let script = String::from_utf8(ran.stdout).unwrap();
        assert!(script.starts_with(begins), "{shell}: {}", &script[..80]);
        assert!(script.contains(names) && script.contains("ANYVPN_PROFILE") || shell == "bash");
        assert!(script.contains("--output-dir") || script.contains("output-dir"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_and_options_as_it_runs_them() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("anyvpn");
    std::fs::write(&script, ok_long(&["completions", "bash"])).unwrap();
    let complete = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let program = format!(
            "source {}; COMP_WORDS=({}); COMP_CWORD={}; _anyvpn anyvpn '{}' '{}'; \
             echo \"${{COMPREPLY[@]}}\"",
            script.display(),
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let ran = Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("anyvpn prof"), "profile");
    assert_eq!(complete("anyvpn profile re"), "remove");
    assert_eq!(complete("anyvpn --provi"), "--provider");
    assert_eq!(complete("anyvpn completions f"), "fish");
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

    let mut expected = BTreeSet::from(["anyvpn.1".to_owned()]);
    let mut left: Vec<Vec<String>> = below(&[]).into_iter().map(|name| vec![name]).collect();
    while let Some(words) = left.pop() {
        expected.insert(format!("anyvpn-{}.1", words.join("-")));
        let words: Vec<&str> = words.iter().map(|word| &**word).collect();
        for name in below(&words) {
            left.push([&words[..], &[&name]].concat().iter().map(|&it| it.to_owned()).collect());
        }
    }
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
