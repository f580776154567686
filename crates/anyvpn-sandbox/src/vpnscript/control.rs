//! `/_sandbox/vpnscript/…`

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::service::Service;
use super::state::ServiceState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddAccount {
    username: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetService {
    username: String,
    state: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspend {
    username: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetJobDuration {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailNextJob {
    reason: String,
}

/// `None` when there is no such action.
pub(super) fn act(service: &Service, action: &str, input: &Value) -> Option<Result<Value, String>> {
    Some(match action {
        "add-account" => read(input).and_then(|AddAccount { username, password }| {
            let token = service.try_add_account(&username, &password);
            Ok(json!({ "token": token.ok_or("there is no room")? }))
        }),
        "set-service" => read(input).and_then(|SetService { username, state }| {
            done(service.set_service(&username, service_state(&state)?), &username)
        }),
        "suspend" => read(input).and_then(|Suspend { username, reason }| {
            done(service.suspend(&username, reason.as_deref()), &username)
        }),
        "set-job-duration" => read(input).map(|SetJobDuration { seconds }| {
            service.set_job_duration(Duration::from_secs(seconds));
            json!({ "seconds": seconds })
        }),
        "fail-next-job" => read(input).map(|FailNextJob { reason }| {
            service.fail_next_job(&reason);
            json!({ "reason": reason })
        }),
        "add-hostile-servers" => {
            let (openvpn, wireguard) = service.add_hostile_servers();
            Ok(json!({ "openvpn": openvpn, "wireguard": wireguard }))
        }
        _ => return None,
    })
}

fn read<T: DeserializeOwned>(input: &Value) -> Result<T, String> {
    T::deserialize(input).map_err(|error| error.to_string())
}

fn done(found: bool, username: &str) -> Result<Value, String> {
    match found {
        true => Ok(json!({ "username": username })),
        false => Err(format!("there is no account {username:?}")),
    }
}

fn service_state(name: &str) -> Result<ServiceState, String> {
    match name {
        "none" => Ok(ServiceState::None),
        "inactive" => Ok(ServiceState::Inactive),
        "active" => Ok(ServiceState::Active),
        "expired" => Ok(ServiceState::Expired),
        other => Err(format!("no state is named {other:?}")),
    }
}
