//! Runs the built command against a sandbox.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[cfg(unix)]
pub mod terminal;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::Value;
use tokio::sync::oneshot;

pub const LOGIN: &str = "david";
pub const PASSWORD: &str = "hunter2-canary";

/// A sandbox with an account, and a folder for files.
pub struct World {
    pub sandbox: Arc<Sandbox>,
    pub token: String,
    pub vpnscript_token: String,
    pub folder: tempfile::TempDir,
    /// The sandbox's thread ends when this value is dropped.
    _running: oneshot::Sender<()>,
}

/// Injects a fault for the next request of this operation.
pub fn inject(world: &World, operation: &str, fault: Fault) {
    world.sandbox.inject(FaultRule::once(operation, fault)).unwrap();
}

/// Returns the number of files in a folder.
pub fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

pub fn stderr(ran: &Output) -> &str {
    str::from_utf8(&ran.stderr).unwrap()
}

impl World {
    pub fn new() -> World {
        let (started, sandbox) = mpsc::channel();
        let (running, ended) = oneshot::channel();
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sandbox = Arc::new(Sandbox::start().await.unwrap());
                started.send(Arc::clone(&sandbox)).unwrap();
                // The command never sends a request.
                let _ = ended.await;
            });
        });
        let sandbox = sandbox.recv().unwrap();
        let token = sandbox.azire().add_account(LOGIN, PASSWORD).token;
        sandbox.vpnscript().set_job_duration(Duration::ZERO);
        let vpnscript_token = sandbox.vpnscript().add_account(LOGIN, PASSWORD).token;
        let folder = tempfile::tempdir().unwrap();
        World { sandbox, token, vpnscript_token, folder, _running: running }
    }

    /// Creates the same world with one device.
    pub fn with_device() -> World {
        let world = World::new();
        world.sandbox.azire().add_device(LOGIN).unwrap();
        world
    }

    /// Returns a command that is signed in.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("ANYVPN_AZIRE_URL", self.sandbox.azire_url())
            .env("ANYVPN_AZIRE_TOKEN", &self.token);
        command
    }

    /// Returns a command that is signed in to VPN Script.
    pub fn vpnscript(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("ANYVPN_VPNSCRIPT_URL", self.sandbox.vpnscript_url())
            .env("ANYVPN_VPNSCRIPT_TOKEN", &self.vpnscript_token);
        command
    }

    /// Returns a command on the server of a VPNGN reseller.
    pub fn vpngn(&self, arguments: &[&str]) -> Command {
        let mut command = self.vpngn_client(arguments);
        command.env("ANYVPN_VPNGN_SECRET_KEY", self.sandbox.vpngn().secret_key());
        command
    }

    /// Returns a command that has only VPNGN's API key.
    pub fn vpngn_client(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("ANYVPN_VPNGN_URL", self.sandbox.vpngn_url())
            .env("ANYVPN_VPNGN_API_KEY", self.sandbox.vpngn().api_key());
        command
    }

    /// Creates a world with a PIA account that is signed in.
    pub fn signed_in_at_pia() -> World {
        let world = World::new();
        world.sandbox.pia().add_account(LOGIN, PASSWORD);
        let password = world.file("password", PASSWORD);
        ok(&mut world.pia(&["login", "--username", LOGIN, "--password-file", &password]));
        world
    }

    /// Returns a command for PIA that trusts the sandbox and is connected to one of its servers.
    pub fn pia(&self, arguments: &[&str]) -> Command {
        let service = self.sandbox.pia();
        let mut command = command(arguments);
        command
            .env("ANYVPN_PROVIDER", "pia")
            .env("ANYVPN_PIA_URL", self.sandbox.pia_url())
            .env("ANYVPN_PIA_CA", service.ca())
            .env("ANYVPN_PIA_LIST_KEY", service.list_key())
            .env("ANYVPN_PIA_SERVER_NAME", service.server())
            .env("ANYVPN_PIA_GATEWAY", service.gateway())
            .env("XDG_STATE_HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path());
        command
    }

    /// Returns a command of a VPNresellers reseller.
    pub fn vpnresellers(&self, reseller: &str, arguments: &[&str]) -> Command {
        let service = self.sandbox.vpnresellers();
        let mut command = command(arguments);
        command
            .env("ANYVPN_VPNRESELLERS_URL", self.sandbox.vpnresellers_url())
            .env("ANYVPN_VPNRESELLERS_TOKEN", service.add_reseller(reseller).token);
        command
    }

    /// Runs a command that must succeed, without a terminal and with an empty stdin.
    pub fn ok(&self, arguments: &[&str]) -> String {
        ok(&mut self.command(arguments))
    }

    /// Runs a command that must succeed, with `--json`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = ok(self.command(arguments).arg("--json"));
        serde_json::from_str(&text).unwrap()
    }

    /// Runs a command that must fail with this exit code, and returns its stderr.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        fails(code, &mut self.command(arguments))
    }

    /// Runs the same with `--json`, and returns the object under `error`.
    pub fn error(&self, code: i32, arguments: &[&str]) -> Value {
        error(code, &mut self.command(arguments))
    }

    /// Creates a file with this content that only its owner can read.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        path.to_str().unwrap().to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns how many requests for the operation have arrived.
    pub fn calls(&self, operation: &str) -> usize {
        let received = self.sandbox.received();
        let calls = received.iter().filter(|it| it.operation == Some(operation));
        calls.count()
    }
}

/// Returns the command with an empty environment.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anyvpn"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

pub fn ok(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(0), "{command:?}: {stderr}");
    let stdout = String::from_utf8(stdout).unwrap();
    let json = command.get_args().any(|argument| argument == "--json" || argument == "call");
    for line in stdout.lines().filter(|_| !json) {
        assert!(line.chars().count() <= 80, "{command:?}: too wide: {line}");
    }
    stdout
}

/// Runs a command that must succeed with `--json`, and returns its answer.
pub fn json(command: &mut Command) -> Value {
    serde_json::from_str(&ok(command.arg("--json"))).unwrap()
}

/// Checks every failure message: it has at most four lines and shows no internals.
pub fn fails(code: i32, command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{command:?}: {stderr}");
    assert!(stdout.is_empty(), "{command:?}: {stdout:?}");
    let text: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.starts_with("Using internal") && !line.starts_with("Sandbox running"))
        .filter(|line| !line.contains("; retrying in "))
        .collect();
    assert!(text[0].starts_with("error: "), "{command:?}: {stderr}");
    assert!(text.len() <= 4, "{command:?}: {stderr}");
    for inside in ["::", "Some(", "None", "Error {", "reqwest", "Kind", "panicked", "src/"] {
        assert!(!stderr.contains(inside), "{command:?}: {stderr}");
    }
    stderr
}

pub fn error(code: i32, command: &mut Command) -> Value {
    let Output { status, stdout, stderr } = command.arg("--json").output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{command:?}: {stderr}");
    assert!(stdout.is_empty(), "{command:?}: {stdout:?}");
    let mut report: Value = serde_json::from_str(&stderr).unwrap();
    let error = report["error"].take();
    for key in ["kind", "provider", "operation", "status", "code", "message", "hint"] {
        assert!(error.get(key).is_some(), "{command:?}: no {key}: {stderr}");
    }
    error
}

/// Runs the command with this text on its stdin.
pub fn with_stdin(command: &mut Command, text: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Starts a provider that answers every request with this status and these bytes.
pub fn provider_of(status: &'static str, body: String) -> String {
    provider_by(move |_| (status, body.clone()))
}

/// Starts a provider that computes a status and bytes from the text of each request.
pub fn provider_by(answer: impl Fn(&str) -> (&'static str, String) + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), vec![0; 1 << 16]);
            let length = stream.read(&mut request).unwrap_or(0);
            let (status, body) = answer(&String::from_utf8_lossy(&request[..length]));
            let head = "Content-Type: application/json\r\nConnection: close\r\nContent-Length";
            let _ = write!(stream, "HTTP/1.1 {status}\r\n{head}: {}\r\n\r\n{body}", body.len());
        }
    });
    url
}
