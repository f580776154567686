//! `anyvpn port keep`: keeps a forwarded port open.

mod clients;
mod options;
mod outputs;
mod signals;

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyvpn::{Ability, Error, Lease, Provider, ProviderInfo};
use anyvpn_http::SystemClock;
use anyvpn_keeper::hooks::Hook;
use anyvpn_keeper::machine::{Outcome, Stop};
use anyvpn_keeper::publish::Systemd;
use anyvpn_keeper::{FindTunnel, JournalFile, Keeper, TorrentClient, find_tunnel, tunnel_names};
use clap::ValueEnum;
use clients::Client;
pub use options::{Keep, default_status, profile_status, service_status, user_statuses};
use tokio::runtime::Builder;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::reason;
use crate::work::ability;
use signals::{Request, Requests};

/// How long the keeper waits at the end for running calls, with a margin.
const LONGEST_END: Duration = Duration::from_secs(25);

/// What happens to the port at the end.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum OnExit {
    /// It stays open until it expires.
    Keep,
    /// It is closed, if this command opened it
    Release,
}

pub fn run(context: &Context, args: &Keep) -> Result<(), Failure> {
    context.output.trace();
    let info = context.provider()?;
    let failed =
        |error: io::Error| Failure::other(format!("cannot start the runtime: {}", reason(&error)));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let kept = runtime.block_on(keep(context, info, args));
    // Do not wait for a name lookup that is still running.
    runtime.shutdown_background();
    kept.map_err(|failure| context.with_situation(info, failure))
}

async fn keep(context: &Context, info: &'static ProviderInfo, args: &Keep) -> Result<(), Failure> {
    let mut requests = Requests::listen()
        .map_err(|error| Failure::other(format!("cannot handle signals: {}", reason(&error))))?;
    let folder = args.state_folder(context, info)?;
    let mut keeper = Inputs::read(context, info, args).await?.open(&folder, args).await?;
    let (mut observer, api) = outputs::open(context, info, args).await?;
    let _status_lock = outputs::lock_status(context, info, args).await;
    let api = api.map(tokio::spawn);
    let systemd = Systemd::from_environment();
    let ended = loop {
        let renewed = Cell::new(None);
        let is_asked = Cell::new(false);
        let stop = async {
            while requests.next().await == Request::Reload {
                systemd.reloading();
                match reread(context, info, args).await {
                    Ok(inputs) => {
                        renewed.set(Some(inputs));
                        return Stop::Reload;
                    }
                    Err(failure) => {
                        let failure = failure.within("cannot reload, so the old settings stay");
                        context.output.failure(&failure);
                        systemd.reloaded();
                    }
                }
            }
            is_asked.set(true);
            systemd.stopping(LONGEST_END);
            match args.on_exit {
                OnExit::Keep => Stop::Keep,
                OnExit::Release => Stop::Release,
            }
        };
        let Outcome { problem, .. } = keeper.run(&mut observer, stop).await;
        if let Some(inputs) = renewed.take() {
            keeper = inputs.open(&folder, args).await?;
            systemd.reloaded();
            continue;
        }
        break match problem.filter(|_| !is_asked.get()) {
            None => Ok(()),
            Some(problem) => Err(match problem.kind {
                Some(kind) => Error::new(kind).with_detail(problem.text).into(),
                None => Failure::other(problem.text),
            }),
        };
    };
    if let Some(api) = api {
        api.abort();
    }
    ended
}

/// What a keeper is made from, besides its journal.
struct Inputs {
    provider: Arc<dyn Provider>,
    clients: Vec<Arc<dyn TorrentClient>>,
    hooks: Vec<Hook>,
    tunnel: FindTunnel,
}

/// Reads the settings anew while the keeper runs with the old ones.
async fn reread(
    context: &Context,
    info: &'static ProviderInfo,
    args: &Keep,
) -> Result<Inputs, Failure> {
    let renewed = context.renewed();
    renewed.file()?;
    let now = renewed.provider()?;
    if now.name != info.name || renewed.profile_name(info) != context.profile_name(info) {
        // The journal is about the ports of the old one.
        return Err(Failure::usage("another profile or provider applies now")
            .hint("to use it, start the keeper again"));
    }
    let inputs = Inputs::read(&renewed, info, args).await;
    inputs.map_err(|failure| renewed.with_situation(info, failure))
}

impl Inputs {
    /// Opens provider, clients and hooks.
    async fn read(
        context: &Context,
        info: &'static ProviderInfo,
        args: &Keep,
    ) -> Result<Self, Failure> {
        let provider = context.open(info).await?;
        check(context, &*provider, args)?;
        let clients = args.client.iter().map(|typed| Client::parse(typed)?.open(args));
        let clients = clients.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { provider, clients, hooks: args.hooks()?, tunnel: tunnel(args)? })
    }

    /// Opens the journal, and makes the keeper.
    async fn open(self, folder: &Path, args: &Keep) -> Result<Keeper, Failure> {
        let journal = JournalFile::open(folder).await;
        let journal = journal.map_err(|error| Failure::other(error.to_string()))?;
        let mut keeper = Keeper::new(self.provider, journal, self.tunnel)?;
        args.apply(&mut keeper.settings);
        for client in self.clients {
            keeper = keeper.with_client(client);
        }
        for hook in self.hooks {
            keeper = keeper.with_hook(hook);
        }
        Ok(keeper.with_clock(Arc::new(SystemClock)))
    }
}

/// Refuses options that the provider can never satisfy.
fn check(context: &Context, provider: &dyn Provider, args: &Keep) -> Result<(), Failure> {
    let forwards = ability(context, provider, provider.port_forwards(), Ability::PortForwards)?;
    ability(context, provider, forwards.port_list(), Ability::ListPortForwards)?;
    let title = provider.info().title;
    match forwards.lease() {
        Lease::KeptAlive { .. } if args.days.is_some() => Err(Failure::usage(format!(
            "ports of {title} have no fixed lifetime: they are renewed"
        ))
        .hint("omit --days")),
        Lease::Fixed if args.port.is_some() => {
            Err(Failure::usage(format!("{title} chooses the number")).hint("omit --port"))
        }
        _ => Ok(()),
    }
}

/// Finds the tunnel by its name, or as the only one.
fn tunnel(args: &Keep) -> Result<FindTunnel, Failure> {
    if let Some(name) = args.tunnel.clone() {
        return Ok(Box::new(move || find_tunnel(&name)));
    }
    let names = tunnel_names().map_err(|error| {
        Failure::other(format!("cannot read the network interfaces: {}", reason(&error)))
            .hint("name the tunnel with --tunnel; in a systemd unit, add AF_NETLINK to RestrictAddressFamilies")
    })?;
    if names.len() > 1 {
        return Err(Failure::usage("there are several tunnels")
            .hint(format!("choose with --tunnel: {}", names.join(", "))));
    }
    Ok(Box::new(|| match &tunnel_names()?[..] {
        [only] => find_tunnel(only),
        // A second tunnel does not mean that the first one is down, but it is not clear which one
        // is meant.
        _ => Ok(None),
    }))
}
