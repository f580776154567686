//! Behaviour that the documents leave open: the choices of seed 0, and their variations.

use crate::variation::{Row, draw, row};

/// The HTTP status of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorStatus {
    /// 404 if something does not exist; otherwise [`Quirks::denied`], [`Quirks::exists`] or
    /// [`Quirks::invalid`].
    Exact,
    /// 200 for every error; only the body shows that it is an error.
    Ok,
    /// 400 for every error.
    BadRequest,
}

/// The form of an error's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeForm {
    /// `1301`
    Number,
    /// `"1301"`
    Digits,
    /// `"client_exists"`
    Word,
}

/// The reply with an empty list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmptyList {
    /// `"response": []`
    Array,
    /// Without `response`.
    Missing,
}

/// The choices of one sandbox: by default those of seed 0, changed by the variations that its seed
/// selects or that were switched on by name. `docs/decisions/sandbox.md` gives the source of each
/// choice of seed 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// The key of an error's code.
    pub code_field: &'static str,
    /// The key of an error's message.
    pub message_field: &'static str,
    /// The form of the code.
    pub code_form: CodeForm,
    /// HTTP status of errors. The AddClient limit is 429 with each of them.
    pub error_status: ErrorStatus,
    /// With [`ErrorStatus::Exact`], the status of a wrong key or credential.
    pub denied: u16,
    /// With [`ErrorStatus::Exact`], the status if something already exists.
    pub exists: u16,
    /// With [`ErrorStatus::Exact`], the status of input that is wrong.
    pub invalid: u16,
    /// Whether a caller with an end-user's credential gets the error for a wrong credential if the
    /// customer does not exist. A server always gets the correct error.
    pub unknown_email_is_denied: bool,
    /// Whether a refusal because of AddClient's limit has `Retry-After`.
    pub retry_after: bool,
    /// Whether TokenRefresh ends earlier short tokens.
    pub refresh_ends_short_token: bool,
    /// Whether TokenRefresh ends earlier long tokens.
    pub refresh_ends_long_token: bool,
    /// Whether callers that are not white-listed get `username`.
    pub username_for_all: bool,
    /// Whether GetProducts returns the products' credentials to callers that are not white-listed.
    pub product_credentials_for_all: bool,
    /// Whether `product_id` is a number.
    pub product_id_is_number: bool,
    /// The status of an active product whose account is about to end.
    pub cancelling: &'static str,
    /// The reply with an empty list.
    pub empty_list: EmptyList,
    /// Whether the missing name of an alias is null instead of an empty string.
    pub absent_name_is_null: bool,
    /// Whether TokenRefresh accepts an alias with its password, and returns tokens of its account.
    pub aliases_sign_in: bool,
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks {
            code_field: "code",
            message_field: "message",
            code_form: CodeForm::Number,
            error_status: ErrorStatus::Exact,
            denied: 401,
            exists: 409,
            invalid: 422,
            unknown_email_is_denied: false,
            retry_after: true,
            refresh_ends_short_token: true,
            refresh_ends_long_token: true,
            username_for_all: false,
            product_credentials_for_all: true,
            product_id_is_number: false,
            cancelling: "Active",
            empty_list: EmptyList::Array,
            absent_name_is_null: false,
            aliases_sign_in: true,
        }
    }
}

/// Each row: the field, the variation's name, the difference, and how to apply it.
#[rustfmt::skip]
pub(super) static VARIATIONS: &[Row<Quirks>] = &[
    row("code_field", "vpngn.code-is-in-error-code", "The code of an error is in `error_code` instead of `code`.", |quirks| quirks.code_field = "error_code"),
    row("code_field", "vpngn.code-is-in-errorcode", "The code of an error is in `errorcode` instead of `code`.", |quirks| quirks.code_field = "errorcode"),
    row("code_field", "vpngn.code-is-in-error", "The code of an error is in `error` instead of `code`.", |quirks| quirks.code_field = "error"),
    row("message_field", "vpngn.message-is-in-error-message", "The text of an error is in `error_message` instead of `message`.", |quirks| quirks.message_field = "error_message"),
    row("message_field", "vpngn.message-is-in-msg", "The text of an error is in `msg` instead of `message`.", |quirks| quirks.message_field = "msg"),
    row("message_field", "vpngn.message-is-in-description", "The text of an error is in `description` instead of `message`.", |quirks| quirks.message_field = "description"),
    row("code_form", "vpngn.code-is-digits", "An error's code is a string of digits.", |quirks| quirks.code_form = CodeForm::Digits),
    row("code_form", "vpngn.code-is-a-word", "An error's code is a word.", |quirks| quirks.code_form = CodeForm::Word),
    row("error_status", "vpngn.errors-are-200", "Errors have status 200; only the body shows that they are errors.", |quirks| quirks.error_status = ErrorStatus::Ok),
    row("error_status", "vpngn.errors-are-400", "All errors have status 400.", |quirks| quirks.error_status = ErrorStatus::BadRequest),
    row("denied", "vpngn.denied-is-403", "A wrong key or credential is refused with 403 instead of 401.", |quirks| quirks.denied = 403),
    row("exists", "vpngn.exists-is-422", "A client or alias that already exists is refused with 422 instead of 409.", |quirks| quirks.exists = 422),
    row("invalid", "vpngn.invalid-is-400", "Invalid input is refused with 400 instead of 422.", |quirks| quirks.invalid = 400),
    row("unknown_email_is_denied", "vpngn.unknown-email-is-denied", "An unknown email is refused like a wrong credential, unless the caller is a server.", |quirks| quirks.unknown_email_is_denied = true),
    row("retry_after", "vpngn.no-retry-after", "The refusal at AddClient's limit has no `Retry-After`.", |quirks| quirks.retry_after = false),
    row("refresh_ends_short_token", "vpngn.refresh-keeps-short-tokens", "TokenRefresh leaves earlier short tokens valid.", |quirks| quirks.refresh_ends_short_token = false),
    row("refresh_ends_long_token", "vpngn.refresh-keeps-long-tokens", "TokenRefresh leaves earlier long tokens valid.", |quirks| quirks.refresh_ends_long_token = false),
    row("username_for_all", "vpngn.username-for-all", "Callers that are not white-listed get `username`.", |quirks| quirks.username_for_all = true),
    row("product_credentials_for_all", "vpngn.product-credentials-for-whitelisted", "GetProducts returns a product's credentials only to white-listed callers.", |quirks| quirks.product_credentials_for_all = false),
    row("product_id_is_number", "vpngn.product-id-is-a-number", "`product_id` is a number.", |quirks| quirks.product_id_is_number = true),
    row("cancelling", "vpngn.cancelling-is-cancelled", "A product whose account is about to end is `Cancelled` instead of `Active`.", |quirks| quirks.cancelling = "Cancelled"),
    row("empty_list", "vpngn.empty-list-is-missing", "The reply with an empty list has no `response`.", |quirks| quirks.empty_list = EmptyList::Missing),
    row("absent_name_is_null", "vpngn.absent-name-is-null", "If an alias has no name, the name is null instead of an empty string.", |quirks| quirks.absent_name_is_null = true),
    row("aliases_sign_in", "vpngn.aliases-do-not-sign-in", "TokenRefresh does not accept an alias.", |quirks| quirks.aliases_sign_in = false),
];

impl Quirks {
    /// Returns the choices that the seed determines.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        draw(VARIATIONS, seed)
    }
}
