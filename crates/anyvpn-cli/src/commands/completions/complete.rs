//! `anyvpn complete`: answers the shells' completion scripts.
//!
//! The words up to the cursor arrive on stdin, one a line, and the last one may be empty. We do not use
//! arguments, because other users can read those and a word may be a secret. Each possible word is
//! printed as a line, followed by a tab and a description. `:files` asks the script to complete file
//! names. Completion never asks a question, signs in, runs a program or prints an error.

use std::ffi::OsStr;
use std::io::Read as _;
use std::net::IpAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyvpn::{FieldInfo, FieldKind, ObtainedConfig, Provider, Registry, Server};
use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate, complete};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::runtime::Builder;

use crate::context::{Context, Global};
use crate::failure::{Failure, Meaning};
use crate::file::stdin;
use crate::output::print;
use crate::profiles::{ConfigFile, name};
use crate::provider_settings;
use crate::text::plain;

/// How long a completion may take. A user at a prompt does not wait longer.
const TIME_LIMIT: Duration = Duration::from_secs(2);
/// The maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 1000;
const FILES: &str = ":files";

pub fn run(registry: &Registry, all: Command) -> Result<(), Failure> {
    std::panic::set_hook(Box::new(|_| {}));
    let (sender, answer) = mpsc::channel();
    // If the thread hangs, it ends with the process.
    let registry = registry.clone();
    thread::spawn(move || sender.send(Line::read(&registry).and_then(|line| line.complete(all))));
    match answer.recv_timeout(TIME_LIMIT) {
        Ok(Some(lines)) if !lines.is_empty() => print(&[lines.join("\n").as_bytes(), b"\n"]),
        _ => Ok(()),
    }
}

/// The part of the command line before the cursor.
#[derive(Clone, Debug)]
struct Line {
    registry: Registry,
    /// The options that choose the provider.
    global: Global,
    /// The words without those options.
    words: Vec<String>,
}

impl Line {
    fn read(registry: &Registry) -> Option<Self> {
        let mut text = String::new();
        stdin().ok()?.take(1 << 16).read_to_string(&mut text).ok()?;
        Some(Self::of(registry, text.strip_suffix('\n')?))
    }

    fn of(registry: &Registry, text: &str) -> Self {
        let mut all: Vec<String> = text.split('\n').map(str::to_owned).collect();
        // The word to complete. It may be the value of the option before it.
        let last = all.pop().unwrap_or_default();
        let (registry, global) = (registry.clone(), Global::default());
        let mut line = Self { registry, global, words: Vec::new() };
        let mut left = all.into_iter();
        while let Some(word) = left.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value.to_owned())),
                None => (&*word, None),
            };
            let setting = line.registry.infos().flat_map(|info| info.settings);
            let setting = setting
                .filter(|setting| !setting.secret)
                .find(|setting| provider_settings::option(setting) == option);
            if setting.is_none() && option != "--profile" && option != "--provider" {
                line.words.push(word);
                continue;
            }
            let Some(value) = value.or_else(|| left.next()) else {
                line.words.push(word);
                continue;
            };
            match (option, setting) {
                (_, Some(setting)) => {
                    line.global.settings.set(setting.key, value);
                }
                ("--profile", None) => line.global.profile = name(&value).ok(),
                _ => line.global.provider = Some(value),
            }
        }
        line.words.push(last);
        line
    }

    /// Returns the possible last words, each with its description.
    fn complete(self, all: Command) -> Option<Vec<String>> {
        let words: Vec<_> = self.words.iter().map(Into::into).collect();
        let last = self.words.last()?;
        let mut found = complete(&mut self.command(all), words, self.words.len() - 1, None).ok()?;
        // Options are suggested only after a `-`.
        found.retain(|candidate| {
            !last.is_empty() || !candidate.get_value().as_encoded_bytes().starts_with(b"-")
        });
        let lines = found.iter().filter_map(|candidate| {
            let value = candidate.get_value().to_str()?;
            let about = candidate.get_help().map(ToString::to_string).unwrap_or_default();
            let about = about.lines().next().unwrap_or_default();
            Some(if about.is_empty() { value.to_owned() } else { format!("{value}\t{about}") })
        });
        Some(lines.collect())
    }

    /// Returns the command with the possible values of its arguments.
    fn command(&self, all: Command) -> Command {
        let registry = &self.registry;
        let profile = |arg: Arg| {
            let registry = registry.clone();
            arg.add(ArgValueCandidates::new(move || profiles(&registry)))
        };
        let server = |arg: Arg| self.with(arg, Self::servers);
        let command = with_files(all).mut_arg("profile", profile);
        let command = command.mut_subcommand("profile", |command| {
            let name = |command: Command| command.mut_arg("name", profile);
            in_each(command, &["show", "use", "remove"], name)
        });
        let command = command.mut_subcommand("config", |command| {
            let server = |command: Command| command.mut_arg("server", server);
            let id = |command: Command| command.mut_arg("id", |arg| self.with(arg, Self::configs));
            // `mut_arg` moves an argument behind the others, so the order matters for `rotate`.
            in_each(in_each(command, &["revoke", "rotate"], id), &["get", "rotate"], server)
        });
        let command = command.mut_subcommand("port", |command| {
            let port =
                |command: Command| command.mut_arg("port", |arg| self.with(arg, Self::ports));
            in_each(command, &["delete", "check"], port)
        });
        let command = command.mut_subcommand("explain", |command| {
            command.mut_arg("kind", |arg| self.with(arg, |_| Some(kinds())))
        });
        command.mut_subcommand("call", |command| {
            command
                .mut_arg("operation", |arg| self.with(arg, Self::operations))
                .mut_arg("fields", |arg| self.with(arg, Self::fields))
        })
    }

    /// Adds the candidates that `find` returns to an argument.
    fn with(&self, arg: Arg, find: fn(&Self) -> Option<Vec<CompletionCandidate>>) -> Arg {
        let line = self.clone();
        arg.add(ArgValueCandidates::new(move || find(&line).unwrap_or_default()))
    }

    /// Returns the words after `call`.
    fn call(&self) -> impl Iterator<Item = &String> {
        let words = self.words.iter().skip_while(|word| *word != "call").skip(1);
        words.filter(|word| !word.starts_with('-'))
    }

    fn operations(&self) -> Option<Vec<CompletionCandidate>> {
        let provider = self.registry.info(self.call().next()?).ok()?;
        let operations = provider.operations.iter();
        Some(
            operations.map(|operation| candidate(operation.id.name(), operation.summary)).collect(),
        )
    }

    fn fields(&self) -> Option<Vec<CompletionCandidate>> {
        let provider = self.registry.info(self.call().next()?).ok()?;
        let name = self.call().nth(1)?;
        let operation = provider.operation(name)?;
        let last = self.words.last()?;
        let is_given = |field: &&FieldInfo| {
            let begin = format!("{}=", field.name);
            self.call().any(|word| word.starts_with(&begin) && !std::ptr::eq(word, last))
        };
        let left = operation.fields.iter().filter(|field| !is_given(field));
        let words = left.flat_map(|field| {
            let values: &[_] = match field.kind {
                FieldKind::Boolean => &["true", "false"],
                FieldKind::Secret => &["@"],
                _ => &[""],
            };
            values.iter().map(|value| candidate(&format!("{}={value}", field.name), field.doc))
        });
        Some(words.collect())
    }

    /// Asks the provider, with credentials that need neither a program nor the keyring.
    fn ask<T>(&self, work: impl AsyncFnOnce(&dyn Provider) -> Option<T>) -> Option<T> {
        let context = Context::new(self.registry.clone(), self.global.clone());
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async {
            let provider = context.open_at_hand(context.provider().ok()?).await.ok()?;
            work(&*provider).await
        })
    }

    fn servers(&self) -> Option<Vec<CompletionCandidate>> {
        let servers: Vec<Server> = self.ask(async |provider| {
            provider.server_configs()?.servers().take(MAX_SUGGESTIONS).try_collect().await.ok()
        })?;
        let servers = servers.iter().filter(|server| is_word(&server.id));
        Some(servers.map(|server| candidate(&server.id, &server.name)).collect())
    }

    fn configs(&self) -> Option<Vec<CompletionCandidate>> {
        let configs =
            self.ask(async |provider| provider.server_configs()?.list_configs().await.ok())?;
        let about = |config: &ObtainedConfig| {
            let addresses = config.addresses.iter().map(IpAddr::to_string);
            config.name.iter().cloned().chain(addresses).collect::<Vec<_>>().join(" ")
        };
        let configs = configs.iter().filter(|config| is_word(&config.id)).take(MAX_SUGGESTIONS);
        Some(configs.map(|config| candidate(&config.id, &about(config))).collect())
    }

    /// Lists the ports of all devices of the account.
    fn ports(&self) -> Option<Vec<CompletionCandidate>> {
        self.ask(async |provider| {
            let forwards = provider.port_forwards()?;
            let list = forwards.port_list()?;
            // Without devices, a forward belongs to the machine that asks.
            let devices = match forwards.tunnel_addresses().await.ok()? {
                Some(devices) => devices.into_iter().map(Some).collect(),
                None => vec![None],
            };
            let mut found = Vec::new();
            for device in devices {
                let about = device.map(|device| format!("of {device}")).unwrap_or_default();
                let ports = list.list_port_forwards(device).await.ok()?;
                found.extend(ports.iter().map(|port| candidate(&port.port.to_string(), &about)));
            }
            Some(found)
        })
    }
}

/// Returns whether a text is a single word for every shell. Other texts could run a command.
fn is_word(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !id.is_empty() && !id.starts_with('-') && id.chars().all(is_plain)
}

fn kinds() -> Vec<CompletionCandidate> {
    Meaning::all().iter().map(|kind| candidate(kind.kind, &kind.meaning)).collect()
}

fn profiles(registry: &Registry) -> Vec<CompletionCandidate> {
    let file = ConfigFile::find().and_then(|file| file.read(registry).ok()).unwrap_or_default();
    file.entries.iter().map(|entry| candidate(&entry.name, entry.provider.title)).collect()
}

/// Changes several subcommands in the same way.
fn in_each(
    command: Command,
    names: &[&str],
    change: impl FnOnce(Command) -> Command + Copy,
) -> Command {
    names.iter().fold(command, |command, name| command.mut_subcommand(name, change))
}

fn candidate(word: &str, about: &str) -> CompletionCandidate {
    CompletionCandidate::new(word).help(Some(plain(about).into()))
}

/// Returns the command with file names left to the shell, which knows its own quoting.
fn with_files(command: Command) -> Command {
    let files = ArgValueCompleter::new(|_: &OsStr| vec![CompletionCandidate::new(FILES)]);
    let command = command.mut_args(|arg| match arg.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath => arg.add(files.clone()),
        _ => arg,
    });
    command.mut_subcommands(with_files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the completions of a line without their descriptions.
    fn words(line: &str) -> Vec<String> {
        let registry = Registry::builtin();
        let all = crate::args::command(&registry);
        let lines = Line::of(&registry, &line.replace(' ', "\n")).complete(all).unwrap();
        lines.iter().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    }

    fn providers() -> Vec<&'static str> {
        Registry::builtin().infos().map(|info| info.name).collect()
    }

    #[test]
    fn commands_options_and_values_are_completed() {
        assert_eq!(words("anyvpn prof"), ["profile"]);
        assert_eq!(words("anyvpn profile re"), ["remove"]);
        assert_eq!(words("anyvpn config get --protocol w"), ["wireguard"]);
        assert_eq!(words("anyvpn --prov"), ["--provider"]);
        assert_eq!(words("anyvpn --provider "), providers());
        assert_eq!(words("anyvpn --provider=vpns"), ["--provider=vpnscript"]);
        // A value that is also the name of a command.
        assert_eq!(words("anyvpn --profile config profile re"), ["remove"]);
        assert_eq!(words("anyvpn --profile=config profile re"), ["remove"]);
        assert_eq!(words("anyvpn completions f"), ["fish"]);
        assert_eq!(words("anyvpn explain am"), ["ambiguous"]);
        assert_eq!(words("anyvpn no such x"), [""; 0]);
        let all = words("anyvpn ");
        assert!(all.contains(&"demo".to_owned()) && !all.contains(&"complete".to_owned()));
        assert!(!all.iter().any(|word| word.starts_with('-')), "{all:?}");
        assert_eq!(words("anyvpn capabilities --js"), ["--json"]);
    }

    #[test]
    fn operations_and_their_fields_are_completed() {
        assert_eq!(words("anyvpn call "), providers());
        assert_eq!(words("anyvpn call azire create-u"), ["create-user"]);
        let fields = ["internal_ipv4=", "expires_in=", "hidden=true", "hidden=false"];
        assert_eq!(words("anyvpn call azire create-port-forward "), fields);
        assert_eq!(words("anyvpn call --reveal azire create-port-forward h"), fields[2..]);
        let left = words("anyvpn call azire create-port-forward hidden=true expires_in=3 ");
        assert_eq!(left, ["internal_ipv4="]);
        assert_eq!(words("anyvpn call azire create-token p"), ["password=@"]);
        assert_eq!(words("anyvpn call azire frobnicate "), words("anyvpn call nobody x "));
    }

    #[test]
    fn file_names_are_left_to_the_shell() {
        for line in ["config get x --output ", "man --output-dir /t", "call azire x --input "] {
            assert_eq!(words(&format!("anyvpn {line}")), [FILES], "{line}");
        }
        assert_eq!(words("anyvpn login --password-file=x"), ["--password-file=:files"]);
    }
}
