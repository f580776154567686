//! `/_sandbox`: what [`Sandbox`](crate::Sandbox) offers to Rust, for everybody else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::{Fault, FaultRule};
use crate::gate::{Gate, Unread, read};
use crate::log::Received;
use crate::reply::{Reply, reset};
use crate::wire::{Level, Wanted, WireFault};
use crate::{locked, operations};

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
    /// Of `delay`.
    delay_ms: Option<u64>,
    /// Of `too-many-requests`.
    retry_after_seconds: Option<u64>,
    /// Of `status` and `html`.
    status: Option<u16>,
}

impl FaultInput {
    fn rule(self) -> Result<FaultRule, String> {
        if let Some(operation) = &self.operation
            && !operations().contains(&operation.as_str())
        {
            return Err(format!("no operation is named {operation:?}"));
        }
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
            "any" => Fault::Any,
            name => Fault::named(name).ok_or_else(|| {
                format!(
                    "no fault is named {name:?}; there are delay, too-many-requests, status, html, \
                     any, and those that GET /_sandbox/faults lists"
                )
            })?,
        };
        let FaultInput { operation, times, skip, percent, .. } = self;
        Ok(FaultRule { fault, operation, times, skip, percent: percent.unwrap_or(100) })
    }
}

/// The sandbox's own routes.
pub(crate) fn router(gate: &Arc<Gate>) -> Router {
    let with = |act: fn(&Gate)| {
        let gate = gate.clone();
        async move || {
            act(&gate);
            Reply::empty(204).into_response()
        }
    };
    let overview = gate.clone();
    let log = gate.clone();
    let faults = gate.clone();
    let clock = gate.clone();
    let control = gate.clone();
    Router::new()
        .route("/_sandbox/", get(async move || done(200, &overview.overview())))
        .route(
            "/_sandbox/log",
            get(async move || done(200, &log.shown_log()))
                .delete(with(|gate| locked(&gate.log).clear())),
        )
        .route(
            "/_sandbox/faults",
            get(async || done(200, &wire_faults()))
                .post(async move |request: Request| {
                    reply(request, |input: FaultInput| {
                        locked(&faults.faults).rules.push(input.rule()?);
                        Ok(json!({ "faults": locked(&faults.faults).rules.len() }))
                    })
                    .await
                })
                .delete(with(|gate| locked(&gate.faults).rules.clear())),
        )
        .route(
            "/_sandbox/clock",
            post(async move |request: Request| {
                reply(request, |input: Advance| {
                    clock.clock.advance(Duration::from_secs(input.advance_seconds));
                    Ok(json!({ "now": clock.clock.now() }))
                })
                .await
            }),
        )
        .route(
            "/_sandbox/{provider}/{action}",
            post(async move |path: Path<(String, String)>, request: Request| {
                let Path((provider, action)) = path;
                reply(request, |input: Value| control.control(&provider, &action, &input)).await
            }),
        )
}

/// What goes wrong on the wire by name, for programs that choose one.
fn wire_faults() -> Value {
    let shown = |fault: &WireFault| {
        let level = match fault.level {
            Level::Tcp => "tcp",
            Level::Http => "http",
            Level::Json => "json",
            Level::Foreign => "foreign",
        };
        let wanted = match fault.wanted {
            Wanted::Value => "value",
            Wanted::NoValue => "no-value",
            Wanted::AsDocumented => "as-documented",
        };
        json!({
            "fault": fault.name,
            "level": level,
            "what": fault.what,
            "worked": fault.worked,
            "wanted": wanted,
        })
    };
    json!({ "faults": WireFault::all().map(shown).collect::<Vec<_>>() })
}

impl Gate {
    fn overview(&self) -> Value {
        json!({
            "operations": operations(),
            "seed": self.seed,
            "now": self.clock.now(),
            "faults": locked(&self.faults).rules.len(),
        })
    }

    fn shown_log(&self) -> Value {
        let log = locked(&self.log);
        let shown = |entry: Received| {
            json!({
                "operation": entry.operation,
                "method": entry.method,
                "path": entry.path,
                "query": entry.query,
                "headers": entry.headers,
                "body": String::from_utf8_lossy(&entry.body),
                "status": entry.status,
                "effect": entry.effect,
            })
        };
        let received: Vec<Value> = log.entries().into_iter().map(shown).collect();
        json!({ "received": received, "dropped": log.dropped() })
    }

    fn control(&self, provider: &str, action: &str, input: &Value) -> Result<Value, String> {
        self.providers
            .iter()
            .find(|candidate| candidate.name() == provider)
            .and_then(|found| found.control(action, input))
            .unwrap_or_else(|| Err(format!("{provider:?} has no action {action:?}")))
    }
}

/// Reads the JSON of a request, acts on it, and tells the outcome: 200, or 400 with the reason.
async fn reply<T: DeserializeOwned>(
    request: Request,
    act: impl FnOnce(T) -> Result<Value, String>,
) -> Response {
    let body = match read(request.into_body()).await {
        Ok(body) => body,
        Err(Unread::Broken) => return reset(),
        Err(Unread::TooLong) => return done(413, &json!({ "error": "the body is too long" })),
    };
    let input = serde_json::from_slice(&body).map_err(|error| error.to_string());
    match input.and_then(act) {
        Ok(value) => done(200, &value),
        Err(reason) => done(400, &json!({ "error": reason })),
    }
}

fn done(status: u16, body: &Value) -> Response {
    Reply::json(status, body).into_response()
}
