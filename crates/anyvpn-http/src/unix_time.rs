//! Times that are sent as whole seconds since 1970 (`format: unix-time`).

use anyvpn_core::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads whole seconds.
///
/// # Errors
///
/// If it is not an integer, or is outside the years −9999 to 9999.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    // Formatting jiff's error would add the texts of all its errors to every program.
    Timestamp::from_second(i64::deserialize(deserializer)?)
        .map_err(|_| D::Error::custom("the time is outside the years -9999 to 9999"))
}

/// Writes whole seconds.
///
/// # Errors
///
/// Only errors of the serializer.
pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    time.as_second().serialize(serializer)
}

/// Optional times.
pub mod option {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    /// Reads whole seconds or null.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](super::deserialize).
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        #[derive(Deserialize)]
        struct Seconds(#[serde(with = "super")] Timestamp);
        Ok(Option::<Seconds>::deserialize(deserializer)?.map(|Seconds(time)| time))
    }

    /// Writes whole seconds or null.
    ///
    /// # Errors
    ///
    /// Only errors of the serializer.
    pub fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::as_second).serialize(serializer)
    }
}
