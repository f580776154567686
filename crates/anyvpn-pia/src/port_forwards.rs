//! Implements port forwards, which must be requested from inside the tunnel.
//!
//! A port is reserved for two months by a payload that the server signs. Sending the payload and
//! signature to the tunnel's server opens the port, and it stays open as long as they are sent again.
//! We store them, so that the port stays the same after a reconnect and on another server.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyvpn_core::{
    DAY, Error, ErrorKind, Lease, Leftover, LeftoverKind, ListPortForwards, NewPortForward,
    PortForward, PortForwards, PortProtocols, Secret, Timestamp,
};
use anyvpn_http::{Client, Operation as _};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::ops::{BindPort, GetSignature, PortSignature};
use crate::{Dialect, Pia};

/// The interval at which the vendor's script renews the port.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// How long a server keeps the port open, as observed.
const LIFE: Duration = Duration::from_secs(20 * 60);
/// A stored port that expires sooner is replaced, as in the vendor's application.
const LEAST: Duration = DAY.saturating_mul(7);
/// The reservation time according to the vendor's script, for payloads that do not state it.
const RESERVED: Duration = DAY.saturating_mul(60);

#[async_trait]
impl PortForwards for Pia {
    fn lease(&self) -> Lease {
        Lease::KeptAlive { every: EVERY }
    }

    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error> {
        Ok(None)
    }

    /// Opens the stored port if it is valid for at least 7 more days. Otherwise, or if the server refuses it,
    /// reserves a new port, which replaces it. A requested number is only available if it is stored.
    async fn create_port_forward(&self, new: NewPortForward) -> Result<PortForward, Error> {
        check(&new)?;
        let ports = self.at_gateway()?;
        let now = self.client().clock().now();
        let stored = self.leases().list(&self.place(), now).await?;
        let lasts = |port: &PortForward| port.ends_at.is_none_or(|end| left(end, now) >= LEAST);
        let wished = stored.iter().find(|port| new.wished_port == Some(port.port));
        let stored = wished.or(stored.first()).cloned();
        if let Some(stored) = stored.as_ref().filter(|port| lasts(port)) {
            match self.bind(&ports, stored).await {
                // The port is no longer valid, or another tunnel of this server has it.
                Err(error) if is_lost(&error) => {}
                bound => return bound,
            }
        }
        let reserved = reserved(ports.call(GetSignature {}).await?, now)?;
        // Store it before it is opened, so that it is not lost if opening fails.
        self.store(stored.map(|old| old.port), &reserved).await?;
        self.bind(&ports, &reserved).await
    }

    async fn renew_port_forward(&self, port: &PortForward) -> Result<PortForward, Error> {
        let mut port = port.clone();
        if port.ticket.is_none() {
            let now = self.client().clock().now();
            let stored = self.leases().list(&self.place(), now).await?;
            port =
                stored.into_iter().find(|it| it.port == port.port).ok_or_else(|| unknown(&port))?;
        }
        self.bind(&self.at_gateway()?, &port).await
    }

    /// Deletes the stored port. There is no call to close it; the server closes it if it is not
    /// renewed.
    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error> {
        let now = self.client().clock().now();
        let stored = self.leases().list(&self.place(), now).await?;
        if stored.iter().all(|it| it.port != port.port) {
            return Err(unknown(port));
        }
        self.leases().remove(&self.place(), port.port).await
    }

    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        Some(self)
    }
}

#[async_trait]
impl ListPortForwards for Pia {
    async fn list_port_forwards(
        &self,
        device: Option<Ipv4Addr>,
    ) -> Result<Vec<PortForward>, Error> {
        if device.is_some() {
            return Err(of_whoever_asks());
        }
        self.leases().list(&self.place(), self.client().clock().now()).await
    }
}

impl Pia {
    /// Returns the name under which this provider's forwards are stored.
    fn place(&self) -> String {
        let url = self.client().base_url();
        format!("pia-{}", url.split_once("://").map_or(url, |(_, place)| place))
    }

    /// Opens or renews a reserved port, and stores its expiry.
    async fn bind(&self, at: &Client<Dialect>, port: &PortForward) -> Result<PortForward, Error> {
        let ticket = port.ticket.as_ref().and_then(|ticket| ticket.expose().split_once('\n'));
        let Some((payload, signature)) = ticket else {
            return Err(Error::invalid("ticket", "is not one of PIA's"));
        };
        at.call(BindPort { payload: payload.into(), signature: signature.into() }).await?;
        let mut bound = port.clone();
        let end = at.clock().now().checked_add(LIFE).unwrap_or(Timestamp::MAX);
        bound.expires_at = Some(bound.ends_at.map_or(end, |last| last.min(end)));
        self.store(None, &bound).await?;
        Ok(bound)
    }

    /// Stores a forward and replaces the one with the number `old`. A failure names the forward as a
    /// leftover.
    async fn store(&self, old: Option<u16>, port: &PortForward) -> Result<(), Error> {
        self.leases().put(&self.place(), old, port).await.map_err(|error| {
            let left = Leftover::new(LeftoverKind::PortForward, port.port.to_string());
            error.with_leftover(match &port.ticket {
                Some(ticket) => left.with_text(ticket.clone()),
                None => left,
            })
        })
    }
}

fn check(new: &NewPortForward) -> Result<(), Error> {
    if new.device.is_some() {
        return Err(of_whoever_asks());
    }
    if new.protocols != PortProtocols::Both {
        return Err(Error::invalid("protocols", "PIA forwards TCP and UDP together"));
    }
    if new.local_port.is_some_and(|port| new.wished_port != Some(port)) {
        return Err(Error::invalid(
            "local_port",
            "PIA forwards a port to the same port number on this machine",
        ));
    }
    if new.lifetime.is_some() {
        return Err(Error::invalid(
            "lifetime",
            "PIA's ports stay open as long as they are renewed",
        ));
    }
    if new.hidden {
        return Err(Error::invalid("hidden", "only this machine lists PIA's ports"));
    }
    Ok(())
}

fn of_whoever_asks() -> Error {
    Error::invalid("device", "PIA forwards a port to the device that requests it")
}

fn unknown(port: &PortForward) -> Error {
    let detail = format!("this machine has not stored a PIA port {}", port.port);
    Error::new(ErrorKind::NotFound).with_detail(detail)
}

/// Returns whether an error means that the reserved port is not available, at least on this server.
fn is_lost(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::CapacityReached)
}

fn left(end: Timestamp, now: Timestamp) -> Duration {
    // The remaining time is negative after the expiry.
    Duration::try_from(end.duration_since(now)).unwrap_or_default()
}

/// The content of a payload.
#[derive(Deserialize)]
struct Payload {
    port: u16,
    /// Missing in the vendor's own sample.
    expires_at: Option<Timestamp>,
}

/// Returns the forward of a payload and its signature. The pair itself is preserved byte for byte.
fn reserved(pair: PortSignature, now: Timestamp) -> Result<PortForward, Error> {
    let PortSignature { payload, signature } = pair;
    let read = STANDARD.decode(payload.expose()).ok();
    let read = read.and_then(|json| serde_json::from_slice::<Payload>(&json).ok());
    let Some(Payload { port, expires_at }) = read.filter(|read| read.port > 0) else {
        return Err(Error::new(ErrorKind::UnexpectedReply)
            .with_operation(GetSignature::ID)
            .with_detail("the payload does not contain a port"));
    };
    let mut forward = PortForward::new(port);
    forward.ends_at = expires_at.or_else(|| now.checked_add(RESERVED).ok());
    let ticket = [payload.expose(), "\n", signature.expose()].concat();
    forward.ticket = Some(Secret::from(ticket));
    Ok(forward)
}
