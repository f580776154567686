//! The options of `anyvpn port keep`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyvpn::{DAY, ProviderInfo};
use anyvpn_keeper::hooks::{Hook, HookError};
use anyvpn_keeper::machine::Settings;
use clap::Args;

use super::OnExit;
use crate::context::Context;
use crate::environment::{path_variable, state_folder};
use crate::failure::Failure;
use crate::number::number;

#[derive(Args)]
#[command(after_help = "\
A client's password comes from a variable such as ANYVPN_QBITTORRENT_PASSWORD,
from a systemd credential such as qbittorrent-password, or from the terminal.

Examples:
  anyvpn port keep --client qbittorrent
  anyvpn port keep --client transmission=http://me@127.0.0.1:9091
  anyvpn port keep --on-change 'notify-send port' --once")]
pub struct Keep {
    /// The tunnel's interface [default: the only point-to-point interface]
    #[arg(long, value_name = "INTERFACE")]
    pub tunnel: Option<String>,
    /// Set the port of this torrent client: deluge, qbittorrent, rtorrent or transmission; can be
    /// repeated
    #[arg(long, value_name = "CLIENT[=ADDRESS]")]
    pub client: Vec<String>,
    /// Bind the clients to the tunnel
    #[arg(long)]
    pub bind_clients: bool,
    /// The clients are in another network, such as a container's: do not look at their sockets
    #[arg(long)]
    pub clients_elsewhere: bool,
    /// Run this program when the port changes; no shell is involved
    #[arg(long, value_name = "COMMAND")]
    pub on_change: Vec<String>,
    /// Run this command when a port opens, in the form of gluetun's up command
    #[arg(long, value_name = "COMMAND")]
    pub up_command: Option<String>,
    /// Run this command when the port is lost, in the form of gluetun's down command
    #[arg(long, value_name = "COMMAND")]
    pub down_command: Option<String>,
    /// Kill a command that runs for more than N seconds
    #[arg(long, value_name = "N", default_value = "60", value_parser = number::<u32>(1, 3600))]
    pub hook_timeout: u32,
    /// Write the port to this file, as gluetun does
    #[arg(long, value_name = "FILE")]
    pub status_file: Option<PathBuf>,
    /// Write the public address to this file, as gluetun does
    #[arg(long, value_name = "FILE")]
    pub public_ip_file: Option<PathBuf>,
    /// Change the files in place, for programs that watch a file and for mounted files
    #[arg(long)]
    pub in_place: bool,
    /// Write all that is known to this file, for `anyvpn port status`
    #[arg(long, value_name = "FILE")]
    pub status_json: Option<PathBuf>,
    /// Serve gluetun's HTTP API, and /metrics, at this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub api: Option<SocketAddr>,
    /// Let those who know the key in this file use the API
    #[arg(long, value_name = "FILE", requires = "api")]
    pub api_key_file: Option<PathBuf>,
    /// Take the API's roles from this file, which is gluetun's config.toml
    #[arg(long, value_name = "FILE", requires = "api", conflicts_with = "api_key_file")]
    pub api_roles: Option<PathBuf>,
    /// Write metrics to this file, for the node exporter; the file's name must end with .prom
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
    /// Open the port and set the clients once, then exit
    #[arg(long)]
    pub once: bool,
    /// What becomes of the port when the command ends
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    pub on_exit: OnExit,
    /// Open at most N ports within 24 hours [default: 5 where ports have a fixed lifetime, else 100]
    #[arg(long, value_name = "N")]
    pub daily_creations: Option<u32>,
    /// Open ports for N days [default: the provider's maximum]
    #[arg(long, value_name = "N", value_parser = days)]
    pub days: Option<Duration>,
    /// Request this number; the provider may assign another one
    #[arg(long, value_name = "NUMBER", value_parser = number::<u16>(1, 65_535))]
    pub port: Option<u16>,
    /// Forward to this port of this machine, where the provider can
    #[arg(long, value_name = "NUMBER", value_parser = number::<u16>(1, 65_535))]
    pub local_port: Option<u16>,
    /// This machine's address in the tunnel [default: the tunnel's]
    #[arg(long, value_name = "ADDRESS")]
    pub internal_ipv4: Option<Ipv4Addr>,
    /// Remember in this folder what must survive a restart
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
}

fn days(text: &str) -> Result<Duration, String> {
    number::<u32>(1, 36_500)(text).map(|days| DAY * days)
}

impl Keep {
    /// Applies the arguments to the settings.
    pub fn apply(&self, settings: &mut Settings) {
        let forward = &mut settings.forward;
        forward.device = self.internal_ipv4;
        forward.wished_port = self.port;
        forward.local_port = self.local_port;
        forward.lifetime = self.days;
        settings.once = self.once;
        if let Some(daily) = self.daily_creations {
            settings.daily_creations = daily;
        }
        settings.seed = u64::from(std::process::id());
    }

    /// Returns the hooks, in the order of the options.
    pub fn hooks(&self) -> Result<Vec<Hook>, Failure> {
        let timeout = Duration::from_secs(self.hook_timeout.into());
        let invalid = |option: &'static str| {
            move |error: HookError| Failure::usage(format!("{option}: {error}"))
        };
        let mut hooks = Vec::new();
        for command in &self.on_change {
            let words = shlex::split(command)
                .ok_or_else(|| Failure::usage("--on-change: a quote is not closed"))?;
            hooks.push(Hook::new(words).map_err(invalid("--on-change"))?.with_timeout(timeout));
        }
        let (up, down) = (self.up_command.as_deref(), self.down_command.as_deref());
        if up.is_some() || down.is_some() {
            let hook = Hook::gluetun(up, down);
            let hook = hook.map_err(invalid("--up-command and --down-command"))?;
            hooks.push(hook.with_timeout(timeout));
        }
        Ok(hooks)
    }

    /// Returns the folder of the journal.
    pub fn state_folder(
        &self,
        context: &Context,
        info: &'static ProviderInfo,
    ) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.state {
            return Ok(folder.clone());
        }
        default_folder(context, info).ok_or_else(|| {
            Failure::usage("there is no folder for what must survive a restart")
                .hint("name one with --state, or set HOME")
        })
    }

    /// Returns the file for `anyvpn port status`.
    pub fn status_json(&self, context: &Context, info: &'static ProviderInfo) -> Option<PathBuf> {
        let own = self.state.as_ref().map(|folder| folder.join(STATUS));
        self.status_json.clone().or(own).or_else(|| default_status(context, info))
    }
}

const STATUS: &str = "status.json";

/// Returns the folder that holds a folder of this user for each profile or provider.
fn user_folder() -> Option<PathBuf> {
    Some(state_folder()?.join("port-keep"))
}

/// Returns the folder of a service, or a folder of this user for the profile or the provider.
fn default_folder(context: &Context, info: &'static ProviderInfo) -> Option<PathBuf> {
    path_variable("STATE_DIRECTORY").or_else(|| {
        let profile = context.profile_name(info);
        Some(user_folder()?.join(profile.unwrap_or_else(|| info.name.to_owned())))
    })
}

/// Returns the file that a keeper of this provider writes by default.
pub fn default_status(context: &Context, info: &'static ProviderInfo) -> Option<PathBuf> {
    let folder = path_variable("RUNTIME_DIRECTORY").or_else(|| default_folder(context, info));
    folder.map(|folder| folder.join(STATUS))
}

/// Returns the file that a keeper with this profile writes by default, whether the profile exists or not.
pub fn profile_status(profile: &str) -> Option<PathBuf> {
    Some(user_folder()?.join(profile).join(STATUS))
}

/// Returns the file that this service writes by default. `None` if this is not a service.
pub fn service_status() -> Option<PathBuf> {
    let folder = path_variable("RUNTIME_DIRECTORY").or_else(|| path_variable("STATE_DIRECTORY"));
    folder.map(|folder| folder.join(STATUS))
}

/// Lists the files of all profiles and providers of this user, in the order of their names.
pub fn user_statuses() -> Vec<PathBuf> {
    let folders = user_folder().and_then(|folder| fs::read_dir(folder).ok());
    let files = folders.into_iter().flatten().flatten().map(|entry| entry.path().join(STATUS));
    let mut files: Vec<_> = files.filter(|file| file.exists()).collect();
    files.sort();
    files
}
