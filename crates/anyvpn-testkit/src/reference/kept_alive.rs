//! A provider whose forwards exist as long as they are renewed.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyvpn_core::{
    Ability, Capabilities, Error, ErrorKind, Lease, ListPortForwards, NewPortForward, PortForward,
    PortForwards, PortProtocols, Provider, ProviderInfo, Secret, Timestamp,
};
use async_trait::async_trait;

/// Describes [`KeptAlive`].
pub static INFO: ProviderInfo =
    ProviderInfo::new("kept-alive", "Kept alive", "https://example.com", &CAPABILITIES);

static CAPABILITIES: Capabilities = Capabilities::new(
    &[Ability::PortForwards, Ability::ListPortForwards],
    &[],
    ("not needed in an example", "https://example.com"),
);

const EVERY: Duration = Duration::from_secs(45);
const LEASE: Duration = Duration::from_secs(60);

/// A gateway without authentication. It keeps a forward for a minute after the last renewal, and then
/// gives the number to another client. Its clock advances only with [`KeptAlive::advance`].
#[derive(Clone, Debug)]
pub struct KeptAlive(Arc<Mutex<Gateway>>);

#[derive(Debug)]
struct Gateway {
    now: Timestamp,
    next: u16,
    leases: Vec<PortForward>,
}

impl Default for KeptAlive {
    fn default() -> Self {
        let gateway = Gateway { now: Timestamp::UNIX_EPOCH, next: 40_000, leases: Vec::new() };
        Self(Arc::new(Mutex::new(gateway)))
    }
}

impl KeptAlive {
    /// Advances the clock.
    pub fn advance(&self, time: Duration) {
        let gateway = &mut *self.gateway();
        gateway.now += time;
        let now = gateway.now;
        gateway.leases.retain(|lease| lease.expires_at.is_some_and(|end| end > now));
    }

    fn gateway(&self) -> MutexGuard<'_, Gateway> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// Creates a lease of a number that no client has had.
    fn map(
        &mut self,
        wished: Option<u16>,
        protocols: PortProtocols,
        local: Option<u16>,
    ) -> PortForward {
        let is_free = |port: &u16| self.leases.iter().all(|lease| lease.port != *port);
        let port = wished.filter(is_free).unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let mut lease = PortForward::new(port);
        lease.protocols = protocols;
        lease.local_port = local.unwrap_or(port);
        lease.expires_at = Some(self.now + LEASE);
        lease.ticket = Some(Secret::from(format!("ticket of {port}")));
        self.leases.push(lease.clone());
        lease
    }

    fn renew(&mut self, port: u16) -> Option<PortForward> {
        let lease = self.leases.iter_mut().find(|lease| lease.port == port)?;
        lease.expires_at = Some(self.now + LEASE);
        Some(lease.clone())
    }
}

impl Provider for KeptAlive {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        Some(self)
    }
}

#[async_trait]
impl PortForwards for KeptAlive {
    fn lease(&self) -> Lease {
        Lease::KeptAlive { every: EVERY }
    }

    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error> {
        Ok(None)
    }

    async fn create_port_forward(&self, new: NewPortForward) -> Result<PortForward, Error> {
        if new.hidden {
            return Err(Error::invalid("hidden", "is not supported: there is no public list"));
        }
        if new.device.is_some() {
            return Err(Error::invalid("device", "must be the device that requests the forward"));
        }
        let gateway = &mut *self.gateway();
        if let Some(wished) = new.wished_port
            && let Some(renewed) = gateway.renew(wished)
        {
            return Ok(renewed);
        }
        Ok(gateway.map(new.wished_port, new.protocols, new.local_port))
    }

    async fn renew_port_forward(&self, port: &PortForward) -> Result<PortForward, Error> {
        let gateway = &mut *self.gateway();
        if let Some(renewed) = gateway.renew(port.port) {
            return Ok(renewed);
        }
        Ok(gateway.map(
            None,
            port.protocols,
            (port.local_port != port.port).then_some(port.local_port),
        ))
    }

    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error> {
        let gateway = &mut *self.gateway();
        if gateway.leases.iter().all(|lease| lease.port != port.port) {
            return Err(Error::new(ErrorKind::NotFound));
        }
        gateway.leases.retain(|lease| lease.port != port.port);
        Ok(())
    }

    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        Some(self)
    }
}

#[async_trait]
impl ListPortForwards for KeptAlive {
    async fn list_port_forwards(
        &self,
        device: Option<Ipv4Addr>,
    ) -> Result<Vec<PortForward>, Error> {
        match device {
            None => Ok(self.gateway().leases.clone()),
            Some(_) => {
                Err(Error::invalid("device", "must be the device that requests the forward"))
            }
        }
    }
}
