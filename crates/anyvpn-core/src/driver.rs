//! The description of a provider: everything that the facade, the command, the documentation and the
//! tests need to know about it.

use std::sync::Arc;

use crate::{Capabilities, Context, Error, OperationInfo, Provider, Setting, Settings};

/// Describes a provider and opens it.
///
/// A provider's crate registers its driver and nothing else. The facade's registry, the command and
/// the tables in the documentation derive what they need from its [`ProviderInfo`].
pub trait Driver: Send + Sync {
    /// Returns the description of the provider.
    fn info(&self) -> &'static ProviderInfo;

    /// Opens the provider with these settings. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` that names each setting that is wrong, missing or unknown (as
    /// [`Settings::check`] does), an unusable address, or a user agent that cannot be a header.
    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error>;
}

/// A provider's description, as data.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProviderInfo {
    /// The short name, such as `azire`, used in operation names, environment variables and profiles.
    pub name: &'static str,
    /// The name as the vendor writes it, such as `AzireVPN`.
    pub title: &'static str,
    /// The vendor's page about the API.
    pub docs: &'static str,
    /// The settings that it accepts, in the order in which people are asked for them.
    pub settings: &'static [Setting],
    /// The capabilities.
    pub capabilities: &'static Capabilities,
    /// Its documented operations; empty if its protocol has none.
    pub operations: &'static [OperationInfo],
}

impl ProviderInfo {
    /// Creates a description without settings or operations.
    #[must_use]
    pub const fn new(
        name: &'static str,
        title: &'static str,
        docs: &'static str,
        capabilities: &'static Capabilities,
    ) -> Self {
        Self { name, title, docs, settings: &[], capabilities, operations: &[] }
    }

    /// Sets the settings.
    #[must_use]
    pub const fn settings(self, settings: &'static [Setting]) -> Self {
        Self { settings, ..self }
    }

    /// Sets the operations.
    #[must_use]
    pub const fn operations(self, operations: &'static [OperationInfo]) -> Self {
        Self { operations, ..self }
    }

    /// Returns the setting with this key; `None` if there is none.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// Returns the operation with this name, which is without the provider's part; `None` if it does not
    /// exist.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&'static OperationInfo> {
        self.operations.iter().find(|operation| operation.id.name() == name)
    }
    /// Returns the error for an unknown operation; it lists the known ones.
    #[must_use]
    pub fn unknown_operation(&self, name: &str) -> Error {
        let names: Vec<_> = self.operations.iter().map(|operation| operation.id.name()).collect();
        let known =
            if names.is_empty() { "no operation at all".to_owned() } else { names.join(", ") };
        let why = format!("{} has no operation {name:?}; it has {known}", self.name);
        Error::invalid("operation", why)
    }
}
