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
mod neutral;
pub mod ops;

use anyvpn_core::{Accounts, Capabilities, Capability, Provider, ServerConfigs};
use anyvpn_http::{Client, ClientBuilder};
pub use dialect::Dialect;

/// What Acme can do.
pub static CAPABILITIES: Capabilities = Capabilities {
    accounts: Capability::Can,
    account_admin: cannot("accounts are made on the website only"),
    port_forwards: cannot("the servers forward no ports"),
    server_configs: Capability::Can,
    wireguard: Capability::Can,
    openvpn: cannot("the servers speak WireGuard only"),
};

const fn cannot(why: &'static str) -> Capability {
    Capability::Cannot { why, link: "https://acme.example/api" }
}

/// Acme. Cheap to clone; all clones share connections.
#[derive(Clone, Debug)]
pub struct Acme(Client<Dialect>);

impl Acme {
    /// Begins a client of <https://api.acme.example>.
    #[must_use]
    pub fn builder() -> ClientBuilder<Dialect> {
        Client::builder("https://api.acme.example")
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

impl Provider for Acme {
    fn name(&self) -> &'static str {
        "acme"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        Some(self)
    }
}
