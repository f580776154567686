//! NAT-PMP with other programs. Run by `cargo xtask interop`. They run in a separate network
//! namespace, and end with it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyvpn_core::{
    Context, ErrorKind, Limits, ListPortForwards, NewPortForward, PortForward, PortForwards,
    Provider, Settings,
};
use anyvpn_natpmp::NatPmp;
use anyvpn_sandbox::Sandbox;
use serde_json::json;

/// Tells a test that it runs inside the namespace, and the folder for its files.
const INSIDE: &str = "ANYVPN_NATPMP_INSIDE";
/// How long another program may take for any step.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs another test of this file in a namespace, or reports which program is missing.
fn part(name: &str, programs: &[(&str, &str)], inside: &str) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |program: &str| std::env::split_paths(&path).any(|it| it.join(program).is_file());
    let missing: Vec<_> = programs.iter().filter(|(program, _)| !has(program)).collect();
    let line = match missing[..] {
        [] => {
            let folder = folder(inside);
            let mut apart = Command::new("timeout");
            apart.args(["120", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]);
            apart.arg("--map-root-user").arg(std::env::current_exe().unwrap());
            apart.args(["--ignored", "--exact", "--nocapture", inside]).env(INSIDE, &folder);
            let ran = apart.stdin(Stdio::null()).output().unwrap();
            let said = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
            std::fs::remove_dir_all(folder).unwrap();
            format!("passed\t{name}\n")
        }
        [(program, package), ..] => {
            format!("skipped\t{name}: there is no {program}: apt-get install {package}\n")
        }
    };
    match std::env::var_os("ANYVPN_INTEROP_REPORT") {
        Some(path) => {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        None => assert!(line.starts_with("passed"), "{line}"),
    }
}

/// Returns a folder for the files of a part.
fn folder(part: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("anyvpn-{part}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
#[ignore = "it needs miniupnpd: cargo xtask interop"]
fn miniupnpd_serves_the_client() {
    let programs = [
        ("unshare", "util-linux"),
        ("ip", "iproute2"),
        ("nft", "nftables"),
        ("miniupnpd", "miniupnpd-nftables"),
    ];
    part("natpmp: miniupnpd serves the client", &programs, "inside_miniupnpd");
}

#[test]
#[ignore = "it needs natpmpc: cargo xtask interop"]
fn natpmpc_is_served_by_the_sandbox() {
    let programs = [("unshare", "util-linux"), ("ip", "iproute2"), ("natpmpc", "natpmpc")];
    part("natpmp: natpmpc is served by the sandbox", &programs, "inside_natpmpc");
}

/// Runs a program that must succeed, and returns what it printed.
fn run(program: &str, arguments: &str) -> String {
    let ran = Command::new(program).args(arguments.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program} {arguments}: {said}{errors}");
    said
}

/// Returns whether miniupnpd has created the rule that forwards a number to a local port. The rule
/// names the protocol by its number in the IP header.
fn has_rule(protocol: &str, number: u16, local: u16) -> bool {
    let header = if protocol == "tcp" { "0x6" } else { "0x11" };
    let rule = format!("{header} th dport {number} dnat ip to 127.0.0.1:{local}");
    let rules = run("nft", "list chain inet filter prerouting_miniupnpd");
    rules.lines().any(|line| line.trim_end().ends_with(&rule))
}

fn has_both(port: &PortForward) -> bool {
    ["tcp", "udp"].iter().all(|protocol| has_rule(protocol, port.port, port.local_port))
}

struct Miniupnpd(Child);

impl Miniupnpd {
    /// Starts a gateway without mappings, whose clock starts now.
    async fn start(folder: &Path, run_number: u8, natpmp: &NatPmp) -> Miniupnpd {
        let file = |name: &str| folder.join(format!("{name}-{run_number}"));
        let (config, log) = (file("conf"), std::fs::File::create(file("log")).unwrap());
        let leases = file("leases").display().to_string();
        let text = format!(
            "ext_ifname=wan0\next_ip=1.2.3.4\nlistening_ip=lo\nenable_natpmp=yes\nenable_upnp=no\n\
             lease_file={leases}\nuuid=00000000-0000-0000-0000-000000000001\n\
             allow 1024-65535 127.0.0.0/8 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut miniupnpd = Command::new("miniupnpd");
        miniupnpd.arg("-d").arg("-f").arg(&config).arg("-P").arg(file("pid"));
        let (out, errors) = (log.try_clone().unwrap(), log);
        let child = miniupnpd.stdin(Stdio::null()).stdout(out).stderr(errors).spawn().unwrap();
        let started = Miniupnpd(child);
        // It is not available until it listens.
        let until = Instant::now() + PATIENCE;
        while let Err(error) = natpmp.address().await {
            assert!(Instant::now() < until, "{error}: {:?}", std::fs::read_to_string(file("log")));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        started
    }
}

impl Drop for Miniupnpd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn client(settings: &[(&str, &str)], call: Duration) -> NatPmp {
    let settings =
        settings.iter().fold(Settings::new(), |all, (key, value)| all.with(*key, *value));
    let limits = Limits { call, ..Limits::default() };
    NatPmp::open(&settings, &Context::default().with_limits(limits)).unwrap()
}

fn wish(local: u16, number: u16) -> NewPortForward {
    let mut new = NewPortForward::new();
    (new.local_port, new.wished_port) = (Some(local), Some(number));
    new
}

async fn epoch(natpmp: &NatPmp) -> u64 {
    let told = natpmp.call_json("get-address", json!({}), false).await.unwrap();
    told["epoch_seconds"].as_u64().unwrap()
}

#[tokio::test]
#[ignore = "it runs in a namespace"]
async fn inside_miniupnpd() {
    let Some(folder) = std::env::var_os(INSIDE).map(PathBuf::from) else { return };
    run("ip", "link set lo up");
    run("ip", "link add wan0 type veth peer name wan1");
    run("ip", "address add 1.2.3.4/24 dev wan0");
    run("ip", "link set wan0 up");
    run("ip", "link set wan1 up");
    let rules = folder.join("rules");
    let chain = |name: &str, hook: &str| {
        format!(
            "chain {name} {{}}\nchain at_{hook} {{ {} jump {name}; }}\n",
            match hook {
                "forward" => "type filter hook forward priority 0;",
                "prerouting" => "type nat hook prerouting priority -100;",
                _ => "type nat hook postrouting priority 100;",
            }
        )
    };
    let chains = [
        chain("miniupnpd", "forward"),
        chain("prerouting_miniupnpd", "prerouting"),
        chain("postrouting_miniupnpd", "postrouting"),
    ];
    std::fs::write(&rules, format!("table inet filter {{\n{}}}\n", chains.concat())).unwrap();
    run("nft", &format!("-f {}", rules.display()));

    let at = ("gateway", "127.0.0.1");
    let natpmp = client(&[at, ("form", "plain"), ("lifetime", "7200")], PATIENCE);
    let first_run = Miniupnpd::start(&folder, 1, &natpmp).await;
    assert_eq!(natpmp.address().await.unwrap().to_string(), "1.2.3.4");

    // It grants and renews, for both protocols and with one number.
    let one = natpmp.create_port_forward(wish(51_000, 51_000)).await.unwrap();
    assert_eq!((one.port, one.local_port), (51_000, 51_000));
    assert!(has_both(&one), "{}", run("nft", "list ruleset"));
    let renewed = natpmp.renew_port_forward(&one).await.unwrap();
    assert!(renewed.port == one.port && renewed.expires_at >= one.expires_at);

    // A number that it does not allow becomes the next one that it does.
    let two = natpmp.create_port_forward(wish(51_001, 80)).await.unwrap();
    assert_eq!((two.port, two.local_port), (1024, 51_001));
    assert!(has_both(&two));

    // It deletes mappings that are not renewed.
    let short = client(&[at, ("form", "plain"), ("lifetime", "2")], PATIENCE);
    let brief = short.create_port_forward(wish(51_002, 51_002)).await.unwrap();
    assert!(has_both(&brief));
    let until = Instant::now() + PATIENCE;
    while has_rule("tcp", 51_002, 51_002) || has_rule("udp", 51_002, 51_002) {
        assert!(Instant::now() < until, "it lives on");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // It does not support Proton's form.
    let symmetric = client(&[at], PATIENCE);
    let error = symmetric.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("2")), "{error}");

    // It restarts without mappings, and a single renewal restores both ports.
    while epoch(&natpmp).await < 5 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(first_run);
    for chain in ["miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"] {
        run("nft", &format!("flush chain inet filter {chain}"));
    }
    // Another client waits for it, so that ours notices the restart by itself.
    let other = client(&[at, ("form", "plain")], PATIENCE);
    let second_run = Miniupnpd::start(&folder, 2, &other).await;
    assert!(!has_both(&one) && !has_both(&two));
    let renewed = natpmp.renew_port_forward(&one).await.unwrap();
    assert_eq!(renewed.port, one.port);
    assert!(has_both(&one) && has_both(&two), "{}", run("nft", "list ruleset"));

    // It accepts deletions, even of mappings that do not exist.
    for _ in 0..2 {
        natpmp.delete_port_forward(&one).await.unwrap();
    }
    natpmp.delete_port_forward(&two).await.unwrap();
    assert!(!has_rule("tcp", 51_000, 51_000) && !has_rule("udp", 1024, 51_001));
    assert!(natpmp.list_port_forwards(None).await.unwrap().is_empty());

    // After it ends, nothing listens.
    drop(second_run);
    let error = natpmp.address().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoService, "{error}");

    // The kernel's own table of routes names the gateway.
    run("ip", "route add 0.0.0.0/1 via 1.2.3.9 dev wan0");
    let routed = client(&[("interface", "wan0")], Duration::from_millis(300));
    let error = routed.address().await.unwrap_err();
    assert!(error.detail().unwrap().contains("1.2.3.9:5351"), "{error}");
    let error = client(&[("interface", "lo")], PATIENCE).address().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::InvalidRequest), "{error}");
}

#[tokio::test]
#[ignore = "it runs in a namespace"]
async fn inside_natpmpc() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    run("ip", "link set lo up");
    let sandbox =
        Sandbox::builder().listen("127.0.0.1:5351".parse().unwrap()).start().await.unwrap();
    assert_eq!(sandbox.natpmp_gateway(), "127.0.0.1:5351");
    let natpmpc = async |arguments: &str| {
        let arguments = format!("-g 127.0.0.1{arguments}");
        tokio::task::spawn_blocking(move || run("natpmpc", &arguments)).await.unwrap()
    };
    let said = natpmpc("").await;
    assert!(said.contains("Public IP address : 203.0.113.7"), "{said}");
    // Runs the command that Proton tells its users to run.
    for protocol in ["udp", "tcp"] {
        let said = natpmpc(&format!(" -a 1 0 {protocol} 60")).await;
        assert!(said.contains("Mapped public port") && said.contains("time 60"), "{said}");
    }
    let mappings = sandbox.natpmp().mappings();
    let numbers: Vec<_> = mappings.iter().map(|it| it.external_port).collect();
    assert!(numbers.len() == 2 && numbers[0] == numbers[1], "{mappings:?}");
    // A port is requested, renewed and deleted.
    sandbox.natpmp().set_plain(true);
    for _ in 0..2 {
        let said = natpmpc(" -a 40000 51000 tcp 7200").await;
        assert!(said.contains("Mapped public port 40000"), "{said}");
    }
    assert_eq!(sandbox.natpmp().mappings().len(), 3);
    natpmpc(" -a 0 51000 tcp 0").await;
    assert_eq!(sandbox.natpmp().mappings().len(), 2);
}
