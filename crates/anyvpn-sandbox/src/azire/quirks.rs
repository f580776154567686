//! Behaviour that the documents leave open: the choices of seed 0, and their variations.

use crate::variation::{Row, draw, row};

/// The form in which the user object reports the number of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserIps {
    /// `{"allocated": 0, "available": 10}`
    Object,
    /// `[{"allocated": 0}, {"available": 10}]`
    Array,
    /// The field is missing.
    Missing,
}

/// The reply to a deletion, for which no reply is documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeleteReply {
    /// 200 with `{"status": "success"}`.
    Envelope,
    /// 200 without a body.
    Empty,
    /// 204.
    NoContent,
}

/// The reply to a list request if no port is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmptyList {
    /// 404 `No port forwardings found`
    NoneFound,
    /// 404 `Not found`
    NotFound,
    /// 200 with an empty array.
    Array,
}

/// The choices of one sandbox: by default those of seed 0, changed by the variations that its seed
/// selects or that were switched on by name. `docs/decisions/sandbox.md` gives the source of each
/// choice of seed 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// `ips` of the user object.
    pub user_ips: UserIps,
    /// Status of a successful creation.
    pub created: u16,
    /// Status of a sign-in with wrong credentials.
    pub wrong_sign_in: u16,
    /// Status of a deletion of the account with the wrong password.
    pub wrong_password: u16,
    /// Whether a changed email address counts as verified.
    pub changed_email_is_verified: bool,
    /// Whether `POST /ips` answers without an envelope.
    pub created_ip_is_bare: bool,
    /// Status of `POST /ips` with a key that the account has already; 200 answers with the device
    /// that has it.
    pub duplicate_key: u16,
    /// Whether a fourth key of an ip drops the oldest, or is refused.
    pub fourth_key_drops_oldest: bool,
    /// Whether `pool` and `pubkey` of a location are arrays.
    pub locations_have_arrays: bool,
    /// Status if `internal_ipv4` is not a device of the account.
    pub unknown_device: u16,
    /// Status for one device or port more than allowed at a time.
    pub too_many: u16,
    /// Status of the answer that a port is closed.
    pub closed: u16,
    /// Whether `expires_in: 0` counts as absent, or is refused.
    pub zero_days_is_absent: bool,
    /// Ports that an account may create a day.
    pub daily_port_cap: u32,
    /// The reply to a deletion.
    pub deleted: DeleteReply,
    /// The reply to a list request if no port is visible.
    pub empty_list: EmptyList,
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks {
            user_ips: UserIps::Object,
            created: 200,
            wrong_sign_in: 401,
            wrong_password: 403,
            changed_email_is_verified: true,
            created_ip_is_bare: false,
            duplicate_key: 200,
            fourth_key_drops_oldest: false,
            locations_have_arrays: false,
            unknown_device: 422,
            too_many: 422,
            closed: 400,
            zero_days_is_absent: true,
            daily_port_cap: 10,
            deleted: DeleteReply::Envelope,
            empty_list: EmptyList::NoneFound,
        }
    }
}

/// Each row: the field, the variation's name, the difference, and how to apply it.
#[rustfmt::skip]
pub(super) static VARIATIONS: &[Row<Quirks>] = &[
    row("user_ips", "azire.user-ips-are-an-array", "The user's `ips` are an array of two objects.", |quirks| quirks.user_ips = UserIps::Array),
    row("user_ips", "azire.user-ips-are-missing", "The user has no `ips` field.", |quirks| quirks.user_ips = UserIps::Missing),
    row("created", "azire.created-is-201", "Creations answer with status 201 instead of 200.", |quirks| quirks.created = 201),
    row("wrong_sign_in", "azire.wrong-sign-in-is-422", "A sign-in with wrong credentials is a validation error instead of 401.", |quirks| quirks.wrong_sign_in = 422),
    row("wrong_password", "azire.wrong-password-is-422", "Deleting the account with a wrong password is a validation error instead of 403.", |quirks| quirks.wrong_password = 422),
    row("changed_email_is_verified", "azire.changed-email-is-unverified", "A changed email address must be verified again.", |quirks| quirks.changed_email_is_verified = false),
    row("created_ip_is_bare", "azire.created-ip-is-bare", "`POST /ips` answers without an envelope, as on the vendor's page.", |quirks| quirks.created_ip_is_bare = true),
    row("duplicate_key", "azire.duplicate-key-is-422", "Adding a WireGuard key that the account already has is a validation error.", |quirks| quirks.duplicate_key = 422),
    row("duplicate_key", "azire.duplicate-key-is-409", "Adding a WireGuard key that the account already has is refused with 409.", |quirks| quirks.duplicate_key = 409),
    row("fourth_key_drops_oldest", "azire.fourth-key-drops-oldest", "A fourth key of a device replaces the oldest.", |quirks| quirks.fourth_key_drops_oldest = true),
    row("locations_have_arrays", "azire.locations-have-arrays", "`pool` and `pubkey` of a location are arrays, as on the vendor's page.", |quirks| quirks.locations_have_arrays = true),
    row("unknown_device", "azire.unknown-device-is-404", "An `internal_ipv4` that is not a device of the account is reported as not found instead of invalid.", |quirks| quirks.unknown_device = 404),
    row("too_many", "azire.too-many-is-403", "A device or port beyond the limit is refused with 403 instead of 422.", |quirks| quirks.too_many = 403),
    row("closed", "azire.closed-port-is-200", "\"Port is closed\" has status 200 instead of 400.", |quirks| quirks.closed = 200),
    row("closed", "azire.closed-port-is-404", "\"Port is closed\" has status 404 instead of 400.", |quirks| quirks.closed = 404),
    row("closed", "azire.closed-port-is-422", "\"Port is closed\" has status 422 instead of 400.", |quirks| quirks.closed = 422),
    row("zero_days_is_absent", "azire.zero-days-are-refused", "`expires_in: 0` is a validation error.", |quirks| quirks.zero_days_is_absent = false),
    row("daily_port_cap", "azire.daily-port-cap-is-5", "An account may create 5 ports a day instead of 10.", |quirks| quirks.daily_port_cap = 5),
    row("daily_port_cap", "azire.daily-port-cap-is-19", "An account may create 19 ports a day instead of 10.", |quirks| quirks.daily_port_cap = 19),
    row("deleted", "azire.deleted-is-empty", "Deletions answer with 200 and no body.", |quirks| quirks.deleted = DeleteReply::Empty),
    row("deleted", "azire.deleted-is-204", "Deletions answer with 204.", |quirks| quirks.deleted = DeleteReply::NoContent),
    row("empty_list", "azire.empty-list-is-not-found", "A list without ports is answered with 404 \"Not found\".", |quirks| quirks.empty_list = EmptyList::NotFound),
    row("empty_list", "azire.empty-list-is-an-array", "A list without ports is answered with 200 and an empty array.", |quirks| quirks.empty_list = EmptyList::Array),
];

impl Quirks {
    /// Returns the choices that the seed determines.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        draw(VARIATIONS, seed)
    }
}
