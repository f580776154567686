//! VPNGN's driver: its description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};

use crate::{Access, Proof, Vpngn, ops};

const DOCS: &str = "https://docs.vpnwholesaler.com/docs/API/Account-Management-API-AMAPI";

/// The driver of VPNGN, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct VpngnDriver;

/// The description of VPNGN.
pub static INFO: ProviderInfo = ProviderInfo::new("vpngn", "VPNGN", DOCS, &CAPABILITIES)
    .settings(SETTINGS)
    .operations(ops::OPERATIONS);

/// The capabilities of VPNGN.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[
        Ability::Accounts,
        Ability::ChangePassword,
        Ability::CloseAccount,
        Ability::Customers,
        Ability::ChangePlan,
        Ability::EndCustomers,
    ],
    &[
        (
            Ability::SignIn,
            "resellers use keys, and the tokens of customers expire within hours",
            DOCS,
        ),
        (Ability::SignOut, "the API cannot revoke a token", DOCS),
        (Ability::SignUp, "only a reseller can create accounts", DOCS),
        (Ability::ListCustomers, "the API cannot list customers", DOCS),
        (Ability::SuspendCustomers, "the API cannot suspend customers", DOCS),
    ],
    ("the API manages only accounts", DOCS),
);

/// The address comes from `url`, or else from `brand`. The first proof that is given is used.
const SETTINGS: &[Setting] = &[
    Setting::url("The API's URL without /api, if it is not https://BRAND.vpngn.com.")
        .required()
        .group("address"),
    Setting::new("brand", "brand", "The reseller's name, such as acme for acme.vpngn.com.")
        .required()
        .group("address"),
    Setting::secret("api_key", "API key", "The reseller's API key."),
    Setting::secret(
        "secret_key",
        "secret key",
        "The reseller's secret key, only for programs on a server.",
    )
    .group("proof"),
    Setting::secret("short_token", "short token", "A customer's short token, valid for 12 hours.")
        .group("proof"),
    Setting::secret("password", "password", "A customer's password.").group("proof"),
    Setting::secret("long_token", "long token", "A customer's long token, for refreshing tokens.")
        .group("proof"),
    Setting::new(
        "customer",
        "customer's address",
        "The e-mail address of the customer to act for.",
    ),
];

impl Driver for VpngnDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        Vpngn::open(settings, context).map(|vpngn| Arc::new(vpngn) as _)
    }
}

impl Vpngn {
    /// Opens VPNGN with the settings `url` or `brand`, `api_key`, a proof and `customer`. The proof is
    /// the first of `secret_key`, `short_token`, `password` and `long_token` that is given.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        settings.check(SETTINGS)?;
        let vpngn = match (settings.text("url"), settings.text("brand")) {
            (Some(url), _) => Self::builder(url),
            (None, brand) => Self::brand(brand.unwrap_or_default())?,
        }
        .settings(INFO.name, settings, context, access)
        .build()?;
        Ok(match settings.text("customer") {
            Some(customer) => vpngn.for_customer(customer),
            None => vpngn,
        })
    }
}

/// Returns the credential in the settings; `None` without an API key.
fn access(settings: &Settings) -> Option<Access> {
    let secret = |key| settings.get(key).cloned();
    let proof = secret("secret_key")
        .map(Proof::SecretKey)
        .or_else(|| secret("short_token").map(Proof::ShortToken))
        .or_else(|| secret("password").map(Proof::Password))
        .or_else(|| secret("long_token").map(Proof::LongToken))
        .unwrap_or(Proof::None);
    Some(Access::new(secret("api_key")?, proof))
}
