//! Measures what one call adds to a small application: crates, size, time to build.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::met;
use crate::cargo;

/// The maximum that anyvpn-azire may add: crates, bytes, seconds.
const CRATES: usize = 3;
const BYTES: f64 = 0.10e6;
const SECONDS: f64 = 10.0;

struct Built {
    crates: usize,
    seconds: f64,
    bytes: f64,
}

/// Builds the programs of `benches/small/` from nothing.
pub fn section(root: &Path) -> Result<String, String> {
    let (bare, own) = (build(root, "reqwest")?, build(root, "anyvpn")?);
    let mut text = INTRODUCTION.to_owned();
    for (title, Built { crates, seconds, bytes }) in
        [("bare reqwest", &bare), ("anyvpn-azire", &own)]
    {
        text.push_str(&format!("| {title} | {crates} | {:.2} | {seconds:.0} |\n", bytes / 1e6));
    }
    let crates = own.crates.saturating_sub(bare.crates);
    let (bytes, seconds) = (own.bytes - bare.bytes, own.seconds - bare.seconds);
    text.push_str(&format!(
        "\nanyvpn-azire adds to bare reqwest: {crates} crates (goal: at most {CRATES}, {}), \
         {:.2} MB ({:.2}, {}), {seconds:.0} s of building ({SECONDS:.0}, {}).\n",
        met(crates <= CRATES),
        bytes / 1e6,
        BYTES / 1e6,
        met(bytes <= BYTES),
        met(seconds <= SECONDS),
    ));
    Ok(text)
}

const INTRODUCTION: &str = "\
Each program makes one GET over https, prints a number of its reply and ends: AzireVPN's
`list-port-forwards` on anyvpn-azire without default features and with `ring`, and the same by hand on
reqwest, with the same TLS: rustls, ring, the system's roots. Crates are those of
`cargo tree -e normal`, the program included. Building is one `cargo build --release` from nothing, so
it includes what else the machine does.

| program | crates | stripped, MB | clean build, s |
|---|---|---|---|
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
    // Downloads are not part of the time to build.
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
