//! A client that progenitor generates from `openapi.json`.

use super::{API_KEY, DEVICE, EMAIL, SECRET_KEY, Shape, TOKEN};
use crate::{Failure, Plan};

progenitor::generate_api!("openapi.json");

pub async fn run(shape: Shape, plan: &Plan) -> Result<(), Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = reqwest::header::HeaderMap::new();
    if !matches!(shape, Shape::Form) {
        headers.insert(reqwest::header::AUTHORIZATION, format!("Bearer {TOKEN}").parse()?);
    }
    let reqwest = reqwest::Client::builder().default_headers(headers).build()?;
    let client = &Client::new_with_client(&plan.base, reqwest);
    match shape {
        Shape::Get => {
            plan.measure(shape.answer(), || async {
                let list = client.list_port_forwards(&DEVICE).await;
                list.map_or(0, |it| it.data.ports.iter().map(|port| u64::from(port.port)).sum())
            })
            .await
        }
        Shape::Json => {
            plan.measure(shape.answer(), || async {
                let create = types::CreatePortForward {
                    internal_ipv4: DEVICE,
                    expires_in: Some(7),
                    hidden: Some(false),
                };
                let forward = client.create_port_forward(&create).await;
                forward.map_or(0, |it| u64::from(it.data.port))
            })
            .await
        }
        Shape::Form => {
            plan.measure(shape.answer(), || async {
                let form = types::GetProducts {
                    email: EMAIL.to_owned(),
                    apikey: API_KEY.to_owned(),
                    secret_key: SECRET_KEY.to_owned(),
                };
                let products = client.get_products(&form).await;
                products.map_or(0, |it| it.response.iter().map(|p| p.product_id.len() as u64).sum())
            })
            .await
        }
    }
}
