//! WireGuard files as `wg`, `wg-quick`, `ip` and AmneziaWG read them: we accept what they accept,
//! with a type if there is one, and keep its spelling.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use anyvpn_core::{Endpoint, Host, HostName, WireGuardConfig};

const KEY: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
const PEER: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";

/// Returns a file with these lines under `[Interface]` and under `[Peer]`.
fn file(interface: &str, peer: &str) -> String {
    format!("[Interface]\nPrivateKey = {KEY}\n{interface}\n[Peer]\nPublicKey = {PEER}\n{peer}\n")
}

fn parse(text: &str) -> WireGuardConfig {
    let config = WireGuardConfig::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(config.to_secret().expose(), text);
    config
}

fn endpoint(value: &str) -> Endpoint {
    let config = parse(&file("", &format!("Endpoint = {value}")));
    config.peers()[0].endpoint.clone().unwrap()
}

#[test]
fn an_address_of_the_local_link_has_its_interface() {
    for value in ["[fe80::1%lo]:51820", "fe80::1%lo:51820"] {
        let endpoint = endpoint(value);
        let Host::Zoned(host) = &endpoint.host else { panic!("{endpoint:?}") };
        assert_eq!((host.address().to_string(), host.zone()), ("fe80::1".to_owned(), "lo"));
        assert_eq!(endpoint.to_string(), "[fe80::1%lo]:51820");
    }
    assert_eq!(endpoint("[2001:db8::1%2]:1").to_string(), "[2001:db8::1%2]:1");
    // No interface, an interface with another kind of address, and possible syntax of other programs.
    let long = "x".repeat(16);
    for host in [
        "fe80::1%",
        "2001:db8::1%lo",
        "fe80::1%a b",
        "fe80::1%;id",
        "192.0.2.1%lo",
        &format!("fe80::1%{long}"),
    ] {
        assert!(format!("[{host}]:1").parse::<Endpoint>().is_err(), "{host}");
    }
}

#[test]
fn any_host_may_stand_in_brackets() {
    assert_eq!(endpoint("[192.0.2.1]:51820").to_string(), "192.0.2.1:51820");
    assert_eq!(endpoint("[vpn.example.net]:51820").to_string(), "vpn.example.net:51820");
}

#[test]
fn a_name_may_have_letters_of_any_script() {
    for name in ["bücher.example", "日本語.example", "пример.рф"] {
        assert_eq!(endpoint(&format!("{name}:1")).to_string(), format!("{name}:1"));
        assert_eq!(name.parse::<HostName>().unwrap().as_str(), name);
    }
    // Invisible characters, and spaces of other scripts.
    for name in ["a\u{200b}.example", "a\u{3000}b", "\u{202e}a", "a\u{85}"] {
        assert!(name.parse::<HostName>().is_err(), "{name:?}");
    }
}

#[test]
fn blanks_in_keys_and_sections_are_taken_out_as_wg_does() {
    let text = format!(
        "[Interface]\nPrivate\tKey = {KEY}\n\n[ Peer\t]\n Public Key={PEER}\nAllowed IPs = 10.0.0.0/8\n\
         persistent keepalive = 25\n[ Interface ]\nListen Port = 7\n"
    );
    let config = parse(&text);
    assert_eq!(config.private_key().to_secret().expose(), KEY);
    let [peer] = config.peers().try_into().unwrap();
    assert_eq!((peer.allowed_ips.len(), peer.persistent_keepalive), (1, Some(25)));
    assert_eq!(config.listen_port(), Some(7));
    assert_eq!(config.directives(), []);
    assert!(!config.redacted().contains(KEY));
    // wg-quick does not remove them, and wg refuses what wg-quick passes on.
    let hidden = format!("[Interface ]\nPrivateKey = {KEY}\nPostUp = id\n");
    for (text, line) in
        [(file("Add ress = 10.0.0.1", ""), 3), (file("Post Up = id", ""), 3), (hidden, 3)]
    {
        let error = WireGuardConfig::parse(&text).unwrap_err();
        assert_eq!((error.line, error.column), (line, 1), "{error}");
        assert!(error.what.contains("wg-quick"), "{error}");
    }
}

#[test]
fn an_edit_keeps_the_blanks() {
    let text = format!(
        "[Interface]\nPrivate Key = {KEY}\n[ Peer ]\nPublic Key = {PEER}\nEnd point = a.example:1\n"
    );
    let mut config = parse(&text);
    config.set_endpoint(0, "[fe80::1%lo]:2".parse().unwrap()).unwrap();
    config.set_private_key(KEY.parse().unwrap());
    let edited = text.replace("a.example:1", "[fe80::1%lo]:2");
    assert_eq!(config.to_secret().expose(), edited);
    // wg, which reads this key, also reads the section.
    config.set_keepalive(0, Some(25)).unwrap();
    assert_eq!(config.to_secret().expose(), edited + "PersistentKeepalive = 25\n");
}

/// wg-quick would pass its keys under `[ Interface ]` on to wg, which refuses them.
#[test]
fn a_key_of_wg_quick_is_added_where_wg_quick_finds_it() {
    let text = format!(
        "[Interface]\r\nPrivateKey = {KEY}\r\n\t[ interface\t] # mine\r\nListenPort = 7\r\n"
    );
    let mut config = parse(&text);
    config.set_mtu(None).unwrap();
    assert_eq!(config.to_secret().expose(), text);
    config.set_mtu(Some(1380)).unwrap();
    let edited = text.replace("[ interface\t]", "[interface]") + "MTU = 1380\r\n";
    assert_eq!(config.to_secret().expose(), edited);
    assert_eq!(parse(&edited).mtu(), Some(1380));
}

#[test]
fn an_ipv4_address_may_have_a_netmask() {
    let config = parse(&file("Address = 10.0.0.2/255.255.255.0, 10.9.0.1/0.0.0.0", ""));
    assert_eq!(config.addresses(), ["10.0.0.2/24".parse().unwrap(), "10.9.0.1/0".parse().unwrap()]);
    // `ip` reads these as another number, or no program reads them.
    for wrong in
        ["10.0.0.2/255.0.255.0", "fd00::2/ffff::", "10.0.0.2/024", "10.0.0.2/", "010.0.0.2/8"]
    {
        assert!(
            WireGuardConfig::parse(&file(&format!("Address = {wrong}"), "")).is_err(),
            "{wrong}"
        );
    }
    assert!(WireGuardConfig::parse(&file("MTU = 01400", "")).is_err());
}

#[test]
fn a_resolver_may_have_a_port_and_a_domain_a_star() {
    let words = "1.1.1.1:53, [2606:4700::1111]:53, [fe80::1%eth0]:53, *.corp.example, ~*.a.example, bücher.example";
    let config = parse(&file(&format!("DNS = {words}"), ""));
    assert_eq!(config.dns().join(", "), words);
    for wrong in
        ["1.1.1.1:0", "1.1.1.1:x", "[1.1.1.1]:53", "a:53", "*", "*.", "*x.example", "[::1]"]
    {
        assert!(WireGuardConfig::parse(&file(&format!("DNS = {wrong}"), "")).is_err(), "{wrong}");
    }
}

#[test]
fn amneziawg_keys_are_preserved_and_only_describe_a_tunnel() {
    let own = "Jc = 4\nJmin = 40\nJ max=70\nS1 = 86\nS2 = 3\ns3 = 0\nS4 = 0\nH1 = 1\nH2 = 5-20\nH3 = 3\nH4 = 4\n\
               I1 = <b 0xf6ab3267fa><c><b 0xf6ab><t><r 10><wt 10>\nI2 =\nJ1 = <r 5>\nItime = 120";
    let config = parse(&file(own, "PersistentKeepalive = 20-30\nAdvancedSecurity = on"));
    assert_eq!(config.directives(), []);
    assert_eq!(config.peers()[0].persistent_keepalive, None);
    let mut config = config;
    config.set_keepalive(0, Some(25)).unwrap();
    assert!(config.to_secret().expose().contains("PersistentKeepalive = 25\n"));
    // Keys with an invalid form, or in the wrong section, are listed like unknown keys.
    for wrong in [
        "Jc = $(id)",
        "Jc =",
        "H1 = 1-",
        "I1 = <b 0x00> id",
        "I1 = /bin/sh",
        "AdvancedSecurity = on",
        "JcX = 1",
    ] {
        let listed = parse(&file(wrong, "")).directives();
        assert_eq!(listed.len(), 1, "{wrong}");
        assert_eq!(listed[0].why, "is not a key that wg-quick knows");
    }
    for wrong in ["20-", "-30", "20-30s", "20-70000", "65536", "20-30-40"] {
        let text = file("", &format!("PersistentKeepalive = {wrong}"));
        assert!(WireGuardConfig::parse(&text).is_err(), "{wrong}");
    }
}
