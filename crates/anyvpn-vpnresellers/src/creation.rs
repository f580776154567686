//! Creates a customer exactly once, so that the reseller is charged once.

use anyvpn_core::{Advice, CreatedCustomer, Error, ErrorKind, Leftover, LeftoverKind};
use anyvpn_http::Operation as _;

use crate::VpnResellers;
use crate::customers::customer;
use crate::ops::{CheckUsername, CreateAccount};

/// How often a creation is sent. The second attempt requires proof that the first one failed.
const ATTEMPTS: u32 = 2;
/// How often we must find that a lost creation was not done before we send it again.
const ABSENT_LOOKS: u32 = 2;

impl VpnResellers {
    /// Makes sure that an account exists, without ever creating one twice.
    ///
    /// We check that the name is free before the creation. If it is taken after a lost reply, we then know
    /// that this happened since.
    pub(crate) async fn create_once(&self, new: CreateAccount) -> Result<CreatedCustomer, Error> {
        let username = new.username.clone();
        if let Some(found) = self.find(&username).await? {
            return Ok(CreatedCustomer::Existed(customer(found)));
        }
        if let Err(refusal) = self.check(&username).await {
            return self.existed(refusal, &username).await;
        }
        let mut lost: Option<Error> = None;
        for _ in 0..ATTEMPTS {
            let error = match self.call(new.clone()).await {
                Ok(account) => return Ok(CreatedCustomer::Created(customer(account))),
                Err(error) => error,
            };
            if error.advice() != Advice::ReadBack {
                // A refusal after a lost attempt may be caused by that attempt.
                return match lost {
                    None => self.existed(error, &username).await,
                    Some(lost) => match self.find(&username).await {
                        Ok(Some(found)) => Ok(CreatedCustomer::FoundAfterDoubt(customer(found))),
                        _ => Err(in_doubt(lost, &username)),
                    },
                };
            }
            match self.look_for_lost(&username).await {
                Ok(Some(found)) => return Ok(CreatedCustomer::FoundAfterDoubt(found)),
                Ok(None) => lost = Some(error),
                Err(()) => return Err(in_doubt(error, &username)),
            }
        }
        Err(in_doubt(lost.unwrap_or_else(|| Error::new(ErrorKind::Ambiguous)), &username))
    }

    async fn check(&self, username: &str) -> Result<(), Error> {
        self.call(CheckUsername { username: username.to_owned() }).await
    }

    /// Interprets a refusal of a name for which the list had no account: either another machine of the
    /// reseller has created the account meanwhile, or the name belongs to another reseller.
    async fn existed(&self, refusal: Error, username: &str) -> Result<CreatedCustomer, Error> {
        if refusal.kind() != ErrorKind::AlreadyExists {
            return Err(refusal);
        }
        match self.find(username).await? {
            Some(found) => Ok(CreatedCustomer::Existed(customer(found))),
            None => Err(refusal.with_detail(
                "another reseller's account has the user name; choose another, such as one with a \
                 unique prefix",
            )),
        }
    }

    /// Looks for an account after a lost creation. `None` if the creation was not done. `Err` if we cannot
    /// know, for example if the name is taken but the list does not show the account.
    async fn look_for_lost(&self, username: &str) -> Result<Option<anyvpn_core::Customer>, ()> {
        for _ in 0..ABSENT_LOOKS {
            // The first attempt may still be running.
            self.client().clock().sleep(self.settle_time).await;
            if let Some(found) = self.find(username).await.map_err(drop)? {
                return Ok(Some(customer(found)));
            }
            self.check(username).await.map_err(drop)?;
        }
        Ok(None)
    }
}

/// Returns the error for a creation with unknown outcome.
fn in_doubt(lost: Error, username: &str) -> Error {
    lost.with_kind(ErrorKind::Ambiguous)
        .with_operation(CreateAccount::ID)
        .with_leftover(Leftover::new(LeftoverKind::Customer, username))
}
