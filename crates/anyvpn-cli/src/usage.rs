//! Prints what the argument parser returns instead of a command: an error, help or the version.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use anyvpn::Registry;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::command;
use crate::commands::call;
use crate::failure::Failure;
use crate::output::{self, Output, marked};
use crate::style::is_colored;
use crate::text::plain;

/// A length that no command's name exceeds.
const LONGEST_COMMAND: usize = 16;

/// Whether the only argument asks for the version. Programs do this often, and we answer without defining
/// all commands, which would take most of the time.
pub fn is_version_wanted(arguments: &[OsString]) -> bool {
    matches!(arguments, [_, only] if only == "--version" || only == "-V")
}

/// Prints the version, as clap does.
pub fn print_version() -> ExitCode {
    answer(concat!("anyvpn ", env!("CARGO_PKG_VERSION"), "\n"), &Output::default())
}

fn answer(text: &str, output: &Output) -> ExitCode {
    match output::print(&[text.as_bytes()]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failure(&failure),
    }
}

/// Prints the error of the parser, or the help or version that was requested. Returns the exit code.
pub fn print(registry: &Registry, arguments: &[OsString], error: &clap::Error) -> ExitCode {
    let help = error.render();
    let text = help.to_string();
    let shown = |colored: bool| match colored {
        true => help.ansi().to_string(),
        false => text.clone(),
    };
    let output = Output { json: is_json_wanted(arguments), ..Output::default() };
    if error.kind() == ErrorKind::DisplayHelp
        && let Some(help) = call::help(registry, arguments)
    {
        return answer(&help, &output);
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            return answer(&shown(is_colored(&io::stdout())), &output);
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !output.json => {
            output::complain(shown(is_colored(&io::stderr())).trim_end());
            return ExitCode::from(2);
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let failure = Failure::usage("no command is given").hint("see anyvpn --help");
            return output.failure(&failure);
        }
        _ => {}
    }
    let mut lines = short(&without_strays(error, &text));
    if let Some(tip) = others(registry, arguments, error) {
        lines.insert(1.min(lines.len()), tip);
    }
    if output.json {
        let (what, hints) = lines.split_first().map_or(("", &[][..]), |(a, b)| (a, b));
        let what = what.strip_prefix("error: ").unwrap_or(what);
        let hints: Vec<_> = hints.iter().map(|hint| hint.trim()).collect();
        return output.failure(&Failure::usage(what).hint(hints.join("; ")));
    }
    lines.iter().for_each(|line| output::complain(&marked(line)));
    ExitCode::from(2)
}

/// Removes an unexpected word from the parser's message, because it may be a secret.
fn without_strays(error: &clap::Error, text: &str) -> String {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::TooManyValues => ContextKind::InvalidValue,
        _ => return text.to_owned(),
    };
    let Some(ContextValue::String(word)) = error.get(kind) else { return text.to_owned() };
    // A word that looks like a command or an option is probably a typing error.
    let is_plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_repeated = match kind {
        ContextKind::InvalidSubcommand => word.len() <= LONGEST_COMMAND && is_plain(word),
        _ => word.starts_with('-') && is_plain(word),
    };
    if is_repeated {
        return text.to_owned();
    }
    let hidden = "(not shown: it may be a secret)";
    text.replace(&format!("'{word}' found"), &format!("found {hidden}"))
        .replace(&format!("'{word}'"), hidden)
        .replace(&format!("'-- {word}'"), "'--'")
}

/// Lists the subcommands after an unknown one, if the parser has no suggestion.
fn others(registry: &Registry, arguments: &[OsString], error: &clap::Error) -> Option<String> {
    let is_suggested = error.get(ContextKind::SuggestedSubcommand).is_some();
    if error.kind() != ErrorKind::InvalidSubcommand || is_suggested {
        return None;
    }
    let all = command(registry);
    let mut command = &all;
    for word in arguments.iter().skip(1) {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    // `anyvpn` itself has too many commands for a line.
    (names.len() < 10).then(|| format!("  tip: the commands are {}", names.join(", ")))
}

/// Whether the arguments contain `--json`. This works for arguments that do not parse.
pub fn is_json_wanted(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .skip(1)
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "--json")
}

/// Shortens clap's message to at most four lines: without blank lines, and with lists on a single line.
fn short(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let continues = line.starts_with(' ') && !line.trim_start().starts_with("tip:");
        match lines.last_mut() {
            Some(last) if continues => {
                last.push(' ');
                last.push_str(&plain(line.trim()));
            }
            _ => lines.push(plain(line)),
        }
    }
    lines.truncate(4);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_of_the_parser_are_shortened_to_four_lines() {
        let text = "error: these are missing:\n  <A>\n  <B>\n\n  tip: one\n\nUsage: x <A>\n       \
                    x <B>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            short(text),
            [
                "error: these are missing: <A> <B>",
                "  tip: one",
                "Usage: x <A> x <B>",
                "For more information, try '--help'."
            ]
        );
    }
}
