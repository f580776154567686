//! The command line: every command, option and help text.

use std::ffi::OsString;

use anyvpn::{Registry, Setting};
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command as Clap, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    account, call, completions, config, customer, demo, explain, fleet, login, logout, man, port,
    profile, sandbox, server,
};
use crate::context::Global;
use crate::provider_settings::{settings, text};
use crate::style::{Style, render};

const HELP_WIDTH: usize = 80;
const EXAMPLES: &str = "\
Examples:
  anyvpn demo                               Try everything in a built-in sandbox
  anyvpn profile add home                   Sign in, step by step
  anyvpn config get se-sto -o se-sto.conf   Write a WireGuard file";

/// How many options for providers' settings fit on one line of the help.
const MOST_SETTINGS: usize = 2;

/// Returns the text of `anyvpn --help`.
///
/// It is written by hand so that it fits into a terminal of 80 columns and 24 lines, with the prompt
/// below it.
fn help(settings: &[&str]) -> String {
    let title = |text| Style::Title.apply(text);
    let (usage, commands, options) = (title("Usage:"), title("Commands:"), title("Options:"));
    let examples = EXAMPLES.replace("Examples:", &title("Examples:"));
    let which = settings.iter().map(|key| format!("--{}", key.replace('_', "-")));
    let mut which: Vec<_> = which.take(MOST_SETTINGS).collect();
    which.extend((settings.len() > MOST_SETTINGS).then(|| "…".to_owned()));
    let which = which.join(", ");
    let text = format!(
        "\
Manage VPN accounts, configurations and forwarded ports at many providers
{usage} anyvpn [OPTIONS] <COMMAND>

{commands} (run `anyvpn COMMAND --help` for details)
  demo, sandbox              Take a tour; run a local imitation of the providers
  profile                    Add, list, show, choose and remove profiles
  login, logout              Sign in and store the token; delete the token
  account                    Show, create or close your account
  server, config             List servers; get a configuration for a server
  port                       Open, list, check and close forwarded ports
  customer, fleet            Manage a reseller's customers: singly, or by orders
  call, capabilities         Call any API operation; list what providers support
  completions, explain, man  Shell completions; explain an error; manual pages

{options}
  --profile, --provider, {which}   Choose provider and account
  --json   Print JSON, including errors
  -q, --quiet; -v, --verbose; -h, --help; -V, --version

{examples}
"
    );
    render(&text, true)
}

/// Manage VPN accounts, configurations and forwarded ports at many providers.
#[derive(Parser)]
#[command(name = "anyvpn", version, max_term_width = HELP_WIDTH)]
#[command(after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Try everything in a built-in sandbox
    Demo(demo::Demo),
    /// Run a local server that imitates the providers
    Sandbox(sandbox::Sandbox),
    /// Call any documented operation of a provider
    Call(call::Call),
    /// Sign in and store the token
    Login(login::Login),
    /// Delete the stored token, and revoke it at the provider if possible
    Logout(logout::Logout),
    /// Add, list, show, choose and remove profiles
    #[command(subcommand)]
    Profile(profile::Profiles),
    /// Show, create or close your account
    #[command(subcommand)]
    Account(account::Account),
    /// List servers
    #[command(subcommand)]
    Server(server::Server),
    /// Get, list, revoke and rotate configurations
    #[command(subcommand)]
    Config(config::Config),
    /// Open, list, check and close forwarded ports
    #[command(subcommand)]
    Port(port::Port),
    /// Manage the customers of a reseller
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Keep a reseller's customers as a shop's orders say
    #[command(subcommand)]
    Fleet(fleet::Fleet),
    /// List what each provider supports
    Capabilities,
    /// Explain a kind of error: its causes and what to do about it
    Explain(explain::Explain),
    /// Print shell completions
    Completions(completions::Completions),
    /// Complete a command line that is passed on stdin (used by the completion scripts)
    #[command(hide = true)]
    Complete,
    /// Print the manual page, or write one page for each command
    Man(man::Man),
}

/// Returns the command, with the registry's provider names and an option for each of their public
/// settings.
pub fn command(registry: &Registry) -> Clap {
    let names: Vec<&'static str> = registry.infos().map(|info| info.name).collect();
    let about = format!("{} [env: ANYVPN_PROVIDER]", listed(&names));
    let mut command = Cli::command().mut_arg("provider", |arg| {
        arg.value_parser(PossibleValuesParser::new(names.clone())).help(about)
    });
    let public = settings(registry, |setting| !setting.secret);
    let keys: Vec<&str> = public.iter().map(|(setting, _)| setting.key).collect();
    command = command.override_help(help(&keys));
    for (setting, providers) in public {
        let variable = setting.variable(providers[0].name);
        let more = if providers.len() > 1 { " …" } else { "" };
        let own = providers.iter().filter_map(|info| Some((info, info.setting(setting.key)?)));
        let others = own.flat_map(|(info, own)| {
            let others = info.settings.iter().filter(move |other| own.is_alternative_to(other));
            others.filter(|other| !other.secret && other.key != setting.key)
        });
        let conflicts: Vec<&str> = others.map(|other| other.key).collect();
        let doc = match &providers[..] {
            [only] => format!("{} ({})", setting.doc.trim_end_matches('.'), only.title),
            _ => format!("The provider's {}", setting.title),
        };
        command = command.arg(
            Arg::new(setting.key)
                .long(setting.key.replace('_', "-"))
                .global(true)
                .value_name(setting.key.to_uppercase())
                .help(format!("{doc} [env: {variable}{more}]"))
                .help_heading("Options of all commands")
                .value_parser(values(setting))
                .conflicts_with_all(conflicts),
        );
    }
    command = command.mut_subcommand("call", |call| {
        call.mut_arg("callee", |arg| arg.value_parser(PossibleValuesParser::new(names)))
    });
    command.mut_subcommand("profile", |profile| {
        profile.mut_subcommand("add", |add| profile::secret_options::add_to(registry, add))
    })
}

/// Returns the parser for the option of a setting.
fn values(setting: &Setting) -> ValueParser {
    match setting.one_of {
        // With `--url "$TYPO"` the value is empty, and must not mean the default address.
        [] => NonEmptyStringValueParser::new().into(),
        values => PossibleValuesParser::new(values).into(),
    }
}

/// Parses the arguments, the first of which is the program's name.
pub fn parse(registry: &Registry, arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = command(registry);
    let matches =
        command.try_get_matches_from_mut(arguments).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let help = with_short_help(self::command(registry)).try_get_matches_from(arguments);
                help.err().unwrap_or(error)
            }
            _ => error,
        })?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    for (setting, _) in settings(registry, |setting| !setting.secret) {
        if let Some(value) = text(&matches, setting.key) {
            cli.global.settings.set(setting.key, value);
        }
    }
    if let Command::Profile(profile::Profiles::Add(add)) = &mut cli.command
        && let Some(matches) = matches.subcommand_matches("profile")
        && let Some(matches) = matches.subcommand_matches("add")
    {
        add.secrets = profile::secret_options::read(registry, matches);
    }
    Ok(cli)
}

/// Returns the command with the options of all commands on a single line of each help.
fn with_short_help(command: Clap) -> Clap {
    fn with_template(command: Clap, template: &str) -> Clap {
        let command = command.help_template(template.to_owned());
        command.mut_subcommands(|command| with_template(command, template))
    }
    let name = |arg: &Arg| match (arg.get_short(), arg.get_long()) {
        (Some(short), _) => format!(" -{short}"),
        (None, long) => format!(" --{}", long.unwrap_or_default()),
    };
    let mut line = "Global options:".to_owned();
    for name in command.get_arguments().filter(|arg| arg.is_global_set()).map(name) {
        if line.len() + name.len() + " …".len() > HELP_WIDTH {
            line.push_str(" …");
            break;
        }
        line.push_str(&name);
    }
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{{all-args}}\n\n\
         {line}{{after-help}}"
    );
    let command = command.mut_args(|arg| {
        let is_global = arg.is_global_set();
        arg.hide(is_global)
    });
    command.mut_subcommands(|command| with_template(command, &template))
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => "No provider is included in this build".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_options_take_one_line_of_each_help() {
        let registry = Registry::builtin();
        let help = |words: &[&str]| {
            let words = words.iter().chain(&["--help"]).map(Into::into);
            let words: Vec<OsString> = std::iter::once("anyvpn".into()).chain(words).collect();
            parse(&registry, &words).err().unwrap().render().to_string()
        };
        for words in [&["port"][..], &["port", "create"], &["capabilities"]] {
            let help = help(words);
            let global: Vec<_> = help.lines().filter(|line| line.contains("--profile")).collect();
            assert_eq!(global.len(), 1, "{help}");
            assert!(global[0].starts_with("Global options: ") && global[0].contains("--json"));
        }
        assert!(help(&["port", "create"]).contains("--days <N>"));
    }

    #[test]
    fn the_main_help_names_each_command_once() {
        let registry = Registry::builtin();
        let mut command = command(&registry);
        let visible = command.get_subcommands().filter(|command| !command.is_hide_set());
        let mut visible: Vec<String> =
            visible.map(|command| command.get_name().to_owned()).collect();
        visible.sort_unstable();
        let help = command.render_help().to_string();
        let (_, rest) = help.split_once("Commands:").unwrap();
        let (commands, _) = rest.split_once("Options:").unwrap();
        let mut named: Vec<&str> = commands
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split_once("  "))
            .flat_map(|(names, _)| names.split(", "))
            .collect();
        named.sort_unstable();
        assert_eq!(named, visible);
    }
}
