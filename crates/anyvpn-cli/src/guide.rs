//! Checks that the program accepts every command that the guide and the READMEs show.

use std::fs;
use std::path::{Path, PathBuf};

use anyvpn::Registry;
use clap::error::ErrorKind;

use crate::args::parse;

/// Lists the pages below a folder, in no particular order.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let files = files.into_iter().filter(is_page);
    files.chain(folders.iter().flat_map(|folder| pages(folder))).collect()
}

/// Returns the lines of a page that the reader types, including those inside scripts.
fn typed(page: &str) -> Vec<String> {
    let mut typed = Vec::new();
    let mut block = None;
    for line in page.lines() {
        match (block, line.trim_start().strip_prefix("```")) {
            (None, Some(kind)) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (Some("console"), None) => {
                let prompt = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "));
                typed.extend(prompt.map(str::to_owned));
            }
            (Some(_), None) => {
                let inner = line.split("$(").skip(1).filter_map(|rest| rest.split_once(')'));
                typed.extend(inner.map(|(typed, _)| typed.to_owned()));
            }
            (None, None) => {}
        }
    }
    typed
}

/// Returns the code in a page's sentences.
fn mentioned(page: &str) -> Vec<String> {
    let prose: Vec<_> = page.split("```").step_by(2).collect();
    prose.join(" ").split('`').skip(1).step_by(2).map(example).collect()
}

/// Replaces the placeholders of a command, which are in capitals, by valid values.
fn example(code: &str) -> String {
    let word = |word: &str| match word {
        "NUMBER" | "PORT" | "DAYS" => "7".to_owned(),
        name if name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase()) => {
            "azire".to_owned()
        }
        other => other.to_owned(),
    };
    code.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Returns the calls of this program in a line of shell.
fn calls(line: &str) -> Vec<Vec<String>> {
    let words = shlex::split(line).unwrap_or_else(|| panic!("no shell takes: {line}"));
    let commands = words.split(|word| matches!(word.as_str(), "|" | "&&" | ";" | ">" | "||"));
    let program = |command: &&[String]| command.first().is_some_and(|word| word == "anyvpn");
    commands.filter(program).map(<[String]>::to_vec).collect()
}

#[test]
fn every_command_in_the_guide_is_accepted() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let registry = Registry::builtin();
    let mut refused = Vec::new();
    let mut count = 0;
    let readmes = pages(&root.join("crates")).into_iter().chain([root.join("README.md")]);
    for page in pages(&root.join("docs")).into_iter().chain(readmes) {
        let text = fs::read_to_string(&page).unwrap();
        let lines = typed(&text).into_iter().map(|line| (line, false));
        for (line, part) in lines.chain(mentioned(&text).into_iter().map(|line| (line, true))) {
            // Lines with an ellipsis or with a command in capitals are not complete.
            if !line.contains("anyvpn ") || line.contains('…') || line.contains("anyvpn azire") {
                continue;
            }
            for call in calls(&line) {
                count += 1;
                let words: Vec<_> = call.iter().map(Into::into).collect();
                match parse(&registry, &words).map_err(|error| (error.kind(), error)) {
                    Ok(_) | Err((ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, _)) => {}
                    // A sentence may name a command without its arguments.
                    Err((ErrorKind::MissingRequiredArgument, _)) if part => {}
                    Err((_, error)) => refused.push(format!("{}: {line}\n{error}", page.display())),
                }
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(count > 60, "found only {count} calls in the guide");
}

#[test]
fn calls_are_found_in_code_blocks_and_sentences() {
    let page = "Type `anyvpn login\n--local` or `anyvpn config revoke ID`.\n```console\n\
                $ anyvpn x | anyvpn y > z # why\nanyvpn out\n```\n\
                ```sh\nlist=$(anyvpn --json port list)\n```\n";
    let found = |lines: Vec<String>| -> Vec<_> {
        lines.iter().flat_map(|line| calls(line)).map(|call| call.join(" ")).collect()
    };
    assert_eq!(found(typed(page)), ["anyvpn x", "anyvpn y", "anyvpn --json port list"]);
    assert_eq!(found(mentioned(page)), ["anyvpn login --local", "anyvpn config revoke azire"]);
}
