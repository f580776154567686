//! Behaviour that the vendor's sources leave open: the choices of seed 0, and their variations.

use crate::variation::{Row, draw, row};

/// The choices of one sandbox: by default those of seed 0, changed by the variations that its seed
/// selects or that were switched on by name. `docs/decisions/sandbox.md` gives the source of each
/// choice of seed 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Whether a wrong password is refused with text instead of JSON.
    pub wrong_password_is_text: bool,
    /// The status of the refusal if a user signs in too often.
    pub locked: u16,
    /// Status of `Login failed!`.
    pub login_failed: u16,
    /// Status of `port expired`.
    pub port_expired: u16,
    /// Whether `peer_ip` ends with `/32`.
    pub peer_ip_has_mask: bool,
    /// Whether a payload has its time of creation instead of its end.
    pub payload_lacks_end: bool,
    /// Whether each list has the servers of a region in another order.
    pub list_rotates: bool,
    /// Whether most of the account's fields are missing.
    pub account_is_sparse: bool,
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks {
            wrong_password_is_text: false,
            locked: 429,
            login_failed: 401,
            port_expired: 400,
            peer_ip_has_mask: false,
            payload_lacks_end: false,
            list_rotates: false,
            account_is_sparse: false,
        }
    }
}

/// Each row: the field, the variation's name, the difference, and how to apply it.
#[rustfmt::skip]
pub(super) static VARIATIONS: &[Row<Quirks>] = &[
    row("wrong_password_is_text", "pia.wrong-password-is-text", "A wrong password is refused with a line of text instead of JSON.", |quirks| quirks.wrong_password_is_text = true),
    row("locked", "pia.locked-is-400", "Signing in too often is refused with 400 instead of 429.", |quirks| quirks.locked = 400),
    row("locked", "pia.locked-is-403", "Signing in too often is refused with 403 instead of 429.", |quirks| quirks.locked = 403),
    row("login_failed", "pia.login-failed-is-400", "`Login failed!` has status 400 instead of 401.", |quirks| quirks.login_failed = 400),
    row("login_failed", "pia.login-failed-is-403", "`Login failed!` has status 403 instead of 401.", |quirks| quirks.login_failed = 403),
    row("login_failed", "pia.login-failed-is-500", "`Login failed!` has status 500 instead of 401.", |quirks| quirks.login_failed = 500),
    row("port_expired", "pia.port-expired-is-401", "`port expired` has status 401 instead of 400.", |quirks| quirks.port_expired = 401),
    row("peer_ip_has_mask", "pia.peer-ip-has-a-mask", "`peer_ip` ends with `/32`.", |quirks| quirks.peer_ip_has_mask = true),
    row("payload_lacks_end", "pia.payload-lacks-its-end", "A payload has `created_at` instead of `expires_at`.", |quirks| quirks.payload_lacks_end = true),
    row("list_rotates", "pia.list-rotates", "Each list has the servers of a region in a different order.", |quirks| quirks.list_rotates = true),
    row("account_is_sparse", "pia.account-is-sparse", "The account has only its name and the flag that says whether it is active.", |quirks| quirks.account_is_sparse = true),
];

impl Quirks {
    /// Returns the choices that the seed determines.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        draw(VARIATIONS, seed)
    }
}
