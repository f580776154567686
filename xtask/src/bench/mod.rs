//! `cargo xtask bench`: measures the cost of anyvpn, compared with other clients, and writes
//! docs/performance.md.

mod bulk;
mod call;
mod callgrind;
mod fleet;
mod gate;
mod harness;
mod keeper;
mod lists;
mod machine;
#[path = "../../../crates/anyvpn-fleet/tests/postgres/server.rs"]
mod postgres;
mod process;
mod small;
mod startup;

use std::path::Path;

use crate::page;
pub use gate::check;

/// The page with the figures.
const PAGE: &str = "docs/performance.md";

/// Measures something, and returns its part of the page.
type Section = fn(&Path) -> Result<String, String>;

/// The parts of the page, by name.
const SECTIONS: &[(&str, Section)] = &[
    ("startup", startup::section),
    ("small", small::section),
    ("call", call::section),
    ("lists", lists::section),
    ("bulk", bulk::section),
    ("keeper", keeper::section),
    (LONG, fleet::section),
];

/// The section that takes so long that it is measured only when it is named.
const LONG: &str = "fleet";

/// Measures the named section, or all but the long one; prints the figures and, with `keep`, writes them to
/// the page.
///
/// # Errors
///
/// If something cannot be built or run.
pub fn run(root: &Path, only: Option<&str>, keep: bool) -> Result<(), String> {
    let is_asked = |name: &str| only.map_or(name != LONG, |only| only == name);
    if !SECTIONS.iter().any(|(name, _)| is_asked(name)) {
        let names: Vec<_> = SECTIONS.iter().map(|(name, _)| *name).collect();
        return Err(format!("the sections are {}", names.join(", ")));
    }
    // Read the commit before writing the page, which is itself a change.
    let machine = machine::describe(root)?;
    for (name, section) in SECTIONS.iter().filter(|(name, _)| is_asked(name)) {
        let figures = format!("{}\n({machine})\n", section(root)?);
        print!("{figures}");
        if keep {
            page::put(root, PAGE, name, &figures)?;
            if *name == "call" {
                gate::write(root)?;
            }
        }
    }
    Ok(())
}

/// Returns the words for whether a goal was reached.
fn met(reached: bool) -> &'static str {
    if reached { "met" } else { "not met" }
}

/// Returns one value of each run.
fn all<T>(of: &[T], value: fn(&T) -> f64) -> Vec<f64> {
    of.iter().map(value).collect()
}

/// Returns the ratios of the values to the base of the same turns.
fn ratios<T>(of: &[T], base: &[T], value: fn(&T) -> f64) -> Vec<f64> {
    of.iter().zip(base).map(|(it, base)| value(it) / value(base)).collect()
}

/// Returns the median of the values.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Formats values as `median (least..most)`, each with this many decimals.
fn spread(values: &[f64], decimals: usize) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.decimals$} ({least:.decimals$}..{most:.decimals$})", median(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(spread(&[3.0, 1.0, 2.0], 1), "2.0 (1.0..3.0)");
    }
}
