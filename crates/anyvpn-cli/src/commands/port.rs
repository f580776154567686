//! `anyvpn port`: forwarded ports.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyvpn::{
    Ability, DAY, Error, Lease, Leftover, LeftoverKind, NewPortForward, PortForward, PortForwards,
    Provider, Timestamp,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::port_keep::Keep;
use super::port_status::Status;
use crate::advice::undo;
use crate::context::Context;
use crate::failure::Failure;
use crate::number::number;
use crate::output::only_copy;
use crate::secrets::{confirm, is_interactive};
use crate::text::{Column, command_line, listing, reason, table, when};
use crate::work::ability;

/// The exit code of `port check --exit-code` for a closed port. Failures have lower codes.
const PORT_CLOSED: u8 = 10;

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  anyvpn port create --days 7
  anyvpn port list
  anyvpn port keep --client qbittorrent")]
pub enum Port {
    #[command(flatten)]
    Call(PortCall),
    /// Keep a port open, and tell torrent clients and other programs its number
    Keep(Box<Keep>),
    /// Show what `anyvpn port keep` knows
    Status(Status),
}

#[derive(Subcommand)]
pub enum PortCall {
    /// List the open ports of this machine, except hidden ones
    List {
        #[command(flatten)]
        device: Device,
    },
    /// Open a port; the provider chooses its number
    #[command(after_help = "\
Examples:
  anyvpn port create --days 7
  anyvpn port create --json | jq .port    The number, for a script")]
    Create {
        /// Close the port after N days [default: the provider's maximum]
        #[arg(long, value_name = "N", value_parser = days)]
        days: Option<Duration>,
        /// Hide the port from all lists; this is permanent, so note its number
        #[arg(long)]
        hidden: bool,
        /// Request this number; the provider may assign another one
        #[arg(long, value_name = "NUMBER", value_parser = number::<u16>(1, 65_535))]
        port: Option<u16>,
        #[command(flatten)]
        device: Device,
    },
    /// Close a port
    Delete {
        #[command(flatten)]
        port: Number,
        #[command(flatten)]
        device: Device,
    },
    /// Ask the provider whether a port is reachable from the internet
    #[command(after_help = "\
Examples:
  nc -l 55555 & anyvpn port check 55555
  anyvpn port check 55555 --exit-code || echo closed")]
    Check {
        #[command(flatten)]
        port: Number,
        /// Exit with code 10 if the port is closed
        #[arg(long)]
        exit_code: bool,
    },
}

#[derive(Args)]
pub struct Number {
    /// The number of the port
    #[arg(value_parser = number::<u16>(1, 65_535))]
    port: u16,
}

#[derive(Args)]
pub struct Device {
    /// This machine's address inside the tunnel [default: detect it]
    #[arg(long, value_name = "ADDRESS")]
    internal_ipv4: Option<Ipv4Addr>,
}

/// Parses a number of days.
fn days(text: &str) -> Result<Duration, String> {
    number::<u32>(1, 36_500)(text).map(|days| DAY * days)
}

#[derive(Serialize)]
struct ListAnswer {
    /// `None` if a forward belongs to the device that requests it.
    internal_ipv4: Option<Ipv4Addr>,
    ports: Vec<PortAnswer>,
}

#[derive(Serialize)]
struct PortAnswer {
    /// `None` if the provider does not say.
    internal_ipv4: Option<Ipv4Addr>,
    port: u16,
    local_port: u16,
    protocols: String,
    hidden: bool,
    /// `None` if the provider does not say.
    expires_at: Option<Timestamp>,
    /// How often the port must be renewed to stay open. `None` if it stays open by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_every_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Deleted {
    internal_ipv4: Option<Ipv4Addr>,
    port: u16,
    deleted: bool,
}

#[derive(Serialize)]
struct CheckAnswer {
    port: u16,
    open: bool,
    address: Option<IpAddr>,
}

impl PortAnswer {
    fn of(port: PortForward, lease: Lease) -> Self {
        Self {
            internal_ipv4: port.device,
            port: port.port,
            local_port: port.local_port,
            protocols: port.protocols.to_string(),
            renew_every_seconds: match lease {
                Lease::KeptAlive { every } => Some(every.as_secs()),
                _ => None,
            },
            hidden: port.hidden,
            expires_at: port.expires_at,
        }
    }
}

pub async fn run(
    context: &Context,
    provider: &dyn Provider,
    command: PortCall,
) -> Result<(), Failure> {
    let forwards = ability(context, provider, provider.port_forwards(), Ability::PortForwards)?;
    let output = context.output;
    match command {
        PortCall::List { device } => {
            let list = ability(context, provider, forwards.port_list(), Ability::ListPortForwards)?;
            let internal_ipv4 = device.find(context, forwards).await?;
            let ports = list.list_port_forwards(internal_ipv4).await?;
            let of = |port| PortAnswer::of(port, forwards.lease());
            let answer = ListAnswer { internal_ipv4, ports: ports.into_iter().map(of).collect() };
            output.answer(&answer, || list_text(&answer))
        }
        PortCall::Create { days, hidden, port, device } => {
            let device = device.find_surely(context, provider, forwards, "Open a port").await?;
            let mut new = NewPortForward::new();
            new.device = device;
            new.wished_port = port;
            new.lifetime = days;
            new.hidden = hidden;
            let port = forwards.create_port_forward(new).await?;
            let (number, hidden) = (port.port, port.hidden);
            let print = || show(context, PortAnswer::of(port, forwards.lease()));
            let lost = |failure: Failure| {
                let port = Leftover::new(LeftoverKind::PortForward, number.to_string());
                let what = format!("port {number} is open now");
                let hint = format!("use the port, or close it: {}", undo(&port));
                failure.leaving(&what, hint).with_leftover(port)
            };
            match hidden {
                true => only_copy(print, lost),
                // After a closed pipe nobody needs the answer, and `port list` shows the port.
                false => print().map_err(|failure| match failure.is_closed_pipe() {
                    true => failure,
                    false => lost(failure),
                }),
            }
        }
        PortCall::Delete { port: Number { port }, device } => {
            let what = format!("Close port {port}");
            let internal_ipv4 = device.find_surely(context, provider, forwards, &what).await?;
            let mut forward = PortForward::new(port);
            forward.device = internal_ipv4;
            forwards.delete_port_forward(&forward).await.map_err(no_port)?;
            let answer = Deleted { internal_ipv4, port, deleted: true };
            output.answer(&answer, || format!("Port {port} is closed."))
        }
        PortCall::Check { port: Number { port }, exit_code } => {
            let check = ability(context, provider, forwards.port_check(), Ability::CheckPort)?;
            let check = check.check_port(port).await?;
            let answer = CheckAnswer { port: check.port, open: check.open, address: check.address };
            output.answer(&answer, || check_text(&answer))?;
            match exit_code && !answer.open {
                true => Err(Failure::answered(PORT_CLOSED)),
                false => Ok(()),
            }
        }
    }
}

fn no_port(error: Error) -> Failure {
    Failure::from(error).where_missing("to see the open ports: anyvpn port list")
}

fn show(context: &Context, answer: PortAnswer) -> Result<(), Failure> {
    context.output.answer(&answer, || {
        let device = device(answer.internal_ipv4);
        let device = match answer.local_port == answer.port {
            true => device,
            false => format!("{device}, port {}", answer.local_port),
        };
        let mut pairs = vec![("Port", answer.port.to_string()), ("Leads to", device)];
        pairs.extend(answer.expires_at.map(|end| ("Open until", when(end))));
        pairs.extend(answer.renew_every_seconds.map(|every| {
            let keep = command_line(&["port", "keep"], &[]);
            ("Renewal", format!("needed every {every} s; to do it automatically, run {keep}"))
        }));
        let listed = if answer.hidden { "no, so note the number" } else { "yes" };
        pairs.push(("Listed", listed.to_owned()));
        listing(pairs)
    })
}

fn device(address: Option<Ipv4Addr>) -> String {
    address.map_or("This machine".to_owned(), |address| address.to_string())
}

fn list_text(answer: &ListAnswer) -> String {
    if answer.ports.is_empty() {
        let device = device(answer.internal_ipv4);
        return format!("{device} has no open ports.");
    }
    let row = |port: &PortAnswer| {
        vec![port.port.to_string(), port.expires_at.map(when).unwrap_or_default()]
    };
    let columns = [Column::Number("PORT"), Column::Text("OPEN UNTIL")];
    table(&columns, answer.ports.iter().map(row).collect())
}

fn check_text(check: &CheckAnswer) -> String {
    let at = check.address.map(|address| format!(" at {address}"));
    let at = at.unwrap_or_default();
    if check.open {
        format!("Port {} is open: a program answers{at}.", check.port)
    } else {
        format!("Port {} is closed: no program answers{at}.", check.port)
    }
}

impl Device {
    /// Returns the given address, or else the most likely one, and prints a note which one that is.
    ///
    /// `None` means that a forward belongs to the device that requests it.
    async fn find(
        &self,
        context: &Context,
        forwards: &dyn PortForwards,
    ) -> Result<Option<Ipv4Addr>, Failure> {
        if self.internal_ipv4.is_some() {
            return Ok(self.internal_ipv4);
        }
        let Some(devices) = forwards.tunnel_addresses().await? else { return Ok(None) };
        let found = Found::among(&devices)?;
        found.note(context);
        Ok(Some(found.address))
    }

    /// Returns the given address, or else the address of this machine, for a command that changes
    /// something.
    ///
    /// If no device is certain to be this machine, it asks whether the account's only device is meant.
    /// `what` is the start of that question.
    async fn find_surely(
        &self,
        context: &Context,
        provider: &dyn Provider,
        forwards: &dyn PortForwards,
        what: &str,
    ) -> Result<Option<Ipv4Addr>, Failure> {
        if self.internal_ipv4.is_some() {
            return Ok(self.internal_ipv4);
        }
        let Some(devices) = forwards.tunnel_addresses().await? else { return Ok(None) };
        let found = Found::among(&devices)?;
        let address = found.address;
        if found.interface.is_some() {
            found.note(context);
            return Ok(Some(address));
        }
        if context.output.json || !is_interactive() {
            return Err(Failure::usage(format!(
                "{}, so {address}, the account's only device, may be another machine",
                found.doubt()
            ))
            .hint(format!("to use that device: --internal-ipv4 {address}; nothing was changed")));
        }
        let name = device_name(provider, address).await?;
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        let doubt = found.doubt();
        let question = format!("{what} on the account's only device, {address}{name}? ({doubt})");
        confirm(&question, &format!("--internal-ipv4 {address}"))?;
        Ok(Some(address))
    }
}

/// Returns the name of the device with this address, if the provider has names.
async fn device_name(
    provider: &dyn Provider,
    address: Ipv4Addr,
) -> Result<Option<String>, Failure> {
    let Some(configs) = provider.server_configs() else { return Ok(None) };
    let configs = configs.list_configs().await?;
    let device = configs.into_iter().find(|config| config.addresses.contains(&address.into()));
    Ok(device.and_then(|device| device.name))
}

/// A device of the account that may be this machine.
#[derive(Debug, PartialEq)]
struct Found {
    address: Ipv4Addr,
    /// The interface of this machine that has the address. `None` for the account's only device, which
    /// may be another machine.
    interface: Option<String>,
    /// Why this machine's interfaces could not be read, if they could not.
    unreadable: Option<String>,
}

impl Found {
    /// Says why the account's only device may be another machine.
    fn doubt(&self) -> String {
        match &self.unreadable {
            Some(why) => format!("cannot read this machine's network interfaces: {why}"),
            None => "this machine has no address in the tunnel".to_owned(),
        }
    }

    fn among(devices: &[Ipv4Addr]) -> Result<Self, Failure> {
        let interfaces = match (if_addrs::get_if_addrs(), devices) {
            (Ok(interfaces), _) => interfaces,
            // We can still ask whether the account's only device is meant.
            (Err(error), [only]) => {
                let unreadable = Some(reason(&error));
                return Ok(Self { address: *only, interface: None, unreadable });
            }
            (Err(error), _) => {
                let why = reason(&error);
                return Err(Failure::other(format!(
                    "cannot read this machine's network interfaces: {why}"
                ))
                .hint(format!(
                    "{}; in a systemd unit, add AF_NETLINK to RestrictAddressFamilies",
                    choose_one(devices)
                )));
            }
        };
        let local: Vec<(String, Ipv4Addr)> = interfaces
            .into_iter()
            .filter_map(|interface| match interface.ip() {
                IpAddr::V4(address) => Some((interface.name, address)),
                IpAddr::V6(_) => None,
            })
            .collect();
        choose(devices, &local)
    }

    fn note(&self, context: &Context) {
        let why = match &self.interface {
            Some(name) => format!("this machine, on {name}"),
            None => "the account's only device".to_owned(),
        };
        context.output.note(&format!("Using internal address {} ({why}).", self.address));
    }
}

/// Chooses the device with an address of this machine, or else the account's only device.
fn choose(devices: &[Ipv4Addr], local: &[(String, Ipv4Addr)]) -> Result<Found, Failure> {
    let mut here: Vec<&(String, Ipv4Addr)> =
        local.iter().filter(|(_, address)| devices.contains(address)).collect();
    here.dedup_by_key(|(_, address)| *address);
    let found = |address, interface| Ok(Found { address, interface, unreadable: None });
    match (&here[..], devices) {
        ([(name, address)], _) => found(*address, Some(name.clone())),
        ([], [only]) => found(*only, None),
        ([], []) => Err(Failure::not_found("the account has no devices")
            .hint("create one: anyvpn config get SERVER --output FILE")),
        ([], several) => Err(Failure::usage(format!(
            "none of the account's {} devices has an address of this machine",
            several.len()
        ))
        .hint(format!("connect the tunnel, or {}", choose_one(several)))),
        (several, _) => {
            let addresses: Vec<_> = several.iter().map(|(_, address)| *address).collect();
            Err(Failure::usage(
                "this machine has the addresses of several of the account's devices",
            )
            .hint(choose_one(&addresses)))
        }
    }
}

fn choose_one(addresses: &[Ipv4Addr]) -> String {
    let shown: Vec<_> = addresses.iter().map(Ipv4Addr::to_string).collect();
    format!("choose with --internal-ipv4: {}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Ipv4Addr {
        text.parse().unwrap()
    }

    #[test]
    fn the_device_with_an_address_of_this_machine_is_chosen() {
        let devices = [address("10.0.1.2"), address("10.0.1.3")];
        let on = |name: &str, text: &str| (name.to_owned(), address(text));
        let home = on("eth0", "192.168.1.2");
        let tunnel = on("wg0", "10.0.1.3");

        let found = choose(&devices, &[home.clone(), tunnel.clone()]).unwrap();
        assert_eq!(found.address, address("10.0.1.3"));
        assert_eq!(found.interface.as_deref(), Some("wg0"));

        let found = choose(&devices[..1], std::slice::from_ref(&home)).unwrap();
        assert_eq!((found.address, found.interface), (address("10.0.1.2"), None));

        let lines = choose(&devices, &[home]).unwrap_err().lines();
        assert!(lines[1].contains("10.0.1.2, 10.0.1.3"), "{lines:?}");
        assert!(choose(&[], std::slice::from_ref(&tunnel)).is_err());

        let both = [tunnel.clone(), on("wg1", "10.0.1.2")];
        assert!(choose(&devices, &both).is_err());
        assert!(choose(&devices, &[tunnel.clone(), tunnel]).is_ok());
    }
}
