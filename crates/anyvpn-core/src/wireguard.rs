//! WireGuard configurations as `wg-quick` reads them.

mod amnezia;
mod edit;
mod endpoint;
mod gluetun;
mod keys;
mod names;
mod options;
mod reader;
mod setconf;
mod values;

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use zeroize::Zeroizing;

use crate::config_text::hide_keys;
use crate::escape_invisible;
use crate::{ConfigError, Directive, REDACTED, Secret};
pub use endpoint::{Endpoint, Host, HostName, ZonedAddress};
pub use keys::{PresharedKey, PrivateKey, PublicKey};
pub use names::{is_interface_name, to_interface_name};
pub use options::{CheckedWireGuardOptions, WireGuardOptions};
use reader::Reader;
use values::{Key, Value};

/// This machine's end of a tunnel.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The private key.
    pub private_key: PrivateKey,
    /// The addresses inside the tunnel.
    pub addresses: Vec<IpNet>,
    /// The resolvers to use while the tunnel is up.
    pub dns: Vec<IpAddr>,
    /// The largest packet, 68 to 65535 bytes; `None` lets `wg-quick` find out.
    pub mtu: Option<u16>,
    /// The UDP port to listen on; `None` lets the system choose.
    pub listen_port: Option<u16>,
}

/// The other end of a tunnel.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The peer's public key.
    pub public_key: PublicKey,
    /// The key that both ends share.
    pub preshared_key: Option<PresharedKey>,
    /// The networks that are reached through the peer.
    pub allowed_ips: Vec<IpNet>,
    /// The peer's address; `None` waits until the peer connects.
    pub endpoint: Option<Endpoint>,
    /// The seconds between keepalive packets; `None` sends none, or leaves it to a range of AmneziaWG.
    pub persistent_keepalive: Option<u16>,
}

/// A `wg-quick` configuration: a document that prints exactly as it was parsed.
///
/// Comments, spacing, line endings, the case of keys, and unknown keys are preserved, even by edits.
/// The text contains a private key, so there is no `Display`. [`Self::to_secret`] returns the whole
/// text, and [`Self::redacted`] and `Debug` omit its keys.
///
/// ```
/// use anyvpn_core::WireGuardConfig;
///
/// let text = "[Interface]\nPrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\nMTU=1420 # fits\n";
/// let mut config = WireGuardConfig::parse(text)?;
/// config.set_mtu(Some(1380))?;
/// assert_eq!(config.redacted(), "[Interface]\nPrivateKey = [redacted]\nMTU=1380 # fits\n");
/// # Ok::<(), anyvpn_core::Error>(())
/// ```
#[derive(Clone)]
pub struct WireGuardConfig {
    lines: Vec<Line>,
    private_key: PrivateKey,
    /// The peers, in order.
    public_keys: Vec<PublicKey>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Interface,
    Peer(usize),
}

/// One line with its end.
#[derive(Clone)]
struct Line {
    text: Zeroizing<String>,
    section: Option<Section>,
    /// `None` for headers, comments, blank lines and unknown keys.
    entry: Option<Entry>,
}

#[derive(Clone)]
struct Entry {
    key: Key,
    value: Value,
    /// The bytes of the value in the line.
    span: Range<usize>,
}

impl Entry {
    /// Returns the effect of the entry beyond describing a tunnel.
    fn why(&self) -> Option<&'static str> {
        match &self.value {
            _ if self.key.is_command() => Some("runs a program"),
            Value::Save(true) => Some("writes a file"),
            _ => None,
        }
    }
}

impl WireGuardConfig {
    /// Reads a configuration, as strictly as `wg-quick` and `wg` together.
    ///
    /// It differs from them on purpose. Unknown keys are kept, because other programs have more keys,
    /// and so is AmneziaWG's `PersistentKeepalive = 20-30`. It refuses a missing private key, a second
    /// key of the same kind, control characters, port 0 and an MTU below 68, with which a tunnel cannot
    /// work or programs disagree about the meaning. It also refuses numbers that `ip` reads as octal,
    /// short addresses such as `10.1`, names of ports, and the prefixes `+` and `-` of `AllowedIPs`,
    /// which make no sense in a whole file.
    ///
    /// # Errors
    /// Returns the line and column, what is wrong and what to do. The error shows no value.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let read = reader.read(index + 1, line);
            read.map_err(|problem| problem.in_line(index + 1, line))?;
        }
        reader.finish()
    }

    /// Creates a configuration with keys in the usual order and values as they are given.
    #[must_use]
    pub fn new(interface: Interface, peers: Vec<Peer>) -> Self {
        let mut config = Self {
            lines: vec![Line::plain("[Interface]\n", Section::Interface)],
            private_key: interface.private_key.clone(),
            public_keys: peers.iter().map(|peer| peer.public_key).collect(),
        };
        let mut add = |section, key, value: Option<Value>| {
            let lines = &mut config.lines;
            lines.extend(value.map(|value| Line::entry(section, key, value, "\n")));
        };
        let networks =
            |networks: Vec<IpNet>| (!networks.is_empty()).then_some(Value::Networks(networks));
        let number = |number: Option<u16>| number.map(|number| Value::Number(Some(number)));
        let dns: Vec<String> = interface.dns.iter().map(ToString::to_string).collect();
        let own = Section::Interface;
        add(own, Key::PrivateKey, Some(Value::PrivateKey(interface.private_key)));
        add(own, Key::ListenPort, number(interface.listen_port));
        add(own, Key::Address, networks(interface.addresses));
        add(own, Key::Dns, (!dns.is_empty()).then_some(Value::Dns(dns)));
        add(own, Key::Mtu, number(interface.mtu));
        for (index, peer) in peers.into_iter().enumerate() {
            let section = Section::Peer(index);
            add(section, Key::PublicKey, Some(Value::PublicKey(peer.public_key)));
            add(section, Key::PresharedKey, peer.preshared_key.map(Value::PresharedKey));
            add(section, Key::AllowedIps, networks(peer.allowed_ips));
            add(section, Key::Endpoint, peer.endpoint.map(Value::Endpoint));
            let keepalive = peer.persistent_keepalive.filter(|seconds| *seconds > 0);
            add(section, Key::PersistentKeepalive, number(keepalive));
        }
        for index in (0..config.public_keys.len()).rev() {
            let section = Section::Peer(index);
            let first = config.lines.iter().position(|line| line.section == Some(section));
            let header = [Line::plain("\n", section), Line::plain("[Peer]\n", section)];
            let at = first.unwrap_or(config.lines.len());
            config.lines.splice(at..at, header);
        }
        config
    }

    /// Returns the whole text, including keys, to be written to a file.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let length = self.lines.iter().map(|line| line.text.len()).sum();
        // Allocate the final size at once: a buffer that grows leaves copies of the key in memory.
        let mut text = String::with_capacity(length);
        for line in &self.lines {
            text.push_str(&line.text);
        }
        Secret::from(text)
    }

    /// Returns the text with `[redacted]` for private and preshared keys, and for anything that looks
    /// like a key in comments, commands and unknown keys.
    #[must_use]
    pub fn redacted(&self) -> String {
        let shown = self.lines.iter().map(|line| match &line.entry {
            Some(Entry { key, span, .. }) if key.is_secret() || *key == Key::PublicKey => {
                let value = if key.is_secret() { REDACTED } else { &line.text[span.clone()] };
                let (before, after) = (&line.text[..span.start], &line.text[span.end..]);
                format!("{before}{value}{}", hide_keys(after))
            }
            _ => hide_keys(&line.text),
        });
        shown.collect()
    }

    /// Returns the private key.
    #[must_use]
    pub fn private_key(&self) -> &PrivateKey {
        &self.private_key
    }

    /// Returns the addresses inside the tunnel, from all `Address` lines.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpNet> {
        self.networks(Section::Interface)
    }

    /// Returns the resolvers and search domains, as they are written.
    #[must_use]
    pub fn dns(&self) -> Vec<String> {
        let values = self.entries(Section::Interface).map(|entry| match &entry.value {
            Value::Dns(words) => words.as_slice(),
            _ => &[],
        });
        values.flatten().cloned().collect()
    }

    /// Returns the MTU, in bytes; `None` if it is not set.
    #[must_use]
    pub fn mtu(&self) -> Option<u16> {
        self.number(Section::Interface, Key::Mtu)
    }

    /// Returns the UDP port to listen on; `None` if it is not set.
    #[must_use]
    pub fn listen_port(&self) -> Option<u16> {
        self.number(Section::Interface, Key::ListenPort)
    }

    /// Returns the peers, in order.
    #[must_use]
    pub fn peers(&self) -> Vec<Peer> {
        let peer = |(index, public_key): (usize, &PublicKey)| {
            let section = Section::Peer(index);
            let mut peer = Peer {
                public_key: *public_key,
                preshared_key: None,
                allowed_ips: self.networks(section),
                endpoint: None,
                persistent_keepalive: self
                    .number(section, Key::PersistentKeepalive)
                    .filter(|seconds| *seconds > 0),
            };
            // If a line is repeated, the last one counts, as in wg.
            for entry in self.entries(section) {
                match &entry.value {
                    Value::PresharedKey(key) => peer.preshared_key = Some(key.clone()),
                    Value::Endpoint(endpoint) => peer.endpoint = Some(endpoint.clone()),
                    _ => {}
                }
            }
            peer
        };
        self.public_keys.iter().enumerate().map(peer).collect()
    }

    /// Returns the lines that do more than describe a tunnel: the commands that `wg-quick` runs as root
    /// (`PreUp`, `PostUp`, `PreDown`, `PostDown`), `SaveConfig`, and keys that neither `wg` nor
    /// `wg-quick` nor AmneziaWG has. Show them before the configuration is used, because it comes from
    /// a remote server.
    #[must_use]
    pub fn directives(&self) -> Vec<Directive> {
        let lines = self.lines.iter().enumerate();
        lines.filter_map(|(index, line)| line.directive(index + 1)).collect()
    }

    fn entries(&self, section: Section) -> impl Iterator<Item = &Entry> {
        let lines = self.lines.iter().filter(move |line| line.section == Some(section));
        lines.filter_map(|line| line.entry.as_ref())
    }

    /// Returns the `Address` of the interface or the `AllowedIPs` of a peer.
    fn networks(&self, section: Section) -> Vec<IpNet> {
        let values = self.entries(section).map(|entry| match &entry.value {
            Value::Networks(networks) => networks.as_slice(),
            _ => &[],
        });
        values.flatten().copied().collect()
    }

    /// If a line is repeated, the last one counts, as in wg.
    fn number(&self, section: Section, key: Key) -> Option<u16> {
        let mut entries = self.entries(section).filter(|entry| entry.key == key);
        match entries.by_ref().last()?.value {
            Value::Number(number) => number,
            _ => None,
        }
    }
}

/// Shows the redacted text.
impl fmt::Debug for WireGuardConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WireGuardConfig").field(&self.redacted()).finish()
    }
}

impl Line {
    /// Returns what the line does beyond describing a tunnel; `None` if nothing. `number` is the line's
    /// number, counted from 1.
    fn directive(&self, number: usize) -> Option<Directive> {
        let (name, value, why) = match &self.entry {
            Some(entry) => (entry.key.name(), &self.text[entry.span.clone()], entry.why()?),
            None => {
                let (name, value) = reader::unknown(&self.text)?;
                let in_peer = matches!(self.section, Some(Section::Peer(_)));
                if amnezia::describes(name, value, in_peer) {
                    return None;
                }
                (name, value, "is not a key that wg-quick knows")
            }
        };
        let value = hide_keys(&escape_invisible(value));
        Some(Directive { line: number, name: name.to_owned(), value, why })
    }

    /// Returns whether the line has a key or a value that `wg` and `wg-quick` do not know.
    fn is_foreign(&self) -> bool {
        match &self.entry {
            Some(entry) => {
                entry.key == Key::PersistentKeepalive && matches!(entry.value, Value::Other)
            }
            None => reader::unknown(&self.text).is_some(),
        }
    }

    fn plain(text: &str, section: Section) -> Self {
        Self { text: Zeroizing::new(text.to_owned()), section: Some(section), entry: None }
    }

    fn entry(section: Section, key: Key, value: Value, ending: &str) -> Self {
        let text = value.text();
        let start = key.name().len() + " = ".len();
        let span = start..start + text.len();
        Self {
            text: join(&[key.name(), " = ", &text, ending]),
            section: Some(section),
            entry: Some(Entry { key, value, span }),
        }
    }
}

/// Joins texts, one of which may be a key, in a buffer that does not grow and is wiped.
fn join(parts: &[&str]) -> Zeroizing<String> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    parts.iter().for_each(|part| text.push_str(part));
    text
}
