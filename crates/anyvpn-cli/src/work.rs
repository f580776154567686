//! How a command does its work: with a runtime, at a provider, until it is done or interrupted.

use std::future::poll_fn;
use std::io;
use std::pin::pin;

use anyvpn::{Ability, Capability, Provider, ProviderInfo};
use tokio::runtime::Builder;

use crate::context::Context;
use crate::failure::Failure;
use crate::progress;
use crate::signals::{self, Signal};
use crate::text::reason;
use crate::waiting::Watch;

/// Runs what needs the network; commands that need none start no runtime.
pub fn wait<T>(
    context: &Context,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(context, Some(&context.watch), work)
}

/// Runs what needs nobody but this program.
pub fn wait_here<T>(
    context: &Context,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(context, None, work)
}

fn block_on<T>(
    context: &Context,
    watch: Option<&Watch>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    context.output.trace();
    let failed =
        |error: io::Error| Failure::other(format!("the program cannot start: {}", reason(&error)));
    check_descriptors().map_err(failed)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let interrupted = |signal| context.watch.interrupted(signal, &context.verify);
    let outcome = runtime.block_on(async {
        let mut work = pin!(work);
        let mut signal = Signal::watch().map_err(failed)?;
        let work = poll_fn(|task| {
            progress::lift(true);
            signals::switch_busy();
            let done = work.as_mut().poll(task);
            signals::switch_busy();
            progress::lift(false);
            done
        });
        tokio::select! {
            biased;
            never = progress::show(context.output, watch) => match never {},
            // The work is still there, and so is what is known of it.
            signal = signal.arrive() => Err(interrupted(signal)),
            done = work => done,
        }
    });
    progress::clear();
    // Not waited for: to look a name up can take longer than anybody waits.
    runtime.shutdown_background();
    match (outcome, signals::arrived()) {
        // A prompt that is interrupted knows of no signal.
        (Err(failure), Some(signal)) if failure.signal().is_none() => Err(interrupted(signal)),
        (outcome, _) => outcome,
    }
}

/// Fails where the process may open no more files: tokio would panic.
#[cfg(unix)]
fn check_descriptors() -> io::Result<()> {
    /// Two descriptors each: what the runtime, the signals and one connection take.
    const PAIRS: usize = 8;
    let pairs = (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair());
    pairs.collect::<io::Result<Vec<_>>>().map(drop)
}

#[cfg(not(unix))]
fn check_descriptors() -> io::Result<()> {
    Ok(())
}

/// Runs what works with the chosen provider.
pub fn with(
    context: &Context,
    work: impl AsyncFnOnce(&dyn Provider) -> Result<(), Failure>,
) -> Result<(), Failure> {
    with_provider(context, context.provider()?, work)
}

/// Runs what works with this provider.
pub fn with_provider(
    context: &Context,
    info: &'static ProviderInfo,
    work: impl AsyncFnOnce(&dyn Provider) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let done = wait(context, async { work(&*context.open(info).await?).await });
    done.map_err(|failure| context.explain(info, failure))
}

/// What a provider has of an ability, or the reason why it has nothing.
pub fn ability<'a, T: ?Sized>(
    context: &Context,
    provider: &dyn Provider,
    accessor: Option<&'a T>,
    ability: Ability,
) -> Result<&'a T, Failure> {
    accessor.ok_or_else(|| lacks(context, provider.info(), ability))
}

/// The failure for an ability that a provider lacks.
pub fn lacks(context: &Context, info: &'static ProviderInfo, ability: Ability) -> Failure {
    let (why, link) = match info.capabilities.of(ability) {
        Capability::Cannot { why, link } => (why, link),
        _ => ("anyvpn does not do it yet", "see anyvpn capabilities"),
    };
    let others = context.registry.infos().filter(|other| other.capabilities.can(ability));
    let others: Vec<_> = others.map(|other| other.title).collect();
    let others = match &others[..] {
        [] => String::new(),
        [one] => format!("{one} does; "),
        several => format!("{} do; ", several.join(" and ")),
    };
    Failure::unsupported(format!("{} does not support {ability}: {why}", info.title))
        .hint(format!("{others}{link}"))
        .of(info)
}
