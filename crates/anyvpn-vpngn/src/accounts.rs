//! The customer's account, and creating and closing it.

use anyvpn_core::{
    Account, AccountAdmin, Accounts, Advice, Error, ErrorKind, NewAccount, Secret, Service, Status,
};
use async_trait::async_trait;
use jiff::tz::TimeZone;

use crate::dialect::Proof;
use crate::ensure::{Look, customer};
use crate::ops::{AddClient, CloseClient, GetProducts, Product, ProductStatus, SetPassword};
use crate::{ProductType, StrongPassword, Vpngn};

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
        account.expires_at = account.services.iter().filter_map(|it| it.due_at).max();
        Ok(account)
    }
}

#[async_trait]
impl AccountAdmin for Vpngn {
    async fn create(&self, new: NewAccount) -> Result<Account, Error> {
        if new.email.as_ref().is_some_and(|email| *email != new.login) {
            return Err(Error::invalid(
                "email",
                "VPNGN's customers sign in with it: it is the login",
            ));
        }
        if new.currency.is_some() {
            return Err(Error::invalid("currency", "VPNGN's API has no place for one"));
        }
        let needed = |field| Error::invalid(field, "VPNGN needs it");
        let country = new.country.ok_or_else(|| needed("country"))?.parse()?;
        let months = ProductType::try_from(new.months.ok_or_else(|| needed("months"))?)?;
        let mut client = AddClient::new(new.login, country, months);
        client.password = new.password.map(StrongPassword::new).transpose()?;
        let email = client.email.clone();
        match self.call(client).await {
            Ok(_) => Ok(Account::new(email, Status::Active)),
            Err(error) if error.advice() == Advice::ReadBack => {
                Err(error.with_leftover(customer(&email)))
            }
            // The codes are unknown; reading tells why a client cannot be added.
            Err(error) if error.kind() == ErrorKind::Refused => {
                let exists = matches!(self.find(&email).await, Ok(Look::Found(_)));
                Err(if exists { error.with_kind(ErrorKind::AlreadyExists) } else { error })
            }
            Err(error) => Err(error),
        }
    }

    async fn set_password(&self, password: Secret) -> Result<(), Error> {
        let setpassword = StrongPassword::new(password)?;
        self.call(SetPassword { email: self.email()?, setpassword }).await
    }

    /// With a password, that is the proof; without, the credential that the client has.
    async fn close(&self, password: Option<&Secret>) -> Result<(), Error> {
        let close = CloseClient { email: self.email()? };
        match password {
            Some(password) => {
                self.with_proof(Proof::Password(password.clone())).await?.call(close).await
            }
            None => self.call(close).await,
        }
    }
}

fn service(product: Product) -> Service {
    let status = match product.product_status {
        ProductStatus::Active => Status::Active,
        other => Status::Other(other.to_string()),
    };
    let mut service = Service::new(product.product_type, status);
    service.id = Some(product.product_id);
    service.due_at = product
        .nextduedate
        .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp());
    service
}
