//! A sandbox with a data plane, and programs in its networks.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::helper::Helper;
use crate::common;
use crate::part::accepts;
use crate::schema::Schemas;

/// A sandbox with its network, and one helper each on the client and on the internet.
pub struct World {
    pub folder: tempfile::TempDir,
    pub sandbox: Child,
    pub url: SocketAddr,
    pub environment: Vec<(String, String)>,
    pub enter_client: Vec<String>,
    pub client: Helper,
    pub internet: Helper,
    /// The provider's id of the connected device.
    pub device: String,
    pub port: u16,
}

impl World {
    pub fn start() -> World {
        let folder = tempfile::tempdir().unwrap();
        let mut sandbox = common::command(&["sandbox", "--data-plane", "--json"]);
        sandbox.env("PATH", std::env::var_os("PATH").unwrap());
        let mut sandbox = sandbox.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = sandbox.stdout.take().unwrap();
        let answer = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>().next();
        let Some(Ok(answer)) = answer else {
            panic!("{}", String::from_utf8_lossy(&sandbox.wait_with_output().unwrap().stderr));
        };
        Schemas::load().check("sandbox", &answer);
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
        };
        let environment = answer["environment"].as_object().unwrap().iter();
        let environment =
            environment.map(|(key, it)| (key.clone(), it.as_str().unwrap().to_owned()));
        let (plane, url) = (&answer["data_plane"], answer["url"].as_str().unwrap());
        let enter_client = texts(&plane["client"]);
        World {
            url: url.strip_prefix("http://").unwrap().parse().unwrap(),
            environment: environment.collect(),
            client: Helper::start(&enter_client),
            internet: Helper::start(&texts(&plane["internet"])),
            enter_client,
            folder,
            sandbox,
            device: String::new(),
            port: 0,
        }
    }

    /// Starts a program in the client's namespace.
    pub fn in_client(&self, program: &str, arguments: &[&str]) -> Command {
        let (nsenter, enter) = self.enter_client.split_first().unwrap();
        let mut command = Command::new(nsenter);
        command
            .args(enter)
            .arg(format!("--wdns={}", self.folder.path().display()))
            .arg(program)
            .args(arguments);
        let path = std::env::var("PATH").unwrap();
        command.env_clear().env("PATH", format!("{path}:/usr/sbin:/sbin"));
        command.env("HOME", self.folder.path()).envs(self.environment.clone());
        command.stdin(Stdio::null());
        command
    }

    pub fn anyvpn(&self, arguments: &[&str]) -> Command {
        self.in_client(env!("CARGO_BIN_EXE_anyvpn"), arguments)
    }

    pub fn answer(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&accepts(self.anyvpn(arguments).arg("--json")).stdout).unwrap()
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("vpn.conf")
    }

    /// Creates a configuration, its tunnel and a port.
    pub fn connect(&mut self) {
        self.connect_tunnel();
        self.open_port();
    }

    pub fn connect_tunnel(&mut self) {
        let get = ["config", "get", "se-sto", "--no-dns", "--output", "vpn.conf"];
        self.device = self.answer(&get)["id"].as_str().unwrap().to_owned();
        self.bring("up");
    }

    pub fn bring(&self, to: &str) {
        accepts(&mut self.in_client("wg-quick", &[to, "./vpn.conf"]));
    }

    pub fn open_port(&mut self) {
        let created = self.answer(&["port", "create", "--days", "2"]);
        self.port = u16::try_from(created["port"].as_u64().unwrap()).unwrap();
    }

    /// Advances the sandbox's clock.
    pub fn pass(&self, seconds: u64) {
        let body = json!({ "advance_seconds": seconds }).to_string();
        let mut stream = TcpStream::connect(self.url).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /_sandbox/clock HTTP/1.1\r\nhost: {}\r\nx-anyvpn-sandbox: control\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}",
            self.url
        )
        .unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        assert!(status.contains("200"), "{status}");
    }

    pub fn listen(&mut self, address: &str, with_tcp: bool) {
        let port = self.port;
        if with_tcp {
            assert_eq!(self.client.ask(&format!("listen-tcp {address}:{port}")), "ok");
        }
        assert_eq!(self.client.ask(&format!("listen-udp {address}:{port}")), "ok");
    }

    /// Returns whether the provider reports the port as open.
    pub fn is_open(&self) -> bool {
        let check = ["port", "check", &self.port.to_string(), "--exit-code"];
        let ran = self.anyvpn(&check).output().unwrap();
        match ran.status.code() {
            Some(0) => true,
            Some(10) => false,
            code => panic!("{code:?} {}", String::from_utf8_lossy(&ran.stderr)),
        }
    }

    /// Returns whether TCP and UDP come back from the client's program, in the helper's words.
    pub fn reached(&mut self, how: &str) -> String {
        self.internet.ask(&format!("{how} 198.51.100.1:{}", self.port))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}
