//! Fixtures: the bytes that an operation sends, and the value or error that it returns for a reply.
//!
//! A provider stores them as `fixtures/OPERATION/CASE.http`, one text file per case:
//!
//! ```text
//! ### note
//! AzireVPN, Tokens; signing in
//! ### input
//! {"username":"david","password":"my_secure_password","device_name":"camel"}
//! ### request
//! POST /v3/tokens
//! accept: application/json
//! content-length: 74
//! content-type: application/json
//!
//! {"username":"david","password":"my_secure_password","device_name":"camel"}
//! ### reply
//! 401
//! content-type: application/json
//!
//! {"status":"error","message":"Unauthenticated."}
//! ### error
//! {"kind":"unauthorized","status":401,"message":"Unauthenticated.","advice":"sign-in"}
//! ```
//!
//! - A line that begins with `### ` starts a section. The section ends before the newline that precedes
//!   the next section or the end of the file. Nothing else is trimmed, so a body that ends with a
//!   newline is followed by an empty line. A body with a line that begins with `### ` cannot be
//!   written.
//! - `note`: the source of the case, or its purpose. Required.
//! - `setup`: instructions to the provider's test, such as `no token`. Optional.
//! - `input`: the value of [`Call::input`], as JSON.
//! - `request`: the method and target, the headers in lowercase and in any order, and after an empty
//!   line the body. Everything is compared except `host` and `user-agent`, which are left out. The word
//!   `none` means that nothing may be sent, and there is no reply.
//! - `reply`: the status, the headers, and after an empty line the body.
//! - `value` or `error`: the result, as JSON. An error has `kind` and `advice` (`change`, `retry`,
//!   `sign-in`, `read-back`) and, as far as they exist, `status`, `code`, `message`, `detail`, `fields`
//!   and `retry_after_seconds`.
//! - `outside`: why the reply does not match the OpenAPI document. It is required if the reply does not
//!   match, and forbidden if it does.

mod case;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyvpn_core::{Advice, Error};
use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::document;
use crate::openapi::Document;
use case::{Case, Message, UNWRITTEN};

/// A call that a provider's test must make once, without retries and with secrets revealed.
pub struct Call<'a> {
    /// The base URL of the client to build.
    pub base_url: &'a str,
    /// The operation's name.
    pub operation: &'a str,
    /// The operation's input.
    pub input: Value,
    /// The fixture's `setup`; empty when it has none.
    pub setup: &'a str,
}

/// The number of fixtures that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The number of operations.
    pub operations: usize,
    /// The number of fixtures whose expected result is a value.
    pub values: usize,
    /// The number of fixtures whose expected result is an error.
    pub errors: usize,
}

/// Runs every fixture below `folder`.
///
/// It also checks that each of `operations` has at least one success and one refusal by the provider
/// (4xx, with a body that matches the document), and that each folder belongs to an operation.
///
/// # Errors
///
/// Returns a report of everything that failed, with the file names.
pub async fn run(
    folder: &Path,
    operations: &[&str],
    document: &Document,
    call: impl AsyncFn(Call<'_>) -> Result<Value, Error>,
) -> Result<Summary, String> {
    let mut summary = Summary { operations: operations.len(), values: 0, errors: 0 };
    let mut report = Vec::new();
    let known: BTreeSet<_> = operations.iter().copied().collect();
    for name in names(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        if !known.contains(name.as_str()) {
            report.push(format!("{name}: unknown operation; name the folder after an operation"));
        }
    }
    for operation in operations {
        let (mut succeeds, mut refuses) = (false, false);
        for name in names(&folder.join(operation)).unwrap_or_default() {
            let path: PathBuf = [operation, name.as_str()].iter().collect();
            let case =
                fs::read(folder.join(&path)).map_err(|e| e.to_string()).and_then(
                    |bytes| match name.ends_with(".http") {
                        true => Case::parse(&bytes),
                        false => Err("a fixture's name must end with .http".to_owned()),
                    },
                );
            let failures = match case {
                Ok(case) => {
                    match case.outcome {
                        Ok(_) => summary.values += 1,
                        Err(_) => summary.errors += 1,
                    }
                    succeeds |= case.outcome.is_ok();
                    refuses |= case.outcome.is_err()
                        && case.outside.is_none()
                        && matches!(&case.exchange, Some((_, reply)) if reply.status() / 100 == 4);
                    let mut failures = outside_of_contract(operation, &case, document);
                    failures.extend(play(operation, &case, &call).await);
                    failures
                }
                Err(why) => vec![why],
            };
            for failure in failures {
                report.push(format!("{}: {failure}", path.display()));
            }
        }
        if !succeeds {
            report.push(format!("{operation}/: no success"));
        }
        if !refuses {
            report.push(format!("{operation}/: no fixture with a refusal by the provider"));
        }
    }
    if let Err(why) = digests(folder) {
        report.push(why);
    }
    if report.is_empty() {
        Ok(summary)
    } else {
        let files = summary.values + summary.errors;
        Err(format!("{} failures in {files} fixtures\n\n{}", report.len(), report.join("\n\n")))
    }
}

/// The file with the [`digests`].
const DIGESTS: &str = "digests.txt";

/// Compares the files with `digests.txt` beside their folders, so that no byte of a documented example
/// changes unnoticed.
fn digests(folder: &Path) -> Result<(), String> {
    let mut text = String::new();
    for operation in names(folder).map_err(|e| e.to_string())? {
        for name in names(&folder.join(&operation)).unwrap_or_default() {
            let path = format!("{operation}/{name}");
            let bytes = fs::read(folder.join(&path)).map_err(|e| format!("{path}: {e}"))?;
            // FNV-1a: one changed byte always changes the result, and we need no library for it.
            let digest = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
                (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
            _ = writeln!(text, "{digest:016x} {path}");
        }
    }
    document::check(folder.join(DIGESTS), None, &text);
    Ok(())
}

/// Returns the names in a folder, sorted, without hidden ones.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && name != DIGESTS {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Returns how the fixture's request and reply differ from the OpenAPI document.
fn outside_of_contract(operation: &str, case: &Case, document: &Document) -> Vec<String> {
    let mut failures = Vec::new();
    let Some((request, reply)) = &case.exchange else {
        return failures;
    };
    let (method, target) = request.first.split_once(' ').unwrap_or_default();
    if let Err(why) = document.validate_request(operation, method, target, &request.body) {
        failures.push(format!("the request does not match the document: {why}"));
    }
    match document.validate_reply(operation, reply.status(), &reply.body) {
        Err(why) if case.outside.is_none() => failures.push(format!(
            "the reply does not match the document ({why}); if this is intended, say why in `outside`"
        )),
        Ok(()) if case.outside.is_some() => {
            failures.push("the reply matches the document; remove `outside`".to_owned());
        }
        _ => {}
    }
    failures
}

/// Calls the operation against a server that sends the fixture's reply, and compares the results.
async fn play(
    operation: &str,
    case: &Case,
    call: &impl AsyncFn(Call<'_>) -> Result<Value, Error>,
) -> Vec<String> {
    let received = Arc::new(Mutex::new(Vec::new()));
    let server = MockServer::start_async().await;
    let response = response(case);
    let record = Arc::clone(&received);
    let base_url = server.base_url();
    let server_url = base_url.clone();
    server
        .mock_async(|when, then| {
            when.any_request();
            then.respond_with(move |request| {
                record
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(message(&server_url, request));
                response.clone()
            });
        })
        .await;
    let outcome = call(Call {
        base_url: &base_url,
        operation,
        input: case.input.clone(),
        setup: &case.setup,
    })
    .await;

    let mut failures = Vec::new();
    let received = received.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted: Vec<_> = case.exchange.iter().map(|(request, _)| request).collect();
    if received.len() != wanted.len() {
        failures.push(format!("{} requests arrived, not {}", received.len(), wanted.len()));
    }
    let wanted = wanted.first().map(|wanted| wanted.text());
    for message in received.iter() {
        for unwritten in UNWRITTEN {
            if message.headers.iter().filter(|(name, _)| name == unwritten).count() != 1 {
                failures.push(format!("the request must have exactly one `{unwritten}` header"));
            }
        }
        let text = message.text();
        match &wanted {
            Some(wanted) if *wanted == text => {}
            Some(wanted) => failures.push(diff("request", wanted, &text)),
            None => failures.push(diff("request", "", &text)),
        }
    }
    if let Err(error) = &outcome {
        let id = error.operation().map(|id| id.name());
        if id != Some(operation) {
            failures.push(format!("the error names another operation: {id:?}"));
        }
    }
    let outcome = outcome.map_err(|error| error_json(&error));
    if outcome != case.outcome {
        failures.push(diff("outcome", &shown(&case.outcome), &shown(&outcome)));
    }
    failures
}

/// Converts the reply for httpmock.
fn response(case: &Case) -> HttpMockResponse {
    match &case.exchange {
        Some((_, reply)) => HttpMockResponse::builder()
            .status(reply.status())
            .headers(reply.headers.iter().cloned())
            .body(reply.body.clone())
            .build(),
        None => HttpMockResponse::builder().status(500).build(),
    }
}

/// Formats a request as it arrived. httpmock puts the server's address before the target.
fn message(base_url: &str, request: &HttpMockRequest) -> Message {
    let uri = request.uri_str();
    let target = uri.strip_prefix(base_url).unwrap_or(uri);
    Message {
        first: format!("{} {target}", request.method_str()),
        headers: request.headers_vec().clone(),
        body: request.body_vec(),
    }
}

/// Formats an error as fixtures do.
fn error_json(error: &Error) -> Value {
    let mut json = json!({
        "kind": error.kind().name(),
        "advice": match error.advice() {
            Advice::Change => "change",
            Advice::Retry(_) => "retry",
            Advice::SignIn => "sign-in",
            Advice::ReadBack => "read-back",
            _ => "an advice that fixtures do not know",
        },
    });
    let wait = error.retry_after().map(|wait| match wait.subsec_nanos() {
        0 => json!(wait.as_secs()),
        _ => json!(wait.as_secs_f64()),
    });
    let fields = Some(error.fields()).filter(|fields| !fields.is_empty());
    for (name, value) in [
        ("status", error.status().map(Value::from)),
        ("code", error.code().map(Value::from)),
        ("message", error.message().map(Value::from)),
        ("detail", error.detail().map(Value::from)),
        ("fields", fields.map(|fields| json!(fields))),
        ("retry_after_seconds", wait),
    ] {
        if let Some(value) = value {
            json[name] = value;
        }
    }
    json
}

fn shown(outcome: &Result<Value, Value>) -> String {
    let (what, json) = match outcome {
        Ok(value) => ("value", value),
        Err(error) => ("error", error),
    };
    format!("{what}: {json:#}\n")
}

/// Returns a diff: lines with `-` are the fixture's, and lines with `+` are the actual ones.
fn diff(what: &str, wanted: &str, came: &str) -> String {
    let mut text = format!("the {what} differs (- fixture, + actual)");
    for change in TextDiff::from_lines(wanted, came).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        let line = change.value().trim_end_matches('\n').replace('\r', "\\r");
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {sign} {line}");
    }
    text
}

#[cfg(test)]
mod tests;
