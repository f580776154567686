//! Implements a customer's account: reading it, changing its password, and closing it.

use anyvpn_core::{
    Account, Accounts, ChangePassword, CloseAccount, Error, Secret, Service, Status,
};
use async_trait::async_trait;
use jiff::tz::TimeZone;

use crate::dialect::Proof;
use crate::ops::{CloseClient, GetProducts, Product, ProductStatus, SetPassword};
use crate::{StrongPassword, Vpngn};

#[async_trait]
impl Accounts for Vpngn {
    async fn account(&self) -> Result<Account, Error> {
        let email = self.email()?;
        let products = self.call(GetProducts { email: email.clone() }).await?;
        let active = products.iter().any(|it| it.product_status == ProductStatus::Active);
        let status = if active { Status::Active } else { Status::Inactive };
        let mut account = Account::new(email.clone(), status);
        account.email = Some(email);
        account.services = products.into_iter().map(service).collect();
        // Products that ended long ago are listed too.
        let active = account.services.iter().filter(|service| service.status == Status::Active);
        account.expires_at = active.filter_map(|service| service.due_at).max();
        Ok(account)
    }

    fn password_change(&self) -> Option<&dyn ChangePassword> {
        Some(self)
    }

    fn account_closing(&self) -> Option<&dyn CloseAccount> {
        Some(self)
    }
}

#[async_trait]
impl ChangePassword for Vpngn {
    async fn change_password(&self, password: Secret) -> Result<(), Error> {
        let setpassword = StrongPassword::new(password)?;
        self.call(SetPassword { email: self.email()?, setpassword }).await
    }
}

#[async_trait]
impl CloseAccount for Vpngn {
    /// Uses the password as proof if there is one, and otherwise the client's credential.
    async fn close_account(&self, password: Option<&Secret>) -> Result<(), Error> {
        let close = CloseClient { email: self.email()? };
        match password {
            Some(password) => {
                self.with_proof(Proof::Password(password.clone())).await?.call(close).await
            }
            None => self.call(close).await,
        }
    }
}

pub(crate) fn service(product: Product) -> Service {
    let status = match product.product_status {
        ProductStatus::Active => Status::Active,
        other => Status::Other(other.to_string()),
    };
    let mut service = Service::new(product.product_type, status);
    service.id = Some(product.product_id);
    service.due_at = product
        .nextduedate
        .and_then(|date| date.to_zoned_datetime(TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp());
    service
}
