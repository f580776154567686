//! Words, lines and rustfmt.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A value, or what went wrong.
type Result<T> = std::result::Result<T, String>;

/// The longest line of a doc comment.
const WIDTH: usize = 100;

/// Converts `create-port-forward` to `CreatePortForward`.
pub fn camel_case(name: &str) -> String {
    let name: String = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| match word {
            "openvpn" => "OpenVpn".to_owned(),
            "wireguard" => "WireGuard".to_owned(),
            _ => {
                let mut letters = word.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                first.into_iter().chain(letters).collect()
            }
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("N{name}") }
}

/// Converts `createPortForward` to `create-port-forward`.
pub fn kebab_case(name: &str) -> String {
    words(name).join("-")
}

/// Converts `paidUntil` to `paid_until`; the result is never a keyword.
pub fn field_name(wire: &str) -> String {
    let name = words(wire).join("_");
    if KEYWORDS.contains(&name.as_str()) {
        format!("{name}_")
    } else if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name
    } else {
        format!("n{name}")
    }
}

/// Splits a name into words in lower case. A capital starts a word, as in `openVPNId`: `open`, `vpn`,
/// `id`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let letters: Vec<char> = name.chars().collect();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|it| letters[it]);
        let after = letters.get(index + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|it| !it.is_ascii_uppercase())
            || letter.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase);
        if begins || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_ascii_alphanumeric()) {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The keywords of all editions of Rust.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Writes a text as a doc comment, where each line of the text is a paragraph. Code between backticks
/// stays on one line.
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

/// Returns the first sentence.
pub fn first_sentence(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line.to_owned(),
    }
}

/// Formats Rust code by the `rustfmt.toml` in `folder` or above. This also checks the syntax.
pub fn rustfmt(folder: &Path, code: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot run rustfmt ({e}); run `rustup component add rustfmt`"))?;
    // rustfmt reads all its input before it writes, so this cannot block. If writing fails, rustfmt
    // fails too.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(code.as_bytes()).ok();
    }
    let output = child.wait_with_output().map_err(|e| format!("rustfmt: {e}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "the generated code is not valid Rust; check the names in the document for unusual characters\n{errors}"
        ));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("rustfmt: {e}"))
}
