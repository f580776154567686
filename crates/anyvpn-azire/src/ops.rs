//! AzireVPN's operations and their types. Written by `cargo xtask codegen` from `openapi.yaml`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyvpn_core::{Error, OperationId, PublicKey, Secret, Timestamp};
use anyvpn_http::by_name::{self, run};
use anyvpn_http::{
    Client, Dialect as _, FieldInfo, FieldKind, LenientList, Operation, OperationInfo, Replay,
    Reply, Request, Security,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::Dialect;
use crate::lenient;

anyvpn_core::string_types! {
    /// The id of a token. It is no secret; the key is.
    pub struct TokenId;

    /// The id of a WireGuard device.
    pub struct IpId;
}

anyvpn_core::open_enum! {
    /// A currency of orders.
    pub enum Currency {
        /// Euro.
        Eur = "EUR",
        /// United States dollar.
        Usd = "USD",
        /// Swedish krona.
        Sek = "SEK",
    }
}

/// Creates an account.
///
/// With an email address the account cannot be used until the link in the mail that AzireVPN sends
/// has been followed.
///
/// `POST /v3/users` · AzireVPN, Users, "Create user"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// The name to sign in with.
    pub username: String,
    /// The password to sign in with.
    pub password: Secret,
    /// The email address; left out, the account has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The currency of the account's orders; the provider takes EUR when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The code of an affiliate. Not together with a referral code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affiliate_code: Option<String>,
    /// The code of the customer who recommended AzireVPN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_code: Option<String>,
}

impl Operation for CreateUser {
    type Dialect = Dialect;
    type Output = User;
    const ID: OperationId = OperationId::new("azire", "create-user");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v3/users").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// The name to sign in with.
    pub username: String,
    /// The email address; absent where the account has none.
    pub email: Option<String>,
    /// The currency of the account's orders, where AzireVPN tells it.
    pub currency: Option<Currency>,
    /// Whether the email address has been confirmed.
    pub is_email_verified: Option<bool>,
    /// Whether the account may use the service.
    pub is_active: bool,
    /// Whether the account keeps the old prices.
    pub is_oldschool: Option<bool>,
    /// Whether a subscription is running.
    pub is_subscribed: bool,
    /// How many WireGuard devices the account has and may still have. The page writes
    /// `[ "allocated": 0, … ]`, which is not JSON: it comes as an object, as an array of objects
    /// with one key each, or not at all.
    #[serde(default, deserialize_with = "lenient::ip_counts")]
    pub ips: Option<IpCounts>,
    /// When the account was made.
    #[serde(with = "anyvpn_http::unix_time")]
    pub created_at: Timestamp,
    /// When the account's time ends unless it is renewed. It can be earlier than `created_at`.
    #[serde(with = "anyvpn_http::unix_time")]
    pub expires_at: Timestamp,
}

/// How many WireGuard devices an account has and may still have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IpCounts {
    /// Devices that are registered.
    pub allocated: u32,
    /// Devices that can still be registered.
    pub available: u32,
}

/// Reads the account that the token belongs to.
///
/// `GET /v3/users/me` · AzireVPN, Users, "Get authenticated user"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetUser {}

impl Operation for GetUser {
    type Dialect = Dialect;
    type Output = User;
    const ID: OperationId = OperationId::new("azire", "get-user");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v3/users/me"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Deletes the account that the token belongs to.
///
/// The page's heading says `DELETE /v3/users`; its list of endpoints and its sample say
/// `/v3/users/me`, which is right.
///
/// `DELETE /v3/users/me` · AzireVPN, Users, "Delete authenticated user"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteUser {
    /// The account's password, as a confirmation.
    pub password: Secret,
}

impl Operation for DeleteUser {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("azire", "delete-user");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::delete("/v3/users/me").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Makes a one-time password that signs a browser in to AzireVPN's website.
///
/// The browser opens `https://manager.azirevpn.com/auth/otp?token={otp}&redirect={to}`, where `to`
/// is `order`, `wireguard` or `settings`.
///
/// `POST /v3/users/me/otps` · AzireVPN, Users, "Generate OTP (One-Time Password)"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateOtp {}

impl Operation for CreateOtp {
    type Dialect = Dialect;
    type Output = Otp;
    const ID: OperationId = OperationId::new("azire", "create-otp");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::post("/v3/users/me/otps"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A one-time password for AzireVPN's website.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Otp {
    /// The one-time password.
    pub otp: Secret,
    /// When it stops working, ten minutes after it was made.
    #[serde(with = "anyvpn_http::unix_time")]
    pub expires_at: Timestamp,
}

/// Changes the account's password.
///
/// `PUT /v3/users/me/password` · AzireVPN, Users, "Update password"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdatePassword {
    /// The password from now on.
    pub new_password: Secret,
}

impl Operation for UpdatePassword {
    type Dialect = Dialect;
    type Output = User;
    const ID: OperationId = OperationId::new("azire", "update-password");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v3/users/me/password").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Changes the account's name.
///
/// A repeat after a success could be refused, since the name is taken then.
///
/// `PUT /v3/users/me/username` · AzireVPN, Users, "Update username"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateUsername {
    /// The name to sign in with from now on.
    pub new_username: String,
}

impl Operation for UpdateUsername {
    type Dialect = Dialect;
    type Output = User;
    const ID: OperationId = OperationId::new("azire", "update-username");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v3/users/me/username").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Changes the account's email address.
///
/// Each call may send a mail to the new address.
///
/// `PUT /v3/users/me/email` · AzireVPN, Users, "Update email"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateEmail {
    /// The email address from now on.
    pub email: String,
}

impl Operation for UpdateEmail {
    type Dialect = Dialect;
    type Output = User;
    const ID: OperationId = OperationId::new("azire", "update-email");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v3/users/me/email").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Removes the email address from the account.
///
/// The page's sample for this sends `DELETE /v3/users/me`, which deletes the account: a
/// documentation error.
///
/// `DELETE /v3/users/me/email` · AzireVPN, Users, "Delete email"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteEmail {}

impl Operation for DeleteEmail {
    type Dialect = Dialect;
    type Output = User;
    const ID: OperationId = OperationId::new("azire", "delete-email");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::delete("/v3/users/me/email"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Lists the open ports of one device on the server that the tunnel is connected to.
///
/// Hidden ports are never listed. A device without ports is answered 404 with changing messages:
/// that is an empty list.
///
/// `GET /v3/portforwardings` · AzireVPN, Portforwardings, "Retrieve portforwardings"
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPortForwards {
    /// The device's address inside the tunnel.
    pub internal_ipv4: Ipv4Addr,
}

impl Operation for ListPortForwards {
    type Dialect = Dialect;
    type Output = PortForwards;
    const ID: OperationId = OperationId::new("azire", "list-port-forwards");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v3/portforwardings").query("internal_ipv4", self.internal_ipv4))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::port_forwards_or_none(self, reply)
    }
}

/// The open ports of one device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortForwards {
    /// The device's address inside the tunnel.
    pub internal_ipv4: Ipv4Addr,
    /// The device's IPv6 address inside the tunnel.
    pub internal_ipv6: Option<Ipv6Addr>,
    /// The ports that are not hidden.
    pub ports: Vec<OpenPort>,
}

/// One open port of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenPort {
    /// The number.
    pub port: u16,
    /// Whether lists leave the port out.
    pub hidden: bool,
    /// When the port closes. There is no renewal.
    #[serde(with = "anyvpn_http::unix_time")]
    pub expires_at: Timestamp,
}

/// Opens a port on the server that the tunnel is connected to.
///
/// The provider chooses the number. A day's number of new ports is limited: beyond it the reply is
/// 406.
///
/// `POST /v3/portforwardings` · AzireVPN, Portforwardings, "Create portforwarding"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatePortForward {
    /// The device's address inside the tunnel.
    pub internal_ipv4: Ipv4Addr,
    /// Days until the port closes; the provider takes 30 when absent. The page's list of attributes
    /// says 365, which is wrong; what 0 does is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
    /// Whether later lists leave the port out; the provider takes false when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
}

impl Operation for CreatePortForward {
    type Dialect = Dialect;
    type Output = PortForward;
    const ID: OperationId = OperationId::new("azire", "create-port-forward");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v3/portforwardings").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::created_port(self, reply)
    }
}

/// One open port of one device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortForward {
    /// The device's address inside the tunnel.
    pub internal_ipv4: Ipv4Addr,
    /// The device's IPv6 address inside the tunnel.
    pub internal_ipv6: Option<Ipv6Addr>,
    /// The number.
    pub port: u16,
    /// Whether lists leave the port out.
    pub hidden: bool,
    /// When the port closes. There is no renewal.
    #[serde(with = "anyvpn_http::unix_time")]
    pub expires_at: Timestamp,
}

/// Hides a port from later lists, for good.
///
/// The port stays open until it expires. The reply's port is null, so the output has the number
/// that was asked for. The page's sample sends `hidden: false` and no port: a documentation error,
/// only true is accepted.
///
/// `PUT /v3/portforwardings` · AzireVPN, Portforwardings, "Update portforwarding"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HidePortForward {
    /// The device's address inside the tunnel.
    pub internal_ipv4: Ipv4Addr,
    /// The open port.
    pub port: u16,
}

impl Operation for HidePortForward {
    type Dialect = Dialect;
    type Output = PortForward;
    const ID: OperationId = OperationId::new("azire", "hide-port-forward");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v3/portforwardings").json_with(self, "hidden", true)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::hidden_port(self, reply)
    }
}

/// Closes a port on the server that the tunnel is connected to.
///
/// `DELETE /v3/portforwardings` · AzireVPN, Portforwardings, "Delete portforwarding"
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeletePortForward {
    /// The device's address inside the tunnel.
    pub internal_ipv4: Ipv4Addr,
    /// The open port.
    pub port: u16,
}

impl Operation for DeletePortForward {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("azire", "delete-port-forward");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::delete("/v3/portforwardings").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Asks AzireVPN to connect to a port from outside, and says whether something answered.
///
/// A closed port is an answer too: `status` is `error` then, and the HTTP status is not documented.
///
/// `GET /v3/portforwardings/check/{port}` · AzireVPN, Portforwardings, "Check portforwarding" (GET)
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckPort {
    /// The port to connect to, at the address that the request comes from.
    pub port: u16,
}

impl Operation for CheckPort {
    type Dialect = Dialect;
    type Output = PortCheck;
    const ID: OperationId = OperationId::new("azire", "check-port");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Request::get("/v3/portforwardings/check/{port}").path("port", self.port)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::port_check(self, reply)
    }
}

/// What a connection from outside to a port found. It is made from a `PortCheckReply`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortCheck {
    /// Whether something answered.
    pub open: bool,
    /// The address that was connected to, which is where the request came from.
    pub source_ip: Option<IpAddr>,
    /// The port that was connected to.
    pub port: u16,
    /// The provider's words.
    pub message: Option<String>,
}

/// Asks the same as check-port, with the port in the body.
///
/// The page's sample sends a GET to the URL of check-port: a documentation error.
///
/// `POST /v3/portforwardings/check` · AzireVPN, Portforwardings, "Check portforwarding" (POST)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckPortByPost {
    /// The port to connect to, at the address that the request comes from.
    pub port: u16,
}

impl Operation for CheckPortByPost {
    type Dialect = Dialect;
    type Output = PortCheck;
    const ID: OperationId = OperationId::new("azire", "check-port-by-post");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v3/portforwardings/check").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::port_check(self, reply)
    }
}

/// Lists the account's tokens, each with its key.
///
/// `GET /v3/tokens` · AzireVPN, Tokens
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListTokens {}

impl Operation for ListTokens {
    type Dialect = Dialect;
    type Output = Vec<Token>;
    const ID: OperationId = OperationId::new("azire", "list-tokens");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v3/tokens"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A token. It never expires.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The id.
    pub id: TokenId,
    /// The name of the device that uses the token.
    pub device_name: Option<String>,
    /// What is sent as a bearer credential, 60 characters.
    pub key: Secret,
    /// A note for the account's owner.
    pub comment: Option<String>,
    /// When the token was made.
    #[serde(with = "anyvpn_http::unix_time")]
    pub created_at: Timestamp,
}

/// Makes a token, which never expires.
///
/// Signing in is this call with username and password; no credential is sent with them. Each call
/// makes one more token, so sign in once and keep the key. The page shows only the other form, with
/// a token and without username and password.
///
/// `POST /v3/tokens` · AzireVPN, Tokens; signing in as the vendor's own command-line tool does
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// The name to sign in with, together with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The name of the device that will use the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// A note for the account's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Operation for CreateToken {
    type Dialect = Dialect;
    type Output = Token;
    const ID: OperationId = OperationId::new("azire", "create-token");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        if self.password.is_some() { Security::NONE } else { Security::required(&["bearer"]) }
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v3/tokens").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Deletes all tokens of the account, the one in use included.
///
/// A repeat could delete a token that was made in between.
///
/// `DELETE /v3/tokens` · AzireVPN, Tokens
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteAllTokens {}

impl Operation for DeleteAllTokens {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("azire", "delete-all-tokens");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::delete("/v3/tokens"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Changes a token's device name and comment.
///
/// `PUT /v3/tokens/{id}` · AzireVPN, Tokens
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateToken {
    /// The token's id; not its key.
    #[serde(skip_serializing)]
    pub id: TokenId,
    /// The name of the device that uses the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// A note for the account's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Operation for UpdateToken {
    type Dialect = Dialect;
    type Output = Token;
    const ID: OperationId = OperationId::new("azire", "update-token");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v3/tokens/{id}").path("id", &self.id)?.json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Deletes one token.
///
/// The devices that were registered with it stay, without a name.
///
/// `DELETE /v3/tokens/{id}` · AzireVPN, Tokens
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteToken {
    /// The token's id; not its key.
    pub id: TokenId,
}

impl Operation for DeleteToken {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("azire", "delete-token");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::delete("/v3/tokens/{id}").path("id", &self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Lists the account's WireGuard devices.
///
/// `GET /v3/ips` · AzireVPN, IPs
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListIps {}

impl Operation for ListIps {
    type Dialect = Dialect;
    type Output = Vec<Ip>;
    const ID: OperationId = OperationId::new("azire", "list-ips");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v3/ips"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A WireGuard device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ip {
    /// The id.
    pub id: IpId,
    /// The device's address inside the tunnel.
    pub ipv4_address: Ipv4Addr,
    /// The length of the IPv4 network's prefix, 32.
    pub ipv4_netmask: u8,
    /// The device's IPv6 address inside the tunnel.
    pub ipv6_address: Ipv6Addr,
    /// The length of the IPv6 network's prefix, 128.
    pub ipv6_netmask: u8,
    /// The name servers to use inside the tunnel.
    pub dns: Vec<IpAddr>,
    /// The device name of the token that registered it; absent when that token is deleted.
    pub device_name: Option<String>,
    /// The device's public keys, at most three.
    pub keys: Vec<IpKey>,
}

/// A public key of a WireGuard device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IpKey {
    /// The public key, in base64.
    pub key: String,
    /// When the key was added.
    #[serde(with = "anyvpn_http::unix_time")]
    pub created_at: Timestamp,
}

/// Registers a WireGuard device, at most ten an account.
///
/// The page shows the reply without the envelope; the live service sends it.
///
/// `POST /v3/ips` · AzireVPN, IPs
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateIp {
    /// The device's WireGuard public key, in base64.
    pub key: String,
}

impl Operation for CreateIp {
    type Dialect = Dialect;
    type Output = Ip;
    const ID: OperationId = OperationId::new("azire", "create-ip");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v3/ips").json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        lenient::created_ip(self, reply)
    }
}

/// Reads one WireGuard device.
///
/// `GET /v3/ips/{id}` · AzireVPN, IPs
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetIp {
    /// The device's id.
    pub id: IpId,
}

impl Operation for GetIp {
    type Dialect = Dialect;
    type Output = Ip;
    const ID: OperationId = OperationId::new("azire", "get-ip");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::get("/v3/ips/{id}").path("id", &self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Removes one WireGuard device.
///
/// `DELETE /v3/ips/{id}` · AzireVPN, IPs
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteIp {
    /// The device's id.
    pub id: IpId,
}

impl Operation for DeleteIp {
    type Dialect = Dialect;
    type Output = ();
    const ID: OperationId = OperationId::new("azire", "delete-ip");
    const REPLAY: Replay = Replay::Idempotent;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::delete("/v3/ips/{id}").path("id", &self.id)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode::<IgnoredAny>(reply).map(drop)
    }
}

/// Adds a public key to a WireGuard device, at most three a device.
///
/// `PUT /v3/ips/{id}/keys` · AzireVPN, IPs
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutIpKey {
    /// The device's id.
    #[serde(skip_serializing)]
    pub id: IpId,
    /// The WireGuard public key to add, in base64.
    pub key: String,
}

impl Operation for PutIpKey {
    type Dialect = Dialect;
    type Output = Vec<IpKey>;
    const ID: OperationId = OperationId::new("azire", "put-ip-key");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::put("/v3/ips/{id}/keys").path("id", &self.id)?.json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// Lists the locations to connect to; with a token, the account's own ones too.
///
/// `GET /v3/locations` · AzireVPN, Locations
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListLocations {}

impl Operation for ListLocations {
    type Dialect = Dialect;
    type Output = LenientList<Location>;
    const ID: OperationId = OperationId::new("azire", "list-locations");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::optional(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v3/locations"))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// A place to connect to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Location {
    /// The short name, such as `se-sto`.
    pub name: String,
    /// The city, in English.
    pub city: Option<String>,
    /// The country, in English.
    pub country: Option<String>,
    /// The country's two letters, in lower case.
    pub iso: Option<String>,
    /// The host names to connect to, by UDP; there may be none. No port is given, WireGuard's 51820
    /// works. The page says array, the live service sends a string: both are accepted.
    #[serde(default, deserialize_with = "lenient::one_or_many")]
    pub pool: Vec<String>,
    /// The servers' WireGuard public keys, in base64. The page says array, the live service sends a
    /// string: both are accepted. An empty text is no key.
    #[serde(default, deserialize_with = "lenient::public_keys")]
    pub pubkey: Vec<PublicKey>,
}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: CreateUser::ID, replay: CreateUser::REPLAY, method: "POST", path: "/v3/users",
        summary: "Creates an account.",
        fields: &[
            FieldInfo { name: "username", kind: FieldKind::Text, required: true, doc: "The name to sign in with." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: true, doc: "The password to sign in with." },
            FieldInfo { name: "email", kind: FieldKind::Text, required: false, doc: "The email address; left out, the account has none." },
            FieldInfo { name: "currency", kind: FieldKind::Text, required: false, doc: "The currency of the account's orders; the provider takes EUR when absent." },
            FieldInfo { name: "affiliate_code", kind: FieldKind::Text, required: false, doc: "The code of an affiliate." },
            FieldInfo { name: "referral_code", kind: FieldKind::Text, required: false, doc: "The code of the customer who recommended AzireVPN." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetUser::ID, replay: GetUser::REPLAY, method: "GET", path: "/v3/users/me",
        summary: "Reads the account that the token belongs to.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: DeleteUser::ID, replay: DeleteUser::REPLAY, method: "DELETE", path: "/v3/users/me",
        summary: "Deletes the account that the token belongs to.",
        fields: &[
            FieldInfo { name: "password", kind: FieldKind::Secret, required: true, doc: "The account's password, as a confirmation." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: CreateOtp::ID, replay: CreateOtp::REPLAY, method: "POST", path: "/v3/users/me/otps",
        summary: "Makes a one-time password that signs a browser in to AzireVPN's website.",
        fields: &[],
        reply_has_secret: true,
    },
    OperationInfo {
        id: UpdatePassword::ID, replay: UpdatePassword::REPLAY, method: "PUT", path: "/v3/users/me/password",
        summary: "Changes the account's password.",
        fields: &[
            FieldInfo { name: "new_password", kind: FieldKind::Secret, required: true, doc: "The password from now on." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: UpdateUsername::ID, replay: UpdateUsername::REPLAY, method: "PUT", path: "/v3/users/me/username",
        summary: "Changes the account's name.",
        fields: &[
            FieldInfo { name: "new_username", kind: FieldKind::Text, required: true, doc: "The name to sign in with from now on." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: UpdateEmail::ID, replay: UpdateEmail::REPLAY, method: "PUT", path: "/v3/users/me/email",
        summary: "Changes the account's email address.",
        fields: &[
            FieldInfo { name: "email", kind: FieldKind::Text, required: true, doc: "The email address from now on." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: DeleteEmail::ID, replay: DeleteEmail::REPLAY, method: "DELETE", path: "/v3/users/me/email",
        summary: "Removes the email address from the account.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListPortForwards::ID, replay: ListPortForwards::REPLAY, method: "GET", path: "/v3/portforwardings",
        summary: "Lists the open ports of one device on the server that the tunnel is connected to.",
        fields: &[
            FieldInfo { name: "internal_ipv4", kind: FieldKind::Text, required: true, doc: "The device's address inside the tunnel." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: CreatePortForward::ID, replay: CreatePortForward::REPLAY, method: "POST", path: "/v3/portforwardings",
        summary: "Opens a port on the server that the tunnel is connected to.",
        fields: &[
            FieldInfo { name: "internal_ipv4", kind: FieldKind::Text, required: true, doc: "The device's address inside the tunnel." },
            FieldInfo { name: "expires_in", kind: FieldKind::Integer, required: false, doc: "Days until the port closes; the provider takes 30 when absent." },
            FieldInfo { name: "hidden", kind: FieldKind::Boolean, required: false, doc: "Whether later lists leave the port out; the provider takes false when absent." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: HidePortForward::ID, replay: HidePortForward::REPLAY, method: "PUT", path: "/v3/portforwardings",
        summary: "Hides a port from later lists, for good.",
        fields: &[
            FieldInfo { name: "internal_ipv4", kind: FieldKind::Text, required: true, doc: "The device's address inside the tunnel." },
            FieldInfo { name: "port", kind: FieldKind::Integer, required: true, doc: "The open port." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: DeletePortForward::ID, replay: DeletePortForward::REPLAY, method: "DELETE", path: "/v3/portforwardings",
        summary: "Closes a port on the server that the tunnel is connected to.",
        fields: &[
            FieldInfo { name: "internal_ipv4", kind: FieldKind::Text, required: true, doc: "The device's address inside the tunnel." },
            FieldInfo { name: "port", kind: FieldKind::Integer, required: true, doc: "The open port." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: CheckPort::ID, replay: CheckPort::REPLAY, method: "GET", path: "/v3/portforwardings/check/{port}",
        summary: "Asks AzireVPN to connect to a port from outside, and says whether something answered.",
        fields: &[
            FieldInfo { name: "port", kind: FieldKind::Integer, required: true, doc: "The port to connect to, at the address that the request comes from." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: CheckPortByPost::ID, replay: CheckPortByPost::REPLAY, method: "POST", path: "/v3/portforwardings/check",
        summary: "Asks the same as check-port, with the port in the body.",
        fields: &[
            FieldInfo { name: "port", kind: FieldKind::Integer, required: true, doc: "The port to connect to, at the address that the request comes from." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListTokens::ID, replay: ListTokens::REPLAY, method: "GET", path: "/v3/tokens",
        summary: "Lists the account's tokens, each with its key.",
        fields: &[],
        reply_has_secret: true,
    },
    OperationInfo {
        id: CreateToken::ID, replay: CreateToken::REPLAY, method: "POST", path: "/v3/tokens",
        summary: "Makes a token, which never expires.",
        fields: &[
            FieldInfo { name: "username", kind: FieldKind::Text, required: false, doc: "The name to sign in with, together with the password." },
            FieldInfo { name: "password", kind: FieldKind::Secret, required: false, doc: "The password to sign in with." },
            FieldInfo { name: "device_name", kind: FieldKind::Text, required: false, doc: "The name of the device that will use the token." },
            FieldInfo { name: "comment", kind: FieldKind::Text, required: false, doc: "A note for the account's owner." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: DeleteAllTokens::ID, replay: DeleteAllTokens::REPLAY, method: "DELETE", path: "/v3/tokens",
        summary: "Deletes all tokens of the account, the one in use included.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: UpdateToken::ID, replay: UpdateToken::REPLAY, method: "PUT", path: "/v3/tokens/{id}",
        summary: "Changes a token's device name and comment.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Text, required: true, doc: "The token's id; not its key." },
            FieldInfo { name: "device_name", kind: FieldKind::Text, required: false, doc: "The name of the device that uses the token." },
            FieldInfo { name: "comment", kind: FieldKind::Text, required: false, doc: "A note for the account's owner." },
        ],
        reply_has_secret: true,
    },
    OperationInfo {
        id: DeleteToken::ID, replay: DeleteToken::REPLAY, method: "DELETE", path: "/v3/tokens/{id}",
        summary: "Deletes one token.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Text, required: true, doc: "The token's id; not its key." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListIps::ID, replay: ListIps::REPLAY, method: "GET", path: "/v3/ips",
        summary: "Lists the account's WireGuard devices.",
        fields: &[],
        reply_has_secret: false,
    },
    OperationInfo {
        id: CreateIp::ID, replay: CreateIp::REPLAY, method: "POST", path: "/v3/ips",
        summary: "Registers a WireGuard device, at most ten an account.",
        fields: &[
            FieldInfo { name: "key", kind: FieldKind::Text, required: true, doc: "The device's WireGuard public key, in base64." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: GetIp::ID, replay: GetIp::REPLAY, method: "GET", path: "/v3/ips/{id}",
        summary: "Reads one WireGuard device.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Text, required: true, doc: "The device's id." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: DeleteIp::ID, replay: DeleteIp::REPLAY, method: "DELETE", path: "/v3/ips/{id}",
        summary: "Removes one WireGuard device.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Text, required: true, doc: "The device's id." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: PutIpKey::ID, replay: PutIpKey::REPLAY, method: "PUT", path: "/v3/ips/{id}/keys",
        summary: "Adds a public key to a WireGuard device, at most three a device.",
        fields: &[
            FieldInfo { name: "id", kind: FieldKind::Text, required: true, doc: "The device's id." },
            FieldInfo { name: "key", kind: FieldKind::Text, required: true, doc: "The WireGuard public key to add, in base64." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: ListLocations::ID, replay: ListLocations::REPLAY, method: "GET", path: "/v3/locations",
        summary: "Lists the locations to connect to; with a token, the account's own ones too.",
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
        "create-user" => run::<CreateUser>(client, input, reveal).await,
        "get-user" => run::<GetUser>(client, input, reveal).await,
        "delete-user" => run::<DeleteUser>(client, input, reveal).await,
        "create-otp" => run::<CreateOtp>(client, input, reveal).await,
        "update-password" => run::<UpdatePassword>(client, input, reveal).await,
        "update-username" => run::<UpdateUsername>(client, input, reveal).await,
        "update-email" => run::<UpdateEmail>(client, input, reveal).await,
        "delete-email" => run::<DeleteEmail>(client, input, reveal).await,
        "list-port-forwards" => run::<ListPortForwards>(client, input, reveal).await,
        "create-port-forward" => run::<CreatePortForward>(client, input, reveal).await,
        "hide-port-forward" => run::<HidePortForward>(client, input, reveal).await,
        "delete-port-forward" => run::<DeletePortForward>(client, input, reveal).await,
        "check-port" => run::<CheckPort>(client, input, reveal).await,
        "check-port-by-post" => run::<CheckPortByPost>(client, input, reveal).await,
        "list-tokens" => run::<ListTokens>(client, input, reveal).await,
        "create-token" => run::<CreateToken>(client, input, reveal).await,
        "delete-all-tokens" => run::<DeleteAllTokens>(client, input, reveal).await,
        "update-token" => run::<UpdateToken>(client, input, reveal).await,
        "delete-token" => run::<DeleteToken>(client, input, reveal).await,
        "list-ips" => run::<ListIps>(client, input, reveal).await,
        "create-ip" => run::<CreateIp>(client, input, reveal).await,
        "get-ip" => run::<GetIp>(client, input, reveal).await,
        "delete-ip" => run::<DeleteIp>(client, input, reveal).await,
        "put-ip-key" => run::<PutIpKey>(client, input, reveal).await,
        "list-locations" => run::<ListLocations>(client, input, reveal).await,
        _ => Err(by_name::unknown("azire", name, OPERATIONS)),
    }
}
