//! How a configuration is to be, and where it goes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyvpn::{ConfigRequest, PrivateKey, Protocol, Secret};
use clap::Args;

use super::content::{Form, Place};
use super::formats::{Format, USUAL, format};
use super::openvpn::{Credentials, OpenVpn};
use crate::context::Context;
use crate::failure::Failure;
use crate::file::{Pending, is_same_file};
use crate::labels::{Labels, label};
use crate::number::number;
use crate::secrets::read;

#[derive(Args)]
pub struct Options {
    /// Write the configuration to FILE, for its owner alone; without this, to stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
    /// Print a QR code for a telephone (WireGuard)
    #[arg(long)]
    pub qr: bool,
    /// Write a QR code to FILE, .png or .svg, for its owner alone (WireGuard)
    #[arg(long, value_name = "FILE")]
    pub qr_file: Option<PathBuf>,
    /// Write a configuration with directives that do more than describe a tunnel, such as running
    /// programs, or that anyvpn does not know
    #[arg(long, alias = "allow-commands")]
    pub allow_directives: bool,
    /// With --json and without a file: print the private key too
    #[arg(long)]
    pub reveal: bool,
    #[command(flatten)]
    pub wireguard: WireGuard,
}

/// Choices for a WireGuard configuration.
#[derive(Args)]
#[command(next_help_heading = "WireGuard")]
pub struct WireGuard {
    /// The form to write: for wg-quick and the apps, or for another program
    #[arg(long, value_name = "NAME", value_parser = format())]
    format: Option<&'static Format>,
    /// A name of yours for this device, which `anyvpn config list` shows
    #[arg(long, value_name = "NAME", value_parser = label)]
    pub name: Option<String>,
    /// Use the private key in FILE (`-`: stdin) instead of a new one, where the provider lets you
    #[arg(long, value_name = "FILE")]
    pub private_key_file: Option<PathBuf>,
    /// Write the server's address instead of its name
    #[arg(long)]
    ip_endpoint: bool,
    /// Connect to this UDP port of the server
    #[arg(long, value_name = "N", value_parser = number::<u16>(1, 65_535))]
    endpoint_port: Option<u16>,
    /// Resolvers to use inside the tunnel, instead of the provider's
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    dns: Option<Vec<IpAddr>>,
    /// Leave the resolvers as they are
    #[arg(long, conflicts_with = "dns")]
    no_dns: bool,
    /// The largest packet in bytes
    #[arg(long, value_name = "N", value_parser = number::<u16>(68, 65_535))]
    mtu: Option<u16>,
    /// Keep the tunnel open with a packet every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = number::<u16>(0, 65_535))]
    keepalive: Option<u16>,
    /// Leave IPv6 out
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

    /// The form to write.
    pub fn format(&self) -> &'static Format {
        self.format.unwrap_or(USUAL)
    }

    /// The request for one server.
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

/// Where a configuration goes. Files are prepared, so that nothing is made at a provider which then
/// has no place here.
pub struct Targets {
    pub file: Option<Pending>,
    /// The file of an OpenVPN profile's user name and password.
    pub credentials: Option<Pending>,
    pub picture: Option<(Pending, Picture)>,
    /// A QR code on stdout.
    pub qr: bool,
}

#[derive(Clone, Copy)]
pub enum Picture {
    Png,
    Svg,
}

impl Options {
    /// The private key to use, where one was given.
    pub fn key(&self) -> Result<Option<PrivateKey>, Failure> {
        let Some(file) = &self.wireguard.private_key_file else {
            return Ok(None);
        };
        let key: Secret = read(file)?;
        Ok(Some(PrivateKey::from_base64(&key)?))
    }

    /// Refuses what does not go together with the protocol.
    pub fn check(&self, protocol: &Protocol, openvpn: &OpenVpn) -> Result<(), Failure> {
        let has_qr = self.qr || self.qr_file.is_some();
        let only = |what: &str, other: &str| {
            let this = protocol.as_str();
            Failure::usage(format!("{what} are for {other}, and this is {this}"))
                .hint(format!("omit them, or choose another server or --protocol {other}"))
        };
        let is_wireguard = *protocol == Protocol::WireGuard;
        if is_wireguard && openvpn.is_given() {
            Err(only("--credentials and --compat", "openvpn"))
        } else if !is_wireguard && has_qr {
            Err(only("QR codes", "wireguard"))
        } else if !is_wireguard && self.wireguard.is_given() {
            Err(only("these options", "wireguard"))
        } else if has_qr && !self.wireguard.format().is_whole {
            let Format { name, title, .. } = self.wireguard.format();
            Err(Failure::usage(format!(
                "no app reads the form {name} from a QR code: it is {title}"
            ))
            .hint("omit --format, or --qr and --qr-file"))
        } else {
            Ok(())
        }
    }

    /// Where one configuration goes, and in which form; refused when nobody would see it.
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
            return Err(Failure::usage("--force is about a file, and none is to be written")
                .hint("add --output FILE or --qr-file FILE"));
        }
        if self.qr && context.output.json {
            return Err(Failure::usage("a QR code on the terminal is no JSON")
                .hint("write it to a picture with --qr-file FILE.png"));
        }
        if let (Some(output), Some(picture)) = (path, &self.qr_file)
            && is_same_file(output, picture)
        {
            return Err(Failure::usage("--output and --qr-file name the same file"));
        }
        let is_shown =
            path.is_some() || self.qr_file.is_some() || !context.output.json || self.reveal;
        let makes_key =
            *protocol == Protocol::WireGuard && self.wireguard.private_key_file.is_none();
        if makes_key && !is_shown {
            return Err(Failure::usage("the new private key would be made and never shown")
                .hint("add --output FILE or --reveal; nothing was changed"));
        }
        let picture = self.qr_file.as_deref().map(picture).transpose()?;
        let picture = match self.qr_file.as_deref().zip(picture) {
            Some((path, form)) => Some((Pending::new(path, self.force)?, form)),
            None => None,
        };
        let targets = match path {
            Some(path) => self.file(path, protocol, openvpn)?,
            None => Targets { file: None, credentials: None, picture: None, qr: self.qr },
        };
        Ok(Targets { picture, ..targets })
    }

    /// The files for one configuration: its own, and that of an OpenVPN profile's credentials.
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
                "the file of the credentials would have the profile's name",
            )
            .hint("let the profile's name end with .ovpn, or choose --credentials inline"));
        }
        let file = Pending::new(path, self.force)?;
        let credentials =
            has_credentials.then(|| Pending::new(&credentials, self.force)).transpose()?;
        Ok(Targets { file: Some(file), credentials, picture: None, qr: self.qr })
    }
}

impl Targets {
    /// The form of what goes there.
    pub fn form<'a>(&'a self, options: &Options, openvpn: &OpenVpn) -> Result<Form<'a>, Failure> {
        let name = self.credentials.as_ref().and_then(|file| file.path().file_name());
        let credentials = match (name, openvpn.credentials(self.file.is_some())?) {
            (Some(name), _) => Place::File(name.to_str().ok_or_else(|| {
                Failure::usage("OpenVPN cannot read a file whose name is no UTF-8")
                    .hint("choose another --output, or --credentials inline")
            })?),
            (None, Credentials::None) => Place::Nowhere,
            (None, _) => Place::Inline,
        };
        Ok(Form { format: options.wireguard.format(), credentials, compat: openvpn.compat })
    }
}

/// The file of the credentials beside a profile.
pub fn credentials_path(profile: &Path) -> PathBuf {
    profile.with_extension("auth")
}

fn picture(path: &Path) -> Result<Picture, Failure> {
    let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
    match &*extension.to_ascii_lowercase() {
        "png" => Ok(Picture::Png),
        "svg" => Ok(Picture::Svg),
        _ => Err(Failure::usage(format!("{} is neither .png nor .svg", path.display()))
            .hint("the name's end chooses the picture's form")),
    }
}
