//! The names of operations, and macros for the two kinds of string types that providers need.

use std::fmt;

/// The name of an operation, such as `azire.create-port-forward`. Logs, errors, fixtures, the sandbox,
/// the command and the documentation all use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId {
    provider: &'static str,
    name: &'static str,
}

impl OperationId {
    /// Creates the name of the operation `name` of `provider`.
    #[must_use]
    pub const fn new(provider: &'static str, name: &'static str) -> Self {
        Self { provider, name }
    }

    /// Returns the provider's part, such as `azire`.
    #[must_use]
    pub const fn provider(self) -> &'static str {
        self.provider
    }

    /// Returns the operation's part, such as `create-port-forward`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.provider, self.name)
    }
}

/// Declares string types that cannot be confused with each other, such as the ids of tokens and devices.
///
/// ```
/// anyvpn_core::string_types! {
///     /// The id of a device.
///     pub struct IpId;
/// }
/// let id = IpId::from("IJiaUdc2");
/// assert_eq!(id.as_str(), "IJiaUdc2");
/// assert_eq!(id.to_string(), "IJiaUdc2");
/// ```
#[macro_export]
macro_rules! string_types {
    ($($(#[$meta:meta])* pub struct $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(
            Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            $crate::reexport::serde::Serialize, $crate::reexport::serde::Deserialize,
        )]
        #[serde(crate = "::anyvpn_core::reexport::serde", transparent)]
        pub struct $name(String);

        impl $name {
            /// Returns the text as the provider writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

/// Declares an enum of the words that a provider uses. It also preserves unknown words.
///
/// ```
/// anyvpn_core::open_enum! {
///     /// A currency.
///     pub enum Currency {
///         /// Euro.
///         Eur = "EUR",
///         /// Swedish krona.
///         Sek = "SEK",
///     }
/// }
/// assert_eq!(Currency::from("SEK"), Currency::Sek);
/// assert_eq!(Currency::from("NOK").as_str(), "NOK");
/// ```
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A word that is not documented, as the provider sent it.
            Other(String),
        }

        impl $name {
            /// Returns the provider's word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(word: T) -> Self {
                let word = word.into();
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::reexport::serde::Serialize for $name {
            fn serialize<S: $crate::reexport::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::reexport::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::reexport::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                <String as $crate::reexport::serde::Deserialize>::deserialize(deserializer)
                    .map(Self::from)
            }
        }
    };
}
