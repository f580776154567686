//! Forwarded ports by NAT-PMP (RFC 6886), as Proton VPN and other VPN gateways offer them.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use anyvpn_natpmp::{Context, NatPmp, NewPortForward, PortForwards, Settings};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let settings = Settings::new().with("gateway", "10.2.0.1");
//!     let natpmp = NatPmp::open(&settings, &Context::default())?;
//!     let mut port = natpmp.create_port_forward(NewPortForward::new()).await?;
//!     loop {
//!         println!("{} until {:?}", port.port, port.expires_at);
//!         tokio::time::sleep(Duration::from_secs(30)).await;
//!         // It may have another number now.
//!         port = natpmp.renew_port_forward(&port).await?;
//!     }
//! }
//! ```
//!
//! A port is open for TCP and UDP on one number, or for one of them, and for as long as it is renewed.
//! The setting `form` says who chooses the numbers:
//!
//! - `symmetric` (default): the gateway chooses one number for both sides, as at Proton VPN. The
//!   program on this machine listens on that number.
//! - `plain`: this machine's port is the caller's choice ([`NewPortForward::local_port`]), and the
//!   gateway's number may be another one, as RFC 6886 has it.
//!
//! Where the gateway is, and what else there is to say, are settings: see [`NatPmp::open`]. [`wire`]
//! has the protocol itself.
//!
//! # Guarantees
//!
//! - Only a reply of the gateway that was asked counts, and only to the request that is under way.
//! - Requests are sent as the RFC has it: nine times, after 250 ms and then twice as late each time,
//!   one request at a time; within [`Limits::call`](anyvpn_core::Limits::call).
//! - A gateway that has lost its mappings is noticed by its clock, and all forwards of the program's
//!   [`LeaseStore`](anyvpn_core::LeaseStore) are renewed within seconds.
//! - TCP and UDP have one number, or there is no forward: what was mapped of it is ended.
//! - No bytes make the reader panic: it is fuzzed.
//!
//! # Features
//!
//! - `serde`: the neutral values can be serialized.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod driver;
mod epoch;
mod gateway;
mod operations;
mod port_forwards;
pub mod wire;

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

pub use anyvpn_core::{
    Advice, Context, Driver, Error, ErrorKind, Lease, Leftover, LeftoverKind, ListPortForwards,
    NewPortForward, PortForward, PortForwards, PortProtocols, Provider, ProviderInfo, Settings,
};
use async_trait::async_trait;
pub use client::Mapping;
use client::{Inner, SENDS};
pub use driver::{CAPABILITIES, INFO, NatPmpDriver};
pub use operations::OPERATIONS;

/// Who chooses the numbers of a forward's two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The gateway, and they are the same.
    Symmetric,
    /// This machine chooses its own, and the gateway its own.
    Plain,
}

/// NAT-PMP at one gateway. Cheap to clone; all clones share what they know of the gateway, and take
/// turns.
#[derive(Clone)]
pub struct NatPmp(Arc<Inner>);

impl NatPmp {
    /// Reads the gateway's public address. It can differ from the one that others see.
    ///
    /// # Errors
    ///
    /// `NoService` where there is no NAT-PMP; `Timeout` without a reply; `Unreachable` without a way
    /// to the gateway; else by the gateway's result.
    pub async fn address(&self) -> Result<Ipv4Addr, Error> {
        self.0.session().await?.address().await.map(|(address, _)| address)
    }

    /// Makes one request for a mapping, or for its end. Nothing is stored and nothing renewed.
    ///
    /// # Errors
    ///
    /// As [`Self::address`].
    pub async fn map(&self, request: wire::MapRequest) -> Result<Mapping, Error> {
        self.0.session().await?.map(request, SENDS).await
    }

    fn inner(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for NatPmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { gateway, form, lifetime, .. } = self.inner();
        f.debug_struct("NatPmp")
            .field("gateway", gateway)
            .field("form", form)
            .field("lifetime", lifetime)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for NatPmp {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        _reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        operations::call(self, operation, input).await
    }

    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        Some(self)
    }
}
