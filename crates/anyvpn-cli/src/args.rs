//! What can be typed.

use anyvpn::ProviderName;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    account, alias, call, completions, config, demo, explain, login, logout, man, port, product,
    profile, sandbox, server,
};
use crate::failure::Failure;
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
  product, alias             What a customer has, at VPNGN
  call, capabilities         Any documented operation; what each provider can do
  completions, explain, man  For the shell; what an error means; for man

{options}
  --profile, --provider, --url, --brand   Which provider, where, and as whom
  --json                                  The answer in JSON, and errors too
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
    /// azire, vpnscript or vpngn [env: ANYVPN_PROVIDER]
    #[arg(long, global = true, value_name = "NAME", value_parser = provider_name())]
    #[arg(hide_possible_values = true)]
    pub provider: Option<ProviderName>,
    /// The provider's address [env: ANYVPN_AZIRE_URL …]
    // An empty one must not stand for the vendor's own address: --url "$TYPO".
    #[arg(long, global = true, value_parser = NonEmptyStringValueParser::new())]
    pub url: Option<String>,
    /// VPNGN's reseller [env: ANYVPN_VPNGN_BRAND]
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "url")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub brand: Option<String>,
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
    /// List, add and change a customer's products
    Product(product::Product),
    /// List, add and remove a customer's further addresses
    Alias(alias::Alias),
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

/// The customer of a reseller.
#[derive(Args)]
pub struct Customer {
    /// The customer's address, at VPNGN
    #[arg(long, global = true, value_name = "ADDRESS")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub email: Option<String>,
}

impl Customer {
    /// Whom the command is about.
    pub fn needed(&self) -> Result<&str, Failure> {
        let email = self.email.as_deref();
        email.ok_or_else(|| {
            Failure::usage("which customer is meant?").hint("say it with --email ADDRESS")
        })
    }
}

/// A whole number from `lowest` to `highest`.
pub fn number<T: TryFrom<u32>>(
    lowest: u32,
    highest: u32,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse::<u32>().ok().filter(|it| (lowest..=highest).contains(it));
        let number = number.and_then(|it| T::try_from(it).ok());
        number.ok_or_else(|| format!("it must be a whole number from {lowest} to {highest}"))
    }
}

/// One of the providers of this build.
pub fn provider_name() -> impl TypedValueParser<Value = ProviderName> {
    PossibleValuesParser::new(ProviderName::ALL.iter().map(|name| name.as_str()))
        .try_map(|name| name.parse::<ProviderName>())
}
