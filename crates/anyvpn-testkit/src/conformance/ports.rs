//! Checks ports with a fixed lease, ports that are kept alive, and testing a port from outside.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyvpn_core::{
    CheckPort, ErrorKind, ListPortForwards, NewPortForward, PortForward, PortForwards,
    PortProtocols,
};

use super::{Check, ensure, expect, text};

pub(super) async fn device(ports: &dyn PortForwards) -> Result<Ipv4Addr, String> {
    let addresses = ports.tunnel_addresses().await.map_err(text)?.unwrap_or_default();
    addresses.first().copied().ok_or_else(|| "the account has no device to forward to".to_owned())
}

pub(super) async fn listed(
    ports: &dyn PortForwards,
    list: &dyn ListPortForwards,
) -> Result<Vec<PortForward>, String> {
    list.list_port_forwards(Some(device(ports).await?)).await.map_err(text)
}

pub(super) async fn ports_begin_empty(
    ports: &dyn PortForwards,
    list: &dyn ListPortForwards,
) -> Check {
    let list = listed(ports, list).await?;
    ensure!(list.is_empty(), "the account already has ports: {list:?}");
    Ok(())
}

pub(super) async fn port_life(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create_port_forward(NewPortForward::to(device)).await.map_err(text)?;
    ensure!(
        made.device == Some(device) && !made.hidden,
        "got another port than requested: {made:?}"
    );
    let shown = listed(ports, list).await?;
    ensure!(shown == [made.clone()], "created {made:?}, listed {shown:?}");
    ports.delete_port_forward(&made).await.map_err(text)?;
    let shown = listed(ports, list).await?;
    ensure!(shown.is_empty(), "a deleted port is still listed: {shown:?}");
    Ok(())
}

pub(super) async fn port_hidden(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let mut new = NewPortForward::to(device(ports).await?);
    new.hidden = true;
    let hidden = ports.create_port_forward(new).await.map_err(text)?;
    ensure!(hidden.hidden, "requested a hidden port, got a listed one");
    let shown = listed(ports, list).await?;
    ensure!(shown.is_empty(), "a hidden port is listed: {shown:?}");
    ports.delete_port_forward(&hidden).await.map_err(text)
}

pub(super) async fn port_unknown(ports: &dyn PortForwards) -> Check {
    let mut unknown = PortForward::new(1);
    unknown.device = Some(device(ports).await?);
    expect(ports.delete_port_forward(&unknown).await, ErrorKind::NotFound)
}

pub(super) async fn port_lifetime(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    for hours in [0, 12, 36] {
        let mut port = NewPortForward::to(device);
        port.lifetime = Some(Duration::from_secs(hours * 3600));
        expect(ports.create_port_forward(port).await, ErrorKind::InvalidRequest)?;
    }
    ports_begin_empty(ports, list).await
}

/// A fixed lease cannot be renewed, and trying to is refused before anything is sent.
pub(super) async fn port_renewal(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create_port_forward(NewPortForward::to(device)).await.map_err(text)?;
    expect(ports.renew_port_forward(&made).await, ErrorKind::InvalidRequest)?;
    let shown = listed(ports, list).await?;
    ensure!(shown == [made.clone()], "the refused renewal changed the port: {shown:?}");
    ports.delete_port_forward(&made).await.map_err(text)
}

pub(super) async fn port_check(check: &dyn CheckPort) -> Check {
    // Nobody who runs tests serves port 1 (tcpmux).
    let check = check.check_port(1).await.map_err(text)?;
    ensure!(
        check.port == 1 && !check.open,
        "nothing listens on port 1, but the check gave {check:?}"
    );
    Ok(())
}

type Advance = dyn Fn(Duration) + Send + Sync;

/// A forward that is renewed in time keeps its number and ends later.
pub(super) async fn kept_alive(
    ports: &dyn PortForwards,
    every: Duration,
    advance: &Advance,
) -> Check {
    let made = ports.create_port_forward(own(ports).await?).await.map_err(text)?;
    let mut last = made.clone();
    for _ in 0..5 {
        advance(every);
        let renewed = ports.renew_port_forward(&last).await.map_err(text)?;
        ensure!(
            renewed.port == made.port,
            "a renewal in time changed the port from {} to {}",
            made.port,
            renewed.port
        );
        ensure!(
            renewed.protocols == made.protocols,
            "the renewed port carries {}",
            renewed.protocols
        );
        let has_moved = match (last.expires_at, renewed.expires_at) {
            (Some(before), Some(after)) => after > before,
            (_, after) => after.is_none(),
        };
        ensure!(has_moved, "the renewal did not extend the lease: {last:?}, {renewed:?}");
        last = renewed;
    }
    let again = ports.renew_port_forward(&last).await.map_err(text)?;
    ensure!(again.port == last.port, "a second renewal changed the port to {}", again.port);
    ports.delete_port_forward(&again).await.map_err(text)
}

/// After a gap, renewing gives a forward, perhaps with another number, or reports that the forward no
/// longer exists. The current forward then continues, even if the lost number is deleted.
pub(super) async fn run_out(ports: &dyn PortForwards, every: Duration, advance: &Advance) -> Check {
    let made = ports.create_port_forward(own(ports).await?).await.map_err(text)?;
    advance(every * 8);
    let next = match ports.renew_port_forward(&made).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            ports.create_port_forward(own(ports).await?).await.map_err(text)?
        }
        renewed => renewed.map_err(text)?,
    };
    if next.port != made.port {
        // A provider without a record of the lost number may report it as deleted.
        match ports.delete_port_forward(&made).await {
            Ok(()) => {}
            Err(error) => ensure!(error.kind() == ErrorKind::NotFound, "{error}"),
        }
    }
    advance(every);
    let renewed = ports.renew_port_forward(&next).await.map_err(text)?;
    ensure!(
        renewed.port == next.port,
        "a renewal changed the port from {} to {}",
        next.port,
        renewed.port
    );
    ports.delete_port_forward(&renewed).await.map_err(text)
}

/// The list has this machine's forward, with its current number, until it expires.
pub(super) async fn own_list(
    ports: &dyn PortForwards,
    list: &dyn ListPortForwards,
    every: Duration,
    advance: &Advance,
) -> Check {
    let numbers = async || {
        let list = list.list_port_forwards(None).await.map_err(text)?;
        Ok::<_, String>(list.iter().map(|port| port.port).collect::<Vec<_>>())
    };
    let listed = numbers().await?;
    ensure!(listed.is_empty(), "ports are already listed: {listed:?}");
    let made = ports.create_port_forward(own(ports).await?).await.map_err(text)?;
    let listed = numbers().await?;
    ensure!(listed == [made.port], "created {}, listed {listed:?}", made.port);
    let mut wish = own(ports).await?;
    wish.wished_port = Some(made.port);
    let again = ports.create_port_forward(wish).await.map_err(text)?;
    let listed = numbers().await?;
    ensure!(listed == [again.port], "requested {}, listed {listed:?}", made.port);
    ensure!(again.port == made.port, "this machine has {}, but got {}", made.port, again.port);
    ports.delete_port_forward(&again).await.map_err(text)?;
    let listed = numbers().await?;
    ensure!(listed.is_empty(), "a deleted port is still listed: {listed:?}");
    let lost = ports.create_port_forward(own(ports).await?).await.map_err(text)?;
    advance(every * 8);
    if lost.ends_at.is_none() {
        let listed = numbers().await?;
        ensure!(listed.is_empty(), "an expired port is still listed: {listed:?}");
    }
    Ok(())
}

/// A forward carries the requested protocols, or is refused.
pub(super) async fn protocols(ports: &dyn PortForwards) -> Check {
    for protocols in [PortProtocols::Both, PortProtocols::Tcp, PortProtocols::Udp] {
        let mut new = own(ports).await?;
        new.protocols = protocols;
        match ports.create_port_forward(new).await {
            Ok(made) => {
                let carried = made.protocols;
                ensure!(carried == protocols, "requested {protocols}, got {carried}");
                ports.delete_port_forward(&made).await.map_err(text)?;
            }
            Err(error) => {
                ensure!(
                    protocols != PortProtocols::Both,
                    "a port for both protocols is refused: {error}"
                );
                ensure!(error.kind() == ErrorKind::InvalidRequest, "{protocols} gave {error}");
            }
        }
    }
    Ok(())
}

/// Returns a request for a port of this machine.
async fn own(ports: &dyn PortForwards) -> Result<NewPortForward, String> {
    let addresses = ports.tunnel_addresses().await.map_err(text)?;
    let first = addresses.and_then(|addresses| addresses.first().copied());
    Ok(first.map_or_else(NewPortForward::new, NewPortForward::to))
}
