//! `cargo xtask fuzz`: any bytes for the parsers.

use std::path::Path;
use std::{fs, io};

use crate::cargo;

/// Runs each target of `fuzz/` for so many seconds, from its seeds and what earlier runs found.
///
/// # Errors
///
/// When an input was found that breaks a promise; cargo-fuzz says where it lies. Or when there is
/// no cargo-fuzz.
pub fn run(root: &Path, seconds: &str) -> Result<(), String> {
    if seconds.parse::<u32>().is_err() {
        return Err(format!("--seconds takes a number, not {seconds:?}"));
    }
    cargo(&["fuzz", "--version"], &[])
        .map_err(|e| format!("{e}: cargo install cargo-fuzz --locked; and it needs g++"))?;
    let fuzz = root.join("fuzz");
    let targets = targets(&fuzz.join("seeds")).map_err(|e| format!("fuzz/seeds: {e}"))?;
    for target in &targets {
        let [corpus, seeds] = ["corpus", "seeds"].map(|it| format!("fuzz/{it}/{target}"));
        fs::create_dir_all(root.join(&corpus)).map_err(|e| format!("{corpus}: {e}"))?;
        let dictionary = format!("-dict=fuzz/{target}.dict");
        let time = format!("-max_total_time={seconds}");
        // The code has no `unsafe`, so the address sanitizer and its nightly compiler give nothing.
        let run = ["fuzz", "run", "--sanitizer", "none", target, &corpus, &seeds, "--"];
        cargo(&[&run[..], &[&dictionary, &time, "-max_len=4096"]].concat(), &[])?;
    }
    Ok(())
}

/// A target has its name from its folder of seeds.
fn targets(seeds: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(seeds)?.map(|it| Ok(it?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
    names.sort_unstable();
    Ok(names)
}
