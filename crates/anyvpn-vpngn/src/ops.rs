//! VPNGN's operations and their types. Written by `cargo xtask codegen` from `openapi.yaml`.

use anyvpn_core::{Date, Error, OperationId, Secret, Timestamp};
use anyvpn_http::by_name::{self, run};
use anyvpn_http::{
    Client, Dialect as _, FieldInfo, FieldKind, Operation, OperationInfo, Replay, Reply, Request,
    Security,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::Dialect;
use crate::lenient;
use crate::types::{CancelAt, CountryCode, ProductType, StrongPassword};

anyvpn_core::open_enum! {
    /// What state a product is in.
    pub enum ProductStatus {
        /// It works.
        Active = "Active",
    }
}

/// Creates an end user, together with an active product.
///
/// An email address that is known already is an error; a further product is new-product's. Without
/// a secret key and from an address that is not whitelisted, only one call in 10 seconds is
/// allowed. No token or password of the end user is asked for, as there is none yet: `password` is
/// the one to set.
///
/// `POST /api/amapi/AddClient` · VPNGN, Account Management API, AddClient
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddClient {
    /// The end user's country.
    pub country: CountryCode,
    /// The months of the product to create.
    #[serde(rename = "type")]
    pub product_type: ProductType,
    /// The address that the end user signs in with.
    pub email: String,
    /// The password to set, a strong one; VPNGN makes one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<StrongPassword>,
    /// The end user's first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The end user's last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The end user's company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The end user's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The end user's postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip_code: Option<String>,
    /// Whether the plan ends instead of being renewed.
    #[serde(
        default,
        skip_serializing_if = "anyvpn_http::flag::is_off",
        serialize_with = "anyvpn_http::flag::serialize"
    )]
    pub auto_terminate: bool,
    /// Whether the end user is for tests and is not billed.
    #[serde(
        default,
        skip_serializing_if = "anyvpn_http::flag::is_off",
        serialize_with = "anyvpn_http::flag::serialize"
    )]
    pub test_user: bool,
}

impl Operation for AddClient {
    type Dialect = Dialect;
    type Output = CreatedClient;
    const ID: OperationId = OperationId::new("vpngn", "add-client");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::optional(&["secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/AddClient").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// An end user that was created. Who is not whitelisted may get less of it, or nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedClient {
    /// The name that the end user signs in with, which is the email address.
    pub username: Option<String>,
    /// The password that the end user signs in with.
    pub password: Option<Secret>,
    /// The username that the VPN takes.
    pub vpn_username: Option<String>,
    /// The password that the VPN takes.
    pub vpn_password: Option<Secret>,
    /// The short token, which works for 12 hours.
    pub short_token: Option<Secret>,
    /// When the short token ends, in UTC, as `2022-01-26 03:45:34`.
    pub short_token_expire: Option<String>,
    /// When the short token ends. Where the text differs, this counts.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub short_token_expire_ts: Option<Timestamp>,
    /// The long token, which works until the plan is due, or for 30 days without a plan.
    pub long_token: Option<Secret>,
    /// When the long token ends, in UTC, as `2022-01-26 03:45:34`.
    pub long_token_expire: Option<String>,
    /// When the long token ends. Where the text differs, this counts.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub long_token_expire_ts: Option<Timestamp>,
}

/// Makes new tokens for the end user.
///
/// A repeat does no harm: nothing is created or paid, and twice leaves what once leaves, a pair of
/// tokens that works. Whether new tokens end the old ones is not documented. If they do, a repeat
/// with the old long token is refused; the new one was lost with the first reply, repeated or not,
/// and only another credential helps. The sample's reply has `last_product_change_ts` twice: the
/// last one counts.
///
/// `POST /api/amapi/TokenRefresh` · VPNGN, Account Management API, TokenRefresh
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRefresh {
    /// The address that the end user signs in with.
    pub email: String,
}

impl Operation for TokenRefresh {
    type Dialect = Dialect;
    type Output = Tokens;
    const ID: OperationId = OperationId::new("vpngn", "token-refresh");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["password", "long-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/TokenRefresh").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Tokens of an end user. Who is not whitelisted may get less of it, or nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tokens {
    /// When the products last changed; only token-refresh tells.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub last_product_change_ts: Option<Timestamp>,
    /// The short token, which works for 12 hours.
    pub short_token: Option<Secret>,
    /// When the short token ends, in UTC, as `2022-01-26 03:45:34`.
    pub short_token_expire: Option<String>,
    /// When the short token ends. Where the text differs, this counts.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub short_token_expire_ts: Option<Timestamp>,
    /// The long token, which works until the plan is due, or for 30 days without a plan.
    pub long_token: Option<Secret>,
    /// When the long token ends, in UTC, as `2022-01-26 03:45:34`.
    pub long_token_expire: Option<String>,
    /// When the long token ends. Where the text differs, this counts.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub long_token_expire_ts: Option<Timestamp>,
}

/// Ends the end user's account at once, with all products and aliases.
///
/// `POST /api/amapi/CloseClient` · VPNGN, Account Management API, CloseClient
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseClient {
    /// The address that the end user signs in with.
    pub email: String,
}

impl Operation for CloseClient {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "close-client");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/CloseClient").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Ends the end user's account later, with all products and aliases.
///
/// `POST /api/amapi/CancelRequest` · VPNGN, Account Management API, CancelRequest
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// The address that the end user signs in with.
    pub email: String,
    /// When it ends.
    #[serde(rename = "type")]
    pub at: CancelAt,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The product, where the end user has more than one active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
}

impl Operation for CancelRequest {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "cancel-request");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/CancelRequest").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Lists the end user's products.
///
/// `POST /api/amapi/GetProducts` · VPNGN, Account Management API, GetProducts
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetProducts {
    /// The address that the end user signs in with.
    pub email: String,
}

impl Operation for GetProducts {
    type Dialect = Dialect;
    type Output = Vec<Product>;
    const ID: OperationId = OperationId::new("vpngn", "get-products");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/GetProducts").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::list(self, reply)
    }
}

/// A product of an end user. Who is not whitelisted may get no username and password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Product {
    /// The id.
    #[serde(deserialize_with = "lenient::text")]
    pub product_id: String,
    /// What it is, such as `1 Month`.
    pub product_type: String,
    /// What state it is in.
    pub product_status: ProductStatus,
    /// The username that the VPN takes.
    pub username: Option<String>,
    /// The password that the VPN takes.
    pub password: Option<Secret>,
    /// When the next payment is due; a product that has no such day has one of zeros.
    #[serde(default, deserialize_with = "lenient::date_option")]
    pub nextduedate: Option<Date>,
}

/// Creates a product for an end user who exists.
///
/// An end user has at most one active product: with one, this is an error, and upgrade-product is
/// the call to use.
///
/// `POST /api/amapi/NewProduct` · VPNGN, Account Management API, NewProduct
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// The address that the end user signs in with.
    pub email: String,
    /// The months of the product to create.
    #[serde(rename = "type")]
    pub product_type: ProductType,
    /// Whether to change the newest active product instead, where there is one.
    #[serde(
        default,
        skip_serializing_if = "anyvpn_http::flag::is_off",
        serialize_with = "anyvpn_http::flag::serialize"
    )]
    pub force_upgrade: bool,
    /// Whether the plan ends instead of being renewed.
    #[serde(
        default,
        skip_serializing_if = "anyvpn_http::flag::is_off",
        serialize_with = "anyvpn_http::flag::serialize"
    )]
    pub auto_terminate: bool,
}

impl Operation for NewProduct {
    type Dialect = Dialect;
    type Output = CreatedProduct;
    const ID: OperationId = OperationId::new("vpngn", "new-product");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/NewProduct").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A product that was created. Who is not whitelisted may get less of it, or nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedProduct {
    /// The name that the end user signs in with, which is the email address.
    pub username: Option<String>,
    /// The username that the VPN takes.
    pub vpn_username: Option<String>,
    /// The password that the VPN takes.
    pub vpn_password: Option<Secret>,
    /// The short token, which works for 12 hours.
    pub short_token: Option<Secret>,
    /// When the short token ends, in UTC, as `2022-01-26 03:45:34`.
    pub short_token_expire: Option<String>,
    /// When the short token ends. Where the text differs, this counts.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub short_token_expire_ts: Option<Timestamp>,
    /// The long token, which works until the plan is due, or for 30 days without a plan.
    pub long_token: Option<Secret>,
    /// When the long token ends, in UTC, as `2022-01-26 03:45:34`.
    pub long_token_expire: Option<String>,
    /// When the long token ends. Where the text differs, this counts.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub long_token_expire_ts: Option<Timestamp>,
}

/// Changes a product to another type, up or down.
///
/// `POST /api/amapi/UpgradeProduct` · VPNGN, Account Management API, UpgradeProduct
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpgradeProduct {
    /// The address that the end user signs in with.
    pub email: String,
    /// The product, as get-products names it.
    pub product_id: String,
    /// The months of the product from now on.
    pub new_product_plan: ProductType,
    /// Whether the plan ends instead of being renewed.
    #[serde(
        default,
        skip_serializing_if = "anyvpn_http::flag::is_off",
        serialize_with = "anyvpn_http::flag::serialize"
    )]
    pub auto_terminate: bool,
}

impl Operation for UpgradeProduct {
    type Dialect = Dialect;
    type Output = Tokens;
    const ID: OperationId = OperationId::new("vpngn", "upgrade-product");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/UpgradeProduct").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Sets the password of the end user.
///
/// Where the password is also the credential, a repeat after a success is refused: it is the old
/// one then.
///
/// `POST /api/amapi/SetPassword` · VPNGN, Account Management API, SetPassword
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// The address that the end user signs in with.
    pub email: String,
    /// The password from now on, a strong one.
    pub setpassword: StrongPassword,
}

impl Operation for SetPassword {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "set-password");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/SetPassword").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Sends the end user a mail to reset the password with.
///
/// Each call sends a mail.
///
/// `POST /api/amapi/ResetPassword` · VPNGN, Account Management API, ResetPassword
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// The address that the end user signs in with.
    pub email: String,
}

impl Operation for ResetPassword {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "reset-password");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/ResetPassword").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Lists the end user's aliases.
///
/// `POST /api/amapi/ListAliases` · VPNGN, Account Management API, ListAliases
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAliases {
    /// The address that the end user signs in with.
    pub email: String,
}

impl Operation for ListAliases {
    type Dialect = Dialect;
    type Output = Vec<Alias>;
    const ID: OperationId = OperationId::new("vpngn", "list-aliases");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/ListAliases").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::list(self, reply)
    }
}

/// An alias of an end user's account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alias {
    /// The alias's email address.
    pub email: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
}

/// Adds an alias to the end user's account.
///
/// `POST /api/amapi/AddAlias` · VPNGN, Account Management API, AddAlias
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddAlias {
    /// The address that the end user signs in with.
    pub email: String,
    /// The alias's email address.
    pub setemail: String,
    /// The alias's password, a strong one; VPNGN makes one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setpassword: Option<StrongPassword>,
    /// Whether to send the alias a mail to reset the password with.
    #[serde(
        default,
        skip_serializing_if = "anyvpn_http::flag::is_off",
        serialize_with = "anyvpn_http::flag::serialize"
    )]
    pub auto_passreset: bool,
    /// The alias's first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The alias's last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
}

impl Operation for AddAlias {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "add-alias");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/AddAlias").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Deletes an alias of the end user's account.
///
/// `POST /api/amapi/DelAlias` · VPNGN, Account Management API, DelAlias
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelAlias {
    /// The address that the end user signs in with.
    pub email: String,
    /// The alias's email address.
    pub alias: String,
}

impl Operation for DelAlias {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "del-alias");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/DelAlias").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Sets the password of an alias.
///
/// A repeat after a success is refused where the password is also the credential.
///
/// `POST /api/amapi/SetAliasPassword` · VPNGN, Account Management API, SetAliasPassword
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAliasPassword {
    /// The alias's email address, not the end user's.
    pub email: String,
    /// The password from now on, a strong one.
    pub setpassword: StrongPassword,
}

impl Operation for SetAliasPassword {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "set-alias-password");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["password", "short-token", "secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/SetAliasPassword").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Sends an alias a mail to reset the password with.
///
/// Each call sends a mail.
///
/// `POST /api/amapi/ResetAliasPassword` · VPNGN, Account Management API, ResetAliasPassword
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetAliasPassword {
    /// The alias's email address, not the end user's.
    pub email: String,
}

impl Operation for ResetAliasPassword {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpngn", "reset-alias-password");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["secret-key", "whitelisted"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/amapi/ResetAliasPassword").form(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: AddClient::ID, replay: AddClient::REPLAY, method: "POST", path: "/api/amapi/AddClient",
        summary: "Creates an end user, together with an active product.",
        fields: &[
            FieldInfo { name: "country", kind: FieldKind::Text, required: true, doc: "The end user's country." },
            FieldInfo { name: "type", kind: FieldKind::Integer, required: true, doc: "The months of the product to create." },
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: false, doc: "The password to set, a strong one; VPNGN makes one when absent." },
            FieldInfo { name: "first_name", kind: FieldKind::Text, required: false, doc: "The end user's first name." },
            FieldInfo { name: "last_name", kind: FieldKind::Text, required: false, doc: "The end user's last name." },
            FieldInfo { name: "company_name", kind: FieldKind::Text, required: false, doc: "The end user's company." },
            FieldInfo { name: "state", kind: FieldKind::Text, required: false, doc: "The end user's state." },
            FieldInfo { name: "zip_code", kind: FieldKind::Text, required: false, doc: "The end user's postal code." },
            FieldInfo { name: "auto_terminate", kind: FieldKind::Boolean, required: false, doc: "Whether the plan ends instead of being renewed." },
            FieldInfo { name: "test_user", kind: FieldKind::Boolean, required: false, doc: "Whether the end user is for tests and is not billed." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: TokenRefresh::ID, replay: TokenRefresh::REPLAY, method: "POST", path: "/api/amapi/TokenRefresh",
        summary: "Makes new tokens for the end user.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: CloseClient::ID, replay: CloseClient::REPLAY, method: "POST", path: "/api/amapi/CloseClient",
        summary: "Ends the end user's account at once, with all products and aliases.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: CancelRequest::ID, replay: CancelRequest::REPLAY, method: "POST", path: "/api/amapi/CancelRequest",
        summary: "Ends the end user's account later, with all products and aliases.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
            FieldInfo { name: "type", kind: FieldKind::Text, required: true, doc: "When it ends." },
            FieldInfo { name: "reason", kind: FieldKind::Text, required: false, doc: "Why." },
            FieldInfo { name: "product_id", kind: FieldKind::Text, required: false, doc: "The product, where the end user has more than one active." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetProducts::ID, replay: GetProducts::REPLAY, method: "POST", path: "/api/amapi/GetProducts",
        summary: "Lists the end user's products.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: NewProduct::ID, replay: NewProduct::REPLAY, method: "POST", path: "/api/amapi/NewProduct",
        summary: "Creates a product for an end user who exists.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
            FieldInfo { name: "type", kind: FieldKind::Integer, required: true, doc: "The months of the product to create." },
            FieldInfo { name: "force_upgrade", kind: FieldKind::Boolean, required: false, doc: "Whether to change the newest active product instead, where there is one." },
            FieldInfo { name: "auto_terminate", kind: FieldKind::Boolean, required: false, doc: "Whether the plan ends instead of being renewed." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: UpgradeProduct::ID, replay: UpgradeProduct::REPLAY, method: "POST", path: "/api/amapi/UpgradeProduct",
        summary: "Changes a product to another type, up or down.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
            FieldInfo { name: "product_id", kind: FieldKind::Text, required: true, doc: "The product, as get-products names it." },
            FieldInfo { name: "new_product_plan", kind: FieldKind::Integer, required: true, doc: "The months of the product from now on." },
            FieldInfo { name: "auto_terminate", kind: FieldKind::Boolean, required: false, doc: "Whether the plan ends instead of being renewed." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: SetPassword::ID, replay: SetPassword::REPLAY, method: "POST", path: "/api/amapi/SetPassword",
        summary: "Sets the password of the end user.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
            FieldInfo { name: "setpassword", kind: FieldKind::Secret, required: true, doc: "The password from now on, a strong one." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ResetPassword::ID, replay: ResetPassword::REPLAY, method: "POST", path: "/api/amapi/ResetPassword",
        summary: "Sends the end user a mail to reset the password with.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListAliases::ID, replay: ListAliases::REPLAY, method: "POST", path: "/api/amapi/ListAliases",
        summary: "Lists the end user's aliases.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: AddAlias::ID, replay: AddAlias::REPLAY, method: "POST", path: "/api/amapi/AddAlias",
        summary: "Adds an alias to the end user's account.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
            FieldInfo { name: "setemail", kind: FieldKind::Text, required: true, doc: "The alias's email address." },
            FieldInfo { name: "setpassword", kind: FieldKind::Secret, required: false, doc: "The alias's password, a strong one; VPNGN makes one when absent." },
            FieldInfo { name: "auto_passreset", kind: FieldKind::Boolean, required: false, doc: "Whether to send the alias a mail to reset the password with." },
            FieldInfo { name: "first_name", kind: FieldKind::Text, required: false, doc: "The alias's first name." },
            FieldInfo { name: "last_name", kind: FieldKind::Text, required: false, doc: "The alias's last name." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: DelAlias::ID, replay: DelAlias::REPLAY, method: "POST", path: "/api/amapi/DelAlias",
        summary: "Deletes an alias of the end user's account.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The address that the end user signs in with." },
            FieldInfo { name: "alias", kind: FieldKind::Text, required: true, doc: "The alias's email address." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: SetAliasPassword::ID, replay: SetAliasPassword::REPLAY, method: "POST", path: "/api/amapi/SetAliasPassword",
        summary: "Sets the password of an alias.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The alias's email address, not the end user's." },
            FieldInfo { name: "setpassword", kind: FieldKind::Secret, required: true, doc: "The password from now on, a strong one." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ResetAliasPassword::ID, replay: ResetAliasPassword::REPLAY, method: "POST", path: "/api/amapi/ResetAliasPassword",
        summary: "Sends an alias a mail to reset the password with.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The alias's email address, not the end user's." },
        ],
        reply_has_secret: false,
    },
];

/// Calls the operation `name` with `input`, a JSON object of its fields.
///
/// Secrets in what comes back are `"[redacted]"` unless `reveal` says otherwise.
///
/// # Errors
///
/// `InvalidRequest` for a name or an input that does not fit; else as [`Client::call`].
pub async fn call_by_name(
    client: &Client<Dialect>,
    name: &str,
    input: Value,
    reveal: bool,
) -> Result<Value, Error> {
    match name {
        "add-client" => run::<AddClient>(client, input, reveal).await,
        "token-refresh" => run::<TokenRefresh>(client, input, reveal).await,
        "close-client" => run::<CloseClient>(client, input, reveal).await,
        "cancel-request" => run::<CancelRequest>(client, input, reveal).await,
        "get-products" => run::<GetProducts>(client, input, reveal).await,
        "new-product" => run::<NewProduct>(client, input, reveal).await,
        "upgrade-product" => run::<UpgradeProduct>(client, input, reveal).await,
        "set-password" => run::<SetPassword>(client, input, reveal).await,
        "reset-password" => run::<ResetPassword>(client, input, reveal).await,
        "list-aliases" => run::<ListAliases>(client, input, reveal).await,
        "add-alias" => run::<AddAlias>(client, input, reveal).await,
        "del-alias" => run::<DelAlias>(client, input, reveal).await,
        "set-alias-password" => run::<SetAliasPassword>(client, input, reveal).await,
        "reset-alias-password" => run::<ResetAliasPassword>(client, input, reveal).await,
        _ => Err(by_name::unknown("vpngn", name, OPERATIONS)),
    }
}
