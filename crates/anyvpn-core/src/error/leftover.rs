//! What exists at the provider although the call that made it failed.

use std::fmt;

use super::{cut, visible};
use crate::Secret;

/// Something that exists at the provider although the call that made it failed.
///
/// It is the caller's to use or to remove: a configuration by
/// [`ServerConfigs::revoke_config`](crate::ServerConfigs::revoke_config), a port by
/// [`PortForwards::delete_port_forward`](crate::PortForwards::delete_port_forward).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Leftover {
    /// What kind of thing it is.
    pub kind: LeftoverKind,
    /// The provider's own text of it, such as a configuration that could not be read; absent when
    /// the provider sent none.
    pub text: Option<Secret>,
    id: String,
}

impl Leftover {
    /// A thing with the provider's id for it.
    #[must_use]
    pub fn new(kind: LeftoverKind, id: impl Into<String>) -> Self {
        Self { kind, text: None, id: visible(id.into()) }
    }

    /// Adds the provider's own text of it.
    #[must_use]
    pub fn with_text(mut self, text: Secret) -> Self {
        self.text = Some(text);
        self
    }

    /// The provider's id, the port's number or the customer's natural key, without control
    /// characters and at most 500 characters long.
    #[must_use]
    pub fn id(&self) -> &str {
        cut(&self.id)
    }

    pub(super) fn map_id(&mut self, edit: impl Fn(&str) -> String) {
        self.id = edit(&self.id);
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id())
    }
}

/// What kind of thing was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeftoverKind {
    /// A token of the account, made by signing in.
    Token,
    /// A device of the account.
    Device,
    /// A configuration for a server.
    Configuration,
    /// A forwarded port.
    PortForward,
    /// A customer of the reseller.
    Customer,
}

impl LeftoverKind {
    /// The kind's name in messages and in JSON output, such as `configuration`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Device => "device",
            Self::Configuration => "configuration",
            Self::PortForward => "port-forward",
            Self::Customer => "customer",
        }
    }
}

impl fmt::Display for LeftoverKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
