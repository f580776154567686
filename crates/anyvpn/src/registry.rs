//! The providers that a program can open, by name.

use std::fmt;
use std::sync::Arc;

use anyvpn_core::{Context, Driver, Error, Provider, ProviderInfo, Settings};

/// The providers that a program can open.
///
/// ```no_run
/// use anyvpn::{Registry, Settings};
///
/// # async fn example() -> Result<(), anyvpn::Error> {
/// let registry = Registry::builtin();
/// let info = registry.info("azire")?;
/// let settings = Settings::from_environment(info.name, info.settings, |name| std::env::var(name).ok());
/// let provider = registry.open("azire", &settings)?;
/// println!("{}", provider.info().title);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Registry(Vec<Arc<dyn Driver>>);

impl Registry {
    /// Creates a registry without providers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a registry with the providers whose features are enabled.
    #[must_use]
    pub fn builtin() -> Self {
        Self(crate::drivers())
    }

    /// Adds a provider, replacing one with the same name.
    #[must_use]
    pub fn with(mut self, driver: impl Driver + 'static) -> Self {
        self.add(driver);
        self
    }

    /// Adds a provider, replacing one with the same name.
    pub fn add(&mut self, driver: impl Driver + 'static) {
        self.0.retain(|other| other.info().name != driver.info().name);
        self.0.push(Arc::new(driver));
    }

    /// Returns the descriptions of all providers, in the order in which they were added.
    pub fn infos(&self) -> impl Iterator<Item = &'static ProviderInfo> {
        self.0.iter().map(|driver| driver.info())
    }

    /// Returns the description of a provider.
    ///
    /// # Errors
    ///
    /// `InvalidRequest`, listing the known providers, if there is none with that name.
    pub fn info(&self, name: &str) -> Result<&'static ProviderInfo, Error> {
        self.driver(name).map(|driver| driver.info())
    }

    /// Opens a provider with the default limits, retries and clock. Nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`Self::info`] and [`Driver::open`].
    pub fn open(&self, name: &str, settings: &Settings) -> Result<Arc<dyn Provider>, Error> {
        self.open_with(name, settings, &Context::default())
    }

    /// Opens a provider with your own limits, retries, clock, user agent or observer. Nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`Self::info`] and [`Driver::open`].
    pub fn open_with(
        &self,
        name: &str,
        settings: &Settings,
        context: &Context,
    ) -> Result<Arc<dyn Provider>, Error> {
        self.driver(name)?.open(settings, context)
    }

    fn driver(&self, name: &str) -> Result<&dyn Driver, Error> {
        let found = self.0.iter().find(|driver| driver.info().name == name);
        found.map(|driver| &**driver).ok_or_else(|| {
            let known: Vec<_> = self.infos().map(|info| info.name).collect();
            let known = known.join(", ");
            Error::invalid("provider", format!("unknown provider {name:?}; known are {known}"))
        })
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.infos().map(|info| info.name)).finish()
    }
}
