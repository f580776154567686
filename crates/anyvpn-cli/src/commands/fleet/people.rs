//! `anyvpn fleet retry`, `adopt` and `release`

use anyvpn_fleet::{Act, Acted, act};
use serde::Serialize;

use super::place::{Place, failed};
use super::{Adopt, Retry};
use crate::context::Context;
use crate::failure::Failure;
use crate::secrets::confirm;
use crate::text::plain;

#[derive(Serialize)]
struct Answer<'a> {
    done: &'static str,
    orders: &'a [String],
    /// The profile that is resumed. Absent if orders were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

pub async fn retry(context: &Context, args: Retry) -> Result<(), Failure> {
    if !args.orders.is_empty() {
        return decide(context, &args.place, &args.orders, Act::Retry).await;
    }
    let profile = context.fleet_profile()?;
    let store = args.place.look(context).await?;
    store.resume(&profile).await.map_err(failed)?;
    let text = format!("Orders of {} are handled again.", plain(&profile));
    let answer = Answer { done: "retry", orders: &[], profile: Some(profile) };
    context.output.answer(&answer, || text)
}

pub async fn adopt(context: &Context, args: Adopt) -> Result<(), Failure> {
    if !args.yes {
        let whose = named(&args.orders);
        confirm(
            &format!(
                "Give the customer to {whose}? The customer gets another password and the order's plan."
            ),
            "--yes",
        )?;
    }
    decide(context, &args.place, &args.orders, Act::Adopt).await
}

pub async fn release(context: &Context, args: Adopt) -> Result<(), Failure> {
    if !args.yes {
        confirm(
            &format!("Give up {}? The customer stays as it is.", named(&args.orders)),
            "--yes",
        )?;
    }
    decide(context, &args.place, &args.orders, Act::Release).await
}

fn named(orders: &[String]) -> String {
    match orders {
        [one] => format!("order {}", plain(one)),
        several => format!("{} orders", several.len()),
    }
}

async fn decide(
    context: &Context,
    place: &Place,
    orders: &[String],
    what: Act,
) -> Result<(), Failure> {
    let store = place.look(context).await?;
    let clock = anyvpn_http::SystemClock;
    for order in orders {
        match act(&*store, &clock, order, "person", what).await.map_err(failed)? {
            Acted::Done => {}
            Acted::Busy => {
                return Err(Failure::other(format!("a worker has the order {}", plain(order)))
                    .hint("try again when its lease is over"));
            }
            _ => {
                return Err(Failure::not_found(format!("there is no order {}", plain(order)))
                    .hint("anyvpn fleet list shows the orders"));
            }
        }
    }
    let (done, text) = match what {
        Act::Retry => ("retry", "will be tried again by the next run"),
        Act::Adopt => ("adopt", "will get its customer by the next run"),
        Act::Release => ("release", "was given up"),
    };
    let answer = Answer { done, orders, profile: None };
    context.output.answer(&answer, || {
        let lines = orders.iter().map(|order| format!("Order {} {text}.", plain(order)));
        lines.collect::<Vec<_>>().join("\n")
    })
}
