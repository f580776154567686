//! Locks within this process.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a value, ignoring poisoning: no holder can panic while the value is partly changed.
pub(crate) fn locked<T: ?Sized>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
