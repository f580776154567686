//! Runs the work of a command on a runtime, with a provider, until it ends or a signal interrupts it.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};

use anyvpn::{Ability, Capability, Provider, ProviderInfo};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::call_watch::Watch;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress;
use crate::signals::{self, Signal};
use crate::text::reason;

/// Runs work that calls a provider, and shows what it is waiting for.
pub fn wait<T>(
    context: &Context,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(context, Some(&context.watch), None, work)
}

/// Runs work that ends by itself after a signal: `work` gets a future that is ready when a signal
/// arrives.
pub fn wait_or_drain<T>(
    context: &Context,
    work: impl AsyncFnOnce(Stop) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (tell, told) = oneshot::channel();
    let stop = Box::pin(async {
        if told.await.is_err() {
            std::future::pending().await
        }
    });
    block_on(context, Some(&context.watch), Some(tell), work(stop))
}

/// It is ready when a signal has arrived.
pub type Stop = Pin<Box<dyn Future<Output = ()>>>;

/// Runs work that calls no provider.
pub fn wait_here<T>(
    context: &Context,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(context, None, None, work)
}

fn block_on<T>(
    context: &Context,
    watch: Option<&Watch>,
    mut drain: Option<oneshot::Sender<()>>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    context.output.trace();
    let failed =
        |error: io::Error| Failure::other(format!("cannot start the runtime: {}", reason(&error)));
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
        let mut work = pin!(work);
        let mut shown = pin!(progress::show(context.output, watch));
        let mut is_draining = false;
        loop {
            tokio::select! {
                biased;
                never = &mut shown => match never {},
                signal = signal.arrive(), if !is_draining => match drain.take() {
                    // A second signal ends the process.
                    Some(drain) => {
                        is_draining = true;
                        let _ = drain.send(());
                    }
                    // The work has not been dropped yet, so the observer still knows what it was doing.
                    None => return Err(interrupted(signal)),
                },
                done = &mut work => return done,
            }
        }
    });
    progress::clear();
    // Do not wait for blocking tasks: a DNS lookup can take very long.
    runtime.shutdown_background();
    match (outcome, signals::arrived()) {
        // A prompt that was interrupted returns a failure that does not name the signal.
        (Err(failure), Some(signal)) if failure.signal().is_none() => Err(interrupted(signal)),
        (outcome, _) => outcome,
    }
}

/// Fails if the process cannot open enough files, since tokio would panic.
#[cfg(unix)]
fn check_descriptors() -> io::Result<()> {
    /// Pairs of descriptors that the runtime, the signal handler and a connection need.
    const PAIRS: usize = 8;
    let pairs = (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair());
    pairs.collect::<io::Result<Vec<_>>>().map(drop)
}

#[cfg(not(unix))]
fn check_descriptors() -> io::Result<()> {
    Ok(())
}

/// Opens the chosen provider and runs work with it.
pub fn with(
    context: &Context,
    work: impl AsyncFnOnce(&dyn Provider) -> Result<(), Failure>,
) -> Result<(), Failure> {
    with_provider(context, context.provider()?, work)
}

/// Opens a provider and runs work with it.
pub fn with_provider(
    context: &Context,
    info: &'static ProviderInfo,
    work: impl AsyncFnOnce(&dyn Provider) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let done = wait(context, async { work(&*context.open(info).await?).await });
    done.map_err(|failure| context.with_situation(info, failure))
}

/// Returns the implementation of an ability. Fails with the reason if the provider lacks it.
pub fn ability<'a, T: ?Sized>(
    context: &Context,
    provider: &dyn Provider,
    accessor: Option<&'a T>,
    ability: Ability,
) -> Result<&'a T, Failure> {
    accessor.ok_or_else(|| lacks(context, provider.info(), ability))
}

/// Returns the failure for an ability that a provider lacks.
pub fn lacks(context: &Context, info: &'static ProviderInfo, ability: Ability) -> Failure {
    let (why, link) = match info.capabilities.of(ability) {
        Capability::Cannot { why, link } => (why, link),
        _ => ("anyvpn does not support it yet", "see anyvpn capabilities"),
    };
    let others = context.registry.infos().filter(|other| other.capabilities.can(ability));
    let others: Vec<_> = others.map(|other| other.title).collect();
    let others = match &others[..] {
        [] => String::new(),
        [one] => format!("supported by {one}; "),
        several => format!("supported by {}; ", several.join(", ")),
    };
    Failure::unsupported(format!("{} does not support {ability}: {why}", info.title))
        .hint(format!("{others}{link}"))
        .of(info)
}
