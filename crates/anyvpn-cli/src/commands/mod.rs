//! The commands, one file for each.

pub mod account;
pub mod call;
pub mod capabilities;
pub mod completions;
pub mod config;
pub mod customer;
pub mod demo;
pub mod explain;
pub mod fleet;
pub mod login;
pub mod logout;
pub mod man;
pub mod port;
pub mod port_keep;
pub mod port_status;
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
        Command::Fleet(args) => fleet::run(context, args),
        Command::Server(args) => {
            with(context, async |provider| server::run(context, provider, args).await)
        }
        Command::Config(args) => {
            with(context, async |provider| config::run(context, provider, args).await)
        }
        Command::Port(port::Port::Keep(args)) => port_keep::run(context, &args),
        Command::Port(port::Port::Status(args)) => port_status::run(context, &args),
        Command::Port(port::Port::Call(args)) => {
            with(context, async |provider| port::run(context, provider, args).await)
        }
        Command::Capabilities => capabilities::run(context),
        Command::Explain(args) => explain::run(context, &args),
        Command::Completions(args) => completions::run(context, &args),
        Command::Complete => completions::complete::run(&context.registry, all()),
        Command::Man(args) => man::run(context, all(), &args),
    }
}

/// Returns the command that shows what a command has changed.
fn verify_command(context: &Context, typed: &Command) -> String {
    match typed {
        Command::Account(args) => args.verify_command().to_owned(),
        Command::Call(args) => args.verify_command(context),
        Command::Config(_) => "anyvpn config list".to_owned(),
        Command::Customer(args) => args.verify_command(),
        Command::Fleet(_) => "anyvpn fleet status".to_owned(),
        Command::Port(_) => "anyvpn port list".to_owned(),
        Command::Login(_) | Command::Profile(_) => {
            let listed = context.provider().ok().and_then(list_of_tokens);
            listed.unwrap_or_else(|| "the list of tokens on the provider's site".to_owned())
        }
        _ => "anyvpn account show".to_owned(),
    }
}

/// Returns the call that lists the tokens that signing in has created. It reads the path to which a
/// password is posted.
fn list_of_tokens(info: &'static ProviderInfo) -> Option<String> {
    let takes_password =
        |create: &&OperationInfo| create.fields.iter().any(|field| field.name == "password");
    let posts = info.operations.iter().filter(|operation| operation.method == "POST");
    posts.filter(takes_password).find_map(|create| {
        let mut reads = info.operations.iter().filter(|read| read.replay == Replay::Safe);
        let read = reads.find(|read| read.path == create.path)?;
        Some(command_line(&["call", info.name, read.id.name()], &[]))
    })
}
