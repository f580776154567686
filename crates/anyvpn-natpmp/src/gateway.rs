//! Finds the gateway: from the settings, or from the routes of the tunnel's interface.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyvpn_core::{Error, ErrorKind};

/// The port of NAT-PMP.
pub(crate) const PORT: u16 = 5351;

/// Linux's routing table.
const ROUTES: &str = "/proc/net/route";
/// The flags of a route that is up and leads to a gateway.
const UP_TO_GATEWAY: u16 = 0x3;

/// The location of the gateway.
#[derive(Clone, Debug)]
pub(crate) enum Gateway {
    At(SocketAddrV4),
    /// The gateway from the routes of this interface.
    OfInterface(String),
}

impl Gateway {
    /// Reads an address, with or without a port.
    pub(crate) fn parse(text: &str) -> Result<SocketAddrV4, String> {
        let bare = text.parse().map(|address: Ipv4Addr| SocketAddrV4::new(address, PORT));
        bare.or_else(|_| text.parse())
            .map_err(|_| "must be an IPv4 address such as 10.2.0.1, or one with a port".to_owned())
    }

    /// Returns the gateway's current address, which can change with the VPN server.
    pub(crate) fn find(&self) -> Result<SocketAddrV4, Error> {
        let name = match self {
            Self::At(address) => return Ok(*address),
            Self::OfInterface(name) => name,
        };
        let table = std::fs::read_to_string(ROUTES).map_err(|error| {
            Error::invalid("interface", "can only be used on Linux; set gateway instead")
                .with_detail(format!("{ROUTES}: {}", error.kind()))
        })?;
        match gateway_of(&table, name) {
            Routes::To(gateway) => Ok(SocketAddrV4::new(gateway, PORT)),
            Routes::WithoutGateway => {
                let why = format!(
                    "the routes of {name} have no gateway, as with WireGuard; set gateway \
                     (Proton VPN's is 10.2.0.1)"
                );
                Err(Error::invalid("interface", why))
            }
            Routes::None => Err(Error::new(ErrorKind::Unreachable).with_detail(format!(
                "no route leads to {name}: the tunnel is down, or its interface has another name"
            ))),
        }
    }
}

/// A route of an interface.
#[derive(Debug, PartialEq)]
enum Routes {
    To(Ipv4Addr),
    WithoutGateway,
    None,
}

/// Returns the gateway of an interface's widest route. Among several, the lowest metric wins.
fn gateway_of(table: &str, interface: &str) -> Routes {
    let mut is_there = false;
    let mut found: Option<((u32, u32), Ipv4Addr)> = None;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, _, gateway, flags, _, _, metric, mask, ..] = fields[..] else { continue };
        if name != interface {
            continue;
        }
        is_there = true;
        let (Ok(flags), Ok(metric)) = (u16::from_str_radix(flags, 16), metric.parse()) else {
            continue;
        };
        let (Some(gateway), Some(mask)) = (address(gateway), address(mask)) else { continue };
        let rank = (mask.to_bits(), metric);
        if flags & UP_TO_GATEWAY == UP_TO_GATEWAY && found.is_none_or(|(best, _)| rank < best) {
            found = Some((rank, gateway));
        }
    }
    match found {
        Some((_, gateway)) => Routes::To(gateway),
        None if is_there => Routes::WithoutGateway,
        None => Routes::None,
    }
}

/// Parses an address as the kernel prints it: as a number in this machine's byte order.
fn address(text: &str) -> Option<Ipv4Addr> {
    Some(u32::from_str_radix(text, 16).ok()?.to_ne_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text that a kernel with this byte order prints for an address.
    fn number(address: [u8; 4]) -> String {
        format!("{:08X}", u32::from_ne_bytes(address))
    }

    #[test]
    fn the_widest_route_of_the_interface_counts() {
        let row =
            |name: &str, to: [u8; 4], via: [u8; 4], flags: &str, metric: u32, mask: [u8; 4]| {
                let [to, via, mask] = [to, via, mask].map(number);
                format!("{name}\t{to}\t{via}\t{flags}\t0\t0\t{metric}\t{mask}\t0\t0\t0  \n")
            };
        let table = [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n",
            &row("eth0", [0; 4], [192, 168, 1, 1], "0003", 100, [0; 4]),
            &row("tun0", [10, 96, 0, 0], [0; 4], "0001", 0, [255, 255, 0, 0]),
            &row("tun0", [10, 9, 0, 0], [10, 96, 0, 9], "0003", 0, [255, 255, 0, 0]),
            &row("tun0", [128, 0, 0, 0], [10, 96, 0, 7], "0003", 50, [128, 0, 0, 0]),
            &row("tun0", [0; 4], [10, 96, 0, 1], "0003", 0, [128, 0, 0, 0]),
            &row("tun1", [0; 4], [10, 96, 0, 5], "0002", 0, [0; 4]),
            &row("wg0", [10, 2, 0, 0], [0; 4], "0001", 0, [255, 255, 255, 0]),
            "tun0 is cut\n",
        ]
        .concat();
        assert_eq!(gateway_of(&table, "tun0"), Routes::To(Ipv4Addr::new(10, 96, 0, 1)));
        assert_eq!(gateway_of(&table, "eth0"), Routes::To(Ipv4Addr::new(192, 168, 1, 1)));
        assert_eq!(gateway_of(&table, "wg0"), Routes::WithoutGateway);
        // A route that is down does not count.
        assert_eq!(gateway_of(&table, "tun1"), Routes::WithoutGateway);
        assert_eq!(gateway_of(&table, "tun"), Routes::None);
        assert_eq!(gateway_of("", "tun0"), Routes::None);
    }

    #[test]
    fn an_address_may_have_a_port() {
        let parsed = |text| Gateway::parse(text).map(|gateway| gateway.to_string());
        assert_eq!(parsed("10.2.0.1").as_deref(), Ok("10.2.0.1:5351"));
        assert_eq!(parsed("127.0.0.1:40000").as_deref(), Ok("127.0.0.1:40000"));
        for wrong in ["", "gateway", "10.2.0", "10.2.0.1:", "::1", "10.2.0.1:99999"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
