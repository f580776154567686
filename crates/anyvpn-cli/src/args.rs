//! What can be typed.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyvpn::{ProviderInfo, Registry, Setting};
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgMatches, Args, Command as Clap, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    account, call, completions, config, customer, demo, explain, login, logout, man, port, profile,
    sandbox, server,
};
use crate::provider_settings::are_alternatives;
use crate::look::{Look, painted};

const EXAMPLES: &str = "\
Examples:
  anyvpn demo                               See it all work, without an account
  anyvpn profile add home                   Sign in, step by step
  anyvpn config get se-sto -o se-sto.conf   Write a WireGuard file";

/// The help of the whole: with the prompt after it, it fits a screen of 80 columns and 24 lines.
fn help() -> String {
    let title = |text| Look::Title.on(text);
    let (usage, commands, options) = (title("Usage:"), title("Commands:"), title("Options:"));
    let examples = EXAMPLES.replace("Examples:", &title("Examples:"));
    let text = format!(
        "\
VPN providers by one command: accounts, configurations, ports
{usage} anyvpn [OPTIONS] <COMMAND>

{commands} (anyvpn COMMAND --help tells more of each)
  demo, sandbox              See it all at work; serve an imitation to test with
  profile                    Add, list, show, choose and remove profiles
  login, logout              Sign in, and keep the token; delete it
  account                    Show, create or close the account
  server, config             List the servers; get a configuration for one
  port                       Open, list and close ports to this machine
  customer                   Find, create and change a reseller's customers
  call, capabilities         Any documented operation; what each provider can do
  completions, explain, man  For the shell; what an error means; for man

{options}
  --profile, --provider, --url   Which provider, where, and as whom
  --json                         Print JSON, errors too
  -q, --quiet; -v, --verbose; -h, --help; -V, --version

{examples}
"
    );
    painted(&text, true)
}

/// VPN providers by one command: accounts, configurations, ports.
#[derive(Parser)]
#[command(name = "anyvpn", version, max_term_width = 80)]
#[command(after_help = EXAMPLES, override_help = help())]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

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
    /// Answer in JSON, on stdout; errors too, on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Tell on stderr of nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell on stderr what is done; -vv and -vvv tell more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show it all at work, in a sandbox inside this program
    Demo(demo::Demo),
    /// Imitate the providers on this machine, to try and test
    Sandbox(sandbox::Sandbox),
    /// Call one operation of a provider, as it is documented
    Call(call::Call),
    /// Sign in, and keep the token for all commands
    Login(login::Login),
    /// Forget the token, at the provider too where that can be done
    Logout(logout::Logout),
    /// Add, list, show, choose and remove profiles
    #[command(subcommand)]
    Profile(profile::Profiles),
    /// Show, create or close the account
    #[command(subcommand)]
    Account(account::Account),
    /// List the servers
    #[command(subcommand)]
    Server(server::Server),
    /// Get a configuration for a server; list, revoke, rotate
    #[command(subcommand)]
    Config(config::Config),
    /// Open, list and close ports that lead to this machine
    #[command(subcommand)]
    Port(port::Port),
    /// Find, create and change a reseller's customers
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Show what each provider can do
    Capabilities,
    /// Say more about a kind of error: causes, and what to do
    Explain(explain::Explain),
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Complete the words on stdin, for the shells' scripts
    #[command(hide = true)]
    Complete,
    /// Print the manual page, or write one for each command
    Man(man::Man),
}

/// The command with what the registry's providers take: their names, and options for their settings.
pub fn command(registry: &Registry) -> Clap {
    let names: Vec<&'static str> = registry.infos().map(|info| info.name).collect();
    let help = format!("{} [env: ANYVPN_PROVIDER]", listed(&names));
    let mut command = Cli::command().mut_arg("provider", |arg| {
        arg.value_parser(PossibleValuesParser::new(names.clone())).help(help)
    });
    for (setting, providers) in settings(registry, |setting| !setting.secret) {
        let variable = setting.variable(providers[0].name);
        let more = if providers.len() > 1 { " …" } else { "" };
        let others = providers.iter().flat_map(|info| info.settings);
        let others = others.filter(|other| are_alternatives(setting, other) && other.key < setting.key);
        let conflicts: Vec<&str> = others.map(|other| other.key).collect();
        let doc = match &providers[..] {
            [only] => format!("{}, at {}", setting.doc.trim_end_matches('.'), only.title),
            _ => format!("The provider's {}", setting.title),
        };
        command = command.arg(
            Arg::new(setting.key)
                .long(setting.key.replace('_', "-"))
                .global(true)
                .value_name(setting.key.to_uppercase())
                .help(format!("{doc} [env: {variable}{more}]"))
                .help_heading("Options of all commands")
                // An empty one must not stand for the vendor's own address: --url "$TYPO".
                .value_parser(NonEmptyStringValueParser::new())
                .conflicts_with_all(conflicts),
        );
    }
    command = command.mut_subcommand("call", |call| {
        call.mut_arg("callee", |arg| arg.value_parser(PossibleValuesParser::new(names)))
    });
    command.mut_subcommand("profile", |profile| {
        profile.mut_subcommand("add", |add| profile::add::with_secrets(registry, add))
    })
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

/// Reads what was typed.
pub fn parse(registry: &Registry, arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = command(registry);
    let matches = command.try_get_matches_from_mut(arguments)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    for (setting, _) in settings(registry, |setting| !setting.secret) {
        if let Some(value) = text(&matches, setting.key) {
            cli.global.settings.insert(setting.key.to_owned(), value);
        }
    }
    if let Command::Profile(profile::Profiles::Add(add)) = &mut cli.command
        && let Some(matches) = matches.subcommand_matches("profile")
        && let Some(matches) = matches.subcommand_matches("add")
    {
        add.read_secrets(registry, matches);
    }
    Ok(cli)
}

/// The text of an argument that the registry gave.
pub fn text(matches: &ArgMatches, id: &str) -> Option<String> {
    matches.try_get_one::<String>(id).ok().flatten().cloned()
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => "No provider is built in".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
