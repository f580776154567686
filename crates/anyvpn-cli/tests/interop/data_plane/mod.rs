//! `anyvpn sandbox --data-plane`: checks that what the provider says about a port matches what
//! arrives there.

mod helper;
mod keeper;
mod torrent;
mod world;

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use world::World;

use crate::part::{Program, accepts, part};

const DATA_PLANE: &[Program] = &[
    ("wireguard-go", "wireguard-go"),
    ("wg-quick", "wireguard-tools"),
    ("nft", "nftables"),
    ("conntrack", "conntrack"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
];
/// In seconds.
const DAY: u64 = 86_400;
/// The helper's answers for a TCP and a UDP connection.
const BOTH: &str = "arrived arrived";
const NEITHER: &str = "lost lost";
const NEEDS: Option<&str> = Some("data_plane.sh");

#[test]
#[ignore = "for cargo xtask interop"]
fn the_check_of_a_port_agrees_with_what_arrives() {
    let name = "the check of a port agrees with what arrives, whatever is broken";
    part(name, DATA_PLANE, NEEDS, || {
        let rounds = std::env::var("ANYVPN_DATA_PLANE_ROUNDS").map_or(20, |it| it.parse().unwrap());
        let began = Instant::now();
        let mut world = World::start();
        world.connect();
        let mut open = 0;
        for round in 0..rounds {
            // Every fault, in a different order each time.
            let fault = Fault::ALL[(round * 7 + round / Fault::ALL.len()) % Fault::ALL.len()];
            open += u32::from(world.round(round, fault));
        }
        println!("{rounds} rounds, {open} of them open, in {:.1?}", began.elapsed());
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn the_configurations_of_all_providers_connect() {
    part("WireGuard configurations of all providers connect", DATA_PLANE, NEEDS, || {
        let world = World::start();
        for (provider, customer) in
            [("azire", None), ("vpnscript", None), ("pia", None), ("vpnresellers", Some("demo"))]
        {
            let provider = ["--provider", provider];
            let listed = world
                .answer(&[&["server", "list", "--protocol", "wireguard"][..], &provider].concat());
            let server = listed["servers"][0]["id"].as_str().unwrap();
            let mut get = world.anyvpn(&["config", "get", server, "--no-dns", "--force"]);
            get.args(provider).args(["--protocol", "wireguard", "--output", "vpn.conf"]);
            get.args(customer.map(|name| ["--customer", name]).into_iter().flatten());
            accepts(&mut get);
            world.bring("up");
            // The check reports the source of the call, which is the VPN server's address.
            let check = world.answer(&["port", "check", "9", "--provider", "azire"]);
            assert_eq!(check["address"], "198.51.100.1", "{provider:?}: {check}");
            world.bring("down");
            let check = world.answer(&["port", "check", "9", "--provider", "azire"]);
            assert_eq!(check["address"], "203.0.113.2", "{provider:?}: {check}");
        }
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn ports_that_are_kept_alive_lead_to_the_client_until_they_end() {
    let name = "ports of PIA and NAT-PMP lead to the client until they end";
    part(name, DATA_PLANE, NEEDS, || {
        let mut world = World::start();
        let pia = ["--provider", "pia", "--no-dns", "--output", "vpn.conf"];
        accepts(&mut world.anyvpn(&[&["config", "get", "swiss"][..], &pia].concat()));
        // Without the tunnel, PIA cannot identify the caller.
        assert!(
            !world
                .anyvpn(&["port", "create", "--provider", "pia"])
                .output()
                .unwrap()
                .status
                .success()
        );
        world.bring("up");
        for provider in ["pia", "natpmp"] {
            let created = world.answer(&["port", "create", "--provider", provider]);
            world.port = u16::try_from(created["port"].as_u64().unwrap()).unwrap();
            world.listen("0.0.0.0", true);
            assert_eq!(world.reached("reach"), BOTH, "{provider}: {created}");
            world.pass(20 * 60);
            assert_eq!(world.reached("reach"), NEITHER, "{provider}: {created}");
            world.client.ask("stop");
        }
    });
}

#[test]
#[ignore = "for cargo xtask interop"]
fn nothing_survives_a_sandbox_that_was_killed() {
    part("nothing survives a sandbox that was killed", DATA_PLANE, NEEDS, || {
        let mut world = World::start();
        assert_eq!(world.client.ask("stop"), "ok");
        world.sandbox.kill().unwrap();
        world.sandbox.wait().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while world.client.process.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "a program in the client's network lives on");
            sleep(Duration::from_millis(20));
        }
    });
}

/// What is broken in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    ListenerStopped,
    ListenerOnLoopback,
    UdpOnly,
    TunnelDown,
    TunnelRecreated,
    PortDeleted,
    PortExpired,
    KeyRotated,
}

impl Fault {
    const ALL: [Fault; 9] = [
        Fault::Nothing,
        Fault::ListenerStopped,
        Fault::ListenerOnLoopback,
        Fault::UdpOnly,
        Fault::TunnelDown,
        Fault::TunnelRecreated,
        Fault::PortDeleted,
        Fault::PortExpired,
        Fault::KeyRotated,
    ];
}

impl World {
    /// Replaces the device's key, and connects with the new one. Until then the old one works.
    fn rotate(&mut self) {
        let before = fs::read_to_string(self.config()).unwrap();
        let rotated = self.answer(&[
            "config",
            "rotate",
            &self.device,
            "se-sto",
            "--no-dns",
            "--output",
            "new.conf",
            "--force",
        ]);
        let new = self.folder.path().join("new.conf");
        let after = fs::read_to_string(&new).unwrap();
        let address =
            |text: &str| text.lines().find(|line| line.starts_with("Address")).map(str::to_owned);
        let keeps_address = address(&before) == address(&after);
        // The old device could be deleted through its own tunnel.
        assert_eq!(rotated["old_key_valid"], keeps_address, "{rotated}");
        if keeps_address {
            assert_eq!(self.reached("reach"), BOTH, "the old key does not work any more");
        }
        self.device = rotated["id"].as_str().unwrap().to_owned();
        self.bring("down");
        fs::rename(new, self.config()).unwrap();
        self.bring("up");
        if !keeps_address {
            // The device had three keys and was replaced, so its ports are gone.
            self.open_port();
            self.client.ask("stop");
            self.listen("0.0.0.0", true);
        }
    }

    /// Breaks something, compares, and repairs it. Returns whether the port was open.
    fn round(&mut self, round: usize, fault: Fault) -> bool {
        match fault {
            Fault::ListenerStopped => {}
            Fault::ListenerOnLoopback => self.listen("127.0.0.1", true),
            Fault::UdpOnly => self.listen("0.0.0.0", false),
            _ => self.listen("0.0.0.0", true),
        }
        let is_held =
            !matches!(fault, Fault::ListenerStopped | Fault::ListenerOnLoopback | Fault::UdpOnly);
        if is_held {
            assert_eq!(self.reached("hold"), BOTH);
        }
        let port = self.port;
        match fault {
            Fault::TunnelDown => self.bring("down"),
            Fault::TunnelRecreated => {
                self.bring("down");
                self.bring("up");
            }
            Fault::PortDeleted => {
                accepts(&mut self.anyvpn(&["port", "delete", &self.port.to_string()]));
            }
            Fault::PortExpired => self.pass(2 * DAY),
            Fault::KeyRotated => self.rotate(),
            _ => {}
        }
        let is_open = self.is_open();
        let is_whole = matches!(fault, Fault::Nothing | Fault::TunnelRecreated | Fault::KeyRotated);
        let new = match fault {
            Fault::UdpOnly => "lost arrived",
            _ if is_whole => BOTH,
            _ => NEITHER,
        };
        // Existing connections are cut off when the port is, and outlive tunnel and key.
        let held = if is_whole && self.port == port { BOTH } else { NEITHER };
        let (reached, expected) = match is_held {
            true => (self.reached("reach-with-held"), format!("{new} {held}")),
            false => (self.reached("reach"), new.to_owned()),
        };
        assert_eq!(reached, expected, "round {round}, {fault:?}");
        assert_eq!(is_open, is_whole, "round {round}, {fault:?}: the check");

        self.client.ask("stop");
        match fault {
            Fault::TunnelDown => self.bring("up"),
            Fault::PortDeleted => {
                // Ten ports may be created a day.
                self.pass(DAY);
                self.open_port();
            }
            Fault::PortExpired => self.open_port(),
            _ => {}
        }
        is_open
    }
}
