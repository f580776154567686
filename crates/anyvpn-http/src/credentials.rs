//! Sources of the credential of a call.

use anyvpn_core::{Error, Secret};
use async_trait::async_trait;

/// Supplies the credential of a client, and replaces it when the provider refuses it.
#[async_trait]
pub trait Credentials<C>: Send + Sync + 'static {
    /// Returns the credential to use now; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Any error of the credential's source.
    async fn current(&self) -> Result<Option<C>, Error>;

    /// Returns the credential if it is available without waiting. With `None`, the default, calls use
    /// [`Credentials::current`].
    fn at_hand(&self) -> Option<&C> {
        None
    }

    /// Replaces a credential that the provider refused with 401, and returns whether there is now
    /// another one. It is called at most once per call; implementations let one caller do it for all.
    ///
    /// # Errors
    ///
    /// Any error of the credential's source.
    async fn renew(&self, refused: &C) -> Result<bool, Error> {
        let _ = refused;
        Ok(false)
    }
}

/// A credential that is never replaced, or no credential.
pub struct Fixed<C>(pub Option<C>);

#[async_trait]
impl<C: Clone + Send + Sync + 'static> Credentials<C> for Fixed<C> {
    async fn current(&self) -> Result<Option<C>, Error> {
        Ok(self.0.clone())
    }

    fn at_hand(&self) -> Option<&C> {
        self.0.as_ref()
    }
}

/// Returns why a secret cannot be sent in a header, without showing it; `None` if it can.
///
/// A token or key must be visible ASCII, without spaces and control characters. Anything that an editor
/// or a shell adds, such as a byte order mark, would be sent as part of it.
///
/// ```
/// use anyvpn_http::not_for_header;
///
/// assert_eq!(not_for_header("12|TDLL"), None);
/// let why = not_for_header("\u{feff}12|TDLL").unwrap_or_default();
/// assert_eq!(why, "it starts with a byte order mark; save the file as UTF-8 without one");
/// ```
#[must_use]
pub fn not_for_header(secret: &str) -> Option<String> {
    // Every call asks this, and bytes are cheaper to check than characters.
    if secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (at, found) =
        secret.chars().enumerate().find(|(_, character)| !character.is_ascii_graphic())?;
    let place = match at {
        0 => "it starts with".to_owned(),
        _ if at + 1 == secret.chars().count() => "it ends with".to_owned(),
        _ => format!("its character {} is", at + 1),
    };
    Some(match found {
        '\u{feff}' => format!("{place} a byte order mark; save the file as UTF-8 without one"),
        ' ' => format!("{place} a space"),
        '\t' => format!("{place} a tab"),
        '\r' | '\n' => format!("{place} a line break"),
        // The character itself is part of the secret, so only its kind is named.
        found if found.is_control() => format!("{place} a control character"),
        _ => format!("{place} a character that is not ASCII"),
    })
}

/// Checks a secret that is to be sent in a header.
///
/// # Errors
///
/// `InvalidRequest` for the field `token`, with the reason that [`not_for_header`] gives.
pub(crate) fn check_for_header(secret: &Secret) -> Result<(), Error> {
    let why = match secret.is_empty() {
        true => Some("it is empty".to_owned()),
        false => not_for_header(secret.expose()),
    };
    match why {
        Some(why) => Err(Error::invalid("token", format!("is invalid: {why}"))),
        None => Ok(()),
    }
}
