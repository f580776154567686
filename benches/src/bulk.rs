//! Many calls of AzireVPN's list-port-forwards: by hand on reqwest, and with anyvpn's `bulk`.

use std::num::NonZero;

use anyvpn_azire::Azire;
use anyvpn_azire::ops::ListPortForwards;
use anyvpn_http::bulk;
use futures_util::{StreamExt as _, stream};

use crate::client::bare;
use crate::client::wire::{Envelope, PortForwards};
use crate::{Failure, Plan, measure};

/// Makes the calls with the client of this name, and counts those that brought a port.
pub async fn run(client: &str, token: &str, device: &str, plan: &Plan) -> Result<(), Failure> {
    let (base, in_flight) = (format!("{}/azire", plan.base), plan.in_flight as usize);
    let inputs = stream::iter(0..plan.calls);
    let calls = u64::from(plan.calls);
    match client {
        "reqwest" => {
            let client = &bare::client()?;
            let call = async |_| -> reqwest::Result<usize> {
                let list: Envelope<PortForwards> = client
                    .get(format!("{base}/v3/portforwardings"))
                    .query(&[("internal_ipv4", device)])
                    .bearer_auth(token)
                    .send()
                    .await?
                    .error_for_status()?
                    .json()
                    .await?;
                Ok(list.data.ports.len())
            };
            let outcomes = inputs.map(call).buffer_unordered(in_flight);
            measure(sum(outcomes.map(Result::unwrap_or_default)), calls).await
        }
        "anyvpn" => {
            let client = &Azire::builder().base_url(base).token(token).build()?;
            let internal_ipv4 = device.parse()?;
            let in_flight = NonZero::new(in_flight).ok_or("none in flight")?;
            let call = |_| client.call(ListPortForwards { internal_ipv4 });
            let outcomes = bulk(inputs, in_flight, call);
            measure(sum(outcomes.map(|(_, list)| list.map_or(0, |it| it.ports.len()))), calls).await
        }
        _ => Err("the clients are reqwest and anyvpn".into()),
    }
}

async fn sum(counts: impl futures_util::Stream<Item = usize>) -> u64 {
    counts.fold(0, async |sum, count| sum + count as u64).await
}
