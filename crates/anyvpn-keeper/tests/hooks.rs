//! The user's own commands: their input, and the effect of their failures.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyvpn_core::{PortProtocols, Timestamp};
use anyvpn_keeper::hooks::{Hook, HookError, HookEvent, HookEventKind};
use anyvpn_keeper::{OpenPort, Snapshot, Tunnel};

fn snapshot(port: Option<u16>, previous: Option<u16>) -> Snapshot {
    let mut snapshot = Snapshot::new(Timestamp::UNIX_EPOCH);
    snapshot.generation = 7;
    snapshot.tunnel = Some(Tunnel::new("wg0", 5, vec!["10.0.16.9".parse().unwrap()]));
    snapshot.port = port.map(|port| {
        let mut open = OpenPort::new(port, PortProtocols::Both);
        open.address = Some("192.0.2.7".parse().unwrap());
        open.expires_at = Some("2027-02-28T00:00:00Z".parse().unwrap());
        open
    });
    snapshot.previous_port = previous;
    snapshot
}

/// Returns a command that runs a shell script, with the name of its file as `$1`.
fn shell(script: &str, file: &Path) -> Hook {
    let words = ["/bin/sh", "-c", script, "hook", file.to_str().unwrap()];
    Hook::new(words.map(str::to_owned)).unwrap()
}

#[tokio::test]
async fn a_command_gets_the_event_as_json_and_as_variables() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told");
    let hook = shell("{ cat; env | grep ^ANYVPN_ | sort; } > \"$1\"", &file);
    hook.run(&HookEvent::of(&snapshot(Some(50123), None))).await.unwrap();
    let expected = "{\"address\":\"192.0.2.7\",\"event\":\"opened\",\"expires_at\":\"2027-02-28T00:00:00Z\",\
                    \"generation\":7,\"interface\":\"wg0\",\"local_port\":50123,\"old_port\":null,\
                    \"port\":50123,\"protocols\":\"both\"}\n\
                    ANYVPN_ADDRESS=192.0.2.7\nANYVPN_EVENT=opened\nANYVPN_EXPIRES_AT=2027-02-28T00:00:00Z\n\
                    ANYVPN_GENERATION=7\nANYVPN_INTERFACE=wg0\nANYVPN_LOCAL_PORT=50123\nANYVPN_OLD_PORT=\n\
                    ANYVPN_PORT=50123\nANYVPN_PROTOCOLS=both\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);

    hook.run(&HookEvent::of(&snapshot(None, Some(50123)))).await.unwrap();
    let told = fs::read_to_string(&file).unwrap();
    assert!(told.contains("ANYVPN_EVENT=closed\n") && told.contains("ANYVPN_PORT=\n"), "{told}");
    assert_eq!(HookEvent::of(&snapshot(Some(2), Some(1))).event, HookEventKind::Changed);
}

#[tokio::test]
async fn credentials_and_systemds_variables_are_not_inherited() {
    const INSIDE: &str = "KEEPER_TEST_INSIDE";
    if let Ok(file) = std::env::var(INSIDE) {
        let hook = shell("env > \"$1\"", Path::new(&file));
        hook.run(&HookEvent::of(&snapshot(Some(50123), None))).await.unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("env");
    let this = "credentials_and_systemds_variables_are_not_inherited";
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", this]).env(INSIDE, &file).env("ANYVPN_AZIRE_TOKEN", "canary-1");
    again.env("ANYVPN_QBITTORRENT_PASSWORD", "canary-2").env("NOTIFY_SOCKET", "/canary-3");
    again.env("WATCHDOG_USEC", "4000").env("WATCHDOG_PID", "1").env("MY_OWN", "kept");
    assert!(again.output().unwrap().status.success());
    let told = fs::read_to_string(&file).unwrap();
    assert!(told.contains("MY_OWN=kept\n") && told.contains("ANYVPN_PORT=50123\n"), "{told}");
    for gone in ["canary", "NOTIFY_SOCKET", "WATCHDOG"] {
        assert!(!told.contains(gone), "{told}");
    }
}

#[tokio::test]
async fn a_failure_names_the_program_and_no_argument() {
    let event = HookEvent::of(&snapshot(Some(50123), None));
    let run = async |words: &[&str]| {
        let hook = Hook::new(words.iter().map(|word| (*word).to_owned())).unwrap();
        let error = hook.run(&event).await.unwrap_err();
        let debug = format!("{hook:?} {error:?}");
        assert!(!debug.contains("canary"), "{debug}");
        error.to_string()
    };
    assert_eq!(run(&["/bin/sh", "-c", "exit 3", "canary"]).await, "/bin/sh failed: exit status: 3");
    let killed = run(&["/bin/sh", "-c", "kill -9 $$", "canary"]).await;
    assert!(killed.starts_with("/bin/sh failed: signal: 9"), "{killed}");
    let missing = run(&["/no/such/program", "canary"]).await;
    assert_eq!(missing, "/no/such/program cannot be started: entity not found");
    let folder = run(&["/tmp", "canary"]).await;
    assert_eq!(folder, "/tmp cannot be started: permission denied");
    assert_eq!(Hook::new([]).unwrap_err(), HookError::Invalid("it does not name a program"));
    assert!(Hook::gluetun(None, None).is_err());
    assert!(Hook::gluetun(Some("sh -c 'x"), None).is_err());
    // A command that does not read its input has not failed.
    Hook::new(["/bin/true".to_owned()]).unwrap().run(&event).await.unwrap();
}

#[tokio::test]
async fn a_time_out_kills_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Both processes hold the pipe open until they are killed, or say that they were not.
    let survive = "sleep 20; echo survived >&3";
    let script = &format!("exec 3>\"$1\"; ({survive}) & echo ready >&3; {survive}");
    let hook = shell(script, &pipe).with_timeout(Duration::from_secs(3600));
    let (ready, mut is_ready) = tokio::sync::oneshot::channel();
    let reader = std::thread::spawn(move || {
        let mut lines = BufReader::new(File::open(pipe).unwrap()).lines();
        ready.send(lines.next().unwrap().unwrap()).unwrap();
        // Ends when no process has the pipe open any more.
        lines.count()
    });
    let event = HookEvent::of(&snapshot(Some(50123), None));
    let run = hook.run(&event);
    tokio::pin!(run);
    tokio::select! {
        outcome = &mut run => panic!("{outcome:?}"),
        line = &mut is_ready => assert_eq!(line.unwrap(), "ready"),
    }
    tokio::time::pause();
    let error = run.await.unwrap_err();
    assert_eq!(error.to_string(), "/bin/sh ran for more than 3600 s and was killed");
    assert_eq!(reader.join().unwrap(), 0);
}

#[tokio::test]
async fn gluetuns_commands_run_as_in_gluetun() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told");
    let shown = file.to_str().unwrap();
    let up = format!(
        "/bin/sh -c \"echo up {{{{PORT}}}} {{{{PORTS}}}} {{{{VPN_INTERFACE}}}} >> {shown}\""
    );
    let down = format!("/bin/sh -c 'echo down {{{{PORTS}}}} >> {shown}'");
    let hook = Hook::gluetun(Some(&up), Some(&down)).unwrap();
    for (port, previous) in [(Some(1), None), (Some(2), Some(1)), (None, Some(2))] {
        hook.run(&HookEvent::of(&snapshot(port, previous))).await.unwrap();
    }
    let told = fs::read_to_string(&file).unwrap();
    assert_eq!(told, "up 1 1 wg0\ndown 1\nup 2 2 wg0\ndown 2\n");

    // The new port counts: a failure of the down hook does not undo it.
    let run = async |up: Option<&str>, down: &str, port, previous| {
        Hook::gluetun(up, Some(down)).unwrap().run(&HookEvent::of(&snapshot(port, previous))).await
    };
    run(Some("true"), "false", Some(2), Some(1)).await.unwrap();
    run(None, "false", Some(2), Some(1)).await.unwrap();
    run(Some("false"), "true", Some(2), Some(1)).await.unwrap_err();
    run(Some("true"), "false", None, Some(2)).await.unwrap_err();
}
