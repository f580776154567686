//! Things that exist at the provider although the call that created them failed.

use std::fmt;

use super::{cut, visible};
use crate::Secret;

/// Something that exists at the provider although the call that created it failed.
///
/// The caller can use it or remove it: a configuration with
/// [`ServerConfigs::revoke_config`](crate::ServerConfigs::revoke_config), a port with
/// [`PortForwards::delete_port_forward`](crate::PortForwards::delete_port_forward).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Leftover {
    /// The kind of the leftover.
    pub kind: LeftoverKind,
    /// The text that the provider sent, such as a configuration that could not be read; absent if it
    /// sent none.
    pub text: Option<Secret>,
    id: String,
}

impl Leftover {
    /// Creates a leftover with the provider's id.
    #[must_use]
    pub fn new(kind: LeftoverKind, id: impl Into<String>) -> Self {
        Self { kind, text: None, id: visible(id.into()) }
    }

    /// Sets the text that the provider sent.
    #[must_use]
    pub fn with_text(mut self, text: Secret) -> Self {
        self.text = Some(text);
        self
    }

    /// Returns the provider's id, the port's number, or the customer's natural key: without control
    /// characters, and at most 500 characters long.
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

/// The kind of a [`Leftover`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeftoverKind {
    /// A token of the account, created by signing in.
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
    /// Returns the kind's name in messages and in JSON output, such as `configuration`.
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
