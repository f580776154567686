//! What a provider's imitation gives to the server. The server knows nothing else of a provider.

use std::net::IpAddr;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::reply::Reply;

/// One row of a provider's table of calls.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Below the provider's prefix, with `{name}` for a parameter.
    pub(crate) path: &'static str,
    /// `azire.create-user`
    pub(crate) operation: &'static str,
    /// The fields of body and query that the log may show; all others are redacted.
    pub(crate) shows: &'static [&'static str],
}

/// A request to one of the routes.
pub(crate) struct Call {
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
}

impl Call {
    /// A parameter of the path; empty when the route has none of that name.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The text of a header, if it is there and is text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The credential of an `Authorization` header; the scheme's name has no case.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, key) = self.header(AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    }
}

/// A provider's imitation: its calls, its state, and how it refuses.
#[async_trait]
pub(crate) trait Provider: Send + Sync {
    /// First segment of the path, and of the operations' names.
    fn name(&self) -> &'static str;

    fn routes(&self) -> Vec<&'static Route>;

    /// Does the work of a call, whole and at once. `Err` is a refusal: nothing was changed.
    async fn answer(&self, operation: &'static str, call: Call) -> Result<Reply, Reply>;

    /// A refusal in the provider's own form, for what never reaches [`Provider::answer`].
    fn refusal(&self, status: u16, message: &str) -> Reply;

    /// A refusal of what no route takes, which is the framework's own where the provider has one.
    fn no_route(&self, status: u16, message: &str) -> Reply {
        self.refusal(status, message)
    }

    /// What nobody but the sandbox's user can do, such as to open an e-mail.
    /// `None` when there is no such action.
    fn control(&self, action: &str, input: &Value) -> Option<Result<Value, String>>;
}
