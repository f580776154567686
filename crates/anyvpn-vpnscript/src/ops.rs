//! VPN Script's operations and their types. Written by `cargo xtask codegen` from `openapi.yaml`.

use anyvpn_core::{Error, OperationId, Secret, Timestamp};
use anyvpn_http::by_name::{self, run};
use anyvpn_http::{
    Client, CompactText, Dialect as _, FieldInfo, FieldKind, LenientList, Operation, OperationInfo,
    Replay, Reply, Request, Security,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::Dialect;
use crate::lenient;

anyvpn_core::open_enum! {
    /// What a server speaks.
    pub enum Protocol {
        /// OpenVPN.
        OpenVpn = "openvpn",
        /// WireGuard.
        WireGuard = "wireguard",
    }
}

/// Signs in with username and password, and makes a token.
///
/// Each call makes one more token, so sign in once and keep it. A suspended account is refused,
/// with the reason.
///
/// `POST /api/auth/token` · VPN Script, API Endpoints, "Authenticate User"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// The name to sign in with.
    pub username: String,
    /// The password to sign in with.
    pub password: Secret,
    /// The name of the device that will use the token.
    pub device_name: String,
}

impl Operation for CreateToken {
    type Dialect = Dialect;
    type Output = ApiToken;
    const ID: OperationId = OperationId::new("vpnscript", "create-token");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/auth/token").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::api_token(self, reply)
    }
}

/// A token of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiToken {
    /// What is sent as a bearer credential.
    pub token: Secret,
}

/// Reads the account that the token belongs to, with its services.
///
/// `GET /api/account` · VPN Script, API Endpoints, "Account Details"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccount {}

impl Operation for GetAccount {
    type Dialect = Dialect;
    type Output = Account;
    const ID: OperationId = OperationId::new("vpnscript", "get-account");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/api/account"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The account's id.
    #[serde(deserialize_with = "lenient::integer")]
    pub user_id: u64,
    /// The name to sign in with.
    pub username: String,
    /// The email address.
    pub email: Option<String>,
    /// The account's state. The page shows 2 and explains no number.
    #[serde(deserialize_with = "lenient::integer")]
    pub status: i64,
    /// Why the account is suspended.
    pub suspend_reason: Option<String>,
    /// What the account has subscribed to.
    pub service: Vec<Service>,
    /// When the account was made.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub created_at: Option<Timestamp>,
    /// When the account was last changed.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub updated_at: Option<Timestamp>,
}

/// A subscription of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// The subscription's id.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: u64,
    /// The id of the account that has it.
    #[serde(deserialize_with = "lenient::integer")]
    pub user_id: u64,
    /// The id of the plan that it follows.
    #[serde(deserialize_with = "lenient::integer")]
    pub plan_id: u64,
    /// The plan's name.
    pub name: Option<String>,
    /// When the next payment is due.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub next_payment: Option<Timestamp>,
    /// Whether it is renewed by itself.
    #[serde(deserialize_with = "lenient::flag")]
    pub auto_renew: bool,
    /// The subscription's state. The page shows 1 and explains no number.
    #[serde(deserialize_with = "lenient::integer")]
    pub status: i64,
}

/// Lists the servers, all at once or a page of them.
///
/// Without `paginate` all come, and the reply has no numbers of pages. The reply's links hold whole
/// URLs, which may name another host: go on with `page` instead.
///
/// `GET /api/servers` · VPN Script, API Endpoints, "Server List"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListServers {
    /// How many servers a page has.
    pub paginate: Option<u32>,
    /// Which page, from 1; the provider takes 1 when absent. It is not in the page's list, but in
    /// the links of its sample.
    pub page: Option<u32>,
}

impl Operation for ListServers {
    type Dialect = Dialect;
    type Output = ServerPage;
    const ID: OperationId = OperationId::new("vpnscript", "list-servers");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/api/servers")
            .query_opt("paginate", self.paginate)
            .query_opt("page", self.page))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::server_page(self, reply)
    }
}

/// Servers, and which page of the list they are; without numbers they are all. It is made from a
/// `ServersReply`.
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

/// A server to connect to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Server {
    /// The server's id.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: u64,
    /// The name that people see.
    pub name: Option<CompactText>,
    /// The country, in English.
    pub country: Option<CompactText>,
    /// The country as a word of a URL, such as `germany`.
    pub country_slug: Option<CompactText>,
    /// The country's two letters, in lower case.
    pub country_iso_code: Option<CompactText>,
    /// The city; it may be empty.
    pub city: Option<CompactText>,
    /// The state or region; it may be empty.
    pub state: Option<CompactText>,
    /// The host name; it may be empty.
    pub host: Option<CompactText>,
    /// The address.
    pub ipaddr: Option<CompactText>,
    /// What the server speaks.
    pub protocol: Protocol,
    /// The id of a configuration. The page does not say whose: its sample has one for an OpenVPN
    /// server, and none for a WireGuard server.
    #[serde(default, deserialize_with = "lenient::integer_option")]
    pub config_id: Option<u64>,
    /// How many more WireGuard configurations the server takes, as the provider counts.
    #[serde(default, deserialize_with = "lenient::integer_option")]
    pub wg_available_slots: Option<i64>,
    /// A number of WireGuard configurations that the page does not explain: its sample has 0 beside
    /// 253 available.
    #[serde(default, deserialize_with = "lenient::integer_option")]
    pub wg_slots: Option<i64>,
}

/// Reads the OpenVPN profile of a server, or the certificates of its authority only.
///
/// The profile comes without username and password: those are get-openvpn-auth's. Its certificates
/// have CRLF at the ends of their lines, the rest of it LF.
///
/// `GET /api/openvpn/profile` · VPN Script, API Endpoints, "OpenVPN Profile"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetOpenVpnProfile {
    /// The server, which must be an OpenVPN one.
    pub server_id: u64,
    /// Whether to send the certificates only, as PEM; the provider takes false when absent. The
    /// framework knows 1 and 0, but not the words true and false.
    pub cert_only: Option<bool>,
}

impl Operation for GetOpenVpnProfile {
    type Dialect = Dialect;
    type Output = Secret;
    const ID: OperationId = OperationId::new("vpnscript", "get-openvpn-profile");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/api/openvpn/profile")
            .query("server_id", self.server_id)
            .query_opt("cert_only", self.cert_only.map(u8::from)))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Reads the username and password that OpenVPN connects with.
///
/// They belong to the subscription; the page lists no parameter.
///
/// `GET /api/openvpn/auth` · VPN Script, API Endpoints, "OpenVPN Authentication Details"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetOpenVpnAuth {}

impl Operation for GetOpenVpnAuth {
    type Dialect = Dialect;
    type Output = OpenVpnAuth;
    const ID: OperationId = OperationId::new("vpnscript", "get-openvpn-auth");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/api/openvpn/auth"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// What OpenVPN connects with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenVpnAuth {
    /// The id of this pair of username and password.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: u64,
    /// The id of the account.
    #[serde(deserialize_with = "lenient::integer")]
    pub user_id: u64,
    /// The id of the subscription.
    #[serde(deserialize_with = "lenient::integer")]
    pub service_id: u64,
    /// The username to connect with.
    pub username: String,
    /// The password to connect with.
    pub password: Secret,
    /// How many devices may be connected at once, as the provider counts.
    #[serde(deserialize_with = "lenient::integer")]
    pub devices: i64,
    /// Whether they work at present.
    #[serde(deserialize_with = "lenient::flag")]
    pub enabled: bool,
    /// When they were made.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub created_at: Option<Timestamp>,
    /// When they were last changed.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub updated_at: Option<Timestamp>,
}

/// Lists the account's WireGuard configurations, those in the making included.
///
/// `GET /api/wireguard/configs` · VPN Script, API Endpoints, "WireGuard Configurations"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListWireGuardConfigs {
    /// Only those of this server, which must be a WireGuard one. The page lists no parameter, but
    /// says that the call is for a server and has refusals that only a server can cause.
    pub server_id: Option<u64>,
}

impl Operation for ListWireGuardConfigs {
    type Dialect = Dialect;
    type Output = Vec<WireGuardConfigEntry>;
    const ID: OperationId = OperationId::new("vpnscript", "list-wireguard-configs");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/api/wireguard/configs").query_opt("server_id", self.server_id))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A WireGuard configuration, or the job that makes or deletes one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WireGuardConfigEntry {
    /// The configuration's id.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: u64,
    /// The text for WireGuard, with the private key; there from when it is active.
    pub config: Option<Secret>,
    /// 0 is waiting to be made, 1 is active, 2 is waiting to be deleted; any other number stays as
    /// it came.
    #[serde(deserialize_with = "lenient::integer")]
    pub status: i64,
    /// Why the job failed.
    pub fail_reason: Option<String>,
    /// When it was asked for.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::time_option")]
    pub updated_at: Option<Timestamp>,
}

/// Asks for one more WireGuard configuration on a server.
///
/// The server makes it later: the reply only says that the job is queued, and names no
/// configuration. Read list-wireguard-configs until a new one is active or has failed.
///
/// `POST /api/wireguard/create` · VPN Script, API Endpoints, "WireGuard Configuration" (POST)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateWireGuardConfig {
    /// The server, which must be a WireGuard one.
    pub server_id: u64,
}

impl Operation for CreateWireGuardConfig {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnscript", "create-wireguard-config");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/wireguard/create").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Asks for the deletion of one WireGuard configuration.
///
/// The server does it later: read list-wireguard-configs until it is gone. A repeat after a success
/// changes nothing, but is refused: the configuration is waiting for its deletion, or is not there.
///
/// `DELETE /api/wireguard/delete` · VPN Script, API Endpoints, "WireGuard Configuration" (DELETE)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteWireGuardConfig {
    /// The configuration.
    pub config_id: u64,
}

impl Operation for DeleteWireGuardConfig {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("vpnscript", "delete-wireguard-config");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::delete("/api/wireguard/delete").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: CreateToken::ID, replay: CreateToken::REPLAY, method: "POST", path: "/api/auth/token",
        summary: "Signs in with username and password, and makes a token.",
        fields: &[
            FieldInfo { name: "username", kind: FieldKind::Text, required: true, doc: "The name to sign in with." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: true, doc: "The password to sign in with." },
            FieldInfo { name: "device_name", kind: FieldKind::Text, required: true, doc: "The name of the device that will use the token." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: GetAccount::ID, replay: GetAccount::REPLAY, method: "GET", path: "/api/account",
        summary: "Reads the account that the token belongs to, with its services.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListServers::ID, replay: ListServers::REPLAY, method: "GET", path: "/api/servers",
        summary: "Lists the servers, all at once or a page of them.",
        fields: &[
            FieldInfo { name: "paginate", kind: FieldKind::Integer, required: false, doc: "How many servers a page has." },
            FieldInfo { name: "page", kind: FieldKind::Integer, required: false, doc: "Which page, from 1; the provider takes 1 when absent." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetOpenVpnProfile::ID, replay: GetOpenVpnProfile::REPLAY, method: "GET", path: "/api/openvpn/profile",
        summary: "Reads the OpenVPN profile of a server, or the certificates of its authority only.",
        fields: &[
            FieldInfo { name: "server_id", kind: FieldKind::Integer, required: true, doc: "The server, which must be an OpenVPN one." },
            FieldInfo { name: "cert_only", kind: FieldKind::Boolean, required: false, doc: "Whether to send the certificates only, as PEM; the provider takes false when absent." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: GetOpenVpnAuth::ID, replay: GetOpenVpnAuth::REPLAY, method: "GET", path: "/api/openvpn/auth",
        summary: "Reads the username and password that OpenVPN connects with.",
        fields: &[],
        reply_has_secret: true,
    },
    OperationInfo {
        id: ListWireGuardConfigs::ID, replay: ListWireGuardConfigs::REPLAY, method: "GET", path: "/api/wireguard/configs",
        summary: "Lists the account's WireGuard configurations, those in the making included.",
        fields: &[
            FieldInfo { name: "server_id", kind: FieldKind::Integer, required: false, doc: "Only those of this server, which must be a WireGuard one." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: CreateWireGuardConfig::ID, replay: CreateWireGuardConfig::REPLAY, method: "POST", path: "/api/wireguard/create",
        summary: "Asks for one more WireGuard configuration on a server.",
        fields: &[
            FieldInfo { name: "server_id", kind: FieldKind::Integer, required: true, doc: "The server, which must be a WireGuard one." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: DeleteWireGuardConfig::ID, replay: DeleteWireGuardConfig::REPLAY, method: "DELETE", path: "/api/wireguard/delete",
        summary: "Asks for the deletion of one WireGuard configuration.",
        fields: &[
            FieldInfo { name: "config_id", kind: FieldKind::Integer, required: true, doc: "The configuration." },
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
        "create-token" => run::<CreateToken>(client, input, reveal).await,
        "get-account" => run::<GetAccount>(client, input, reveal).await,
        "list-servers" => run::<ListServers>(client, input, reveal).await,
        "get-openvpn-profile" => run::<GetOpenVpnProfile>(client, input, reveal).await,
        "get-openvpn-auth" => run::<GetOpenVpnAuth>(client, input, reveal).await,
        "list-wireguard-configs" => run::<ListWireGuardConfigs>(client, input, reveal).await,
        "create-wireguard-config" => run::<CreateWireGuardConfig>(client, input, reveal).await,
        "delete-wireguard-config" => run::<DeleteWireGuardConfig>(client, input, reveal).await,
        _ => Err(by_name::unknown("vpnscript", name, OPERATIONS)),
    }
}
