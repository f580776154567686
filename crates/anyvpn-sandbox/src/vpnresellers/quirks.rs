//! Behaviour that the documents leave open: the choices of seed 0, and their variations.

use crate::variation::{Row, draw, row};

/// The form in which a wrong field is reported, always with status 422.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidForm {
    /// The first reason as the message, and all reasons under `errors`.
    Named,
    /// `The given data was invalid.`, and the reasons under `errors`.
    Generic,
    /// The first reason as the message, and nothing else.
    MessageOnly,
}

/// The reply to a change that returns no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DoneReply {
    /// 200 with the account under `data`, if it still exists.
    Account,
    /// 200 with an empty list under `data`.
    EmptyList,
    /// 200 without a body.
    Empty,
    /// 204.
    NoContent,
}

/// The order in which accounts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListOrder {
    /// The oldest account first.
    OldestFirst,
    /// The newest account first.
    NewestFirst,
}

/// The form of a configuration if JSON is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigForm {
    /// `{"data": {"name", "content"}}`
    Content,
    /// `{"data": {"content"}}`
    Nameless,
    /// `{"data": {"file_name", "file_body", "download_url"}}`, as version 3 had it.
    FileBody,
    /// The text under `data`.
    Text,
    /// The text under `config`, and no `data`.
    Config,
    /// The bare file.
    Bare,
}

/// The choices of one sandbox: by default those of seed 0, changed by the variations that its seed
/// selects or that were switched on by name. `docs/decisions/sandbox.md` gives the source of each
/// choice of seed 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Whether successes, and refusals that are Laravel's or have a documented text, have no `code`.
    pub code_is_missing: bool,
    /// Status of a successful creation.
    pub created: u16,
    /// The form in which a wrong field is reported.
    pub invalid: InvalidForm,
    /// The reply to a change that returns no value.
    pub done: DoneReply,
    /// The order in which accounts are listed.
    pub order: ListOrder,
    /// Whether a list reports only the number of the last page, beside `data` instead of in `meta`.
    pub last_page_is_bare: bool,
    /// Whether `per_page` of a page is a string.
    pub per_page_is_text: bool,
    /// Whether the servers come in pages of 15 unless `per_page` says otherwise.
    pub servers_come_by_page: bool,
    /// Whether an account has its WireGuard fields.
    pub wireguard_fields: bool,
    /// Whether an account that has reached its end is `Expired`, or `Disabled`.
    pub ended_is_expired: bool,
    /// Status of an account of another reseller.
    pub stranger: u16,
    /// Whether enabling an enabled account, or disabling a disabled one, is refused.
    pub twice_is_refused: bool,
    /// Whether, if the balance is used up, every call except the one for the balance is refused.
    pub empty_balance_refuses_all: bool,
    /// Whether all accounts are disabled when the balance is used up.
    pub empty_balance_disables: bool,
    /// Status of a wrong password, or an unknown user name, of `POST /accounts/validate`.
    pub wrong_password: u16,
    /// Status of a server or port that does not exist.
    pub unknown_server: u16,
    /// The form of a port's `default`: 1 and 0, true and false, or missing.
    pub default_port: &'static str,
    /// The form of a configuration.
    pub configuration: ConfigForm,
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks {
            code_is_missing: false,
            created: 201,
            invalid: InvalidForm::Named,
            done: DoneReply::Account,
            order: ListOrder::OldestFirst,
            last_page_is_bare: false,
            per_page_is_text: false,
            servers_come_by_page: false,
            wireguard_fields: true,
            ended_is_expired: false,
            stranger: 404,
            twice_is_refused: false,
            empty_balance_refuses_all: false,
            empty_balance_disables: false,
            wrong_password: 422,
            unknown_server: 404,
            default_port: "number",
            configuration: ConfigForm::Content,
        }
    }
}

impl Quirks {
    /// Returns the choices that the seed determines.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        draw(VARIATIONS, seed)
    }
}

#[rustfmt::skip]
pub(super) static VARIATIONS: &[Row<Quirks>] = &[
    row("code_is_missing", "vpnresellers.code-is-missing", "Successes, and refusals with 401, 402, 404, 422 and 429, have no `code`.", |quirks| quirks.code_is_missing = true),
    row("created", "vpnresellers.created-is-200", "Creations answer with status 200 instead of 201.", |quirks| quirks.created = 200),
    row("invalid", "vpnresellers.invalid-is-generic", "The message for an invalid field is Laravel's generic one; only `errors` has the reason.", |quirks| quirks.invalid = InvalidForm::Generic),
    row("invalid", "vpnresellers.invalid-has-no-errors", "An invalid field is reported only in the message.", |quirks| quirks.invalid = InvalidForm::MessageOnly),
    row("done", "vpnresellers.done-is-an-empty-list", "The reply to a change is an empty list under `data`.", |quirks| quirks.done = DoneReply::EmptyList),
    row("done", "vpnresellers.done-is-empty", "The reply to a change is 200 without a body.", |quirks| quirks.done = DoneReply::Empty),
    row("done", "vpnresellers.done-is-204", "The reply to a change is 204.", |quirks| quirks.done = DoneReply::NoContent),
    row("order", "vpnresellers.newest-first", "Accounts are listed newest first.", |quirks| quirks.order = ListOrder::NewestFirst),
    row("last_page_is_bare", "vpnresellers.last-page-is-bare", "A list has `last_page` beside `data`, and no `meta`.", |quirks| quirks.last_page_is_bare = true),
    row("per_page_is_text", "vpnresellers.per-page-is-text", "`per_page` of a page is a string.", |quirks| quirks.per_page_is_text = true),
    row("servers_come_by_page", "vpnresellers.servers-come-by-page", "Servers are listed in pages of 15, like accounts.", |quirks| quirks.servers_come_by_page = true),
    row("wireguard_fields", "vpnresellers.wireguard-fields-are-missing", "An account has no WireGuard fields.", |quirks| quirks.wireguard_fields = false),
    row("ended_is_expired", "vpnresellers.ended-is-expired", "An expired account has the status `Expired` instead of `Disabled`.", |quirks| quirks.ended_is_expired = true),
    row("stranger", "vpnresellers.stranger-is-403", "An account of another reseller is refused with 403.", |quirks| quirks.stranger = 403),
    row("twice_is_refused", "vpnresellers.twice-is-refused", "Enabling an enabled account, or disabling a disabled one, is refused with 422.", |quirks| quirks.twice_is_refused = true),
    row("empty_balance_refuses_all", "vpnresellers.empty-balance-refuses-all", "If the balance is used up, every call except the one for the balance is refused.", |quirks| quirks.empty_balance_refuses_all = true),
    row("empty_balance_disables", "vpnresellers.empty-balance-disables", "All accounts are disabled when the balance is used up.", |quirks| quirks.empty_balance_disables = true),
    row("wrong_password", "vpnresellers.wrong-password-is-401", "A wrong password is refused with 401.", |quirks| quirks.wrong_password = 401),
    row("wrong_password", "vpnresellers.wrong-password-is-404", "A wrong password is refused with 404.", |quirks| quirks.wrong_password = 404),
    row("unknown_server", "vpnresellers.unknown-server-is-422", "A server or port that does not exist is refused with 422.", |quirks| quirks.unknown_server = 422),
    row("default_port", "vpnresellers.default-is-boolean", "`default` of a port is a boolean.", |quirks| quirks.default_port = "boolean"),
    row("default_port", "vpnresellers.default-is-missing", "A port has no `default`.", |quirks| quirks.default_port = "missing"),
    row("configuration", "vpnresellers.configuration-has-no-name", "A configuration has no file name.", |quirks| quirks.configuration = ConfigForm::Nameless),
    row("configuration", "vpnresellers.configuration-is-a-file-body", "A configuration has `file_body`, as in version 3.", |quirks| quirks.configuration = ConfigForm::FileBody),
    row("configuration", "vpnresellers.configuration-is-text", "A configuration is a string in `data`.", |quirks| quirks.configuration = ConfigForm::Text),
    row("configuration", "vpnresellers.configuration-is-under-config", "A configuration is a string in `config`.", |quirks| quirks.configuration = ConfigForm::Config),
    row("configuration", "vpnresellers.configuration-is-bare", "A configuration is always the bare file, even if JSON is requested.", |quirks| quirks.configuration = ConfigForm::Bare),
];
