//! An example: a whole provider for Acme, a VPN that does not exist.
//!
//! ```no_run
//! use acme_vpn::Acme;
//! use acme_vpn::ops::ListServers;
//!
//! # async fn example(token: String) -> Result<(), anyvpn_core::Error> {
//! let acme = Acme::builder().token(token).build()?;
//! for server in acme.client().call(ListServers {}).await? {
//!     println!("{} in {}", server.id, server.city);
//! }
//! # Ok(())
//! # }
//! ```

mod dialect;
mod driver;
mod neutral;
pub mod ops;

use anyvpn_core::{Accounts, Error, Provider, ProviderInfo, ServerConfigs};
use anyvpn_http::{Client, ClientBuilder};
use async_trait::async_trait;
pub use dialect::Dialect;
pub use driver::{AcmeDriver, CAPABILITIES, INFO};

/// Where Acme answers.
pub const BASE_URL: &str = "https://api.acme.example";

/// Acme. Cheap to clone; all clones share connections.
#[derive(Clone, Debug)]
pub struct Acme(Client<Dialect>);

impl Acme {
    /// Begins a client of <https://api.acme.example>.
    #[must_use]
    pub fn builder() -> ClientBuilder<Dialect> {
        Client::builder(BASE_URL)
    }

    /// The client, which does any operation of [`ops`].
    #[must_use]
    pub fn client(&self) -> &Client<Dialect> {
        &self.0
    }
}

impl From<Client<Dialect>> for Acme {
    fn from(client: Client<Dialect>) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Provider for Acme {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        ops::call_by_name(self.client(), operation, input, reveal).await
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        Some(self)
    }
}
