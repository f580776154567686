//! anyvpn as an application uses it.

use anyvpn_azire::Azire;
use anyvpn_azire::ops::{CreatePortForward, ListPortForwards};
use anyvpn_vpngn::ops::GetProducts;
use anyvpn_vpngn::{Access, Vpngn};

use super::{API_KEY, DEVICE, EMAIL, SECRET_KEY, Shape, TOKEN};
use crate::{Failure, Plan};

pub async fn run(shape: Shape, plan: &Plan) -> Result<(), Failure> {
    match shape {
        Shape::Get => {
            let azire = Azire::builder().base_url(&plan.base).token(TOKEN).build()?;
            plan.measure(shape.answer(), || async {
                let call = azire.call(ListPortForwards { internal_ipv4: DEVICE });
                call.await.map_or(0, |list| list.ports.iter().map(|it| u64::from(it.port)).sum())
            })
            .await
        }
        Shape::Json => {
            let azire = Azire::builder().base_url(&plan.base).token(TOKEN).build()?;
            plan.measure(shape.answer(), || async {
                let create = CreatePortForward {
                    internal_ipv4: DEVICE,
                    expires_in: Some(7),
                    hidden: Some(false),
                };
                azire.call(create).await.map_or(0, |forward| u64::from(forward.port))
            })
            .await
        }
        Shape::Form => {
            let vpngn = Vpngn::builder(&plan.base).credential(Access::server(API_KEY, SECRET_KEY));
            let vpngn = vpngn.build()?;
            plan.measure(shape.answer(), || async {
                let call = vpngn.call(GetProducts { email: EMAIL.to_owned() });
                call.await.map_or(0, |list| list.iter().map(|it| it.product_id.len() as u64).sum())
            })
            .await
        }
    }
}
