//! `anyvpn complete`: what the shells' scripts ask while a line is typed.
//!
//! stdin has the words up to the cursor, one a line; the last may be empty. They are no arguments:
//! others can read those, and a word may turn out to be a secret. stdout gets a line for each word
//! that could stand there, with a tab and what it means; `:files` stands for the names of files, behind
//! what is before them in the word. Nothing here asks, signs in, runs a program, or tells of an error.

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

/// Nobody waits longer at a prompt.
const PATIENCE: Duration = Duration::from_secs(2);
/// Nobody reads more of a list.
const MOST: usize = 1000;
const FILES: &str = ":files";

pub fn run(registry: &Registry, all: Command) -> Result<(), Failure> {
    std::panic::set_hook(Box::new(|_| {}));
    let (sender, answer) = mpsc::channel();
    // What hangs in it ends with the process.
    let registry = registry.clone();
    thread::spawn(move || sender.send(Line::read(&registry).and_then(|line| line.complete(all))));
    match answer.recv_timeout(PATIENCE) {
        Ok(Some(lines)) if !lines.is_empty() => print(&[lines.join("\n").as_bytes(), b"\n"]),
        _ => Ok(()),
    }
}

/// The line so far.
#[derive(Clone, Debug)]
struct Line {
    registry: Registry,
    /// What it says of where the provider is.
    global: Global,
    /// The words without that.
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
        // What is asked about. It may be the value of the option before.
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
            let setting =
                setting.filter(|it| !it.secret).find(|it| provider_settings::option(it) == option);
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

    /// The words that could stand at the end, each with what it means.
    fn complete(self, all: Command) -> Option<Vec<String>> {
        let words: Vec<_> = self.words.iter().map(Into::into).collect();
        let last = self.words.last()?;
        let mut found = complete(&mut self.command(all), words, self.words.len() - 1, None).ok()?;
        // Whoever wants an option begins one.
        found.retain(|it| !last.is_empty() || !it.get_value().as_encoded_bytes().starts_with(b"-"));
        let lines = found.iter().filter_map(|it| {
            let value = it.get_value().to_str()?;
            let about = it.get_help().map(ToString::to_string).unwrap_or_default();
            let about = about.lines().next().unwrap_or_default();
            Some(if about.is_empty() { value.to_owned() } else { format!("{value}\t{about}") })
        });
        Some(lines.collect())
    }

    /// The command, with what its arguments can be.
    fn command(&self, all: Command) -> Command {
        let registry = &self.registry;
        let profile = |arg: Arg| {
            let registry = registry.clone();
            arg.add(ArgValueCandidates::new(move || profiles(&registry)))
        };
        let server = |arg: Arg| self.with(arg, Self::servers);
        let command = with_files(all).mut_arg("profile", profile);
        let command = command.mut_subcommand("profile", |it| {
            let name = |it: Command| it.mut_arg("name", profile);
            ["show", "use", "remove"].iter().fold(it, |it, which| it.mut_subcommand(which, name))
        });
        let command = command.mut_subcommand("config", |it| {
            let place = |it: Command| it.mut_arg("server", server);
            let id = |it: Command| it.mut_arg("id", |arg| self.with(arg, Self::configs));
            // An argument that is changed moves behind the others.
            let it = ["revoke", "rotate"].iter().fold(it, |it, which| it.mut_subcommand(which, id));
            ["get", "rotate"].iter().fold(it, |it, which| it.mut_subcommand(which, place))
        });
        let command = command.mut_subcommand("port", |it| {
            let port = |it: Command| it.mut_arg("port", |arg| self.with(arg, Self::ports));
            ["delete", "check"].iter().fold(it, |it, which| it.mut_subcommand(which, port))
        });
        let command = command.mut_subcommand("explain", |it| {
            it.mut_arg("kind", |arg| self.with(arg, |_| Some(kinds())))
        });
        command.mut_subcommand("call", |it| {
            it.mut_arg("operation", |arg| self.with(arg, Self::operations))
                .mut_arg("fields", |arg| self.with(arg, Self::fields))
        })
    }

    /// The argument with what the line makes of it.
    fn with(&self, arg: Arg, find: fn(&Self) -> Option<Vec<CompletionCandidate>>) -> Arg {
        let line = self.clone();
        arg.add(ArgValueCandidates::new(move || find(&line).unwrap_or_default()))
    }

    /// The words behind `call`.
    fn call(&self) -> impl Iterator<Item = &String> {
        let words = self.words.iter().skip_while(|word| *word != "call").skip(1);
        words.filter(|word| !word.starts_with('-'))
    }

    fn operations(&self) -> Option<Vec<CompletionCandidate>> {
        let provider = self.registry.info(self.call().next()?).ok()?;
        let operations = provider.operations.iter();
        Some(operations.map(|it| candidate(it.id.name(), it.summary)).collect())
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

    /// What the provider answers that the line means, with the credentials at hand.
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
            provider.server_configs()?.servers().take(MOST).try_collect().await.ok()
        })?;
        let servers = servers.iter().filter(|it| is_word(&it.id));
        Some(servers.map(|it| candidate(&it.id, &it.name)).collect())
    }

    fn configs(&self) -> Option<Vec<CompletionCandidate>> {
        let configs =
            self.ask(async |provider| provider.server_configs()?.list_configs().await.ok())?;
        let about = |config: &ObtainedConfig| {
            let addresses = config.addresses.iter().map(IpAddr::to_string);
            config.name.iter().cloned().chain(addresses).collect::<Vec<_>>().join(" ")
        };
        let configs = configs.iter().filter(|it| is_word(&it.id)).take(MOST);
        Some(configs.map(|it| candidate(&it.id, &about(it))).collect())
    }

    /// The listed ports of the account's devices.
    fn ports(&self) -> Option<Vec<CompletionCandidate>> {
        self.ask(async |provider| {
            let forwards = provider.port_forwards()?;
            let list = forwards.port_list()?;
            // A forward of no device is of whoever asks.
            let devices = match forwards.tunnel_addresses().await.ok()? {
                Some(devices) => devices.into_iter().map(Some).collect(),
                None => vec![None],
            };
            let mut found = Vec::new();
            for device in devices {
                let about = device.map(|device| format!("of {device}")).unwrap_or_default();
                let ports = list.list_port_forwards(device).await.ok()?;
                found.extend(ports.iter().map(|it| candidate(&it.port.to_string(), &about)));
            }
            Some(found)
        })
    }
}

/// Whether a text is a plain word: in others a shell would read more than one, or run something.
fn is_word(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !id.is_empty() && !id.starts_with('-') && id.chars().all(is_plain)
}

fn kinds() -> Vec<CompletionCandidate> {
    Meaning::all().iter().map(|it| candidate(it.kind, &it.meaning)).collect()
}

fn profiles(registry: &Registry) -> Vec<CompletionCandidate> {
    let file = ConfigFile::find().and_then(|file| file.read(registry).ok()).unwrap_or_default();
    file.entries.iter().map(|it| candidate(&it.name, it.provider.title)).collect()
}

fn candidate(word: &str, about: &str) -> CompletionCandidate {
    CompletionCandidate::new(word).help(Some(plain(about).into()))
}

/// The command, whose arguments that are files are left to the shell: it knows how it quotes them.
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

    /// The words that complete a line, without what they mean.
    fn words(line: &str) -> Vec<String> {
        let registry = Registry::builtin();
        let all = crate::args::command(&registry);
        let lines = Line::of(&registry, &line.replace(' ', "\n")).complete(all).unwrap();
        lines.iter().map(|it| it.split('\t').next().unwrap().to_owned()).collect()
    }

    fn providers() -> Vec<&'static str> {
        Registry::builtin().infos().map(|info| info.name).collect()
    }

    #[test]
    fn the_line_says_what_can_follow() {
        assert_eq!(words("anyvpn prof"), ["profile"]);
        assert_eq!(words("anyvpn profile re"), ["remove"]);
        assert_eq!(words("anyvpn config get --protocol w"), ["wireguard"]);
        assert_eq!(words("anyvpn --prov"), ["--provider"]);
        assert_eq!(words("anyvpn --provider "), providers());
        assert_eq!(words("anyvpn --provider=vpns"), ["--provider=vpnscript"]);
        // A value that is a command's name as well.
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
    fn calls_know_their_operations_and_fields() {
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
    fn names_of_files_are_the_shells() {
        for line in ["config get x --output ", "man --output-dir /t", "call azire x --input "] {
            assert_eq!(words(&format!("anyvpn {line}")), [FILES], "{line}");
        }
        assert_eq!(words("anyvpn login --password-file=x"), ["--password-file=:files"]);
    }
}
