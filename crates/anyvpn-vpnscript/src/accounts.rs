//! Implements the account, and signing in.

use anyvpn_core::{
    Account, Accounts, Credential, Error, Service, Setting, Settings, SignIn, Status,
};
use async_trait::async_trait;

use crate::VpnScript;
use crate::ops::{self, CreateToken, GetAccount};

#[async_trait]
impl Accounts for VpnScript {
    async fn account(&self) -> Result<Account, Error> {
        let account = self.call(GetAccount {}).await?;
        let status = match account.suspend_reason {
            Some(_) => Status::Suspended,
            // The vendor's page shows numbers without explaining them.
            None => Status::Other(account.status.to_string()),
        };
        let mut neutral = Account::new(account.username, status);
        neutral.email = account.email;
        neutral.created_at = account.created_at;
        neutral.services = account.service.into_iter().map(service).collect();
        Ok(neutral)
    }
}

/// The settings for signing in. The provider lists the token under the device's name.
const SIGN_IN: &[Setting] = &[Setting::USERNAME, Setting::PASSWORD, Setting::DEVICE_NAME];

#[async_trait]
impl SignIn for VpnScript {
    fn sign_in_fields(&self) -> &'static [Setting] {
        SIGN_IN
    }

    /// Every sign-in creates another token, and the API has no call to revoke one.
    async fn obtain_credential(&self, fields: &Settings) -> Result<Credential, Error> {
        let fields = fields.complete(SIGN_IN)?;
        let text = |key| fields.text(key).unwrap_or_default().to_owned();
        let sign_in = CreateToken {
            username: text("username"),
            password: text("password").into(),
            device_name: text("device_name"),
        };
        let made = async {
            let token = self.call(sign_in).await?.token;
            Ok(Credential::new(Settings::new().with("token", token)))
        };
        self.client().keep_credential(fields.text("username"), made).await
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
