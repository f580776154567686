//! Measures one small call, compared with other clients.

use std::path::Path;

use super::callgrind::Cost;
use super::harness::{self, LATE, Server, Timing};
use super::{all, median, met, ratios, spread};

/// The clients, by their names in `benches/`. The ratios are to the one named [`BASE`].
const CLIENTS: &[(&str, &str)] =
    &[("reqwest", "bare reqwest"), ("anyvpn", "anyvpn"), ("anyvpn-fmt", "anyvpn, INFO formatted")];

const BASE: &str = "reqwest";

/// The goals: our clients, their titles, and their instructions relative to bare reqwest's. They must
/// not allocate more than it does.
const GOALS: &[(&str, &str, f64)] =
    &[("anyvpn", "with tracing off", 1.0), ("anyvpn-fmt", "with INFO formatted", 1.05)];

/// The calls, by their names in `benches/`.
pub const SHAPES: &[(&str, &str)] = &[("get", "GET"), ("json", "JSON POST"), ("form", "form POST")];

/// How often each timed variant runs.
const TURNS: usize = 5;

/// Calls of a timed run, one after the other. The section `bulk` has many in flight.
const CALLS: u32 = 4_000;

/// Builds the clients and measures them.
pub fn section(root: &Path) -> Result<String, String> {
    let program = harness::build(root, "peers")?;
    let counts = counts(root, &program, &Server::start(&program, LATE)?)?;
    let times = times(&program, &Server::start(&program, 0)?)?;
    Ok(format!("{INTRODUCTION}\n{counts}{times}"))
}

const INTRODUCTION: &str = "\
The same three calls by each client: AzireVPN's `list-port-forwards` (a GET with a query and a bearer
token), its `create-port-forward` (a POST with JSON) and VPNGN's `get-products` (a POST with a form that
holds two keys). Each reads the same reply, of some 170 bytes and eight headers, into the same typed
values, over plain HTTP/1.1 with a connection that is kept, from a server by the name `localhost`.
All Rust clients are one program, so that they share one build of reqwest (TLS, JSON, forms and
queries on; the rest off) and of hyper. Bare reqwest is what its own examples do:
`client.get(format!(…)).query(…).bearer_auth(…).send().await?.error_for_status()?.json().await?`. It has
no time-out, no bound on the reply, no repeats; anyvpn has all of them, and its tracing is compiled
in. The last row has `tracing_subscriber::fmt` at INFO without colours, writing to nowhere.
";

/// Returns the table of instructions and allocations.
fn counts(root: &Path, program: &Path, server: &Server) -> Result<String, String> {
    let mut costs = Vec::new();
    for (client, _) in CLIENTS {
        eprintln!("bench: instructions of {client}");
        let of = SHAPES.iter().map(|(shape, _)| server.cost(root, program, &[client, shape]));
        costs.push(of.collect::<Result<Vec<Cost>, String>>()?);
    }
    let base = CLIENTS.iter().position(|(client, _)| *client == BASE).unwrap_or_default();
    let mut text = "\
### Instructions and allocations of one call

A call's share of 1000 calls, one after the other. `46 + 11` means 46 allocations and 11
reallocations.

| client |"
        .to_owned();
    for (_, shape) in SHAPES {
        text.push_str(&format!(" {shape}: instructions | × reqwest | allocations |"));
    }
    text.push_str(&format!("\n|---|{}\n", "---|".repeat(3 * SHAPES.len())));
    for ((_, title), of) in CLIENTS.iter().zip(&costs) {
        text.push_str(&format!("| {title} |"));
        for (cost, base) in of.iter().zip(&costs[base]) {
            text.push_str(&format!(
                " {:.0} | {:.3} | {:.0} + {:.0} |",
                cost.instructions,
                cost.instructions / base.instructions,
                cost.allocations,
                cost.reallocations,
            ));
        }
        text.push('\n');
    }
    text.push('\n');
    for (client, how, most) in GOALS {
        let of = CLIENTS.iter().position(|(it, _)| it == client).unwrap_or_default();
        let pairs = || costs[of].iter().zip(&costs[base]);
        let dearest =
            pairs().map(|(it, base)| it.instructions / base.instructions).fold(0.0, f64::max);
        let allocated = |it: &Cost| it.allocations + it.reallocations;
        let fewer = pairs().all(|(it, base)| allocated(it) <= allocated(base));
        text.push_str(&format!(
            "- anyvpn {how}: at most {dearest:.3} × the instructions (goal {most:.2}: {}), and no more \
             allocations with reallocations: {}.\n",
            met(dearest <= *most),
            met(fewer)
        ));
    }
    Ok(text)
}

/// Returns the table of times and memory.
fn times(program: &Path, server: &Server) -> Result<String, String> {
    let mut runs: Vec<Vec<Timing>> = vec![Vec::new(); CLIENTS.len()];
    for turn in 0..TURNS {
        eprintln!("bench: one GET, turn {} of {TURNS}", turn + 1);
        // Each turn begins with another client, so that no client always has the same neighbours.
        for index in 0..CLIENTS.len() {
            let index = (index + turn) % CLIENTS.len();
            let mut command = harness::client(program);
            command.args([CLIENTS[index].0, "get"]);
            runs[index].push(server.time(&mut command, CALLS, 1)?);
        }
    }
    let base = CLIENTS.iter().position(|(client, _)| *client == BASE).unwrap_or_default();
    let mut text = format!(
        "\n### Times of one GET\n\n\
         CPU time is the process's own and the kernel's work for it, on one core; the server has \
         another one. {TURNS} runs of {CALLS} calls each, in turns.\n\n\
         | client | CPU, µs | × reqwest | wall, µs | × reqwest | peak of memory, MB |\n\
         |---|---|---|---|---|---|\n"
    );
    for ((_, title), of) in CLIENTS.iter().zip(&runs) {
        text.push_str(&format!(
            "| {title} | {} | {} | {} | {:.2} | {:.1} |\n",
            spread(&all(of, |it| it.cpu), 1),
            spread(&ratios(of, &runs[base], |it| it.cpu), 2),
            spread(&all(of, |it| it.wall), 1),
            median(&ratios(of, &runs[base], |it| it.wall)),
            median(&all(of, |it| it.memory)),
        ));
    }
    Ok(text)
}
