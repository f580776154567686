//! Writes figures to a page of docs/, between lines that name their part.

use std::fs;
use std::path::Path;

/// Writes a text between the lines `<!-- NAME -->` and `<!-- end of NAME -->` of a page.
///
/// # Errors
///
/// If the page cannot be read or written, or has no such part.
pub fn put(root: &Path, page: &str, name: &str, text: &str) -> Result<(), String> {
    let path = root.join(page);
    let old = fs::read_to_string(&path).map_err(|e| format!("{page}: {e}"))?;
    let new = with_part(&old, name, text).ok_or_else(|| format!("{page} has no part {name:?}"))?;
    fs::write(&path, new).map_err(|e| format!("{page}: {e}"))
}

/// Returns whether this part of a page has exactly this text.
///
/// # Errors
///
/// As [`put`].
pub fn has(root: &Path, page: &str, name: &str, text: &str) -> Result<bool, String> {
    let old = fs::read_to_string(root.join(page)).map_err(|e| format!("{page}: {e}"))?;
    let new = with_part(&old, name, text).ok_or_else(|| format!("{page} has no part {name:?}"))?;
    Ok(old == new)
}

fn with_part(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{text}{end}{after}"))
}

/// Returns the number of cores.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Describes the number and model of the cores, for a page.
pub fn processor() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    format!("{} cores of {model}", cores())
}

#[cfg(test)]
mod tests {
    use super::with_part;

    #[test]
    fn a_part_is_replaced_and_nothing_else() {
        let page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let new = with_part(page, "x", "new\n");
        assert_eq!(new.as_deref(), Some("a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n"));
        assert_eq!(with_part(page, "y", ""), None);
    }
}
