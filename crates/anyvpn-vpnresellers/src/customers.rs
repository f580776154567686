//! Implements a reseller's customers. Each is a VPN account with a user name that is unique among all
//! resellers.

use std::time::Duration;

use anyvpn_core::{
    CreatedCustomer, Customer, CustomerEnd, Customers, Date, EndCustomers, Error, ErrorKind,
    ListCustomers, NewCustomer, Plan, Secret, Status, SuspendCustomers,
};
use anyvpn_http::Operation;
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use jiff::tz::TimeZone;

use crate::ops::{
    Account, AccountStatus, ChangePassword, CreateAccount, DeleteAccount, DisableAccount,
    EnableAccount, ExpireAccount, GetAccount,
};
use crate::{Dialect, VpnResellers};

/// No call accepts a user name, so each method reads the list of accounts to find the id.
#[async_trait]
impl Customers for VpnResellers {
    fn customer_key(&self) -> &'static str {
        "user name"
    }

    fn plans(&self) -> &'static [Plan] {
        &[]
    }

    async fn find_customer(&self, key: &str) -> Result<Option<Customer>, Error> {
        Ok(self.find(key).await?.map(customer))
    }

    async fn create_customer(&self, new: NewCustomer) -> Result<CreatedCustomer, Error> {
        self.create_once(creation(new)?).await
    }

    async fn add_customer(&self, new: NewCustomer) -> Result<Customer, Error> {
        self.call(creation(new)?).await.map(customer)
    }

    fn check_customer(&self, new: &NewCustomer) -> Result<(), Error> {
        creation(new.clone())?.request().map(drop)
    }

    fn settle_time(&self) -> Duration {
        self.settle_time
    }

    async fn set_customer_password(&self, key: &str, password: Secret) -> Result<(), Error> {
        let id = self.existing(key).await?.id;
        self.call(ChangePassword { id, password }).await
    }

    async fn close_customer(&self, key: &str) -> Result<(), Error> {
        let id = self.existing(key).await?.id;
        self.call(DeleteAccount { id }).await
    }

    fn customer_list(&self) -> Option<&dyn ListCustomers> {
        Some(self)
    }

    fn customer_suspension(&self) -> Option<&dyn SuspendCustomers> {
        Some(self)
    }

    fn customer_end(&self) -> Option<&dyn EndCustomers> {
        Some(self)
    }
}

impl ListCustomers for VpnResellers {
    fn list_customers(&self) -> BoxStream<'_, Result<Customer, Error>> {
        self.accounts_by_page().map_ok(customer).boxed()
    }
}

#[async_trait]
impl SuspendCustomers for VpnResellers {
    async fn suspend_customer(&self, key: &str) -> Result<(), Error> {
        let id = self.existing(key).await?.id;
        self.switch(id, AccountStatus::Disabled, DisableAccount { id }).await
    }

    async fn resume_customer(&self, key: &str) -> Result<(), Error> {
        let id = self.existing(key).await?.id;
        self.switch(id, AccountStatus::Active, EnableAccount { id }).await
    }
}

impl VpnResellers {
    /// Changes an account's status. The reply to a change that was already made is not documented, so after a
    /// refusal we read the account.
    async fn switch(
        &self,
        id: u64,
        wanted: AccountStatus,
        change: impl Operation<Dialect = Dialect, Output = ()>,
    ) -> Result<(), Error> {
        let Err(refusal) = self.call(change).await else { return Ok(()) };
        let is_about_it = matches!(
            refusal.kind(),
            ErrorKind::InvalidRequest | ErrorKind::AlreadyExists | ErrorKind::Refused
        );
        match is_about_it && self.call(GetAccount { id }).await?.status == wanted {
            true => Ok(()),
            false => Err(refusal),
        }
    }
}

#[async_trait]
impl EndCustomers for VpnResellers {
    async fn end_customer(&self, key: &str, end: CustomerEnd) -> Result<(), Error> {
        let expire_at = expire_at(end)?;
        let id = self.existing(key).await?.id;
        self.call(ExpireAccount { id, expire_at }).await
    }

    fn check_end(&self, end: CustomerEnd) -> Result<(), Error> {
        expire_at(end).map(drop)
    }
}

/// Returns the day of an end; `None` for never.
fn expire_at(end: CustomerEnd) -> Result<Option<Date>, Error> {
    match end {
        CustomerEnd::At(time) => Ok(Some(time.to_zoned_datetime(TimeZone::UTC).date())),
        CustomerEnd::Never => Ok(None),
        _ => {
            let why = "VPNresellers ends an account on a day or never; give a time or never";
            Err(Error::invalid("end", why))
        }
    }
}

/// Returns the call that creates a customer's account.
fn creation(new: NewCustomer) -> Result<CreateAccount, Error> {
    if new.plan.is_some() {
        return Err(Error::invalid("plan", "VPNresellers has only one plan; omit this field"));
    }
    Ok(CreateAccount { username: new.key, password: new.password })
}

/// Converts an account to a customer.
pub(crate) fn customer(account: Account) -> Customer {
    let status = match account.status {
        AccountStatus::Active => Status::Active,
        AccountStatus::Disabled => Status::Suspended,
        other => Status::Other(other.to_string()),
    };
    let mut customer = Customer::new(account.username, status);
    customer.id = Some(account.id.to_string());
    customer.expires_at = account.expired_at;
    customer
}
