//! `/_sandbox`: the controls of [`Sandbox`](crate::Sandbox), for programs in other languages.

use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::{DatagramFault, Fault, FaultRule};
use crate::handler::{RequestHandler, Unread};
use crate::locked;
use crate::reply::{Reply, reset};
use crate::wire::WireFault;

/// `POST /_sandbox/clock`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

/// `POST /_sandbox/faults`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultInput {
    fault: String,
    operation: Option<String>,
    times: Option<u32>,
    #[serde(default)]
    skip: u32,
    percent: Option<u8>,
    /// For `delay`.
    delay_ms: Option<u64>,
    /// For `too-many-requests`.
    retry_after_seconds: Option<u64>,
    /// For `status` and `html`.
    status: Option<u16>,
    /// For `length`.
    length: Option<usize>,
    /// For `result`.
    result: Option<u16>,
}

impl FaultInput {
    fn rule(self) -> Result<FaultRule, String> {
        let status = |least: u16| match self.status {
            Some(status) if (least..600).contains(&status) => Ok(status),
            Some(status) => Err(format!("status {status} is not within {least} to 599")),
            None => Err("this fault needs \"status\"".to_owned()),
        };
        let fault = match &*self.fault {
            "delay" => match self.delay_ms {
                Some(delay) => Fault::Delay(Duration::from_millis(delay)),
                None => return Err("this fault needs \"delay_ms\"".to_owned()),
            },
            "too-many-requests" => Fault::TooManyRequests {
                retry_after: self.retry_after_seconds.map(Duration::from_secs),
            },
            "status" => Fault::Status(status(400)?),
            "html" => Fault::Html(status(200)?),
            "result" => Fault::Status(self.result.ok_or("this fault needs \"result\"")?),
            "lost-request" => Fault::Datagram(DatagramFault::LostRequest),
            "lost-reply" => Fault::Datagram(DatagramFault::LostReply),
            "doubled" => Fault::Datagram(DatagramFault::Doubled),
            "foreign-source" => Fault::Datagram(DatagramFault::ForeignSource),
            "length" => match self.length {
                Some(length @ 0..=1500) => Fault::Datagram(DatagramFault::Length(length)),
                _ => return Err("this fault needs \"length\", at most 1500".to_owned()),
            },
            "any" => Fault::Any,
            name => Fault::Wire(WireFault::named(name).map(|fault| fault.name).ok_or_else(|| {
                format!(
                    "unknown fault {name:?}; the faults are delay, too-many-requests, status, html, \
                     any, and those that GET /_sandbox/faults lists"
                )
            })?),
        };
        let FaultInput { operation, times, skip, percent, .. } = self;
        Ok(FaultRule { fault, operation, times, skip, percent: percent.unwrap_or(100) })
    }
}

impl RequestHandler {
    /// Answers a request to the sandbox itself, with 200 or 204, or with the reason of a failure.
    pub(crate) async fn control(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = match self.read(&parts, body).await {
            Ok(body) => body,
            Err(Unread::Broken) => return reset(),
            Err(Unread::Refused(status)) => return refused(status, &status.to_string()),
        };
        let path: Vec<&str> = parts.uri.path().split('/').skip(2).collect();
        let done = match (parts.method.as_str(), &path[..]) {
            ("GET", [""]) => Ok(self.overview()),
            ("GET", ["log"]) => Ok(self.shown_log()),
            ("DELETE", ["log"]) => {
                locked(&self.log).clear();
                Ok(Value::Null)
            }
            ("GET", ["faults"]) => Ok(json!({ "faults": WireFault::all().collect::<Vec<_>>() })),
            ("POST", ["faults"]) => self.add_fault(&body),
            ("DELETE", ["faults"]) => {
                locked(&self.faults).rules.clear();
                Ok(Value::Null)
            }
            ("POST", ["clock"]) => json(&body).map(|Advance { advance_seconds }| {
                self.clock.advance(Duration::from_secs(advance_seconds));
                json!({ "now": self.clock.now() })
            }),
            ("POST", [provider, action]) => {
                json(&body).and_then(|input| self.act(provider, action, &input))
            }
            (_, ["" | "log" | "faults" | "clock"] | [_, _]) => {
                return refused(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed");
            }
            _ => return refused(StatusCode::NOT_FOUND, "404 Not Found"),
        };
        self.update_data_plane().await;
        match done {
            Ok(Value::Null) => Reply::empty(204).into_response(),
            Ok(value) => Reply::json(200, &value).into_response(),
            Err(reason) => refused(StatusCode::BAD_REQUEST, &reason),
        }
    }

    fn add_fault(&self, body: &[u8]) -> Result<Value, String> {
        let rule = json::<FaultInput>(body)?.rule()?;
        let mut faults = locked(&self.faults);
        faults.add(rule).map_err(|error| error.to_string())?;
        Ok(json!({ "faults": faults.rules.len() }))
    }

    /// Runs a control action of a provider.
    pub(crate) fn act(&self, provider: &str, action: &str, input: &Value) -> Result<Value, String> {
        let done = self.provider(provider).and_then(|found| found.control(action, input));
        done.unwrap_or_else(|| Err(format!("{provider:?} has no action {action:?}")))
    }

    fn overview(&self) -> Value {
        let faults = locked(&self.faults);
        json!({
            "operations": faults.operations,
            "seed": self.seed,
            "now": self.clock.now(),
            "faults": faults.rules.len(),
        })
    }

    fn shown_log(&self) -> Value {
        let log = locked(&self.log);
        json!({ "received": log.entries(), "dropped": log.dropped() })
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn refused(status: StatusCode, reason: &str) -> Response {
    Reply::json(status.as_u16(), &json!({ "error": reason })).into_response()
}
