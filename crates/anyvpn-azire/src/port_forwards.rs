//! Port forwards.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyvpn_core::{DAY, Error, NewPortForward, PortCheck, PortForward, PortForwards};
use async_trait::async_trait;

use crate::Azire;
use crate::ops::{
    CheckPort, CreatePortForward, DeletePortForward, HidePortForward, ListIps, ListPortForwards,
};

#[async_trait]
impl PortForwards for Azire {
    async fn tunnel_addresses(&self) -> Result<Vec<Ipv4Addr>, Error> {
        let ips = self.call(ListIps {}).await?;
        Ok(ips.into_iter().map(|ip| ip.ipv4_address).collect())
    }

    async fn list(&self, device: Ipv4Addr) -> Result<Vec<PortForward>, Error> {
        let list = self.call(ListPortForwards { internal_ipv4: device }).await?;
        let ports = list.ports.into_iter();
        Ok(ports
            .map(|open| {
                PortForward::new(list.internal_ipv4, open.port, open.hidden, open.expires_at)
            })
            .collect())
    }

    async fn create(&self, new: NewPortForward) -> Result<PortForward, Error> {
        let operation = CreatePortForward {
            internal_ipv4: new.device,
            expires_in: new.lifetime.map(days).transpose()?,
            hidden: new.hidden.then_some(true),
        };
        Ok(neutral(self.call(operation).await?))
    }

    async fn hide(&self, device: Ipv4Addr, port: u16) -> Result<PortForward, Error> {
        Ok(neutral(self.call(HidePortForward { internal_ipv4: device, port }).await?))
    }

    async fn delete(&self, device: Ipv4Addr, port: u16) -> Result<(), Error> {
        self.call(DeletePortForward { internal_ipv4: device, port }).await
    }

    async fn check(&self, port: u16) -> Result<PortCheck, Error> {
        let check = self.call(CheckPort { port }).await?;
        Ok(PortCheck::new(check.port, check.open, check.source_ip))
    }
}

/// A lifetime in days. What `expires_in: 0` does is documented nowhere, so it is never sent.
fn days(lifetime: Duration) -> Result<u32, Error> {
    let days = lifetime.as_secs() / DAY.as_secs();
    match u32::try_from(days) {
        Ok(days) if days > 0 && lifetime == DAY * days => Ok(days),
        _ => Err(Error::invalid("lifetime", "must be a whole number of days, at least one")),
    }
}

fn neutral(port: crate::ops::PortForward) -> PortForward {
    PortForward::new(port.internal_ipv4, port.port, port.hidden, port.expires_at)
}
