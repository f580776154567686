//! One provider's client, or those of all three in one process.

use std::cell::Cell;

use anyvpn_azire::Azire;
use anyvpn_azire::ops::ListPortForwards;
use anyvpn_vpngn::ops::GetProducts;
use anyvpn_vpngn::{Access, Vpngn};
use anyvpn_vpnscript::VpnScript;
use anyvpn_vpnscript::ops::GetAccount;

use crate::client::{API_KEY, DEVICE, EMAIL, SECRET_KEY, Shape, TOKEN};
use crate::{Failure, Plan, measure};

/// Makes the calls with the provider of this name, or with `all` of them in turns.
pub async fn run(provider: &str, plan: &Plan) -> Result<(), Failure> {
    let azire = Azire::builder().base_url(&plan.base).token(TOKEN).build()?;
    let access = Access::server(API_KEY, SECRET_KEY);
    let vpngn = Vpngn::builder(&plan.base).credential(access).build()?;
    let vpnscript = VpnScript::builder(&plan.base).token(TOKEN).build()?;
    let turns: &[u32] = match provider {
        "azire" => &[0],
        "vpngn" => &[1],
        "vpnscript" => &[2],
        "all" => &[0, 1, 2],
        _ => return Err("the providers are azire, vpngn, vpnscript and all".into()),
    };
    let next = Cell::new(0);
    let call = async || {
        let turn = next.get();
        next.set((turn + 1) % turns.len());
        match turns[turn] {
            0 => {
                let list = azire.call(ListPortForwards { internal_ipv4: DEVICE }).await;
                list.map_or(0, |list| list.ports.iter().map(|it| u64::from(it.port)).sum())
            }
            1 => {
                let list = vpngn.call(GetProducts { email: EMAIL.to_owned() }).await;
                list.map_or(0, |list| list.iter().map(|it| it.product_id.len() as u64).sum())
            }
            _ => vpnscript.call(GetAccount {}).await.map_or(0, |it| it.user_id),
        }
    };
    let answers = [Shape::Get.answer(), Shape::Form.answer(), crate::server::USER];
    let turns = turns.iter().cycle().take(plan.calls as usize);
    let expected = turns.map(|turn| answers[*turn as usize]).sum();
    measure(plan.work(call), expected).await
}
