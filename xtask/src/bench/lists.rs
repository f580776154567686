//! Lists of any length, beside bare reqwest.

use std::path::Path;

use super::harness::{self, Server, Timing};
use super::{all, median, met, ratios, spread};

/// The ways to read one document, by their names in `benches/`. The ratios are to the first one.
const WAYS: &[(&str, &str)] = &[
    ("reqwest", "bare reqwest, `Vec<Server>`"),
    ("call", "anyvpn, `call`"),
    ("collect", "anyvpn, `stream` collected"),
    ("stream", "anyvpn, `stream`"),
];

/// How many servers, and how often each variant runs.
const LENGTHS: &[(u32, usize)] = &[(1_000, 5), (10_000, 5), (100_000, 5), (1_000_000, 3)];

/// The list that is read in pages.
const PAGED: u32 = 100_000;

/// The ways to read it.
const PAGES: &[(&str, &str)] = &[
    ("reqwest", "bare reqwest, `Vec<Server>`, one document"),
    ("pages-100000", "one page"),
    ("pages-1000", "1,000 a page"),
    ("ahead-1000", "1,000 a page, one ahead"),
    ("pages-100", "100 a page"),
    ("ahead-100", "100 a page, one ahead"),
];

/// The list that is read by a caller who waits behind each page, from a server that is so many milliseconds
/// late with each.
const WAITED_FOR: u32 = 20_000;
const DELAY: u32 = 20;

/// The ways to read that.
const WAITS: &[(&str, &str)] =
    &[("pages_waiting-1000", "page by page"), ("ahead_waiting-1000", "one ahead")];

/// The goals: CPU time beside bare reqwest's, and memory in megabytes or beside bare reqwest's.
const STREAM: (f64, f64) = (0.65, 1.0);
const COLLECT: (f64, f64) = (0.80, 0.67);
const PAGES_OF_1000: f64 = 0.9;
const PAGES_OF_100: f64 = 1.8;

/// Builds the clients and measures them.
pub fn section(root: &Path) -> Result<String, String> {
    let program = harness::build(root, "peers")?;
    let counts = counts(root, &program)?;
    let server = Server::start(&program, 0)?;
    let mut text = format!("{INTRODUCTION}\n{counts}\n### Times and memory\n\n{TIMES}\n");
    let mut goals = String::new();
    for &(length, turns) in LENGTHS {
        let runs = turns_of(&server, &program, WAYS, length, turns)?;
        for ((way, title), of) in WAYS.iter().zip(&runs) {
            text.push_str(&format!("| {length} | {title} | {} |\n", row(of, &runs[0])));
            if length == PAGED || length == 1_000_000 {
                goals.push_str(&goal(way, length, of, &runs[0]));
            }
        }
    }
    text.push_str(&format!("\n{goals}\n### Pages\n\n{PAGES_OF}\n"));
    let runs = turns_of(&server, &program, PAGES, PAGED, 5)?;
    for ((_, title), of) in PAGES.iter().zip(&runs) {
        text.push_str(&format!("| {title} | {} |\n", row(of, &runs[0])));
    }
    text.push('\n');
    for (way, most) in [("pages-1000", PAGES_OF_1000), ("pages-100", PAGES_OF_100)] {
        let place = PAGES.iter().position(|(it, _)| *it == way).unwrap_or_default();
        let cpu = median(&ratios(&runs[place], &runs[0], |it| it.cpu));
        text.push_str(&format!(
            "- {}: {cpu:.2} × the CPU of bare reqwest's document (goal {most:.1}: {}).\n",
            PAGES[place].1,
            met(cpu <= most)
        ));
    }
    text.push_str(&format!("\n{WAITS_OF}\n"));
    let late = Server::start(&program, DELAY)?;
    let runs = turns_of(&late, &program, WAITS, WAITED_FOR, 5)?;
    for ((_, title), of) in WAITS.iter().zip(&runs) {
        let walls = spread(&all(of, |it| it.wall), 0);
        let ratio = median(&ratios(of, &runs[0], |it| it.wall));
        text.push_str(&format!("| {title} | {walls} | {ratio:.2} |\n"));
    }
    Ok(text)
}

const INTRODUCTION: &str = "\
VPN Script's `list-servers`, some 260 bytes a server, made on the way by a server on another core, over
plain HTTP/1.1. Bare reqwest is `serde_json::from_slice::<Vec<Server>>(&reply.bytes().await?)` with nine
`String`s a server; anyvpn's `Server` has eight `CompactString`s and a protocol, and four numbers as well.
`call` reads the whole reply and judges it; `stream` gives each server as soon as it has arrived, and here it is dropped
then. anyvpn's bounds on a reply's size are lifted: by default it ends at 16 MiB.
";

const TIMES: &str = "\
CPU time is the process's own and the kernel's work for it, on one core; memory is the process's peak
above what it had before the list, with its connection there. Medians of runs in turns, with the least
and the most.

| servers | client | CPU, ms | × reqwest | wall, ms | × reqwest | memory, MB | × reqwest |
|---|---|---|---|---|---|---|---|";

const PAGES_OF: &str = "\
100,000 servers through the neutral `ServerConfigs::servers`, each dropped at once, from a server without
delay: what a page's round trip costs beside the network is all that is seen here, and nothing of what
reading ahead saves.

| how | CPU, ms | × reqwest | wall, ms | × reqwest | memory, MB | × reqwest |
|---|---|---|---|---|---|---|";

const WAITS_OF: &str = "\
What reading ahead saves: 20,000 servers in pages of 1,000, each of them 20 ms late, for a caller that
waits 20 ms for something else behind each page.

| how | wall, ms | × page by page |
|---|---|---|";

/// The table of instructions and allocations.
fn counts(root: &Path, program: &Path) -> Result<String, String> {
    const FEW: u32 = 1_000;
    const MORE: u32 = 6_000;
    let server = Server::start(program, 0)?;
    let mut text = "\
### Instructions and allocations of one server

A server's share of 5,000 in one list.

| client | instructions | × reqwest | allocations | reallocations |
|---|---|---|---|---|
"
    .to_owned();
    let mut base = None;
    for (way, title) in WAYS {
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

/// What each way took, run by run.
fn turns_of(
    server: &Server,
    program: &Path,
    ways: &[(&str, &str)],
    length: u32,
    turns: usize,
) -> Result<Vec<Vec<Timing>>, String> {
    let mut runs: Vec<Vec<Timing>> = vec![Vec::new(); ways.len()];
    for turn in 0..turns {
        eprintln!("bench: {length} servers, turn {} of {turns}", turn + 1);
        for index in 0..ways.len() {
            let index = (index + turn) % ways.len();
            let mut command = harness::client(program);
            runs[index].push(server.time_list(&mut command, ways[index].0, length)?);
        }
    }
    Ok(runs)
}

/// The figures of a table's row, and their ratios to the base's of the same turns.
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

/// Whether a way met its goals; nothing for one that has none.
fn goal(way: &str, length: u32, of: &[Timing], base: &[Timing]) -> String {
    let cpu = median(&ratios(of, base, |it| it.cpu));
    match way {
        "stream" => {
            let memory = median(&all(of, |it| it.memory));
            let (most, megabytes) = STREAM;
            format!(
                "- `stream` of {length}: {cpu:.2} × the CPU (goal {most:.2}: {}), {memory:.2} MB (goal \
                 {megabytes:.2} MB: {}).\n",
                met(cpu <= most),
                met(memory <= megabytes)
            )
        }
        "collect" => {
            let memory = median(&ratios(of, base, |it| it.memory));
            let (most, share) = COLLECT;
            format!(
                "- `stream` of {length} collected: {cpu:.2} × the CPU (goal {most:.2}: {}), \
                 {memory:.2} × the memory (goal {share:.2}: {}).\n",
                met(cpu <= most),
                met(memory <= share)
            )
        }
        _ => String::new(),
    }
}
