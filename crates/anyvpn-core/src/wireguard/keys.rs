//! Curve25519 keys, as WireGuard writes them: base64 of 32 bytes.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::{Error, REDACTED, Secret};

/// The message for a text that is not a key.
pub(super) const NOT_A_KEY: &str =
    "a key is 32 bytes in base64: 44 characters, the last one `=`; copy it whole";

/// Decodes the 32 bytes of a canonical key text. It accepts exactly what `wg` accepts.
pub(super) fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    // The decoder needs space for the bytes that the padding may represent.
    let mut bytes = Zeroizing::new([0; 33]);
    let mut key = Zeroizing::new([0; 32]);
    if STANDARD.decode_slice(text, &mut *bytes) != Ok(32) {
        return None;
    }
    key.copy_from_slice(&bytes[..32]);
    Some(key)
}

/// A public key, of a peer or of this machine. It is printed and parsed as base64.
///
/// ```
/// use anyvpn_core::PublicKey;
///
/// let key: PublicKey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=".parse()?;
/// assert_eq!(key.to_string(), "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=");
/// # Ok::<(), anyvpn_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Returns the key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = decode(text).ok_or_else(|| Error::invalid("public key", NOT_A_KEY))?;
        Ok(Self(*bytes))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom(format_args!("not a public key: {NOT_A_KEY}")))
    }
}

/// Declares a type for 32 secret bytes, which are wiped when dropped and never shown.
macro_rules! secret_keys {
    ($($(#[$meta:meta])* pub struct $name:ident, $what:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; 32]>);

        impl $name {
            /// Reads the key's base64.
            ///
            /// # Errors
            /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the text is not a
            /// key. The error does not repeat the text.
            pub fn from_base64(text: &Secret) -> Result<Self, Error> {
                text.expose().parse()
            }

            /// Returns the key in base64, as in a configuration.
            #[must_use]
            pub fn to_secret(&self) -> Secret {
                Secret::from(STANDARD.encode(*self.0))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                decode(text).map(Self).ok_or_else(|| Error::invalid($what, NOT_A_KEY))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                f.write_str(REDACTED)?;
                f.write_str(")")
            }
        }
    )+};
}

secret_keys! {
    /// This machine's private key, which is wiped from memory when dropped and never shown.
    pub struct PrivateKey, "private key";
    /// The key that both ends of a tunnel share in addition to their key pairs. It is secret, like
    /// [`PrivateKey`].
    pub struct PresharedKey, "preshared key";
}

#[cfg(feature = "keys")]
impl PrivateKey {
    /// Generates a key from the system's random numbers.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if the system returns no random bytes.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|error| {
            Error::new(crate::ErrorKind::Unavailable)
                .with_detail("this system returned no random bytes for a key")
                .with_source(error)
        })?;
        // RFC 7748, section 5: the bits that every Curve25519 scalar has, as `wg genkey` sets them.
        bytes[0] &= 248;
        bytes[31] &= 127;
        bytes[31] |= 64;
        Ok(Self(bytes))
    }

    /// Returns the public key for this private key, as `wg pubkey` does.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = *self.0;
        let secret = x25519_dalek::StaticSecret::from(bytes);
        zeroize::Zeroize::zeroize(&mut bytes);
        PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }
}
