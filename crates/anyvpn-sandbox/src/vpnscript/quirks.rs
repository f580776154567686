//! Behaviour that the document leaves open: the choices of seed 0, and their variations.

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use serde_json::Value;

use crate::variation::{Row, draw, row};

/// The name of the flag that distinguishes a success from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flag {
    /// Each call uses the spelling of the document.
    Documented,
    /// `success` everywhere.
    Success,
    /// `status` everywhere.
    Status,
}

/// The key of a refusal's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKey {
    /// `message`
    Message,
    /// `error`
    Error,
    /// `errors`
    Errors,
}

impl MessageKey {
    pub(super) fn name(self) -> &'static str {
        match self {
            MessageKey::Message => "message",
            MessageKey::Error => "error",
            MessageKey::Errors => "errors",
        }
    }
}

/// The choices of one sandbox: by default those of seed 0, changed by the variations that its seed
/// selects or that were switched on by name. `docs/decisions/sandbox.md` gives the source of each
/// choice of seed 0.
///
/// The sign-in, its refusals and the 401 are always as documented.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// How the success flag is spelled.
    pub flag: Flag,
    /// Whether the success flag is 1 or 0.
    pub flag_is_number: bool,
    /// The key of a refusal's text.
    pub message_key: MessageKey,
    /// Status of the documented refusals.
    pub refused: u16,
    /// Whether ids are strings.
    pub ids_are_text: bool,
    /// Whether `auto_renew` and `enabled` are true rather than 1.
    pub switches_are_boolean: bool,
    /// Whether times have the offset `+02:00` and whole seconds, rather than microseconds and `Z`.
    pub times_have_offset: bool,
    /// Whether the account's `created_at` is null.
    pub created_at_is_null: bool,
    /// Whether the service's `next_payment` is null.
    pub next_payment_is_null: bool,
    /// Whether `per_page` is a number.
    pub per_page_is_number: bool,
    /// Whether a profile is refused with the service's state, like other calls, instead of the one text
    /// that is documented for it.
    pub profile_names_the_state: bool,
    /// Whether a list without configurations is refused as documented; otherwise it is empty.
    pub no_configs_is_refused: bool,
    /// Whether a suspended user may read the account's details.
    pub suspended_may_read_account: bool,
    /// Whether a configuration may be deleted after its job failed; otherwise it stays pending forever.
    pub failed_may_be_deleted: bool,
    /// Whether a configuration is active again after its deletion failed.
    pub failed_deletion_is_active: bool,
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks {
            flag: Flag::Documented,
            flag_is_number: false,
            message_key: MessageKey::Message,
            refused: 200,
            ids_are_text: false,
            switches_are_boolean: false,
            times_have_offset: false,
            created_at_is_null: true,
            next_payment_is_null: false,
            per_page_is_number: false,
            profile_names_the_state: false,
            no_configs_is_refused: true,
            suspended_may_read_account: true,
            failed_may_be_deleted: true,
            failed_deletion_is_active: false,
        }
    }
}

/// Each row: the field, the variation's name, the difference, and how to apply it.
#[rustfmt::skip]
pub(super) static VARIATIONS: &[Row<Quirks>] = &[
    row("flag", "vpnscript.flag-is-success", "The success flag is `success` in every reply.", |quirks| quirks.flag = Flag::Success),
    row("flag", "vpnscript.flag-is-status", "The success flag is `status` in every reply.", |quirks| quirks.flag = Flag::Status),
    row("flag_is_number", "vpnscript.flag-is-a-number", "The success flag is 1 or 0.", |quirks| quirks.flag_is_number = true),
    row("message_key", "vpnscript.message-is-in-error", "The text of a refusal is in `error` instead of `message`.", |quirks| quirks.message_key = MessageKey::Error),
    row("message_key", "vpnscript.message-is-in-errors", "The text of a refusal is in `errors` instead of `message`.", |quirks| quirks.message_key = MessageKey::Errors),
    row("refused", "vpnscript.refused-is-400", "The documented refusals have status 400 instead of 200.", |quirks| quirks.refused = 400),
    row("refused", "vpnscript.refused-is-403", "The documented refusals have status 403 instead of 200.", |quirks| quirks.refused = 403),
    row("refused", "vpnscript.refused-is-404", "The documented refusals have status 404 instead of 200.", |quirks| quirks.refused = 404),
    row("refused", "vpnscript.refused-is-422", "The documented refusals have status 422 instead of 200.", |quirks| quirks.refused = 422),
    row("ids_are_text", "vpnscript.ids-are-text", "Ids are strings.", |quirks| quirks.ids_are_text = true),
    row("switches_are_boolean", "vpnscript.switches-are-boolean", "`auto_renew` and `enabled` are true instead of 1.", |quirks| quirks.switches_are_boolean = true),
    row("times_have_offset", "vpnscript.times-have-an-offset", "Times have whole seconds and the offset `+02:00`.", |quirks| quirks.times_have_offset = true),
    row("created_at_is_null", "vpnscript.created-at-is-set", "The account's `created_at` is a time instead of null.", |quirks| quirks.created_at_is_null = false),
    row("next_payment_is_null", "vpnscript.next-payment-is-null", "The service's `next_payment` is null.", |quirks| quirks.next_payment_is_null = true),
    row("per_page_is_number", "vpnscript.per-page-is-a-number", "`per_page` is a number instead of a string.", |quirks| quirks.per_page_is_number = true),
    row("profile_names_the_state", "vpnscript.profile-names-the-state", "A profile is refused with the service's state, like other calls.", |quirks| quirks.profile_names_the_state = true),
    row("no_configs_is_refused", "vpnscript.no-configs-is-an-empty-list", "A list without configurations is empty instead of refused.", |quirks| quirks.no_configs_is_refused = false),
    row("suspended_may_read_account", "vpnscript.suspended-reads-nothing", "A suspended user may not read the account's details.", |quirks| quirks.suspended_may_read_account = false),
    row("failed_may_be_deleted", "vpnscript.failed-stays-pending", "A configuration whose job failed cannot be deleted.", |quirks| quirks.failed_may_be_deleted = false),
    row("failed_deletion_is_active", "vpnscript.failed-deletion-is-active", "A configuration is active again after its deletion failed.", |quirks| quirks.failed_deletion_is_active = true),
];

impl Quirks {
    /// Returns the choices that the seed determines.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        draw(VARIATIONS, seed)
    }

    pub(super) fn id(&self, id: u64) -> Value {
        if self.ids_are_text { id.to_string().into() } else { id.into() }
    }

    pub(super) fn switch(&self, on: bool) -> Value {
        if self.switches_are_boolean { on.into() } else { u8::from(on).into() }
    }

    /// Formats a time, given in seconds since 1970.
    pub(super) fn time(&self, second: i64) -> String {
        let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        match self.times_have_offset {
            false => time.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
            true => {
                let local = time.to_zoned_datetime(TimeZone::fixed(offset(2)));
                local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
            }
        }
    }
}
