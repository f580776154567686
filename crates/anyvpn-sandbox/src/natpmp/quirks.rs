//! Behaviour of gateways that is not known: the choices of seed 0, and their variations.

use crate::variation::{Row, draw, row};

/// The reply to a request for internal port 0 and external port 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FirstForm {
    /// The request is granted, and so is the form with two zeros.
    Granted,
    /// The request is refused with result 2; the form with two zeros is granted.
    Refused,
    /// The request is not answered; the form with two zeros is granted.
    Silent,
}

/// The reply to the renewal of a port that the client no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LateRenewal {
    /// The internal port is mapped as requested, with another external number.
    Mapped,
    /// Another number is granted for both sides.
    Symmetric,
    /// The renewal is refused with result 2.
    Refused,
}

/// The choices of one sandbox: by default those of seed 0, changed by the variations that its seed
/// selects or that were switched on by name. `docs/decisions/sandbox.md` gives the source of each
/// choice of seed 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Whether a reply to internal port 0 names the granted number as the internal port too.
    pub replies_with_both_ports: bool,
    /// The reply to the form that Proton documents.
    pub first_form: FirstForm,
    /// The reply to a renewal that comes too late.
    pub late_renewal: LateRenewal,
    /// The result code for one mapping too many.
    pub too_many: u16,
    /// Whether a refusal echoes the external port and the lifetime of the request.
    pub refusal_is_filled: bool,
    /// Whether an unknown request is answered with 8 bytes instead of a copy of itself.
    pub unknown_is_short: bool,
    /// Whether ending all mappings of one protocol also ends those of the other.
    pub end_of_all_is_of_both: bool,
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks {
            replies_with_both_ports: false,
            first_form: FirstForm::Granted,
            late_renewal: LateRenewal::Mapped,
            too_many: 4,
            refusal_is_filled: false,
            unknown_is_short: false,
            end_of_all_is_of_both: false,
        }
    }
}

impl Quirks {
    /// Returns the choices that a seed determines.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        draw(VARIATIONS, seed)
    }
}

pub(crate) const VARIATIONS: &[Row<Quirks>] = &[
    row(
        "replies_with_both_ports",
        "natpmp.reply-has-both-ports",
        "A reply to internal port 0 names the granted number as the internal port too.",
        |quirks| quirks.replies_with_both_ports = true,
    ),
    row(
        "first_form",
        "natpmp.first-form-is-refused",
        "Internal port 0 with external port 1 is refused; with external port 0 it is granted.",
        |quirks| quirks.first_form = FirstForm::Refused,
    ),
    row(
        "first_form",
        "natpmp.first-form-is-silent",
        "Internal port 0 with external port 1 is not answered; with external port 0 it is granted.",
        |quirks| quirks.first_form = FirstForm::Silent,
    ),
    row(
        "late_renewal",
        "natpmp.late-renewal-is-symmetric",
        "A renewal that comes too late gets another number for both sides.",
        |quirks| quirks.late_renewal = LateRenewal::Symmetric,
    ),
    row(
        "late_renewal",
        "natpmp.late-renewal-is-refused",
        "A renewal that comes too late is refused with result 2.",
        |quirks| quirks.late_renewal = LateRenewal::Refused,
    ),
    row(
        "too_many",
        "natpmp.too-many-is-refused",
        "A sixth mapping is refused with result 2.",
        |quirks| quirks.too_many = 2,
    ),
    row(
        "refusal_is_filled",
        "natpmp.refusal-is-filled",
        "A refusal echoes the external port and the lifetime of the request.",
        |quirks| quirks.refusal_is_filled = true,
    ),
    row(
        "unknown_is_short",
        "natpmp.unknown-is-short",
        "An unknown request is answered with 8 bytes instead of a copy of itself.",
        |quirks| quirks.unknown_is_short = true,
    ),
    row(
        "end_of_all_is_of_both",
        "natpmp.end-of-all-is-of-both",
        "Internal port 0 with lifetime 0 ends the client's mappings of both protocols.",
        |quirks| quirks.end_of_all_is_of_both = true,
    ),
];
