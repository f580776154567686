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
//! A port is open for TCP, UDP or both with the same number, as long as it is renewed. The setting
//! `form` determines who chooses the numbers:
//!
//! - `symmetric` (default): the gateway chooses one number for both sides, as at Proton VPN. The
//!   program on this machine listens on that number.
//! - `plain`: the caller chooses this machine's port ([`NewPortForward::local_port`]), and the
//!   gateway's number may differ, as in RFC 6886.
//!
//! The address of the gateway and everything else are settings: see [`NatPmp::open`]. The module
//! [`wire`] implements the protocol itself.
//!
//! # Guarantees
//!
//! - Only a reply from the gateway to the current request counts.
//! - Requests are retried as in the RFC: up to nine attempts, the first retry after 250 ms, with the delay
//!   doubled each time, within [`Limits::call`](anyvpn_core::Limits::call). Only one request is sent at a time.
//! - If a gateway has lost its mappings, its clock shows it, and all forwards in the program's
//!   [`LeaseStore`](anyvpn_core::LeaseStore) are renewed within seconds.
//! - TCP and UDP have the same number. If the gateway cannot do that, the mappings are deleted again.
//! - No input makes the parser panic. It is fuzzed.
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

/// Who chooses the internal and the external port of a forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The gateway chooses one number for both.
    Symmetric,
    /// This machine chooses the internal port, and the gateway the external one.
    Plain,
}

/// NAT-PMP at one gateway. It is cheap to clone. All clones share their knowledge of the gateway, and only
/// one of them sends at a time.
#[derive(Clone)]
pub struct NatPmp(Arc<Inner>);

impl NatPmp {
    /// Reads the gateway's public address. It can differ from the one that other hosts see.
    ///
    /// # Errors
    ///
    /// `NoService` if the gateway does not support NAT-PMP, `Timeout` if it does not reply, `Unreachable`
    /// if there is no route to it, and otherwise the kind for the gateway's result code.
    pub async fn address(&self) -> Result<Ipv4Addr, Error> {
        self.0.session().await?.address().await.map(|(address, _)| address)
    }

    /// Sends one request for a mapping or its deletion. Stores nothing and renews nothing.
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
