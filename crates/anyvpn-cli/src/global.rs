//! The options of all commands, and what the registry makes of its providers' settings.

use std::collections::BTreeMap;

use anyvpn::{ProviderInfo, Registry, Setting};
use clap::{ArgMatches, Args};

/// Options that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of all commands")]
pub struct Global {
    /// Which profile [env: ANYVPN_PROFILE]
    #[arg(long, global = true, value_name = "NAME", value_parser = crate::profiles::name)]
    pub profile: Option<String>,
    // The names that there are come from the registry.
    /// Which provider [env: ANYVPN_PROVIDER]
    #[arg(long, global = true, value_name = "NAME", hide_possible_values = true)]
    pub provider: Option<String>,
    /// The providers' settings that are no secret, by their keys: an option for each of them.
    #[arg(skip)]
    pub settings: BTreeMap<String, String>,
    /// Print the answer as JSON, on stdout; errors too, on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print on stderr what is done; -vv and -vvv print more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The settings of the registry's providers, each once, with the providers that have it.
pub fn settings(
    registry: &Registry,
    is_wanted: fn(&Setting) -> bool,
) -> Vec<(&'static Setting, Vec<&'static ProviderInfo>)> {
    let mut found: Vec<(&'static Setting, Vec<&'static ProviderInfo>)> = Vec::new();
    for info in registry.infos() {
        for setting in info.settings.iter().filter(|setting| is_wanted(setting)) {
            match found.iter_mut().find(|(other, _)| other.key == setting.key) {
                Some((_, providers)) => providers.push(info),
                None => found.push((setting, vec![info])),
            }
        }
    }
    found
}

/// The text of an argument that the registry gave.
pub fn text(matches: &ArgMatches, id: &str) -> Option<String> {
    matches.try_get_one::<String>(id).ok().flatten().cloned()
}
