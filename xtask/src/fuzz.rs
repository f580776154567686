//! `cargo xtask fuzz`: gives random bytes to everything that reads input from outside.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::{cargo, workspace};

/// The folder of everything that is not source: inputs of earlier runs, failures, and builds.
const PLACE: &str = "target/fuzz";
const BUILD: &str = "target/fuzz/build";
/// The folder of the targets' sources.
const TARGETS: &str = "fuzz/fuzz_targets";
/// The code has no `unsafe`, so the address sanitizer and its nightly compiler are of no use.
const PLAIN: [&str; 3] = ["--sanitizer=none", "--target-dir", BUILD];
/// The longest input, in bytes.
const LONGEST: &str = "-max_len=4096";

/// Runs each target of `fuzz/` for this many seconds, starting from its seeds and the inputs of earlier
/// runs.
///
/// # Errors
///
/// If an input breaks a promise; the error names its file. Also if cargo-fuzz is missing.
pub fn run(root: &Path, seconds: &str) -> Result<(), String> {
    cargo::run(&["fuzz", "--version"], &[])
        .map_err(|e| format!("{e}: cargo install cargo-fuzz --locked; and it needs g++"))?;
    // The targets know only the published providers.
    let mut providers = workspace::with_document(root)?;
    providers.retain(|provider| provider.is_published);
    from_fixtures(root, &providers).map_err(|e| format!("the fixtures' seeds: {e}"))?;
    let targets = names(&root.join(TARGETS)).map_err(|e| format!("{TARGETS}: {e}"))?;
    let targets = targets.iter().filter_map(|it| it.strip_suffix(".rs"));
    let broken: Vec<String> = targets.filter_map(|it| one(root, it, seconds).err()).collect();
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
}

/// Runs a target, and keeps only inputs that reach code which no other input reaches.
fn one(root: &Path, target: &str, seconds: &str) -> Result<(), String> {
    let corpus = format!("{PLACE}/corpus/{target}/");
    let found = format!("{PLACE}/found/{target}/");
    for folder in [&corpus, &found] {
        fs::create_dir_all(root.join(folder)).map_err(|e| format!("{folder}: {e}"))?;
    }
    let seeds = [format!("fuzz/seeds/{target}"), format!("{PLACE}/fixtures/{target}")];
    let seeds = seeds.iter().map(String::as_str).filter(|it| root.join(it).is_dir());
    let dictionary = format!("-dict=fuzz/{target}.dict");
    let (time, prefix) =
        (format!("-max_total_time={seconds}"), format!("-artifact_prefix={found}"));
    let options = ["--", LONGEST, "-print_final_stats=1", &dictionary, &time, &prefix];
    let inputs: Vec<&str> = [target, &corpus].into_iter().chain(seeds).collect();
    cargo::run(&[&["fuzz", "run"], &PLAIN[..], &inputs, &options].concat(), &[])
        .map_err(|_| format!("{target}: an input breaks a promise: see {found}"))?;
    cargo::run(&[&["fuzz", "cmin"], &PLAIN[..], &[target, &corpus]].concat(), &[])
}

/// Writes the reply and input of each of the providers' fixtures as seeds.
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

/// Returns the seed of the target `reply` for a fixture, if it has a reply.
fn reply(id: &str, fixture: &[u8]) -> Option<Vec<u8>> {
    // In JSON, a line break is whitespace like any other.
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

/// Returns the bytes of a section of a fixture.
fn section<'a>(fixture: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let begin = format!("### {name}\n");
    let at = |part: &[u8], text: &[u8]| text.windows(part.len()).position(|it| it == part);
    let rest = &fixture[at(begin.as_bytes(), fixture)? + begin.len()..];
    let end = at(b"\n### ", rest).unwrap_or(rest.len().saturating_sub(1));
    Some(&rest[..end])
}

/// Returns the names in a folder, in order.
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
