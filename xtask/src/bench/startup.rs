//! Measures the cost of starting the command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{callgrind, median, met, spread};
use crate::cargo;

/// How often each command is started.
const RUNS: usize = 300;

/// The maximum size of the stripped command, in bytes.
const LARGEST: u64 = 9_000_000;

/// The commands. The others are compared with the first.
const COMMANDS: &[(&str, &str, &[&str])] = &[
    ("`true`", "/bin/true", &[]),
    ("`anyvpn --version`", "anyvpn", &["--version"]),
    ("`anyvpn profile list`", "anyvpn", &["profile", "list"]),
];

/// Three typical profiles.
const PROFILES: &str = r#"default = "home"

[profiles.home]
provider = "azire"

[profiles.work]
provider = "azire"
token_command = ["pass", "show", "azire"]

[profiles.shop]
provider = "vpngn"
brand = "acme"
api_key_file = "key"
secret_key_file = "secret"
"#;

/// Builds the command, and measures it.
pub fn section(root: &Path) -> Result<String, String> {
    cargo::run(&["build", "--release", "--locked", "--bin", "anyvpn"], &[])?;
    let binary = root.join("target/release/anyvpn");
    let size = fs::metadata(&binary).map_err(|e| format!("{}: {e}", binary.display()))?.len();
    let home = home(root).map_err(|e| format!("target/bench/home: {e}"))?;
    let start = |program: &str, arguments: &[&str]| {
        let program = if program == "anyvpn" { binary.as_path() } else { Path::new(program) };
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", &home);
        command.stdout(Stdio::null());
        command
    };

    let mut times = vec![Vec::new(); COMMANDS.len()];
    for _ in 0..RUNS {
        for ((name, program, arguments), times) in COMMANDS.iter().zip(&mut times) {
            let started = Instant::now();
            let status = start(program, arguments).status();
            times.push(started.elapsed().as_secs_f64() * 1e3);
            if !status.as_ref().is_ok_and(|it| it.success()) {
                return Err(format!("{name}: {status:?}"));
            }
        }
    }

    let mut text = format!(
        "Each command was started {RUNS} times, in turns, with an empty environment \
         and a file of three profiles. The goal for `anyvpn --version` is at most 2 times the wall \
         time of `true`.\n\n\
         | command | wall time, ms | × `true` | instructions | × `true` |\n|---|---|---|---|---|\n"
    );
    let mut first = None;
    for ((name, program, arguments), of) in COMMANDS.iter().zip(&times) {
        let cost = callgrind::count(root, &mut start(program, arguments))?.instructions;
        let first = *first.get_or_insert(cost);
        let ratios: Vec<f64> = of.iter().zip(&times[0]).map(|(it, base)| it / base).collect();
        text.push_str(&format!(
            "| {name} | {} | {:.2} | {cost:.0} | {:.1} |\n",
            spread(of, 2),
            median(&ratios),
            cost / first,
        ));
    }
    text.push_str(&format!(
        "\nThe stripped command, with everything that is on by default, has {:.2} MB (goal: at most \
         {:.0} MB, {}).\n",
        size as f64 / 1e6,
        LARGEST as f64 / 1e6,
        met(size <= LARGEST),
    ));
    Ok(text)
}

/// Creates a home folder with profiles.
fn home(root: &Path) -> std::io::Result<PathBuf> {
    let home = root.join("target/bench/home");
    let folder = home.join(".config/anyvpn");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("config.toml"), PROFILES)?;
    Ok(home)
}
