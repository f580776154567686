//! Describes what a provider can do, as data.

use std::fmt;

/// Something that some providers can do and others cannot.
///
/// Each is a trait, a part of one, or a protocol. The accessors of [`Provider`](super::Provider) agree
/// with [`Capabilities`]; the conformance suite checks this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Ability {
    /// [`SignIn`](super::SignIn).
    SignIn,
    /// [`SignOut`](super::SignOut).
    SignOut,
    /// [`SignUp`](super::SignUp).
    SignUp,
    /// [`Accounts`](super::Accounts).
    Accounts,
    /// [`ChangePassword`](super::ChangePassword).
    ChangePassword,
    /// [`CloseAccount`](super::CloseAccount).
    CloseAccount,
    /// [`Customers`](super::Customers).
    Customers,
    /// [`ListCustomers`](super::ListCustomers).
    ListCustomers,
    /// [`ChangePlan`](super::ChangePlan).
    ChangePlan,
    /// [`SuspendCustomers`](super::SuspendCustomers).
    SuspendCustomers,
    /// [`EndCustomers`](super::EndCustomers).
    EndCustomers,
    /// [`PortForwards`](super::PortForwards).
    PortForwards,
    /// [`ListPortForwards`](super::ListPortForwards).
    ListPortForwards,
    /// [`CheckPort`](super::CheckPort).
    CheckPort,
    /// [`ServerConfigs`](super::ServerConfigs).
    ServerConfigs,
    /// Configurations for WireGuard.
    #[cfg_attr(feature = "serde", serde(rename = "wireguard"))]
    WireGuard,
    /// Configurations for OpenVPN.
    #[cfg_attr(feature = "serde", serde(rename = "openvpn"))]
    OpenVpn,
}

impl Ability {
    /// All abilities with their names, in the order of the documentation.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::SignIn, "sign-in"),
        (Self::SignOut, "sign-out"),
        (Self::SignUp, "sign-up"),
        (Self::Accounts, "accounts"),
        (Self::ChangePassword, "change-password"),
        (Self::CloseAccount, "close-account"),
        (Self::Customers, "customers"),
        (Self::ListCustomers, "list-customers"),
        (Self::ChangePlan, "change-plan"),
        (Self::SuspendCustomers, "suspend-customers"),
        (Self::EndCustomers, "end-customers"),
        (Self::PortForwards, "port-forwards"),
        (Self::ListPortForwards, "list-port-forwards"),
        (Self::CheckPort, "check-port"),
        (Self::ServerConfigs, "server-configs"),
        (Self::WireGuard, "wireguard"),
        (Self::OpenVpn, "openvpn"),
    ];

    /// Returns the name in the documentation and in JSON, such as `port-forwards`.
    #[must_use]
    pub fn name(self) -> &'static str {
        let row = Self::ALL.iter().find(|(ability, _)| *ability == self);
        row.map_or("", |(_, name)| name)
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a provider can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Capability {
    /// It can.
    Can,
    /// It cannot.
    Cannot {
        /// The reason.
        why: &'static str,
        /// The vendor's page that shows it.
        link: &'static str,
    },
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Can => f.write_str("yes"),
            Self::Cannot { why, .. } => write!(f, "no: {why}"),
        }
    }
}

/// The capabilities of a provider: the abilities that it has, and the reasons why it lacks the others.
///
/// ```
/// use anyvpn_core::{Ability, Capabilities, Capability};
///
/// static CAPABILITIES: Capabilities = Capabilities::new(
///     &[Ability::Accounts, Ability::ServerConfigs, Ability::WireGuard],
///     &[(Ability::OpenVpn, "the servers speak WireGuard only", "https://acme.example/servers")],
///     ("the API has no call for this", "https://acme.example/api"),
/// );
/// assert_eq!(CAPABILITIES.of(Ability::Accounts), Capability::Can);
/// assert_eq!(CAPABILITIES.of(Ability::OpenVpn).to_string(), "no: the servers speak WireGuard only");
/// assert_eq!(CAPABILITIES.of(Ability::CheckPort).to_string(), "no: the API has no call for this");
///
/// static LIMITED: Capabilities =
///     CAPABILITIES.notes(&[(Ability::WireGuard, "the provider makes the keys")]);
/// assert_eq!(LIMITED.note(Ability::WireGuard), Some("the provider makes the keys"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    can: &'static [Ability],
    cannot: &'static [(Ability, &'static str, &'static str)],
    otherwise: (&'static str, &'static str),
    notes: &'static [(Ability, &'static str)],
}

impl Capabilities {
    /// Creates capabilities from the abilities that a provider has, those that it lacks for a specific
    /// reason, with the vendor's page that shows it, and the reason and page for all others.
    #[must_use]
    pub const fn new(
        can: &'static [Ability],
        cannot: &'static [(Ability, &'static str, &'static str)],
        otherwise: (&'static str, &'static str),
    ) -> Self {
        Self { can, cannot, otherwise, notes: &[] }
    }

    /// Adds notes for users of an ability: which parts of it the provider lacks or does automatically.
    #[must_use]
    pub const fn notes(self, notes: &'static [(Ability, &'static str)]) -> Self {
        Self { notes, ..self }
    }

    /// Returns a note for users of the ability, if there is one.
    #[must_use]
    pub fn note(&self, ability: Ability) -> Option<&'static str> {
        self.notes.iter().find(|(other, _)| *other == ability).map(|(_, note)| *note)
    }

    /// Returns whether the provider has this ability and, if not, why.
    #[must_use]
    pub fn of(&self, ability: Ability) -> Capability {
        if self.can.contains(&ability) {
            return Capability::Can;
        }
        let own = self.cannot.iter().find(|(other, ..)| *other == ability);
        let (why, link) = own.map_or(self.otherwise, |(_, why, link)| (*why, *link));
        Capability::Cannot { why, link }
    }

    /// Returns whether the provider has this ability, as a condition.
    #[must_use]
    pub fn can(&self, ability: Ability) -> bool {
        self.of(ability) == Capability::Can
    }

    /// Returns the abilities that the description names, in its order: those that the provider has,
    /// then those that it lacks for a specific reason. A valid description names each at most once.
    pub fn named(&self) -> impl Iterator<Item = Ability> + '_ {
        self.can.iter().copied().chain(self.cannot.iter().map(|(ability, ..)| *ability))
    }

    /// Returns each ability with its capability, in the order of [`Ability::ALL`].
    pub fn all(&self) -> impl Iterator<Item = (Ability, Capability)> + '_ {
        Ability::ALL.iter().map(|(ability, _)| (*ability, self.of(*ability)))
    }
}
