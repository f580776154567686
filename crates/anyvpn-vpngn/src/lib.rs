//! VPNGN's account management API: every documented operation, and the neutral traits.
//!
//! ```no_run
//! use anyvpn_vpngn::ops::AddClient;
//! use anyvpn_vpngn::{Access, Ensured, ProductType, StrongPassword, Vpngn};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // On the reseller's own server, which alone may hold the secret key:
//!     let (api_key, secret_key) = (std::env::var("API_KEY")?, std::env::var("SECRET_KEY")?);
//!     let vpngn = Vpngn::brand("acme")?.credential(Access::server(api_key, secret_key)).build()?;
//!     let client = AddClient::new("jo@example.com", "US".parse()?, ProductType::Months12);
//!     let client = AddClient { password: Some(StrongPassword::generate()?), ..client };
//!     match vpngn.ensure_client(client).await? {
//!         Ensured::Created(_) => println!("created, with this password"),
//!         Ensured::Existed(it) => println!("there already, {} products", it.products.len()),
//!         // An answer was lost: the password may be another one.
//!         _ => println!("there, and perhaps created by somebody else"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`Vpngn::call`] runs any operation of [`ops`], which are generated from the `openapi.yaml` in this
//! package. The accepted proofs of identity differ by operation. The neutral traits do the same for
//! programs that work with several providers:
//!
//! ```no_run
//! use anyvpn_vpngn::{
//!     Advice, ChangePlan, Context, CreatedCustomer, CustomerEnd, Customers, EndCustomers, Error,
//!     NewCustomer, Secret, Settings, Vpngn,
//! };
//!
//! # async fn example(api_key: Secret, secret_key: Secret, password: Secret) -> Result<(), Error> {
//! let settings = Settings::new().with("brand", "acme").with("api_key", api_key);
//! let vpngn = Vpngn::open(&settings.with("secret_key", secret_key), &Context::default())?;
//! let mut customer = NewCustomer::new("jo@example.com", password);
//! customer.country = Some("US".to_owned());
//! customer.plan = vpngn.plans().first().map(|plan| plan.id.to_owned());
//! match vpngn.create_customer(customer).await {
//!     Ok(CreatedCustomer::Created(_)) => println!("created, with this password"),
//!     Ok(there) => println!("there, {}", there.customer().status),
//!     Err(error) if error.advice() == Advice::ReadBack => println!("find it to see: {error}"),
//!     Err(error) => return Err(error),
//! }
//! vpngn.change_plan("jo@example.com", "12").await?;
//! vpngn.end_customer("jo@example.com", CustomerEnd::PaidPeriod).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - A call that creates, changes or closes is never sent twice once it may have arrived: see
//!   [`Replay`]. [`Vpngn::ensure_client`] still makes sure that a customer exists, creates it only once,
//!   however often it is called, and returns `Created` only for a customer that it created.
//! - A proof that the vendor's documentation does not allow for an operation is refused before anything is
//!   sent.
//! - A brand is one DNS label, so that it cannot name another host. Keys, passwords and tokens are sent
//!   only over https or to a loopback address, and appear in no log and no error.
//! - Dropping the future of a call leaves the client usable.
//!
//! # Features
//!
//! - `ring` (default): TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs.
//! - `serde`: the neutral values can be serialized.
//!
//! Without either, the process's default crypto provider or your own HTTP client is used.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accounts;
mod control;
mod customers;
mod dialect;
mod driver;
mod ensure;
mod lenient;
pub mod ops;
mod session;
mod types;

use std::sync::Arc;
use std::time::Duration;

pub use anyvpn_core::{
    Ability, Account, Accounts, Advice, Capabilities, Capability, ChangePassword, ChangePlan,
    CloseAccount, Context, CreatedCustomer, Customer, CustomerEnd, Customers, Driver, EndCustomers,
    Error, ErrorKind, Leftover, LeftoverKind, NewCustomer, OperationId, OperationInfo, Plan,
    Provider, ProviderInfo, Replay, Secret, Service, Setting, Settings, Status, Timestamp,
};
use anyvpn_http::Fixed;
pub use anyvpn_http::{
    Client, ClientBuilder, Limits, MemoryStore, Operation, RetryPolicy, TokenStore, UnsavedToken,
    bulk,
};
use async_trait::async_trait;
use control::Control;
pub use dialect::{Access, Dialect, Proof};
pub use driver::{CAPABILITIES, INFO, VpngnDriver};
pub use ensure::{Ensured, Existing, ProductMatch};
pub use session::SessionTokens;
use session::{Refresh, Session};
pub use types::{CancelAt, CountryCode, ProductType, StrongPassword};

/// A client of VPNGN, for a reseller or for one customer. It is cheap to clone, and clones share
/// connections.
#[derive(Clone, Debug)]
pub struct Vpngn {
    client: Client<Dialect>,
    email: Option<String>,
    settle_time: Duration,
    session: Option<Session>,
    control: Arc<Control>,
}

impl Vpngn {
    /// Returns a builder for a client of the reseller's brand, at `https://BRAND.vpngn.com`.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the brand is not a single DNS label: 1 to 63 letters, digits and hyphens,
    /// without a hyphen at either end (RFC 1035, section 2.3.1). Anything else could name another host.
    pub fn brand(brand: &str) -> Result<ClientBuilder<Dialect>, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let label = (1..=63).contains(&brand.len())
            && brand.bytes().all(allowed)
            && !brand.starts_with('-')
            && !brand.ends_with('-');
        if !label {
            let rule = "must be a single name, such as acme for acme.vpngn.com, of letters, digits and inner hyphens";
            return Err(Error::invalid("brand", rule));
        }
        Ok(Self::builder(format!("https://{}.vpngn.com", brand.to_ascii_lowercase())))
    }

    /// Returns a builder for a client at `base_url`: the part of the URL before `/api`.
    #[must_use]
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder<Dialect> {
        Client::builder(base_url)
    }

    /// Runs one operation.
    ///
    /// # Errors
    ///
    /// Before anything is sent: `Unauthorized` if the operation needs a credential and there is none,
    /// and `InvalidRequest` for the field `credential` if the operation does not accept the client's
    /// credential. Otherwise as [`Client::call`].
    pub async fn call<O: Operation<Dialect = Dialect>>(
        &self,
        operation: O,
    ) -> Result<O::Output, Error> {
        self.client.call(operation).await
    }

    /// Returns the underlying client.
    #[must_use]
    pub fn client(&self) -> &Client<Dialect> {
        &self.client
    }

    /// Sets the customer whose account the neutral traits use.
    #[must_use]
    pub fn for_customer(&self, email: impl Into<String>) -> Self {
        Self { email: Some(email.into()), ..self.clone() }
    }

    /// Sets the settle time: how long [`Vpngn::ensure_client`] waits, twice, before it concludes that a
    /// creation whose answer was lost did not take effect. Default 15 s, because web servers and PHP
    /// usually end a request after 30 s.
    #[must_use]
    pub fn with_settle_time(&self, settle_time: Duration) -> Self {
        Self { settle_time, ..self.clone() }
    }

    /// Replaces the credential.
    #[must_use]
    pub fn with_access(&self, access: Access) -> Self {
        let client = self.client.with_credentials(Fixed(Some(access)));
        // Another credential can get other refusals.
        Self { client, session: None, control: Arc::default(), ..self.clone() }
    }

    /// Signs a customer in with a password, and stores the tokens in `store`.
    ///
    /// Tokens that cannot be stored are still used: see [`Vpngn::unsaved_tokens`].
    ///
    /// # Errors
    ///
    /// As [`Vpngn::call`] with [`ops::TokenRefresh`]. `InvalidRequest`, before sending, if the
    /// store cannot be locked or has the tokens of another customer or address.
    pub async fn sign_in_customer(
        &self,
        email: impl Into<String>,
        password: Secret,
        store: Arc<dyn TokenStore<SessionTokens>>,
    ) -> Result<Self, Error> {
        let email = email.into();
        let (session, refresh) = self.session(email.clone(), store).await?;
        session.replace(refresh.make_with(Proof::Password(password))).await?;
        Ok(self.in_session(session, email))
    }

    /// Uses a customer's tokens from `store`.
    ///
    /// The short token is refreshed 5 min before it expires, and once if it is refused. One caller does
    /// this for all callers and all processes that share the store: see
    /// [`TokenManager`](anyvpn_http::TokenManager). If the long token has expired, calls return
    /// `Unauthorized` and say so.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if this client has no API key, and if the store cannot be read or has the
    /// tokens of another customer or address.
    pub async fn with_session(
        &self,
        email: impl Into<String>,
        store: Arc<dyn TokenStore<SessionTokens>>,
    ) -> Result<Self, Error> {
        let email = email.into();
        let (session, _) = self.session(email.clone(), store).await?;
        session.stored().await?;
        Ok(self.in_session(session, email))
    }

    /// Returns the session's tokens that could not be stored; `None` if they are stored, or if there is
    /// no session. VPNGN may have ended the previous tokens, so store these elsewhere; otherwise the
    /// customer must sign in again after this client is dropped.
    #[must_use]
    pub fn unsaved_tokens(&self) -> Option<UnsavedToken<SessionTokens>> {
        self.session.as_ref()?.unsaved()
    }

    fn in_session(&self, session: Session, email: String) -> Self {
        let client = self.client.with_credentials(session.clone());
        let control = Arc::default();
        Self { client, email: Some(email), session: Some(session), control, ..self.clone() }
    }

    async fn session(
        &self,
        email: String,
        store: Arc<dyn TokenStore<SessionTokens>>,
    ) -> Result<(Session, Refresh), Error> {
        let api_key = self.access().await?.api_key;
        Ok(session::session(self.client.clone(), api_key, email, store))
    }

    /// Replaces the proof, and keeps the API key.
    pub(crate) async fn with_proof(&self, proof: Proof) -> Result<Self, Error> {
        let api_key = self.access().await?.api_key;
        Ok(self.with_access(Access::new(api_key, proof)))
    }

    async fn access(&self) -> Result<Access, Error> {
        let access = self.client.credential().await?;
        access.ok_or_else(|| Error::invalid("credential", "there is no API key"))
    }

    /// Returns the customer whose account the neutral traits use.
    fn email(&self) -> Result<String, Error> {
        let email = self.email.clone();
        email.ok_or_else(|| Error::invalid("customer", "is missing"))
    }
}

impl From<Client<Dialect>> for Vpngn {
    fn from(client: Client<Dialect>) -> Self {
        let control = Arc::default();
        Self { client, email: None, session: None, settle_time: Duration::from_secs(15), control }
    }
}

impl ops::AddClient {
    /// Creates the input with the three required fields.
    #[must_use]
    pub fn new(email: impl Into<String>, country: CountryCode, product_type: ProductType) -> Self {
        Self {
            country,
            product_type,
            email: email.into(),
            password: None,
            first_name: None,
            last_name: None,
            company_name: None,
            state: None,
            zip_code: None,
            auto_terminate: false,
            test_user: false,
        }
    }
}

#[async_trait]
impl Provider for Vpngn {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        ops::call_by_name(&self.client, operation, input, reveal).await
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn customers(&self) -> Option<&dyn Customers> {
        Some(self)
    }
}
