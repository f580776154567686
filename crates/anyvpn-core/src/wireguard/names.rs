//! The names that `wg-quick` gives interfaces: the file's name without `.conf`.

/// The longest name of an interface on Linux.
const LONGEST: usize = 15;

/// Returns whether `wg-quick` accepts `NAME.conf`. The name becomes the interface's name, so it must
/// have 1 to 15 characters from ASCII letters, digits, `_`, `=`, `+`, `.` and `-`.
///
/// ```
/// use anyvpn_core::{is_interface_name, to_interface_name};
///
/// assert!(is_interface_name("se-sto"));
/// assert!(!is_interface_name("vpnscript-amsterdam"));
/// assert_eq!(to_interface_name("vpnscript-amsterdam"), "vpnscript-amste");
/// ```
#[must_use]
pub fn is_interface_name(name: &str) -> bool {
    // Linux does not allow the last two names.
    (1..=LONGEST).contains(&name.len()) && name.chars().all(fits) && !matches!(name, "." | "..")
}

/// Converts a name to one that `wg-quick` accepts: other characters become `-`, and a long name is
/// truncated.
#[must_use]
pub fn to_interface_name(name: &str) -> String {
    let fit = |c: char| if fits(c) { c } else { '-' };
    let short: String = name.chars().map(fit).take(LONGEST).collect();
    let short = short.trim_matches(['-', '.']);
    if short.is_empty() { "wg0".to_owned() } else { short.to_owned() }
}

fn fits(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_=+.-".contains(c)
}
