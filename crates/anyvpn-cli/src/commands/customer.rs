//! What `anyvpn account` does at VPNGN, whose accounts are a reseller's customers.

use anyvpn::vpngn::ops::{
    AddClient, CancelRequest, GetProducts, ListAliases, Product, ProductStatus, ResetPassword,
};
use anyvpn::vpngn::{CancelAt, CountryCode, Ensured, ProductMatch, ProductType, Vpngn};
use anyvpn::{
    AccountAdmin as _, Error, ErrorKind, Leftover, LeftoverKind, OperationId, ProviderName, Secret,
};
use serde::Serialize;

use super::account::{At, Cancel, Done};
use super::product::length;
use crate::context::Context;
use crate::failure::Failure;
use crate::secrets::{NewPassword, PasswordSource, confirm};
use crate::text::plain;

/// A customer to be created, as it was typed.
pub struct New {
    client: AddClient,
    generated_password: Option<Secret>,
}

impl New {
    /// Checks what can be checked before anything is sent.
    pub fn parse(
        email: &str,
        country: Option<String>,
        months: Option<ProductType>,
        password: &NewPassword,
    ) -> Result<Self, Failure> {
        let needed = |what: &str| Failure::usage(format!("VPNGN needs {what}"));
        let country = country.ok_or_else(|| {
            needed("the customer's country").hint("say it with --country CODE, such as US")
        })?;
        let months = months.ok_or_else(|| {
            needed("the first product's months").hint("say it with --months 1, 6, 12, 24 or 36")
        })?;
        let country: CountryCode = country.parse()?;
        let chosen = password.choose("The customer's password:")?;
        let mut client = AddClient::new(email, country, months);
        client.password = Some(chosen.strong()?);
        Ok(Self { client, generated_password: chosen.to_show() })
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    provider: &'static str,
    email: &'a str,
    /// Whether it was created now; else it was there already, and nothing was changed.
    created: bool,
    /// The username that the VPN takes, where VPNGN tells it.
    vpn_username: Option<String>,
    products: Vec<ProductAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_password: Option<Secret>,
}

#[derive(Serialize)]
pub struct ProductAnswer {
    pub id: String,
    pub product: String,
    pub status: String,
    pub vpn_username: Option<String>,
    pub due_date: Option<String>,
}

impl From<Product> for ProductAnswer {
    fn from(product: Product) -> Self {
        Self {
            id: product.product_id,
            product: product.product_type,
            status: product.product_status.to_string(),
            vpn_username: product.username,
            due_date: product.nextduedate.map(|date| date.to_string()),
        }
    }
}

pub async fn create(context: &Context, vpngn: &Vpngn, new: New) -> Result<(), Failure> {
    let New { client, generated_password } = new;
    let (email, wanted) = (client.email.clone(), client.product_type);
    let ensured = match ensure(vpngn, client).await {
        Ok(ensured) => ensured,
        Err(error) => return Err(not_created(error, generated_password.is_some())),
    };
    let mut answer = Answer {
        provider: "vpngn",
        email: &email,
        created: true,
        vpn_username: None,
        products: Vec::new(),
        generated_password,
    };
    match ensured {
        Ensured::Created(reply) => answer.vpn_username = reply.vpn_username,
        Ensured::Existed(found) => {
            let has_wanted = found.has_wanted;
            answer.created = false;
            answer.products = found.products.into_iter().map(ProductAnswer::from).collect();
            if has_wanted != ProductMatch::Yes {
                return Err(other_product(&answer, has_wanted, wanted));
            }
            // It is not the customer's.
            answer.generated_password = None;
        }
        // Found after doubt: perhaps by this call, perhaps by somebody else.
        _ => return Err(whose_is_unknown(&email)),
    }
    // The one secret that can be in it was asked for.
    let told = anyvpn::reveal(|| context.output.answer(&answer, || text(&answer))).0;
    told.map_err(|failure| match answer.generated_password {
        Some(_) => failure.leaving(
            &format!("{email} was created nevertheless, with a password that nobody knows"),
            format!("anyvpn account set-password --email {email}"),
        ),
        None => failure,
    })
}

/// Makes sure of the customer. Whoever may not read can only add.
async fn ensure(vpngn: &Vpngn, client: AddClient) -> Result<Ensured, Error> {
    match vpngn.ensure_client(client.clone()).await {
        Err(error) if error.kind() == ErrorKind::Unauthorized && error.status().is_none() => {
            vpngn.call(client).await.map(Ensured::Created)
        }
        ensured => ensured,
    }
}

/// The customer was there, without an active product of the wanted length.
fn other_product(answer: &Answer, has_wanted: ProductMatch, wanted: ProductType) -> Failure {
    let email = answer.email;
    let has: Vec<_> = answer.products.iter().map(name).collect();
    let has = if has.is_empty() { "no product".to_owned() } else { has.join(", ") };
    let wanted = length(wanted);
    let detail = match has_wanted {
        ProductMatch::Unknown => format!(
            "{email} was there already with {has}; whether that is {wanted} cannot be told; nothing \
             was changed"
        ),
        _ => format!(
            "{email} was there already with {has}, and not with an active product of {wanted}; \
             nothing was changed"
        ),
    };
    let error = Error::new(ErrorKind::AlreadyExists).with_detail(detail);
    let hint = "anyvpn product upgrade changes a product, and product add adds one";
    Failure::from(error).hint(hint).of(ProviderName::Vpngn)
}

/// The customer is there, and may be somebody else's.
fn whose_is_unknown(email: &str) -> Failure {
    let error = Error::new(ErrorKind::Ambiguous)
        .with_operation(OperationId::new("vpngn", "add-client"))
        .with_detail(format!(
            "{email} is there, and its creation was not answered: it may be this one or another \
             one, with another password"
        ))
        .with_leftover(Leftover::new(LeftoverKind::Customer, email));
    Failure::from(error).hint(
        "look: anyvpn account show; only if nobody else can have made it, account set-password",
    )
}

fn not_created(error: Error, generated: bool) -> Failure {
    let unknown = error.advice() == anyvpn::Advice::ReadBack;
    let failure = Failure::from(error);
    if unknown && generated {
        return failure.hint(
            "it may have been done: look (anyvpn account show); if so, the password is lost, and \
             account set-password sets another",
        );
    }
    failure
}

fn text(answer: &Answer) -> String {
    let mut lines = Vec::new();
    if answer.created {
        lines.push(format!("{} is created.", answer.email));
    } else {
        lines.push(format!("{} is there already; nothing was changed.", answer.email));
        lines.extend(answer.products.iter().map(|it| format!("It has {}.", name(it))));
    }
    lines.extend(answer.vpn_username.as_ref().map(|name| format!("VPN user name: {name}")));
    let mut text = lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n");
    if let Some(password) = &answer.generated_password {
        text.push_str("\nPassword: ");
        text.push_str(password.expose());
    }
    text
}

fn name(product: &ProductAnswer) -> String {
    format!("product {} ({}, {})", product.id, product.product, product.status)
}

/// What ends with the account, for a question: products that are active, and aliases.
async fn what_goes(vpngn: &Vpngn, email: &str) -> Result<String, Failure> {
    let mut products = vpngn.call(GetProducts { email: email.to_owned() }).await?;
    products.retain(|product| product.product_status == ProductStatus::Active);
    let aliases = vpngn.call(ListAliases { email: email.to_owned() }).await?;
    let mut parts = Vec::new();
    parts.extend(products.into_iter().map(|product| name(&product.into())));
    if !aliases.is_empty() {
        let aliases: Vec<_> = aliases.into_iter().map(|alias| alias.email).collect();
        parts.push(format!("alias {}", aliases.join(", ")));
    }
    Ok(match &parts[..] {
        [] => String::new(),
        parts => format!(" with {}", parts.join(" and ")),
    })
}

pub async fn close(
    context: &Context,
    vpngn: &Vpngn,
    email: &str,
    yes: bool,
    password: &PasswordSource,
) -> Result<(), Failure> {
    if !yes {
        let what = what_goes(vpngn, email).await?;
        confirm(&plain(&format!("Close {email} at once and for good{what}?")), "--yes")?;
    }
    // The environment's credential is enough; a file's password counts more.
    let password = match password.password_file {
        Some(_) => Some(password.present("")?),
        None => None,
    };
    vpngn.for_customer(email).close(password.as_ref()).await?;
    done(context, "close", email, &format!("{email} is closed."))
}

pub async fn cancel(
    context: &Context,
    vpngn: &Vpngn,
    email: &str,
    args: Cancel,
) -> Result<(), Failure> {
    let (at, when) = match args.at {
        At::Midnight => (CancelAt::Midnight, "at the provider's next midnight"),
        At::DueDate => (CancelAt::AtDueDate, "when what is paid for ends"),
    };
    if !args.yes {
        let what = what_goes(vpngn, email).await?;
        confirm(&plain(&format!("End {email}{what} {when}?")), "--yes")?;
    }
    let request = CancelRequest {
        email: email.to_owned(),
        at,
        reason: args.reason,
        product_id: args.product,
    };
    vpngn.call(request).await?;
    done(context, "cancel", email, &format!("{email} ends {when}."))
}

pub async fn reset_password(context: &Context, vpngn: &Vpngn, email: &str) -> Result<(), Failure> {
    vpngn.call(ResetPassword { email: email.to_owned() }).await?;
    done(context, "reset-password", email, &format!("VPNGN sends {email} a mail."))
}

fn done(context: &Context, done: &'static str, email: &str, text: &str) -> Result<(), Failure> {
    let answer = Done { provider: "vpngn", done, email: Some(email), generated_password: None };
    answer.tell(context, &plain(text))
}
