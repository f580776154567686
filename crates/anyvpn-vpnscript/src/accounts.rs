//! The account.

use anyvpn_core::{Account, Accounts, Error, Service, Status};
use async_trait::async_trait;

use crate::VpnScript;
use crate::ops::{self, GetAccount};

#[async_trait]
impl Accounts for VpnScript {
    async fn account(&self) -> Result<Account, Error> {
        let account = self.call(GetAccount {}).await?;
        let status = match account.suspend_reason {
            Some(_) => Status::Suspended,
            // The page shows numbers and explains none of them.
            None => Status::Other(account.status.to_string()),
        };
        let mut neutral = Account::new(account.username, status);
        neutral.email = account.email;
        neutral.created_at = account.created_at;
        neutral.services = account.service.into_iter().map(service).collect();
        Ok(neutral)
    }
}

fn service(service: ops::Service) -> Service {
    let name = service.name.unwrap_or_else(|| format!("plan {}", service.plan_id));
    let mut neutral = Service::new(name, Status::Other(service.status.to_string()));
    neutral.id = Some(service.id.to_string());
    neutral.due_at = service.next_payment;
    neutral.auto_renew = Some(service.auto_renew);
    neutral
}
