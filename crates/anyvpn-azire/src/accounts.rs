//! Accounts, and creating and closing them.

use anyvpn_core::{
    Account, AccountAdmin, Accounts, Error, NewAccount, Secret, Service, Status, Timestamp,
};
use async_trait::async_trait;

use crate::Azire;
use crate::ops::{CreateUser, DeleteUser, GetUser, UpdatePassword, User};

#[async_trait]
impl Accounts for Azire {
    async fn account(&self) -> Result<Account, Error> {
        Ok(account(self.call(GetUser {}).await?))
    }
}

#[async_trait]
impl AccountAdmin for Azire {
    async fn create(&self, new: NewAccount) -> Result<Account, Error> {
        let no_place = "AzireVPN's API has no place for one";
        for (field, given) in [("country", new.country.is_some()), ("months", new.months.is_some())]
        {
            if given {
                return Err(Error::invalid(field, no_place));
            }
        }
        let password = new
            .password
            .ok_or_else(|| Error::invalid("password", "AzireVPN makes none; give one"))?;
        let user = CreateUser {
            username: new.login,
            password,
            email: new.email,
            currency: new.currency.map(Into::into),
            affiliate_code: None,
            referral_code: None,
        };
        Ok(account(self.call(user).await?))
    }

    async fn set_password(&self, password: Secret) -> Result<(), Error> {
        self.call(UpdatePassword { new_password: password }).await.map(drop)
    }

    async fn close(&self, password: Option<&Secret>) -> Result<(), Error> {
        let password = password.ok_or_else(|| {
            Error::invalid("password", "AzireVPN wants it for closing the account")
        })?;
        self.call(DeleteUser { password: password.clone() }).await
    }
}

/// The neutral form. `is_active` decides on the status; the samples' `expires_at` lies before their
/// `created_at`, so times decide nothing.
fn account(user: User) -> Account {
    let status = if user.is_active { Status::Active } else { Status::Inactive };
    let mut account = Account::new(user.username, status.clone());
    account.email = user.email;
    account.created_at = Some(user.created_at);
    account.expires_at = Some(user.expires_at);
    if user.is_active || user.is_subscribed {
        account.services = vec![service(status, user.expires_at, user.is_subscribed)];
    }
    account
}

/// AzireVPN has one service; a subscription renews it.
fn service(status: Status, expires_at: Timestamp, is_subscribed: bool) -> Service {
    let mut service = Service::new("AzireVPN", status);
    service.due_at = Some(expires_at);
    service.auto_renew = Some(is_subscribed);
    service
}
