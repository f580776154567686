//! The operating system's keyring, for the profiles that ask for it.

use anyvpn::Secret;

use crate::failure::Failure;

/// What its entries are under.
#[cfg(feature = "keyring")]
const SERVICE: &str = "anyvpn";

/// One entry of the keyring, which need not be there yet.
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
        Failure::other("this anyvpn is built without the system's keyring")
            .hint(format!("build it with --features keyring, or {INSTEAD}"))
    }
}

const INSTEAD: &str = "keep secrets in a file: no --keyring, no store in the profile";

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

/// What was found; an entry that is not there is no failure.
#[cfg(feature = "keyring")]
fn found<T>(result: keyring::Result<T>) -> Result<Option<T>, Failure> {
    match result {
        Err(keyring::Error::NoEntry) => Ok(None),
        result => result.map(Some).map_err(|error| failed(&error)),
    }
}

/// Its own words are for programmers, and some repeat what is kept.
#[cfg(feature = "keyring")]
fn failed(error: &keyring::Error) -> Failure {
    use keyring::Error as E;
    let why = match error {
        E::NoDefaultStore | E::PlatformFailure(_) => "it does not answer",
        E::NoStorageAccess(_) => "it is locked",
        E::TooLong(..) => "that is too long for it",
        E::Ambiguous(_) => "it has several entries of that name",
        _ => "it does not give what was kept",
    };
    Failure::other(format!("the system's keyring cannot be used: {why}"))
        .hint(format!("start and unlock one, or {INSTEAD}"))
}

#[cfg(all(test, feature = "keyring"))]
mod tests {
    use super::*;

    #[test]
    fn what_it_cannot_do_is_told_in_a_persons_words_and_without_what_is_kept() {
        use keyring::Error as E;
        let told = |error| failed(&error).lines().join("\n");
        let boxed = || "zbus::Error::canary".into();
        for (error, why) in [
            (E::NoDefaultStore, "it does not answer"),
            (E::PlatformFailure(boxed()), "it does not answer"),
            (E::NoStorageAccess(boxed()), "it is locked"),
            (E::BadEncoding(b"canary".to_vec()), "it does not give what was kept"),
            (E::TooLong("canary".to_owned(), 1), "that is too long for it"),
        ] {
            let told = told(error);
            assert!(told.contains(why) && told.contains("no --keyring"), "{told}");
            assert!(!told.contains("canary"), "{told}");
        }
        assert!(found::<()>(Err(E::NoEntry)).unwrap().is_none());
    }
}
