//! The sandbox beside axum's first example.

use std::path::Path;

use super::harness::{self, Server, Timing};
use super::{Figures, all, median, met, ratios, spread};

const TURNS: usize = 15;
const REQUESTS: u32 = 30_000;
const IN_FLIGHT: u32 = 64;

/// The least throughput, as a share of that of axum's example.
const GOAL: f64 = 0.7;

/// Builds the servers and measures them.
pub fn section(root: &Path) -> Result<Figures, String> {
    let program = harness::build(root, "peers")?;
    let hello = Server::run(&program, &["hello"])?;
    let sandbox = Server::run(&program, &["sandbox"])?;
    let [token, device] = &sandbox.told[..] else {
        return Err("the sandbox has no account".to_owned());
    };
    let path = format!("/azire/v3/portforwardings?internal_ipv4={device}");
    let servers = [
        ("axum's hello-world", &hello, "/"),
        ("the sandbox's `list-port-forwards`", &sandbox, path.as_str()),
    ];
    // The server's CPU time of a request, and the client's times.
    let mut runs: [Vec<(f64, Timing)>; 2] = Default::default();
    for turn in 0..TURNS {
        eprintln!("bench: sandbox, turn {} of {TURNS}", turn + 1);
        for index in 0..servers.len() {
            let index = (index + turn) % servers.len();
            let (_, server, path) = servers[index];
            let mut command = harness::client(&program);
            command.args(["load", path, token]);
            let before = server.cpu()?;
            let timing = server.time(&mut command, REQUESTS, IN_FLIGHT)?;
            runs[index].push(((server.cpu()? - before) / f64::from(REQUESTS), timing));
        }
    }
    let mut text = format!(
        "The sandbox as everybody starts it, with an account whose device has a port, its state and its \
         log of 10,000 requests, which is full; beside axum's own first example, `get(async || \"Hello, \
         World!\")`. The same client sends bytes made before on {IN_FLIGHT} connections and costs less \
         than either server, so that the server's core is the one that is busy. {TURNS} runs of \
         {REQUESTS} requests each, in turns. What a server can serve is what its CPU time gives: the \
         wall time is that of both together and of whatever else the machine does.\n\n\
         | server | CPU of a request, µs | throughput × hello-world | wall time of a request, µs \
         | throughput × hello-world | the client's CPU, µs |\n|---|---|---|---|---|---|\n"
    );
    let mut throughput = f64::NAN;
    for ((title, ..), of) in servers.iter().zip(&runs) {
        throughput = median(&ratios(&runs[0], of, |it| it.0));
        text.push_str(&format!(
            "| {title} | {} | {} | {} | {} | {} |\n",
            spread(&all(of, |it| it.0), 1),
            spread(&ratios(&runs[0], of, |it| it.0), 2),
            spread(&all(of, |it| it.1.wall), 1),
            spread(&ratios(&runs[0], of, |it| it.1.wall), 2),
            spread(&all(of, |it| it.1.cpu), 1),
        ));
    }
    text.push_str(&format!(
        "\nThe goal for the sandbox is at least {GOAL} × the throughput of hello-world on the same core, \
         by its CPU time ({}).\n",
        met(throughput >= GOAL),
    ));
    Ok(text.into())
}
