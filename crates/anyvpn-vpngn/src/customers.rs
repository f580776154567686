//! A reseller's customers, identified by their email addresses, which are unique at VPNGN.

use std::time::Duration;

use anyvpn_core::{
    ChangePlan, CreatedCustomer, Customer, CustomerEnd, Customers, EndCustomers, Error,
    NewCustomer, Plan, Secret, Status,
};
use anyvpn_http::Operation as _;
use async_trait::async_trait;

use crate::accounts::service;
use crate::ensure::{Ensured, Look};
use crate::ops::{
    AddClient, CancelRequest, CloseClient, NewProduct, Product, ProductStatus, SetPassword,
    UpgradeProduct,
};
use crate::{CancelAt, ProductType, StrongPassword, Vpngn};

/// VPNGN's product types, by number of months.
const PLANS: &[Plan] = &[
    Plan::new("1", "1 month"),
    Plan::new("6", "6 months"),
    Plan::new("12", "12 months"),
    Plan::new("24", "24 months"),
    Plan::new("36", "36 months"),
];

#[async_trait]
impl Customers for Vpngn {
    fn customer_key(&self) -> &'static str {
        "e-mail address"
    }

    fn plans(&self) -> &'static [Plan] {
        PLANS
    }

    /// The documentation does not say how VPNGN reports an unknown customer. `None` means that it refused
    /// this one in the same words as a customer who cannot exist.
    async fn find_customer(&self, key: &str) -> Result<Option<Customer>, Error> {
        match self.find(key).await? {
            Look::Found(products) => Ok(Some(customer(key, products))),
            Look::Refused(refusal) if self.is_absent(key, &refusal).await? => Ok(None),
            Look::Refused(refusal) => Err(refusal),
        }
    }

    async fn create_customer(&self, new: NewCustomer) -> Result<CreatedCustomer, Error> {
        let client = creation(new)?;
        let email = client.email.clone();
        let created = created(&client);
        Ok(match self.ensure_client(client).await? {
            Ensured::Created(_) => CreatedCustomer::Created(created),
            Ensured::Existed(existing) => {
                CreatedCustomer::Existed(customer(&email, existing.products))
            }
            Ensured::FoundAfterDoubt(existing) => {
                CreatedCustomer::FoundAfterDoubt(customer(&email, existing.products))
            }
        })
    }

    async fn add_customer(&self, new: NewCustomer) -> Result<Customer, Error> {
        let client = creation(new)?;
        let created = created(&client);
        self.call(client).await.map(|_| created)
    }

    fn check_customer(&self, new: &NewCustomer) -> Result<(), Error> {
        creation(new.clone())?.request().map(drop)
    }

    fn settle_time(&self) -> Duration {
        self.settle_time
    }

    async fn set_customer_password(&self, key: &str, password: Secret) -> Result<(), Error> {
        let setpassword = StrongPassword::new(password)?;
        self.call(SetPassword { email: key.to_owned(), setpassword }).await
    }

    async fn close_customer(&self, key: &str) -> Result<(), Error> {
        self.call(CloseClient { email: key.to_owned() }).await
    }

    fn plan_change(&self) -> Option<&dyn ChangePlan> {
        Some(self)
    }

    fn customer_end(&self) -> Option<&dyn EndCustomers> {
        Some(self)
    }
}

#[async_trait]
impl ChangePlan for Vpngn {
    /// Upgrades the active product, or adds one if none is active. A VPNGN customer should have only
    /// one active product at a time, so several are an error.
    async fn change_plan(&self, key: &str, wanted: &str) -> Result<(), Error> {
        let wanted = plan(wanted)?;
        let products = match self.find(key).await? {
            Look::Found(products) => products,
            Look::Refused(refusal) => return Err(refusal),
        };
        let active: Vec<_> = products.iter().filter(is_active).collect();
        let (email, auto_terminate) = (key.to_owned(), false);
        match active[..] {
            [product] if product.months() == Some(u32::from(wanted.months())) => Ok(()),
            [product] => {
                let product_id = product.product_id.clone();
                let new_product_plan = wanted;
                self.call(UpgradeProduct { email, product_id, new_product_plan, auto_terminate })
                    .await
                    .map(drop)
            }
            [] => {
                let force_upgrade = false;
                self.call(NewProduct { email, product_type: wanted, force_upgrade, auto_terminate })
                    .await
                    .map(drop)
            }
            _ => Err(Error::invalid("plan", "the customer has several active products")),
        }
    }
}

#[async_trait]
impl EndCustomers for Vpngn {
    /// VPNGN ends an account at its next daily run or at the end of the paid period.
    async fn end_customer(&self, key: &str, end: CustomerEnd) -> Result<(), Error> {
        let (email, at) = (key.to_owned(), cancel_at(end)?);
        self.call(CancelRequest { email, at, reason: None, product_id: None }).await
    }

    fn check_end(&self, end: CustomerEnd) -> Result<(), Error> {
        cancel_at(end).map(drop)
    }
}

fn is_active(product: &&Product) -> bool {
    product.product_status == ProductStatus::Active
}

/// Returns the product type for a plan's id.
fn plan(id: &str) -> Result<ProductType, Error> {
    let months = id.parse::<u8>().ok().and_then(|months| ProductType::try_from(months).ok());
    months.ok_or_else(|| {
        let known: Vec<_> = PLANS.iter().map(|plan| plan.id).collect();
        Error::invalid("plan", format!("must be one of {}", known.join(", ")))
    })
}

/// Returns VPNGN's word for an end.
fn cancel_at(end: CustomerEnd) -> Result<CancelAt, Error> {
    match end {
        CustomerEnd::NextRun => Ok(CancelAt::Midnight),
        CustomerEnd::PaidPeriod => Ok(CancelAt::AtDueDate),
        _ => {
            let why = "VPNGN closes an account only in its next daily run, or at the end of the paid period";
            Err(Error::invalid("end", why))
        }
    }
}

/// Returns the call that creates a customer.
fn creation(new: NewCustomer) -> Result<AddClient, Error> {
    let needed = |field| Error::invalid(field, "is required by VPNGN");
    let country = new.country.ok_or_else(|| needed("country"))?.parse()?;
    let wanted = plan(&new.plan.ok_or_else(|| needed("plan"))?)?;
    let mut client = AddClient::new(new.key.as_str(), country, wanted);
    client.password = Some(StrongPassword::new(new.password)?);
    Ok(client)
}

/// Returns the customer that a creation makes.
fn created(client: &AddClient) -> Customer {
    let mut created = Customer::new(&client.email, Status::Active);
    created.plan = Some(client.product_type.months().to_string());
    created
}

/// Converts a customer's products to the neutral form.
fn customer(key: &str, products: Vec<Product>) -> Customer {
    let active: Vec<_> = products.iter().filter(is_active).collect();
    let plan = match active[..] {
        [product] => product.months().map(|months| months.to_string()),
        _ => None,
    };
    let status = if active.is_empty() { Status::Inactive } else { Status::Active };
    let mut customer = Customer::new(key, status);
    customer.plan = plan;
    customer.services = products.into_iter().map(service).collect();
    let active = customer.services.iter().filter(|service| service.status == Status::Active);
    customer.expires_at = active.filter_map(|service| service.due_at).max();
    customer
}
