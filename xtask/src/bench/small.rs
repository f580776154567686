//! What one call adds to a small application: crates, size, time to build, time to run.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::harness::{self, Server};
use super::{median, met, spread};
use crate::cargo;

/// The programs of `benches/small/`. What they add is compared with the second one; the first is
/// started to know what an empty process takes.
const PROGRAMS: &[(&str, &str)] =
    &[("empty", "nothing"), ("reqwest", "bare reqwest"), ("anyvpn", "anyvpn-azire")];

/// Rounds of the timed runs, and how often each program is started in one.
const ROUNDS: usize = 9;
const STARTS: u32 = 20;

/// The most that anyvpn-azire is to add: crates, bytes, seconds; and milliseconds for its call.
const CRATES: usize = 3;
const BYTES: f64 = 0.10e6;
const SECONDS: f64 = 10.0;
const CPU: f64 = 12.0;

struct Built {
    crates: usize,
    seconds: f64,
    bytes: f64,
}

/// Builds the programs from nothing, and lets each make its call.
pub fn section(root: &Path) -> Result<String, String> {
    let place = root.join("target/bench/small");
    let program = |name: &str| place.join(name).join(format!("release/small-{name}"));
    build(root, "server")?;
    let built: Vec<Built> =
        PROGRAMS.iter().map(|(name, _)| build(root, name)).collect::<Result<_, _>>()?;

    let certificate = place.join("ca.pem");
    let server = Server::run(&program("server"), &[&certificate.display().to_string()])?;
    with_roots(&certificate)?;
    let url = format!("https://localhost:{}", server.port);
    let mut times = vec![Vec::new(); PROGRAMS.len()];
    for _ in 0..ROUNDS {
        for ((name, _), times) in PROGRAMS.iter().zip(&mut times) {
            times.push(cpu(&program(name), &url, &certificate)?);
        }
    }

    let above: Vec<Vec<f64>> = times
        .iter()
        .map(|of| of.iter().zip(&times[0]).map(|(it, empty)| it - empty).collect())
        .collect();

    let mut text = INTRODUCTION.to_owned();
    for (((_, title), built), above) in PROGRAMS.iter().zip(&built).zip(&above) {
        text.push_str(&format!(
            "| {title} | {} | {:.2} | {:.0} | {} |\n",
            built.crates,
            built.bytes / 1e6,
            built.seconds,
            spread(above, 1),
        ));
    }
    let (bare, own, call) = (&built[1], &built[2], median(&above[2]));
    let crates = own.crates.saturating_sub(bare.crates);
    let (bytes, seconds) = (own.bytes - bare.bytes, own.seconds - bare.seconds);
    text.push_str(&format!(
        "\nanyvpn-azire adds to bare reqwest: {crates} crates (goal: at most {CRATES}, {}), \
         {:.2} MB ({:.2}, {}), {seconds:.0} s of building ({SECONDS:.0}, {}). Its call takes {call:.1} ms of \
         CPU above an empty process ({CPU:.0}, {}).\n",
        met(crates <= CRATES),
        bytes / 1e6,
        BYTES / 1e6,
        met(bytes <= BYTES),
        met(seconds <= SECONDS),
        met(call <= CPU),
    ));
    Ok(text)
}

const INTRODUCTION: &str = "\
Each program makes one GET over https, prints a number of its reply and ends: AzireVPN's
`list-port-forwards` on anyvpn-azire without default features and with `ring`, and the same by hand on
reqwest, with the same TLS: rustls, ring, the system's roots. Crates are those of
`cargo tree -e normal`, the program included. Building is one `cargo build --release` from nothing, so
what else the machine does tells in it. The CPU time is that of the whole process, with the kernel's
work for it, less that of a program that does nothing.

| program | crates | stripped, MB | clean build, s | start and one https call, ms of CPU |
|---|---|---|---|---|
";

/// Builds one program from nothing, in a folder of its own.
fn build(root: &Path, name: &str) -> Result<Built, String> {
    let manifest = root.join("benches/small/Cargo.toml").display().to_string();
    let package = format!("small-{name}");
    let target = root.join("target/bench/small").join(name);
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    let fixed = ["--locked", "--manifest-path", &manifest, "--package", &package];
    // What has to come from the network is no part of building.
    cargo::run(&["fetch", "--locked", "--manifest-path", &manifest], &[])?;
    let started = Instant::now();
    let target_dir = target.display().to_string();
    cargo::run(&[&["build", "--release", "--target-dir", &target_dir][..], &fixed].concat(), &[])?;
    let seconds = started.elapsed().as_secs_f64();
    let tree = ["tree", "--edges=normal", "--prefix=none", "--no-dedupe"];
    let tree = cargo::stdout(&[&tree[..], &fixed].concat())?;
    let mut crates: Vec<_> = tree.lines().filter(|line| !line.is_empty()).collect();
    crates.sort_unstable();
    crates.dedup();
    let binary = target.join("release").join(&package);
    let bytes = fs::metadata(&binary).map_err(|e| format!("{}: {e}", binary.display()))?.len();
    Ok(Built { crates: crates.len(), seconds, bytes: bytes as f64 })
}

/// Adds the system's roots to the server's own certificate: to read them is a part of what a call
/// costs.
fn with_roots(certificate: &Path) -> Result<(), String> {
    let failed = |e| format!("{}: {e}", certificate.display());
    let roots = fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    let own = fs::read(certificate).map_err(failed)?;
    fs::write(certificate, [roots, own].concat()).map_err(failed)
}

/// Milliseconds of CPU for one run of a program, as the shell's `times` says it of its children.
fn cpu(program: &Path, url: &str, roots: &Path) -> Result<f64, String> {
    let script =
        "n=$1; shift; while [ $n -gt 0 ]; do \"$@\" >/dev/null || exit 1; n=$((n-1)); done; times";
    let output = harness::client(Path::new("bash"))
        .args(["-c", script, "bash", &STARTS.to_string()])
        .arg(program)
        .arg(url)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SSL_CERT_FILE", roots)
        .output()
        .map_err(|e| format!("taskset: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let children = text.lines().nth(1).unwrap_or_default();
    let seconds: Option<Vec<f64>> = children.split(' ').map(seconds).collect();
    match seconds {
        Some(parts) if parts.len() == 2 && output.status.success() => {
            Ok(parts.iter().sum::<f64>() * 1e3 / f64::from(STARTS))
        }
        _ => Err(format!("{}: {}", program.display(), String::from_utf8_lossy(&output.stderr))),
    }
}

/// `1m2.345s` in seconds.
fn seconds(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_minutes_and_seconds() {
        assert_eq!(seconds("1m2.500s"), Some(62.5));
        assert_eq!(seconds("2.5"), None);
    }
}
