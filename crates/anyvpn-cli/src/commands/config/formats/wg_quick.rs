//! The file of `wg-quick`, which the WireGuard apps and NetworkManager can also import.

use std::path::Path;

use anyvpn::{WireGuardConfig, is_interface_name, to_interface_name};

use super::Format;
use crate::text::{path_word, shell_word};

pub static FORMAT: Format = Format {
    name: "wg-quick",
    title: "a file for wg-quick, the WireGuard apps and NetworkManager",
    extension: "conf",
    is_whole: true,
    needs_address: false,
    write: |config| Ok(WireGuardConfig::to_secret(config)),
    next,
};

fn next(path: &Path) -> Vec<String> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = file.strip_suffix(".conf");
    if stem.is_some_and(is_interface_name) {
        return vec![format!("Next, as root: wg-quick up {}", path_word(path))];
    }
    let name = format!("{}.conf", to_interface_name(stem.unwrap_or(&file)));
    let renamed = path_word(&path.with_file_name(&name));
    vec![
        format!(
            "wg-quick refuses the file name {}. It accepts 1 to 15 letters, digits and _=+.- before .conf.",
            shell_word(&file)
        ),
        format!("Next, as root: mv {} {renamed} && wg-quick up {renamed}", path_word(path)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_wg_quick_refuses_is_replaced() {
        let next = |path: &str| next(Path::new(path)).join("\n");
        assert_eq!(next("se-sto.conf"), "Next, as root: wg-quick up ./se-sto.conf");
        assert_eq!(next("/a b/wg0.conf"), "Next, as root: wg-quick up '/a b/wg0.conf'");
        for (path, command) in [
            ("wg0", "mv ./wg0 ./wg0.conf && wg-quick up ./wg0.conf"),
            (
                "vpn/vpnscript-amsterdam.conf",
                "mv vpn/vpnscript-amsterdam.conf vpn/vpnscript-amste.conf && wg-quick up vpn/vpnscript-amste.conf",
            ),
            ("Malmö 2.conf", "mv './Malmö 2.conf' ./Malm--2.conf && wg-quick up ./Malm--2.conf"),
        ] {
            let next = next(path);
            let (why, then) = next.split_once('\n').unwrap();
            assert!(why.starts_with("wg-quick refuses the file name "), "{why}");
            assert_eq!(then, format!("Next, as root: {command}"));
        }
    }
}
