//! Directives that OpenVPN 2.6 refuses although providers' profiles still have them.

use super::reader::Item;
use super::{OpenVpnProfile, looks_secret};
use crate::config_text::split_ending;
use crate::{Directive, Error, REDACTED, escape_invisible};

/// The directives that OpenVPN 2.6 refuses, and the reason in words that follow "the line". They are
/// from its manual's list of removed options, and were tried with 2.6.14 on Linux.
#[rustfmt::skip]
const TABLE: &[(&str, &[&str])] = &[
    ("has a directive that was removed in OpenVPN 2.4", &["tls-remote"]),
    ("has a directive that was removed in OpenVPN 2.5", &[
        "client-cert-not-required", "compat-names", "ifconfig-pool-linear", "key-method", "no-iv",
        "no-name-remapping",
    ]),
    ("has a directive that was removed in OpenVPN 2.6", &[
        "inetd", "keysize", "management-client-pf", "ncp-disable", "use-prediction-resistance",
    ]),
    ("has a directive that was replaced by fragment", &["mtu-dynamic"]),
    ("has a directive that only OpenVPN for Windows accepts", &[
        "allow-nonadmin", "block-outside-dns", "cryptoapicert", "dhcp-internal",
        "dhcp-pre-release", "dhcp-release", "dhcp-renew", "ip-win32", "msg-channel", "pause-exit",
        "rdns-internal", "register-dns", "service", "show-adapters", "show-net", "show-net-up",
        "show-valid-subnets", "tap-sleep", "win-sys", "windows-driver",
    ]),
];

/// Directives that are refused even if `setenv opt` or `ignore-unknown-option` tells OpenVPN to skip
/// unknown ones: it still knows these, although they no longer do anything.
const NEVER_SKIPPED: &[&str] = &["compat-names", "msg-channel", "mtu-dynamic", "no-name-remapping"];

impl OpenVpnProfile {
    /// Returns the lines because of which OpenVPN 2.6 refuses the whole profile: directives that were
    /// removed, or that only its version for Windows has. It does not return lines that the profile
    /// itself tells OpenVPN to skip (`setenv opt`, `ignore-unknown-option`), or directives that anyvpn
    /// does not know ([`Self::directives`]).
    #[must_use]
    pub fn refused_lines(&self) -> Vec<Directive> {
        let refused = self.refused_items();
        refused.into_iter().filter_map(|(item, why)| self.refused_line(item, why)).collect()
    }

    /// Comments out the lines that OpenVPN 2.6 refuses ([`Self::refused_lines`]). Everything else
    /// stays as it is.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if a line is too long for two more
    /// characters.
    pub fn comment_out_refused(self) -> Result<Self, Error> {
        let begins = self.refused_items().into_iter().map(|(item, _)| item.head.start);
        let edits: Vec<_> = begins.map(|at| (at..at, &["# "][..])).collect();
        if edits.is_empty() {
            return Ok(self);
        }
        Ok(Self::read(self.text.replace(&edits))?)
    }

    fn refused_items(&self) -> Vec<(&Item, &'static str)> {
        let mut skipped: Vec<&str> = Vec::new();
        let mut found = Vec::new();
        for item in &self.items {
            found.extend(why(item, &skipped).map(|why| (item, why)));
            let inner = item.block.iter().flat_map(|block| &block.items);
            // OpenVPN reads the lines of a connection block without the settings outside it.
            found.extend(inner.filter_map(|item| Some((item, why(item, &[])?))));
            if let ["ignore-unknown-option", names @ ..] = &*item.words() {
                skipped.extend(names);
            }
        }
        found
    }

    fn refused_line(&self, item: &Item, why: &'static str) -> Option<Directive> {
        let words = item.words();
        let (name, arguments) = words.split_first()?;
        let value = arguments.join(" ");
        let is_secret = looks_secret(split_ending(&self.text[item.head.clone()]).0);
        let value = if is_secret { REDACTED.to_owned() } else { escape_invisible(&value) };
        Some(Directive { line: item.line, name: escape_invisible(name), value, why })
    }
}

/// Returns why OpenVPN refuses a line, given the directives that it was told to skip.
fn why(item: &Item, skipped: &[&str]) -> Option<&'static str> {
    let words = item.words();
    let name = words.first().filter(|_| item.block.is_none())?;
    let is_optional = words.len() < item.words.len() || skipped.contains(name);
    if is_optional && !NEVER_SKIPPED.contains(name) {
        return None;
    }
    TABLE.iter().find(|(_, names)| names.contains(name)).map(|(why, _)| *why)
}
