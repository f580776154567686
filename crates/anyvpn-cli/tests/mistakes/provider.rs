//! Requests that the provider refuses.

use std::time::Duration;

use anyvpn::azire::Azire;
use anyvpn::azire::ops::CreatePortForward;
use anyvpn_sandbox::vpnscript::ServiceState;
use anyvpn_sandbox::{Fault, FaultRule};

use crate::common::{LOGIN, PASSWORD, World};
use crate::environment::{Environment, Who};
use crate::{Mistake, mistake};

pub const ALL: &[Mistake] = &[
    mistake(
        "wrong-token",
        3,
        "The variable has a token that was deleted.",
        "ANYVPN_AZIRE_TOKEN=old anyvpn account show",
    ),
    mistake("no-token", 3, "Nobody has signed in.", "ANYVPN_AZIRE_TOKEN= anyvpn account show"),
    mistake(
        "profile-not-signed-in",
        3,
        "Nobody has signed in to the profile.",
        "anyvpn config list",
    )
    .by(Who::Nobody)
    .when(|environment| environment.config(HOME)),
    mistake(
        "profile-with-old-token",
        3,
        "The profile's file has a token that was deleted.",
        "anyvpn config list",
    )
    .by(Who::Nobody)
    .when(|environment| {
        environment.config(&format!("{HOME}token_file = \"token\"\n"));
        environment.file(".config/anyvpn/token", "old");
    }),
    mistake(
        "wrong-password",
        3,
        "The password is wrong.",
        "anyvpn login --username david --password-file password",
    )
    .when(|environment| environment.file("password", "wrong")),
    mistake(
        "wrong-password-at-vpnscript",
        3,
        "The password is wrong.",
        "anyvpn login --username david --password-file password",
    )
    .by(Who::VpnScript)
    .when(|environment| environment.file("password", "wrong")),
    mistake(
        "profile-with-wrong-password",
        3,
        "The password is wrong, and the profile is not stored.",
        "anyvpn profile add home --provider azire --username david --password-file password",
    )
    .when(|environment| environment.file("password", "wrong")),
    mistake(
        "account-expired",
        5,
        "The account has expired.",
        "anyvpn config get se-sto --output se-sto.conf",
    )
    .when(|environment| {
        environment
            .world
            .sandbox
            .azire()
            .set_expires_at(LOGIN, "2020-01-01T00:00:00Z".parse().unwrap());
    }),
    mistake(
        "account-suspended",
        5,
        "The account is suspended, and the provider gives a reason.",
        "anyvpn config list",
    )
    .by(Who::VpnScript)
    .when(|environment| {
        environment.world.sandbox.vpnscript().suspend(LOGIN, Some("Invoice 7 is not paid."));
    }),
    mistake(
        "service-expired",
        5,
        "The plan has expired.",
        "anyvpn config get 2 --protocol wireguard --output de.conf",
    )
    .by(Who::VpnScript)
    .when(|environment| service(environment, ServiceState::Expired)),
    mistake(
        "service-inactive",
        5,
        "The plan is not active yet.",
        "anyvpn config get 2 --protocol wireguard --output de.conf",
    )
    .by(Who::VpnScript)
    .when(|environment| service(environment, ServiceState::Inactive)),
    mistake(
        "no-service",
        5,
        "The account has no plan.",
        "anyvpn config get 2 --protocol wireguard --output de.conf",
    )
    .by(Who::VpnScript)
    .when(|environment| service(environment, ServiceState::None)),
    mistake(
        "device-limit",
        5,
        "The plan's device limit is reached.",
        "anyvpn config get 2 --protocol wireguard --output de.conf",
    )
    .by(Who::VpnScript)
    .when(|environment| {
        environment.world.sandbox.vpnscript().set_devices(LOGIN, 0);
    }),
    mistake(
        "ten-devices",
        5,
        "The account has AzireVPN's maximum of ten devices.",
        "anyvpn config get se-sto --output se-sto.conf",
    )
    .when(|environment| devices(environment, 10)),
    mistake(
        "server-full",
        5,
        "The server is full.",
        "anyvpn config get 5 --protocol wireguard --output se.conf",
    )
    .by(Who::VpnScript)
    .when(|environment| {
        environment.world.sandbox.vpnscript().change_server(5, |server| server.slots = 0);
    }),
    mistake(
        "typo-server",
        4,
        "A server is misspelled.",
        "anyvpn config get se-sot --output se-sto.conf",
    ),
    mistake(
        "unknown-server",
        4,
        "There is no such server.",
        "anyvpn config get 99 --output x.conf",
    )
    .by(Who::VpnScript),
    mistake("unknown-config", 4, "There is no such configuration.", "anyvpn config revoke nope"),
    mistake(
        "unknown-port",
        4,
        "The port is not open.",
        "anyvpn port delete 12345 --internal-ipv4 $DEVICE",
    )
    .when(|environment| {
        devices(environment, 1);
        let only = environment.world.sandbox.azire().devices(LOGIN)[0].internal_ipv4;
        environment.set("DEVICE", only.to_string());
    }),
    mistake(
        "only-device",
        2,
        "This machine is not in the tunnel, and the account's only device may be another machine.",
        "anyvpn port create",
    )
    .when(|environment| devices(environment, 1)),
    mistake("no-device", 4, "The account has no device for the port.", "anyvpn port create"),
    mistake(
        "several-devices",
        2,
        "The account has several devices, and none is this machine.",
        "anyvpn port create",
    )
    .when(|environment| devices(environment, 2)),
    mistake(
        "address-of-no-device",
        2,
        "The address does not belong to the account.",
        "anyvpn port list --internal-ipv4 10.99.99.99",
    ),
    mistake(
        "ports-of-the-day",
        5,
        "The daily limit of ports is reached.",
        "anyvpn port create --internal-ipv4 $DEVICE",
    )
    .when(|environment| {
        devices(environment, 3);
        let last = environment.world.sandbox.azire().devices(LOGIN)[2].internal_ipv4;
        environment.set("DEVICE", last.to_string());
        open_ports(environment, environment.world.sandbox.azire().daily_port_cap());
    }),
    mistake(
        "ports-of-the-device",
        5,
        "The device has no port left.",
        "anyvpn port create --internal-ipv4 $DEVICE",
    )
    .when(|environment| {
        devices(environment, 1);
        let device = environment.world.sandbox.azire().devices(LOGIN)[0].internal_ipv4;
        environment.set("DEVICE", device.to_string());
        open_ports(environment, 5);
    }),
    mistake(
        "too-many-requests",
        6,
        "The provider asks to wait for an hour.",
        "anyvpn account show",
    )
    .when(|environment| {
        refuse(
            environment,
            "azire.get-user",
            Fault::TooManyRequests { retry_after: Some(Duration::from_secs(3600)) },
        );
    }),
    mistake(
        "too-many-requests-for-now",
        6,
        "The provider asks to wait, but does not say how long.",
        "anyvpn account show",
    )
    .when(|environment| {
        refuse(environment, "azire.get-user", Fault::TooManyRequests { retry_after: None });
    }),
    mistake("ports-elsewhere", 5, "The provider cannot forward ports.", "anyvpn port list")
        .by(Who::VpnScript),
    mistake("servers-elsewhere", 5, "The provider has no list of servers.", "anyvpn server list")
        .by(Who::Vpngn),
    mistake(
        "customers-elsewhere",
        5,
        "The provider has no customers to manage.",
        "anyvpn --provider azire customer find jo@mail.example",
    ),
    mistake("login-elsewhere", 5, "The provider has no sign-in.", "anyvpn login").by(Who::Vpngn),
    mistake(
        "wrong-api-key",
        3,
        "The API key belongs to another brand.",
        "ANYVPN_VPNGN_API_KEY=old anyvpn customer find jo@mail.example",
    )
    .by(Who::Vpngn),
    mistake(
        "no-api-key",
        3,
        "There is no API key.",
        "ANYVPN_VPNGN_API_KEY= anyvpn customer find jo@mail.example",
    )
    .by(Who::Vpngn),
    mistake(
        "no-secret-key",
        3,
        "A customer's credentials are used for a call that needs the reseller's.",
        "anyvpn customer find jo@mail.example",
    )
    .by(Who::VpngnClient),
    mistake(
        "unknown-customer",
        4,
        "There is no such customer.",
        "anyvpn customer find jo@mail.example",
    )
    .by(Who::Vpngn),
    mistake(
        "wrong-customer-password",
        3,
        "The customer's password is wrong.",
        "ANYVPN_VPNGN_PASSWORD=old anyvpn account show --customer jo@mail.example",
    )
    .by(Who::VpngnClient)
    .when(customer),
    mistake(
        "customer-with-another-plan",
        5,
        "The customer has another plan.",
        "anyvpn customer create jo@mail.example --country US --plan 6 --generate-password",
    )
    .by(Who::Vpngn)
    .when(customer),
    mistake(
        "invalid-email",
        2,
        "The e-mail address is invalid.",
        "anyvpn customer create jo --country US --plan 12 --generate-password",
    )
    .by(Who::Vpngn),
    mistake(
        "weak-password",
        2,
        "The password is too weak for VPNGN.",
        "anyvpn customer create jo@mail.example --country US --plan 12 \
         --password-file password",
    )
    .by(Who::Vpngn)
    .when(|environment| environment.file("password", "password")),
    mistake(
        "alias-of-nobody",
        4,
        "The customer has no such alias.",
        "anyvpn call vpngn del-alias email=jo@mail.example alias=al@mail.example",
    )
    .by(Who::Vpngn)
    .when(customer),
];

/// Creates the user's only profile, at the sandbox.
const HOME: &str = "default = \"home\"\n\n[profiles.home]\nprovider = \"azire\"\nurl = \
         \"http://127.0.0.1:PORT/azire\"\n";

fn service(environment: &Environment, state: ServiceState) {
    environment.world.sandbox.vpnscript().set_service(LOGIN, state);
}

fn devices(environment: &Environment, count: usize) {
    for _ in 0..count {
        environment.world.sandbox.azire().add_device(LOGIN).unwrap();
    }
}

/// Opens this many ports, five on each device.
fn open_ports(environment: &Environment, count: u32) {
    let World { sandbox, token, .. } = &environment.world;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let azire = Azire::builder().base_url(sandbox.azire_url()).token(token.as_str()).build();
        let azire = azire.unwrap();
        let devices = sandbox.azire().devices(LOGIN);
        for device in devices.iter().flat_map(|it| [it; 5]).take(count as usize) {
            let internal_ipv4 = device.internal_ipv4;
            let open = CreatePortForward { internal_ipv4, expires_in: None, hidden: None };
            azire.call(open).await.unwrap();
        }
    });
}

/// Answers every request for the operation like this.
fn refuse(environment: &Environment, operation: &str, fault: Fault) {
    let rule = FaultRule { operation: Some(operation.to_owned()), ..FaultRule::always(fault) };
    environment.world.sandbox.inject(rule).unwrap();
}

fn customer(environment: &Environment) {
    environment.world.sandbox.vpngn().add_customer("jo@mail.example", PASSWORD, Some(12));
}
