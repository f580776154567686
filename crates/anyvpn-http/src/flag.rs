//! Boolean form fields that are `1` if true and left out if false.

use serde::{Serialize, Serializer};

/// Returns whether the field is omitted.
#[must_use]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub fn is_off(on: &bool) -> bool {
    !on
}

/// Writes `1`.
///
/// # Errors
///
/// Only errors of the serializer.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub fn serialize<S: Serializer>(on: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    u8::from(*on).serialize(serializer)
}
