//! Processes that a benchmark starts, and what the kernel reports about them.

use std::fs;
use std::process::Child;

/// A program that is killed when this value is dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a number of a process in bytes; the kernel reports it in KiB.
///
/// # Errors
///
/// If there is no such process or number.
pub fn memory(process: u32, name: &str) -> Result<f64, String> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    field(&status, name).map(|kib| kib * 1024.0).ok_or_else(|| format!("{path}: no {name}"))
}

/// Returns the number in a line of a status file in /proc.
pub fn field(status: &str, name: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}

/// Returns the CPU time of a process so far in seconds, including the kernel's work for it.
///
/// # Errors
///
/// If there is no such process.
pub fn cpu(process: u32) -> Result<f64, String> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let own = numbers(&stat).get(USER..CHILDREN).map(|times| times.iter().sum::<f64>() / TICKS);
    own.ok_or_else(|| format!("{path} cannot be read"))
}

/// Returns the CPU time of a process and of its children in seconds, including children that have ended.
///
/// # Errors
///
/// If the processes cannot be listed.
pub fn cpu_of_family(parent: u32) -> Result<f64, String> {
    let processes = fs::read_dir("/proc").map_err(|e| format!("/proc: {e}"))?;
    let mut sum = 0.0;
    for process in processes.flatten() {
        // The time of a process that has ended meanwhile is counted with its parent.
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        let numbers = numbers(&stat);
        let is_parent = process.file_name().to_str() == Some(&*parent.to_string());
        if is_parent || numbers.get(PARENT) == Some(&f64::from(parent)) {
            sum += numbers.get(USER..END).unwrap_or_default().iter().sum::<f64>() / TICKS;
        }
    }
    Ok(sum)
}

/// The number of clock ticks per second in /proc, which is the same on all Linux machines.
const TICKS: f64 = 100.0;
/// The places in [`numbers`] of the parent, of the user and system time, and of those of ended children.
const PARENT: usize = 0;
const USER: usize = 10;
const CHILDREN: usize = 12;
const END: usize = 14;

/// Returns the numbers in a line of /proc/PID/stat, from the parent on. The name before them can contain anything.
fn numbers(stat: &str) -> Vec<f64> {
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    behind.split_whitespace().skip(1).map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_process_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 120 30 5 6 20 0 1 0 99";
        let numbers = numbers(stat);
        assert_eq!((numbers[PARENT], &numbers[USER..END]), (1.0, &[120.0, 30.0, 5.0, 6.0][..]));
    }
}
