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

/// A server that a profile names. OpenVPN tries them in order, or at random where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remote {
    /// Its name or address, as it is written.
    pub host: String,
    /// Its port, 1194 where the profile says nothing.
    pub port: RemotePort,
    /// The protocol, such as `udp` or `tcp4-client`; `udp` where the profile says nothing.
    pub proto: String,
}

/// A port, which a profile may also call by the name of its service.
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
    /// The name of a service, such as `https`. The system that connects knows its number.
    Service(String),
}

impl RemotePort {
    /// A port other than 0, in digits (`str::parse` alone would take a plus sign), or a name with a
    /// letter in it.
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
/// The text may hold keys and passwords, so there is no `Display`: [`Self::to_secret`] gives it on
/// purpose, [`Self::redacted`] (and `Debug`) gives it without them.
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
    /// Directives that are not known stay; `remote`, `port`, `proto` and the form of all lines and
    /// blocks are checked. Where OpenVPN's short line buffer would make it see other lines than a
    /// person does, and at control characters, the profile is refused.
    ///
    /// # Errors
    /// Says line and column, what is wrong and what to do, and repeats no value.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::read(Text::from(text))
    }

    /// Reads a profile as [`Self::parse`] does, from bytes that need not be UTF-8, such as a comment
    /// in an older encoding. [`Self::write_to`] writes each byte as it was; a text shows `\u{fffd}`
    /// for what is not UTF-8.
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

    /// Writes the whole profile, keys included, each byte as it was read.
    ///
    /// # Errors
    /// Any error of the writer.
    pub fn write_to(&self, writer: &mut dyn io::Write) -> io::Result<()> {
        self.text.write_to(writer)
    }

    /// The whole text, keys included: what is written to a file.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::from(&*self.text)
    }

    /// The text with `[redacted]` for each block that is not known to be public, for directives
    /// that carry a password or a token, and for lines with anything as long as a key.
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
            // OpenVPN ignores what follows the closing tag, so it may be anything.
            let ending = split_ending(&self.text[block.tail.clone()]).1;
            shown.extend(["</", name, ">", ending]);
        }
    }

    /// The servers, with the port and the protocol that hold for each. A `<connection>` block has
    /// one: of its `remote` lines, and of all that it says twice, the last counts. Beside `<connection>`
    /// blocks OpenVPN ignores a `remote` outside of them, and so does this.
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

    /// The lines that are not known to only describe a tunnel, with those inside of `<connection>`
    /// blocks: directives that run programs, load code, read or write files, and any directive that
    /// is not in the manuals of OpenVPN 2.4 to 2.6. Show them before the profile is used: it comes
    /// from a remote server.
    ///
    /// `setenv opt` and `ignore-unknown-option` make no difference: whether OpenVPN ignores a
    /// directive depends on its version. A file that comes as a block is not listed.
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

    /// The certificates of the last `<ca>` block, which is the one that OpenVPN uses; none when
    /// the profile has no such block.
    ///
    /// # Errors
    /// Names the block's line when it holds no certificate, or one that cannot be read.
    pub fn ca(&self) -> Result<Vec<Certificate>, ConfigError> {
        let is_ca = |item: &&Item| item.words().first() == Some(&"ca") && item.block.is_some();
        let last = self.items.iter().rev().find(is_ca);
        let Some((item, block)) = last.and_then(|item| Some((item, item.block.as_ref()?))) else {
            return Ok(Vec::new());
        };
        Certificate::from_pem(&self.text[block.body.clone()]).map_err(|error| ConfigError {
            line: item.line,
            column: 1,
            what: error.detail().unwrap_or("this block holds no certificate").to_owned(),
        })
    }
}

/// The redacted text.
impl fmt::Debug for OpenVpnProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenVpnProfile").field(&self.redacted()).finish()
    }
}

/// The state of OpenVPN's parser about a connection, at a line of the profile.
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
    /// Reads what holds for all remotes. A bare `remote` is none of it.
    fn read(&mut self, item: &Item) {
        match *item.words() {
            ["port" | "rport", text] => self.set_port(text),
            ["proto", text] => self.proto = text.to_owned(),
            _ => {}
        }
    }

    /// Reads a line of a `<connection>` block, in which the last of each counts.
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

    /// A `remote` without an address family keeps the one that was said before.
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

/// Whether the line has anything as long as the lines of a key.
fn looks_secret(line: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    line.split(|c| !is_base64(c)).any(|run| run.len() >= 32)
}
