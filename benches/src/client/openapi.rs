//! What a generator of the openapi-generator kind emits for reqwest, written by hand: one function
//! an operation with a configuration, optional settings looked at on every call, the body read as a
//! text, and an error with the whole reply in it.

use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{CREATE, Envelope, GET_PRODUCTS, PortForward, PortForwards, Products};
use super::{DEVICE, Shape, TOKEN, bare};
use crate::{Failure, Plan};

struct Configuration {
    base_path: String,
    user_agent: Option<String>,
    client: reqwest::Client,
    bearer_access_token: Option<String>,
}

/// A reply that is no success.
#[derive(Debug)]
#[allow(dead_code, reason = "a caller would read it")]
struct Refused {
    status: StatusCode,
    content: String,
    entity: Option<serde_json::Value>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl std::error::Error for Refused {}

/// What all the functions begin with.
fn begin(
    configuration: &Configuration,
    method: Method,
    path: &str,
    query: &[(&str, String)],
) -> reqwest::RequestBuilder {
    let uri = format!("{}{path}", configuration.base_path);
    let mut builder = configuration.client.request(method, &uri);
    for pair in query {
        builder = builder.query(&[pair]);
    }
    if let Some(user_agent) = &configuration.user_agent {
        builder = builder.header(reqwest::header::USER_AGENT, user_agent.clone());
    }
    if let Some(token) = &configuration.bearer_access_token {
        builder = builder.bearer_auth(token.to_owned());
    }
    builder
}

/// What all the functions end with.
async fn end<T: DeserializeOwned>(
    configuration: &Configuration,
    builder: reqwest::RequestBuilder,
) -> Result<T, Failure> {
    let request = builder.build()?;
    let response = configuration.client.execute(request).await?;
    let status = response.status();
    let content_type = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/octet-stream")
        .to_owned();
    let content = response.text().await?;
    if status.is_client_error() || status.is_server_error() {
        let entity = serde_json::from_str(&content).ok();
        return Err(Box::new(Refused { status, content, entity }));
    }
    if !(content_type.starts_with("application") && content_type.contains("json")) {
        return Err(format!("received {content_type} in place of JSON").into());
    }
    Ok(serde_json::from_str(&content)?)
}

async fn list(configuration: &Configuration, device: &str) -> Result<u64, Failure> {
    let query = [("internal_ipv4", device.to_string())];
    let builder = begin(configuration, Method::GET, "/v3/portforwardings", &query);
    Ok(end::<Envelope<PortForwards>>(configuration, builder).await?.answer())
}

async fn create(configuration: &Configuration, body: impl Serialize) -> Result<u64, Failure> {
    let builder = begin(configuration, Method::POST, "/v3/portforwardings", &[]).json(&body);
    Ok(end::<Envelope<PortForward>>(configuration, builder).await?.answer())
}

async fn products(
    configuration: &Configuration,
    email: &str,
    api_key: &str,
    secret_key: &str,
) -> Result<u64, Failure> {
    let mut form = std::collections::HashMap::new();
    form.insert("email", email.to_string());
    form.insert("apikey", api_key.to_string());
    form.insert("secret_key", secret_key.to_string());
    let builder = begin(configuration, Method::POST, "/api/amapi/GetProducts", &[]).form(&form);
    Ok(end::<Products>(configuration, builder).await?.answer())
}

pub async fn run(shape: Shape, plan: &Plan) -> Result<(), Failure> {
    let bearer = !matches!(shape, Shape::Form);
    let configuration = &Configuration {
        base_path: plan.base.clone(),
        user_agent: Some("OpenAPI-Generator/1.0.0/rust".to_owned()),
        client: bare::client()?,
        bearer_access_token: bearer.then(|| TOKEN.to_owned()),
    };
    match shape {
        Shape::Get => {
            let device = &DEVICE.to_string();
            plan.measure(shape.answer(), || async {
                list(configuration, device).await.unwrap_or_default()
            })
            .await
        }
        Shape::Json => {
            plan.measure(shape.answer(), || async {
                create(configuration, CREATE).await.unwrap_or_default()
            })
            .await
        }
        Shape::Form => {
            let (email, api_key, key) =
                (GET_PRODUCTS.email, GET_PRODUCTS.apikey, GET_PRODUCTS.secret_key);
            plan.measure(shape.answer(), || async {
                products(configuration, email, api_key, key).await.unwrap_or_default()
            })
            .await
        }
    }
}
