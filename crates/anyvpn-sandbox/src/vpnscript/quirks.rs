//! What the document leaves open, decided by the seed.

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use serde_json::Value;

use crate::random::Random;

/// How the flag is spelled that tells a success from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flag {
    /// As the document spells it, for each call.
    Documented,
    /// `success` everywhere.
    Success,
    /// `status` everywhere.
    Status,
}

/// Where a refusal has its text.
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

/// The choices of one sandbox. Seed 0 takes the first of each, as listed here; any other seed
/// draws. A test that needs a certain choice looks for a seed:
///
/// ```
/// use anyvpn_sandbox::vpnscript::Quirks;
///
/// let seed = (0..).find(|seed| Quirks::from_seed(*seed).ids_are_text);
/// assert!(seed.is_some());
/// ```
///
/// The sign-in, its refusals and the 401 are as documented with every seed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// How the success flag is spelled: [`Flag::Documented`], `Success` or `Status`.
    pub flag: Flag,
    /// Whether the success flag is 1 or 0: false or true.
    pub flag_is_number: bool,
    /// Where a refusal has its text: [`MessageKey::Message`], `Error` or `Errors`.
    pub message_key: MessageKey,
    /// Status of the documented refusals: 200, 400, 403, 404 or 422.
    pub refused: u16,
    /// Whether ids are text: false or true.
    pub ids_are_text: bool,
    /// Whether `auto_renew` and `enabled` are true rather than 1: false or true.
    pub switches_are_boolean: bool,
    /// Whether times have the offset `+02:00` and whole seconds, rather than microseconds and `Z`:
    /// false or true.
    pub times_have_offset: bool,
    /// Whether the account's `created_at` is null: true as in the sample, or false.
    pub created_at_is_null: bool,
    /// Whether the service's `next_payment` is null: false or true.
    pub next_payment_is_null: bool,
    /// Whether `per_page` is a number: false as in the sample, or true.
    pub per_page_is_number: bool,
    /// Whether a profile is refused with the service's state, as other calls are, rather than with
    /// the one text that is documented for it: false or true.
    pub profile_names_the_state: bool,
    /// Whether a list without configurations is refused as documented, or empty: true or false.
    pub no_configs_is_refused: bool,
    /// Whether a suspended user may read the account's details, or is refused that too: true or
    /// false.
    pub suspended_may_read_account: bool,
    /// Whether a configuration may be deleted after its job failed, or counts as pending for ever:
    /// true or false.
    pub failed_may_be_deleted: bool,
    /// Whether a configuration is active again after its deletion failed: false or true.
    pub failed_deletion_is_active: bool,
}

impl Quirks {
    /// The choices that follow from the seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        let mut random = Random::new(seed, 11);
        let mut draw = |options: u32| {
            if seed == 0 { 0 } else { random.below(options) as usize }
        };
        Quirks {
            flag: [Flag::Documented, Flag::Success, Flag::Status][draw(3)],
            flag_is_number: [false, true][draw(2)],
            message_key: [MessageKey::Message, MessageKey::Error, MessageKey::Errors][draw(3)],
            refused: [200, 400, 403, 404, 422][draw(5)],
            ids_are_text: [false, true][draw(2)],
            switches_are_boolean: [false, true][draw(2)],
            times_have_offset: [false, true][draw(2)],
            created_at_is_null: [true, false][draw(2)],
            next_payment_is_null: [false, true][draw(2)],
            per_page_is_number: [false, true][draw(2)],
            profile_names_the_state: [false, true][draw(2)],
            no_configs_is_refused: [true, false][draw(2)],
            suspended_may_read_account: [true, false][draw(2)],
            failed_may_be_deleted: [true, false][draw(2)],
            failed_deletion_is_active: [false, true][draw(2)],
        }
    }

    pub(super) fn id(&self, id: u64) -> Value {
        if self.ids_are_text { id.to_string().into() } else { id.into() }
    }

    pub(super) fn switch(&self, on: bool) -> Value {
        if self.switches_are_boolean { on.into() } else { u8::from(on).into() }
    }

    /// A time in seconds since 1970.
    pub(super) fn time(&self, second: i64) -> String {
        let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        match self.times_have_offset {
            false => time.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
            true => {
                let local = time.to_zoned(TimeZone::fixed(offset(2)));
                local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
            }
        }
    }
}
