//! Measures an idle keeper, compared with a shell loop, and counts its calls in a day.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Deserializer, Value};

use super::met;
use super::process::{Running, field, memory};
use crate::cargo;

/// How long both are watched.
const WATCHED: Duration = Duration::from_secs(120);
/// How long the keeper may take until it holds a port.
const PATIENCE: Duration = Duration::from_secs(60);
/// The maximum memory of an idle keeper, in bytes.
const MOST_MEMORY: f64 = 15e6;

/// What people run instead: a loop that checks the tunnel as often as the keeper does, and requests the
/// ports once a minute.
const LOOP: &str = r#"
while :; do
    port=$(curl -fsS -H "Authorization: Bearer $ANYVPN_AZIRE_TOKEN" \
        "$ANYVPN_AZIRE_URL/v3/portforwardings?internal_ipv4=$DEVICE" | jq -r '.data.ports[0].port')
    echo "$port" > "$FILE"
    for look in 1 2 3 4 5 6 7 8 9 10 11 12; do
        ip -o addr show dev lo > "$FILE.tunnel" || break
        sleep 5
    done
done
"#;

/// Builds the command, and measures a keeper and the loop at the same time, on the sandbox.
pub fn section(root: &Path) -> Result<String, String> {
    cargo::run(&["build", "--release", "--locked", "--bin", "anyvpn"], &[])?;
    let binary = root.join("target/release/anyvpn");
    let home = root.join("target/bench/keeper");
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    let sandbox = Sandbox::start(&binary, &home)?;
    let keeper = sandbox.keep()?;

    let shell = Command::new("/usr/bin/time")
        .args(["--format", "%w %M", "timeout", &WATCHED.as_secs().to_string()])
        .args(["sh", "-c", LOOP])
        .envs(&sandbox.environment)
        .env("DEVICE", &sandbox.device)
        .env("FILE", home.join("by-the-loop"))
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("/usr/bin/time: {e}"))?;
    let mut wakes = Wakes::default();
    let begin = Instant::now();
    wakes.look(keeper.0.id())?;
    wakes.begin();
    while begin.elapsed() < WATCHED {
        std::thread::sleep(Duration::from_secs(1));
        wakes.look(keeper.0.id())?;
    }
    let minutes = begin.elapsed().as_secs_f64() / 60.0;
    let of_keeper = wakes.total() as f64 / minutes;
    let idle = memory(keeper.0.id(), "VmRSS")?;
    let peak = memory(keeper.0.id(), "VmHWM")?;

    let ended = shell.wait_with_output().map_err(|e| format!("the loop: {e}"))?;
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    let numbers = told.lines().last().unwrap_or_default().split(' ').map(str::parse::<f64>);
    let numbers: Vec<f64> = numbers.filter_map(Result::ok).collect();
    let [of_loop, largest] = numbers[..] else { return Err(format!("the loop: {told}")) };

    let calls = calls_of_a_day()?;
    Ok(format!(
        "A keeper that holds a port at the sandbox's AzireVPN, with a status file, `status.json`, the HTTP \
         API and no torrent client, was watched for {watched} s, and beside it a loop of a shell that looks \
         at the tunnel as often (every 5 s), and asks for the ports once a minute with curl and jq. A \
         wake-up is a voluntary switch of context, of all threads and of all processes that the loop \
         starts. The goal is at most {goal:.0} MB of idle memory.\n\n\
         | | idle memory, MB | largest, MB | wake-ups a minute |\n|---|---|---|---|\n\
         | `anyvpn port keep` | {idle:.1} | {peak:.1} | {of_keeper:.0} |\n\
         | a loop of a shell | | {largest:.1} | {of_loop:.0} |\n\n\
         Idle memory is {met}.\n\n\
         ### A day's calls\n\n\
         A day of the keeper's machine on virtual time, from its first start, while nothing goes wrong \
         (`crates/anyvpn-keeper/tests/histories/quiet.rs`). Where forwards are kept alive, the list is \
         this machine's own and counts as no call, and nobody checks the port.\n\n\
         | forwards | calls to the provider | lists | renewals | creations | checks | deletions | writes \
         of the journal | looks at each client |\n|---|---|---|---|---|---|---|---|---|\n{calls}",
        watched = WATCHED.as_secs(),
        goal = MOST_MEMORY / 1e6,
        idle = idle / 1e6,
        peak = peak / 1e6,
        largest = largest * 1024.0 / 1e6,
        of_loop = of_loop / (WATCHED.as_secs_f64() / 60.0),
        met = met(idle <= MOST_MEMORY),
    ))
}

/// Returns a row of the table for each kind of provider.
fn calls_of_a_day() -> Result<String, String> {
    let test = ["test", "--locked", "--package", "anyvpn-keeper", "--test", "histories"];
    let only = ["a_quiet_day_needs_few_calls", "--", "--nocapture"];
    let printed = cargo::stdout(&[&test[..], &only].concat())?;
    let rows: String = printed
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|row| format!("{row}\n"))
        .collect();
    if rows.is_empty() { Err(format!("no row in {printed}")) } else { Ok(rows) }
}

/// A sandbox with an AzireVPN device.
struct Sandbox {
    _server: Running,
    binary: PathBuf,
    home: PathBuf,
    environment: BTreeMap<String, String>,
    /// The device's address in the tunnel.
    device: String,
}

impl Sandbox {
    fn start(binary: &Path, home: &Path) -> Result<Self, String> {
        let mut server = Command::new(binary);
        server.args(["--json", "sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut server = Running(server.spawn().map_err(|e| format!("the sandbox: {e}"))?);
        let output = server.0.stdout.take().ok_or("the sandbox has no output")?;
        let mut answers = Deserializer::from_reader(output).into_iter::<Value>();
        let told = answers.next().and_then(Result::ok).ok_or("the sandbox does not start")?;
        let variables = told["environment"].as_object().into_iter().flatten();
        let environment = variables
            .filter(|(name, _)| name.starts_with("ANYVPN_AZIRE_"))
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        let (binary, home) = (binary.to_owned(), home.to_owned());
        let mut sandbox =
            Self { _server: server, binary, home, environment, device: String::new() };
        let config = sandbox.home.join("tunnel.conf");
        let mut get = sandbox.command(&["config", "get", "se-sto", "--output"]);
        let got = get.arg(&config).output().map_err(|e| format!("config get: {e}"))?;
        let text = fs::read_to_string(&config).unwrap_or_default();
        let address = text.lines().find_map(|line| line.strip_prefix("Address = "));
        let address = address.and_then(|list| list.split(['/', ',']).next());
        sandbox.device = address
            .ok_or_else(|| format!("config get: {}", String::from_utf8_lossy(&got.stderr)))?
            .to_owned();
        Ok(sandbox)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().env("HOME", &self.home).envs(&self.environment);
        command
    }

    /// Starts a keeper, and waits until it holds a port.
    fn keep(&self) -> Result<Running, String> {
        let file = self.home.join("port");
        let mut keeper = self.command(&["port", "keep", "--tunnel", "lo", "--internal-ipv4"]);
        keeper.args([&self.device, "--api", "127.0.0.1:0", "--status-file"]).arg(&file);
        keeper.arg("--status-json").arg(self.home.join("status.json")).stdout(Stdio::null());
        let keeper = Running(keeper.spawn().map_err(|e| format!("port keep: {e}"))?);
        let begin = Instant::now();
        while fs::read_to_string(&file).unwrap_or_default().is_empty() {
            if begin.elapsed() > PATIENCE {
                return Err("port keep opened no port".to_owned());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(keeper)
    }
}

/// Counts how often the threads of a process went to sleep.
#[derive(Default)]
struct Wakes {
    /// For each thread: at the beginning, and at the last look.
    threads: BTreeMap<String, (u64, u64)>,
}

impl Wakes {
    /// Looks at every thread. One that ends counts up to the last look.
    fn look(&mut self, process: u32) -> Result<(), String> {
        let folder = format!("/proc/{process}/task");
        let threads = fs::read_dir(&folder).map_err(|e| format!("{folder}: {e}"))?;
        for thread in threads.flatten() {
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            let Some(count) = field(&status, "voluntary_ctxt_switches") else { continue };
            let name = thread.file_name().to_string_lossy().into_owned();
            self.threads.entry(name).or_default().1 = count as u64;
        }
        Ok(())
    }

    /// Counts from now on.
    fn begin(&mut self) {
        self.threads.values_mut().for_each(|(begin, now)| *begin = *now);
    }

    fn total(&self) -> u64 {
        self.threads.values().map(|(begin, now)| now - begin).sum()
    }
}
