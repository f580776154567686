//! Implements the account, signing in and out, and signing up.

use anyvpn_core::{
    Account, Accounts, ChangePassword, CloseAccount, Credential, Error, ErrorKind, NewAccount,
    Secret, Service, Setting, Settings, SignIn, SignOut, SignUp, Status, Timestamp,
};
use async_trait::async_trait;

use crate::Azire;
use crate::ops::{CreateToken, CreateUser, DeleteToken, DeleteUser, GetUser, UpdatePassword, User};

#[async_trait]
impl Accounts for Azire {
    async fn account(&self) -> Result<Account, Error> {
        Ok(account(self.call(GetUser {}).await?))
    }

    fn password_change(&self) -> Option<&dyn ChangePassword> {
        Some(self)
    }

    fn account_closing(&self) -> Option<&dyn CloseAccount> {
        Some(self)
    }
}

#[async_trait]
impl ChangePassword for Azire {
    async fn change_password(&self, password: Secret) -> Result<(), Error> {
        self.call(UpdatePassword { new_password: password }).await.map(drop)
    }
}

#[async_trait]
impl CloseAccount for Azire {
    async fn close_account(&self, password: Option<&Secret>) -> Result<(), Error> {
        let password = password.ok_or_else(|| {
            Error::invalid("password", "is required by AzireVPN to close the account")
        })?;
        self.call(DeleteUser { password: password.clone() }).await
    }
}

#[async_trait]
impl SignUp for Azire {
    async fn create_account(&self, new: NewAccount) -> Result<Account, Error> {
        let user = CreateUser {
            username: new.login,
            password: new.password,
            email: new.email,
            currency: new.currency.map(Into::into),
            affiliate_code: None,
            referral_code: None,
        };
        Ok(account(self.call(user).await?))
    }
}

/// The settings for signing in. The vendor lists the token under the device's name.
const SIGN_IN: &[Setting] = &[Setting::USERNAME, Setting::PASSWORD, Setting::DEVICE_NAME];

#[async_trait]
impl SignIn for Azire {
    fn sign_in_fields(&self) -> &'static [Setting] {
        SIGN_IN
    }

    /// Every sign-in creates another token, which never expires.
    async fn obtain_credential(&self, fields: &Settings) -> Result<Credential, Error> {
        let fields = fields.complete(SIGN_IN)?;
        let sign_in = CreateToken {
            username: fields.text("username").map(str::to_owned),
            password: fields.get("password").cloned(),
            device_name: fields.text("device_name").map(str::to_owned),
            comment: None,
        };
        let made = async {
            let token = self.call(sign_in).await?;
            let mut credential = Credential::new(Settings::new().with("token", token.key));
            credential.id = Some(token.id.to_string());
            Ok(credential)
        };
        self.client().keep_credential(fields.text("username"), made).await
    }
}

#[async_trait]
impl SignOut for Azire {
    async fn revoke_credential(&self, credential: &Credential) -> Result<(), Error> {
        let (Some(id), Some(token)) = (&credential.id, credential.settings.get("token")) else {
            return Err(Error::invalid("credential", "was not created by signing in"));
        };
        let own = self.with_token(token.clone());
        match own.call(DeleteToken { id: id.as_str().into() }).await {
            // The token no longer exists.
            Err(error) if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::NotFound) => {
            }
            outcome => outcome?,
        }
        self.client().forget_credential(credential).await
    }
}

/// Converts to the neutral form. `is_active` determines the status. In the vendor's samples `expires_at` is
/// before `created_at`, so times are not used.
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
