//! Words, lines and rustfmt.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Result;

/// The longest line of a doc comment.
const WIDTH: usize = 100;

/// `create-port-forward` as `CreatePortForward`.
pub fn camel_case(name: &str) -> String {
    name.split(['-', '_'])
        .map(|word| match word {
            "openvpn" => "OpenVpn".to_owned(),
            "wireguard" => "WireGuard".to_owned(),
            _ => {
                let mut letters = word.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                first.into_iter().chain(letters).collect()
            }
        })
        .collect()
}

/// `text` as a doc comment: each of its lines is a paragraph. Code between backticks stays on a line.
pub fn doc(indent: usize, text: &str) -> String {
    let begin = format!("{:indent$}///", "");
    let mut lines = Vec::new();
    for paragraph in text.lines().filter(|line| !line.trim().is_empty()) {
        if !lines.is_empty() {
            lines.push(begin.clone());
        }
        let mut line = begin.clone();
        let mut in_code = false;
        for words in paragraph.split_whitespace().collect::<Vec<_>>().chunk_by(|word, _| {
            in_code ^= word.matches('`').count() % 2 == 1;
            in_code
        }) {
            let words = words.join(" ");
            let full = line.chars().count() + 1 + words.chars().count() > WIDTH;
            if full && line.len() > begin.len() {
                lines.push(std::mem::replace(&mut line, begin.clone()));
            }
            line.push(' ');
            line.push_str(&words);
        }
        lines.push(line);
    }
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// The first sentence, for a place that has room for one.
pub fn first_sentence(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line.to_owned(),
    }
}

/// Formats Rust code as the repository's `rustfmt.toml` says; it is also the check of its syntax.
pub fn rustfmt(root: &Path, code: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .arg("--config-path")
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot run rustfmt ({e}); run `rustup component add rustfmt`"))?;
    // rustfmt reads all before it writes, so this cannot block; a failed write shows as a failure.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(code.as_bytes()).ok();
    }
    let output = child.wait_with_output().map_err(|e| format!("rustfmt: {e}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "the generated code is not Rust; if a name in the document is a keyword, give it an x-name\n{errors}"
        ));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("rustfmt: {e}"))
}
