//! Values that are checked before they are sent.

use std::fmt;

use anyvpn_core::{Error, ErrorKind, Secret};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A country as in ISO 3166-1 alpha-2, such as `US`.
///
/// Any two letters are accepted; the provider decides whether the country exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// Returns the two letters, in uppercase.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The constructor has checked that there are two ASCII letters.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::str::FromStr for CountryCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(Error::invalid("country", "must be two letters, such as US")),
        }
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom("must be two letters, such as US"))
    }
}

/// How long a product lasts. The vendor's documentation lists these five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProductType {
    /// One month.
    Months1 = 1,
    /// Six months.
    Months6 = 6,
    /// One year.
    Months12 = 12,
    /// Two years.
    Months24 = 24,
    /// Three years.
    Months36 = 36,
}

impl ProductType {
    /// All product types.
    pub const ALL: [Self; 5] =
        [Self::Months1, Self::Months6, Self::Months12, Self::Months24, Self::Months36];

    /// Returns the number of months, which is the vendor's id.
    #[must_use]
    pub const fn months(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for ProductType {
    type Error = Error;

    fn try_from(months: u8) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|product_type| product_type.months() == months)
            .ok_or_else(|| Error::invalid("type", "must be 1, 6, 12, 24 or 36 months"))
    }
}

impl Serialize for ProductType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.months().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProductType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let months = u8::deserialize(deserializer)?;
        Self::try_from(months).map_err(|_| de::Error::custom("must be 1, 6, 12, 24 or 36"))
    }
}

/// When a cancelled account ends. We never send any other word, because its effect is unknown and the
/// account could end immediately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAt {
    /// At the provider's next nightly run.
    Midnight,
    /// When the paid period ends.
    AtDueDate,
}

/// A password that VPNGN accepts: 10 characters or more, from at least three of digit, letter,
/// uppercase letter and special character (Account Management API, Important Notes, 2).
///
/// ```
/// use anyvpn_vpngn::StrongPassword;
///
/// let weak = StrongPassword::try_from("hunter2".to_owned());
/// let error = weak.unwrap_err().to_string();
/// assert!(error.contains("10 characters") && error.contains("no uppercase letter"), "{error}");
/// let generated = StrongPassword::generate()?;
/// assert_eq!(generated.secret().expose().len(), 20);
/// # Ok::<(), anyvpn_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StrongPassword(Secret);

/// The characters of generated passwords. There are 64, so that six random bits choose one uniformly, and
/// none is easily confused with another.
const ALPHABET: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%+-=_";
/// The length of generated passwords, which gives 120 bits of randomness.
const GENERATED: usize = 20;
/// The minimum number of characters.
const SHORTEST: usize = 10;
/// The minimum number of categories.
const CATEGORIES: usize = 3;

impl StrongPassword {
    /// Checks a password.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` that says how many characters and which categories are missing. It does not
    /// show any part of the password.
    pub fn new(password: Secret) -> Result<Self, Error> {
        match weakness(password.expose()) {
            None => Ok(Self(password)),
            Some(weakness) => Err(Error::invalid("password", weakness)),
        }
    }

    /// Generates a random password of 20 characters, with all four categories.
    ///
    /// # Errors
    ///
    /// `Unavailable` if the system cannot provide random numbers.
    pub fn generate() -> Result<Self, Error> {
        loop {
            let mut bytes = [0_u8; GENERATED];
            getrandom::fill(&mut bytes).map_err(|e| {
                Error::new(ErrorKind::Unavailable)
                    .with_detail(format!("this system returned no random numbers: {e}"))
            })?;
            let password: String =
                bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect();
            if missing(&password).is_empty() {
                return Ok(Self(password.into()));
            }
        }
    }

    /// Returns the password.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// Returns the categories that a password lacks, each with a "no". An uppercase letter is also a letter.
fn missing(password: &str) -> Vec<&'static str> {
    type Category = (&'static str, fn(char) -> bool);
    let categories: [Category; 4] = [
        ("no digit", char::is_numeric),
        ("no letter", char::is_alphabetic),
        ("no uppercase letter", char::is_uppercase),
        ("no special character", |c| !c.is_alphanumeric()),
    ];
    let absent = categories.into_iter().filter(|(_, is)| !password.chars().any(is));
    absent.map(|(name, _)| name).collect()
}

fn weakness(password: &str) -> Option<String> {
    let short = password.chars().count() < SHORTEST;
    let missing = missing(password);
    let few = 4 - missing.len() < CATEGORIES;
    let length = format!("needs at least {SHORTEST} characters");
    let categories = format!(
        "needs at least {CATEGORIES} of digit, letter, uppercase letter and special character; it \
         has {}",
        missing.join(", ")
    );
    match (short, few) {
        (false, false) => None,
        (true, false) => Some(length),
        (false, true) => Some(categories),
        (true, true) => Some(format!("{length}; {categories}")),
    }
}

impl TryFrom<String> for StrongPassword {
    type Error = Error;

    fn try_from(password: String) -> Result<Self, Error> {
        Self::new(password.into())
    }
}

impl Serialize for StrongPassword {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StrongPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let password = Secret::deserialize(deserializer)?;
        match weakness(password.expose()) {
            None => Ok(Self(password)),
            Some(weakness) => Err(de::Error::custom(weakness)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_the_document_names_what_is_missing() {
        for strong in
            ["abcdefgh1!", "ABCDEFGH12", "Password12", "Strong_Password!123", "ÄÖÜäöü12 x"]
        {
            assert!(StrongPassword::try_from(strong.to_owned()).is_ok(), "{strong}");
        }
        for (weak, words) in [
            ("Passw0rd!", "10 characters"),
            ("passwordpassword", "no digit, no uppercase letter, no special character"),
            ("password123", "no uppercase letter, no special character"),
            ("1234567890!", "no letter, no uppercase letter"),
            ("", "10 characters"),
        ] {
            let error = StrongPassword::try_from(weak.to_owned()).unwrap_err().to_string();
            assert!(error.contains(words), "{weak}: {error}");
            assert!(weak.is_empty() || !error.contains(weak), "{error}");
        }
    }

    #[test]
    fn generated_passwords_are_strong_and_different() {
        let made: std::collections::BTreeSet<_> =
            (0..200).map(|_| StrongPassword::generate().unwrap().0.expose().to_owned()).collect();
        assert_eq!(made.len(), 200);
        assert!(
            made.iter().all(|password| missing(password).is_empty() && password.len() == GENERATED)
        );
        assert_eq!(ALPHABET.iter().collect::<std::collections::BTreeSet<_>>().len(), 64);
    }

    #[test]
    fn countries_are_two_letters_and_products_five() {
        assert_eq!("us".parse::<CountryCode>().unwrap().as_str(), "US");
        for wrong in ["", "U", "USA", "U1", "ÄÖ", "é"] {
            assert!(wrong.parse::<CountryCode>().is_err(), "{wrong}");
        }
        assert_eq!(ProductType::try_from(24).unwrap(), ProductType::Months24);
        assert!(
            [0, 2, 3, 13, 255].into_iter().all(|months| ProductType::try_from(months).is_err())
        );
    }
}
