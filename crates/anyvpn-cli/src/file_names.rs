//! File names for servers. A server's name comes from the provider, so it must not choose a path.

use std::collections::{HashMap, HashSet};

use anyvpn::{Protocol, Server};

/// The longest name that wg-quick accepts, because it becomes the name of the interface.
const LONGEST_WIREGUARD: usize = 15;
const LONGEST: usize = 60;

/// Returns a unique file name for each server. If several servers have the same name, the file names
/// contain their ids. `wireguard` is the extension of WireGuard files.
pub fn file_names(servers: &[(Server, Protocol)], wireguard: &str) -> Vec<String> {
    let wanted: Vec<String> = servers
        .iter()
        .map(|(server, protocol)| {
            // An id such as `se-sto` is a good file name. For a numeric id, the name is better.
            let numbered = server.id.bytes().all(|byte| byte.is_ascii_digit());
            let word = if numbered { &server.name } else { &server.id };
            match safe(word, longest(protocol)) {
                word if word.is_empty() => safe(&server.id, longest(protocol)),
                word => word,
            }
        })
        .collect();
    let mut count: HashMap<String, usize> = HashMap::new();
    for (word, (_, protocol)) in wanted.iter().zip(servers) {
        *count.entry(key(word, protocol)).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let names = wanted.iter().zip(servers).map(|(word, (server, protocol))| {
        let alone = count.get(&key(word, protocol)) == Some(&1) && !word.is_empty();
        let id = safe(&server.id, longest(protocol));
        let mut name = if alone { word.clone() } else { with(word, &id, longest(protocol)) };
        let mut number = 1;
        while !taken.insert(key(&name, protocol)) {
            number += 1;
            name = with(word, &number.to_string(), longest(protocol));
        }
        let extension = if *protocol == Protocol::OpenVpn { "ovpn" } else { wireguard };
        format!("{name}.{extension}")
    });
    names.collect()
}

fn longest(protocol: &Protocol) -> usize {
    if *protocol == Protocol::WireGuard { LONGEST_WIREGUARD } else { LONGEST }
}

/// Returns the key by which names are compared, since some disks ignore case.
fn key(name: &str, protocol: &Protocol) -> String {
    format!("{}.{}", name.to_lowercase(), protocol.as_str())
}

/// Whether Windows treats the name as a device, with any extension.
fn is_device(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["con", "prn", "aux", "nul"].contains(&&*name)
        || ["com", "lpt"].iter().any(|device| {
            name.strip_prefix(device)
                .is_some_and(|end| end.len() == 1 && end.bytes().all(|byte| byte.is_ascii_digit()))
        })
}

/// Reduces a text to letters, digits and single hyphens. The result is not a path or a hidden file, and
/// has no meaning for a shell, a terminal or the operating system.
fn safe(text: &str, longest: usize) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if name.len() == longest {
            break;
        }
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    if is_device(&name) {
        name.insert_str(0, "vpn-");
    }
    name
}

/// Adds a suffix to a name, and shortens the name if necessary.
fn with(word: &str, end: &str, longest: usize) -> String {
    let room = longest.saturating_sub(end.len() + 1);
    let word: String = word.chars().take(room).collect();
    match (word.trim_end_matches('-'), end) {
        ("", "") => "server".to_owned(),
        ("", end) => end.to_owned(),
        (word, "") => word.to_owned(),
        (word, end) => format!("{word}-{end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(servers: &[(&str, &str)], protocol: Protocol) -> Vec<String> {
        let server = |(id, name): &(&str, &str)| (Server::new(*id, *name), protocol.clone());
        file_names(&servers.iter().map(server).collect::<Vec<_>>(), "conf")
    }

    #[test]
    fn hostile_names_become_plain_file_names() {
        let hostile = [
            ("1", "../../etc/passwd"),
            ("2", "/etc/passwd"),
            ("3", ".."),
            ("4", "a\0b\n\x1b[2Jc"),
            ("5", "\u{202e}"),
            ("6", "-rf"),
            ("7", "C:\\x"),
            ("../8", "ignored"),
            ("\0", "ignored too"),
            ("10", ""),
            ("11", "NUL"),
            ("12", "com1.txt"),
            ("13", "../Com1"),
            ("14", "COM12"),
        ];
        let names = names(&hostile, Protocol::OpenVpn);
        assert_eq!(
            names,
            [
                "etc-passwd-1.ovpn",
                "etc-passwd-2.ovpn",
                "3.ovpn",
                "a-b-2Jc.ovpn",
                "5.ovpn",
                "rf.ovpn",
                "C-x.ovpn",
                "8.ovpn",
                "server.ovpn",
                "10.ovpn",
                "vpn-NUL.ovpn",
                "com1-txt.ovpn",
                "vpn-Com1.ovpn",
                "COM12.ovpn"
            ]
        );
    }

    #[test]
    fn servers_with_the_same_name_are_told_apart_by_id_and_wireguard_names_are_short() {
        let servers = [
            ("1", "Amsterdam, Netherlands 1"),
            ("2", "Amsterdam, Netherlands 2"),
            ("3", "oslo"),
            ("4", "Oslo"),
            ("5", "Oslo 4"),
            ("se-sto", "Stockholm, Sweden"),
        ];
        let names = names(&servers, Protocol::WireGuard);
        assert_eq!(
            names,
            [
                "Amsterdam-Net-1.conf",
                "Amsterdam-Net-2.conf",
                "oslo-3.conf",
                "Oslo-4.conf",
                "Oslo-4-2.conf",
                "se-sto.conf"
            ]
        );
        assert!(names.iter().all(|name| name.len() <= LONGEST_WIREGUARD + ".conf".len()));
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), servers.len());
    }
}
