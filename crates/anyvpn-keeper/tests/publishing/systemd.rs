//! Messages to systemd, received by a listener that replaces it.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use anyvpn_keeper::Phase;
use anyvpn_keeper::publish::Systemd;

use crate::{nothing, open};

/// Tells the test that it is the service.
const INSIDE: &str = "KEEPER_TEST_SERVICE";

/// Runs a service from start to end.
fn live() {
    let mut systemd = Systemd::from_environment();
    let mut waiting = nothing();
    systemd.publish(&waiting);
    systemd.progress();
    // An unchanged status is not sent again.
    systemd.publish(&waiting);
    waiting.phase = Phase::BackingOff;
    waiting.problem = Some("The provider\nREADY=1\ndoes not answer.".to_owned());
    systemd.publish(&waiting);
    let mut unverified = open(50123);
    unverified.phase = Phase::Telling;
    unverified.port.as_mut().unwrap().verified_at = None;
    systemd.publish(&unverified);
    systemd.publish(&open(50123));
    systemd.progress();
    systemd.reloading();
    systemd.reloaded();
    systemd.stopping(Duration::from_secs(5));
}

/// Returns the messages of a service with this watchdog.
fn messages(watchdog: Option<(&str, &str)>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let listener = UnixDatagram::bind(&path).unwrap();
    let mut service = Command::new(std::env::current_exe().unwrap());
    service.args(["--exact", "systemd::systemd_hears_each_step_of_a_service"]);
    service.env(INSIDE, "1").env("NOTIFY_SOCKET", &path);
    if let Some((time, process)) = watchdog {
        service.env("WATCHDOG_USEC", time).env("WATCHDOG_PID", process);
    }
    assert!(service.output().unwrap().status.success());
    listener.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    let received = std::iter::from_fn(|| {
        listener.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec())
    });
    received.map(|message| String::from_utf8(message).unwrap().trim_end().to_owned()).collect()
}

#[test]
fn systemd_hears_each_step_of_a_service() {
    if std::env::var_os(INSIDE).is_some() {
        return live();
    }
    let mut told = messages(None);
    let reloading = told.iter().position(|message| message.starts_with("RELOADING=1\n")).unwrap();
    let time = told.remove(reloading);
    let time = time.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!(time.parse::<u64>().is_ok_and(|time| time > 0), "{time}");
    let expected = [
        "STATUS=waiting for the tunnel",
        "EXTEND_TIMEOUT_USEC=60000000",
        "STATUS=waiting before the next attempt; The provider READY=1 does not answer.",
        "STATUS=port 50123 is open; telling the clients",
        "STATUS=port 50123 is open",
        "READY=1",
        "READY=1",
        "STOPPING=1",
        "EXTEND_TIMEOUT_USEC=5000000",
    ];
    assert_eq!(told, expected);
    assert_eq!(reloading, 6);

    // The watchdog of another process gets no messages.
    let fed = |told: Vec<String>| told.iter().filter(|message| *message == "WATCHDOG=1").count();
    assert_eq!(fed(messages(Some(("4000000", "1")))), 0);
}

#[test]
fn the_watchdog_is_fed_by_progress_only() {
    if std::env::var_os(INSIDE).is_some() {
        let systemd = Systemd::from_environment();
        assert_eq!(systemd.interval(), Some(Duration::from_secs(2)));
        systemd.progress();
        systemd.progress();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let listener = UnixDatagram::bind(&path).unwrap();
    let mut service = Command::new(std::env::current_exe().unwrap());
    service.args(["--exact", "systemd::the_watchdog_is_fed_by_progress_only"]);
    // Without WATCHDOG_PID, the watchdog is for whoever reads it.
    service.env(INSIDE, "1").env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "4000000");
    assert!(service.output().unwrap().status.success());
    listener.set_nonblocking(true).unwrap();
    let mut buffer = [0; 64];
    let mut fed = 0;
    while let Ok(length) = listener.recv(&mut buffer) {
        fed += usize::from(buffer[..length] == *b"WATCHDOG=1\n");
    }
    assert_eq!(fed, 2);
}
