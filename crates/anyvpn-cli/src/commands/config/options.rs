//! Options that say what a configuration contains and where it is written.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyvpn::{ConfigRequest, PrivateKey, Protocol, Secret};
use clap::Args;

use super::content::{CredentialsPlace, Form};
use super::formats::{Format, USUAL, format};
use super::openvpn::{Credentials, OpenVpn};
use crate::context::Context;
use crate::failure::Failure;
use crate::file::{OutputFile, is_same_file};
use crate::labels::{Labels, label};
use crate::number::number;
use crate::secrets::read;

#[derive(Args)]
pub struct Options {
    /// Write the configuration to FILE, readable only by you [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long)]
    pub force: bool,
    /// Print a QR code to scan with a phone (WireGuard)
    #[arg(long)]
    pub qr: bool,
    /// Write a QR code to FILE (.png or .svg), readable only by you (WireGuard)
    #[arg(long, value_name = "FILE")]
    pub qr_file: Option<PathBuf>,
    /// Accept a configuration that can do more than describe a tunnel, such as run programs
    #[arg(long, alias = "allow-commands")]
    pub allow_directives: bool,
    /// With --json and no file: include the private key in the output
    #[arg(long)]
    pub reveal: bool,
    #[command(flatten)]
    pub wireguard: WireGuard,
}

/// Options for a WireGuard configuration.
#[derive(Args)]
#[command(next_help_heading = "WireGuard")]
pub struct WireGuard {
    /// The file format to write
    #[arg(long, value_name = "NAME", value_parser = format())]
    format: Option<&'static Format>,
    /// A name for this device, shown by `anyvpn config list`
    #[arg(long, value_name = "NAME", value_parser = label)]
    pub name: Option<String>,
    /// Use the private key in FILE (- for stdin) instead of a new one, if the provider allows it
    #[arg(long, value_name = "FILE")]
    pub private_key_file: Option<PathBuf>,
    /// Write the server's IP address instead of its name
    #[arg(long)]
    ip_endpoint: bool,
    /// Connect to this UDP port of the server
    #[arg(long, value_name = "N", value_parser = number::<u16>(1, 65_535))]
    endpoint_port: Option<u16>,
    /// DNS resolvers to use inside the tunnel, instead of the provider's
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    dns: Option<Vec<IpAddr>>,
    /// Do not change the DNS resolvers
    #[arg(long, conflicts_with = "dns")]
    no_dns: bool,
    /// The largest packet size in bytes
    #[arg(long, value_name = "N", value_parser = number::<u16>(68, 65_535))]
    mtu: Option<u16>,
    /// Send a packet every SECONDS to keep the tunnel open
    #[arg(long, value_name = "SECONDS", value_parser = number::<u16>(0, 65_535))]
    keepalive: Option<u16>,
    /// Omit IPv6 addresses and routes
    #[arg(long)]
    ipv4_only: bool,
}

impl WireGuard {
    fn is_given(&self) -> bool {
        self.format.is_some()
            || self.name.is_some()
            || self.private_key_file.is_some()
            || self.endpoint_port.is_some()
            || self.dns.is_some()
            || self.mtu.is_some()
            || self.keepalive.is_some()
            || self.ip_endpoint
            || self.no_dns
            || self.ipv4_only
    }

    /// Returns the chosen file format.
    pub fn format(&self) -> &'static Format {
        self.format.unwrap_or(USUAL)
    }

    /// Builds the request for a server.
    pub fn request(
        &self,
        server: &str,
        protocol: Protocol,
        key: Option<PrivateKey>,
    ) -> ConfigRequest {
        let mut request = ConfigRequest::new(server, protocol);
        let wireguard = &mut request.wireguard;
        wireguard.private_key = key;
        wireguard.ip_endpoint = self.ip_endpoint || self.format().needs_address;
        wireguard.port = self.endpoint_port;
        wireguard.dns = if self.no_dns { Some(Vec::new()) } else { self.dns.clone() };
        wireguard.mtu = self.mtu;
        wireguard.keepalive = self.keepalive;
        wireguard.ipv4_only = self.ipv4_only;
        request
    }
}

/// The places where a configuration is written. We prepare the files before we ask the provider, so that
/// we create nothing there that we cannot store here.
pub struct Targets {
    pub file: Option<OutputFile>,
    /// The file with the user name and password of an OpenVPN profile.
    pub credentials: Option<OutputFile>,
    pub picture: Option<(OutputFile, Picture)>,
    /// Whether to print a QR code on stdout.
    pub qr: bool,
}

#[derive(Clone, Copy)]
pub enum Picture {
    Png,
    Svg,
}

impl Options {
    /// Reads the private key, if a file was given.
    pub fn key(&self) -> Result<Option<PrivateKey>, Failure> {
        let Some(file) = &self.wireguard.private_key_file else {
            return Ok(None);
        };
        let key: Secret = read(file)?;
        Ok(Some(PrivateKey::from_base64(&key)?))
    }

    /// Fails if an option does not apply to the protocol.
    pub fn check(&self, protocol: &Protocol, openvpn: &OpenVpn) -> Result<(), Failure> {
        let has_qr = self.qr || self.qr_file.is_some();
        let only = |what: &str, other: &str| {
            let this = protocol.as_str();
            Failure::usage(format!("{what} are for {other}, but this configuration is {this}"))
                .hint(format!("omit them, or choose another server or --protocol {other}"))
        };
        let is_wireguard = *protocol == Protocol::WireGuard;
        if is_wireguard && openvpn.is_given() {
            Err(only("--credentials and --compat", "openvpn"))
        } else if !is_wireguard && has_qr {
            Err(only("QR codes", "wireguard"))
        } else if !is_wireguard && self.wireguard.is_given() {
            Err(only("some of the options", "wireguard"))
        } else if has_qr && !self.wireguard.format().is_whole {
            let Format { name, title, .. } = self.wireguard.format();
            Err(Failure::usage(format!(
                "a QR code cannot have the format {name}, which is {title}"
            ))
            .hint("omit --format, or --qr and --qr-file"))
        } else {
            Ok(())
        }
    }

    /// Prepares the places where a configuration is written. Fails if nobody would see a new key.
    pub fn targets(
        &self,
        context: &Context,
        protocol: &Protocol,
        openvpn: &OpenVpn,
    ) -> Result<Targets, Failure> {
        self.check(protocol, openvpn)?;
        if self.wireguard.name.is_some() {
            Labels::check()?;
        }
        let path = self.output.as_deref().filter(|path| *path != Path::new("-"));
        if self.force && path.is_none() && self.qr_file.is_none() {
            return Err(Failure::usage("--force needs a file to overwrite")
                .hint("add --output FILE or --qr-file FILE"));
        }
        if self.qr && context.output.json {
            return Err(Failure::usage("--qr and --json cannot be combined")
                .hint("write the QR code to a picture with --qr-file FILE.png"));
        }
        if let (Some(output), Some(picture)) = (path, &self.qr_file)
            && is_same_file(output, picture)
        {
            return Err(Failure::usage("--output and --qr-file are the same file")
                .hint("choose two different files"));
        }
        let is_shown =
            path.is_some() || self.qr_file.is_some() || !context.output.json || self.reveal;
        let makes_key =
            *protocol == Protocol::WireGuard && self.wireguard.private_key_file.is_none();
        if makes_key && !is_shown {
            return Err(Failure::usage(
                "the new private key would not be shown or stored anywhere",
            )
            .hint("add --output FILE or --reveal; nothing was changed"));
        }
        let picture = self.qr_file.as_deref().map(picture).transpose()?;
        let picture = match self.qr_file.as_deref().zip(picture) {
            Some((path, form)) => Some((OutputFile::new(path, self.force)?, form)),
            None => None,
        };
        let targets = match path {
            Some(path) => self.file(path, protocol, openvpn)?,
            None => Targets { file: None, credentials: None, picture: None, qr: self.qr },
        };
        Ok(Targets { picture, ..targets })
    }

    /// Prepares the file of a configuration and, for OpenVPN, the file of its credentials.
    pub fn file(
        &self,
        path: &Path,
        protocol: &Protocol,
        openvpn: &OpenVpn,
    ) -> Result<Targets, Failure> {
        let has_credentials =
            *protocol == Protocol::OpenVpn && openvpn.credentials(true)? == Credentials::File;
        let credentials = credentials_path(path);
        if has_credentials && credentials == path {
            return Err(Failure::usage(
                "the credentials would overwrite the profile, because their file ends with .auth",
            )
            .hint("use a profile name that ends with .ovpn, or --credentials inline"));
        }
        let file = OutputFile::new(path, self.force)?;
        let credentials =
            has_credentials.then(|| OutputFile::new(&credentials, self.force)).transpose()?;
        Ok(Targets { file: Some(file), credentials, picture: None, qr: self.qr })
    }
}

impl Targets {
    /// Returns how the configuration is written for these targets.
    pub fn form<'a>(&'a self, options: &Options, openvpn: &OpenVpn) -> Result<Form<'a>, Failure> {
        let name = self.credentials.as_ref().and_then(|file| file.path().file_name());
        let credentials = match (name, openvpn.credentials(self.file.is_some())?) {
            (Some(name), _) => CredentialsPlace::File(name.to_str().ok_or_else(|| {
                Failure::usage("OpenVPN cannot read a file whose name is not UTF-8")
                    .hint("choose another --output, or --credentials inline")
            })?),
            (None, Credentials::None) => CredentialsPlace::Nowhere,
            (None, _) => CredentialsPlace::Inline { is_chosen: openvpn.is_place_chosen() },
        };
        Ok(Form { format: options.wireguard.format(), credentials, compat: openvpn.compat })
    }
}

/// Returns the path of the credentials beside a profile.
pub fn credentials_path(profile: &Path) -> PathBuf {
    profile.with_extension("auth")
}

fn picture(path: &Path) -> Result<Picture, Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match &*extension.to_ascii_lowercase() {
        "png" => Ok(Picture::Png),
        "svg" => Ok(Picture::Svg),
        _ => Err(Failure::usage(format!("{} does not end with .png or .svg", path.display()))
            .hint("the file extension chooses the image format")),
    }
}
