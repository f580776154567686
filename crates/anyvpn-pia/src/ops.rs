//! PIA's operations and their types. Written by `cargo xtask codegen` from `openapi.yaml`.

use std::net::{IpAddr, Ipv4Addr};

use anyvpn_core::{Error, OperationId, PublicKey, Secret, Timestamp};
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
use crate::types::SignedServerList;

/// Signs in, and makes a token that is good for 24 hours.
///
/// Every call makes a further token, and the service refuses a user who signs in too often. So it
/// is never repeated by itself.
///
/// `POST /api/client/v2/token` · manual-connections, get_token.sh; desktop, apiclient
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// The user name, `p` and seven digits.
    pub username: String,
    /// The password.
    pub password: Secret,
}

impl Operation for CreateToken {
    type Dialect = Dialect;
    type Output = Token;
    const ID: OperationId = OperationId::new("pia", "create-token");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/client/v2/token").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The token, for calls, WireGuard and OpenVPN.
    pub token: Secret,
}

/// Ends the token that the call carries.
///
/// `POST /api/client/v2/expire_token` · desktop, apiclient
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireToken {}

impl Operation for ExpireToken {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("pia", "expire-token");
    const REPLAY: Replay = Replay::Idempotent;
    const SERVER: Option<&'static str> = Some("account");

    fn security(&self) -> Security {
        Security::required(&["token"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/api/client/v2/expire_token").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Reads the account that the token belongs to.
///
/// `GET /api/client/v2/account` · desktop, apiclient
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccount {}

impl Operation for GetAccount {
    type Dialect = Dialect;
    type Output = Account;
    const ID: OperationId = OperationId::new("pia", "get-account");
    const REPLAY: Replay = Replay::Safe;
    const SERVER: Option<&'static str> = Some("account");

    fn security(&self) -> Security {
        Security::required(&["token"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/api/client/v2/account"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// An account. The vendor's application takes none of its fields for granted; without a name it
/// could be anything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The name to sign in with.
    pub username: String,
    /// The email address.
    pub email: Option<String>,
    /// Whether the service can be used.
    pub active: Option<bool>,
    /// Whether the subscription has ended.
    pub expired: Option<bool>,
    /// Whether the subscription was canceled.
    pub canceled: Option<bool>,
    /// Whether the subscription is renewed by itself.
    pub recurring: Option<bool>,
    /// Whether the vendor's application warns of the end.
    pub expire_alert: Option<bool>,
    /// When the subscription ends.
    #[serde(default, with = "anyvpn_http::unix_time::option")]
    pub expiration_time: Option<Timestamp>,
    /// How many days are left.
    pub days_remaining: Option<i64>,
    /// Whether a payment is due.
    pub needs_payment: Option<bool>,
    /// Whether the subscription can be renewed.
    pub renewable: Option<bool>,
    /// The page for renewing it.
    pub renew_url: Option<String>,
    /// The plan, such as `yearly`.
    pub plan: Option<String>,
}

/// Tells whether the call comes through one of PIA's VPN servers.
///
/// `GET /api/client/status` · desktop, apiclient
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetStatus {}

impl Operation for GetStatus {
    type Dialect = Dialect;
    type Output = CallerStatus;
    const ID: OperationId = OperationId::new("pia", "get-status");
    const REPLAY: Replay = Replay::Safe;
    const SERVER: Option<&'static str> = Some("status");

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/api/client/status"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Where a call comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallerStatus {
    /// Whether it comes through one of PIA's VPN servers.
    pub connected: bool,
    /// The public address that it comes from.
    pub ip: IpAddr,
}

/// Lists the regions and some servers of each, signed by the vendor.
///
/// The body is the list as one line of JSON, a blank line, and the signature of that line in
/// base64: RSA with PKCS #1 v1.5 and SHA-256. Each reply has other servers of the same regions.
///
/// `GET /vpninfo/servers/{version}` · manual-connections, get_region.sh; desktop, jsonrefresher
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListServers {
    /// The version of the list, such as `v6`.
    pub version: String,
}

impl Operation for ListServers {
    type Dialect = Dialect;
    type Output = SignedServerList;
    const ID: OperationId = OperationId::new("pia", "list-servers");
    const REPLAY: Replay = Replay::Safe;
    const SERVER: Option<&'static str> = Some("list");

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Request::get("/vpninfo/servers/{version}").path("version", &self.version)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::signed_server_list(self, reply)
    }
}

/// Makes a key known to a WireGuard server.
///
/// A further key of the same account replaces the one that the server knows. A server forgets a key
/// some hours after its last handshake, and when it restarts.
///
/// `GET /addKey` · manual-connections, connect_to_wireguard_with_token.sh
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddKey {
    /// The public key of the device, in base64.
    pub pubkey: PublicKey,
}

impl Operation for AddKey {
    type Dialect = Dialect;
    type Output = AddedKey;
    const ID: OperationId = OperationId::new("pia", "add-key");
    const REPLAY: Replay = Replay::Idempotent;
    const SERVER: Option<&'static str> = Some("wireguard");

    fn security(&self) -> Security {
        Security::required(&["pt"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/addKey").query("pubkey", self.pubkey))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// How to connect to the server that knows the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddedKey {
    /// The server's public key.
    pub server_key: PublicKey,
    /// The server's port.
    pub server_port: u16,
    /// The server's public address.
    pub server_ip: IpAddr,
    /// The server's address inside the tunnel, where it forwards ports.
    pub server_vip: Ipv4Addr,
    /// The device's address inside the tunnel; it comes with and without `/32`.
    #[serde(deserialize_with = "lenient::address")]
    pub peer_ip: Ipv4Addr,
    /// The key that the server knows now.
    pub peer_pubkey: PublicKey,
    /// The resolvers inside the tunnel.
    pub dns_servers: Vec<IpAddr>,
}

/// Reserves a port for two months, and signs that.
///
/// Every call reserves another port. Payload and signature are good on every server, so the port
/// stays the same after a reconnect.
///
/// `GET /getSignature` · manual-connections, port_forwarding.sh
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetSignature {}

impl Operation for GetSignature {
    type Dialect = Dialect;
    type Output = PortSignature;
    const ID: OperationId = OperationId::new("pia", "get-signature");
    const REPLAY: Replay = Replay::Once;
    const SERVER: Option<&'static str> = Some("ports");

    fn security(&self) -> Security {
        Security::required(&["query_token"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/getSignature"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A reserved port, signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortSignature {
    /// JSON with the port and its end, in base64. It holds a token.
    pub payload: Secret,
    /// The signature of the payload.
    pub signature: Secret,
}

/// Opens a reserved port for the tunnel, or keeps it open.
///
/// It closes about 20 minutes after the last call.
///
/// `GET /bindPort` · manual-connections, port_forwarding.sh
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindPort {
    /// The payload, as it came with the signature.
    pub payload: Secret,
    /// The signature.
    pub signature: Secret,
}

impl Operation for BindPort {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("pia", "bind-port");
    const REPLAY: Replay = Replay::Idempotent;
    const SERVER: Option<&'static str> = Some("ports");

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/bindPort")
            .query_secret("payload", &self.payload)
            .query_secret("signature", &self.signature))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: CreateToken::ID, replay: CreateToken::REPLAY, method: "POST", path: "/api/client/v2/token",
        summary: "Signs in, and makes a token that is good for 24 hours.",
        fields: &[
            FieldInfo { name: "username", kind: FieldKind::Text, required: true, doc: "The user name, `p` and seven digits." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: true, doc: "The password." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: ExpireToken::ID, replay: ExpireToken::REPLAY, method: "POST", path: "/api/client/v2/expire_token",
        summary: "Ends the token that the call carries.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetAccount::ID, replay: GetAccount::REPLAY, method: "GET", path: "/api/client/v2/account",
        summary: "Reads the account that the token belongs to.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetStatus::ID, replay: GetStatus::REPLAY, method: "GET", path: "/api/client/status",
        summary: "Tells whether the call comes through one of PIA's VPN servers.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListServers::ID, replay: ListServers::REPLAY, method: "GET", path: "/vpninfo/servers/{version}",
        summary: "Lists the regions and some servers of each, signed by the vendor.",
        fields: &[
            FieldInfo { name: "version", kind: FieldKind::Text, required: true, doc: "The version of the list, such as `v6`." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: AddKey::ID, replay: AddKey::REPLAY, method: "GET", path: "/addKey",
        summary: "Makes a key known to a WireGuard server.",
        fields: &[
            FieldInfo { name: "pubkey", kind: FieldKind::Text, required: true, doc: "The public key of the device, in base64." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetSignature::ID, replay: GetSignature::REPLAY, method: "GET", path: "/getSignature",
        summary: "Reserves a port for two months, and signs that.",
        fields: &[],
        reply_has_secret: true,
    },
    OperationInfo {
        id: BindPort::ID, replay: BindPort::REPLAY, method: "GET", path: "/bindPort",
        summary: "Opens a reserved port for the tunnel, or keeps it open.",
        fields: &[
            FieldInfo { name: "payload", kind: FieldKind::Secret, required: true, doc: "The payload, as it came with the signature." },
            FieldInfo { name: "signature", kind: FieldKind::Secret, required: true, doc: "The signature." },
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
        "expire-token" => run::<ExpireToken>(client, input, reveal).await,
        "get-account" => run::<GetAccount>(client, input, reveal).await,
        "get-status" => run::<GetStatus>(client, input, reveal).await,
        "list-servers" => run::<ListServers>(client, input, reveal).await,
        "add-key" => run::<AddKey>(client, input, reveal).await,
        "get-signature" => run::<GetSignature>(client, input, reveal).await,
        "bind-port" => run::<BindPort>(client, input, reveal).await,
        _ => Err(by_name::unknown("pia", name, OPERATIONS)),
    }
}
