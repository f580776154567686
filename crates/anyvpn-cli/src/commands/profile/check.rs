//! Tests a profile with a call that changes nothing.

use anyvpn::{Error, ErrorKind, Provider, Settings};
use futures_util::TryStreamExt as _;

use crate::provider_settings::secrets;

/// An address that cannot belong to a customer, because `.invalid` is reserved.
const NOBODY: &str = "nobody@anyvpn.invalid";

/// Tests the settings with a call, and returns the command that makes this call. `None` if no call is
/// possible without signing in.
pub async fn check(
    provider: &dyn Provider,
    settings: &Settings,
) -> Result<Option<&'static str>, Error> {
    let signed_in = secrets(provider.info()).any(|setting| settings.get(setting.key).is_some());
    let called = if !signed_in {
        match provider.server_configs() {
            Some(configs) => configs.servers().try_next().await.map(|_| "server list"),
            None => return Ok(None),
        }
    } else if let Some(customers) = provider.customers() {
        customers.find_customer(NOBODY).await.map(|_| "customer find")
    } else if let Some(accounts) = provider.accounts() {
        accounts.account().await.map(|_| "account show")
    } else {
        return Ok(None);
    };
    match called {
        Ok(name) => Ok(Some(name)),
        // The credentials are missing, or they do not permit this call.
        Err(error) if error.fields().contains_key("credential") => Ok(None),
        Err(error) if !signed_in && error.kind() == ErrorKind::Unauthorized => Ok(None),
        Err(error) => Err(error),
    }
}
