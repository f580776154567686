//! The profiles of a fleet: each order names its own.

use std::sync::Arc;

use anyvpn::{Ability, Limits, Provider, ProviderInfo, Settings};

use super::Context;
use crate::failure::Failure;

impl Context {
    /// Opens a provider with these limits of a call. Sends nothing.
    pub async fn open_within(
        &self,
        info: &'static ProviderInfo,
        limits: Limits,
    ) -> Result<Arc<dyn Provider>, Failure> {
        let settings = self.signed_in(info, true).await?;
        let context = anyvpn::Context::default().with_observer(self.observer()).with_limits(limits);
        Ok(self.registry.open_with(info.name, &settings, &context)?)
    }

    /// Returns the context of another profile, or of the provider of that name if no profile has the name.
    pub fn for_profile(&self, name: &str) -> Result<Self, Failure> {
        let is_profile = self.file()?.get(name).is_some();
        let provider = self.registry.info(name).ok().filter(|_| !is_profile);
        let profile = provider.is_none().then(|| name.to_owned());
        Ok(Self { profile, provider, typed: Settings::new(), ..self.renewed() })
    }

    /// Returns the name of the profile in use, or of the provider if there is no profile.
    pub fn fleet_profile(&self) -> Result<String, Failure> {
        if let Some(name) = self.named_profile() {
            return Ok(name);
        }
        let info = self.provider_with(Ability::Customers)?;
        let default = self.default_entry()?.filter(|entry| entry.provider.name == info.name);
        Ok(default.map_or_else(|| info.name.to_owned(), |entry| entry.name.clone()))
    }
}
