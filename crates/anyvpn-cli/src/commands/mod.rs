//! One file a command.

pub mod account;
pub mod call;
pub mod capabilities;
pub mod completions;
pub mod config;
pub mod customer;
pub mod demo;
pub mod explain;
pub mod login;
pub mod logout;
pub mod man;
pub mod port;
pub mod profile;
pub mod sandbox;
pub mod server;

use anyvpn::{OperationInfo, ProviderInfo, Replay};

use crate::args::{Command, command};
use crate::context::Context;
use crate::failure::Failure;
use crate::text::command_line;
use crate::work::{wait_here, with};

pub fn run(mut context: Context, typed: Command) -> Result<(), Failure> {
    context.verify = verify_command(&context, &typed);
    let context = &context;
    let all = || command(&context.registry);
    match typed {
        Command::Demo(args) => wait_here(context, demo::run(context, args)),
        Command::Sandbox(args) => sandbox::run(context, args),
        Command::Call(args) => call::run(context, args),
        Command::Login(args) => login::run(context, args),
        Command::Logout(args) => logout::run(context, &args),
        Command::Profile(args) => profile::run(context, args),
        Command::Account(args) => account::run(context, args),
        Command::Customer(args) => customer::run(context, args),
        Command::Server(args) => with(context, async |it| server::run(context, it, args).await),
        Command::Config(args) => with(context, async |it| config::run(context, it, args).await),
        Command::Port(args) => with(context, async |it| port::run(context, it, args).await),
        Command::Capabilities => capabilities::run(context),
        Command::Explain(args) => explain::run(context, &args),
        Command::Completions(args) => completions::run(context, &args),
        Command::Complete => completions::complete::run(&context.registry, all()),
        Command::Man(args) => man::run(context, all(), &args),
    }
}

/// The command that shows what a command has changed.
fn verify_command(context: &Context, typed: &Command) -> String {
    match typed {
        Command::Account(args) => args.verify_command().to_owned(),
        Command::Call(args) => args.verify_command(context),
        Command::Config(_) => "anyvpn config list".to_owned(),
        Command::Customer(args) => args.verify_command(),
        Command::Port(_) => "anyvpn port list".to_owned(),
        Command::Login(_) | Command::Profile(_) => {
            let listed = context.provider().ok().and_then(list_of_tokens);
            listed.unwrap_or_else(|| "the list of tokens on the provider's site".to_owned())
        }
        _ => "anyvpn account show".to_owned(),
    }
}

/// The call that lists what signing in has made: it reads the path at which a password makes
/// something.
fn list_of_tokens(info: &'static ProviderInfo) -> Option<String> {
    let takes_password =
        |it: &&OperationInfo| it.fields.iter().any(|field| field.name == "password");
    let mut making = info.operations.iter().filter(|it| it.method == "POST").filter(takes_password);
    making.find_map(|making| {
        let mut reading = info.operations.iter().filter(|it| it.replay == Replay::Safe);
        let reading = reading.find(|it| it.path == making.path)?;
        Some(command_line(&["call", info.name, reading.id.name()], &[]))
    })
}
