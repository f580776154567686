//! The kinds of errors, with one row for each: name, description, advice and exit code. Everything else
//! is derived from the row.

use std::fmt;

/// The advice of a kind, if the error has no details that change it.
#[derive(Clone, Copy)]
pub(super) enum Usual {
    Change,
    Retry,
    SignIn,
    ReadBack,
}

/// Declares [`ErrorKind`]. A row has the documentation, the variant, its name in JSON and documents,
/// the description for people, the usual advice, and the exit code of the command.
macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $words:literal, $advice:ident, $exit:literal;)+) => {
        /// The kind of an error. The documentation of each kind says how to continue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ErrorKind {
            /// All kinds, in the order of their documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// Returns the kind's name in JSON output and documentation, such as `rate-limited`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// Returns the exit code of a command that fails with this kind, from 2 to 9.
            #[must_use]
            pub const fn exit_code(self) -> u8 {
                match self {
                    $(Self::$kind => $exit,)+
                }
            }

            pub(super) const fn usual_advice(self) -> Usual {
                match self {
                    $(Self::$kind => Usual::$advice,)+
                }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$kind => $words,)+
                })
            }
        }
    };
}

error_kinds! {
    /// There is no credential, or the provider does not accept it.
    ///
    /// Troubleshooting: sign in again; check which account the token belongs to.
    Unauthorized = "unauthorized", "not signed in, or the sign-in was refused", SignIn, 3;
    /// The provider has suspended the account; the message gives the reason.
    ///
    /// Troubleshooting: write to the provider's support.
    Suspended = "suspended", "the account is suspended", Change, 5;
    /// The account has no service (plan, subscription).
    ///
    /// Troubleshooting: buy a plan from the provider.
    NoService = "no-service", "the account has no service", Change, 5;
    /// The account has a service, but it is not active.
    ///
    /// Troubleshooting: look at the account's page for an unpaid bill or a pending activation.
    ServiceInactive = "service-inactive", "the account's service is not active", Change, 5;
    /// The account's service has ended.
    ///
    /// Troubleshooting: renew the plan at the provider.
    ServiceExpired = "service-expired", "the account's service has expired", Change, 5;
    /// The account, device, port, server or configuration does not exist.
    ///
    /// Troubleshooting: list what exists and compare the identifier.
    NotFound = "not-found", "not found", Change, 4;
    /// The thing to be created already exists.
    ///
    /// Troubleshooting: read the existing one instead, or choose another name.
    AlreadyExists = "already-exists", "it already exists", Change, 5;
    /// The input is not acceptable; [`Error::fields`](super::Error::fields) says which parts, where
    /// that is known.
    ///
    /// Troubleshooting: correct the named fields. Nothing was changed.
    InvalidRequest = "invalid-request", "invalid input", Change, 2;
    /// The server has no room for more users.
    ///
    /// Troubleshooting: choose another server, or try later.
    CapacityReached = "capacity-reached", "the server is full", Change, 5;
    /// The plan's number of devices is reached.
    ///
    /// Troubleshooting: delete a device or configuration that is no longer needed.
    DeviceLimit = "device-limit", "the plan's device limit is reached", Change, 5;
    /// An allowance, such as a daily one, is used up.
    ///
    /// Troubleshooting: wait until the provider's next period.
    QuotaReached = "quota-reached", "the quota is used up", Change, 5;
    /// The prepaid balance does not cover what was asked for. Nothing was made.
    ///
    /// Troubleshooting: top the balance up at the provider.
    InsufficientBalance = "insufficient-balance", "the prepaid balance is too low", Change, 5;
    /// The thing in question is still being created or deleted.
    ///
    /// Troubleshooting: wait and try again.
    Pending = "pending", "still being created or deleted", Retry, 5;
    /// The provider received too many requests. [`Error::retry_after`](super::Error::retry_after)
    /// says how long to wait, if the server said so.
    ///
    /// Troubleshooting: wait that long; make fewer calls.
    RateLimited = "rate-limited", "too many requests", Retry, 6;
    /// The provider refused, for a reason that has no kind of its own; the message is the provider's.
    ///
    /// Troubleshooting: read the message.
    Refused = "refused", "the provider refused", Change, 5;
    /// The provider answered that it cannot serve the request now (HTTP 5xx).
    ///
    /// Troubleshooting: try later; look at the provider's status page. For a call that must not be
    /// repeated, read back first: see [`Advice::ReadBack`](super::Advice::ReadBack).
    Unavailable = "unavailable", "the provider is unavailable", Retry, 7;
    /// A call that may be retried got no reply in time.
    ///
    /// Troubleshooting: try again; check the network.
    Timeout = "timeout", "no reply in time", Retry, 7;
    /// The provider could not be reached: name lookup, connection or TLS failed. The request was not
    /// sent, or it was lost and the call may be retried.
    ///
    /// Troubleshooting: check the network, the provider's address and this machine's clock.
    Unreachable = "unreachable", "the provider could not be reached", Retry, 7;
    /// The reply does not match the provider's documentation.
    ///
    /// Troubleshooting: the error shows where the reply differs. The login page of a hotel's network
    /// gives this error too.
    UnexpectedReply = "unexpected-reply", "unexpected reply from the provider", Change, 8;
    /// The request was sent and no answer came, so it may or may not have taken effect. It was not
    /// repeated, because that could do it twice.
    ///
    /// Troubleshooting: read the current state (list, show), then decide.
    Ambiguous = "ambiguous", "the outcome is unknown: it may have been done", ReadBack, 9;
}
