//! VPNresellers' driver: its description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};

use crate::{BASE_URL, OpenVpnPort, VpnResellers, ops};

const DOCS: &str = "https://api.vpnresellers.com/docs/v4_1/";

/// The driver of VPNresellers, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct VpnResellersDriver;

/// The description of VPNresellers.
pub static INFO: ProviderInfo =
    ProviderInfo::new("vpnresellers", "VPNresellers", DOCS, &CAPABILITIES)
        .settings(SETTINGS)
        .operations(ops::OPERATIONS);

/// The capabilities of VPNresellers.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[
        Ability::Accounts,
        Ability::Customers,
        Ability::ListCustomers,
        Ability::SuspendCustomers,
        Ability::EndCustomers,
        Ability::ServerConfigs,
        Ability::WireGuard,
        Ability::OpenVpn,
    ],
    &[
        (Ability::SignIn, "tokens are created in the dashboard", DOCS),
        (Ability::SignOut, "tokens are deleted in the dashboard", DOCS),
        (Ability::SignUp, "resellers sign up on the website", DOCS),
        (
            Ability::ChangePassword,
            "for the reseller's own account, the API only returns the balance",
            DOCS,
        ),
        (Ability::CloseAccount, "the API only returns a reseller's balance", DOCS),
        (Ability::ChangePlan, "there is only one plan, which is charged daily", DOCS),
    ],
    ("the API has no call for this", DOCS),
)
.notes(&[
    (Ability::Accounts, "the API only returns the prepaid balance"),
    (
        Ability::Customers,
        "a customer is a VPN account; the API's customers and projects are not used",
    ),
    (
        Ability::WireGuard,
        "the provider creates the key; each customer has one for all servers and devices",
    ),
    (Ability::OpenVpn, "the profile asks for the customer's user name and password"),
]);

const SETTINGS: &[Setting] = &[
    Setting::url("The API's base URL, without /v4_1.").default(BASE_URL),
    Setting::secret("token", "API token", "A token from the dashboard."),
    Setting::new(
        "customer",
        "customer's user name",
        "The user name of the customer for WireGuard configurations.",
    ),
    Setting::new(
        "openvpn_port",
        "OpenVPN port",
        "The port of OpenVPN configurations, such as 443 or udp/1194.",
    )
    .check(|text| text.parse::<OpenVpnPort>().map(drop)),
];

impl Driver for VpnResellersDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        VpnResellers::open(settings, context).map(|provider| Arc::new(provider) as _)
    }
}

impl VpnResellers {
    /// Opens VPNresellers with the settings `url`, `token`, `customer` and `openvpn_port`.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        let settings = settings.complete(SETTINGS)?;
        let mut provider = Self::builder()
            .base_url(settings.text("url").unwrap_or_default())
            .settings(INFO.name, &settings, context, |all| all.get("token").cloned())
            .build()?;
        provider.customer = settings.text("customer").map(str::to_owned);
        provider.openvpn_port = settings.text("openvpn_port").and_then(|port| port.parse().ok());
        Ok(provider)
    }
}
