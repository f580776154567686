//! Plays the guide's first five minutes as `docs/start.md` says them, on a terminal of 80 × 24, and holds
//! what the screen shows against the pictures in `docs/start`. `cargo xtask start` writes them.
//!
//! Every block of kind `console` is typed: lines after `$ ` are commands, and lines after `> ` are answers,
//! the prompt before the last colon and the answer behind it. The picture that the page shows next is of
//! the screen after that block.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::terminal::{Terminal, svg};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// A block of the page: what is typed, and the file of the picture that follows it.
#[derive(Debug, PartialEq)]
struct Step<'a> {
    typed: Vec<Typed<'a>>,
    picture: Option<&'a str>,
}

#[derive(Debug, PartialEq)]
enum Typed<'a> {
    Command(&'a str),
    Answer { prompt: &'a str, answer: &'a str },
}

fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut block = None;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(kind) if block.is_none() => block = Some(kind),
            Some(_) => block = None,
            None => {}
        }
        if line == "```console" {
            steps.push(Step { typed: Vec::new(), picture: None });
        }
        let Some(step) = steps.last_mut() else { continue };
        if block.is_none() {
            let picture =
                line.strip_prefix("![").and_then(|it| it.split_once("](")?.1.strip_suffix(')'));
            step.picture = step.picture.or(picture);
        } else if block == Some("console") {
            let answer = line.strip_prefix("> ").map(|it| {
                let (prompt, answer) = it.split_once(": ").unwrap_or((it, ""));
                Typed::Answer { prompt, answer }
            });
            step.typed.extend(line.strip_prefix("$ ").map(Typed::Command).or(answer));
        }
    }
    steps
}

/// A shell on a terminal. Its prompt contains, invisibly, the number of commands so far and the
/// exit code of the last one.
struct Shell {
    terminal: Terminal,
    commands: usize,
}

impl Shell {
    fn open(home: &Path) -> Self {
        let programs = Path::new(env!("CARGO_BIN_EXE_anyvpn")).parent().unwrap();
        let mut bash = Command::new("bash");
        bash.args(["--norc", "--noprofile", "-i"]).current_dir(home).env_clear().envs([
            ("HOME", home.to_str().unwrap()),
            ("PATH", &format!("{}:/usr/bin:/bin", programs.display())),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
            ("TZ", "UTC"),
            ("HISTFILE", ""),
            ("PS1", r"\[\e]0;\# $?\a\]$ "),
        ]);
        let mut shell = Self { terminal: Terminal::run(bash), commands: 1 };
        shell.wait_for_prompt();
        shell
    }

    fn enter(&self, line: &str) {
        self.terminal.press(&format!("{line}\r"));
    }

    fn run(&mut self, command: &str) {
        self.wait_for_prompt();
        self.enter(command);
        self.commands += 1;
    }

    /// Waits until the last command has ended, and checks that it succeeded.
    fn wait_for_prompt(&mut self) {
        self.terminal.wait_for_written(&format!("\u{1b}]0;{} 0\u{7}", self.commands));
    }
}

/// Returns the file and the text of each picture.
fn play(page: &str) -> Vec<(String, String)> {
    let home = tempfile::tempdir().unwrap();
    let mut shell = Shell::open(home.path());
    let mut servers = Vec::new();
    let mut pictures = Vec::new();
    for Step { typed, picture } in steps(page) {
        // Ctrl-L clears the screen.
        shell.terminal.press("\u{c}");
        let mut serves = false;
        for typed in typed {
            match typed {
                // It runs until Ctrl-C. The next commands are typed in another terminal.
                Typed::Command(command) if command.starts_with("anyvpn sandbox") => {
                    shell.enter(command);
                    shell.terminal.wait_for("ANYVPN_PROVIDER=");
                    serves = true;
                }
                Typed::Command(command) => shell.run(command),
                Typed::Answer { prompt, answer } => {
                    shell.terminal.wait_for(prompt);
                    shell.enter(answer);
                }
            }
        }
        if !serves {
            shell.wait_for_prompt();
        }
        if let Some(picture) = picture {
            pictures.push((picture.to_owned(), svg(&shell.terminal.styled())));
        }
        if serves {
            servers.push(std::mem::replace(&mut shell, Shell::open(home.path())));
        }
    }
    for shell in servers {
        shell.terminal.press("\u{3}");
        shell.enter("exit");
        shell.terminal.end();
    }
    shell.enter("exit");
    shell.terminal.end();
    pictures
}

#[test]
#[ignore = "it listens on a port that the guide names: cargo xtask start --check"]
fn the_guide_shows_what_the_screen_shows() {
    let page = fs::read_to_string(format!("{DOCS}/start.md")).unwrap();
    // Times and keys differ each time.
    let stable = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    for (file, svg) in play(&page) {
        let path = format!("{DOCS}/{file}");
        if std::env::var_os(anyvpn_testkit::document::WRITE).is_some() {
            fs::write(path, svg).unwrap();
            continue;
        }
        let old = fs::read_to_string(path).unwrap_or_default();
        let hint = "run `cargo xtask start`, and look at the pictures";
        assert!(
            stable(&svg) == stable(&old),
            "docs/{file} is not what the screen shows; {hint}:\n{svg}"
        );
    }
}

#[test]
fn steps_are_read_from_the_page() {
    let page = "```console,ignore\n$ no\n```\n```console\n$ a b\n> Name: jo\n> Which one\nout\n```\n\
                Text.\n\n![It](x/1.svg)\n```console\n$ c\n```\n```sh\n$ no\n```\n";
    let step = |typed, picture| Step { typed, picture };
    assert_eq!(
        steps(page),
        [
            step(
                vec![
                    Typed::Command("a b"),
                    Typed::Answer { prompt: "Name", answer: "jo" },
                    Typed::Answer { prompt: "Which one", answer: "" },
                ],
                Some("x/1.svg")
            ),
            step(vec![Typed::Command("c")], None),
        ]
    );
}

#[test]
fn a_picture_says_how_large_it_is() {
    let svg = svg("\u{1b}[32mgreen\u{1b}[0m\nplain");
    assert!(
        svg.starts_with("<svg viewBox=\"0 0 692 56\" width=\"692px\" height=\"56px\""),
        "{svg}"
    );
    assert!(svg.contains(">green</tspan>"), "{svg}");
}
