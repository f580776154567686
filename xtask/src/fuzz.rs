//! `cargo xtask fuzz`: any bytes for whatever reads what comes from outside.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fs, io, thread};

use crate::{cargo, faults, page, workspace};

/// Where all lies that is no source: what earlier runs found, what they broke on, their words, the
/// builds.
const PLACE: &str = "target/fuzz";
const BUILD: &str = "target/fuzz/build";
/// Where the targets' sources are.
const TARGETS: &str = "fuzz/fuzz_targets";
/// The code has no `unsafe`, so the address sanitizer and its nightly compiler give nothing.
const PLAIN: [&str; 3] = ["--sanitizer=none", "--target-dir", BUILD];
/// The longest input, in bytes.
const LONGEST: &str = "-max_len=4096";

/// Runs each target of `fuzz/` for so many seconds, from its seeds and what earlier runs found; as
/// many at once as there are cores. Writes the figures to the page where they are to be kept.
///
/// # Errors
///
/// When an input was found that breaks a promise; the error says where it lies. Or when there is no
/// cargo-fuzz.
pub fn run(root: &Path, seconds: &str, keep: bool) -> Result<(), String> {
    if !seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0) {
        return Err(format!("--seconds takes a number from 1, not {seconds:?}"));
    }
    cargo::run(&["fuzz", "--version"], &[])
        .map_err(|e| format!("{e}: cargo install cargo-fuzz --locked; and it needs g++"))?;
    // The targets know the published providers only.
    let mut providers = workspace::providers(root)?;
    providers.retain(|provider| provider.is_published);
    from_fixtures(root, &providers).map_err(|e| format!("the fixtures' seeds: {e}"))?;
    cargo::run(&[&["fuzz", "build"], &PLAIN[..]].concat(), &[])?;
    let targets = names(&root.join(TARGETS)).map_err(|e| format!("{TARGETS}: {e}"))?;
    let targets: Vec<&str> = targets.iter().filter_map(|it| it.strip_suffix(".rs")).collect();
    let left = Mutex::new(targets.iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..page::cores().min(targets.len()) {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let run = one(root, target, seconds);
                    runs.lock().unwrap_or_else(PoisonError::into_inner).push((*target, run));
                }
            });
        }
    });
    let mut runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
    runs.sort_unstable_by_key(|(target, _)| *target);

    let mut table = "| target | executions | what was found |\n|---|---|---|\n".to_owned();
    let mut wrong = Vec::new();
    for (target, run) in runs {
        let run = run.map_err(|e| format!("{target}: {e}"))?;
        let found = match run.broke {
            true => "an input that breaks a promise",
            false => "nothing",
        };
        table.push_str(&format!("| `{target}` | {} | {found} |\n", run.executions));
        if run.broke {
            wrong.push(format!("{target}: see {}, and {}", log(target), found_in(target)));
        }
    }
    print!("{table}");
    if keep {
        let how = format!("({}; {seconds} s for each target, on one core)", page::processor());
        page::put(root, faults::PAGE, "fuzzing", &format!("{table}\n{how}\n"))?;
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// What came of a target.
struct Run {
    /// How many inputs were tried.
    executions: u64,
    /// Whether one of them broke a promise.
    broke: bool,
}

/// Runs a target, and keeps of its inputs those that reach what no other does.
fn one(root: &Path, target: &str, seconds: &str) -> Result<Run, String> {
    let corpus = format!("{PLACE}/corpus/{target}/");
    let found = found_in(target);
    for folder in [&corpus, &found] {
        fs::create_dir_all(root.join(folder)).map_err(|e| format!("{folder}: {e}"))?;
    }
    let seeds = [format!("fuzz/seeds/{target}"), format!("{PLACE}/fixtures/{target}")];
    let seeds = seeds.iter().map(String::as_str).filter(|it| root.join(it).is_dir());
    let libfuzzer = [
        format!("-dict=fuzz/{target}.dict"),
        format!("-max_total_time={seconds}"),
        format!("-artifact_prefix={found}"),
    ];
    println!("{target}: {seconds} s");
    let output = cargo::command()
        .args(["fuzz", "run"])
        .args(PLAIN)
        .args([target, &corpus])
        .args(seeds)
        .args(["--", LONGEST, "-print_final_stats=1"])
        .args(libfuzzer)
        .output()
        .map_err(|e| e.to_string())?;
    let log = log(target);
    fs::write(root.join(&log), &output.stderr).map_err(|e| format!("{log}: {e}"))?;
    let executions = executions(&String::from_utf8_lossy(&output.stderr))
        .ok_or_else(|| format!("did not run: {log}"))?;
    let broke = !output.status.success();
    if !broke {
        let smaller = [&["fuzz", "cmin"], &PLAIN[..], &[target, &corpus]].concat();
        let output = cargo::command().args(smaller).output().map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(Run { executions, broke })
}

/// Where the inputs lie that a target broke on.
fn found_in(target: &str) -> String {
    format!("{PLACE}/found/{target}/")
}

/// Where a target's last words lie.
fn log(target: &str) -> String {
    format!("{PLACE}/{target}.log")
}

/// How many inputs a target tried, by its last words.
fn executions(log: &str) -> Option<u64> {
    let mut counts =
        log.lines().filter_map(|it| it.strip_prefix("stat::number_of_executed_units:"));
    counts.next_back()?.trim().parse().ok()
}

/// Writes the seeds that the providers' fixtures are: the reply of each, and the input.
fn from_fixtures(root: &Path, providers: &[workspace::Provider]) -> io::Result<()> {
    let [replies, inputs] = ["reply", "input"].map(|it| root.join(PLACE).join("fixtures").join(it));
    for folder in [&replies, &inputs] {
        fs::create_dir_all(folder)?;
    }
    for workspace::Provider { name: provider, folder, .. } in providers {
        let fixtures = root.join(folder).join("fixtures");
        for operation in names(&fixtures)?.iter().filter(|it| fixtures.join(it).is_dir()) {
            for case in names(&fixtures.join(operation))? {
                let text = fs::read(fixtures.join(operation).join(&case))?;
                let id = format!("{provider}.{operation}");
                let file = format!("{id}.{case}");
                if let Some(seed) = reply(&id, &text) {
                    fs::write(replies.join(&file), seed)?;
                }
                let input = section(&text, "input").unwrap_or(b"{}");
                fs::write(inputs.join(&file), [id.as_bytes(), b"\n", input].concat())?;
            }
        }
    }
    Ok(())
}

/// The seed of the target `reply` for a fixture, where that has a reply.
fn reply(id: &str, fixture: &[u8]) -> Option<Vec<u8>> {
    // In JSON, the end of a line is a space like any other.
    let input = String::from_utf8_lossy(section(fixture, "input").unwrap_or(b"{}"));
    let input = input.replace('\n', " ");
    let reply = section(fixture, "reply")?;
    let (head, body) = match reply.windows(2).position(|it| it == b"\n\n") {
        Some(end) => (&reply[..end], &reply[end + 2..]),
        None => (reply, &b""[..]),
    };
    let head = std::str::from_utf8(head).ok()?;
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    let status = head.lines().next()?;
    let head = format!("{id} {input}\n{status} {}\n", kind.unwrap_or(""));
    Some([head.as_bytes(), body].concat())
}

/// The bytes of a section of a fixture.
fn section<'a>(fixture: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let begin = format!("### {name}\n");
    let at = |part: &[u8], text: &[u8]| text.windows(part.len()).position(|it| it == part);
    let rest = &fixture[at(begin.as_bytes(), fixture)? + begin.len()..];
    let end = at(b"\n### ", rest).unwrap_or(rest.len().saturating_sub(1));
    Some(&rest[..end])
}

/// The names in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries: io::Result<Vec<PathBuf>> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut names: Vec<String> = entries?
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_how_many_were_tried() {
        let log = "Done 77 runs in 3 second(s)\nstat::number_of_executed_units: 77\n\
                   stat::average_exec_per_sec:     25\n";
        assert_eq!(executions(log), Some(77));
        assert_eq!(executions("error: could not compile"), None);
    }

    #[test]
    fn a_fixture_is_a_seed() {
        let fixture =
            b"### note\nx\n### input\n{\"id\": \"a\"}\n### request\nGET /\n### reply\n200\n\
                        content-type: text/plain\nx: y\n\n{\"a\":\n\n1}\n### value\n1\n";
        let seed = reply("azire.get-ip", fixture).unwrap();
        let text = "azire.get-ip {\"id\": \"a\"}\n200 text/plain\n{\"a\":\n\n1}";
        assert_eq!(String::from_utf8(seed).unwrap(), text);
        assert_eq!(reply("azire.get-ip", b"### note\nx\n### request\nnone\n"), None);
        assert_eq!(section(b"### value\n1\n", "value"), Some(&b"1"[..]));
    }
}
