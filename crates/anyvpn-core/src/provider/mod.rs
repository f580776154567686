//! The traits that all providers share and applications use.

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
/// For something that a provider cannot do, the accessor returns `None`, and [`Capabilities`] says why.
/// Implementations can be shared between tasks, and dropping the future of any method leaves them
/// usable.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// Returns the description of the provider: its name, operations and capabilities.
    fn info(&self) -> &'static ProviderInfo;

    /// Runs one of the provider's own operations with a JSON object of its fields. The name is as in
    /// [`ProviderInfo::operations`], without the provider's part.
    ///
    /// Secrets in the result are `"[redacted]"` unless `reveal` is true.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for an unknown operation, or for an input that does not match it; otherwise as
    /// the operation itself.
    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        let _ = (input, reveal);
        Err(self.info().unknown_operation(operation))
    }

    /// Returns the trait for obtaining a credential from what a person knows, such as a password.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }

    /// Returns the trait for revoking a credential.
    fn sign_out(&self) -> Option<&dyn SignOut> {
        None
    }

    /// Returns the trait for creating accounts, if anyone may.
    fn sign_up(&self) -> Option<&dyn SignUp> {
        None
    }

    /// Returns the trait for the account to which the credentials belong.
    fn accounts(&self) -> Option<&dyn Accounts> {
        None
    }

    /// Returns the trait for a reseller's customers.
    fn customers(&self) -> Option<&dyn Customers> {
        None
    }

    /// Returns the trait for ports of the VPN server that lead to this machine.
    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        None
    }

    /// Returns the trait for servers and their configurations.
    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        None
    }
}
