//! The account, and signing in.

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

/// What signing in takes. The device's name is what the provider lists the token by.
const SIGN_IN: &[Setting] = &[
    Setting::new("username", "user name", "The account's user name.").required(),
    Setting::secret("password", "password", "The account's password.").required(),
    Setting::new("device_name", "device name", "The name under which the token is listed.")
        .default("anyvpn"),
];

#[async_trait]
impl SignIn for VpnScript {
    fn sign_in_fields(&self) -> &'static [Setting] {
        SIGN_IN
    }

    /// Every sign-in makes a further token, and the API has no call that ends one.
    async fn obtain_credential(&self, fields: &Settings) -> Result<Credential, Error> {
        fields.check(SIGN_IN)?;
        let sign_in = CreateToken {
            username: fields.text("username").unwrap_or_default().to_owned(),
            password: fields.get("password").cloned().unwrap_or_else(|| "".into()),
            device_name: fields.text("device_name").unwrap_or("anyvpn").to_owned(),
        };
        let token = self.call(sign_in).await?.token;
        Ok(Credential::new(Settings::new().with("token", token)))
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
