//! Edits a WireGuard configuration and leaves everything else as it is.

use std::net::IpAddr;

use ipnet::IpNet;
use zeroize::Zeroizing;

use super::reader::compact;
use super::values::{Key, MTU_MIN, Value, is_blank, is_server};
use super::{Endpoint, Line, PrivateKey, Section, WireGuardConfig, WireGuardOptions, join};
use crate::Error;
use crate::config_text::split_ending;

impl WireGuardConfig {
    /// Sets the private key.
    pub fn set_private_key(&mut self, key: PrivateKey) {
        self.private_key = key.clone();
        self.set(Section::Interface, Key::PrivateKey, Some(Value::PrivateKey(key)));
    }

    /// Replaces the resolvers; search domains stay.
    pub fn set_dns(&mut self, servers: &[IpAddr]) {
        let domains = self.dns().into_iter().filter(|word| !is_server(word));
        let words: Vec<_> = servers.iter().map(ToString::to_string).chain(domains).collect();
        let value = (!words.is_empty()).then_some(Value::Dns(words));
        self.set(Section::Interface, Key::Dns, value);
    }

    /// Sets the MTU, in bytes; `None` lets `wg-quick` find out.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if it is below 68.
    pub fn set_mtu(&mut self, mtu: Option<u16>) -> Result<(), Error> {
        if mtu.is_some_and(|mtu| mtu < MTU_MIN) {
            return Err(Error::invalid("mtu", "choose a number from 68 to 65535"));
        }
        let value = mtu.map(|mtu| Value::Number(Some(mtu)));
        self.set(Section::Interface, Key::Mtu, value);
        Ok(())
    }

    /// Sets a peer's endpoint, for example to replace a name by an address. Peers are counted from 0.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if there is no such peer, or for port 0.
    pub fn set_endpoint(&mut self, peer: usize, endpoint: Endpoint) -> Result<(), Error> {
        let section = self.peer(peer)?;
        if endpoint.port == 0 {
            return Err(Error::invalid("endpoint", "choose a port from 1 to 65535"));
        }
        self.set(section, Key::Endpoint, Some(Value::Endpoint(endpoint)));
        Ok(())
    }

    /// Sets the seconds between keepalive packets; `None` or 0 sends none.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if there is no such peer.
    pub fn set_keepalive(&mut self, peer: usize, seconds: Option<u16>) -> Result<(), Error> {
        let section = self.peer(peer)?;
        let seconds = seconds.filter(|seconds| *seconds > 0);
        let value = seconds.map(|seconds| Value::Number(Some(seconds)));
        self.set(section, Key::PersistentKeepalive, value);
        Ok(())
    }

    /// Removes IPv6 from addresses, resolvers and allowed networks, for systems without it. Endpoints
    /// stay. A line that would be empty is removed, but its comment stays.
    pub fn ipv4_only(&mut self) {
        let is_ipv4 = |network: &IpNet| network.addr().is_ipv4();
        for index in (0..self.lines.len()).rev() {
            let Some(entry) = &self.lines[index].entry else {
                continue;
            };
            let kept = match &entry.value {
                Value::Networks(all) if !all.iter().all(is_ipv4) => {
                    let kept: Vec<_> = all.iter().copied().filter(is_ipv4).collect();
                    (!kept.is_empty()).then_some(Value::Networks(kept))
                }
                Value::Dns(all) if all.iter().any(|word| word.contains(':')) => {
                    let ipv4 = all.iter().filter(|word| !word.contains(':'));
                    let kept: Vec<_> = ipv4.cloned().collect();
                    (!kept.is_empty()).then_some(Value::Dns(kept))
                }
                _ => continue,
            };
            match kept {
                Some(value) => self.lines[index].replace(value),
                None => self.remove(index),
            }
        }
    }

    /// Applies options that were checked.
    pub(super) fn choose(&mut self, options: &WireGuardOptions) {
        if options.ipv4_only {
            self.ipv4_only();
        }
        if let Some(dns) = &options.dns {
            self.set_dns(dns);
        }
        let number = |number: u16| Some(Value::Number(Some(number)));
        if let Some(mtu) = options.mtu {
            self.set(Section::Interface, Key::Mtu, number(mtu));
        }
        for (index, peer) in self.peers().into_iter().enumerate() {
            let section = Section::Peer(index);
            if let Some(seconds) = options.keepalive {
                let value = (seconds > 0).then_some(seconds).and_then(number);
                self.set(section, Key::PersistentKeepalive, value);
            }
            if let (Some(endpoint), Some(port)) = (peer.endpoint, options.port) {
                let value = Value::Endpoint(Endpoint { port, ..endpoint });
                self.set(section, Key::Endpoint, Some(value));
            }
        }
    }

    fn peer(&self, index: usize) -> Result<Section, Error> {
        if index < self.public_keys.len() {
            return Ok(Section::Peer(index));
        }
        let there = self.public_keys.len();
        Err(Error::invalid(
            "peer",
            format!("there is no peer {index}; the configuration has {there}, counted from 0"),
        ))
    }

    /// Sets the value at the key's first occurrence and removes the others. If there is none, adds a
    /// line after the section's last entry.
    fn set(&mut self, section: Section, key: Key, value: Option<Value>) {
        let is_it = |line: &Line| {
            line.section == Some(section) && line.entry.as_ref().is_some_and(|e| e.key == key)
        };
        let first = self.lines.iter().position(is_it);
        let keep = value.is_some().then_some(first).flatten();
        for index in (0..self.lines.len()).rev() {
            if Some(index) != keep && is_it(&self.lines[index]) {
                self.remove(index);
            }
        }
        let Some(value) = value else { return };
        match keep {
            Some(index) => self.lines[index].replace(value),
            None => self.insert(section, key, value),
        }
    }

    fn insert(&mut self, section: Section, key: Key, value: Value) {
        let is_content = |line: &Line| {
            let content = split_ending(&line.text).0.trim_matches(is_blank);
            line.section == Some(section) && !content.is_empty() && !content.starts_with('#')
        };
        let after = self.lines.iter().rposition(is_content).unwrap_or_default();
        if key.is_wg_quicks() {
            self.compact_header(after);
        }
        let ending = self.lines.iter().map(|line| split_ending(&line.text).1).next();
        let ending = ending.filter(|ending| !ending.is_empty()).unwrap_or("\n").to_owned();
        // If the document has no final newline, we add none.
        let (content, last) = split_ending(&self.lines[after].text);
        let line = if last.ends_with('\n') {
            Line::entry(section, key, value, &ending)
        } else {
            let line = Line::entry(section, key, value, last);
            self.lines[after].text = join(&[content, &ending]);
            line
        };
        self.lines.insert(after + 1, line);
    }

    /// Removes the blanks from the name of a line's section, because they hide the section from wg-quick.
    fn compact_header(&mut self, line: usize) {
        let Some(header) = self.lines[..=line].iter_mut().rfind(|line| line.is_header()) else {
            return;
        };
        let said = header.text.split('#').next().unwrap_or_default().trim_matches(is_blank);
        header.text = Zeroizing::new(header.text.replacen(said, &compact(said), 1));
    }

    /// Removes an entry; a comment after it stays, on its own line.
    fn remove(&mut self, index: usize) {
        let line = &mut self.lines[index];
        let end = line.entry.take().map_or(0, |entry| entry.span.end);
        let rest = line.text[end..].trim_start_matches(is_blank);
        if rest.starts_with('#') {
            line.text = Zeroizing::new(rest.to_owned());
        } else {
            self.lines.remove(index);
        }
    }
}

impl Line {
    fn is_header(&self) -> bool {
        self.text.trim_start_matches(is_blank).starts_with('[')
    }

    /// Replaces the value of the entry. Spacing and comments stay.
    fn replace(&mut self, value: Value) {
        let Some(entry) = &mut self.entry else { return };
        let text = value.text();
        let (start, end) = (entry.span.start, entry.span.end);
        self.text = join(&[&self.text[..start], &text, &self.text[end..]]);
        entry.span = start..start + text.len();
        entry.value = value;
    }
}
