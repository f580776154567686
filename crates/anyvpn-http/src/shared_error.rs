//! Shares one error between several callers, since an [`Error`] cannot be cloned.

use std::sync::Arc;

use anyvpn_core::{Advice, Error};

/// Creates a copy of an error for one of several waiting callers.
pub(crate) fn copy(error: &Arc<Error>) -> Error {
    let mut copied = Error::new(error.kind()).with_retry_after(error.retry_after());
    if let Some(operation) = error.operation() {
        copied = copied.with_operation(operation);
    }
    if let Some(status) = error.status() {
        copied = copied.with_status(status);
    }
    if let Some(code) = error.code() {
        copied = copied.with_code(code);
    }
    if let Some(message) = error.message() {
        copied = copied.with_message(message);
    }
    if let Some(detail) = error.detail() {
        copied = copied.with_detail(detail);
    }
    for (field, reasons) in error.fields() {
        for reason in reasons {
            copied = copied.with_field(field, reason);
        }
    }
    if error.advice() == Advice::ReadBack {
        copied = copied.with_read_back();
    }
    for leftover in error.left_behind() {
        copied = copied.with_leftover(leftover.clone());
    }
    if std::error::Error::source(&**error).is_some() {
        copied = copied.with_source(SharedCause(Arc::clone(error)));
    }
    copied
}

/// The cause of a shared error. Its source is that of the original, so it cannot be derived.
#[derive(Debug)]
struct SharedCause(Arc<Error>);

impl SharedCause {
    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}

impl std::fmt::Display for SharedCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cause().map_or(Ok(()), |cause| write!(f, "{cause}"))
    }
}

impl std::error::Error for SharedCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause()?.source()
    }
}
