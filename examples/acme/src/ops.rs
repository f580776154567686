//! Acme's operations and their types. Written by `cargo xtask codegen` from `openapi.yaml`.

use std::net::IpAddr;

use anyvpn_core::{Error, OperationId, PublicKey, Timestamp};
use anyvpn_http::by_name::{self, run};
use anyvpn_http::{
    Client, Dialect as _, FieldInfo, FieldKind, Operation, OperationInfo, Replay, Reply, Request,
    Security,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::Dialect;

/// Reads the account that the token belongs to.
///
/// `GET /v1/account` · Acme, Account
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccount {}

impl Operation for GetAccount {
    type Dialect = Dialect;
    type Output = Account;
    const ID: OperationId = OperationId::new("acme", "get-account");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v1/account"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// What the customer signs in with.
    pub login: String,
    /// Whether the service may be used.
    pub active: bool,
    /// When the service ends.
    pub paid_until: Option<Timestamp>,
}

/// Lists the servers to connect to.
///
/// `GET /v1/servers` · Acme, Servers
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListServers {}

impl Operation for ListServers {
    type Dialect = Dialect;
    type Output = Vec<Server>;
    const ID: OperationId = OperationId::new("acme", "list-servers");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v1/servers"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Server {
    /// The server's id.
    pub id: String,
    /// Where it is.
    pub city: String,
    /// The address that clients connect to.
    pub ip: IpAddr,
    /// The server's WireGuard key.
    pub public_key: PublicKey,
}

/// Lists the account's WireGuard devices.
///
/// `GET /v1/devices` · Acme, Devices
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListDevices {}

impl Operation for ListDevices {
    type Dialect = Dialect;
    type Output = Vec<Device>;
    const ID: OperationId = OperationId::new("acme", "list-devices");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v1/devices"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A WireGuard device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// The device's id.
    pub id: String,
    /// The device's address inside the tunnel.
    pub ip: IpAddr,
    /// The device's key.
    pub public_key: PublicKey,
}

/// Registers a WireGuard device, at most five an account.
///
/// A key that the account has already keeps its device.
///
/// `POST /v1/devices` · Acme, Devices
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterDevice {
    /// The device's key.
    pub public_key: PublicKey,
}

impl Operation for RegisterDevice {
    type Dialect = Dialect;
    type Output = Device;
    const ID: OperationId = OperationId::new("acme", "register-device");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v1/devices").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Removes a WireGuard device.
///
/// `DELETE /v1/devices/{id}` · Acme, Devices
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveDevice {
    /// The device's id.
    pub id: String,
}

impl Operation for RemoveDevice {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("acme", "remove-device");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::delete("/v1/devices/{id}").path("id", &self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: GetAccount::ID, replay: GetAccount::REPLAY, method: "GET", path: "/v1/account",
        summary: "Reads the account that the token belongs to.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListServers::ID, replay: ListServers::REPLAY, method: "GET", path: "/v1/servers",
        summary: "Lists the servers to connect to.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListDevices::ID, replay: ListDevices::REPLAY, method: "GET", path: "/v1/devices",
        summary: "Lists the account's WireGuard devices.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: RegisterDevice::ID, replay: RegisterDevice::REPLAY, method: "POST", path: "/v1/devices",
        summary: "Registers a WireGuard device, at most five an account.",
        fields: &[
            FieldInfo { name: "public_key", kind: FieldKind::Text, required: true, doc: "The device's key." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: RemoveDevice::ID, replay: RemoveDevice::REPLAY, method: "DELETE", path: "/v1/devices/{id}",
        summary: "Removes a WireGuard device.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Text, required: true, doc: "The device's id." },
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
        "get-account" => run::<GetAccount>(client, input, reveal).await,
        "list-servers" => run::<ListServers>(client, input, reveal).await,
        "list-devices" => run::<ListDevices>(client, input, reveal).await,
        "register-device" => run::<RegisterDevice>(client, input, reveal).await,
        "remove-device" => run::<RemoveDevice>(client, input, reveal).await,
        _ => Err(by_name::unknown("acme", name, OPERATIONS)),
    }
}
