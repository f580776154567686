//! rTorrent 0.9.8 and later, through XML-RPC.
//!
//! From 0.16.18, it moves its socket by itself. Up to 0.9.8, it reopens the socket when its address is
//! set, even to the same value. The versions in between can do neither.

use std::sync::Arc;

use anyvpn_core::{Clock, Error};
use async_trait::async_trait;

use super::ClientSettings;
use super::port_setter::{ClientApi, Reading, Wish};
use super::scgi::{Outcome, Param, ScgiSocket};
use crate::ClientError;

/// The fault code for an unknown method.
const NO_METHOD: i64 = -506;

struct RTorrent {
    socket: ScgiSocket,
}

pub(super) fn open(
    settings: &ClientSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn ClientApi>, Error> {
    if settings.username.is_some() || settings.password.is_some() || settings.api_key.is_some() {
        return Err(Error::invalid(
            "password",
            "rTorrent's socket has no sign-in; omit the user name, password and API key",
        ));
    }
    Ok(Box::new(RTorrent { socket: ScgiSocket::new(&settings.address, clock)? }))
}

impl RTorrent {
    /// Calls a method and returns its value.
    async fn call(&self, method: &str, params: &[Param]) -> Result<String, ClientError> {
        match self.socket.call(method, params).await? {
            Outcome::Value(value) => Ok(value),
            Outcome::Fault(code, why) => {
                Err(ClientError::Unexpected(format!("{method}: fault {code}: {why}")))
            }
        }
    }

    async fn port(&self) -> Result<u16, ClientError> {
        let port = self.call("network.listen.port", &["".into()]).await?;
        // A value that is not a port only shows that it is not the wanted one.
        Ok(port.trim().parse().unwrap_or_default())
    }

    async fn bind(&self, address: &str) -> Result<(), ClientError> {
        self.call("network.bind_address.set", &["".into(), address.into()]).await.map(drop)
    }

    /// Sets the port range and reopens the socket, which works up to 0.9.8.
    async fn reopen(&self, port: u16, address: &str) -> Result<(), ClientError> {
        let range = format!("{port}-{port}");
        self.call("network.port_random.set", &["".into(), 0_u16.into()]).await?;
        self.call("network.port_range.set", &["".into(), range.as_str().into()]).await?;
        self.bind(address).await?;
        if self.port().await? == port {
            return Ok(());
        }
        Err(ClientError::Unable(format!(
            "this version of rTorrent opens another port only when it starts: write network.port_range.set \
             = {range} into its configuration and restart it"
        )))
    }
}

#[async_trait]
impl ClientApi for RTorrent {
    async fn read(&self) -> Result<Reading, ClientError> {
        let version = self.call("system.client_version", &[]).await?;
        let port = self.port().await?;
        Ok(Reading {
            version: Some(version.chars().take(40).collect()),
            port,
            announced: port,
            listening: None,
            // rTorrent has no uTP. Its UDP socket belongs to the DHT.
            has_udp: false,
            reached: None,
        })
    }

    async fn write(&self, wish: &Wish<'_>) -> Result<(), ClientError> {
        let bound = wish.bind.and_then(|tunnel| tunnel.addresses.first()).map(ToString::to_string);
        let params = ["".into(), wish.port.into()];
        match (self.socket.call("network.listen.port.set", &params).await?, bound) {
            (Outcome::Value(_), Some(address)) => self.bind(&address).await,
            (Outcome::Value(_), None) => Ok(()),
            (Outcome::Fault(NO_METHOD, _), Some(address)) => self.reopen(wish.port, &address).await,
            (Outcome::Fault(NO_METHOD, _), None) => {
                let address = self.call("network.bind_address", &["".into()]).await?;
                // rTorrent refuses to be set to the empty value, with which it starts.
                let address = if address.is_empty() { "0.0.0.0" } else { &address };
                self.reopen(wish.port, address).await
            }
            (Outcome::Fault(code, why), _) => Err(ClientError::Unexpected(format!(
                "network.listen.port.set: fault {code}: {why}"
            ))),
        }
    }

    async fn announce(&self) -> Result<(), ClientError> {
        let params = ["", "main", "d.tracker_announce="].map(Param::from);
        self.call("d.multicall2", &params).await.map(drop)
    }
}
