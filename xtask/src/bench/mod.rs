//! `cargo xtask bench`: what anyvpn costs, beside other clients, and docs/performance.md.

mod call;
mod callgrind;
mod harness;
mod machine;
mod startup;

use std::fs;
use std::path::Path;

const HEADER: &str = "\
# Performance

Written by `cargo xtask bench`, which builds and runs everything that stands here; not by hand.
`cargo xtask bench startup` (or another section's name) prints one section and writes nothing.
Instructions and allocations come from callgrind: they are those of the program, without the
kernel's, and repeat within 0.1 %. Times depend on what else the machine does: each is the median of
runs that took turns, and a ratio compares runs of the same turn. A time that differs by less than a
quarter is not shown to differ.
";

/// Measures, and gives its part of the page.
type Section = fn(&Path) -> Result<String, String>;

/// The parts of the page, by name.
const SECTIONS: &[(&str, Section)] = &[("startup", startup::section), ("call", call::section)];

/// Measures all sections and writes docs/performance.md, or prints the one named.
///
/// # Errors
///
/// When something cannot be built or run.
pub fn run(root: &Path, only: Option<&str>) -> Result<(), String> {
    if let Some(only) = only {
        let names: Vec<_> = SECTIONS.iter().map(|(name, _)| *name).collect();
        let (_, section) = SECTIONS
            .iter()
            .find(|(name, _)| *name == only)
            .ok_or_else(|| format!("the sections are {}", names.join(", ")))?;
        print!("{}", section(root)?);
        return Ok(());
    }
    let mut page = format!("{HEADER}\n{}\n", machine::describe(root)?);
    for (name, section) in SECTIONS {
        eprintln!("bench: {name}");
        page.push_str(&format!("\n{}", section(root)?));
    }
    let path = root.join("docs/performance.md");
    fs::write(&path, page).map_err(|e| format!("{}: {e}", path.display()))
}

/// The middle of the values.
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

/// `median (least..most)`, each with so many decimals.
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
