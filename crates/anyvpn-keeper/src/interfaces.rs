//! The network interfaces of this machine.

use std::io;
use std::net::IpAddr;

use crate::Tunnel;

/// Finds an interface by its name; `None` while it is absent or has no address.
///
/// # Errors
///
/// If the system cannot list its interfaces.
pub fn find_tunnel(interface: &str) -> io::Result<Option<Tunnel>> {
    let entries: Vec<_> =
        if_addrs::get_if_addrs()?.into_iter().filter(|entry| entry.name == interface).collect();
    let index = entries.iter().find_map(|entry| entry.index);
    let mut addresses: Vec<_> = entries.iter().map(if_addrs::Interface::ip).collect();
    // Every interface has a link-local address, and no peer connects to it.
    addresses.retain(|address| !matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()));
    addresses.sort();
    let tunnel = index.filter(|_| !addresses.is_empty());
    Ok(tunnel.map(|index| Tunnel::new(interface, index, addresses)))
}

/// Lists the names of the interfaces that lead to one peer, as tunnels do, and that have an address.
///
/// # Errors
///
/// If the system cannot list its interfaces.
pub fn tunnel_names() -> io::Result<Vec<String>> {
    let entries = if_addrs::get_if_addrs()?.into_iter();
    let mut names: Vec<_> =
        entries.filter(|entry| entry.is_p2p()).map(|entry| entry.name).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::find_tunnel;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_loopback_interface_has_an_index_and_its_ipv4_address_first() {
        let lo = find_tunnel("lo").unwrap().unwrap();
        assert_eq!((lo.interface.as_str(), lo.index), ("lo", 1));
        assert_eq!(lo.addresses[0].to_string(), "127.0.0.1");
    }

    #[test]
    fn an_interface_that_is_not_there_is_no_error() {
        assert_eq!(find_tunnel("no-such-tunnel").unwrap(), None);
    }
}
