//! One harmless call that tells whether a profile's answers are good.

use anyvpn::{Error, ErrorKind, Provider, Settings};
use futures_util::TryStreamExt as _;

use crate::provider_settings::secrets;

/// Nobody's address: `.invalid` never exists.
const NOBODY: &str = "nobody@anyvpn.invalid";

/// Makes the call, and says which; `None` when nothing can be called without signing in.
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
        // There is no proof yet, or none that can read.
        Err(error) if error.fields().contains_key("credential") => Ok(None),
        Err(error) if !signed_in && error.kind() == ErrorKind::Unauthorized => Ok(None),
        Err(error) => Err(error),
    }
}
