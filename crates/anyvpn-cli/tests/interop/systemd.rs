//! The service of the guide, as it is written there.

use std::fs;

use crate::part::{Program, accepts, apart_script, part};

const SYSTEMD: &[Program] =
    &[("systemd-analyze", "systemd"), ("ip", "iproute2"), ("unshare", "util-linux")];

#[test]
#[ignore = "for cargo xtask interop"]
fn the_service_of_the_guide_keeps_its_port_over_a_restart() {
    part("the guide's service runs as it is written", SYSTEMD, Some("systemd.sh"), || {
        let page = include_str!("../../../../docs/port-keep.md");
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            // The code block after the line that names the file.
            let (_, rest) = page.split_once(&format!("/{name}`:\n")).unwrap();
            let (_, block) = rest.split_once("```").unwrap();
            let (text, _) = block.split_once("```").unwrap();
            let (_, text) = text.split_once('\n').unwrap();
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let mut ran = apart_script("systemd.sh");
        ran.arg(env!("CARGO_BIN_EXE_anyvpn"));
        ran.arg(file("anyvpn-port-keep.service")).arg(file("config.toml")).arg(folder.path());
        let said = String::from_utf8(accepts(&mut ran).stdout).unwrap();
        let [first, second] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
        assert!(first.parse::<u16>().is_ok_and(|port| port > 0), "{said}");
        assert_eq!(first, second);
    });
}
