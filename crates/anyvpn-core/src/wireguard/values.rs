//! The keys of a WireGuard configuration, and the values that each accepts.
//!
//! `wg` removes all white space from its values and refuses an empty value. `wg-quick` first removes
//! its own keys (`Address`, `DNS`, `MTU`, …), also splits lists at white space, and accepts an empty
//! value as absent.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use zeroize::Zeroizing;

use super::endpoint::{self, Endpoint, HostName};
use super::keys::{self, PresharedKey, PrivateKey, PublicKey};
use crate::config_text::Problem;

/// The smallest MTU that IPv4 allows (RFC 791).
pub(super) const MTU_MIN: u16 = 68;

/// Declares the known keys, their spelling and their section.
macro_rules! keys {
    ($($key:ident = $name:literal in $peer:literal,)+) => {
        /// A key that `wg` or `wg-quick` knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "they are the file's own words")]
        pub(super) enum Key { $($key,)+ }

        impl Key {
            const ALL: &[Self] = &[$(Self::$key,)+];

            /// Returns the manual's spelling.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$key => $name,)+ }
            }

            /// Returns whether it belongs under `[Peer]` rather than `[Interface]`.
            pub(super) fn is_peers(self) -> bool {
                match self { $(Self::$key => $peer,)+ }
            }
        }
    };
}

keys! {
    PrivateKey = "PrivateKey" in false,
    ListenPort = "ListenPort" in false,
    FwMark = "FwMark" in false,
    Address = "Address" in false,
    Dns = "DNS" in false,
    Mtu = "MTU" in false,
    Table = "Table" in false,
    PreUp = "PreUp" in false,
    PostUp = "PostUp" in false,
    PreDown = "PreDown" in false,
    PostDown = "PostDown" in false,
    SaveConfig = "SaveConfig" in false,
    PublicKey = "PublicKey" in true,
    PresharedKey = "PresharedKey" in true,
    AllowedIps = "AllowedIPs" in true,
    Endpoint = "Endpoint" in true,
    PersistentKeepalive = "PersistentKeepalive" in true,
}

impl Key {
    /// Returns the key with this name, ignoring case.
    pub(super) fn find(name: &str) -> Option<Self> {
        let same = |key: &&Self| key.name().eq_ignore_ascii_case(name);
        Self::ALL.iter().find(same).copied()
    }

    /// Returns whether wg-quick removes the key from the file, so that wg never sees it.
    pub(super) fn is_wg_quicks(self) -> bool {
        self.is_command()
            || matches!(
                self,
                Self::Address | Self::Dns | Self::Mtu | Self::Table | Self::SaveConfig
            )
    }

    /// Returns whether its value is a command that `wg-quick` runs as root, including everything after
    /// a `#`.
    pub(super) fn is_command(self) -> bool {
        matches!(self, Self::PreUp | Self::PostUp | Self::PreDown | Self::PostDown)
    }

    /// Returns whether its value must not be shown.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::PrivateKey | Self::PresharedKey)
    }
}

/// A value that was checked.
#[derive(Clone)]
pub(super) enum Value {
    PrivateKey(PrivateKey),
    PublicKey(PublicKey),
    PresharedKey(PresharedKey),
    /// `Address` or `AllowedIPs`.
    Networks(Vec<IpNet>),
    Dns(Vec<String>),
    /// `ListenPort`, `MTU` or `PersistentKeepalive`; `None` is an empty value.
    Number(Option<u16>),
    Endpoint(Endpoint),
    /// `SaveConfig`.
    Save(bool),
    /// A value that is not needed here: `FwMark`, `Table`, commands, AmneziaWG's range of seconds.
    Other,
}

impl Value {
    /// Returns the value as it is written in a configuration.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
        Zeroizing::new(match self {
            Self::PrivateKey(key) => key.to_secret().expose().to_owned(),
            Self::PresharedKey(key) => key.to_secret().expose().to_owned(),
            Self::PublicKey(key) => key.to_string(),
            Self::Networks(networks) => list(&mut networks.iter().map(ToString::to_string)),
            Self::Dns(entries) => list(&mut entries.iter().cloned()),
            Self::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
            Self::Endpoint(endpoint) => endpoint.to_string(),
            Self::Save(save) => save.to_string(),
            Self::Other => String::new(),
        })
    }
}

/// Checks the value of `key`. The position of a problem is counted from the beginning of the value.
pub(super) fn parse(key: Key, text: &str) -> Result<Value, Problem> {
    // wg removes white space wherever it is; the buffer must not grow, or it leaves copies behind.
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    compact.extend(text.chars().filter(|c| !is_blank(*c)));
    let wrong = |what: &str| Problem::new(0, format!("{}: {what}", key.name()));
    let value = match key {
        Key::PrivateKey => keys_value(&compact).map(Value::PrivateKey).map_err(wrong)?,
        Key::PresharedKey => keys_value(&compact).map(Value::PresharedKey).map_err(wrong)?,
        Key::PublicKey => keys_value(&compact).map(Value::PublicKey).map_err(wrong)?,
        Key::Address => Value::Networks(list(text, |word| {
            address(word).ok_or_else(|| wrong("write addresses such as 10.0.0.2/32 or fd00::2/128"))
        })?),
        Key::AllowedIps => Value::Networks(allowed_ips(text)?),
        Key::Dns => Value::Dns(list(text, |word| dns(word).map_err(wrong))?),
        Key::Mtu if text.is_empty() => Value::Number(None),
        Key::Mtu => match number(text) {
            Some(mtu) if mtu >= MTU_MIN && !is_octal(text) => Value::Number(Some(mtu)),
            _ => return Err(wrong("write a number from 68 to 65535")),
        },
        Key::ListenPort => match number(&compact) {
            Some(port) => Value::Number(Some(port)),
            None => {
                return Err(wrong("write a port from 0 to 65535 (0 lets the system choose)"));
            }
        },
        Key::PersistentKeepalive if compact.eq_ignore_ascii_case("off") => Value::Number(Some(0)),
        Key::PersistentKeepalive => match number(&compact) {
            Some(seconds) => Value::Number(Some(seconds)),
            // AmneziaWG chooses a new number from this range each time, so we keep it as text.
            None if is_range(&compact) => Value::Other,
            None => return Err(wrong("write the seconds, 1 to 65535, or `off`")),
        },
        Key::Endpoint => Value::Endpoint(endpoint::parse(&compact).map_err(wrong)?),
        Key::FwMark if is_mark(&compact) => Value::Other,
        Key::FwMark => return Err(wrong("write `off` or a number, such as 51820 or 0xca6c")),
        Key::Table if is_table(text) => Value::Other,
        Key::Table => {
            return Err(wrong("write `off`, `auto`, or a routing table's number or name"));
        }
        Key::SaveConfig if text.eq_ignore_ascii_case("true") => Value::Save(true),
        Key::SaveConfig if text.eq_ignore_ascii_case("false") => Value::Save(false),
        Key::SaveConfig => return Err(wrong("write `true` or `false`")),
        Key::PreUp | Key::PostUp | Key::PreDown | Key::PostDown => Value::Other,
    };
    Ok(value)
}

pub(super) fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Parses a key's text as any type of key. The error does not repeat the text.
fn keys_value<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| keys::NOT_A_KEY)
}

/// Splits a list as wg-quick does: at commas and white space, skipping empty items.
fn list<T>(text: &str, item: impl Fn(&str) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
    let mut at = 0;
    let mut items = Vec::new();
    for word in text.split(|c| c == ',' || is_blank(c)) {
        if !word.is_empty() {
            items.push(item(word).map_err(|problem| Problem { at, ..problem })?);
        }
        at += word.len() + 1;
    }
    Ok(items)
}

/// Splits a list as wg does: only at commas, where an empty item is an error.
fn allowed_ips(text: &str) -> Result<Vec<IpNet>, Problem> {
    const WRITE: &str = "AllowedIPs: write networks such as 0.0.0.0/0, ::/0 with commas between";
    let mut at = 0;
    let mut networks = Vec::new();
    for item in text.split(',') {
        let compact: String = item.chars().filter(|c| !is_blank(*c)).collect();
        let indent = item.len() - item.trim_start_matches(is_blank).len();
        networks.push(network(&compact).ok_or_else(|| Problem::new(at + indent, WRITE))?);
        at += item.len() + 1;
    }
    Ok(networks)
}

/// Parses a network, or an address as a network of one address. Bits after the prefix are kept.
fn network(text: &str) -> Option<IpNet> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    match prefix {
        None => Some(IpNet::from(address)),
        Some(prefix) => IpNet::new(address, u8::try_from(number(prefix)?).ok()?).ok(),
    }
}

/// Parses an address as `ip` does: the prefix may be an IPv4 netmask. It refuses what `ip` reads as
/// octal, so that nobody misreads the network that `ip` sets up.
fn address(text: &str) -> Option<IpNet> {
    let Some((address, prefix)) = text.split_once('/') else {
        return network(text);
    };
    if let (Ok(address), Ok(mask)) = (address.parse(), prefix.parse()) {
        return Ipv4Net::with_netmask(address, mask).ok().map(IpNet::V4);
    }
    network(text).filter(|_| !is_octal(prefix))
}

/// Returns whether a program that accepts numbers of any base reads it as octal.
fn is_octal(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0')
}

/// Distinguishes a resolver from a search domain, as wg-quick does.
pub(super) fn is_server(word: &str) -> bool {
    word.contains(':') || word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Checks a resolver's address, with or without a port, or a search domain, which wg-quick
/// distinguishes. wg-quick passes both on as they are.
fn dns(word: &str) -> Result<String, &'static str> {
    if is_server(word) {
        // A link-local resolver has its interface after a percent sign.
        let is_address = |text: &str| match text.split_once('%') {
            Some((address, zone)) => address.parse::<Ipv6Addr>().is_ok() && is_name(zone),
            None => text.parse::<IpAddr>().is_ok(),
        };
        let has_port = |text: &str| {
            text.rsplit_once(':').is_some_and(|(host, port)| {
                let host = match host.strip_prefix('[') {
                    Some(host) => host.strip_suffix(']').filter(|host| host.contains(':')),
                    None => Some(host).filter(|host| !host.contains(':')),
                };
                host.is_some_and(is_address) && number(port).is_some_and(|port| port > 0)
            })
        };
        if !is_address(word) && !has_port(word) {
            return Err("this is not an address; write one such as 10.0.0.1, or a search domain");
        }
    } else {
        let domain = word.trim_start_matches('~');
        let domain = domain.strip_prefix("*.").unwrap_or(domain);
        if HostName::from_str(domain).is_err() && word != "~." {
            return Err("write addresses such as 10.0.0.1, or search domains such as example.net");
        }
    }
    Ok(word.to_owned())
}

/// Parses digits only: `str::parse` alone would accept a plus sign.
pub(super) fn number(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    text.parse().ok()
}

/// Returns whether a text is a range of seconds.
fn is_range(text: &str) -> bool {
    text.split_once('-').is_some_and(|(from, to)| number(from).is_some() && number(to).is_some())
}

fn is_mark(text: &str) -> bool {
    let number = match text.strip_prefix("0x") {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse(),
        _ => return text.eq_ignore_ascii_case("off"),
    };
    number.is_ok()
}

fn is_table(text: &str) -> bool {
    text.is_empty() || (is_name(text) && !text.starts_with('-'))
}

/// Returns whether a word has nothing that a shell or another program could interpret as syntax.
fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !text.is_empty() && text.chars().all(good)
}
