//! The environment in which a command line is run: a home folder, variables and a sandbox.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::World;
use crate::network::trusted;

const HOME: &str = "/home/jo";

/// The user whose environment it is.
#[derive(Clone, Copy)]
pub enum Who {
    /// A user who has set nothing.
    Nobody,
    Azire,
    VpnScript,
    /// A reseller's server.
    Vpngn,
    /// A program that customers have: it has the API key but not the secret key.
    VpngnClient,
}

/// How the shell differs from a normal one.
#[derive(Clone, Copy)]
pub enum How {
    Plain,
    /// Its stdout is a pipe without a reader.
    ClosedPipe,
    /// It is subject to file modes, which root is not.
    ByModes,
    /// It has no network.
    NoNetwork,
    /// It sees other disks, which these lines mount.
    Mounted(&'static str),
}

/// The result of a command line.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub struct Environment {
    pub world: World,
    /// More variables.
    pub variables: RefCell<Vec<(&'static str, String)>>,
    /// The port that replaces `PORT`.
    pub port: Cell<u16>,
    who: Who,
}

impl Environment {
    pub fn new(who: Who) -> Self {
        let world = World::new();
        let port = Cell::new(world.sandbox.address().port());
        let environment = Self { world, variables: RefCell::default(), port, who };
        environment.file("trusted.pem", trusted());
        environment
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.world.path(name)
    }

    /// Creates a file in the home folder that only its owner can read, with its folders.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        self.mode(name, 0o600);
    }

    pub fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Returns the path of the file of profiles.
    pub fn config(&self, text: &str) {
        self.file(".config/anyvpn/config.toml", self.real(text));
    }

    /// Sets another variable of the environment.
    pub fn set(&self, name: &'static str, value: impl Into<String>) {
        self.variables.borrow_mut().push((name, value.into()));
    }

    /// Runs a line in a shell. `None` if this machine cannot.
    pub fn run(&self, line: &str, how: How) -> Option<Ran> {
        let (mut before, mut probe) = ("", "true");
        let around: &[&str] = match how {
            How::Plain | How::ClosedPipe => &[],
            How::ByModes if !is_above_modes() => &[],
            How::ByModes => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
            How::NoNetwork => &["unshare", "--map-root-user", "--net"],
            How::Mounted(lines) => {
                (before, probe) = (lines, "mount -t tmpfs none /tmp");
                &["unshare", "--map-root-user", "--mount"]
            }
        };
        if !around.is_empty() && !works(around, probe) {
            return None;
        }
        let line = self.real(&format!("{before}{line}"));
        let mut words = around.iter().copied().chain(["sh", "-c", &line]);
        let mut shell = Command::new(words.next().unwrap());
        shell.args(words).env_clear().stdin(Stdio::null()).current_dir(self.path(""));
        let command = Path::new(env!("CARGO_BIN_EXE_anyvpn"));
        let programs = format!("{}:/usr/sbin:/usr/bin:/bin", command.parent().unwrap().display());
        shell.env("PATH", programs).env("HOME", self.path("")).env("TZ", "UTC");
        shell.env("SSL_CERT_FILE", self.path("trusted.pem"));
        shell.envs(self.signed_in()).envs(self.variables.borrow().iter().cloned());
        if matches!(how, How::ClosedPipe) {
            shell.stdout(std::io::pipe().unwrap().1);
        }
        let ran = shell.output().unwrap();
        Some(Ran {
            code: ran.status.code().unwrap(),
            stdout: self.named(&String::from_utf8(ran.stdout).unwrap()),
            stderr: self.named(&String::from_utf8(ran.stderr).unwrap()),
        })
    }

    /// Returns the variables that name the provider's address and the account.
    fn signed_in(&self) -> Vec<(&'static str, String)> {
        let World { sandbox, token, vpnscript_token, .. } = &self.world;
        match self.who {
            Who::Nobody => Vec::new(),
            Who::Azire => {
                vec![
                    ("ANYVPN_AZIRE_URL", sandbox.azire_url()),
                    ("ANYVPN_AZIRE_TOKEN", token.clone()),
                ]
            }
            Who::VpnScript => vec![
                ("ANYVPN_VPNSCRIPT_URL", sandbox.vpnscript_url()),
                ("ANYVPN_VPNSCRIPT_TOKEN", vpnscript_token.clone()),
            ],
            Who::Vpngn | Who::VpngnClient => {
                let vpngn = sandbox.vpngn();
                let mut all = vec![
                    ("ANYVPN_VPNGN_URL", sandbox.vpngn_url()),
                    ("ANYVPN_VPNGN_API_KEY", vpngn.api_key()),
                ];
                if matches!(self.who, Who::Vpngn) {
                    all.push(("ANYVPN_VPNGN_SECRET_KEY", vpngn.secret_key()));
                }
                all
            }
        }
    }

    /// Replaces the placeholders in a text by their values.
    fn real(&self, text: &str) -> String {
        let home = self.path("");
        let home = home.to_str().unwrap().trim_end_matches('/');
        text.replace(HOME, home).replace("PORT", &self.port.get().to_string())
    }

    /// Replaces the values that differ between runs by their placeholders.
    fn named(&self, text: &str) -> String {
        let home = self.path("");
        let home = home.to_str().unwrap().trim_end_matches('/');
        let mut text = text.replace(home, HOME);
        for host in ["127.0.0.1:", "127.0.0.1_", "localhost:"] {
            text = text.split(host).map(without_port).collect::<Vec<_>>().join(host);
        }
        // The delay is random, so that not all calls are retried at once.
        for seconds in 1..=9 {
            text = text.replace(&format!("; retrying in {seconds} s\n"), "; retrying in N s\n");
        }
        let secrets = [&self.world.token, &self.world.vpnscript_token];
        assert!(!secrets.iter().any(|secret| text.contains(&***secret)), "{text}");
        text
    }
}

/// The text begins with a port number that the system chose.
fn without_port(text: &str) -> Cow<'_, str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_chosen = text.len() - rest.len() >= 4;
    if is_chosen { format!("PORT{rest}").into() } else { text.into() }
}

/// Returns whether file modes do not apply to this user.
fn is_above_modes() -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o000)).unwrap();
    fs::read(file.path()).is_ok()
}

/// Returns whether the machine can run a command in this way.
fn works(around: &[&str], probe: &str) -> bool {
    let mut words = around.iter().copied().chain(["sh", "-c", probe]);
    let ran = Command::new(words.next().unwrap()).args(words).stderr(Stdio::null()).status();
    ran.is_ok_and(|status| status.success())
}
