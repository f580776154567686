//! Memory and open files of this process, watched while it runs.

use std::fmt;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

/// Once a second is often enough for minutes.
const EVERY: Duration = Duration::from_secs(1);

/// Memory, second by second.
pub struct Resources {
    resident: Arc<Mutex<Vec<u64>>>,
    files: [usize; 2],
    watcher: Option<JoinHandle<()>>,
}

impl Resources {
    /// Begins to watch: files now, memory after the warm-up.
    pub fn watch(warm_up: Duration) -> Self {
        let resident: Arc<Mutex<Vec<u64>>> = Arc::default();
        let samples = Arc::clone(&resident);
        let watcher = tokio::spawn(async move {
            tokio::time::sleep(warm_up).await;
            loop {
                tokio::time::sleep(EVERY).await;
                samples.lock().unwrap_or_else(PoisonError::into_inner).push(resident_bytes());
            }
        });
        Self { resident, files: [open_files(), 0], watcher: Some(watcher) }
    }

    /// Ends it.
    pub fn end(mut self) -> Self {
        if let Some(watcher) = self.watcher.take() {
            watcher.abort();
        }
        self.files[1] = open_files();
        self
    }

    /// How much the mean of the last third is above the mean of the first, as a part of it.
    pub fn growth(&self) -> f64 {
        let [first, last] = self.thirds();
        if first > 0.0 { last / first - 1.0 } else { 0.0 }
    }

    /// How many more files are open than at the beginning.
    pub fn files_left(&self) -> isize {
        self.files[1] as isize - self.files[0] as isize
    }

    fn thirds(&self) -> [f64; 2] {
        let samples = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        let third = samples.len() / 3;
        [mean(&samples[..third]), mean(&samples[samples.len() - third..])]
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = self.thirds().map(|bytes| bytes / f64::from(1 << 20));
        let growth = 100.0 * self.growth();
        writeln!(
            f,
            "memory: {first:.1} MiB in the first third, {last:.1} MiB in the last ({growth:+.1} %)"
        )?;
        let samples = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        let tenths = samples.chunks(samples.len().div_ceil(10).max(1));
        let means = tenths.map(|it| format!(" {:.1}", mean(it) / f64::from(1 << 20)));
        writeln!(f, "memory by tenths:{} MiB", means.collect::<String>())?;
        writeln!(f, "open files: {} at the beginning, {} at the end", self.files[0], self.files[1])
    }
}

fn mean(samples: &[u64]) -> f64 {
    match samples.len() {
        0 => 0.0,
        length => samples.iter().sum::<u64>() as f64 / length as f64,
    }
}

/// The memory that this process has in use; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Files and sockets; 0 where the system does not tell.
fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
