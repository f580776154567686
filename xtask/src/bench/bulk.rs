//! Measures many calls to the sandbox, by hand with reqwest and with anyvpn's `bulk`.

use std::path::Path;

use super::harness::{self, Server, Timing};
use super::{all, median, met, ratios, spread};

const CLIENTS: [(&str, &str); 2] = [("reqwest", "bare reqwest"), ("anyvpn", "anyvpn's `bulk`")];
const TURNS: usize = 9;
const IN_FLIGHT: u32 = 64;

/// Calls of a run; the memory of the one is compared with that of the other.
const FEWER: u32 = 10_000;
const CALLS: u32 = 100_000;

/// The minimum throughput, as a share of bare reqwest's.
const GOAL: f64 = 0.9;

/// How much more memory ten times as many calls may take: about a page of the allocator.
const FLAT: f64 = 1.05;

/// Builds the clients and measures them.
pub fn section(root: &Path) -> Result<String, String> {
    let program = harness::build(root, "peers")?;
    let server = Server::run(&program, &["sandbox"])?;
    let [token, device] = &server.told[..] else {
        return Err("the sandbox has no account".to_owned());
    };
    let mut runs: [[Vec<Timing>; 2]; 2] = Default::default();
    for turn in 0..TURNS {
        eprintln!("bench: bulk, turn {} of {TURNS}", turn + 1);
        for index in 0..CLIENTS.len() {
            let index = (index + turn) % CLIENTS.len();
            for (calls, of) in [FEWER, CALLS].into_iter().zip(&mut runs[index]) {
                let mut command = harness::client(&program);
                command.args(["bulk", CLIENTS[index].0, token, device]);
                of.push(server.time(&mut command, calls, IN_FLIGHT)?);
            }
        }
    }
    let mut instructions = Vec::new();
    for (client, _) in CLIENTS {
        eprintln!("bench: instructions of bulk, {client}");
        let call = ["bulk", client, token, device];
        instructions.push(server.cost_of_many(root, &program, &call, IN_FLIGHT)?.instructions);
    }
    let mut text = format!(
        "{CALLS} times AzireVPN's `list-port-forwards` with {IN_FLIGHT} in flight, from the sandbox as \
         everybody starts it, with its state and its log of 10,000 requests. Bare reqwest is used by \
         hand with `buffer_unordered`, as anybody does. {TURNS} runs, in turns; the sandbox has \
         one core and the client another. Throughput is what the wall time gives.\n\n\
         | client | instructions of a call | × reqwest | CPU of a call, µs | × reqwest | wall time of a call, µs | throughput × reqwest \
         | peak of memory, MB: {FEWER} calls | {CALLS} calls |\n|---|---|---|---|---|---|---|---|---|\n"
    );
    let memory = |of: &[Vec<Timing>; 2]| of.each_ref().map(|of| median(&all(of, |it| it.memory)));
    let mut throughput = f64::NAN;
    for (((_, title), of), count) in CLIENTS.iter().zip(&runs).zip(&instructions) {
        let throughputs = ratios(&runs[0][1], &of[1], |it| it.wall);
        throughput = median(&throughputs);
        let [fewer, more] = memory(of);
        text.push_str(&format!(
            "| {title} | {count:.0} | {:.3} | {} | {} | {} | {} | {fewer:.1} | {more:.1} |\n",
            count / instructions[0],
            spread(&all(&of[1], |it| it.cpu), 1),
            spread(&ratios(&of[1], &runs[0][1], |it| it.cpu), 2),
            spread(&all(&of[1], |it| it.wall), 1),
            spread(&throughputs, 2),
        ));
    }
    let [fewer, more] = memory(&runs[1]);
    text.push_str(&format!(
        "\nThe goals for `bulk`: at least {GOAL} × the throughput of bare reqwest ({}), and memory that \
         does not grow with the number of calls ({}).\n",
        met(throughput >= GOAL),
        met(more <= fewer * FLAT),
    ));
    Ok(text)
}
