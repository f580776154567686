//! Measures `anyvpn fleet`, compared with `bulk` without a journal, and with lost answers and killed workers.

mod sandbox;
mod workers;

use std::fs;
use std::path::{Path, PathBuf};

use anyvpn_core::SplitMix64;

use self::sandbox::Sandbox;
use self::workers::{Fleet, Run};
use super::postgres::{self, Server};
use super::process::cpu_of_family;
use super::{harness, met};
use crate::cargo;

/// The number of orders in PostgreSQL, unless `ANYVPN_BENCH_ORDERS` sets another one.
const ORDERS: u64 = 100_000;
/// How many times fewer orders SQLite gets.
const FEWER: u64 = 5;
/// In the end, one in this many orders gets another plan, and one in this many is closed.
const CHANGED: u32 = 10;
const CLOSED: u32 = 20;
/// How many answers are lost, in percent.
const LOST: u32 = 30;
/// How many orders each worker has in flight, and how many calls `bulk` has.
const IN_FLIGHT: u32 = 64;
/// The least throughput, as a share of `bulk`'s.
const GOAL: f64 = 0.3;
/// How much more memory a worker may have at the end than at a tenth of the orders.
const FLAT: f64 = 1.1;

/// A database and its workers.
struct Setup {
    title: &'static str,
    workers: usize,
    orders: u32,
    server: Option<Server>,
}

/// The measurements for one line of a table.
struct Line {
    orders: u32,
    calls: f64,
    /// CPU time of the database's server in seconds.
    database: f64,
    run: Run,
}

/// Builds the command and runs everything.
pub fn section(root: &Path) -> Result<String, String> {
    let orders = number("ANYVPN_BENCH_ORDERS")?.unwrap_or(ORDERS);
    let seed = number("ANYVPN_BENCH_SEED")?.unwrap_or(1);
    let size = |orders: u64| u32::try_from(orders).map_err(|e| format!("{orders} orders: {e}"));
    eprintln!(
        "bench: fleet, {orders} orders, seed {seed} (ANYVPN_BENCH_ORDERS, ANYVPN_BENCH_SEED)"
    );
    cargo::run(&["build", "--release", "--locked", "--bin", "anyvpn"], &[])?;
    let peer = harness::build(root, "peers")?;
    let programs =
        postgres::programs().ok_or("there is no postgres: apt-get install postgresql")?;
    let setups = [
        Setup {
            title: "PostgreSQL, 8 workers",
            workers: 8,
            orders: size(orders)?,
            server: Some(Server::start(programs, &[])?),
        },
        Setup {
            title: "SQLite, 1 worker",
            workers: 1,
            orders: size(orders / FEWER)?,
            server: None,
        },
    ];
    let bench = Bench {
        anyvpn: root.join("target/release/anyvpn"),
        peer,
        home: root.join("target/bench/fleet"),
        seed,
    };
    let (mut calm, mut adverse, mut goals) = (String::new(), String::new(), String::new());
    let mut random = SplitMix64::new(seed);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    for setup in &setups {
        let mut sandbox = bench.sandbox(setup)?;
        eprintln!("bench: {} customers with bulk", setup.orders);
        let bulk = sandbox.bulk(setup.orders, IN_FLIGHT)?;
        let calls = sandbox.calls()? / f64::from(setup.orders);
        let of_bulk = f64::from(setup.orders) / (bulk.wall / 1e3);
        calm.push_str(&format!(
            "| `bulk`, no journal | {} | {:.1} | {of_bulk:.0} | 1.00 | {calls:.2} | {:.0} | | | {:.1} |\n",
            setup.orders,
            bulk.wall / 1e3,
            bulk.cpu * 1e3 / f64::from(setup.orders),
            bulk.memory,
        ));
        eprintln!("bench: {}, nothing lost", setup.title);
        let line = bench.calm(setup)?;
        let throughput = f64::from(line.orders) / line.run.seconds;
        let [early, late] = line.run.memory;
        calm.push_str(&format!(
            "| {} | {} | {:.1} | {throughput:.0} | {:.2} | {} | {:.1} | {:.1} |\n",
            setup.title,
            line.orders,
            line.run.seconds,
            throughput / of_bulk,
            line.costs(setup),
            early / 1e6,
            late / 1e6,
        ));
        goals.push_str(&format!(
            "- {}: {:.2} × the throughput of `bulk` (goal {GOAL}: {}); memory at the end {:.2} × that at a \
             tenth of the orders (goal {FLAT}: {}).\n",
            setup.title,
            throughput / of_bulk,
            met(throughput >= GOAL * of_bulk),
            late / early,
            met(late <= early * FLAT),
        ));
        eprintln!("bench: {}, with losses and kills", setup.title);
        for (what, line) in bench.adverse(setup, &mut random)? {
            adverse.push_str(&format!(
                "| {} | {} {what} | {:.1} | {:.0} | {} | {} | {:.1} |\n",
                setup.title,
                line.orders,
                line.run.seconds,
                f64::from(line.orders) / line.run.seconds,
                line.run.kills,
                line.costs(setup),
                line.run.memory[1] / 1e6,
            ));
        }
    }
    Ok(format!(
        "Orders become customers at the sandbox's VPNGN by `anyvpn fleet run --service --lease 10 --in-flight \
         {IN_FLIGHT}`. Beside it, one process makes as many customers with `bulk` of `ensure_client`, {IN_FLIGHT} \
         in flight and no journal. Workers, database and sandbox share the machine's cores; its load was \
         {load} when we began. PostgreSQL is Debian's package with its own settings; SQLite has \
         `synchronous=FULL`. An intent is on the disk before its call is sent, and steps that commit at the \
         same time share a transaction. The time is from the start of the workers until all orders are done; \
         the import is before it.\n\n\
         Nothing is lost and nobody is killed:\n\n\
         | what | orders | time, s | orders a second | × `bulk` | calls a customer | CPU of the workers an \
         order, µs | CPU of the server an order, µs | memory of a worker, MB: at a tenth | at the end |\n\
         |---|---|---|---|---|---|---|---|---|---|\n{calm}\n{goals}\n\
         The sandbox loses {LOST} % of all answers after it did the work, and a random worker gets SIGKILL \
         each second (seed {seed}). The orders of a killed worker wait until its lease is over; a lost call \
         that cannot be seen is sent again after two settle times of 15 s.\n\n\
         | what | orders | time, s | orders a second | kills | calls an order | CPU of the workers an order, \
         µs | CPU of the server an order, µs | largest memory of a worker, MB |\n\
         |---|---|---|---|---|---|---|---|---|\n{adverse}\n\
         After each run, every customer had been created exactly once and had the plan that the order says, \
         or was closed; there were no others; and every order was done. Otherwise the command would have failed.\n",
    ))
}

fn number(variable: &str) -> Result<Option<u64>, String> {
    let text = std::env::var(variable).ok();
    text.map(|text| text.parse().map_err(|e| format!("{variable}: {e}"))).transpose()
}

impl Line {
    /// Returns the columns for calls, CPU of the workers and CPU of the server, each for one order.
    fn costs(&self, setup: &Setup) -> String {
        let orders = f64::from(self.orders);
        let server = self.database * 1e6 / orders;
        let server = setup.server.as_ref().map_or_else(String::new, |_| format!("{server:.0}"));
        let (calls, cpu) = (self.calls / orders, self.run.cpu * 1e6 / orders);
        format!("{calls:.2} | {cpu:.0} | {server}")
    }
}

struct Bench {
    anyvpn: PathBuf,
    peer: PathBuf,
    home: PathBuf,
    seed: u64,
}

impl Bench {
    fn sandbox(&self, setup: &Setup) -> Result<Sandbox, String> {
        Sandbox::start(&self.peer, setup.orders, self.seed)
    }

    /// Creates an empty database with this name, and a sandbox.
    fn fleet(&self, setup: &Setup, name: &str) -> Result<(Fleet, Sandbox), String> {
        let _ = fs::remove_dir_all(&self.home);
        fs::create_dir_all(&self.home).map_err(|e| format!("{}: {e}", self.home.display()))?;
        let database = match &setup.server {
            Some(server) => server.database(name)?,
            None => format!("sqlite:{}", self.home.join(name).display()),
        };
        let (anyvpn, home) = (self.anyvpn.clone(), self.home.clone());
        let fleet = Fleet { anyvpn, home, database, workers: setup.workers, in_flight: IN_FLIGHT };
        Ok((fleet, self.sandbox(setup)?))
    }

    /// Measures new customers while nothing is lost and no worker is killed.
    fn calm(&self, setup: &Setup) -> Result<Line, String> {
        let (fleet, mut sandbox) = self.fleet(setup, "calm")?;
        let orders = Orders { all: setup.orders, are_changed: false };
        measure(setup, &fleet, &mut sandbox, &orders, None)
    }

    /// Measures new customers, and then changes, while answers are lost and workers are killed.
    fn adverse(
        &self,
        setup: &Setup,
        random: &mut SplitMix64,
    ) -> Result<[(&'static str, Line); 2], String> {
        let (fleet, mut sandbox) = self.fleet(setup, "adverse")?;
        sandbox.lose(LOST)?;
        let mut run = |are_changed| {
            let orders = Orders { all: setup.orders, are_changed };
            measure(setup, &fleet, &mut sandbox, &orders, Some(random))
        };
        Ok([("new customers", run(false)?), ("changes of plan and closings", run(true)?)])
    }
}

/// Imports orders, lets the workers fulfil them, and checks each customer.
fn measure(
    setup: &Setup,
    fleet: &Fleet,
    sandbox: &mut Sandbox,
    orders: &Orders,
    kills: Option<&mut SplitMix64>,
) -> Result<Line, String> {
    let (count, text) = orders.file();
    fleet.import(sandbox, &text)?;
    let server =
        || setup.server.as_ref().map_or(Ok(0.0), |server| cpu_of_family(server.process.id()));
    let (calls, database) = (sandbox.calls()?, server()?);
    let run = fleet.run(sandbox, kills)?;
    let (calls, database) = (sandbox.calls()? - calls, server()? - database);
    orders.check(fleet, sandbox)?;
    Ok(Line { orders: count, calls, database, run })
}

/// The orders of a database, before or after some of them changed.
struct Orders {
    all: u32,
    are_changed: bool,
}

impl Orders {
    /// Returns the plan that an order's customer must have, or `closed`.
    fn wanted(&self, order: u32) -> &'static str {
        match order {
            _ if !self.are_changed => "12",
            order if order <= self.all / CHANGED => "24",
            order if order <= self.all / CHANGED + self.all / CLOSED => "closed",
            _ => "12",
        }
    }

    /// Returns the number of new or changed orders, and a file with them.
    fn file(&self) -> (u32, String) {
        let mut file = "id,key,plan,country,wanted,revision\n".to_owned();
        let mut count = 0;
        for order in 1..=self.all {
            let (plan, wanted, revision) = match self.wanted(order) {
                "closed" => ("12", "closed", 2),
                "24" => ("24", "active", 2),
                _ if self.are_changed => continue,
                plan => (plan, "active", 1),
            };
            count += 1;
            file.push_str(&format!("{order},{},{plan},US,{wanted},{revision}\n", email(order)));
        }
        (count, file)
    }

    fn check(&self, fleet: &Fleet, sandbox: &mut Sandbox) -> Result<(), String> {
        let mut open = 0;
        for order in 1..=self.all {
            let wanted = format!("1 {}", self.wanted(order));
            open += u32::from(!wanted.ends_with("closed"));
            let customer = sandbox.customer(&email(order))?;
            if customer != wanted {
                let told = fleet.explain(sandbox, &order.to_string());
                return Err(format!(
                    "the customer of order {order} is {customer:?} and not {wanted:?}; {told}"
                ));
            }
        }
        let customers = sandbox.customers()?;
        match customers == open.to_string() {
            true => Ok(()),
            false => Err(format!("there are {customers} customers, and not {open}")),
        }
    }
}

fn email(order: u32) -> String {
    format!("c{order}@mail.example")
}

#[cfg(test)]
mod tests {
    use super::Orders;

    #[test]
    fn changes_name_only_the_orders_that_change() {
        let new = Orders { all: 40, are_changed: false };
        assert_eq!(new.file().0, 40);
        let changed = Orders { all: 40, are_changed: true };
        let (count, file) = changed.file();
        assert_eq!((count, file.lines().count()), (6, 7));
        assert!(file.contains("\n4,c4@mail.example,24,US,active,2\n"), "{file}");
        assert!(file.contains("\n6,c6@mail.example,12,US,closed,2\n"), "{file}");
        assert_eq!(changed.wanted(7), "12");
    }
}
