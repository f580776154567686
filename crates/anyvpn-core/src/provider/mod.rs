//! What the providers have in common: the traits that applications use.

mod accounts;
mod capabilities;
mod customers;
mod port_forwards;
mod server_configs;
mod sign_in;

use std::fmt;

pub use accounts::{Account, Accounts, ChangePassword, CloseAccount, Service, Status};
use async_trait::async_trait;
pub use capabilities::{Ability, Capabilities, Capability};
pub use customers::{
    ChangePlan, CreatedCustomer, Customer, CustomerEnd, Customers, EndCustomers, ListCustomers,
    NewCustomer, Plan, SuspendCustomers,
};
pub use port_forwards::{
    CheckPort, Lease, ListPortForwards, NewPortForward, PortCheck, PortForward, PortForwards,
    PortProtocols,
};
pub use server_configs::{
    Config, ConfigRequest, ObtainedConfig, Protocol, Rotated, Server, ServerConfig, ServerConfigs,
};
pub use sign_in::{Credential, NewAccount, SignIn, SignOut, SignUp};

use crate::{Error, ProviderInfo};

/// One provider, signed in or not.
///
/// What a provider cannot do is not there to call: the accessor gives `None`, and
/// [`Capabilities`] says why. Implementations can be shared between tasks, and dropping the future
/// of any method leaves them usable.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// Returns the description of the provider: its name, operations and capabilities.
    fn info(&self) -> &'static ProviderInfo;

    /// Does one of the provider's own operations, named as in [`ProviderInfo::operations`] without
    /// the provider's part, with a JSON object of its fields.
    ///
    /// Secrets in the result are `"[redacted]"` unless `reveal` is true.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for an unknown operation and for an input that does not fit it; else as the
    /// operation itself.
    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        let _ = (input, reveal);
        Err(self.info().unknown_operation(operation))
    }

    /// Making a credential of what a person knows.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }

    /// Ending a credential.
    fn sign_out(&self) -> Option<&dyn SignOut> {
        None
    }

    /// Creating accounts, where anyone may.
    fn sign_up(&self) -> Option<&dyn SignUp> {
        None
    }

    /// The account behind the credentials.
    fn accounts(&self) -> Option<&dyn Accounts> {
        None
    }

    /// A reseller's customers.
    fn customers(&self) -> Option<&dyn Customers> {
        None
    }

    /// Ports of the VPN server that lead to this machine.
    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        None
    }

    /// Servers, and configurations for them.
    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        None
    }
}
