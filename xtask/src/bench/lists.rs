//! Lists of any length, beside bare reqwest.

use std::path::Path;

use super::harness::{self, Server, Timing};
use super::{median, spread};

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
    ("pages-100000", "all at once"),
    ("pages-1000", "1,000 a page"),
    ("ahead-1000", "1,000 a page, one ahead"),
    ("pages-100", "100 a page"),
    ("ahead-100", "100 a page, one ahead"),
];

/// The goals: CPU time beside bare reqwest's, and memory in megabytes or beside bare reqwest's.
const STREAM: (f64, f64) = (0.65, 1.0);
const COLLECT: (f64, f64) = (0.80, 0.67);

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
    Ok(text)
}

const INTRODUCTION: &str = "\
VPN Script's `list-servers`, some 260 bytes a server, made on the way by a server on another core, over
plain HTTP/1.1. Bare reqwest is `serde_json::from_slice::<Vec<Server>>(&reply.bytes().await?)` with nine
`String`s a server; anyvpn's `Server` has four numbers as well, and a protocol for a text. `call` reads the
whole reply and judges it; `stream` gives each server as soon as it has arrived, and here it is dropped
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

| how | CPU, ms | × all at once | wall, ms | × all at once | memory, MB | × all at once |
|---|---|---|---|---|---|---|";

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
    let all = |value: fn(&Timing) -> f64| of.iter().map(value).collect::<Vec<_>>();
    let ratios = |value: fn(&Timing) -> f64| {
        let pairs = of.iter().zip(base);
        pairs.map(|(it, base)| value(it) / value(base)).collect::<Vec<_>>()
    };
    format!(
        "{} | {} | {:.1} | {:.2} | {} | {:.2}",
        spread(&all(|it| it.cpu), 1),
        spread(&ratios(|it| it.cpu), 2),
        median(&all(|it| it.wall)),
        median(&ratios(|it| it.wall)),
        spread(&all(|it| it.memory), 2),
        median(&ratios(|it| it.memory)),
    )
}

/// Whether a way met its goals; nothing for one that has none.
fn goal(way: &str, length: u32, of: &[Timing], base: &[Timing]) -> String {
    let ratio = |value: fn(&Timing) -> f64| {
        median(&of.iter().zip(base).map(|(it, base)| value(it) / value(base)).collect::<Vec<_>>())
    };
    let cpu = ratio(|it| it.cpu);
    let word = |is: f64, most: f64| if is <= most { "met" } else { "not met" };
    match way {
        "stream" => {
            let memory = median(&of.iter().map(|it| it.memory).collect::<Vec<_>>());
            let (most, megabytes) = STREAM;
            format!(
                "- `stream` of {length}: {cpu:.2} × the CPU (goal {most:.2}: {}), {memory:.2} MB (goal \
                 {megabytes:.2} MB: {}).\n",
                word(cpu, most),
                word(memory, megabytes)
            )
        }
        "collect" => {
            let memory = ratio(|it| it.memory);
            let (most, share) = COLLECT;
            format!(
                "- `stream` of {length} collected: {cpu:.2} × the CPU (goal {most:.2}: {}), \
                 {memory:.2} × the memory (goal {share:.2}: {}).\n",
                word(cpu, most),
                word(memory, share)
            )
        }
        _ => String::new(),
    }
}
