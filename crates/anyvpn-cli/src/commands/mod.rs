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
        Command::Account(args) => with(context, async |it| account::run(context, it, args).await),
        Command::Server(args) => with(context, async |it| server::run(context, it, args).await),
        Command::Config(args) => with(context, async |it| config::run(context, it, args).await),
        Command::Port(args) => with(context, async |it| port::run(context, it, args).await),
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

/// Runs what works with the chosen provider.
fn with(
    context: &Context,
    work: impl AsyncFnOnce(&dyn Provider) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = context.provider()?;
    let about = |failure: Failure| failure.of(name);
    let provider = anyvpn::open(&context.profile(name)?).map_err(|error| about(error.into()))?;
    wait(work(&*provider))?.map_err(about)
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
