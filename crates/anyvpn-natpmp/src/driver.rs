//! NAT-PMP's driver: its description, and opening it from settings.

use std::sync::Arc;

use anyvpn_core::{
    Ability, Capabilities, Context, Driver, Error, MemoryLeaseStore, Provider, ProviderInfo,
    Setting, Settings, SystemClock, is_interface_name,
};
use tokio::sync::Mutex;

use crate::client::{Inner, State};
use crate::gateway::Gateway;
use crate::{Form, NatPmp, operations};

const RFC: &str = "https://www.rfc-editor.org/rfc/rfc6886";

/// The driver of NAT-PMP, for a registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct NatPmpDriver;

/// The description of NAT-PMP.
pub static INFO: ProviderInfo = ProviderInfo::new("natpmp", "NAT-PMP", RFC, &CAPABILITIES)
    .settings(SETTINGS)
    .operations(operations::OPERATIONS);

/// The capabilities of NAT-PMP.
pub static CAPABILITIES: Capabilities = Capabilities::new(
    &[Ability::PortForwards, Ability::ListPortForwards],
    &[(Ability::CheckPort, "the protocol cannot test a port", RFC)],
    ("the protocol only maps ports and has no accounts", RFC),
);

/// The gateway of Proton VPN's WireGuard servers.
const GATEWAY: &str = "10.2.0.1";
/// The default lifetime in seconds, which is the maximum at Proton VPN.
const LIFETIME: &str = "60";

const SETTINGS: &[Setting] = &[
    Setting::new("gateway", "gateway", "The gateway's address, with a port unless it is 5351.")
        .default(GATEWAY)
        .group("address")
        .check(|text| Gateway::parse(text).map(drop)),
    Setting::new(
        "interface",
        "interface",
        "The tunnel's interface; its routes give the gateway (Linux).",
    )
    .group("address")
    .check(|text| match is_interface_name(text) {
        true => Ok(()),
        false => Err("must be the name of an interface, such as tun0".to_owned()),
    }),
    Setting::new(
        "form",
        "form",
        "symmetric: the gateway chooses one port for both sides; plain: you choose the internal port.",
    )
    .one_of(&["symmetric", "plain"])
    .default("symmetric"),
    Setting::new("lifetime", "lifetime", "The lifetime to request for a port, in seconds.")
        .default(LIFETIME)
        .check(|text| lifetime(text).map(drop)),
];

impl Driver for NatPmpDriver {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    fn open(&self, settings: &Settings, context: &Context) -> Result<Arc<dyn Provider>, Error> {
        NatPmp::open(settings, context).map(|natpmp| Arc::new(natpmp) as _)
    }
}

impl NatPmp {
    /// Opens NAT-PMP with the settings `gateway` or `interface`, `form` and `lifetime`. All of them are
    /// optional. By default, the gateway is that of Proton VPN's WireGuard servers. Sends nothing.
    ///
    /// # Errors
    ///
    /// As [`Driver::open`].
    pub fn open(settings: &Settings, context: &Context) -> Result<Self, Error> {
        let settings = settings.complete(SETTINGS)?;
        let invalid = |key: &'static str| move |why: String| Error::invalid(key, why);
        let gateway = match (settings.text("gateway"), settings.text("interface")) {
            (None, Some(interface)) => Gateway::OfInterface(interface.to_owned()),
            (address, _) => Gateway::parse(address.unwrap_or_default())
                .map(Gateway::At)
                .map_err(invalid("gateway"))?,
        };
        let form = match settings.text("form") {
            Some("plain") => Form::Plain,
            _ => Form::Symmetric,
        };
        let lifetime = lifetime(settings.text("lifetime").unwrap_or_default());
        Ok(Self(Arc::new(Inner {
            gateway,
            form,
            lifetime: lifetime.map_err(invalid("lifetime"))?,
            time: context.limits.call,
            clock: context.clock.clone().unwrap_or_else(|| Arc::new(SystemClock)),
            observer: context.observer.clone(),
            leases: context.leases.clone().unwrap_or_else(|| Arc::<MemoryLeaseStore>::default()),
            state: Mutex::new(State::new(context.retry.jitter())),
        })))
    }
}

fn lifetime(text: &str) -> Result<u32, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
    seconds.ok_or_else(|| format!("must be a number of seconds from 1 to {}", u32::MAX))
}
