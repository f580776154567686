//! VPNresellers's operations and their types. Written by `cargo xtask codegen` from `openapi.yaml`.

use anyvpn_core::{Date, Error, OperationId, Secret, Timestamp};
use anyvpn_http::by_name::{self, run};
use anyvpn_http::{
    Client, Dialect as _, FieldInfo, FieldKind, LenientList, Operation, OperationInfo, Replay,
    Reply, Request, Security,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::Dialect;
use crate::lenient;

anyvpn_core::open_enum! {
    /// Whether an account can connect.
    pub enum AccountStatus {
        /// It can.
        Active = "Active",
        /// It cannot, and is not charged.
        Disabled = "Disabled",
    }
}

anyvpn_core::open_enum! {
    /// What carries OpenVPN.
    pub enum TransportProtocol {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
    }
}

/// Succeeds when a user name is well-formed and free.
///
/// A name that is taken, by this reseller's account or another's, is refused as `already-exists`. A
/// name has 3 to 50 letters, digits, dots, underscores, `@` and hyphens.
///
/// `GET /v4_1/accounts/check_username` · VPNresellers v4.1, "Check an username"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckUsername {
    /// The name to check.
    pub username: String,
}

impl Operation for CheckUsername {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnresellers", "check-username");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/accounts/check_username").query("username", &self.username))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::free_name(self, reply)
    }
}

/// Lists the reseller's accounts, a page of them.
///
/// A page has 15 accounts when `per_page` is absent. The order is not documented, so a list that
/// changes between two pages can show an account twice or never. The links of a reply hold whole
/// URLs, which may name another host: go on with `page` instead.
///
/// `GET /v4_1/accounts` · VPNresellers v4.1, "List accounts"; the parameters as public clients send
/// them
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAccounts {
    /// Which page, from 1; the provider takes 1 when absent.
    pub page: Option<u32>,
    /// How many accounts a page has; the provider takes 15 when absent.
    pub per_page: Option<u32>,
}

impl Operation for ListAccounts {
    type Dialect = Dialect;
    type Output = AccountPage;
    const ID: OperationId = OperationId::new("vpnresellers", "list-accounts");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/accounts")
            .query_opt("page", self.page)
            .query_opt("per_page", self.per_page))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::account_page(self, reply)
    }
}

/// A page of accounts, and which one of the list it is. It is made from the reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountPage {
    /// The accounts, in the provider's order.
    pub accounts: Vec<Account>,
    /// The number of this page, from 1.
    pub current_page: Option<u64>,
    /// The number of the last page.
    pub last_page: Option<u64>,
    /// How many accounts a page has.
    pub per_page: Option<u64>,
    /// How many accounts there are on all pages.
    pub total: Option<u64>,
}

/// A VPN account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The account's id.
    pub id: u64,
    /// The name to connect with, unique over all resellers.
    pub username: String,
    /// Whether it can connect.
    pub status: AccountStatus,
    /// The address inside of WireGuard tunnels.
    pub wg_ip: Option<String>,
    /// The private key of WireGuard, which the provider made.
    pub wg_private_key: Option<Secret>,
    /// The public key of WireGuard.
    pub wg_public_key: Option<String>,
    /// When it ends; null when it renews by itself.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub expired_at: Option<Timestamp>,
    /// When it was created, without a time zone.
    pub created: Option<String>,
    /// When it was last changed, without a time zone.
    pub updated: Option<String>,
}

/// Creates an account, which is charged every day while it is active.
///
/// A user name that is taken, by this reseller's account or another's, is refused as
/// `already-exists`. When the prepaid balance is too low, nothing is created
/// (`insufficient-balance`). There is no idempotency key.
///
/// `POST /v4_1/accounts` · three public clients, one of them tried on the live service
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// The name to connect with, 3 to 50 characters.
    pub username: String,
    /// The password to connect with; it never comes back.
    pub password: Secret,
}

impl Operation for CreateAccount {
    type Dialect = Dialect;
    type Output = Account;
    const ID: OperationId = OperationId::new("vpnresellers", "create-account");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v4_1/accounts").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Reads an account.
///
/// `GET /v4_1/accounts/{id}` · four public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccount {
    /// The account's id.
    pub id: u64,
}

impl Operation for GetAccount {
    type Dialect = Dialect;
    type Output = Account;
    const ID: OperationId = OperationId::new("vpnresellers", "get-account");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::get("/v4_1/accounts/{id}").path("id", self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Deletes an account, at once and for good.
///
/// No client relies on the body of the reply.
///
/// `DELETE /v4_1/accounts/{id}` · four public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    /// The account's id.
    pub id: u64,
}

impl Operation for DeleteAccount {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnresellers", "delete-account");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::delete("/v4_1/accounts/{id}").path("id", self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::done(self, reply)
    }
}

/// Lets an account connect; the daily charge begins.
///
/// Whether the reply holds the account is not known; read it with get-account.
///
/// `PUT /v4_1/accounts/{id}/enable` · four public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnableAccount {
    /// The account's id.
    pub id: u64,
}

impl Operation for EnableAccount {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnresellers", "enable-account");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v4_1/accounts/{id}/enable").path("id", self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::done(self, reply)
    }
}

/// Lets an account connect no longer; the daily charge ends.
///
/// Whether the reply holds the account is not known; read it with get-account.
///
/// `PUT /v4_1/accounts/{id}/disable` · four public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisableAccount {
    /// The account's id.
    pub id: u64,
}

impl Operation for DisableAccount {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnresellers", "disable-account");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v4_1/accounts/{id}/disable").path("id", self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::done(self, reply)
    }
}

/// Sets an account's password.
///
/// `PUT /v4_1/accounts/{id}/change_password` · four public clients
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The account's id.
    #[serde(skip_serializing)]
    pub id: u64,
    /// The new password to connect with.
    pub password: Secret,
}

impl Operation for ChangePassword {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnresellers", "change-password");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v4_1/accounts/{id}/change_password").path("id", self.id)?.json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::done(self, reply)
    }
}

/// Sets the day on which an account ends, or that it renews by itself.
///
/// `PUT /v4_1/accounts/{id}/expire` · two public clients; a third sends another name for the day
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireAccount {
    /// The account's id.
    #[serde(skip_serializing)]
    pub id: u64,
    /// The day; null when the account is to renew by itself.
    #[serde(deserialize_with = "Option::deserialize")]
    pub expire_at: Option<Date>,
}

impl Operation for ExpireAccount {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnresellers", "expire-account");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v4_1/accounts/{id}/expire").path("id", self.id)?.json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::done(self, reply)
    }
}

/// Succeeds when a user name and a password belong together.
///
/// How a wrong password is refused is not documented.
///
/// `POST /v4_1/accounts/validate` · public clients that follow the vendor's page
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidateAccount {
    /// The account's user name.
    pub username: String,
    /// The password to check.
    pub password: Secret,
}

impl Operation for ValidateAccount {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnresellers", "validate-account");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v4_1/accounts/validate").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::done(self, reply)
    }
}

/// Lists the servers for OpenVPN and WireGuard, all at once or a page of them.
///
/// Whether this list comes in pages, as that of the accounts does, is not documented.
///
/// `GET /v4_1/servers` · many public clients, one of them tried on the live service
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListServers {
    /// Which page, from 1; the provider takes 1 when absent.
    pub page: Option<u32>,
    /// How many servers a page has.
    pub per_page: Option<u32>,
}

impl Operation for ListServers {
    type Dialect = Dialect;
    type Output = ServerPage;
    const ID: OperationId = OperationId::new("vpnresellers", "list-servers");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/servers")
            .query_opt("page", self.page)
            .query_opt("per_page", self.per_page))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::server_page(self, reply)
    }
}

/// Servers, and which page of the list they are; without numbers they are all. It is made from the
/// reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerPage {
    /// The servers, in the provider's order.
    pub servers: LenientList<Server>,
    /// The number of this page, from 1.
    pub current_page: Option<u64>,
    /// The number of the last page.
    pub last_page: Option<u64>,
    /// How many servers a page has.
    pub per_page: Option<u64>,
    /// How many servers there are on all pages.
    pub total: Option<u64>,
}

/// A server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Server {
    /// The server's id.
    pub id: u64,
    /// The host name.
    pub name: String,
    /// The address.
    pub ip: Option<String>,
    /// The country's two letters, in upper case.
    pub country_code: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The load; a lower one is freer. Its unit is not documented.
    pub capacity: Option<f64>,
}

/// Lists the servers for VLESS.
///
/// `GET /v4_1/vless-servers` · two public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListVlessServers {}

impl Operation for ListVlessServers {
    type Dialect = Dialect;
    type Output = LenientList<Server>;
    const ID: OperationId = OperationId::new("vpnresellers", "list-vless-servers");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/vless-servers"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Lists the ports of the OpenVPN servers.
///
/// `GET /v4_1/ports` · four public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPorts {}

impl Operation for ListPorts {
    type Dialect = Dialect;
    type Output = LenientList<Port>;
    const ID: OperationId = OperationId::new("vpnresellers", "list-ports");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/ports"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A port of the OpenVPN servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Port {
    /// The port's id.
    pub id: u64,
    /// What it carries OpenVPN over.
    pub protocol: TransportProtocol,
    /// The port's number.
    pub number: u16,
    /// Whether it is the usual one.
    #[serde(rename = "default", default, deserialize_with = "lenient::flag_option")]
    pub is_default: Option<bool>,
}

/// Reads the OpenVPN configuration of a server and a port.
///
/// It names no account; OpenVPN asks for an account's user name and password.
///
/// `GET /v4_1/configuration/openvpn` · four public clients, one of them tried on the live service
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetOpenVpnConfig {
    /// The server's id.
    pub server_id: u64,
    /// The port's id, which is not its number.
    pub port_id: u64,
}

impl Operation for GetOpenVpnConfig {
    type Dialect = Dialect;
    type Output = ConfigFile;
    const ID: OperationId = OperationId::new("vpnresellers", "get-openvpn-config");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/configuration/openvpn")
            .query("server_id", self.server_id)
            .query("port_id", self.port_id))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::openvpn_file(self, reply)
    }
}

/// A configuration, as a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConfigFile {
    /// A name for the file.
    pub name: Option<String>,
    /// The text of the file.
    pub content: Secret,
}

/// Reads the WireGuard configuration of a server and an account.
///
/// The provider made the keys, one pair an account for all servers, and no call changes them. Two
/// devices with one configuration on one server disturb each other.
///
/// `GET /v4_1/configuration/wireguard` · four public clients, one of them tried on the live service
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetWireGuardConfig {
    /// The server's id.
    pub server_id: u64,
    /// The account's id.
    pub account_id: u64,
}

impl Operation for GetWireGuardConfig {
    type Dialect = Dialect;
    type Output = ConfigFile;
    const ID: OperationId = OperationId::new("vpnresellers", "get-wireguard-config");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/configuration/wireguard")
            .query("server_id", self.server_id)
            .query("account_id", self.account_id))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::wireguard_file(self, reply)
    }
}

/// Reads the VLESS configuration of a server and an account.
///
/// `GET /v4_1/configuration/vless` · two public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetVlessConfig {
    /// The server's id.
    pub server_id: u64,
    /// The account's id.
    pub account_id: u64,
}

impl Operation for GetVlessConfig {
    type Dialect = Dialect;
    type Output = ConfigFile;
    const ID: OperationId = OperationId::new("vpnresellers", "get-vless-config");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/configuration/vless")
            .query("server_id", self.server_id)
            .query("account_id", self.account_id))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::vless_file(self, reply)
    }
}

/// Reads the reseller's prepaid balance.
///
/// `GET /v4_1/profile` · two public clients, one of them tried on the live service
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetProfile {}

impl Operation for GetProfile {
    type Dialect = Dialect;
    type Output = Profile;
    const ID: OperationId = OperationId::new("vpnresellers", "get-profile");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/profile"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// The reseller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Profile {
    /// The prepaid balance, with two decimals.
    pub balance: String,
}

/// Tells where the caller's address is.
///
/// No credential is sent. `lat` and `lon`, whose form is not documented, are left out of the value.
///
/// `GET /v4_1/geoip` · two public clients
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetLocation {}

impl Operation for GetLocation {
    type Dialect = Dialect;
    type Output = Location;
    const ID: OperationId = OperationId::new("vpnresellers", "get-location");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v4_1/geoip"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Where an address is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Location {
    /// The address.
    pub ip: String,
    /// The country, in English.
    pub country: Option<String>,
    /// The country's two letters, in upper case.
    pub iso_code: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The continent.
    pub continent: Option<String>,
}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: CheckUsername::ID, replay: CheckUsername::REPLAY, method: "GET", path: "/v4_1/accounts/check_username",
        summary: "Succeeds when a user name is well-formed and free.",
        fields: &[
            FieldInfo { name: "username", kind: FieldKind::Text, required: true, doc: "The name to check." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListAccounts::ID, replay: ListAccounts::REPLAY, method: "GET", path: "/v4_1/accounts",
        summary: "Lists the reseller's accounts, a page of them.",
        fields: &[
            FieldInfo { name: "page", kind: FieldKind::Integer, required: false, doc: "Which page, from 1; the provider takes 1 when absent." },
            FieldInfo { name: "per_page", kind: FieldKind::Integer, required: false, doc: "How many accounts a page has; the provider takes 15 when absent." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: CreateAccount::ID, replay: CreateAccount::REPLAY, method: "POST", path: "/v4_1/accounts",
        summary: "Creates an account, which is charged every day while it is active.",
        fields: &[
            FieldInfo { name: "username", kind: FieldKind::Text, required: true, doc: "The name to connect with, 3 to 50 characters." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: true, doc: "The password to connect with; it never comes back." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: GetAccount::ID, replay: GetAccount::REPLAY, method: "GET", path: "/v4_1/accounts/{id}",
        summary: "Reads an account.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: DeleteAccount::ID, replay: DeleteAccount::REPLAY, method: "DELETE", path: "/v4_1/accounts/{id}",
        summary: "Deletes an account, at once and for good.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: EnableAccount::ID, replay: EnableAccount::REPLAY, method: "PUT", path: "/v4_1/accounts/{id}/enable",
        summary: "Lets an account connect; the daily charge begins.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: DisableAccount::ID, replay: DisableAccount::REPLAY, method: "PUT", path: "/v4_1/accounts/{id}/disable",
        summary: "Lets an account connect no longer; the daily charge ends.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ChangePassword::ID, replay: ChangePassword::REPLAY, method: "PUT", path: "/v4_1/accounts/{id}/change_password",
        summary: "Sets an account's password.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: true, doc: "The new password to connect with." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ExpireAccount::ID, replay: ExpireAccount::REPLAY, method: "PUT", path: "/v4_1/accounts/{id}/expire",
        summary: "Sets the day on which an account ends, or that it renews by itself.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
            FieldInfo { name: "expire_at", kind: FieldKind::Text, required: true, doc: "The day; null when the account is to renew by itself." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ValidateAccount::ID, replay: ValidateAccount::REPLAY, method: "POST", path: "/v4_1/accounts/validate",
        summary: "Succeeds when a user name and a password belong together.",
        fields: &[
            FieldInfo { name: "username", kind: FieldKind::Text, required: true, doc: "The account's user name." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: true, doc: "The password to check." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListServers::ID, replay: ListServers::REPLAY, method: "GET", path: "/v4_1/servers",
        summary: "Lists the servers for OpenVPN and WireGuard, all at once or a page of them.",
        fields: &[
            FieldInfo { name: "page", kind: FieldKind::Integer, required: false, doc: "Which page, from 1; the provider takes 1 when absent." },
            FieldInfo { name: "per_page", kind: FieldKind::Integer, required: false, doc: "How many servers a page has." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListVlessServers::ID, replay: ListVlessServers::REPLAY, method: "GET", path: "/v4_1/vless-servers",
        summary: "Lists the servers for VLESS.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListPorts::ID, replay: ListPorts::REPLAY, method: "GET", path: "/v4_1/ports",
        summary: "Lists the ports of the OpenVPN servers.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetOpenVpnConfig::ID, replay: GetOpenVpnConfig::REPLAY, method: "GET", path: "/v4_1/configuration/openvpn",
        summary: "Reads the OpenVPN configuration of a server and a port.",
        fields: &[
            FieldInfo { name: "server_id", kind: FieldKind::Integer, required: true, doc: "The server's id." },
            FieldInfo { name: "port_id", kind: FieldKind::Integer, required: true, doc: "The port's id, which is not its number." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: GetWireGuardConfig::ID, replay: GetWireGuardConfig::REPLAY, method: "GET", path: "/v4_1/configuration/wireguard",
        summary: "Reads the WireGuard configuration of a server and an account.",
        fields: &[
            FieldInfo { name: "server_id", kind: FieldKind::Integer, required: true, doc: "The server's id." },
            FieldInfo { name: "account_id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: GetVlessConfig::ID, replay: GetVlessConfig::REPLAY, method: "GET", path: "/v4_1/configuration/vless",
        summary: "Reads the VLESS configuration of a server and an account.",
        fields: &[
            FieldInfo { name: "server_id", kind: FieldKind::Integer, required: true, doc: "The server's id." },
            FieldInfo { name: "account_id", kind: FieldKind::Integer, required: true, doc: "The account's id." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: GetProfile::ID, replay: GetProfile::REPLAY, method: "GET", path: "/v4_1/profile",
        summary: "Reads the reseller's prepaid balance.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetLocation::ID, replay: GetLocation::REPLAY, method: "GET", path: "/v4_1/geoip",
        summary: "Tells where the caller's address is.",
        fields: &[],
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
        "check-username" => run::<CheckUsername>(client, input, reveal).await,
        "list-accounts" => run::<ListAccounts>(client, input, reveal).await,
        "create-account" => run::<CreateAccount>(client, input, reveal).await,
        "get-account" => run::<GetAccount>(client, input, reveal).await,
        "delete-account" => run::<DeleteAccount>(client, input, reveal).await,
        "enable-account" => run::<EnableAccount>(client, input, reveal).await,
        "disable-account" => run::<DisableAccount>(client, input, reveal).await,
        "change-password" => run::<ChangePassword>(client, input, reveal).await,
        "expire-account" => run::<ExpireAccount>(client, input, reveal).await,
        "validate-account" => run::<ValidateAccount>(client, input, reveal).await,
        "list-servers" => run::<ListServers>(client, input, reveal).await,
        "list-vless-servers" => run::<ListVlessServers>(client, input, reveal).await,
        "list-ports" => run::<ListPorts>(client, input, reveal).await,
        "get-openvpn-config" => run::<GetOpenVpnConfig>(client, input, reveal).await,
        "get-wireguard-config" => run::<GetWireGuardConfig>(client, input, reveal).await,
        "get-vless-config" => run::<GetVlessConfig>(client, input, reveal).await,
        "get-profile" => run::<GetProfile>(client, input, reveal).await,
        "get-location" => run::<GetLocation>(client, input, reveal).await,
        _ => Err(by_name::unknown("vpnresellers", name, OPERATIONS)),
    }
}
