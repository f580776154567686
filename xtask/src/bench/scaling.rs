//! The cost of a call by how many are in flight, and to how many providers.

use std::path::Path;

use super::harness::{self, LATE, Server, Timing};
use super::picture::{Line, Picture};
use super::{Figures, all, median, spread};

/// What is called, by its name in `benches/`. The last one is all the others in turns.
const PROVIDERS: [(&str, &str); 4] =
    [("azire", "AzireVPN"), ("vpngn", "VPNGN"), ("vpnscript", "VPN Script"), ("all", "all three")];

/// So many in flight, and calls of a timed run: so many that the connections, one for each in flight,
/// are no part of what is measured.
const IN_FLIGHT: [(u32, u32); 4] = [(1, 4_000), (10, 20_000), (100, 20_000), (1_000, 100_000)];

/// Of the first of these, instructions are counted. With more in flight it takes minutes, and chance
/// decides how many connections there are.
const COUNTED: usize = 3;

const TURNS: usize = 5;

/// The picture's file on the page.
const PICTURE: &str = "scaling.svg";

/// Builds the clients and measures them.
pub fn section(root: &Path) -> Result<Figures, String> {
    let program = harness::build(root, "peers")?;
    let counts = counts(root, &program, &Server::start(&program, LATE)?)?;
    let times = times(&program, &Server::start(&program, 0)?)?;
    let each = |value: fn(&Timing) -> f64, decimals: usize| {
        rows(times.len(), |provider, place| spread(&all(&times[place][provider], value), decimals))
    };
    let text = format!(
        "One process, and in it the client of one provider, or those of all three whose calls take \
         turns: AzireVPN's `list-port-forwards` (a GET with a query), VPNGN's `get-products` (a form) \
         and VPN Script's `get-account` (a GET), from the server of [One call](#one-call). So many calls \
         are in flight in all, on as many connections, whose making counts too. {TURNS} runs in turns, of \
         20,000 calls; of 4,000 one after the other, and of 100,000 with 1,000 in flight.\n\n\
         ![CPU time of a call by how many are in flight, a line for each provider and one for all \
         three]({PICTURE})\n\n\
         ### CPU time of a call, µs\n\n{}\n### Wall time of a call, µs\n\n{}\n\
         ### Instructions of a call\n\nThe share of 1,000 calls, after the connections are there.\n\n{}\n\
         The three together have {} × the mean CPU time of the three alone.\n",
        each(|it| it.cpu, 1),
        each(|it| it.wall, 1),
        rows(counts.len(), |provider, place| format!("{:.0}", counts[place][provider])),
        IN_FLIGHT
            .iter()
            .zip(&times)
            .map(|((in_flight, _), of)| {
                let cpu = |provider: usize| median(&all(&of[provider], |it| it.cpu));
                let mean = (cpu(0) + cpu(1) + cpu(2)) / 3.0;
                format!("{:.2} (with {in_flight} in flight)", cpu(3) / mean)
            })
            .collect::<Vec<_>>()
            .join(", "),
    );
    let line = |provider: usize| Line {
        name: PROVIDERS[provider].1,
        points: (IN_FLIGHT.iter().zip(&times))
            .map(|((in_flight, _), of)| {
                (f64::from(*in_flight), median(&all(&of[provider], |it| it.cpu)))
            })
            .collect(),
    };
    let picture = Picture {
        title: "What a call costs",
        across: "calls in flight",
        upwards: "CPU time of a call, µs",
        lines: (0..PROVIDERS.len()).map(line).collect(),
    };
    Ok(Figures { text, picture: Some((PICTURE, picture.svg())) })
}

/// A table of all providers by the first so many numbers in flight.
fn rows(places: usize, cell: impl Fn(usize, usize) -> String) -> String {
    let titles = PROVIDERS.map(|(_, title)| title).join(" | ");
    let mut text = format!("| in flight | {titles} |\n|---|{}\n", "---|".repeat(PROVIDERS.len()));
    for (place, (in_flight, _)) in IN_FLIGHT.iter().enumerate().take(places) {
        let cells: Vec<String> = (0..PROVIDERS.len()).map(|it| cell(it, place)).collect();
        text.push_str(&format!("| {in_flight} | {} |\n", cells.join(" | ")));
    }
    text
}

/// Instructions, by how many are in flight and by provider.
fn counts(root: &Path, program: &Path, server: &Server) -> Result<Vec<Vec<f64>>, String> {
    let count = |in_flight: u32, provider: &str| {
        eprintln!("bench: instructions of {provider}, {in_flight} in flight");
        let cost = server.cost_of_many(root, program, &["scaling", provider], in_flight)?;
        Ok(cost.instructions)
    };
    IN_FLIGHT
        .iter()
        .take(COUNTED)
        .map(|(in_flight, _)| PROVIDERS.iter().map(|it| count(*in_flight, it.0)).collect())
        .collect()
}

/// Times, by how many are in flight and by provider.
fn times(program: &Path, server: &Server) -> Result<Vec<Vec<Vec<Timing>>>, String> {
    let mut runs = vec![vec![Vec::new(); PROVIDERS.len()]; IN_FLIGHT.len()];
    for turn in 0..TURNS {
        eprintln!("bench: scaling, turn {} of {TURNS}", turn + 1);
        for ((in_flight, calls), of) in IN_FLIGHT.iter().zip(&mut runs) {
            for index in 0..PROVIDERS.len() {
                let index = (index + turn) % PROVIDERS.len();
                let mut command = harness::client(program);
                command.args(["scaling", PROVIDERS[index].0]);
                of[index].push(server.time(&mut command, *calls, *in_flight)?);
            }
        }
    }
    Ok(runs)
}
