//! Lists the sockets of this machine, as the kernel reports them, because we cannot rely on a client's
//! own report that it listens.

use std::net::{IpAddr, Ipv4Addr};

use crate::Tunnel;

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketProtocol {
    /// TCP; only listening sockets.
    Tcp,
    /// UDP; only sockets without a fixed peer.
    Udp,
}

/// A socket that receives what arrives on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Socket {
    /// The local address; the unspecified address stands for all addresses of its family.
    pub address: IpAddr,
    /// The index of the interface to which it is bound; `None` if it is not bound to one.
    pub interface: Option<u32>,
    /// Whether an IPv6 socket does not receive IPv4.
    pub ipv6_only: bool,
    /// The number that identifies the socket.
    pub inode: u32,
}

impl Socket {
    /// Returns whether it receives what arrives through the tunnel at the tunnel's first address.
    ///
    /// A socket that is bound to a recreated interface does not, because it keeps the old index.
    #[must_use]
    pub fn serves(&self, tunnel: &Tunnel) -> bool {
        let Some(first) = tunnel.addresses.first() else { return false };
        // rTorrent's IPv4 sockets are IPv6 sockets with mapped addresses.
        let at_address = match self.address.to_canonical() {
            IpAddr::V6(any) if any.is_unspecified() => first.is_ipv6() || !self.ipv6_only,
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => first.is_ipv4(),
            address => address == *first,
        };
        at_address && self.interface.is_none_or(|index| index == tunnel.index)
    }
}

/// Lists the sockets that receive what arrives on a port; `None` if that cannot be seen: on systems
/// other than Linux, and if the kernel does not list sockets.
#[must_use]
pub fn sockets(protocol: SocketProtocol, port: u16) -> Option<Vec<Socket>> {
    list(protocol, port)
}

#[cfg(not(target_os = "linux"))]
fn list(_: SocketProtocol, _: u16) -> Option<Vec<Socket>> {
    None
}

#[cfg(target_os = "linux")]
use linux::list;

#[cfg(target_os = "linux")]
mod linux {
    use netlink_packet_core::{
        NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    };
    use netlink_packet_sock_diag::SockDiagMessage;
    use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
    use netlink_packet_sock_diag::inet::nlas::Nla;
    use netlink_packet_sock_diag::inet::{
        ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
    };
    use netlink_sys::SocketAddr;
    use netlink_sys::protocols::NETLINK_SOCK_DIAG;

    use super::{Socket, SocketProtocol};

    pub(super) fn list(protocol: SocketProtocol, port: u16) -> Option<Vec<Socket>> {
        let mut sockets = dump(AF_INET, SocketId::new_v4(), protocol, port)?;
        // A kernel without IPv6 refuses to list its sockets.
        let v6 = dump(AF_INET6, SocketId::new_v6(), protocol, port);
        sockets.extend(v6.unwrap_or_default());
        Some(sockets)
    }

    fn dump(
        family: u8,
        mut socket_id: SocketId,
        protocol: SocketProtocol,
        port: u16,
    ) -> Option<Vec<Socket>> {
        socket_id.source_port = port;
        let (protocol, states) = match protocol {
            SocketProtocol::Tcp => (IPPROTO_TCP, StateFlags::LISTEN),
            // A UDP socket with a fixed peer counts as established.
            SocketProtocol::Udp => (IPPROTO_UDP, StateFlags::CLOSE),
        };
        let extensions = ExtensionFlags::empty();
        let request = InetRequest { family, protocol, extensions, states, socket_id };
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let request = SockDiagMessage::InetRequest(request);
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);

        let mut kernel = netlink_sys::Socket::new(NETLINK_SOCK_DIAG).ok()?;
        kernel.bind_auto().ok()?;
        kernel.connect(&SocketAddr::new(0, 0)).ok()?;
        kernel.send(&bytes, 0).ok()?;
        let mut found = Vec::new();
        loop {
            let (datagram, _) = kernel.recv_from_full().ok()?;
            let mut rest = &datagram[..];
            while !rest.is_empty() {
                let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest).ok()?;
                // Messages start at multiples of four bytes.
                let length = (message.header.length as usize).next_multiple_of(4);
                rest = rest.get(length..).unwrap_or_default();
                match message.payload {
                    NetlinkPayload::Done(_) => return Some(found),
                    // Older kernels do not filter UDP sockets by their port.
                    NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response))
                        if response.header.socket_id.source_port == port =>
                    {
                        found.push(socket(&response));
                    }
                    NetlinkPayload::Error(_) | NetlinkPayload::Overrun(_) => return None,
                    _ => {}
                }
            }
        }
    }

    fn socket(response: &InetResponse) -> Socket {
        let id = &response.header.socket_id;
        Socket {
            address: id.source_address,
            interface: (id.interface_id != 0).then_some(id.interface_id),
            ipv6_only: response.nlas.iter().any(|nla| matches!(nla, Nla::SkV6Only(true))),
            inode: response.header.inode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel(addresses: &[&str]) -> Tunnel {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Tunnel::new("wg0", 7, addresses)
    }

    fn socket(address: &str, interface: Option<u32>, ipv6_only: bool) -> Socket {
        Socket { address: address.parse().unwrap(), interface, ipv6_only, inode: 1 }
    }

    #[test]
    fn a_socket_serves_the_tunnel_by_address_and_by_interface() {
        let wg0 = tunnel(&["10.66.0.2", "fd00::2"]);
        for (address, interface, ipv6_only, serves) in [
            ("10.66.0.2", None, false, true),
            ("10.66.0.2", Some(7), false, true),
            ("0.0.0.0", None, false, true),
            ("::", None, false, true),
            ("::ffff:10.66.0.2", None, false, true),
            ("::ffff:0.0.0.0", None, false, true),
            // The interface before it was recreated.
            ("10.66.0.2", Some(6), false, false),
            ("0.0.0.0", Some(6), false, false),
            ("::", None, true, false),
            ("::1", None, false, false),
            ("127.0.0.1", None, false, false),
            ("fd00::2", None, true, false),
        ] {
            let socket = socket(address, interface, ipv6_only);
            assert_eq!(socket.serves(&wg0), serves, "{socket:?}");
        }
        assert!(socket("::", None, true).serves(&tunnel(&["fd00::2"])));
        assert!(!socket("0.0.0.0", None, false).serves(&tunnel(&["fd00::2"])));
        assert!(!socket("0.0.0.0", None, false).serves(&tunnel(&[])));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_lists_what_listens() {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let lo = Tunnel::new("lo", 1, vec!["127.0.0.1".parse().unwrap()]);
        let seen = sockets(SocketProtocol::Tcp, port).unwrap();
        assert!(seen.len() == 1 && seen[0].serves(&lo), "{seen:?}");
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let udp_port = udp.local_addr().unwrap().port();
        let seen = sockets(SocketProtocol::Udp, udp_port).unwrap();
        assert!(seen.len() == 1 && seen[0].serves(&lo), "{seen:?}");
        // A connection on the port is not a listening socket.
        let _connection = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _accepted = tcp.accept().unwrap();
        drop(tcp);
        assert_eq!(sockets(SocketProtocol::Tcp, port), Some(Vec::new()));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_ipv6_socket_says_whether_it_takes_ipv4() {
        // std opens sockets that take both.
        let Ok(tcp) = std::net::TcpListener::bind("[::]:0") else { return };
        let seen = sockets(SocketProtocol::Tcp, tcp.local_addr().unwrap().port()).unwrap();
        let both = std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only").unwrap().trim() == "0";
        assert!(seen.len() == 1 && seen[0].ipv6_only != both, "{seen:?}");
    }
}
