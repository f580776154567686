//! Switches of forms that are `1` when on and left out when off.

use serde::{Serialize, Serializer};

/// Whether the switch is left out.
#[must_use]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub fn is_off(on: &bool) -> bool {
    !on
}

/// Writes `1`.
///
/// # Errors
///
/// Only the serializer's own.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub fn serialize<S: Serializer>(on: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    u8::from(*on).serialize(serializer)
}
