//! Lists the ports of a device by hand, on hyper-util.

use std::io::Write as _;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

#[derive(Deserialize)]
struct Envelope {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    ports: Vec<Port>,
}

#[derive(Deserialize)]
struct Port {
    port: u16,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::args().nth(1).ok_or("give the base URL")?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let list: Envelope = runtime.block_on(async {
        let connector = HttpsConnectorBuilder::new().with_platform_verifier();
        let connector = connector.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let request = Request::get(format!("{base}/v3/portforwardings?internal_ipv4=10.0.16.181"))
            .header("authorization", "Bearer token")
            .body(Empty::<Bytes>::new())?;
        let reply = client.request(request).await?;
        if !reply.status().is_success() {
            return Err(reply.status().to_string().into());
        }
        let body = reply.into_body().collect().await?.to_bytes();
        Ok::<_, Box<dyn std::error::Error>>(serde_json::from_slice(&body)?)
    })?;
    for it in list.data.ports {
        writeln!(std::io::stdout(), "{}", it.port)?;
    }
    Ok(())
}
