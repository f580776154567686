//! A user who writes files with `anyvpn config get`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyvpn_sandbox::vpnscript::Server;

use crate::common::{PASSWORD, World, command, ok};

const RESELLER: &str = "acme";
const CUSTOMER: &str = "acme_u1001";

/// A user of the providers that have their own configurations.
pub struct User {
    pub world: World,
    token: String,
}

impl User {
    pub fn new() -> User {
        let world = World::signed_in_at_pia();
        world.sandbox.vpnresellers().add_account(RESELLER, CUSTOMER, PASSWORD);
        let vpnscript = world.sandbox.vpnscript();
        vpnscript.set_job_duration(Duration::ZERO);
        let token = vpnscript.add_account("liam", "hunter2-canary").token;
        User { world, token }
    }

    /// Adds a server of VPN Script.
    pub fn server(&self, server: Server) -> String {
        self.world.sandbox.vpnscript().add_server(server).to_string()
    }

    /// Returns what `config get` writes for a VPN Script server.
    pub fn vpnscript(&self, server: &str, protocol: &str, more: &[&OsStr]) -> PathBuf {
        let url = self.world.sandbox.vpnscript_url();
        let mut get = command(&["config", "get", server, "--protocol", protocol]);
        get.env("ANYVPN_VPNSCRIPT_URL", url).env("ANYVPN_VPNSCRIPT_TOKEN", &self.token);
        let end = if protocol == "openvpn" { "ovpn" } else { "conf" };
        self.write(get, &format!("vpnscript.{end}"), more)
    }

    /// Returns what `config get` writes for an OpenVPN server.
    pub fn openvpn(&self, server: &str, form: &[&str]) -> PathBuf {
        let more: Vec<_> = form.iter().chain(&["--force"]).map(OsStr::new).collect();
        self.vpnscript(server, "openvpn", &more)
    }

    /// Returns what `config get` writes for an AzireVPN location.
    pub fn azire(&self, location: &str, more: &[&OsStr]) -> PathBuf {
        self.write(self.world.command(&["config", "get", location]), "azire.conf", more)
    }

    /// Returns what `config get` writes for a PIA region.
    pub fn pia(&self, protocol: &str, more: &[&str]) -> PathBuf {
        let get = self.world.pia(&["config", "get", "swiss", "--protocol", protocol]);
        self.forced(get, "pia", protocol, more)
    }

    /// Returns what `config get` writes for a VPNresellers server.
    pub fn vpnresellers(&self, protocol: &str, more: &[&str]) -> PathBuf {
        let words = ["config", "get", "1", "--protocol", protocol, "--customer", CUSTOMER];
        // Only WireGuard configurations belong to a customer.
        let words = if protocol == "openvpn" { &words[..5] } else { &words };
        self.forced(self.world.vpnresellers(RESELLER, words), "vpnresellers", protocol, more)
    }

    fn forced(&self, get: Command, name: &str, protocol: &str, more: &[&str]) -> PathBuf {
        let end = if protocol == "openvpn" { "ovpn" } else { "conf" };
        let more: Vec<_> = more.iter().chain(&["--force"]).map(OsStr::new).collect();
        self.write(get, &format!("{name}.{end}"), &more)
    }

    fn write(&self, mut get: Command, name: &str, more: &[&OsStr]) -> PathBuf {
        let path = self.world.path(name);
        ok(get.arg("--output").arg(&path).args(more));
        path
    }
}
