//! OpenVPN profiles as OpenVPN 2.6 reads them.

mod certificate;
mod credentials;
mod directives;
mod reader;
mod refused;
mod text;

use std::fmt;
use std::io;

use crate::config_text::split_ending;
use crate::escape_invisible;
use crate::{ConfigError, Directive, REDACTED, Secret};
pub use certificate::Certificate;
use reader::Item;
use text::Text;

/// A server that a profile names. OpenVPN tries the servers in order, or at random if the profile says
/// so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remote {
    /// The server's name or address, as it is written.
    pub host: String,
    /// The server's port; 1194 if the profile does not set one.
    pub port: RemotePort,
    /// The protocol, such as `udp` or `tcp4-client`; `udp` if the profile does not set one.
    pub proto: String,
}

/// A port, which a profile can also give as the name of a service.
///
/// ```
/// use anyvpn_core::RemotePort;
///
/// assert_eq!(RemotePort::Number(443), 443);
/// assert_eq!(RemotePort::Service("https".to_owned()).to_string(), "https");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemotePort {
    /// The number, 1 to 65535.
    Number(u16),
    /// The name of a service, such as `https`. The system on which OpenVPN runs knows its number.
    Service(String),
}

impl RemotePort {
    /// Parses a port other than 0 in digits (`str::parse` alone would accept a plus sign), or a name
    /// that contains a letter.
    fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().filter(|port| *port > 0).map(Self::Number);
        }
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name = text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(good)
            && text.contains(|c: char| c.is_ascii_alphabetic());
        is_name.then(|| Self::Service(text.to_owned()))
    }
}

impl PartialEq<u16> for RemotePort {
    fn eq(&self, number: &u16) -> bool {
        matches!(self, Self::Number(own) if own == number)
    }
}

impl fmt::Display for RemotePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Service(name) => f.write_str(name),
        }
    }
}

/// An OpenVPN profile: a document that prints exactly as it was parsed.
///
/// The text may contain keys and passwords, so there is no `Display`. [`Self::to_secret`] returns the
/// whole text, and [`Self::redacted`] and `Debug` omit its secrets.
///
/// ```
/// use anyvpn_core::OpenVpnProfile;
///
/// let profile = OpenVpnProfile::parse("client\nremote vpn.example.net 443 tcp # Paris\nup /tmp/x\n")?;
/// assert_eq!(profile.remotes()[0].port, 443);
/// assert_eq!(profile.directives()[0].why, "runs a program");
/// # Ok::<(), anyvpn_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct OpenVpnProfile {
    text: Text,
    items: Vec<Item>,
}

impl OpenVpnProfile {
    /// Reads a profile with OpenVPN's own rules for quotes, comments and blocks.
    ///
    /// Unknown directives are kept; `remote`, `port`, `proto` and the form of all lines and blocks are
    /// checked. A profile is refused if it has control characters, or if OpenVPN's short line buffer
    /// would make it see other lines than a person does.
    ///
    /// # Errors
    /// Returns the line and column, what is wrong and what to do. The error shows no value.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::read(Text::from(text))
    }

    /// Reads a profile as [`Self::parse`] does, from bytes that need not be UTF-8, such as a comment in
    /// an older encoding. [`Self::write_to`] writes each byte as it was; texts show `\u{fffd}` for
    /// bytes that are not UTF-8.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, ConfigError> {
        Self::read(Text::from_bytes(bytes))
    }

    fn read(text: Text) -> Result<Self, ConfigError> {
        let items = reader::read(&text)?;
        Ok(Self { text, items })
    }

    /// Writes the whole profile, including keys, with each byte as it was read.
    ///
    /// # Errors
    /// Any error of the writer.
    pub fn write_to(&self, writer: &mut dyn io::Write) -> io::Result<()> {
        self.text.write_to(writer)
    }

    /// Returns the whole text, including keys, to be written to a file.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::from(&*self.text)
    }

    /// Returns the text with `[redacted]` for each block that is not known to be public, for directives
    /// with a password or a token, and for lines with a word as long as a key.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut shown = String::new();
        self.redact(&self.items, &mut shown);
        shown
    }

    fn redact(&self, items: &[Item], shown: &mut String) {
        for item in items {
            let words = item.words();
            let name = words.first().copied().unwrap_or_default();
            let head = &self.text[item.head.clone()];
            if directives::has_secret_words(name) || looks_secret(head) {
                shown.extend([name, " ", REDACTED, split_ending(head).1]);
            } else {
                shown.push_str(head);
            }
            let Some(block) = &item.block else { continue };
            let body = &self.text[block.body.clone()];
            if !block.items.is_empty() {
                self.redact(&block.items, shown);
            } else if directives::is_public_block(name) && !body.contains("PRIVATE") {
                shown.push_str(body);
            } else {
                shown.extend([REDACTED, "\n"]);
            }
            // OpenVPN ignores anything after the closing tag, so it may even be a secret.
            let ending = split_ending(&self.text[block.tail.clone()]).1;
            shown.extend(["</", name, ">", ending]);
        }
    }

    /// Returns the servers, each with the port and protocol that apply to it. A `<connection>` block
    /// has one server: if a `remote` or any other line is repeated in it, the last one counts. If there
    /// are `<connection>` blocks, OpenVPN ignores `remote` lines outside them, and so does this.
    #[must_use]
    pub fn remotes(&self) -> Vec<Remote> {
        let (mut remotes, mut bare) = (Vec::new(), Vec::new());
        let mut whole = Connection::default();
        self.items.iter().for_each(|item| whole.read(item));
        // A block uses the settings above it, and a bare `remote` uses those at the end.
        let mut above = Connection::default();
        for item in &self.items {
            above.read(item);
            if let Some(block) = &item.block {
                let mut own = above.clone();
                block.items.iter().for_each(|item| own.read_inner(item));
                remotes.extend(own.remote());
            } else if item.words().first() == Some(&"remote") {
                let mut own = whole.clone();
                own.read_inner(item);
                bare.extend(own.remote());
            }
        }
        if remotes.is_empty() { bare } else { remotes }
    }

    /// Returns the lines that are not known to only describe a tunnel, including those inside
    /// `<connection>` blocks: directives that run programs, load code, or read or write files, and any
    /// directive that is not in the manuals of OpenVPN 2.4 to 2.6. Show them before the profile is
    /// used, because it comes from a remote server.
    ///
    /// `setenv opt` and `ignore-unknown-option` make no difference, because it depends on OpenVPN's
    /// version whether it ignores a directive. A file that is included as a block is not listed.
    #[must_use]
    pub fn directives(&self) -> Vec<Directive> {
        let mut found = Vec::new();
        for item in &self.items {
            found.extend(self.directive(item));
            let inner = item.block.iter().flat_map(|block| &block.items);
            found.extend(inner.filter_map(|item| self.directive(item)));
        }
        found
    }

    fn directive(&self, item: &Item) -> Option<Directive> {
        let words = item.words();
        let why = directives::why(&words, item.block.is_some())?;
        let (name, arguments) = words.split_first()?;
        let body = item.block.as_ref().map(|block| self.text[block.body.clone()].trim());
        let value = body.map_or_else(|| arguments.join(" "), ToOwned::to_owned);
        let shown = directives::is_shown(why, item.block.is_some(), looks_secret(&value));
        let value = if shown { escape_invisible(&value) } else { REDACTED.to_owned() };
        Some(Directive { line: item.line, name: escape_invisible(name), value, why })
    }

    /// Returns the certificates of the last `<ca>` block, which is the one that OpenVPN uses; empty if
    /// the profile has no such block.
    ///
    /// # Errors
    /// Returns an error with the block's line if it contains no certificate, or one that cannot be
    /// read.
    pub fn ca(&self) -> Result<Vec<Certificate>, ConfigError> {
        let is_ca = |item: &&Item| item.words().first() == Some(&"ca") && item.block.is_some();
        let last = self.items.iter().rev().find(is_ca);
        let Some((item, block)) = last.and_then(|item| Some((item, item.block.as_ref()?))) else {
            return Ok(Vec::new());
        };
        Certificate::from_pem(&self.text[block.body.clone()]).map_err(|error| ConfigError {
            line: item.line,
            column: 1,
            what: error.detail().unwrap_or("this block contains no certificate").to_owned(),
        })
    }
}

/// Shows the redacted text.
impl fmt::Debug for OpenVpnProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenVpnProfile").field(&self.redacted()).finish()
    }
}

/// The connection settings of OpenVPN's parser at a line of the profile.
#[derive(Clone)]
struct Connection {
    host: Option<String>,
    port: RemotePort,
    proto: String,
}

impl Default for Connection {
    fn default() -> Self {
        Self { host: None, port: RemotePort::Number(1194), proto: "udp".to_owned() }
    }
}

impl Connection {
    /// Reads a line that applies to all remotes. A bare `remote` is not such a line.
    fn read(&mut self, item: &Item) {
        match *item.words() {
            ["port" | "rport", text] => self.set_port(text),
            ["proto", text] => self.proto = text.to_owned(),
            _ => {}
        }
    }

    /// Reads a line of a `<connection>` block. If a line is repeated, the last one counts.
    fn read_inner(&mut self, item: &Item) {
        self.read(item);
        if let ["remote", host, ref rest @ ..] = *item.words() {
            self.host = Some(host.to_owned());
            rest.first().into_iter().for_each(|text| self.set_port(text));
            if let Some(text) = rest.get(1) {
                self.set_protocol(text);
            }
        }
    }

    fn set_port(&mut self, text: &str) {
        if let Some(port) = RemotePort::parse(text) {
            self.port = port;
        }
    }

    /// Sets the protocol. A `remote` without an address family keeps the previous one.
    fn set_protocol(&mut self, text: &str) {
        let family = |text: &str| text.chars().nth(3).filter(|c| matches!(c, '4' | '6'));
        let kept = family(&self.proto).filter(|_| family(text).is_none());
        self.proto = text.to_owned();
        if let (Some(kept), true) = (kept, self.proto.is_char_boundary(3)) {
            self.proto.insert(3, kept);
        }
    }

    fn remote(self) -> Option<Remote> {
        Some(Remote { host: self.host?, port: self.port, proto: self.proto })
    }
}

/// Returns whether the line has a word as long as a line of a key.
fn looks_secret(line: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    line.split(|c| !is_base64(c)).any(|run| run.len() >= 32)
}
