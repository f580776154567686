//! The account, signing in and signing out.

use anyvpn_core::{
    Account, Accounts, BoundToken, Credential, DAY, Error, ErrorKind, Secret, Service, Setting,
    Settings, SignIn, SignOut, Status, Timestamp,
};
use anyvpn_http::{Client, TokenSource};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::ops::{self, CreateToken, ExpireToken, GetAccount};
use crate::{Dialect, Pia};

#[async_trait]
impl Accounts for Pia {
    async fn account(&self) -> Result<Account, Error> {
        Ok(account(self.call(GetAccount {}).await?))
    }
}

/// The fields for signing in.
const SIGN_IN: &[Setting] = &[Setting::USERNAME, Setting::PASSWORD];

#[async_trait]
impl SignIn for Pia {
    fn sign_in_fields(&self) -> &'static [Setting] {
        SIGN_IN
    }

    /// Every sign-in creates another token, which is valid for 24 hours.
    async fn obtain_credential(&self, fields: &Settings) -> Result<Credential, Error> {
        let fields = fields.complete(SIGN_IN)?;
        let username = fields.text("username").unwrap_or_default();
        let password = fields.get("password").cloned().unwrap_or_else(|| "".into());
        let sign_in = Password::new(username, password);
        let made = async {
            let DatedToken { token, expires_at } = sign_in.sign_in(self.client()).await?;
            let mut credential = Credential::new(Settings::new().with("token", token));
            credential.expires_at = Some(expires_at);
            Ok(credential)
        };
        self.client().keep_credential(Some(username), made).await
    }
}

#[async_trait]
impl SignOut for Pia {
    async fn revoke_credential(&self, credential: &Credential) -> Result<(), Error> {
        let Some(token) = credential.settings.get("token") else {
            return Err(Error::invalid("credential", "was not created by signing in"));
        };
        match self.with_token(token.clone()).call(ExpireToken {}).await {
            // It has already expired.
            Err(error) if error.kind() == ErrorKind::Unauthorized => {}
            outcome => outcome?,
        }
        self.client().forget_credential(credential).await
    }
}

/// The user name and password for signing in.
#[derive(Clone, Debug)]
pub struct Password {
    username: String,
    password: Secret,
}

impl Password {
    /// Creates the credentials from the user name, which is `p` and seven digits, and the password.
    #[must_use]
    pub fn new(username: impl Into<String>, password: Secret) -> Self {
        Self { username: username.into(), password }
    }

    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    async fn sign_in(&self, client: &Client<Dialect>) -> Result<DatedToken, Error> {
        let Self { username, password } = self.clone();
        let token = client.call(CreateToken { username, password }).await?.token;
        let expires_at = client.clock().now().checked_add(DAY).unwrap_or(Timestamp::MAX);
        Ok(DatedToken { token, expires_at })
    }
}

/// A token with its expiry, 24 hours after its creation. The vendor documents this lifetime; the reply
/// does not contain it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DatedToken {
    /// The token.
    pub token: Secret,
    /// When the token expires.
    pub expires_at: Timestamp,
}

/// Obtains tokens with a password.
pub(crate) struct PasswordSignIn {
    pub(crate) client: Client<Dialect>,
    pub(crate) password: Password,
}

#[async_trait]
impl TokenSource for PasswordSignIn {
    type Token = DatedToken;
    type Credential = Secret;

    fn credential(&self, token: DatedToken) -> Secret {
        token.token
    }

    fn secret(token: &DatedToken) -> &Secret {
        &token.token
    }

    fn secret_of(token: &Secret) -> Option<&Secret> {
        Some(token)
    }

    fn expires_at(&self, token: &DatedToken) -> Option<Timestamp> {
        Some(token.expires_at)
    }

    async fn make(&self, _: Option<&BoundToken<DatedToken>>) -> Result<DatedToken, Error> {
        self.password.sign_in(&self.client).await
    }

    /// PIA locks out callers who sign in too often.
    fn is_final(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Unauthorized
    }
}

fn account(account: ops::Account) -> Account {
    let status = match (account.expired, account.active) {
        (Some(true), _) => Status::Expired,
        (_, Some(false)) => Status::Inactive,
        (_, Some(true)) => Status::Active,
        (_, None) => Status::Other("not told".to_owned()),
    };
    let mut neutral = Account::new(account.username, status.clone());
    neutral.email = account.email;
    neutral.expires_at = account.expiration_time;
    if let Some(plan) = account.plan {
        let mut service = Service::new(plan, status);
        service.due_at = account.expiration_time;
        service.auto_renew = account.recurring;
        neutral.services = vec![service];
    }
    neutral
}
