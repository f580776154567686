//! Implements the neutral trait for forwards: with one number for both protocols, renewed, and listed from
//! the store.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyvpn_core::{
    Advice, Error, ErrorKind, Lease, Leftover, LeftoverKind, ListPortForwards, NewPortForward,
    PortForward, PortForwards, PortProtocols, Timestamp,
};
use async_trait::async_trait;

use crate::client::{Inner, Mapping, SENDS, Session};
use crate::wire::{MapProtocol, MapRequest};
use crate::{Form, NatPmp};

/// The number of attempts with Proton VPN's first form before the older one is tried: 3.75 s. The
/// gateway has just answered a request for its address, so we know that it can be reached.
const FIRST_FORM_SENDS: u32 = 4;
/// The number of attempts to delete a mapping if nothing depends on it. It expires by itself soon.
const UNDO_SENDS: u32 = 2;
/// The maximum delay in milliseconds before lost mappings are renewed. It is random, so that many machines
/// do not send at the same time.
const RESET_WAIT: u64 = 5000;

#[async_trait]
impl PortForwards for NatPmp {
    fn lease(&self) -> Lease {
        // 45 s of 60 s, as Proton VPN advises.
        Lease::KeptAlive { every: Duration::from_secs(self.inner().lifetime.into()) * 3 / 4 }
    }

    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error> {
        Ok(None)
    }

    async fn create_port_forward(&self, new: NewPortForward) -> Result<PortForward, Error> {
        let inner = self.inner();
        let mut wish = Wish::new(&new, inner)?;
        let mut session = inner.session().await?;
        let (address, _) = session.address().await?;
        let own = session.own().await?;
        let had = own.iter().find(|own| wish.number == Some(own.port));
        if let Some(had) = had.filter(|had| had.protocols == wish.protocols) {
            wish.local = Some(had.local_port);
        }
        let mut made = session.obtain(&wish).await?;
        made.address = Some(address.into());
        session.keep(None, made).await
    }

    async fn renew_port_forward(&self, port: &PortForward) -> Result<PortForward, Error> {
        check_device(port.device)?;
        let inner = self.inner();
        let left = port.expires_at.map(|end| end.duration_since(inner.clock.now()).as_secs());
        let left = left.and_then(|left| u32::try_from(left).ok()).unwrap_or_default();
        let wish = Wish {
            protocols: port.protocols,
            number: Some(port.port),
            local: Some(port.local_port),
            // A longer lifetime that the caller requested is not shortened.
            lifetime: inner.lifetime.max(left),
        };
        let mut session = inner.session().await?;
        let mut renewed = session.obtain(&wish).await?;
        renewed.address = port.address;
        session.keep(Some(port.port), renewed).await
    }

    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error> {
        check_device(port.device)?;
        let mut session = self.inner().session().await?;
        let own = session.own().await?;
        let port = own.iter().find(|own| own.port == port.port).unwrap_or(port);
        // The gateway identifies the mapping by this machine's port, not by the gateway's port.
        let same =
            |other: &&PortForward| other.local_port == port.local_port && other.port != port.port;
        if let Some(other) = own.iter().find(same) {
            return Err(Error::new(ErrorKind::NotFound).with_detail(format!(
                "port {} is lost; this machine's port {} now has the number {}",
                port.port, port.local_port, other.port
            )));
        }
        for protocol in protocols(port.protocols)? {
            session.map(end_of(*protocol, port.local_port), SENDS).await?;
        }
        let place = Inner::place(session.gateway);
        self.inner().leases.remove(&place, port.port).await?;
        session.renew_lost(0).await;
        Ok(())
    }

    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        Some(self)
    }
}

#[async_trait]
impl ListPortForwards for NatPmp {
    async fn list_port_forwards(
        &self,
        device: Option<Ipv4Addr>,
    ) -> Result<Vec<PortForward>, Error> {
        check_device(device)?;
        let inner = self.inner();
        inner.leases.list(&Inner::place(inner.gateway.find()?), inner.clock.now()).await
    }
}

/// A forward to request.
struct Wish {
    protocols: PortProtocols,
    number: Option<u16>,
    local: Option<u16>,
    lifetime: u32,
}

impl Wish {
    fn new(new: &NewPortForward, inner: &Inner) -> Result<Self, Error> {
        check_device(new.device)?;
        protocols(new.protocols)?;
        if new.hidden {
            return Err(Error::invalid("hidden", "is not supported: there is no public list"));
        }
        if new.wished_port == Some(0) || new.local_port == Some(0) {
            return Err(Error::invalid("wished_port", "a port is from 1 to 65535"));
        }
        if inner.form == Form::Symmetric
            && new.local_port.is_some_and(|local| new.wished_port != Some(local))
        {
            let why = "must equal the gateway's number; only with the form plain can it differ";
            return Err(Error::invalid("local_port", why));
        }
        let lifetime = match new.lifetime {
            None => inner.lifetime,
            Some(time) => {
                u32::try_from(time.as_secs()).ok().filter(|time| *time > 0).ok_or_else(|| {
                    Error::invalid("lifetime", format!("must be from 1 s to {} s", u32::MAX))
                })?
            }
        };
        let NewPortForward { protocols, wished_port: number, local_port: local, .. } = *new;
        Ok(Self { protocols, number, local, lifetime })
    }
}

/// What a gateway granted for a forward, for each of its protocols.
struct Granted {
    number: u16,
    local: u16,
    lifetime: Duration,
    asked_at: Timestamp,
}

impl Session<'_> {
    /// Reads the forwards of this machine at this gateway.
    async fn own(&self) -> Result<Vec<PortForward>, Error> {
        let Inner { leases, clock, .. } = self.inner;
        leases.list(&Inner::place(self.gateway), clock.now()).await
    }

    /// Stores a forward that was created or renewed.
    async fn keep(&mut self, old: Option<u16>, made: PortForward) -> Result<PortForward, Error> {
        let place = Inner::place(self.gateway);
        self.inner.leases.put(&place, old, &made).await.map_err(|error| {
            error.with_leftover(Leftover::new(LeftoverKind::PortForward, made.port.to_string()))
        })?;
        self.renew_lost(made.port).await;
        Ok(made)
    }

    /// Renews the forwards that a restarted gateway has lost, except the one that has just been renewed.
    /// A failure shows at the next renewal of that forward.
    async fn renew_lost(&mut self, renewed: u16) {
        if !std::mem::take(&mut self.state.has_reset) {
            return;
        }
        let wait = Duration::from_millis(self.state.random.below(RESET_WAIT));
        self.inner.clock.sleep(wait).await;
        let place = Inner::place(self.gateway);
        for lost in self.own().await.unwrap_or_default() {
            let wish = Wish {
                protocols: lost.protocols,
                number: Some(lost.port),
                local: Some(lost.local_port),
                lifetime: self.inner.lifetime,
            };
            if lost.port != renewed
                && let Ok(mut again) = self.obtain(&wish).await
            {
                again.address = lost.address;
                let _ = self.inner.leases.put(&place, Some(lost.port), &again).await;
            }
        }
        self.state.has_reset = false;
    }

    /// Requests a forward in the gateway's form.
    async fn obtain(&mut self, wish: &Wish) -> Result<PortForward, Error> {
        let granted = match self.inner.form {
            Form::Symmetric => self.symmetric(wish).await?,
            Form::Plain => {
                let drawn = || 49_152 + self.state.random.below(16_384) as u16;
                let local = wish.local.or(wish.number).unwrap_or_else(drawn);
                let any = if wish.local.is_some() { 0 } else { local };
                self.ask(wish, local, wish.number.unwrap_or(any), SENDS).await?
            }
        };
        let mut forward = PortForward::new(granted.number);
        forward.protocols = wish.protocols;
        forward.local_port = granted.local;
        forward.expires_at =
            Some(granted.asked_at.checked_add(granted.lifetime).unwrap_or(Timestamp::MAX));
        Ok(forward)
    }

    /// Requests the same number on both sides: first the previous one, then any number in the form that
    /// Proton VPN documents, and finally in the form that its own program sends.
    async fn symmetric(&mut self, wish: &Wish) -> Result<Granted, Error> {
        if let Some(number) = wish.number {
            match self.ask(wish, number, number, SENDS).await {
                Ok(granted) if granted.local == granted.number => return Ok(granted),
                Ok(granted) => {
                    let mapped = protocols(wish.protocols)?.iter();
                    let mapped: Vec<_> = mapped.map(|it| (*it, granted.local)).collect();
                    self.undo(&mapped).await;
                }
                Err(error) if error.kind() == ErrorKind::Refused => {}
                Err(error) => return Err(error),
            }
        }
        match self.ask(wish, 0, 1, FIRST_FORM_SENDS).await {
            Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Timeout) => {
                self.ask(wish, 0, 0, SENDS).await
            }
            asked => asked,
        }
    }

    /// Requests a mapping for each protocol. Either all of them get the same number, or nothing stays
    /// mapped.
    async fn ask(
        &mut self,
        wish: &Wish,
        internal_port: u16,
        external_port: u16,
        sends: u32,
    ) -> Result<Granted, Error> {
        let mut granted: Option<Granted> = None;
        // The mappings that may exist, by this machine's port.
        let mut mapped = Vec::new();
        for &protocol in protocols(wish.protocols)? {
            let lifetime = wish.lifetime;
            let request = MapRequest { protocol, internal_port, external_port, lifetime };
            let error = match (self.map(request, sends).await.map(Granted::of), &mut granted) {
                (Ok(next), None) => {
                    mapped.push((protocol, next.local));
                    granted = Some(next);
                    continue;
                }
                (Ok(next), Some(first)) => {
                    mapped.push((protocol, next.local));
                    if (first.number, first.local) == (next.number, next.local) {
                        first.lifetime = first.lifetime.min(next.lifetime);
                        continue;
                    }
                    Error::new(ErrorKind::Refused).with_detail(format!(
                        "UDP got the number {} and TCP {}, but a forward has one number",
                        first.number, next.number
                    ))
                }
                (Err(error), None) => return Err(error),
                (Err(error), Some(first)) => {
                    if error.advice() == Advice::ReadBack {
                        mapped.push((protocol, first.local));
                    }
                    error
                }
            };
            let number = granted.map(|granted| granted.number).unwrap_or_default();
            return Err(match self.undo(&mapped).await {
                true => error,
                false => error
                    .with_leftover(Leftover::new(LeftoverKind::PortForward, number.to_string())),
            });
        }
        granted.ok_or_else(|| Error::invalid("protocols", "must include TCP or UDP"))
    }

    /// Deletes mappings, and returns whether the gateway has confirmed this for all of them.
    async fn undo(&mut self, mapped: &[(MapProtocol, u16)]) -> bool {
        let mut is_confirmed = true;
        for (protocol, local) in mapped {
            is_confirmed &= self.map(end_of(*protocol, *local), UNDO_SENDS).await.is_ok();
        }
        is_confirmed
    }
}

impl Granted {
    fn of(mapping: Mapping) -> Self {
        let Mapping { internal_port, external_port: number, lifetime, asked_at, .. } = mapping;
        // Proton VPN's gateways echo the requested internal port 0, which stands for the external port.
        let local = if internal_port == 0 { number } else { internal_port };
        Self { number, local, lifetime, asked_at }
    }
}

/// Returns the request that deletes a mapping.
fn end_of(protocol: MapProtocol, internal_port: u16) -> MapRequest {
    MapRequest { protocol, internal_port, external_port: 0, lifetime: 0 }
}

fn protocols(protocols: PortProtocols) -> Result<&'static [MapProtocol], Error> {
    match protocols {
        PortProtocols::Both => Ok(&[MapProtocol::Udp, MapProtocol::Tcp]),
        PortProtocols::Udp => Ok(&[MapProtocol::Udp]),
        PortProtocols::Tcp => Ok(&[MapProtocol::Tcp]),
        _ => Err(Error::invalid("protocols", "NAT-PMP maps TCP and UDP")),
    }
}

fn check_device(device: Option<Ipv4Addr>) -> Result<(), Error> {
    match device {
        None => Ok(()),
        Some(_) => Err(Error::invalid("device", "must be the device that requests the forward")),
    }
}
