//! What the documents leave open, decided by the seed.

use crate::random::Random;

/// Which HTTP status an error has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorStatus {
    /// 404 for what is not there, and [`Quirks::denied`], [`Quirks::exists`] or [`Quirks::invalid`].
    Exact,
    /// 200 for every error: only the body tells.
    Ok,
    /// 400 for every error.
    BadRequest,
}

/// In which form an error tells its code.
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

/// How a list with nothing in it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmptyList {
    /// `"response": []`
    Array,
    /// Without `response`.
    Missing,
}

/// The choices of one sandbox. Seed 0 takes the first of each, as listed here; any other seed
/// draws. A test that needs a certain choice looks for a seed:
///
/// ```
/// use anyvpn_sandbox::vpngn::Quirks;
///
/// let seed = (0..).find(|seed| Quirks::from_seed(*seed).product_id_is_number);
/// assert!(seed.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Where an error tells its code: `code`, `error_code`, `errorcode` or `error`.
    pub code_field: &'static str,
    /// Where an error tells its message: `message`, `error_message`, `msg` or `description`.
    pub message_field: &'static str,
    /// The form of the code: [`CodeForm::Number`], `Digits` or `Word`.
    pub code_form: CodeForm,
    /// HTTP status of errors: [`ErrorStatus::Exact`], `Ok` or `BadRequest`. The AddClient limit is
    /// 429 with each of them.
    pub error_status: ErrorStatus,
    /// With [`ErrorStatus::Exact`], the status of a wrong key or credential: 401 or 403.
    pub denied: u16,
    /// With [`ErrorStatus::Exact`], the status of what is there already: 409 or 422.
    pub exists: u16,
    /// With [`ErrorStatus::Exact`], the status of input that is wrong: 422 or 400.
    pub invalid: u16,
    /// Whether a caller with an end-user's credential is told that there is no such customer as one
    /// whose credential is wrong: false or true. A server is always told the truth.
    pub unknown_email_is_denied: bool,
    /// Whether the refusal by AddClient's limit has `Retry-After`: true or false.
    pub retry_after: bool,
    /// Whether TokenRefresh ends the short tokens before: true or false.
    pub refresh_ends_short_token: bool,
    /// Whether TokenRefresh ends the long tokens before: false or true.
    pub refresh_ends_long_token: bool,
    /// Whether callers that are not white-listed are told `username`: false or true.
    pub username_for_all: bool,
    /// Whether callers that are not white-listed are told the credentials of products by
    /// GetProducts: true, as the sample shows them, or false.
    pub product_credentials_for_all: bool,
    /// Whether `product_id` is a number: false, as the sample shows it, or true.
    pub product_id_is_number: bool,
    /// The status of an active product whose account is about to end: `Active` or `Cancelled`.
    pub cancelling: &'static str,
    /// How a list with nothing in it is answered: [`EmptyList::Array`] or `Missing`.
    pub empty_list: EmptyList,
    /// Whether a name that an alias does not have is null: false for an empty text, or true.
    pub absent_name_is_null: bool,
    /// Whether TokenRefresh takes an alias with its password, and gives tokens of the account it
    /// belongs to: true or false.
    pub aliases_sign_in: bool,
}

impl Quirks {
    /// The choices that follow from the seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        let mut random = Random::new(seed, 5);
        let mut draw = |options: u32| {
            if seed == 0 { 0 } else { random.below(options) as usize }
        };
        Quirks {
            code_field: ["code", "error_code", "errorcode", "error"][draw(4)],
            message_field: ["message", "error_message", "msg", "description"][draw(4)],
            code_form: [CodeForm::Number, CodeForm::Digits, CodeForm::Word][draw(3)],
            error_status: [ErrorStatus::Exact, ErrorStatus::Ok, ErrorStatus::BadRequest][draw(3)],
            denied: [401, 403][draw(2)],
            exists: [409, 422][draw(2)],
            invalid: [422, 400][draw(2)],
            unknown_email_is_denied: [false, true][draw(2)],
            retry_after: [true, false][draw(2)],
            refresh_ends_short_token: [true, false][draw(2)],
            refresh_ends_long_token: [false, true][draw(2)],
            username_for_all: [false, true][draw(2)],
            product_credentials_for_all: [true, false][draw(2)],
            product_id_is_number: [false, true][draw(2)],
            cancelling: ["Active", "Cancelled"][draw(2)],
            empty_list: [EmptyList::Array, EmptyList::Missing][draw(2)],
            absent_name_is_null: [false, true][draw(2)],
            aliases_sign_in: [true, false][draw(2)],
        }
    }
}
