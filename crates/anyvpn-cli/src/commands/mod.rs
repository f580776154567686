//! One file a command.

pub mod account;
pub mod call;
pub mod capabilities;
pub mod config;
pub mod demo;
pub mod port;
pub mod sandbox;
pub mod server;

use anyvpn::{Capability, Provider, ProviderName};

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;
use crate::text::reason;

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => wait(demo::run(context, args))?,
        Command::Sandbox(args) => wait(sandbox::run(context, args))?,
        Command::Call(args) => call::run(context, args),
        Command::Account(args) => wait(account::run(context, args))?,
        Command::Server(args) => wait(server::run(context, args))?,
        Command::Config(args) => wait(config::run(context, args))?,
        Command::Port(args) => wait(port::run(context, args))?,
        Command::Capabilities => capabilities::run(context),
    }
}

/// Runs what needs the network; commands that need none start no runtime.
fn wait<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("the program cannot start: {}", reason(&error))))?;
    Ok(runtime.block_on(work))
}

/// An ability of a provider, or the reason why it has none.
fn ability<'a, T: ?Sized>(
    provider: &dyn Provider,
    ability: Option<&'a T>,
    name: &str,
) -> Result<&'a T, Failure> {
    ability.ok_or_else(|| {
        let known: Option<ProviderName> = provider.name().parse().ok();
        let title = known.map_or(provider.name(), ProviderName::title);
        let capabilities = provider.capabilities().all();
        let found = capabilities.iter().find(|(it, _)| *it == name);
        let (why, link) = match found {
            Some((_, Capability::Cannot { why, link })) => (*why, *link),
            _ => ("anyvpn does not do it yet", "see anyvpn capabilities"),
        };
        Failure::unsupported(format!("{title} has no {}: {why}", name.replace('-', " "))).hint(link)
    })
}
