//! A server that imitates Acme. It shares no type with the client, so that a wrong name in the
//! client's document cannot agree with itself.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::{Value, json};

pub const TOKEN: &str = "a-token-of-wile";

/// The devices, and the number of devices ever created.
type Devices = Arc<Mutex<(Vec<Value>, usize)>>;

/// Serves on a port of this machine until the test ends, and returns the address.
pub async fn start() -> String {
    let routes = Router::new()
        .route("/v1/account", get(account))
        .route("/v1/servers", get(servers))
        .route("/v1/devices", get(list).post(register))
        .route("/v1/devices/{id}", delete(remove))
        .layer(middleware::from_fn(check_token))
        .with_state(Devices::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    format!("http://{address}")
}

async fn check_token(request: Request, next: Next) -> Response {
    let given = request.headers().get("authorization");
    if given.is_some_and(|given| given == format!("Bearer {TOKEN}").as_str()) {
        return next.run(request).await;
    }
    refusal(StatusCode::UNAUTHORIZED, "unauthorized")
}

fn refusal(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "code": code, "message": "Acme is sorry." }))).into_response()
}

async fn account() -> Json<Value> {
    Json(json!({ "login": "wile", "active": true, "paid_until": "2030-01-01T00:00:00Z" }))
}

async fn servers() -> Json<Value> {
    let key = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
    Json(json!([
        { "id": "ber1", "city": "Berlin", "ip": "192.0.2.1", "public_key": key },
        { "id": "lis1", "city": "Lisbon", "ip": "2001:db8::1", "public_key": key },
    ]))
}

async fn list(State(devices): State<Devices>) -> Json<Value> {
    Json(devices.lock().unwrap().0.clone().into())
}

async fn register(State(devices): State<Devices>, Json(body): Json<Value>) -> Response {
    let (devices, count) = &mut *devices.lock().unwrap();
    let key = &body["public_key"];
    if let Some(known) = devices.iter().find(|device| device["public_key"] == *key) {
        return Json(known).into_response();
    }
    if devices.len() == 5 {
        return refusal(StatusCode::CONFLICT, "device-limit");
    }
    *count += 1;
    let device =
        json!({ "id": format!("d{count}"), "ip": format!("10.9.0.{count}"), "public_key": key });
    devices.push(device.clone());
    Json(device).into_response()
}

async fn remove(State(devices): State<Devices>, Path(id): Path<String>) -> Response {
    let (devices, _) = &mut *devices.lock().unwrap();
    let before = devices.len();
    devices.retain(|device| device["id"] != *id);
    if devices.len() == before {
        return refusal(StatusCode::NOT_FOUND, "no-such-device");
    }
    StatusCode::NO_CONTENT.into_response()
}
