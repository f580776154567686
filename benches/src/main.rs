//! What a call costs, beside other clients. `cargo xtask bench` runs it.
//!
//! `anyvpn-bench serve DELAY` prints its port and serves until its input ends, so many milliseconds
//! late. `anyvpn-bench CLIENT SHAPE PORT CALLS IN_FLIGHT` makes the calls and prints what they took in
//! all: CPU time and wall time in nanoseconds, and the process's peak of memory in KiB.
//! `anyvpn-bench list CLIENT PORT COUNT` reads one list of so many servers, and prints the same, the
//! memory above what the process had before.
//!
//! With the feature `peers`, `sandbox` is one more server, and `bulk CLIENT TOKEN DEVICE PORT CALLS
//! IN_FLIGHT` one more client. `fleet-sandbox CUSTOMERS SEED` and `ensure API_KEY SECRET_KEY PORT
//! CUSTOMERS IN_FLIGHT` are for `cargo xtask bench fleet`.

#[cfg(feature = "peers")]
mod bulk;
mod client;
#[cfg(feature = "peers")]
mod fleet;
#[cfg(feature = "peers")]
mod lists;
#[cfg(feature = "peers")]
mod sandbox;
mod server;

use std::cell::Cell;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::from).and_then(|runtime| {
        runtime.block_on(async {
            match arguments.as_slice() {
                ["serve", delay] => Ok(server::serve(Duration::from_millis(delay.parse()?)).await?),
                #[cfg(feature = "peers")]
                ["list", client, port, count] => lists::run(client, port, count.parse()?).await,
                #[cfg(feature = "peers")]
                ["sandbox"] => sandbox::serve().await,
                #[cfg(feature = "peers")]
                ["fleet-sandbox", customers, seed] => {
                    fleet::serve(customers.parse()?, seed.parse()?).await
                }
                [what @ .., port, calls, in_flight] => {
                    let plan = Plan {
                        base: format!("http://localhost:{port}"),
                        calls: calls.parse()?,
                        in_flight: in_flight.parse()?,
                    };
                    match what {
                        #[cfg(feature = "peers")]
                        ["bulk", client, token, device] => {
                            bulk::run(client, token, device, &plan).await
                        }
                        #[cfg(feature = "peers")]
                        ["ensure", api_key, secret_key] => {
                            fleet::ensure(api_key, secret_key, &plan).await
                        }
                        [client, shape] => client::run(client, shape.parse()?, &plan).await,
                        _ => Err("there is no such client in this build".into()),
                    }
                }
                _ => Err("serve DELAY, or CLIENT SHAPE PORT CALLS IN_FLIGHT".into()),
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// What one process does.
struct Plan {
    base: String,
    calls: u32,
    in_flight: u32,
}

impl Plan {
    /// Makes the calls, each of which must bring this answer, and prints what they took.
    async fn measure<F: Future<Output = u64>>(
        &self,
        answer: u64,
        call: impl Fn() -> F,
    ) -> Result<(), Failure> {
        measure(self.work(call), answer * u64::from(self.calls)).await
    }

    /// Makes the calls, so many at a time, and sums up what they bring.
    async fn work<F: Future<Output = u64>>(&self, call: impl Fn() -> F) -> u64 {
        let left = Cell::new(self.calls);
        let worker = || async {
            let mut sum = 0;
            while let Some(rest) = left.get().checked_sub(1) {
                left.set(rest);
                sum += call().await;
            }
            sum
        };
        match self.in_flight {
            1 => worker().await,
            many => join_all((0..many).map(|_| worker())).await.iter().sum(),
        }
    }
}

/// Does the work, and prints what it took. It must come to what is expected.
async fn measure(work: impl Future<Output = u64>, expected: u64) -> Result<(), Failure> {
    let (cpu, wall) = (cpu_time()?, Instant::now());
    let sum = work.await;
    let (cpu, wall) = (cpu_time()? - cpu, wall.elapsed());
    if sum != expected {
        return Err("a call did not bring what the server sent".into());
    }
    let (cpu, wall) = (cpu.as_nanos(), wall.as_nanos());
    writeln!(std::io::stdout(), "{cpu} {wall} {}", memory("VmHWM:")?)?;
    Ok(())
}

/// The CPU time of this process so far: its own and the kernel's work for it.
fn cpu_time() -> Result<Duration, Failure> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(sum))
}

/// A line of this process's status, in KiB: the memory that it has (`VmRSS:`) or had at most
/// (`VmHWM:`).
fn memory(name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.and_then(|line| line.split_whitespace().next()).ok_or(name)?.parse()?)
}
