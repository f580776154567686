//! One file a command.

pub mod account;
pub mod alias;
pub mod call;
pub mod capabilities;
pub mod completions;
pub mod config;
mod customer;
pub mod demo;
pub mod login;
mod logout;
pub mod man;
pub mod port;
pub mod product;
pub mod profile;
pub mod sandbox;
pub mod server;

use std::pin::pin;
use std::time::Duration;

use anyvpn::vpngn::Vpngn;
use anyvpn::{Capability, Profile, Provider, ProviderName};
use futures_util::future::{Either, select};

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;
use crate::text::reason;

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => wait(demo::run(context, args))?,
        Command::Sandbox(args) => wait(sandbox::run(context, args))?,
        Command::Call(args) => call::run(context, args),
        Command::Login(args) => login::run(context, args),
        Command::Logout => logout::run(context),
        Command::Profile(args) => profile::run(context, args),
        Command::Account(args) => account::run(context, args),
        Command::Server(args) => with(context, async |it| server::run(context, it, args).await),
        Command::Config(args) => with(context, async |it| config::run(context, it, args).await),
        Command::Port(args) => with(context, async |it| port::run(context, it, args).await),
        Command::Product(args) => product::run(context, args),
        Command::Alias(args) => alias::run(context, args),
        Command::Capabilities => capabilities::run(context),
        Command::Completions(args) => completions::run(context, &args),
        Command::Man(args) => man::run(context, &args),
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
    let done = wait(async { work(&context.profile(name).await?).await })?;
    done.map_err(|failure| context.explain(name, failure))
}

/// Waits for what may take long, and says after a while why it does.
async fn patiently<T>(
    context: &Context,
    work: impl Future<Output = T>,
    why: impl FnOnce() -> Option<String>,
) -> T {
    let moment = tokio::time::sleep(Duration::from_secs(2));
    match select(pin!(work), pin!(moment)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => {
            if let Some(why) = why() {
                context.output.note(&why);
            }
            work.await
        }
    }
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
