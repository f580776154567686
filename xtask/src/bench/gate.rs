//! `cargo xtask bench --check`: fails where a call costs more than it did.

use std::fs;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use super::call::SHAPES;
use super::callgrind::Cost;
use super::harness::{self, LATE, Server};

/// The cost of one call, as it was last measured.
pub const FILE: &str = "benches/cost.toml";

/// By how much a call may be more expensive than that.
const MARGIN: f64 = 0.03;

const COMMENT: &str = "\
# What one call of anyvpn costs, tracing off; reallocations count as allocations. `cargo xtask bench
# call --write` writes it, and `cargo xtask bench --check` fails where a call costs 3 % more.
";

/// Measures the calls, and compares them with the file.
///
/// # Errors
///
/// If a call is too expensive, or cannot be measured.
pub fn check(root: &Path) -> Result<(), String> {
    let text = fs::read_to_string(root.join(FILE)).map_err(|e| format!("{FILE}: {e}"))?;
    let (lines, dearer) = compare(&text, &measure(root)?)?;
    print!("{lines}");
    if dearer.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{dearer}If that is what it has to cost: cargo xtask bench call --write, and say why."
    ))
}

/// Measures the calls, and writes the file.
///
/// # Errors
///
/// If they cannot be measured.
pub fn write(root: &Path) -> Result<(), String> {
    let mut text = COMMENT.to_owned();
    for (shape, cost) in measure(root)? {
        text.push_str(&format!("\n[{shape}]\n"));
        for (what, count) in counts(cost) {
            text.push_str(&format!("{what} = {count:.0}\n"));
        }
    }
    fs::write(root.join(FILE), text).map_err(|e| format!("{FILE}: {e}"))
}

/// Measures only anyvpn: building the other clients would take longer than everything else here.
fn measure(root: &Path) -> Result<Vec<(&'static str, Cost)>, String> {
    let program = harness::build(root, "")?;
    let server = Server::start(&program, LATE)?;
    let cost = |(shape, _): &(&'static str, _)| {
        Ok((*shape, server.cost(root, &program, &["anyvpn", shape])?))
    };
    SHAPES.iter().map(cost).collect()
}

fn counts(cost: Cost) -> [(&'static str, f64); 2] {
    [("instructions", cost.instructions), ("allocations", cost.allocations + cost.reallocations)]
}

/// Returns a line for each count, and separately the lines of the counts that are too high.
fn compare(file: &str, measured: &[(&str, Cost)]) -> Result<(String, String), String> {
    let file: DocumentMut = file.parse().map_err(|e| format!("{FILE}: {e}"))?;
    let (mut lines, mut dearer) = (String::new(), String::new());
    for (shape, cost) in measured {
        for (what, now) in counts(*cost) {
            let before = file.get(shape).and_then(|it| it.get(what)).and_then(Item::as_integer);
            let before = before.ok_or_else(|| format!("{FILE} has no {shape}.{what}"))? as f64;
            let more = now / before - 1.0;
            let line = format!("{shape}: {now:.0} {what}, {:+.2} %\n", more * 100.0);
            if more > MARGIN {
                dearer.push_str(&format!("dearer than {before:.0}: {line}"));
            }
            lines.push_str(&line);
        }
    }
    Ok((lines, dearer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_may_be_dearer_by_three_hundredths() {
        let file = "[get]\ninstructions = 1000\nallocations = 50\n";
        let cost =
            |instructions, allocations| Cost { instructions, allocations, reallocations: 1.0 };
        let compare = |cost| compare(file, &[("get", cost)]);
        let (lines, dearer) = compare(cost(1029.0, 50.0)).unwrap();
        assert_eq!(lines, "get: 1029 instructions, +2.90 %\nget: 51 allocations, +2.00 %\n");
        assert_eq!(dearer, "");
        let (_, dearer) = compare(cost(1031.0, 39.0)).unwrap();
        assert_eq!(dearer, "dearer than 1000: get: 1031 instructions, +3.10 %\n");
        let (_, dearer) = compare(cost(900.0, 51.0)).unwrap();
        assert_eq!(dearer, "dearer than 50: get: 52 allocations, +4.00 %\n");
    }

    #[test]
    fn a_call_that_was_never_measured_is_an_error() {
        let cost = Cost { instructions: 1.0, allocations: 1.0, reallocations: 1.0 };
        let file = "[get]\ninstructions = 1000\n";
        assert_eq!(
            compare(file, &[("get", cost)]).unwrap_err(),
            "benches/cost.toml has no get.allocations"
        );
    }
}
