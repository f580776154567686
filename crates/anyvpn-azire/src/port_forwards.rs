//! Implements port forwards.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyvpn_core::{
    CheckPort, DAY, Error, Lease, ListPortForwards, NewPortForward, PortCheck, PortForward,
    PortForwards, PortProtocols,
};
use async_trait::async_trait;

use crate::Azire;
use crate::ops::{self, CheckPort as Check, CreatePortForward, DeletePortForward, ListIps};

#[async_trait]
impl PortForwards for Azire {
    fn lease(&self) -> Lease {
        Lease::Fixed
    }

    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error> {
        let ips = self.call(ListIps {}).await?;
        Ok(Some(ips.into_iter().map(|ip| ip.ipv4_address).collect()))
    }

    async fn create_port_forward(&self, new: NewPortForward) -> Result<PortForward, Error> {
        if new.wished_port.is_some() {
            return Err(Error::invalid("wished_port", "AzireVPN chooses the number"));
        }
        if new.local_port.is_some() {
            return Err(Error::invalid("local_port", "AzireVPN forwards to the same number"));
        }
        if new.protocols != PortProtocols::Both {
            return Err(Error::invalid("protocols", "AzireVPN forwards TCP and UDP together"));
        }
        let operation = CreatePortForward {
            internal_ipv4: needed(new.device)?,
            expires_in: new.lifetime.map(days).transpose()?,
            hidden: new.hidden.then_some(true),
        };
        let made = self.call(operation).await?;
        Ok(neutral(made.internal_ipv4, made.port, made.hidden, made.expires_at))
    }

    async fn renew_port_forward(&self, _port: &PortForward) -> Result<PortForward, Error> {
        Err(Error::invalid("port", "AzireVPN's ports cannot be renewed; open another one"))
    }

    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error> {
        let internal_ipv4 = needed(port.device)?;
        self.call(DeletePortForward { internal_ipv4, port: port.port }).await
    }

    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        Some(self)
    }

    fn port_check(&self) -> Option<&dyn CheckPort> {
        Some(self)
    }
}

#[async_trait]
impl ListPortForwards for Azire {
    async fn list_port_forwards(
        &self,
        device: Option<Ipv4Addr>,
    ) -> Result<Vec<PortForward>, Error> {
        let list = self.call(ops::ListPortForwards { internal_ipv4: needed(device)? }).await?;
        let ports = list.ports.into_iter();
        let port = |port: ops::OpenPort| {
            neutral(list.internal_ipv4, port.port, port.hidden, port.expires_at)
        };
        Ok(ports.map(port).collect())
    }
}

#[async_trait]
impl CheckPort for Azire {
    async fn check_port(&self, port: u16) -> Result<PortCheck, Error> {
        let check = self.call(Check { port }).await?;
        Ok(PortCheck::new(check.port, check.open, check.source_ip))
    }
}

/// Converts a lifetime to days. The effect of `expires_in: 0` is not documented, so it is never sent.
fn days(lifetime: Duration) -> Result<u32, Error> {
    let days = lifetime.as_secs() / DAY.as_secs();
    match u32::try_from(days) {
        Ok(days) if days > 0 && lifetime == DAY * days => Ok(days),
        _ => Err(Error::invalid("lifetime", "must be a whole number of days, at least one")),
    }
}

fn needed(device: Option<Ipv4Addr>) -> Result<Ipv4Addr, Error> {
    device.ok_or_else(|| Error::invalid("device", "AzireVPN needs the device's tunnel address"))
}

fn neutral(
    device: Ipv4Addr,
    number: u16,
    hidden: bool,
    expires_at: anyvpn_core::Timestamp,
) -> PortForward {
    let mut port = PortForward::new(number);
    port.device = Some(device);
    port.hidden = hidden;
    port.expires_at = Some(expires_at);
    port
}
