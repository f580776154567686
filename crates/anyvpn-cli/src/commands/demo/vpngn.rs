//! The tour of VPNGN: a reseller's customer from the first day to the last, by all operations.

use anyvpn::Secret;
use anyvpn::vpngn::ops::{
    AddAlias, AddClient, CancelRequest, CloseClient, DelAlias, GetProducts, ListAliases,
    NewProduct, Product, ResetAliasPassword, ResetPassword, SetAliasPassword, SetPassword,
    TokenRefresh, UpgradeProduct,
};
use anyvpn::vpngn::{Access, CancelAt, Ensured, ProductType, Proof, StrongPassword, Vpngn};

use super::tour::{Tour, unexpected};
use crate::failure::Failure;

const EMAIL: &str = "jo@mail.example";
const ALIAS: &str = "jo.at.work@mail.example";

pub(super) async fn tour(tour: &mut Tour<'_>) -> Result<(), Failure> {
    let service = tour.sandbox.vpngn();
    let api_key = Secret::from(service.api_key());
    // As on the reseller's server, which alone may hold the secret key.
    let vpngn = Vpngn::builder(tour.sandbox.vpngn_url())
        .credential(Access::server(api_key.clone(), service.secret_key()))
        .build()?;
    join(tour, &vpngn).await?;
    let token = tokens(tour, &vpngn).await?;
    // As in the customer's program, which has a short token instead.
    let customer = vpngn.with_access(Access::new(api_key, Proof::ShortToken(token)));
    products(tour, &vpngn, &customer).await?;
    aliases(tour, &vpngn, &customer).await?;
    leave(tour, &vpngn).await
}

fn email() -> String {
    EMAIL.to_owned()
}

/// A customer is created, and not created again.
async fn join(tour: &mut Tour<'_>, vpngn: &Vpngn) -> Result<(), Failure> {
    let mut client = AddClient::new(EMAIL, "US".parse()?, ProductType::Months1);
    client.password = Some(StrongPassword::generate()?);
    tour.step("add-client", "Create a customer with a month", vpngn.call(client.clone()), |_| {
        email()
    })
    .await?;
    let again = async {
        match vpngn.ensure_client(client).await? {
            Ensured::Existed(found) => Ok(found.products),
            _ => Err(unexpected("the customer was created twice").into()),
        }
    };
    tour.aside("Make sure that the customer exists", again, |products| {
        format!("there already, with {} product", products.len())
    })
    .await?;
    Ok(())
}

/// The customer's tokens; the short one is what programs of end users have.
async fn tokens(tour: &mut Tour<'_>, vpngn: &Vpngn) -> Result<Secret, Failure> {
    let tokens = tour
        .step(
            "token-refresh",
            "Make tokens for the customer's program",
            vpngn.call(TokenRefresh { email: email() }),
            |tokens| match tokens.short_token_expire_ts {
                Some(end) => format!("the short one ends at {end}"),
                None => "a short one and a long one".to_owned(),
            },
        )
        .await?;
    Ok(tokens.short_token.ok_or_else(|| unexpected("there is no short token"))?)
}

fn named(products: &[Product]) -> String {
    let name = |it: &Product| format!("{} ({})", it.product_type, it.product_status);
    products.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A product is changed twice: by its id, and as the newest one.
async fn products(tour: &mut Tour<'_>, vpngn: &Vpngn, customer: &Vpngn) -> Result<(), Failure> {
    let list = || customer.call(GetProducts { email: email() });
    let products = tour
        .step("get-products", "List the products, as the customer", list(), |all| named(all))
        .await?;
    let [product] = &products[..] else {
        return Err(unexpected("there is not one product").into());
    };
    let upgrade = UpgradeProduct {
        email: email(),
        product_id: product.product_id.clone(),
        new_product_plan: ProductType::Months12,
        auto_terminate: false,
    };
    tour.step("upgrade-product", "Change it to a year", vpngn.call(upgrade), |_| {
        "changed".to_owned()
    })
    .await?;
    let new = NewProduct {
        email: email(),
        product_type: ProductType::Months24,
        force_upgrade: true,
        auto_terminate: true,
    };
    let title = "Order two years, which changes the active product";
    tour.step("new-product", title, vpngn.call(new), |_| "without renewal".to_owned()).await?;
    let products =
        tour.step("get-products", "List the products again", list(), |all| named(all)).await?;
    if products.len() == 1 { Ok(()) } else { Err(unexpected("there is another product").into()) }
}

/// A second address to sign in with comes, gets passwords, and goes; so does the customer's password.
async fn aliases(tour: &mut Tour<'_>, vpngn: &Vpngn, customer: &Vpngn) -> Result<(), Failure> {
    let add = AddAlias {
        email: email(),
        setemail: ALIAS.to_owned(),
        setpassword: Some(StrongPassword::generate()?),
        auto_passreset: false,
        first_name: Some("Jo".to_owned()),
        last_name: None,
    };
    tour.step("add-alias", "Add an alias", customer.call(add), |()| ALIAS.to_owned()).await?;
    let list = || customer.call(ListAliases { email: email() });
    tour.step("list-aliases", "List the aliases", list(), |all| format!("{} of them", all.len()))
        .await?;
    let set =
        SetAliasPassword { email: ALIAS.to_owned(), setpassword: StrongPassword::generate()? };
    let done = |(): &()| "changed".to_owned();
    tour.step("set-alias-password", "Change the alias's password", vpngn.call(set), done).await?;
    let sandbox = tour.sandbox;
    let mails = |(): &()| match sandbox.vpngn().outbox().last() {
        Some(mail) => format!("a mail to {}", mail.to),
        None => "no mail".to_owned(),
    };
    let reset = ResetAliasPassword { email: ALIAS.to_owned() };
    let title = "Let the alias choose a password";
    tour.step("reset-alias-password", title, vpngn.call(reset), mails).await?;
    let delete = DelAlias { email: email(), alias: ALIAS.to_owned() };
    tour.step("del-alias", "Remove the alias", customer.call(delete), |()| "removed".to_owned())
        .await?;
    let set = SetPassword { email: email(), setpassword: StrongPassword::generate()? };
    tour.step("set-password", "Change the customer's password", vpngn.call(set), done).await?;
    let reset = ResetPassword { email: email() };
    let title = "Let the customer choose a password";
    tour.step("reset-password", title, vpngn.call(reset), mails).await
}

/// The customer is to leave when the time is over, and leaves at once instead.
async fn leave(tour: &mut Tour<'_>, vpngn: &Vpngn) -> Result<(), Failure> {
    let sandbox = tour.sandbox;
    let cancel = CancelRequest {
        email: email(),
        at: CancelAt::AtDueDate,
        reason: Some("moves away".to_owned()),
        product_id: None,
    };
    tour.step("cancel-request", "Cancel for the due date", vpngn.call(cancel), |()| {
        let end = sandbox.vpngn().customer(EMAIL).and_then(|customer| customer.ends_at);
        end.map_or_else(|| "it does not end".to_owned(), |end| format!("it ends at {end}"))
    })
    .await?;
    let close = vpngn.call(CloseClient { email: email() });
    tour.step("close-client", "Close the account now", close, |()| {
        format!("{} customers are left", sandbox.vpngn().customers())
    })
    .await
}
