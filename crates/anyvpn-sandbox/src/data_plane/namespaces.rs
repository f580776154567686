//! The data plane on Linux: three network namespaces with wireguard-go.
//!
//! ```text
//!  internet                    server                            client
//! ┌──────────────┐            ┌────────────────────────┐        ┌─────────────────────┐
//! │ 198.51.100.2 ├────────────┤ 198.51.100.1           │        │                     │
//! │ the API      │  internet  │            203.0.113.1 ├────────┤ 203.0.113.2         │
//! └──────────────┘            │ forwarded ports        │  home  │                     │
//!                             │ NAT-PMP       10.2.0.1 ╞════════╡ the tunnel, brought │
//!                             │ PIA         10.4.128.1 │  vpn   │ up by its user      │
//!                             └────────────────────────┘        └─────────────────────┘
//! ```
//!
//! The client reaches the API on its own loopback address, with the port that it has on this machine.
//! These packets go to the internet and, while the tunnel is up, through the tunnel.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::namespace::Namespace;
use super::programs::{self, DataPlaneError, words};
use super::{Addresses, DataPlane, Forward, Network, Peer, Sockets, VpnServer};
use crate::locked;

/// The address of the VPN server that the internet sees.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The address of the API on the internet.
const API: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
/// The address at which clients reach the WireGuard server.
const ENDPOINT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), 51_820);
/// The NAT-PMP gateway inside the tunnel, which is Proton's.
const NATPMP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 1), 5351);
/// PIA's gateway inside the tunnel.
const PIA: Ipv4Addr = Ipv4Addr::new(10, 4, 128, 1);
/// How long a connection from the internet may take. This leaves time for one TCP retransmission.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long a peer stays after it is no longer granted.
const REMOVAL_DELAY: Duration = Duration::from_secs(1);

const SERVER_RULES: &str = include_str!("server.nft");

/// Network namespaces in which forwarded ports really forward: one of the internet, one of the VPN
/// server and one of a client. They end with the process.
#[derive(Debug)]
pub struct Namespaces {
    internet: Namespace,
    server: Namespace,
    client: Namespace,
    /// Whether the namespaces belong to a user namespace of this process.
    has_user_namespace: bool,
    current: Mutex<CurrentNetwork>,
}

/// The network that the namespaces carry out now.
#[derive(Debug, Default)]
struct CurrentNetwork {
    hosts: BTreeSet<String>,
    /// The peers and addresses for `wg syncconf`, without keys in clear text that a `Debug` could
    /// print.
    peers: Vec<(Peer, Vec<IpAddr>)>,
    forwards: BTreeMap<Forward, SocketAddrV4>,
    /// When peers ceased to be granted, by their keys.
    left_at: BTreeMap<String, Instant>,
    is_set_up: bool,
}

impl CurrentNetwork {
    /// Returns the peers that are no longer granted but stay for another moment, because the reply to a
    /// call that removes a peer must reach that peer.
    fn leaving(&mut self, granted: &[Peer], now: Instant) -> Vec<Peer> {
        let is_granted = |peer: &Peer| granted.iter().any(|it| it.public_key == peer.public_key);
        let had = self.peers.iter().map(|(peer, _)| peer);
        let mut gone: Vec<Peer> = had.filter(|peer| !is_granted(peer)).cloned().collect();
        self.left_at.retain(|key, _| gone.iter().any(|peer| peer.public_key == *key));
        gone.retain(|peer| {
            let left_at = self.left_at.entry(peer.public_key.clone()).or_insert(now);
            now.duration_since(*left_at) < REMOVAL_DELAY
        });
        gone
    }
}

impl Namespaces {
    /// Returns whether the process must first [enter a user namespace](Namespaces::enter): only root may
    /// create network namespaces.
    #[must_use]
    pub fn need_user_namespace() -> bool {
        !rustix::process::geteuid().is_root()
    }

    /// Replaces the process by the same program with the same arguments, as root of a user namespace of
    /// its own. Returns only if that fails.
    ///
    /// # Errors
    ///
    /// If a program is missing, or the system does not allow user namespaces.
    pub fn enter() -> Result<std::convert::Infallible, DataPlaneError> {
        programs::check()?;
        let unshare = "unshare --user --map-root-user";
        // Try it first: otherwise `unshare` would report the failure, without saying what to do.
        programs::run(&words(&format!("{unshare} unshare --net true")), "").map_err(|error| {
            match error {
                DataPlaneError::Program { output, .. } => DataPlaneError::no_namespaces(&output),
                other => other,
            }
        })?;
        let program = std::env::current_exe().map_err(DataPlaneError::io("/proc/self/exe"))?;
        let mut arguments = std::env::args_os();
        let name = arguments.next();
        let mut command = Command::new("unshare");
        command.args(&words(unshare)[1..]).arg(program).args(arguments);
        drop(name);
        Err(DataPlaneError::io("unshare")(command.exec()))
    }

    /// Creates the namespaces.
    ///
    /// # Errors
    ///
    /// If a program or the right to use it is missing.
    pub fn start() -> Result<Namespaces, DataPlaneError> {
        programs::check()?;
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/net/tun")
            .map_err(DataPlaneError::NoTun)?;
        let plane = Namespaces {
            internet: Namespace::new()?,
            server: Namespace::new()?,
            client: Namespace::new()?,
            has_user_namespace: has_user_namespace(),
            current: Mutex::default(),
        };
        plane.connect()?;
        plane.isolate_resolvers()?;
        Ok(plane)
    }

    /// Returns the command that enters the client's namespace. A program and its arguments can follow;
    /// without them it starts a shell.
    #[must_use]
    pub fn client(&self) -> Vec<String> {
        self.entering(&self.client)
    }

    /// Returns the command that enters the internet's namespace, as [`Namespaces::client`] does.
    #[must_use]
    pub fn internet(&self) -> Vec<String> {
        self.entering(&self.internet)
    }

    /// Returns the address of the VPN server that the internet sees.
    #[must_use]
    pub fn public_address(&self) -> Ipv4Addr {
        PUBLIC
    }

    fn entering(&self, namespace: &Namespace) -> Vec<String> {
        let mut command = format!("nsenter --target {} --mount --net --pid", namespace.pid);
        if self.has_user_namespace {
            command.push_str(" --user --preserve-credentials");
        }
        command.split(' ').map(str::to_owned).collect()
    }

    /// Connects the namespaces by links, routes and rules.
    fn connect(&self) -> Result<(), DataPlaneError> {
        let Namespaces { internet, server, client, .. } = self;
        for (name, other) in [("internet", internet), ("home", client)] {
            let link = format!("ip link add {name} type veth peer name wan netns {}", other.pid);
            server.run_in_network(&link)?;
        }
        server.run(
            &words("ip -batch -"),
            "address add 198.51.100.1/24 dev internet\nlink set internet up\n\
             address add 203.0.113.1/24 dev home\nlink set home up\n",
        )?;
        internet.run(
            &words("ip -batch -"),
            "address add 198.51.100.2/24 dev wan\nlink set wan up\n\
             route add default via 198.51.100.1\n",
        )?;
        client.run(
            &words("ip -batch -"),
            "address add 203.0.113.2/24 dev wan\nlink set wan up\n\
             route add default via 203.0.113.1\n",
        )?;
        server.set("net/ipv4/ip_forward", "1")?;
        // Packets of the client to its own loopback address may leave it: see `listen`.
        client.set("net/ipv4/conf/all/route_localnet", "1")?;
        // No provider grants any of these ports, so a program can listen on every granted port. It
        // could not listen on a port that was used for a connection a moment ago.
        client.set("net/ipv4/ip_local_port_range", "1024 19999")?;
        server.run(&words("wireguard-go vpn"), "")?;
        server.run(
            &words("ip -batch -"),
            &format!(
                "address add {}/32 dev vpn\naddress add {PIA}/32 dev vpn\nlink set vpn up\n\
                 route add 10.0.0.0/8 dev vpn\n",
                NATPMP.ip()
            ),
        )?;
        server.run(&words("nft -f -"), SERVER_RULES).map(drop)
    }

    /// Gives the client its own files for name resolution, so that its programs do not write to this
    /// machine's.
    fn isolate_resolvers(&self) -> Result<(), DataPlaneError> {
        self.name_hosts(&BTreeSet::new())?;
        self.client.run(&words("mount --bind /run/hosts /etc/hosts"), "")?;
        // If there is no such file, programs that try to write it fail and change nothing.
        let Ok(place) = fs::canonicalize("/etc/resolv.conf") else { return Ok(()) };
        let write = |path: PathBuf| {
            fs::create_dir_all(path.parent().unwrap_or(&path)).and_then(|()| fs::write(&path, ""))
        };
        let failed = DataPlaneError::io("/etc/resolv.conf");
        // The file may be behind a link into /run, which is empty in the namespace.
        if place.starts_with("/run") {
            return write(self.client.path(&place)).map_err(failed);
        }
        let own = Path::new("/run/resolv.conf");
        write(self.client.path(own)).map_err(failed)?;
        let mount = ["mount".as_ref(), "--bind".as_ref(), own.as_os_str(), place.as_os_str()];
        self.client.run(&mount.map(OsStr::to_owned), "").map(drop)
    }

    fn name_hosts(&self, hosts: &BTreeSet<String>) -> Result<(), DataPlaneError> {
        let mut text = "127.0.0.1 localhost\n::1 localhost\n".to_owned();
        for host in hosts {
            let _ = writeln!(text, "{} {host}", ENDPOINT.ip());
        }
        fs::write(self.client.path(Path::new("/run/hosts")), text)
            .map_err(DataPlaneError::io("/etc/hosts"))
    }

    fn carry_out(&self, server: &VpnServer, network: Network) -> Result<(), DataPlaneError> {
        let mut current = locked(&self.current);
        if current.hosts != network.hosts {
            self.name_hosts(&network.hosts)?;
            current.hosts = network.hosts;
        }
        let leaving = current.leaving(&network.peers, Instant::now());
        let peers = self.with_addresses([leaving, network.peers].concat())?;
        if !current.is_set_up || current.peers != peers {
            self.server
                .run(&words("wg syncconf vpn /dev/stdin"), &configuration(server, &peers))?;
            (current.peers, current.is_set_up) = (peers, true);
        }
        if current.forwards != network.forwards {
            self.server.run(&words("nft -f -"), &elements(&network.forwards))?;
            for (forward, _) in changed(&current.forwards, &network.forwards) {
                self.delete_connections(*forward);
            }
            current.forwards = network.forwards;
        }
        Ok(())
    }

    /// Gives each address to only one peer, as WireGuard requires: if several have it, to the one that
    /// connected last. So the old key of a device works until the new key is used.
    fn with_addresses(&self, peers: Vec<Peer>) -> Result<Vec<(Peer, Vec<IpAddr>)>, DataPlaneError> {
        let mut owners: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
        for (place, peer) in peers.iter().enumerate() {
            for address in &peer.addresses {
                owners.entry(*address).or_default().push(place);
            }
        }
        let handshakes = match owners.values().any(|owners| owners.len() > 1) {
            true => self.server.run(&words("wg show vpn latest-handshakes"), "")?,
            false => String::new(),
        };
        let handshakes: BTreeMap<&str, u64> = handshakes
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(key, time)| Some((key, time.parse().ok()?)))
            .collect();
        let latest = |place: &usize| handshakes.get(&*peers[*place].public_key).copied();
        let owns = |place: usize, address: &IpAddr| {
            // If several connected in the same second, the newest of them; if none did, the oldest.
            let owner =
                owners[address].iter().max_by_key(|place| latest(place).unwrap_or_default());
            let is_connected = owner.is_some_and(|owner| latest(owner).unwrap_or_default() > 0);
            let owner = if is_connected { owner } else { owners[address].first() };
            owner == Some(&place)
        };
        let addresses = |(place, peer): (usize, &Peer)| {
            peer.addresses.iter().copied().filter(|address| owns(place, address)).collect()
        };
        let addresses: Vec<Vec<IpAddr>> = peers.iter().enumerate().map(addresses).collect();
        Ok(peers.into_iter().zip(addresses).collect())
    }

    /// Deletes the connections of a port, which the kernel would otherwise keep forwarding.
    fn delete_connections(&self, Forward { is_tcp, port }: Forward) {
        let protocol = if is_tcp { "tcp" } else { "udp" };
        let line =
            format!("conntrack -D --proto {protocol} --orig-dst {PUBLIC} --orig-port-dst {port}");
        // This fails if there is no such connection.
        let _ = self.server.run(&words(&line), "");
    }
}

impl DataPlane for Namespaces {
    fn endpoint(&self) -> SocketAddrV4 {
        ENDPOINT
    }

    fn listen(&self, own: &Addresses) -> io::Result<Sockets> {
        if !own.http.is_ipv4() {
            return Err(io::Error::other("the data plane needs an IPv4 address for the sandbox"));
        }
        let (http, tls) = (own.http.port(), own.tls.port());
        let rules = format!(
            "table ip sandbox {{\n\
             chain to_sandbox {{ type nat hook output priority -100;\n\
             ip daddr 127.0.0.0/8 tcp dport {http} dnat to {API}:{http}\n\
             ip daddr 127.0.0.0/8 tcp dport {tls} dnat to {PIA}:{tls}\n\
             ip daddr 127.0.0.0/8 udp dport {} dnat to {NATPMP}\n\
             ip daddr 127.0.0.0/8 udp dport {} dnat to {ENDPOINT}\n}}\n\
             chain from_loopback {{ type nat hook postrouting priority srcnat;\n\
             ip saddr 127.0.0.0/8 oifname != \"lo\" masquerade\n}}\n}}\n",
            own.datagrams.port(),
            // PIA's list names the sandbox's own address.
            ENDPOINT.port(),
        );
        self.client.run(&words("nft -f -"), &rules).map_err(io::Error::other)?;
        Ok(Sockets {
            http: self.internet.in_network(|| TcpListener::bind((API, http)))?,
            tls: self.server.in_network(|| TcpListener::bind((PIA, tls)))?,
            datagrams: self.server.in_network(|| UdpSocket::bind(NATPMP))?,
        })
    }

    fn apply(
        self: Arc<Self>,
        server: VpnServer,
        network: Network,
    ) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || self.carry_out(&server, network)).await;
            done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
        })
    }

    fn connects(&self, address: SocketAddr) -> BoxFuture<'static, bool> {
        let socket = self.internet.in_network(TcpSocket::new_v4);
        Box::pin(async move {
            let Ok(socket) = socket else { return false };
            timeout(CONNECT_LIMIT, socket.connect(address)).await.is_ok_and(|it| it.is_ok())
        })
    }
}

/// Returns whether this process is root of its own user namespace, as created by [`Namespaces::enter`].
fn has_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().eq(["0", map.split_whitespace().nth(1).unwrap_or_default(), "1"])
}

/// Returns the file for `wg syncconf`.
fn configuration(server: &VpnServer, peers: &[(Peer, Vec<IpAddr>)]) -> String {
    let key = STANDARD.encode(server.private_key);
    let mut text =
        format!("[Interface]\nPrivateKey = {key}\nListenPort = {}\n", server.endpoint.port());
    for (peer, addresses) in peers {
        let _ = writeln!(text, "[Peer]\nPublicKey = {}", peer.public_key);
        if let Some(key) = &peer.preshared_key {
            let _ = writeln!(text, "PresharedKey = {key}");
        }
        for address in addresses {
            let _ = writeln!(text, "AllowedIPs = {address}");
        }
    }
    text
}

/// Returns the nft commands that replace all forwarded ports at once.
fn elements(forwards: &BTreeMap<Forward, SocketAddrV4>) -> String {
    let mut text = String::new();
    for (map, is_tcp) in [("tcp_ports", true), ("udp_ports", false)] {
        let of_map = forwards.iter().filter(|(forward, _)| forward.is_tcp == is_tcp);
        let elements: Vec<_> = of_map
            .map(|(forward, to)| format!("{} : {} . {}", forward.port, to.ip(), to.port()))
            .collect();
        let _ = writeln!(text, "flush map ip sandbox {map}");
        if !elements.is_empty() {
            let _ = writeln!(text, "add element ip sandbox {map} {{ {} }}", elements.join(", "));
        }
    }
    text
}

/// Returns the forwards that now lead elsewhere or were removed.
fn changed<'a>(
    old: &'a BTreeMap<Forward, SocketAddrV4>,
    new: &BTreeMap<Forward, SocketAddrV4>,
) -> impl Iterator<Item = (&'a Forward, &'a SocketAddrV4)> {
    old.iter().filter(move |(forward, to)| new.get(forward) != Some(to))
}
