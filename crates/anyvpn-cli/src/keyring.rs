//! The operating system's keyring, for profiles with `store = "keyring"`.

use anyvpn::Secret;

use crate::failure::Failure;

/// The service name of all entries.
#[cfg(feature = "keyring")]
const SERVICE: &str = "anyvpn";

/// An entry of the keyring. It need not exist yet.
pub struct Keyring {
    #[cfg_attr(not(feature = "keyring"), expect(dead_code, reason = "there is no keyring then"))]
    name: String,
}

impl Keyring {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

#[cfg(not(feature = "keyring"))]
impl Keyring {
    pub fn load(&self) -> Result<Option<Secret>, Failure> {
        Err(Self::absent())
    }

    pub fn save(&self, _: &Secret) -> Result<(), Failure> {
        Err(Self::absent())
    }

    pub fn forget(&self) -> Result<(), Failure> {
        Err(Self::absent())
    }

    fn absent() -> Failure {
        Failure::other("this build of anyvpn has no keyring support")
            .hint(format!("build it with --features keyring, or {INSTEAD}"))
    }
}

const INSTEAD: &str = "store secrets in a file: omit --keyring, and the profile's store";

#[cfg(feature = "keyring")]
impl Keyring {
    pub fn load(&self) -> Result<Option<Secret>, Failure> {
        found(self.entry()?.get_password().map(Secret::from))
    }

    pub fn save(&self, secret: &Secret) -> Result<(), Failure> {
        self.entry()?.set_password(secret.expose()).map_err(|error| failed(&error))
    }

    pub fn forget(&self) -> Result<(), Failure> {
        found(self.entry()?.delete_credential()).map(drop)
    }

    fn entry(&self) -> Result<keyring::Entry, Failure> {
        keyring::Entry::new(SERVICE, &self.name).map_err(|error| failed(&error))
    }
}

/// Converts a missing entry to `None`.
#[cfg(feature = "keyring")]
fn found<T>(result: keyring::Result<T>) -> Result<Option<T>, Failure> {
    match result {
        Err(keyring::Error::NoEntry) => Ok(None),
        result => result.map(Some).map_err(|error| failed(&error)),
    }
}

/// Returns the failure for an error of the keyring. We do not use the library's messages, because they are
/// for programmers and some quote the secret.
#[cfg(feature = "keyring")]
fn failed(error: &keyring::Error) -> Failure {
    use keyring::Error as E;
    let why = match error {
        E::NoDefaultStore | E::PlatformFailure(_) => "it does not answer",
        E::NoStorageAccess(_) => "it is locked",
        E::TooLong(..) => "the secret is too long",
        E::Ambiguous(_) => "it has several entries for this secret",
        _ => "it does not return the entry",
    };
    Failure::other(format!("cannot use the system's keyring: {why}"))
        .hint(format!("start and unlock a keyring, or {INSTEAD}"))
}

#[cfg(all(test, feature = "keyring"))]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_keyring_are_readable_and_do_not_quote_the_secret() {
        use keyring::Error as E;
        let told = |error| failed(&error).lines().join("\n");
        let boxed = || "zbus::Error::canary".into();
        for (error, why) in [
            (E::NoDefaultStore, "it does not answer"),
            (E::PlatformFailure(boxed()), "it does not answer"),
            (E::NoStorageAccess(boxed()), "it is locked"),
            (E::BadEncoding(b"canary".to_vec()), "it does not return the entry"),
            (E::TooLong("canary".to_owned(), 1), "the secret is too long"),
        ] {
            let told = told(error);
            assert!(told.contains(why) && told.contains("omit --keyring"), "{told}");
            assert!(!told.contains("canary"), "{told}");
        }
        assert!(found::<()>(Err(E::NoEntry)).unwrap().is_none());
    }
}
