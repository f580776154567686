//! `anyvpn fleet plan` and `anyvpn fleet run`

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyvpn::{Error, ErrorKind, Secret};
use anyvpn_fleet::{
    Adopt, Budget, Operation, OrderState, Plan, PlannedStep, Rules, StepContext, Store, Summary,
    Until, Worker, WorkerSettings,
};
use serde::Serialize;

use super::place::{failed, open_providers};
use super::{AdoptPolicy, Caps, Policy, metrics, report};
use crate::context::Context;
use crate::failure::Failure;
use crate::file::OutputFile;
use crate::text::{Column, command_line, plain, reason, table};

/// How often the progress is shown, and systemd is told that the worker is alive.
const TICK: Duration = Duration::from_secs(1);
/// Counting a large database's orders takes at most one part in so many of the time.
const COUNTING: u32 = 50;

/// The exit code if parked or drifted orders wait for a person. Failures have lower codes.
const WAIT_FOR_A_PERSON: u8 = 10;

/// The limit of an operation, as the user types it.
#[derive(Clone)]
pub struct BudgetArgument {
    profile: String,
    operation: &'static str,
    budget: Budget,
}

impl FromStr for BudgetArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "must be PROFILE/OPERATION=N/UNIT, such as shop/create=6/min".to_owned();
        let (what, budget) = text.split_once('=').ok_or_else(form)?;
        let (profile, operation) = what.rsplit_once('/').ok_or_else(form)?;
        let known = Operation::NAMES.into_iter().find(|name| *name == operation);
        let operation = known.ok_or_else(|| {
            format!("unknown operation; known are {}", Operation::NAMES.join(", "))
        })?;
        let budget = budget.parse().map_err(|_| form())?;
        Ok(Self { profile: profile.to_owned(), operation, budget })
    }
}

impl From<Policy> for Rules {
    fn from(policy: Policy) -> Self {
        let mut rules = Self::default();
        rules.adopt = match policy.adopt {
            AdoptPolicy::Never => Adopt::Never,
            AdoptPolicy::InDoubt => Adopt::InDoubt,
            AdoptPolicy::Foreign => Adopt::Foreign,
        };
        rules
    }
}

impl Caps {
    /// Fails if more changes are planned than allowed.
    fn check(self, changes: u64, orders: u64) -> Result<(), Failure> {
        let too_many = |what: String| {
            Err(Failure::unsupported(format!("{changes} customers would be changed, {what}")).hint(
                "nothing was sent; look at anyvpn fleet plan, and raise the limit if it is right",
            ))
        };
        match (self.max_changes, self.max_share) {
            (Some(most), _) if changes > most => {
                too_many(format!("and --max-changes allows {most}"))
            }
            (_, Some(share)) if changes * 100 > orders * share => {
                too_many(format!("of {orders} orders, and --max-share allows {share} %"))
            }
            _ => Ok(()),
        }
    }
}

pub async fn plan(context: &Context, args: super::Plan) -> Result<(), Failure> {
    let file = args.output.as_deref().map(|file| OutputFile::new(file, args.force)).transpose()?;
    let store = args.place.look(context).await?;
    let plan = make_plan(context, &*store, &args.adopt.into()).await?;
    args.caps.check(plan.changes() as u64, plan.orders)?;
    if let Some(file) = file {
        let text =
            serde_json::to_string(&plan).map_err(|error| Failure::other(error.to_string()))?;
        file.write(&Secret::from(text))?;
    }
    context.output.answer(&plan, || {
        if plan.steps.is_empty() {
            return "Nothing to do: all orders are done, parked or drifted.".to_owned();
        }
        let row = |step: &PlannedStep| {
            [&step.order, &step.customer, &step.profile, &step.what]
                .map(|text| plain(text))
                .to_vec()
        };
        let columns = [
            Column::Text("ORDER"),
            Column::Text("CUSTOMER"),
            Column::Text("PROFILE"),
            Column::Text("WHAT WOULD BE DONE"),
        ];
        let rows = table(&columns, plan.steps.iter().map(row).collect());
        format!("{rows}\n\n{} changes, {} orders in all.", plan.changes(), plan.orders)
    })
}

async fn make_plan(context: &Context, store: &dyn Store, rules: &Rules) -> Result<Plan, Failure> {
    let summary = store.summary().await.map_err(failed)?;
    let profiles = summary.counts.into_keys().map(|(profile, _)| profile).collect();
    let providers = open_providers(context, profiles, None).await?;
    Plan::make(store, &providers, rules).await.map_err(failed)
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    status: report::Status,
    /// The number of requests that this worker has sent for each operation.
    sent: std::collections::BTreeMap<&'static str, u64>,
}

pub async fn run(
    context: &Context,
    args: super::Run,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let sealer = args.key.sealer(context, false)?;
    let store = args.place.open().await?;
    let summary = store.summary().await.map_err(failed)?;
    match &args.plan {
        Some(file) => check_plan(&*store, file, args.caps).await?,
        None => args.caps.check(
            summary.count(OrderState::Pending) + summary.count(OrderState::Ambiguous),
            summary.total() - summary.count(OrderState::Released),
        )?,
    }
    for BudgetArgument { profile, operation, budget } in &args.budget {
        store.set_budget(profile, operation, Some(*budget)).await.map_err(failed)?;
    }
    let mut profiles: std::collections::BTreeSet<_> =
        summary.counts.keys().map(|(profile, _)| profile.clone()).collect();
    if args.service && profiles.is_empty() {
        profiles.insert(context.fleet_profile()?);
    }
    let lease = Duration::from_secs(args.lease);
    let providers = open_providers(context, profiles, Some(lease / 2)).await?;
    let mut rules = Rules::from(args.adopt);
    rules.sweep = (args.sweep > 0).then(|| Duration::from_secs(args.sweep.saturating_mul(3600)));
    let mut settings = WorkerSettings::new(worker_name());
    (settings.lease, settings.in_flight) = (lease, args.in_flight);
    let step = StepContext::new(sealer, rules);
    let worker = Worker::new(Arc::clone(&store), providers, step, settings);
    let until = if args.service { Until::Stopped } else { Until::NothingDue };
    let beside = async {
        if let Some(address) = args.metrics {
            metrics::serve(address, Arc::clone(&store), worker.clone()).await
        } else {
            std::future::pending().await
        }
    };
    notify("READY=1");
    tokio::select! {
        done = worker.run(until, stop) => done.map_err(failed)?,
        never = follow(context, &*store, &worker) => match never {},
        failure = beside => return Err(failure),
    }
    notify("STOPPING=1");
    let summary = store.summary().await.map_err(failed)?;
    let sent = worker.counters().sent;
    let answer = Answer { status: report::Status::of(&summary), sent };
    context.output.answer(&answer, || report::status_text(&summary))?;
    // The status has been printed; only the exit code says that some orders are not as ordered.
    let waits = [OrderState::Parked, OrderState::Drifted].map(|state| summary.count(state));
    if !summary.stopped.is_empty() {
        Err(Failure::answered(ErrorKind::Unauthorized.exit_code()))
    } else if !args.service && waits != [0, 0] {
        Err(Failure::answered(WAIT_FOR_A_PERSON))
    } else {
        Ok(())
    }
}

/// Shows the progress of the orders, and tells systemd that the service is alive.
async fn follow(context: &Context, store: &dyn Store, worker: &Worker) -> std::convert::Infallible {
    let all = store.summary().await.map_or(0, |summary| open_orders(&summary));
    let progress = context.output.progress(usize::try_from(all).unwrap_or(usize::MAX));
    let mut done = 0;
    let mut has_said_held = false;
    let mut next = Instant::now();
    loop {
        tokio::time::sleep(TICK).await;
        let asked = Instant::now();
        if asked < next {
            notify("WATCHDOG=1");
            continue;
        }
        let Ok(summary) = store.summary().await else { continue };
        next = Instant::now() + asked.elapsed() * COUNTING;
        if worker.counters().in_flight == 0 && !has_said_held {
            let held = report::held_text(summary.held, summary.held_until);
            has_said_held = held.is_some();
            held.into_iter().for_each(|held| context.output.note(&held));
        }
        let now = all.saturating_sub(open_orders(&summary));
        progress.begin(&format!("{} parked", summary.count(OrderState::Parked)));
        for _ in done..now {
            progress.step();
        }
        done = done.max(now);
        notify(&format!(
            "WATCHDOG=1\nSTATUS={} orders wait, {} are parked",
            open_orders(&summary),
            summary.count(OrderState::Parked)
        ));
    }
}

fn open_orders(summary: &Summary) -> u64 {
    summary.count(OrderState::Pending) + summary.count(OrderState::Ambiguous)
}

/// Fails if a plan no longer holds, or is larger than allowed.
async fn check_plan(store: &dyn Store, file: &Path, caps: Caps) -> Result<(), Failure> {
    let name = file.display().to_string();
    let again = command_line(&["fleet", "plan", "--force", "--output", &name], &[]);
    let again = format!("nothing was sent; make the plan again: {again}");
    let unusable = |what: String| Failure::usage(format!("{name} {what}")).hint(again.clone());
    let text = std::fs::read(file)
        .map_err(|error| unusable(format!("cannot be read: {}", reason(&error))))?;
    if text.trim_ascii().is_empty() {
        return Err(unusable("is empty".to_owned()));
    }
    let plan: Plan = serde_json::from_slice(&text).map_err(|error| match error.is_eof() {
        true => unusable("is cut off: a part of the plan is missing".to_owned()),
        false => unusable(format!("is not a plan: {error}")),
    })?;
    caps.check(plan.changes() as u64, plan.orders)?;
    let stale = plan.stale(store).await.map_err(failed)?;
    match stale.first() {
        None => Ok(()),
        Some(first) => {
            let detail = match stale.len() {
                1 => format!("order {first} changed since the plan was made"),
                all => {
                    format!("order {first} and {} more changed since the plan was made", all - 1)
                }
            };
            let error = Error::new(ErrorKind::InvalidRequest).with_detail(detail);
            Err(Failure::from(error).hint(again))
        }
    }
}

/// Returns a name that no other running process has.
fn worker_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "worker" } else { host.trim() };
    format!("{host}-{}", std::process::id())
}

fn notify(message: &str) {
    #[cfg(unix)]
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Custom(message)]);
    #[cfg(not(unix))]
    let _ = message;
}
