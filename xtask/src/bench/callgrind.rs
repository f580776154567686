//! Instructions and allocations of a program, as callgrind counts them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The cost of a run of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Instructions of the program, without the kernel's.
    pub instructions: f64,
    /// Calls of `malloc` and the like.
    pub allocations: f64,
    /// Calls of `realloc`.
    pub reallocations: f64,
}

impl Cost {
    /// Returns the cost of one call, given a run `few` with `n` fewer calls.
    pub fn of_one(self, few: Self, n: f64) -> Self {
        Self {
            instructions: (self.instructions - few.instructions) / n,
            allocations: (self.allocations - few.allocations) / n,
            reallocations: (self.reallocations - few.reallocations) / n,
        }
    }
}

/// Runs a program under callgrind. Its environment is the caller's choice, since a longer one costs
/// instructions.
///
/// # Errors
///
/// If there is no valgrind, or the program fails.
pub fn count(root: &Path, program: &mut Command) -> Result<Cost, String> {
    let report = root.join("target/bench/callgrind");
    fs::create_dir_all(root.join("target/bench")).map_err(|e| format!("target/bench: {e}"))?;
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", report.display()))
        .arg(program.get_program())
        .args(program.get_args())
        .stdout(Stdio::null());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => valgrind.env(name, value),
            None => valgrind.env_remove(name),
        };
    }
    let status = valgrind
        .status()
        .map_err(|e| format!("valgrind: {e}; on Debian it comes with apt-get install valgrind"))?;
    if !status.success() {
        return Err(format!("{valgrind:?}: {status}"));
    }
    let text = fs::read(&report).map_err(|e| format!("{}: {e}", report.display()))?;
    read(&String::from_utf8_lossy(&text)).ok_or_else(|| format!("{}: no totals", report.display()))
}

/// Returns the totals of a report, and how often the allocator was called.
fn read(report: &str) -> Option<Cost> {
    // A name follows its number once; later the number stands alone.
    let mut names = HashMap::new();
    let mut called = "";
    let (mut instructions, mut allocations, mut reallocations) = (None, 0.0, 0.0);
    for line in report.lines() {
        if let Some((key, function)) = line.split_once('=')
            && matches!(key, "fn" | "cfn")
        {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            let name: &str = if name.is_empty() {
                names.get(number).copied().unwrap_or_default()
            } else {
                names.insert(number, name);
                name
            };
            if key == "cfn" {
                called = name;
            }
        } else if let Some(calls) = line.strip_prefix("calls=") {
            let calls: f64 = calls.split(' ').next()?.parse().ok()?;
            match called {
                "malloc" | "calloc" | "posix_memalign" | "aligned_alloc" => allocations += calls,
                "realloc" => reallocations += calls,
                _ => {}
            }
        } else if let Some(totals) = line.strip_prefix("totals: ") {
            instructions = totals.split(' ').next()?.parse().ok();
        }
    }
    Some(Cost { instructions: instructions?, allocations, reallocations })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = "\
events: Ir
fn=(1) main
16 3
cfn=(2) malloc
calls=2 0
16 100
cfn=(3) realloc
calls=1 0
16 50
fn=(2)
1 100
fn=(4) other
cfn=(2)
calls=3 0
1 150
cfn=(1)
calls=9 0
1 1

totals: 404
";
        let cost = Cost { instructions: 404.0, allocations: 5.0, reallocations: 1.0 };
        assert_eq!(read(report), Some(cost));
        let more = Cost { instructions: 1404.0, allocations: 105.0, reallocations: 1.0 };
        let one = Cost { instructions: 10.0, allocations: 1.0, reallocations: 0.0 };
        assert_eq!(more.of_one(cost, 100.0), one);
        assert_eq!(read("events: Ir\n"), None);
    }
}
