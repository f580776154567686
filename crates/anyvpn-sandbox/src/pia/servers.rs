//! The regions, and the signed list of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer};
use serde_json::{Value, json};

use super::state::State;

/// The key that signs the list. It is not secret, because it signs nothing else.
const KEY: &[u8] = include_bytes!("list-key.der");
/// Its public half, in PEM.
pub(super) const PUBLIC_KEY: &str = include_str!("list-key.pem");

/// A region: id, name, country, whether it forwards ports, whether it is offline, its WireGuard hosts,
/// and whether it has OpenVPN servers.
type Region = (&'static str, &'static str, &'static str, bool, bool, &'static [&'static str], bool);

/// The servers' names, of the old and the new form.
pub(super) const HOSTS: &[&str] =
    &["Server-12345-0a", "Server-12346-1b", "berlin401", "Server-20001-0a"];

#[rustfmt::skip]
const REGIONS: &[Region] = &[
    ("swiss", "Switzerland", "CH", true, false, &["Server-12345-0a", "Server-12346-1b"], true),
    ("de_berlin", "DE Berlin", "DE", true, false, &["berlin401"], true),
    ("us_chicago", "US Chicago", "US", false, false, &["Server-20001-0a"], true),
    ("nl_amsterdam", "Netherlands", "NL", true, true, &["Server-12345-0a"], true),
    ("gr", "Greece", "GR", true, false, &[], true),
];

impl State {
    /// Returns the list as it is sent: one line of JSON, a blank line, the signature.
    pub(super) fn list(&mut self) -> Option<String> {
        self.lists += 1;
        let turned = usize::from(self.quirks.list_rotates) * self.lists;
        let region = |(index, region): (usize, &Region)| self.region(index, region, turned);
        let regions: Vec<Value> = REGIONS.iter().enumerate().map(region).collect();
        let group = |name: &str, ports: &[u16]| json!([{ "name": name, "ports": ports }]);
        let list = json!({
            "groups": {
                "ovpntcp": group("openvpn_tcp", &[8443, 443, 853, 80]),
                "ovpnudp": group("openvpn_udp", &[8080, 853, 123, 53]),
                "wg": group("wireguard", &[self.hosts.address.port()]),
                "ikev2": group("ikev2", &[500, 4500]),
                "meta": group("meta", &[443, 8080]),
            },
            "regions": regions,
        })
        .to_string();
        let mut text = list.clone() + "\n\n";
        for line in STANDARD.encode(sign(list.as_bytes())?).as_bytes().chunks(76) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        Some(text)
    }

    fn region(&self, index: usize, region: &Region, turned: usize) -> Value {
        let (id, name, country, port_forward, offline, hosts, has_openvpn) = *region;
        let ip = self.hosts.address.ip();
        let mut wg: Vec<Value> = hosts.iter().map(|cn| json!({ "ip": ip, "cn": cn })).collect();
        let by = turned % wg.len().max(1);
        wg.rotate_left(by);
        let host = |last: usize| {
            json!([{ "ip": format!("203.0.113.{}", 10 * index + last), "cn": format!("Server-3{index}001-{last}a"),
                "van": false }])
        };
        let mut servers = json!({ "meta": host(3) });
        if !wg.is_empty() {
            servers["wg"] = wg.into();
        }
        if has_openvpn {
            servers["ovpnudp"] = host(1);
            servers["ovpntcp"] = host(2);
        }
        json!({
            "id": id, "name": name, "country": country, "auto_region": true,
            "dns": format!("{id}.pvt.site"), "port_forward": port_forward, "geo": false,
            "offline": offline, "servers": servers,
        })
    }
}

/// Signs a message with PKCS #1 v1.5 and SHA-256.
fn sign(message: &[u8]) -> Option<Vec<u8>> {
    let key = PrivateKeyDer::from(PrivatePkcs1KeyDer::from(KEY));
    let key = any_supported_type(&key).ok()?;
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?.sign(message).ok()
}
