//! Measures reading lists of servers page by page, compared with bare reqwest and one document.

use std::path::Path;

use super::harness::{self, Server, Timing};
use super::{all, median, met, ratios, spread};

/// How many servers there are.
const SERVERS: u32 = 100_000;

/// How often each way is run.
const RUNS: usize = 5;

/// The ways to read them, by their names in `benches/`. The ratios are to the first one.
const WAYS: &[(&str, &str)] = &[
    ("reqwest", "bare reqwest, `Vec<Server>`, one document"),
    (PAGES, "750 a page"),
    (AHEAD, "750 a page, one ahead"),
    ("pages-100", "100 a page"),
    ("ahead-100", "100 a page, one ahead"),
];
const PAGES: &str = "pages-750";
const AHEAD: &str = "ahead-750";

/// A shorter list, for a caller that waits after each page, from a server that delays each page by this
/// many milliseconds.
const WAITED_FOR: u32 = 20_000;
const DELAY: u32 = 20;

/// The ways to read the shorter list.
const WAITS: &[(&str, &str)] =
    &[("pages_waiting-750", "page by page"), ("ahead_waiting-750", "one ahead")];

/// The goals: CPU time beside bare reqwest's, and memory in megabytes.
const CPU: f64 = 0.9;
const MEMORY: f64 = 1.5;

/// Builds the clients and measures them.
pub fn section(root: &Path) -> Result<String, String> {
    let program = harness::build(root, "peers")?;
    let counts = counts(root, &program)?;
    let server = Server::start(&program, 0)?;
    let mut text = format!("{INTRODUCTION}\n{counts}\n{TIMES}\n");
    let runs = turns_of(&server, &program, WAYS, SERVERS)?;
    for ((_, title), of) in WAYS.iter().zip(&runs) {
        text.push_str(&format!("| {title} | {} |\n", row(of, &runs[0])));
    }
    text.push('\n');
    for ((way, title), of) in WAYS.iter().zip(&runs) {
        text.push_str(&goal(way, title, of, &runs[0]));
    }
    text.push_str(&format!("\n{WAITS_OF}\n"));
    let late = Server::start(&program, DELAY)?;
    let runs = turns_of(&late, &program, WAITS, WAITED_FOR)?;
    for ((_, title), of) in WAITS.iter().zip(&runs) {
        let walls = spread(&all(of, |run| run.wall), 0);
        let ratio = median(&ratios(of, &runs[0], |run| run.wall));
        text.push_str(&format!("| {title} | {walls} | {ratio:.2} |\n"));
    }
    Ok(text)
}

const INTRODUCTION: &str = "\
100,000 of VPN Script's servers, some 260 bytes each, from a server on another core, over plain HTTP/1.1.
Bare reqwest reads them as one document: `serde_json::from_slice::<Vec<Server>>(&reply.bytes().await?)`
with nine `String`s a server. anyvpn reads them page by page, through `ServerConfigs::servers`, and each
server is dropped at once.
";

const TIMES: &str = "\
CPU time is the process's own and the kernel's work for it, on one core; memory is the process's peak
above what it had before the list, with its connection there. Medians of runs in turns, with the least
and the most. The server answers at once, so these figures show what the pages' round trips cost, but
not what reading ahead saves.

| how | CPU, ms | × reqwest | wall, ms | × reqwest | memory, MB | × reqwest |
|---|---|---|---|---|---|---|";

const WAITS_OF: &str = "\
What reading ahead saves: 20,000 servers in pages of 750, each of them 20 ms late, for a caller that
waits 20 ms for something else after each page.

| how | wall, ms | × page by page |
|---|---|---|";

/// Returns the table of instructions and allocations.
fn counts(root: &Path, program: &Path) -> Result<String, String> {
    const FEW: u32 = 1_000;
    const MORE: u32 = 6_000;
    let server = Server::start(program, 0)?;
    let mut text = "\
A server's share of 5,000:

| how | instructions | × reqwest | allocations | reallocations |
|---|---|---|---|---|
"
    .to_owned();
    let mut base = None;
    for (way, title) in WAYS.iter().filter(|(way, _)| ["reqwest", PAGES].contains(way)) {
        eprintln!("bench: instructions of {way}");
        let count = |servers: u32| server.count_list(root, program, way, servers);
        let cost = count(MORE)?.of_one(count(FEW)?, f64::from(MORE - FEW));
        let base = *base.get_or_insert(cost.instructions);
        text.push_str(&format!(
            "| {title} | {:.0} | {:.3} | {:.2} | {:.2} |\n",
            cost.instructions,
            cost.instructions / base,
            cost.allocations,
            cost.reallocations,
        ));
    }
    Ok(text)
}

/// Returns the times of each way, run by run.
fn turns_of(
    server: &Server,
    program: &Path,
    ways: &[(&str, &str)],
    length: u32,
) -> Result<Vec<Vec<Timing>>, String> {
    let mut runs: Vec<Vec<Timing>> = vec![Vec::new(); ways.len()];
    for turn in 0..RUNS {
        eprintln!("bench: {length} servers, turn {} of {RUNS}", turn + 1);
        for index in 0..ways.len() {
            let index = (index + turn) % ways.len();
            let mut command = harness::client(program);
            runs[index].push(server.time_list(&mut command, ways[index].0, length)?);
        }
    }
    Ok(runs)
}

/// Returns the figures of a table's row, and their ratios to the base of the same turns.
fn row(of: &[Timing], base: &[Timing]) -> String {
    format!(
        "{} | {} | {:.1} | {:.2} | {} | {:.2}",
        spread(&all(of, |it| it.cpu), 1),
        spread(&ratios(of, base, |it| it.cpu), 2),
        median(&all(of, |it| it.wall)),
        median(&ratios(of, base, |it| it.wall)),
        spread(&all(of, |it| it.memory), 2),
        median(&ratios(of, base, |it| it.memory)),
    )
}

/// Returns whether a way met its goals; empty if it has none.
fn goal(way: &str, title: &str, of: &[Timing], base: &[Timing]) -> String {
    let memory = median(&all(of, |run| run.memory));
    let memory = format!("{memory:.2} MB (goal {MEMORY:.1} MB: {})", met(memory <= MEMORY));
    let cpu = median(&ratios(of, base, |run| run.cpu));
    match way {
        PAGES => {
            let met = met(cpu <= CPU);
            format!("- {title}: {cpu:.2} × bare reqwest's CPU (goal {CPU:.1}: {met}), {memory}.\n")
        }
        AHEAD => format!("- {title}: {memory}.\n"),
        _ => String::new(),
    }
}
