//! VPNGN's description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Capabilities, Capability, Context, Driver, Error, Provider, ProviderInfo, Secret, Setting,
    Settings,
};

use crate::{Access, Proof, Vpngn, ops};

const DOCS: &str = "https://docs.vpnwholesaler.com/docs/API/Account-Management-API-AMAPI";

/// VPNGN, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct VpngnDriver;

/// What VPNGN is.
pub static INFO: ProviderInfo = ProviderInfo::new("vpngn", "VPNGN", DOCS, &CAPABILITIES)
    .settings(SETTINGS)
    .operations(ops::OPERATIONS);

/// What VPNGN can do.
pub static CAPABILITIES: Capabilities = Capabilities {
    accounts: Capability::Can,
    account_admin: Capability::Can,
    port_forwards: NOT_IN_THE_API,
    server_configs: NOT_IN_THE_API,
    wireguard: NOT_IN_THE_API,
    openvpn: NOT_IN_THE_API,
};

const NOT_IN_THE_API: Capability =
    Capability::Cannot { why: "the API manages accounts only", link: DOCS };

/// The address is that of the URL, or else of the brand; the proof is the first that is given.
const SETTINGS: &[Setting] = &[
    Setting::url("Everything before /api, where that is not the brand's own address.")
        .required()
        .group("address"),
    Setting::new("brand", "brand", "The reseller's name, as acme in acme.vpngn.com.")
        .required()
        .group("address"),
    Setting::secret("api_key", "API key", "The reseller's API key."),
    Setting::secret("secret_key", "secret key", "The reseller's secret key, for servers only.")
        .group("proof"),
    Setting::secret("short_token", "short token", "A customer's short token, good for 12 hours.")
        .group("proof"),
    Setting::secret("password", "password", "A customer's password.").group("proof"),
    Setting::secret("long_token", "long token", "A customer's long token, for refreshing tokens.")
        .group("proof"),
    Setting::new(
        "email",
        "customer's address",
        "The customer that the account commands are about.",
    ),
];

type MakeProof = fn(Secret) -> Proof;

/// How each setting of the group `proof` proves who is calling.
const PROOFS: [(&str, MakeProof); 4] = [
    ("secret_key", Proof::SecretKey),
    ("short_token", Proof::ShortToken),
    ("password", Proof::Password),
    ("long_token", Proof::LongToken),
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
    /// VPNGN with the settings `url` or `brand`, `api_key`, a proof and `email`. The proof is the
    /// first that is given of `secret_key`, `short_token`, `password` and `long_token`.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        settings.check(SETTINGS)?;
        let builder = match (settings.text("url"), settings.text("brand")) {
            (Some(url), _) => Self::builder(url),
            (None, brand) => Self::brand(brand.unwrap_or_default())?,
        }
        .context(context);
        let proofs = PROOFS.iter();
        let mut proofs = proofs.filter_map(|(key, proof)| settings.get(key).cloned().map(proof));
        let proof = proofs.next().unwrap_or(Proof::None);
        let vpngn = match settings.get("api_key") {
            Some(key) => builder.credential(Access::new(key.clone(), proof)),
            None => builder,
        }
        .build()?;
        Ok(match settings.text("email") {
            Some(email) => vpngn.for_customer(email),
            None => vpngn,
        })
    }
}
