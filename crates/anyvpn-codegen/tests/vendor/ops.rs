//! Vendor's operations and their types. Written by `anyvpn-codegen` from `openapi.yaml`.

use anyvpn_core::{Error, OperationId, Timestamp};
use anyvpn_http::by_name::{self, run};
use anyvpn_http::{
    Client, Dialect as _, FieldInfo, FieldKind, Operation, OperationInfo, Replay, Reply, Request,
    Security,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::Dialect;

anyvpn_core::open_enum! {
    /// `ListSessionsSortBy`, which the document does not describe.
    pub enum ListSessionsSortBy {
        /// `started-at`.
        StartedAt = "started-at",
        /// `traffic`.
        Traffic = "traffic",
    }
}

anyvpn_core::open_enum! {
    /// `SessionType`, which the document does not describe.
    pub enum SessionType {
        /// `fast`.
        Fast = "fast",
        /// `private`.
        Private = "private",
    }
}

/// List sessions
///
/// `GET /v2/sessions`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSessions {
    /// Which page.
    pub page: Option<i64>,
    /// `sortBy`, which the document does not describe.
    #[serde(rename = "sortBy")]
    pub sort_by: Option<ListSessionsSortBy>,
    /// At least this rate in Mbit/s.
    #[serde(rename = "minRate")]
    pub min_rate: Option<f64>,
}

impl Operation for ListSessions {
    type Dialect = Dialect;
    type Output = SessionList;
    const ID: OperationId = OperationId::new("vendor", "list-sessions");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["apiKey"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/v2/sessions")
            .query_opt("page", self.page)
            .query_opt("sortBy", self.sort_by.as_ref())
            .query_opt("minRate", self.min_rate))
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// `SessionList`, which the document does not describe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionList {
    /// `items`, which the document does not describe.
    pub items: Vec<Session>,
    /// `meta`, which the document does not describe.
    pub meta: Option<SessionListMeta>,
}

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// `id`, which the document does not describe.
    pub id: String,
    /// `type`, which the document does not describe.
    #[serde(rename = "type")]
    pub type_: SessionType,
    /// `startedAt`, which the document does not describe.
    #[serde(rename = "startedAt")]
    pub started_at: Timestamp,
    /// In Mbit/s.
    pub rate: Option<f64>,
    /// `exit`, which the document does not describe.
    pub exit: Option<SessionExit>,
}

/// `SessionExit`, which the document does not describe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionExit {
    /// `country`, which the document does not describe.
    pub country: Option<String>,
}

/// `SessionListMeta`, which the document does not describe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionListMeta {
    /// `totalCount`, which the document does not describe.
    #[serde(rename = "totalCount")]
    pub total_count: Option<i32>,
}

/// Start a session
///
/// `POST /v2/sessions`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartSession {
    /// Which page.
    #[serde(skip_serializing)]
    pub page: Option<i64>,
    /// `type`, which the document does not describe.
    #[serde(rename = "type")]
    pub type_: SessionType,
    /// `tags`, which the document does not describe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// What the session may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<StartSessionLimits>,
}

impl Operation for StartSession {
    type Dialect = Dialect;
    type Output = Session;
    const ID: OperationId = OperationId::new("vendor", "start-session");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["apiKey"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/v2/sessions").query_opt("page", self.page).json(self)
    }

    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error> {
        Dialect::decode(reply)
    }
}

/// What the session may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartSessionLimits {
    /// `rate`, which the document does not describe.
    pub rate: Option<f64>,
    /// `on`, which the document does not describe.
    pub on: Option<bool>,
}

/// All operations, for callers that know them by name only.
#[rustfmt::skip]
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo {
        id: ListSessions::ID, replay: ListSessions::REPLAY, method: "GET", path: "/v2/sessions",
        summary: "List sessions",
        fields: &[
            FieldInfo { name: "page", kind: FieldKind::Integer, required: false, doc: "Which page." },
            FieldInfo { name: "sortBy", kind: FieldKind::Text, required: false, doc: "`sortBy`, which the document does not describe." },
            FieldInfo { name: "minRate", kind: FieldKind::Json, required: false, doc: "At least this rate in Mbit/s." },
        ],
        reply_has_secret: false,
    },
    OperationInfo {
        id: StartSession::ID, replay: StartSession::REPLAY, method: "POST", path: "/v2/sessions",
        summary: "Start a session",
        fields: &[
            FieldInfo { name: "page", kind: FieldKind::Integer, required: false, doc: "Which page." },
            FieldInfo { name: "type", kind: FieldKind::Text, required: true, doc: "`type`, which the document does not describe." },
            FieldInfo { name: "tags", kind: FieldKind::Json, required: false, doc: "`tags`, which the document does not describe." },
            FieldInfo { name: "limits", kind: FieldKind::Json, required: false, doc: "What the session may use." },
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
        "list-sessions" => run::<ListSessions>(client, input, reveal).await,
        "start-session" => run::<StartSession>(client, input, reveal).await,
        _ => Err(by_name::unknown("vendor", name, OPERATIONS)),
    }
}
