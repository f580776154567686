//! `anyvpn product`

use anyvpn::ProviderName;
use anyvpn::vpngn::ops::{GetProducts, NewProduct, ProductStatus, UpgradeProduct};
use anyvpn::vpngn::{ProductType, Vpngn};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::customer::ProductAnswer;
use super::with_vpngn;
use crate::args::Customer;
use crate::context::Context;
use crate::failure::Failure;
use crate::secrets::confirm;
use crate::text::{Column, plain, table};

#[derive(Args)]
#[command(disable_help_subcommand = true)]
pub struct Product {
    #[command(flatten)]
    customer: Customer,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the customer's products
    List,
    /// Add a product for a customer who has none that is active
    Add {
        /// How long it lasts
        #[arg(long, value_name = "N", value_parser = months())]
        months: ProductType,
        /// Change the newest active product instead, where there is one
        #[arg(long)]
        force_upgrade: bool,
        #[command(flatten)]
        renewal: Renewal,
        /// With --force-upgrade: do not ask whether that is meant
        #[arg(long)]
        yes: bool,
    },
    /// Change a product to another length, longer or shorter
    Upgrade {
        /// The id that `anyvpn product list` shows
        id: String,
        /// How long it lasts
        #[arg(long, value_name = "N", value_parser = months())]
        months: ProductType,
        #[command(flatten)]
        renewal: Renewal,
        /// Do not ask whether that is meant
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
struct Renewal {
    /// Let it end when it is due, instead of renewing it
    #[arg(long)]
    no_renew: bool,
}

#[derive(Serialize)]
struct ListAnswer {
    email: String,
    products: Vec<ProductAnswer>,
}

#[derive(Serialize)]
struct Done<'a> {
    done: &'static str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    months: u8,
    renews: bool,
    /// The username that the VPN takes, where VPNGN tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    vpn_username: Option<String>,
}

/// The lengths of VPNGN's products.
pub fn months() -> impl TypedValueParser<Value = ProductType> {
    PossibleValuesParser::new(["1", "6", "12", "24", "36"])
        .try_map(|text| ProductType::try_from(text.parse::<u8>().unwrap_or_default()))
}

pub fn run(context: &Context, args: Product) -> Result<(), Failure> {
    let name = context.named_provider()?.unwrap_or(ProviderName::Vpngn);
    with_vpngn(context, name, "products to manage", async |vpngn| {
        let email = args.customer.needed()?;
        match args.command {
            Command::List => list(context, vpngn, email).await,
            Command::Add { months, force_upgrade, renewal, yes } => {
                if force_upgrade && !yes {
                    let mut all = products(vpngn, email).await?.into_iter();
                    let active = all.rfind(|it| it.status == ProductStatus::Active.as_str());
                    if let Some(active) = active {
                        ask(&active, months)?;
                    }
                }
                let new = NewProduct {
                    email: email.to_owned(),
                    product_type: months,
                    force_upgrade,
                    auto_terminate: renewal.no_renew,
                };
                let made = vpngn.call(new).await?;
                let done = Done {
                    done: "add",
                    email,
                    id: None,
                    months: months.months(),
                    renews: !renewal.no_renew,
                    vpn_username: made.vpn_username,
                };
                let length = length(months);
                let text = format!("{email} has a product of {length} now.");
                context.output.answer(&done, || plain(&text))
            }
            Command::Upgrade { id, months, renewal, yes } => {
                if !yes {
                    let all = products(vpngn, email).await?;
                    let Some(product) = all.iter().find(|it| it.id == id) else {
                        return Err(Failure::not_found(format!("{email} has no product {id}"))
                            .hint("anyvpn product list shows the ids"));
                    };
                    ask(product, months)?;
                }
                let upgrade = UpgradeProduct {
                    email: email.to_owned(),
                    product_id: id.clone(),
                    new_product_plan: months,
                    auto_terminate: renewal.no_renew,
                };
                vpngn.call(upgrade).await.map_err(|error| {
                    Failure::from(error).where_missing("anyvpn product list shows the ids")
                })?;
                let done = Done {
                    done: "upgrade",
                    email,
                    id: Some(&id),
                    months: months.months(),
                    renews: !renewal.no_renew,
                    vpn_username: None,
                };
                let text = format!("Product {id} lasts {} now.", length(months));
                context.output.answer(&done, || plain(&text))
            }
        }
    })
}

fn ask(product: &ProductAnswer, months: ProductType) -> Result<(), Failure> {
    let due = product.due_date.as_ref().map(|date| format!(", due {date}"));
    let question = format!(
        "Change product {} ({}, {}{}) to {}?",
        product.id,
        product.product,
        product.status,
        due.unwrap_or_default(),
        length(months)
    );
    confirm(&plain(&question), "--yes")
}

/// The length in words.
pub fn length(months: ProductType) -> String {
    match months.months() {
        1 => "1 month".to_owned(),
        several => format!("{several} months"),
    }
}

async fn products(vpngn: &Vpngn, email: &str) -> Result<Vec<ProductAnswer>, Failure> {
    let products = vpngn.call(GetProducts { email: email.to_owned() }).await?;
    Ok(products.into_iter().map(ProductAnswer::from).collect())
}

async fn list(context: &Context, vpngn: &Vpngn, email: &str) -> Result<(), Failure> {
    let answer = ListAnswer { email: email.to_owned(), products: products(vpngn, email).await? };
    context.output.answer(&answer, || {
        if answer.products.is_empty() {
            return plain(&format!("{email} has no products."));
        }
        let row = |product: &ProductAnswer| {
            vec![
                product.id.clone(),
                product.product.clone(),
                product.status.clone(),
                product.vpn_username.clone().unwrap_or_default(),
                product.due_date.clone().unwrap_or_else(|| "never".to_owned()),
            ]
        };
        let columns = [
            Column::Text("ID"),
            Column::Text("PRODUCT"),
            Column::State("STATUS"),
            Column::Text("VPN USER NAME"),
            Column::Text("DUE"),
        ];
        table(&columns, answer.products.iter().map(row).collect())
    })
}
