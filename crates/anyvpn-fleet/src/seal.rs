//! Encrypts the passwords of orders, so that the database never contains one in clear text.

use anyvpn_core::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize as _, Zeroizing};

use crate::Order;

/// The length of a nonce, in bytes. XChaCha's are long enough to be random.
const NONCE: usize = 24;
/// The length of a key, in bytes.
const KEY: usize = 32;
/// The characters of passwords. There are 64, so that six random bits choose one uniformly, and none is easily
/// confused with another.
const ALPHABET: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%+-=_";
/// The length of passwords, which gives 120 bits of randomness.
const PASSWORD: usize = 20;

/// Seals and opens passwords with one key.
///
/// A sealed password belongs to its order: it does not open for another id, profile or customer.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// A sealed password. It is safe to store, and useless without the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[sealed]")
    }
}

/// The reason why a password could not be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key is not 32 bytes in base64.
    #[error("the key is not 32 bytes in base64; `head -c 32 /dev/urandom | base64` makes one")]
    Key,
    /// The system provides no random numbers.
    #[error("the system provides no random numbers")]
    Random,
    /// The key is not the one that sealed the password, or the database was changed.
    #[error(
        "cannot decrypt the password of order {0}: it was sealed with another key, or the order's row in the database was changed"
    )]
    Open(String),
}

impl Sealer {
    /// Creates a sealer with a key: 32 bytes in base64. Spaces and line breaks around it are ignored.
    ///
    /// # Errors
    ///
    /// [`SealError::Key`] for anything else.
    pub fn new(key: &Secret) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(key.expose().trim()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| SealError::Key)?;
        let mut key = <[u8; KEY]>::try_from(&**bytes).map_err(|_| SealError::Key)?;
        let sealer = Self(XChaCha20Poly1305::new(&Key::from(key)));
        key.zeroize();
        Ok(sealer)
    }

    /// Generates a key for [`Self::new`].
    ///
    /// # Errors
    ///
    /// [`SealError::Random`].
    pub fn generate_key() -> Result<Secret, SealError> {
        let mut key = Zeroizing::new([0_u8; KEY]);
        getrandom::fill(&mut *key).map_err(|_| SealError::Random)?;
        Ok(STANDARD.encode(*key).into())
    }

    /// Generates a password of 20 characters with letters of both cases, a digit and a special character,
    /// and seals it for an order.
    ///
    /// # Errors
    ///
    /// [`SealError::Random`].
    pub fn generate(&self, order: &Order) -> Result<Sealed, SealError> {
        let has_all = |password: &str| {
            let classes: [fn(char) -> bool; 4] = [
                |c| c.is_ascii_uppercase(),
                |c| c.is_ascii_lowercase(),
                |c| c.is_ascii_digit(),
                |c| c.is_ascii_punctuation(),
            ];
            classes.iter().all(|class| password.contains(*class))
        };
        loop {
            let mut bytes = Zeroizing::new([0_u8; PASSWORD]);
            getrandom::fill(&mut *bytes).map_err(|_| SealError::Random)?;
            let password: String =
                bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect();
            let password = Zeroizing::new(password);
            if has_all(&password) {
                return self.seal(order, &password);
            }
        }
    }

    fn seal(&self, order: &Order, password: &str) -> Result<Sealed, SealError> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let (msg, aad) = (password.as_bytes(), bound_to(order));
        let text = self.0.encrypt(&XNonce::from(nonce), Payload { msg, aad: &aad });
        // It only fails for texts of many gigabytes, so no password can cause this error.
        let text = text.map_err(|_| SealError::Random)?;
        Ok(Sealed([nonce.as_slice(), &text].concat()))
    }

    /// Opens the password of an order.
    ///
    /// # Errors
    ///
    /// [`SealError::Open`] if the password was sealed with another key or for another order.
    pub fn open(&self, order: &Order, sealed: &Sealed) -> Result<Secret, SealError> {
        let wrong = || SealError::Open(order.id.clone());
        let (nonce, msg) = sealed.0.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        let aad = bound_to(order);
        let text = self.0.decrypt(&XNonce::from(*nonce), Payload { msg, aad: &aad });
        let text = Zeroizing::new(text.map_err(|_| wrong())?);
        std::str::from_utf8(&text).map(Secret::from).map_err(|_| wrong())
    }
}

/// Returns bytes that identify the order to which a password belongs.
fn bound_to(order: &Order) -> Vec<u8> {
    serde_json::to_vec(&(&order.id, &order.profile, &order.key)).unwrap_or_default()
}
