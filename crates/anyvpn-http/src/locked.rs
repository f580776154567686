//! Locks within the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a value. A panic of another holder leaves it as it is: nothing here is half changed between
/// two statements.
pub(crate) fn locked<T: ?Sized>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
