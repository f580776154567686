//! The profiles of a fleet: each order names its own.

use std::cell::OnceCell;
use std::sync::Arc;

use anyvpn::{Ability, Limits, Provider, ProviderInfo, Settings};

use super::Context;
use crate::environment::variable;
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
        Ok(Self {
            output: self.output,
            registry: self.registry.clone(),
            watch: Arc::clone(&self.watch),
            verify: self.verify.clone(),
            profile: provider.is_none().then(|| name.to_owned()),
            provider,
            typed: Settings::new(),
            file: OnceCell::new(),
        })
    }

    /// Returns the name of the profile in use, or of the provider if there is no profile.
    pub fn fleet_profile(&self) -> Result<String, Failure> {
        if let Some(name) = self.profile.clone().or_else(|| variable("ANYVPN_PROFILE")) {
            return Ok(name);
        }
        let info = self.provider_with(Ability::Customers)?;
        let default = self.default_entry()?.filter(|entry| entry.provider.name == info.name);
        Ok(default.map_or_else(|| info.name.to_owned(), |entry| entry.name.clone()))
    }
}
