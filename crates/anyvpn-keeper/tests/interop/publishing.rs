//! What the keeper publishes, read by other programs and by the commands that gluetun's users run,
//! unchanged.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use anyvpn_core::{PortProtocols, Timestamp};
use anyvpn_keeper::hooks::{Hook, HookEvent};
use anyvpn_keeper::publish::{Access, ControlApi, PublishedFile, Publisher, metrics};
use anyvpn_keeper::{ClientStatus, OpenPort, Snapshot, Tunnel};

use crate::{INSIDE, in_namespaces, part, run};

fn open(port: u16) -> Snapshot {
    let mut snapshot = Snapshot::new(Timestamp::now());
    snapshot.tunnel = Some(Tunnel::new("tun0", 5, vec!["10.0.16.9".parse().unwrap()]));
    let mut open = OpenPort::new(port, PortProtocols::Both);
    open.address = Some("192.0.2.7".parse().unwrap());
    open.expires_at = Some(snapshot.at);
    open.verified_at = Some(snapshot.at);
    snapshot.port = Some(open);
    snapshot.clients = vec![ClientStatus::new("a \"quoted\" \\ name")];
    snapshot
}

/// The command from gluetun's wiki, unchanged.
const OF_THE_WIKI: &str = r#"/bin/sh -c '/usr/bin/wget -O- --retry-connrefused --post-data "json={\"listen_port\":{{PORTS}}}" http://127.0.0.1:8080/api/v2/app/setPreferences 2>&1'"#;
/// The same in the later form, with the interface, and by curl, as people write it.
const WITH_CURL: &str = r#"/bin/sh -c "curl --fail --silent --data 'json={\"listen_port\":{{PORT}},\"current_network_interface\":\"{{VPN_INTERFACE}}\",\"random_port\":false,\"upnp\":false}' http://127.0.0.1:8080/api/v2/app/setPreferences""#;

#[test]
#[ignore = "it needs wget and curl: cargo xtask interop"]
fn published_up_commands_run_unchanged() {
    let programs =
        [("wget", "wget"), ("curl", "curl"), ("ip", "iproute2"), ("unshare", "util-linux")];
    part("gluetun's published up commands run unchanged", &programs, || {
        in_namespaces("publishing::inside_up_commands");
    });
}

#[tokio::test]
#[ignore = "it is run inside a namespace by another test"]
async fn inside_up_commands() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    run("ip", &["link", "set", "lo", "up"]);
    let listener = TcpListener::bind("127.0.0.1:8080").unwrap();
    for (command, expected) in [
        (OF_THE_WIKI, r#"json={"listen_port":50123}"#),
        (
            WITH_CURL,
            r#"json={"listen_port":50123,"current_network_interface":"tun0","random_port":false,"upnp":false}"#,
        ),
    ] {
        let listener = listener.try_clone().unwrap();
        let qbittorrent = std::thread::spawn(move || request(&listener));
        let hook = Hook::gluetun(Some(command), None).unwrap();
        hook.run(&HookEvent::of(&open(50123))).await.unwrap();
        let (first_line, body) = qbittorrent.join().unwrap();
        assert_eq!(first_line, "POST /api/v2/app/setPreferences HTTP/1.1");
        assert_eq!(body, expected);
    }
}

/// Accepts one request with a body, answers 200, and returns the request's first line and body.
fn request(listener: &TcpListener) -> (String, String) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(&stream);
    let (mut first, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        match line.trim_end() {
            "" => break,
            line if first.is_empty() => first = line.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (&stream)
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .unwrap();
    (first, String::from_utf8(body).unwrap())
}

#[test]
#[ignore = "it needs unshare: cargo xtask interop"]
fn a_mounted_file_is_changed_in_place_and_never_replaced() {
    let programs = [("unshare", "util-linux"), ("mount", "mount")];
    part("a mounted file is changed in place and never replaced", &programs, || {
        in_namespaces("publishing::inside_mounted_file");
    });
}

#[test]
#[ignore = "it is run inside a namespace by another test"]
fn inside_mounted_file() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (outside, mounted) = (folder.path().join("outside"), folder.path().join("mounted"));
    fs::write(&outside, "").unwrap();
    fs::write(&mounted, "").unwrap();
    run("mount", &["--bind", outside.to_str().unwrap(), mounted.to_str().unwrap()]);
    let mut publisher = Publisher::new(vec![PublishedFile::status(mounted.clone())], open(1));
    let errors = publisher.publish(&open(50123));
    assert!(errors.len() == 1 && errors[0].reason.contains("use --in-place"), "{errors:?}");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "");

    let mut publisher = Publisher::new(vec![PublishedFile::status(mounted).in_place()], open(1));
    for port in [50123, 1234, 61999] {
        assert_eq!(publisher.publish(&open(port)), []);
        assert_eq!(fs::read_to_string(&outside).unwrap(), port.to_string());
    }
    run("umount", &[folder.path().join("mounted").to_str().unwrap()]);
}

#[test]
#[ignore = "it needs inotifywait: cargo xtask interop"]
fn inotifywait_sees_each_change_in_place() {
    part("inotifywait sees each change in place", &[("inotifywait", "inotify-tools")], || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forwarded_port");
        let mut publisher =
            Publisher::new(vec![PublishedFile::status(path.clone()).in_place()], open(1));
        assert_eq!(publisher.publish(&open(50123)), []);
        // Watches the file as the scripts of gluetun's users do.
        let mut watcher = Command::new("inotifywait");
        watcher.args(["-m", "-e", "close_write", "--format", "%e"]).arg(&path);
        let mut watcher = watcher.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(watcher.stderr.take().unwrap()).lines();
        assert!(told.any(|line| line.unwrap() == "Watches established."));
        let mut events = BufReader::new(watcher.stdout.take().unwrap()).lines();
        for port in [50999, 1234, 61999] {
            assert_eq!(publisher.publish(&open(port)), []);
            assert_eq!(events.next().unwrap().unwrap(), "CLOSE_WRITE,CLOSE");
            assert_eq!(fs::read_to_string(&path).unwrap(), port.to_string());
        }
        watcher.kill().unwrap();
        watcher.wait().unwrap();
    });
}

#[test]
#[ignore = "it needs promtool: cargo xtask interop"]
fn promtool_accepts_the_metrics() {
    part("promtool accepts the metrics", &[("promtool", "prometheus")], || {
        for snapshot in [Snapshot::new(Timestamp::UNIX_EPOCH), open(50123)] {
            let mut promtool = Command::new("promtool");
            promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut promtool = promtool.stderr(Stdio::piped()).spawn().unwrap();
            promtool.stdin.take().unwrap().write_all(metrics(&snapshot).as_bytes()).unwrap();
            let checked = promtool.wait_with_output().unwrap();
            let said = [checked.stdout, checked.stderr].concat();
            assert!(
                checked.status.success() && said.is_empty(),
                "{}",
                String::from_utf8_lossy(&said)
            );
        }
    });
}

#[tokio::test]
#[ignore = "it needs curl: cargo xtask interop"]
async fn curl_reads_the_api() {
    let api = ControlApi::bind(([127, 0, 0, 1], 0).into(), Access::key("made-up".into()).unwrap());
    let api = api.await.unwrap();
    let address = api.address().unwrap();
    let publisher = Publisher::new(Vec::new(), open(50123));
    let serving = tokio::spawn(api.serve(publisher.subscribe()));
    let read = tokio::task::spawn_blocking(move || {
        part("curl reads the API", &[("curl", "curl")], || {
            let url = format!("http://{address}/v1/openvpn/portforwarded");
            let key = ["--fail", "--silent", "--header", "X-API-Key: made-up", &*url];
            assert_eq!(run("curl", &key), "{\"port\":50123,\"ports\":[50123]}\n");
            let refused = Command::new("curl").args(["--fail", "--silent", &url]).status().unwrap();
            assert_eq!(refused.code(), Some(22));
        });
    });
    read.await.unwrap();
    serving.abort();
}

#[test]
#[ignore = "it needs systemd-analyze: cargo xtask interop"]
fn systemd_accepts_the_unit_of_the_guide() {
    part("systemd accepts the unit of the guide", &[("systemd-analyze", "systemd")], || {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/port-keep.md");
        let guide = fs::read_to_string(guide).unwrap();
        let (_, after) =
            guide.split_once("`/etc/systemd/system/anyvpn-port-keep.service`").unwrap();
        let unit = after.split("```ini\n").nth(1).unwrap().split("```").next().unwrap();
        // The command is not installed where tests run.
        let unit = unit.replace("/usr/local/bin/anyvpn", "/bin/true");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anyvpn-port-keep.service");
        fs::write(&path, unit).unwrap();
        let path = path.to_str().unwrap();
        let checked = Command::new("systemd-analyze").args(["verify", path]).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr);
        // Other units of the machine can be wrong.
        let ours: Vec<_> = said.lines().filter(|line| line.contains("anyvpn-port-keep")).collect();
        assert!(checked.status.success() && ours.is_empty(), "{said}");
        let judged =
            run("systemd-analyze", &["security", "--offline=true", "--threshold=20", path]);
        assert!(judged.contains("OK"), "{judged}");
    });
}
