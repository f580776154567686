//! Checks the syntax of the samples on pages. The crates' tests compile those in Rust and parse the
//! commands.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Adds everything that is wrong with the samples of a page.
pub fn check(name: &str, page: &str, breaches: &mut Vec<String>) {
    let mut begun: Option<(usize, &str, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut begun, line.strip_prefix("```")) {
            (None, Some(kind)) => begun = Some((number + 1, kind, String::new())),
            (Some((_, _, text)), None) => text.extend([line, "\n"]),
            (Some((at, kind, text)), Some(_)) => {
                if let Err(what) = sample(kind, text) {
                    breaches.push(format!("{name}:{at}: {what}"));
                }
                begun = None;
            }
            (None, None) => {}
        }
    }
}

fn sample(kind: &str, text: &str) -> Result<(), String> {
    match kind.split(',').next().unwrap_or_default() {
        "json" => {
            serde_json::from_str::<serde_json::Value>(text).map(drop).map_err(|e| e.to_string())
        }
        "toml" => text.parse::<toml_edit::DocumentMut>().map(drop).map_err(|e| e.to_string()),
        "yaml" => {
            serde_saphyr::from_str::<serde_json::Value>(text).map(drop).map_err(|e| e.to_string())
        }
        "sh" => shell(text),
        "console" | "http" | "ini" | "rust" | "text" => Ok(()),
        kind => Err(format!("a sample of kind {kind:?}, which nothing checks")),
    }
}

/// Lets the shell parse the script without running it.
fn shell(script: &str) -> Result<(), String> {
    let io = |e: std::io::Error| format!("sh: {e}");
    let mut sh = Command::new("sh");
    let sh = sh.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut sh = sh.spawn().map_err(io)?;
    sh.stdin.take().map_or(Ok(()), |mut input| input.write_all(script.as_bytes())).map_err(io)?;
    let output = sh.wait_with_output().map_err(io)?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(complaint.trim().to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_that_does_not_parse_is_found() {
        let page = "```json\n{\"a\": 1,}\n```\n```toml\na = 1\na = 2\n```\n```yaml\na: [\n```\n\
                    ```sh\nif true; then\n```\n```cobol\n```\n";
        let mut breaches = Vec::new();
        check("a.md", page, &mut breaches);
        let lines: Vec<_> = breaches.iter().map(|it| it.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["a.md:1", "a.md:4", "a.md:8", "a.md:11", "a.md:14"], "{breaches:?}");
        breaches.clear();
        let page = "```json\n{\"a\": 1}\n```\n```sh\ntrue\n```\n";
        check("a.md", page, &mut breaches);
        assert_eq!(breaches, [""; 0]);
    }
}
