//! The libraries below, used by hand: reqwest as its own examples do, and hyper-util's client.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::wire::{CREATE, Envelope, GET_PRODUCTS, PortForward, PortForwards, Products};
use super::{DEVICE, Shape, TOKEN};
use crate::{Failure, Plan};

/// A client of reqwest with what anyvpn's own has: the crypto provider has to be named, since the
/// build of reqwest has none by itself.
pub fn client() -> Result<::reqwest::Client, Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(::reqwest::Client::new())
}

pub async fn reqwest(shape: Shape, plan: &Plan) -> Result<(), Failure> {
    let (client, base) = (&client()?, &plan.base);
    match shape {
        Shape::Get => {
            let call = async || -> ::reqwest::Result<u64> {
                let list: Envelope<PortForwards> = client
                    .get(format!("{base}/v3/portforwardings"))
                    .query(&[("internal_ipv4", DEVICE)])
                    .bearer_auth(TOKEN)
                    .send()
                    .await?
                    .error_for_status()?
                    .json()
                    .await?;
                Ok(list.answer())
            };
            plan.measure(shape.answer(), || async { call().await.unwrap_or_default() }).await
        }
        Shape::Json => {
            let call = async || -> ::reqwest::Result<u64> {
                let forward: Envelope<PortForward> = client
                    .post(format!("{base}/v3/portforwardings"))
                    .bearer_auth(TOKEN)
                    .json(&CREATE)
                    .send()
                    .await?
                    .error_for_status()?
                    .json()
                    .await?;
                Ok(forward.answer())
            };
            plan.measure(shape.answer(), || async { call().await.unwrap_or_default() }).await
        }
        Shape::Form => {
            let call = async || -> ::reqwest::Result<u64> {
                let products: Products = client
                    .post(format!("{base}/api/amapi/GetProducts"))
                    .form(&GET_PRODUCTS)
                    .send()
                    .await?
                    .error_for_status()?
                    .json()
                    .await?;
                Ok(products.answer())
            };
            plan.measure(shape.answer(), || async { call().await.unwrap_or_default() }).await
        }
    }
}

type Hyper = Client<HttpConnector, Full<Bytes>>;

pub async fn hyper(shape: Shape, plan: &Plan) -> Result<(), Failure> {
    let client: &Hyper = &Client::builder(TokioExecutor::new()).build_http();
    let base = &plan.base;
    match shape {
        Shape::Get => {
            let call = async || -> Result<u64, Failure> {
                let uri = format!("{base}/v3/portforwardings?internal_ipv4={DEVICE}");
                let request = Request::get(uri)
                    .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
                    .body(Full::default())?;
                let body = send(client, request).await?;
                Ok(serde_json::from_slice::<Envelope<PortForwards>>(&body)?.answer())
            };
            plan.measure(shape.answer(), || async { call().await.unwrap_or_default() }).await
        }
        Shape::Json => {
            let call = async || -> Result<u64, Failure> {
                let request = Request::builder()
                    .method(Method::POST)
                    .uri(format!("{base}/v3/portforwardings"))
                    .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(serde_json::to_vec(&CREATE)?.into())?;
                let body = send(client, request).await?;
                Ok(serde_json::from_slice::<Envelope<PortForward>>(&body)?.answer())
            };
            plan.measure(shape.answer(), || async { call().await.unwrap_or_default() }).await
        }
        Shape::Form => {
            let call = async || -> Result<u64, Failure> {
                let request = Request::builder()
                    .method(Method::POST)
                    .uri(format!("{base}/api/amapi/GetProducts"))
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(serde_urlencoded::to_string(&GET_PRODUCTS)?.into())?;
                let body = send(client, request).await?;
                Ok(serde_json::from_slice::<Products>(&body)?.answer())
            };
            plan.measure(shape.answer(), || async { call().await.unwrap_or_default() }).await
        }
    }
}

async fn send(client: &Hyper, request: Request<Full<Bytes>>) -> Result<Bytes, Failure> {
    let reply = client.request(request).await?;
    if !reply.status().is_success() {
        return Err(reply.status().as_str().into());
    }
    Ok(reply.into_body().collect().await?.to_bytes())
}
