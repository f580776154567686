//! GetProducts, NewProduct and UpgradeProduct.

use serde_json::{Value, json};

use super::access::Caller;
use super::answer::{Answer, Kind, Refusal, listed, success_with};
use super::clients::{told_product, told_tokens};
use super::input::{flag, plan};
use super::state::{Customer, Product, State, Status};
use super::time::{date_text, months_later};
use crate::fields::Fields;

pub(super) fn list(state: &mut State, caller: &Caller, _fields: Fields) -> Answer {
    let quirks = state.quirks.clone();
    let customer = state.customer(caller.brand, &caller.email)?;
    let shown = |product: &Product| {
        let mut shown = json!({
            "product_id": match quirks.product_id_is_number {
                true => product.id.into(),
                false => Value::from(product.id.to_string()),
            },
            "product_type": match product.plan {
                1 => "1 Month".to_owned(),
                months => format!("{months} Months"),
            },
            "product_status": match product.status {
                Status::Active if customer.ends_at.is_some() => quirks.cancelling,
                Status::Active => "Active",
                Status::Terminated => "Terminated",
            },
            "nextduedate": product.due.map_or_else(|| "0000-00-00".to_owned(), date_text),
        });
        if caller.whitelisted || quirks.product_credentials_for_all {
            shown["username"] = product.vpn_username.as_str().into();
            shown["password"] = product.vpn_password.as_str().into();
        }
        shown
    };
    let mut reply = listed(customer.products.iter().map(shown).collect(), &quirks);
    reply["result"] = "success".into();
    Ok(success_with(&reply))
}

pub(super) fn add(state: &mut State, caller: &Caller, mut fields: Fields) -> Answer {
    let plan = plan(&mut fields, "type");
    let force_upgrade = flag(&mut fields, "force_upgrade");
    let renews = !flag(&mut fields, "auto_terminate");
    fields.done()?;
    let now = state.now();
    let customer = state.customer(caller.brand, &caller.email)?;
    match customer.active() {
        Some(product) if force_upgrade => {
            change(product, plan, renews, now);
            customer.changed_at = now;
        }
        Some(_) => {
            let message = "The client has an active product already.";
            return Err(Refusal::new(Kind::ActiveProduct, message));
        }
        None => state.add_product(caller.brand, &caller.email, plan, renews, true)?,
    }
    Ok(success_with(&told_product(state, caller, &caller.email)?))
}

pub(super) fn upgrade(state: &mut State, caller: &Caller, mut fields: Fields) -> Answer {
    let id = fields.required_text("product_id");
    let plan = plan(&mut fields, "new_product_plan");
    let renews = !flag(&mut fields, "auto_terminate");
    fields.done()?;
    let now = state.now();
    let customer = state.customer(caller.brand, &caller.email)?;
    let place = place(customer, &id)?;
    change(&mut customer.products[place], plan, renews, now);
    customer.changed_at = now;
    Ok(success_with(&told_tokens(state, caller, &caller.email)?))
}

fn change(product: &mut Product, plan: u32, renews: bool, now: i64) {
    product.plan = plan;
    product.renews = renews;
    product.due = product.due.map(|_| months_later(now, plan.into()));
}

/// Returns the index of the customer's active product with this id.
pub(super) fn place(customer: &Customer, id: &str) -> Result<usize, Refusal> {
    let is_it =
        |product: &Product| product.status == Status::Active && product.id.to_string() == id;
    let place = customer.products.iter().position(is_it);
    place.ok_or_else(|| Refusal::new(Kind::NoProduct, "There is no active product of this id."))
}
