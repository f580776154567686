//! A soak: all providers at full load for minutes, while some of all requests meet a fault.
//!
//! `cargo xtask soak --minutes N` builds and runs it. It prints its figures, and fails when an outcome
//! is not accounted for, when memory grows, or when a file stays open.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "its output is for the person who runs it, and it ends where the machine fails it"
)]

mod resources;
mod tally;
mod work;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use tokio::runtime::Builder;

use resources::Resources;
use tally::Tally;

/// Of a hundred requests, so many meet a fault.
const PERCENT: u8 = 5;

/// The part of the time in which memory is not watched yet: buffers and logs fill, up to their bounds.
const WARM_UP: u32 = 5;

/// How much memory may grow from the first third to the last, as a part of it.
const GROWTH: f64 = 0.05;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (minutes, workers) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--minutes", minutes] => (minutes.parse::<u64>(), Ok(64)),
        ["--minutes", minutes, "--workers", workers] => (minutes.parse(), workers.parse::<u64>()),
        _ => {
            eprintln!("Usage: soak --minutes N [--workers N]");
            return ExitCode::from(2);
        }
    };
    let (Ok(minutes), Ok(workers)) = (minutes, workers) else {
        eprintln!("--minutes and --workers take whole numbers");
        return ExitCode::from(2);
    };
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    if runtime.block_on(soak(Duration::from_secs(60 * minutes), workers)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs so many workers for so long, prints the figures, and says whether all is well.
async fn soak(time: Duration, workers: u64) -> bool {
    let sandbox = Sandbox::builder().seed(1).log_capacity(1000).start().await.unwrap();
    prepare(&sandbox);
    sandbox.inject(FaultRule { percent: PERCENT, ..FaultRule::always(Fault::Any) }).unwrap();
    let resources = Resources::watch(time / WARM_UP);
    let began = Instant::now();
    let end = began + time;
    let tally = {
        let works = (0..workers).map(|number| work::work(&sandbox, number, end));
        let tallies = futures_util::future::join_all(works).await;
        tallies.into_iter().fold(Tally::default(), Tally::and)
    };
    let took = began.elapsed();
    // Connections that were given up end as soon as the sandbox sees it.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let resources = resources.end();
    let (calls, faulted) = (tally.calls(), sandbox.faulted());
    let requests = sandbox.received().len() as u64 + sandbox.dropped();
    println!(
        "{:.1} minutes, {workers} workers: {calls} calls, {:.0} a second; {faulted} requests met a \
         fault ({:.1} % of {requests} requests)",
        took.as_secs_f64() / 60.0,
        calls as f64 / took.as_secs_f64(),
        100.0 * faulted as f64 / requests as f64,
    );
    print!("{tally}{resources}");
    let growth = resources.growth();
    let leaked = resources.files_left();
    for (wrong, what) in [
        (!tally.wrong().is_empty(), "an outcome is not accounted for".to_owned()),
        (growth > GROWTH, format!("memory grew by {:.1} %", 100.0 * growth)),
        (leaked > 0, format!("{leaked} files stay open")),
    ] {
        if wrong {
            eprintln!("{what}");
        }
    }
    tally.wrong().is_empty() && growth <= GROWTH && leaked <= 0
}

/// Room enough for the workers, so that a refusal is a fault's and not the account's.
fn prepare(sandbox: &Sandbox) {
    let vpnscript = sandbox.vpnscript();
    vpnscript.set_job_duration(Duration::ZERO);
    vpnscript.change_server(work::SERVER, |server| server.slots = 10_000);
}
