//! The options of `anyvpn profile add` that name the source of a secret.

use std::path::PathBuf;

use anyvpn::Registry;
use clap::builder::PathBufValueParser;
use clap::{Arg, ArgMatches, Command, ValueHint};

use crate::provider_settings::{settings, text};

/// The source of a secret, as given on the command line.
pub enum GivenSource {
    File(PathBuf),
    Command(String),
}

/// Adds an option for each source of each secret of the registry's providers.
pub fn add_to(registry: &Registry, mut add: Command) -> Command {
    for (setting, providers) in settings(registry, |setting| setting.secret) {
        let (file, command) = (format!("{}_file", setting.key), format!("{}_command", setting.key));
        let titles: Vec<_> = providers.iter().map(|info| info.title).collect();
        let what = format!("{} ({})", setting.title, titles.join(", "));
        let long = |id: &str| id.replace('_', "-");
        let is_there = |add: &Command, id: &str| add.get_arguments().any(|arg| arg.get_id() == id);
        // `--password-file` already exists, for signing in.
        if !is_there(&add, &file) {
            add = add.arg(
                Arg::new(file.clone())
                    .long(long(&file))
                    .value_name("FILE")
                    .value_hint(ValueHint::FilePath)
                    .value_parser(PathBufValueParser::new())
                    .conflicts_with(command.clone())
                    .help(format!(
                        "Read the {what} from the first line of FILE each time; with -, read it once \
                         from stdin and store it"
                    )),
            );
        }
        add = add.arg(
            Arg::new(command.clone())
                .long(long(&command))
                .value_name("COMMAND")
                .conflicts_with_all(["username"])
                .help(format!("Run COMMAND each time to get the {what}; no shell is involved")),
        );
    }
    add
}

/// Reads these options. Returns the sources by the keys of their settings.
pub fn read(registry: &Registry, matches: &ArgMatches) -> Vec<(&'static str, GivenSource)> {
    let signs_in = matches.contains_id("username");
    let mut given = Vec::new();
    for (setting, _) in settings(registry, |setting| setting.secret) {
        let file = matches.try_get_one::<PathBuf>(&format!("{}_file", setting.key));
        // With `--username`, the password is used once, to sign in.
        let file = file.ok().flatten().filter(|_| setting.key != "password" || !signs_in);
        let command = text(matches, &format!("{}_command", setting.key));
        let file = file.cloned().map(GivenSource::File);
        if let Some(source) = file.or(command.map(GivenSource::Command)) {
            given.push((setting.key, source));
        }
    }
    given
}
