//! Where the credential of a call comes from.

use anyvpn_core::{Error, Secret};
use async_trait::async_trait;

/// Holds the credential of a client, and replaces one that the provider refuses.
#[async_trait]
pub trait Credentials<C>: Send + Sync + 'static {
    /// The credential to use now; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Any error of the source of the credential.
    async fn current(&self) -> Result<Option<C>, Error>;

    /// The same where it is at hand, with nothing to wait for; calls then use it as it is. `None`
    /// asks [`Credentials::current`].
    fn at_hand(&self) -> Option<&C> {
        None
    }

    /// Replaces a credential that the provider refused with 401, and says whether there is another
    /// one now. Called at most once a call; implementations let one caller do it for all.
    ///
    /// # Errors
    ///
    /// Any error of the source of the credential.
    async fn renew(&self, refused: &C) -> Result<bool, Error> {
        let _ = refused;
        Ok(false)
    }
}

/// One credential that is never replaced, or none.
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

/// Says what keeps a secret from being sent in a header, without showing it; `None` when nothing
/// does.
///
/// A token or key is visible ASCII: no blank, no control character, no letter beyond `~`. What an
/// editor or a shell adds, such as a byte order mark, would be sent as part of it.
///
/// ```
/// use anyvpn_http::not_for_header;
///
/// assert_eq!(not_for_header("12|TDLL"), None);
/// let why = not_for_header("\u{feff}12|TDLL").unwrap_or_default();
/// assert_eq!(why, "it begins with a byte order mark; save the file as UTF-8 without one");
/// ```
#[must_use]
pub fn not_for_header(secret: &str) -> Option<String> {
    let (at, found) =
        secret.chars().enumerate().find(|(_, character)| !character.is_ascii_graphic())?;
    let place = match at {
        0 => "it begins with".to_owned(),
        _ if at + 1 == secret.chars().count() => "it ends with".to_owned(),
        _ => format!("its character {} is", at + 1),
    };
    Some(match found {
        '\u{feff}' => format!("{place} a byte order mark; save the file as UTF-8 without one"),
        ' ' => format!("{place} a space"),
        '\t' => format!("{place} a tab"),
        '\r' | '\n' => format!("{place} a line break"),
        // The character itself is a part of the secret; its kind says enough.
        found if found.is_control() => format!("{place} a control character"),
        _ => format!("{place} a character that is not ASCII"),
    })
}

/// Checks a secret that goes into a header.
///
/// # Errors
///
/// `InvalidRequest` for the field `token`, with what [`not_for_header`] says.
pub(crate) fn check_for_header(secret: &Secret) -> Result<(), Error> {
    match not_for_header(secret.expose()) {
        Some(why) => Err(Error::invalid("token", format!("cannot be sent: {why}"))),
        None => Ok(()),
    }
}
