//! One file a command.

pub mod account;
pub mod alias;
pub mod call;
pub mod capabilities;
pub mod completions;
pub mod config;
mod customer;
pub mod demo;
pub mod explain;
pub mod login;
pub mod logout;
pub mod man;
pub mod port;
pub mod product;
pub mod profile;
pub mod sandbox;
pub mod server;

use std::io;
use std::pin::pin;

use anyvpn::vpngn::Vpngn;
use anyvpn::{Capability, Profile, Provider, ProviderName};
use tokio::runtime::Builder;

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::signals::{self, unless_signalled};
use crate::text::reason;
use crate::{progress, waiting};

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => wait_here(context.output, demo::run(context, args)),
        Command::Sandbox(args) => sandbox::run(context, args),
        Command::Call(args) => call::run(context, args),
        Command::Login(args) => login::run(context, args),
        Command::Logout(args) => logout::run(context, &args),
        Command::Profile(args) => profile::run(context, args),
        Command::Account(args) => account::run(context, args),
        Command::Server(args) => with(context, async |it| server::run(context, it, args).await),
        Command::Config(args) => with(context, async |it| config::run(context, it, args).await),
        Command::Port(args) => with(context, async |it| port::run(context, it, args).await),
        Command::Product(args) => product::run(context, args),
        Command::Alias(args) => alias::run(context, args),
        Command::Capabilities => capabilities::run(context),
        Command::Explain(args) => explain::run(context, &args),
        Command::Completions(args) => completions::run(context, &args),
        Command::Complete => completions::complete::run(),
        Command::Man(args) => man::run(context, &args),
    }
}

/// Runs what needs the network; commands that need none start no runtime.
fn wait<T>(output: Output, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    output.trace(true);
    block_on(output, work)
}

/// Runs what needs nobody but this program.
fn wait_here<T>(
    output: Output,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    output.trace(false);
    block_on(output, work)
}

fn block_on<T>(
    output: Output,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let failed =
        |error: io::Error| Failure::other(format!("the program cannot start: {}", reason(&error)));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let outcome = runtime.block_on(async {
        let mut work = pin!(progress::aside(work));
        tokio::select! {
            biased;
            never = progress::show(output) => match never {},
            outcome = unless_signalled(work.as_mut()) => match outcome.map_err(failed)? {
                Ok(done) => done,
                // The work is still there, and so is what is known of it.
                Err(signal) => Err(waiting::interrupted(signal)),
            },
        }
    });
    progress::clear();
    // Not waited for: to look a name up can take longer than anybody waits.
    runtime.shutdown_background();
    match (outcome, signals::arrived()) {
        // A prompt that is interrupted knows of no signal.
        (Err(failure), Some(signal)) if failure.signal().is_none() => {
            Err(waiting::interrupted(signal))
        }
        (outcome, _) => outcome,
    }
}

/// Runs what works with the chosen provider.
fn with(
    context: &Context,
    work: impl AsyncFnOnce(&dyn Provider) -> Result<(), Failure>,
) -> Result<(), Failure> {
    with_profile(context, context.provider()?, async |profile| work(&*anyvpn::open(profile)?).await)
}

/// Runs what works with VPNGN's own abilities. `what` needs them; other providers have it not.
fn with_vpngn(
    context: &Context,
    name: ProviderName,
    what: &str,
    work: impl AsyncFnOnce(&Vpngn) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if name != ProviderName::Vpngn {
        let why = match name.capabilities().account_admin {
            Capability::Cannot { why, .. } => why,
            _ => "its API has no such call",
        };
        return Err(Failure::unsupported(format!("{} has no {what}: {why}", name.title()))
            .hint("VPNGN has: --provider vpngn")
            .of(name));
    }
    with_profile(context, name, async |profile| work(&anyvpn::open_vpngn(profile)?).await)
}

fn with_profile(
    context: &Context,
    name: ProviderName,
    work: impl AsyncFnOnce(&Profile) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let done = wait(context.output, async { work(&context.profile(name).await?).await });
    done.map_err(|failure| context.explain(name, failure))
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
        let can = |it: &&ProviderName| {
            let mut all = it.capabilities().all().into_iter();
            all.any(|(it, capability)| it == name && capability == Capability::Can)
        };
        let others: Vec<_> = ProviderName::ALL.iter().filter(can).map(|it| it.title()).collect();
        let others = match &others[..] {
            [] => String::new(),
            [one] => format!("{one} has; "),
            several => format!("{} have; ", several.join(" and ")),
        };
        Failure::unsupported(format!("{title} has no {}: {why}", name.replace('-', " ")))
            .hint(format!("{others}{link}"))
    })
}
