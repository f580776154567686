//! What a provider is: everything that the facade, the command, the documents and the tests need to
//! know about it.

use std::sync::Arc;

use crate::{Capabilities, Context, Error, OperationInfo, Provider, Setting, Settings};

/// A provider that can be opened.
///
/// It is all that a provider's crate registers. The registry of the facade, the command and the
/// tables of the documents derive what they need from its [`ProviderInfo`].
pub trait Driver: Send + Sync {
    /// The description of the provider.
    fn info(&self) -> &'static ProviderInfo;

    /// Opens the provider, with what the program gives to it besides the settings. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` that names each setting that is wrong, missing or unknown, as
    /// [`Settings::check`] finds it, the address that the provider cannot be reached at, or a user
    /// agent that is no header.
    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error>;
}

/// A provider's description, as data.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProviderInfo {
    /// The short name, such as `azire`: in operation names, environment variables and profiles.
    pub name: &'static str,
    /// The name as the vendor writes it, such as `AzireVPN`.
    pub title: &'static str,
    /// The vendor's page about the API.
    pub docs: &'static str,
    /// The settings that it takes, in the order in which a person is asked for them.
    pub settings: &'static [Setting],
    /// What it can do.
    pub capabilities: &'static Capabilities,
    /// Its documented operations; empty where it has no API of operations.
    pub operations: &'static [OperationInfo],
}

impl ProviderInfo {
    /// A description without settings and operations.
    #[must_use]
    pub const fn new(
        name: &'static str,
        title: &'static str,
        docs: &'static str,
        capabilities: &'static Capabilities,
    ) -> Self {
        Self { name, title, docs, settings: &[], capabilities, operations: &[] }
    }

    /// The same with these settings.
    #[must_use]
    pub const fn settings(self, settings: &'static [Setting]) -> Self {
        Self { settings, ..self }
    }

    /// The same with these operations.
    #[must_use]
    pub const fn operations(self, operations: &'static [OperationInfo]) -> Self {
        Self { operations, ..self }
    }

    /// The setting of that key; `None` when the provider has none.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// The operation of that name, without the provider's part; `None` when there is none.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&'static OperationInfo> {
        self.operations.iter().find(|operation| operation.id.name() == name)
    }
    /// The error for an operation that the provider does not have; it names those that it has.
    #[must_use]
    pub fn unknown_operation(&self, name: &str) -> Error {
        let names: Vec<_> = self.operations.iter().map(|operation| operation.id.name()).collect();
        let known =
            if names.is_empty() { "no operation at all".to_owned() } else { names.join(", ") };
        let why = format!("{} has no operation {name:?}; it has {known}", self.name);
        Error::invalid("operation", why)
    }
}
