//! Ports with a fixed lease, and trying a port from outside.

use std::net::Ipv4Addr;

use anyvpn_core::{
    CheckPort, ErrorKind, ListPortForwards, NewPortForward, PortForward, PortForwards,
};

use super::{Check, ensure, expect, text};

pub(super) async fn device(ports: &dyn PortForwards) -> Result<Ipv4Addr, String> {
    let addresses = ports.tunnel_addresses().await.map_err(text)?.unwrap_or_default();
    addresses.first().copied().ok_or_else(|| "the account has no device".to_owned())
}

pub(super) async fn listed(
    ports: &dyn PortForwards,
    list: &dyn ListPortForwards,
) -> Result<Vec<PortForward>, String> {
    list.list_port_forwards(device(ports).await?).await.map_err(text)
}

pub(super) async fn ports_begin_empty(
    ports: &dyn PortForwards,
    list: &dyn ListPortForwards,
) -> Check {
    let list = listed(ports, list).await?;
    ensure!(list.is_empty(), "there are ports: {list:?}");
    Ok(())
}

pub(super) async fn port_life(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create_port_forward(NewPortForward::to(device)).await.map_err(text)?;
    ensure!(made.device == Some(device) && !made.hidden, "another port was made: {made:?}");
    let shown = listed(ports, list).await?;
    ensure!(shown == [made.clone()], "made {made:?}, listed {shown:?}");
    ports.delete_port_forward(&made).await.map_err(text)?;
    let shown = listed(ports, list).await?;
    ensure!(shown.is_empty(), "deleted, yet listed: {shown:?}");
    Ok(())
}

pub(super) async fn port_hidden(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let mut new = NewPortForward::to(device(ports).await?);
    new.hidden = true;
    let hidden = ports.create_port_forward(new).await.map_err(text)?;
    ensure!(hidden.hidden, "the answer says not hidden");
    let shown = listed(ports, list).await?;
    ensure!(shown.is_empty(), "hidden, yet listed: {shown:?}");
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
        port.lifetime = Some(std::time::Duration::from_secs(hours * 3600));
        expect(ports.create_port_forward(port).await, ErrorKind::InvalidRequest)?;
    }
    ports_begin_empty(ports, list).await
}

/// A fixed lease cannot be renewed, and says so before anything is sent.
pub(super) async fn port_renewal(ports: &dyn PortForwards, list: &dyn ListPortForwards) -> Check {
    let device = device(ports).await?;
    let made = ports.create_port_forward(NewPortForward::to(device)).await.map_err(text)?;
    expect(ports.renew_port_forward(&made).await, ErrorKind::InvalidRequest)?;
    let shown = listed(ports, list).await?;
    ensure!(shown == [made.clone()], "the port is another one now: {shown:?}");
    ports.delete_port_forward(&made).await.map_err(text)
}

pub(super) async fn port_check(check: &dyn CheckPort) -> Check {
    // Port 1 (tcpmux) is served by nobody who runs tests.
    let check = check.check_port(1).await.map_err(text)?;
    ensure!(check.port == 1 && !check.open, "nothing listens on port 1, yet {check:?}");
    Ok(())
}
