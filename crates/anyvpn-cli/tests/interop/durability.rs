//! Checks with strace that a power failure loses nothing: a file and then its folder are flushed to
//! the disk.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{LOGIN, PASSWORD, World, command};
use crate::part::{Program, accepts, part};

const STRACE: &[Program] = &[("strace", "strace")];

#[test]
#[ignore = "for cargo xtask interop"]
fn files_and_their_folders_are_on_the_disk_when_a_command_ends() {
    part("strace sees each file and its folder written to the disk", STRACE, None, || {
        let world = World::new();
        let file = world.path("se-sto.conf");
        let mut get = world.command(&["config", "get", "se-sto", "--output"]);
        is_durable(&world, get.arg(&file), "se-sto.conf");

        let mut add = command(&["profile", "add", "home", "--provider", "azire", "--url"]);
        add.arg(world.sandbox.azire_url()).args(["--username", LOGIN]);
        add.env("HOME", world.folder.path()).env("ANYVPN_PASSWORD", PASSWORD);
        is_durable(&world, &mut add, "@home.json");
        let mut choose = command(&["profile", "use", "home"]);
        is_durable(&world, choose.env("HOME", world.folder.path()), "config.toml");
    });
}

/// Runs a command that writes a file whose name ends like this, and checks that it flushes the
/// content, then renames the file, then flushes the folder.
fn is_durable(world: &World, command: &mut Command, name: &str) {
    let traces = world.path(&format!("traces-{name}"));
    fs::create_dir(&traces).unwrap();
    let mut traced = Command::new("strace");
    // Use one file per thread, so that no call is split by another one.
    traced.args(["-ff", "--trace=openat,/^rename,fsync,fdatasync,close", "-o"]);
    traced.arg(traces.join("t")).arg(command.get_program()).args(command.get_args()).env_clear();
    traced.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    traced.env("PATH", std::env::var_os("PATH").unwrap());
    accepts(&mut traced);
    let mut threads = fs::read_dir(&traces).unwrap().map(|file| read(&file.unwrap().path()));
    let found = threads.find(|calls| calls.iter().any(|call| renames(call, name)));
    let calls = found.unwrap_or_else(|| panic!("nothing was renamed to {name}"));
    let at = calls.iter().rposition(|call| renames(call, name)).unwrap();
    let (before, after) = calls.split_at(at);
    let is_synced = |calls: &[String], fd: &str| {
        let call = format!("fsync({fd})");
        calls.iter().any(|found| found.starts_with(&call) && found.ends_with("= 0"))
    };
    let draft = after[0].split('"').nth(1).unwrap();
    assert!(is_synced(before, opened(before, draft)), "{calls:#?}");
    let folder = Path::new(draft).parent().unwrap().to_str().unwrap();
    assert!(is_synced(after, opened(after, folder)), "{calls:#?}");
}

fn read(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// Returns whether a call renames a file to a name that ends like this.
fn renames(call: &str, name: &str) -> bool {
    call.starts_with("rename") && call.contains(&format!("{name}\"")) && call.ends_with("= 0")
}

/// Returns the descriptor of the opened file or folder.
fn opened<'a>(calls: &'a [String], path: &str) -> &'a str {
    let call = calls.iter().rfind(|call| call.contains(&format!("\"{path}\"")));
    call.unwrap_or_else(|| panic!("{path} is not opened: {calls:#?}")).rsplit(' ').next().unwrap()
}
