//! Lists the ports of a device by hand, on reqwest.

use std::io::Write as _;

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
        reqwest::Client::new()
            .get(format!("{base}/v3/portforwardings"))
            .query(&[("internal_ipv4", "10.0.16.181")])
            .bearer_auth("token")
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    })?;
    for it in list.data.ports {
        writeln!(std::io::stdout(), "{}", it.port)?;
    }
    Ok(())
}
