//! `cargo xtask start [--check]`: plays the guide's first five minutes as `docs/start.md` says them, in
//! tmux at 80 × 24, and keeps what the screen shows as pictures in `docs/start`.
//!
//! Every block of kind `console` is typed: lines after `$ ` are commands, and lines after `> ` are answers,
//! the prompt before the last colon and the answer behind it. The picture that the page shows next is of the screen
//! after that block.

mod terminal;

use std::fs;
use std::path::Path;

use anstyle_svg::{Term, WIN10_CONSOLE};

use self::terminal::Terminal;
use crate::cargo;

/// Plays the page, and writes its pictures.
///
/// # Errors
///
/// When a command fails, or waits for something that the page does not say; or without tmux.
pub fn write(root: &Path) -> Result<(), String> {
    for (file, svg) in play(root)? {
        let file = root.join("docs").join(file);
        fs::write(&file, svg).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}

/// Plays the page, and compares what the screen shows with the pictures. Digits may differ: times do.
///
/// # Errors
///
/// As [`write()`], and when a picture shows something else.
pub fn check(root: &Path) -> Result<(), String> {
    let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    for (file, svg) in play(root)? {
        let old = fs::read_to_string(root.join("docs").join(&file)).unwrap_or_default();
        if digits(&old) != digits(&svg) {
            let file = Path::new("docs").join(file);
            let difference = anyvpn_codegen::difference(&file, &old, &svg).unwrap_or_default();
            return Err(format!(
                "{difference}\nThe command does not look as the guide shows it: run `cargo xtask \
                 start`, and look at the pictures"
            ));
        }
    }
    Ok(())
}

/// A block of the page: what is typed, and the file of the picture that is shown after it.
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

/// The file and the text of each picture.
fn play(root: &Path) -> Result<Vec<(String, String)>, String> {
    cargo::run(&["build", "--quiet", "--release", "--locked", "--package", "anyvpn-cli"], &[])?;
    let page = root.join("docs/start.md");
    let page = fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    let terminal = Terminal::open(root)?;
    let mut pictures = Vec::new();
    for Step { typed, picture } in steps(&page) {
        terminal.clear()?;
        let mut serves = false;
        for typed in typed {
            match typed {
                // It runs until Ctrl-C; what comes next is typed elsewhere.
                Typed::Command(command) if command.starts_with("anyvpn sandbox") => {
                    terminal.type_line(command)?;
                    terminal.wait_for("ANYVPN_PROVIDER=")?;
                    serves = true;
                }
                Typed::Command(command) => terminal.run(command)?,
                Typed::Answer { prompt, answer } => {
                    terminal.wait_for(prompt)?;
                    terminal.type_line(answer)?;
                }
            }
        }
        if !serves {
            terminal.wait_for_prompt()?;
        }
        if let Some(picture) = picture {
            pictures.push((picture.to_owned(), svg(&terminal.screen()?)));
        }
        if serves {
            terminal.second()?;
        }
    }
    Ok(pictures)
}

/// The picture of a screen with its colours, as wide as 80 columns, that grows and shrinks with its page.
fn svg(screen: &str) -> String {
    let term = Term::new().palette(WIN10_CONSOLE).min_width_px(80 * 84 / 10);
    let svg = term.render_svg(screen);
    let size = |name: &str| Some(svg.split_once(&format!("{name}=\""))?.1.split_once("px\"")?.0);
    let (width, height) = (size("width").unwrap_or("0"), size("height").unwrap_or("0"));
    svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
