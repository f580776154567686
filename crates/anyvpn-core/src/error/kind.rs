//! The kinds of errors: one row each. Name, words, advice and exit code stand in the row; everything
//! else is derived from it.

use std::fmt;

/// What an error of a kind advises, when nothing else is known.
#[derive(Clone, Copy)]
pub(super) enum Usual {
    Change,
    Retry,
    SignIn,
    ReadBack,
}

/// Declares [`ErrorKind`]. A row has the documentation, the variant, its name in JSON and documents,
/// the words for people, the usual advice, and the exit code of the command.
macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $words:literal, $advice:ident, $exit:literal;)+) => {
        /// What happened. Each kind says how to go on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ErrorKind {
            /// All kinds, in the order of their documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The kind's name in JSON output and documents, such as `rate-limited`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// The exit code of a command that fails with it, from 2 to 9.
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
    /// The provider does not accept the credential, or there is none.
    ///
    /// Troubleshooting: sign in again; check which account the token belongs to.
    Unauthorized = "unauthorized", "not signed in, or the sign-in was refused", SignIn, 3;
    /// The provider has suspended the account; the message carries its reason.
    ///
    /// Troubleshooting: write to the provider's support.
    Suspended = "suspended", "the account is suspended", Change, 5;
    /// The account has no service (plan, subscription).
    ///
    /// Troubleshooting: buy a plan from the provider.
    NoService = "no-service", "the account has no service", Change, 5;
    /// The account's service exists and is not active.
    ///
    /// Troubleshooting: look at the account's page for an unpaid bill or a pending activation.
    ServiceInactive = "service-inactive", "the account's service is not active", Change, 5;
    /// The account's service has ended.
    ///
    /// Troubleshooting: renew the plan at the provider.
    ServiceExpired = "service-expired", "the account's service has expired", Change, 5;
    /// There is no such account, device, port, server or configuration.
    ///
    /// Troubleshooting: list what exists and compare the identifier.
    NotFound = "not-found", "not found", Change, 4;
    /// What was to be created is there already.
    ///
    /// Troubleshooting: read it instead, or choose another name.
    AlreadyExists = "already-exists", "it exists already", Change, 5;
    /// The input is not acceptable; [`Error::fields`] says which parts, where that is known.
    ///
    /// Troubleshooting: correct the named fields. Nothing was changed.
    InvalidRequest = "invalid-request", "the input is not acceptable", Change, 2;
    /// The server has no room for more users.
    ///
    /// Troubleshooting: choose another server, or try later.
    CapacityReached = "capacity-reached", "the server is full", Change, 5;
    /// The plan's number of devices is reached.
    ///
    /// Troubleshooting: delete a device or configuration that is not needed any more.
    DeviceLimit = "device-limit", "the plan's number of devices is reached", Change, 5;
    /// An allowance (of a day, say) is used up.
    ///
    /// Troubleshooting: wait until the provider's next period.
    QuotaReached = "quota-reached", "the allowance is used up", Change, 5;
    /// The thing is still being created or deleted.
    ///
    /// Troubleshooting: wait and try again.
    Pending = "pending", "still being created or deleted", Retry, 5;
    /// Too many requests; [`Error::retry_after`] says how long to wait, where the server said so.
    ///
    /// Troubleshooting: wait that long; make fewer calls.
    RateLimited = "rate-limited", "too many requests", Retry, 6;
    /// The provider said no, for a reason that anyvpn has no kind for; the message is the provider's.
    ///
    /// Troubleshooting: read the message.
    Refused = "refused", "the provider refused", Change, 5;
    /// The provider answered that it cannot serve now (HTTP 5xx).
    ///
    /// Troubleshooting: try later; look at the provider's status page. For a call that must not be
    /// repeated, read back first: see [`Advice::ReadBack`].
    Unavailable = "unavailable", "the provider cannot serve now", Retry, 7;
    /// No reply came in time, for a call that may be repeated.
    ///
    /// Troubleshooting: try again; look at the network.
    Timeout = "timeout", "no reply in time", Retry, 7;
    /// The provider could not be reached: name, connection or TLS. The request was not sent, or it
    /// was lost and the call may be repeated.
    ///
    /// Troubleshooting: look at the network, the address and the clock of this machine.
    Unreachable = "unreachable", "the provider could not be reached", Retry, 7;
    /// A reply came that does not fit the provider's documents.
    ///
    /// Troubleshooting: the error shows where the reply differs. A login page of a hotel network
    /// looks like this too.
    UnexpectedReply = "unexpected-reply", "the reply is not as documented", Change, 8;
    /// The request was sent and no answer came: it may have been done or not, and it was not
    /// repeated because repeating could do it twice.
    ///
    /// Troubleshooting: read back (list, show) to see what is there, then decide.
    Ambiguous = "ambiguous", "the outcome is unknown: it may have been done", ReadBack, 9;
}
