//! PIA's driver: its description, and opening it from settings.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, Provider, ProviderInfo, Setting, Settings,
};
use anyvpn_http::{SigningKey, TrustRoots};

use crate::{BASE_URL, Connection, LIST_VERSION, Pia, ops};

const DOCS: &str = "https://github.com/pia-foss/manual-connections";

/// The driver of PIA, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct PiaDriver;

/// The description of PIA.
pub static INFO: ProviderInfo =
    ProviderInfo::new("pia", "Private Internet Access", DOCS, &CAPABILITIES)
        .settings(SETTINGS)
        .operations(ops::OPERATIONS);

/// The capabilities of PIA.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[
        Ability::SignIn,
        Ability::SignOut,
        Ability::Accounts,
        Ability::PortForwards,
        Ability::ListPortForwards,
        Ability::ServerConfigs,
        Ability::WireGuard,
        Ability::OpenVpn,
    ],
    &[(Ability::CheckPort, "the API cannot test a port", DOCS)],
    ("the API only sets up tunnels; accounts are managed on the website", DOCS),
);

const SETTINGS: &[Setting] = &[
    Setting::url("One address for all of the vendor's servers, such as a sandbox.")
        .default(BASE_URL),
    Setting::secret("token", "token", "A token. Signing in creates one."),
    Setting::new(
        "server_name",
        "server name",
        "The name of the tunnel's VPN server, needed to forward ports.",
    ),
    Setting::new(
        "gateway",
        "gateway",
        "The server's address in the tunnel, with a port unless it is 19999.",
    )
    .check(|text| {
        gateway(text).map(drop).ok_or_else(|| "must be an address, such as 10.4.128.1".to_owned())
    }),
    Setting::new("list_version", "list version", "The version of the server list.")
        .default(LIST_VERSION),
    Setting::new(
        "ca",
        "authority",
        "The certificate authority of the VPN servers (PEM), instead of the vendor's.",
    ),
    Setting::new(
        "list_key",
        "list key",
        "The public key of the server list (PEM), instead of the vendor's.",
    ),
];

/// The port of the servers' port-forwarding API.
pub(crate) const PORTS: u16 = 19_999;

fn gateway(text: &str) -> Option<SocketAddr> {
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORTS));
    address.ok().or_else(|| text.parse().ok())
}

/// Accepts PEM with line breaks written as `\n`, so that it fits into an environment variable.
fn lines(pem: &str) -> String {
    pem.replace("\\n", "\n")
}

impl Driver for PiaDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        Pia::open(settings, context).map(|pia| Arc::new(pia) as _)
    }
}

impl Pia {
    /// Opens PIA with the settings of [`INFO`]. Without a token, only signing in and listing servers work.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        let settings = settings.complete(SETTINGS)?;
        let mut builder = Self::builder();
        if let Some(url) = settings.text("url").filter(|url| *url != BASE_URL) {
            builder = builder.base_url(url);
        }
        let mut pia = builder
            .settings(INFO.name, &settings, context, |all| all.get("token").cloned())
            .build()?;
        if let Some(leases) = &context.leases {
            pia = pia.with_leases(Arc::clone(leases));
        }
        if let Some(version) = settings.text("list_version") {
            pia = pia.with_list_version(version);
        }
        if let Some(pem) = settings.text("ca") {
            pia = pia.with_roots(TrustRoots::from_pem(&lines(pem))?);
        }
        if let Some(pem) = settings.text("list_key") {
            let key = SigningKey::from_pem(&lines(pem));
            let wrong = |_| Error::invalid("list_key", "is not an RSA public key in PEM");
            pia = pia.with_list_key(key.map_err(wrong)?);
        }
        match (settings.text("server_name"), settings.text("gateway").and_then(gateway)) {
            (None, None) => Ok(pia),
            (Some(server), Some(gateway)) => {
                Ok(pia.with_connection(Connection::new(server, gateway)))
            }
            (None, Some(_)) => Err(Error::invalid("server_name", "is missing, but gateway is set")),
            (Some(_), None) => Err(Error::invalid("gateway", "is missing, but server_name is set")),
        }
    }
}
