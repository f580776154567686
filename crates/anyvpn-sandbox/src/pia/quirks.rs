//! What the vendor's sources leave open: the answers of seed 0, and the variations of them.

use crate::variation::{Row, draw, row};

/// The choices of one sandbox: those of seed 0 by default, with the variations that its seed drew or
/// that were switched on by name. Where each choice of seed 0 comes from stands in
/// `docs/decisions/sandbox.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Whether a wrong password is refused with text instead of JSON.
    pub wrong_password_is_text: bool,
    /// Status of the refusal of who signs in too often.
    pub locked: u16,
    /// Status of `Login failed!`.
    pub login_failed: u16,
    /// Status of `port expired`.
    pub port_expired: u16,
    /// Whether `peer_ip` has `/32` behind it.
    pub peer_ip_has_mask: bool,
    /// Whether a payload says when it was made instead of when it ends.
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

/// Field, name, what is different, and how.
#[rustfmt::skip]
pub(super) static VARIATIONS: &[Row<Quirks>] = &[
    row("wrong_password_is_text", "pia.wrong-password-is-text", "A wrong password is refused with a line of text instead of JSON.", |quirks| quirks.wrong_password_is_text = true),
    row("locked", "pia.locked-is-400", "Who signs in too often is refused with 400 instead of 429.", |quirks| quirks.locked = 400),
    row("locked", "pia.locked-is-403", "Who signs in too often is refused with 403 instead of 429.", |quirks| quirks.locked = 403),
    row("login_failed", "pia.login-failed-is-400", "`Login failed!` has status 400 instead of 401.", |quirks| quirks.login_failed = 400),
    row("login_failed", "pia.login-failed-is-403", "`Login failed!` has status 403 instead of 401.", |quirks| quirks.login_failed = 403),
    row("login_failed", "pia.login-failed-is-500", "`Login failed!` has status 500 instead of 401.", |quirks| quirks.login_failed = 500),
    row("port_expired", "pia.port-expired-is-401", "`port expired` has status 401 instead of 400.", |quirks| quirks.port_expired = 401),
    row("peer_ip_has_mask", "pia.peer-ip-has-a-mask", "`peer_ip` has `/32` behind it.", |quirks| quirks.peer_ip_has_mask = true),
    row("payload_lacks_end", "pia.payload-lacks-its-end", "A payload has `created_at` instead of `expires_at`.", |quirks| quirks.payload_lacks_end = true),
    row("list_rotates", "pia.list-rotates", "Each list has the servers of a region in another order.", |quirks| quirks.list_rotates = true),
    row("account_is_sparse", "pia.account-is-sparse", "The account has its name and whether it is active, and nothing else.", |quirks| quirks.account_is_sparse = true),
];

impl Quirks {
    /// The choices that follow from the seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        draw(VARIATIONS, seed)
    }
}
