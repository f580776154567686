//! reqwest by hand, as its own examples use it.

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
