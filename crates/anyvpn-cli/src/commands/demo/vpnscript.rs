//! The tour of VPN Script: signing in, an OpenVPN file, and a WireGuard file that a queued job makes.

use std::time::Duration;

use anyvpn::vpnscript::VpnScript;
use anyvpn::vpnscript::ops::{
    CreateToken, CreateWireGuardConfig, DeleteWireGuardConfig, GetAccount, GetOpenVpnAuth,
    GetOpenVpnProfile, ListServers, ListWireGuardConfigs, Protocol, Server, WireGuardConfigEntry,
};
use anyvpn::{Error, ErrorKind, OpenVpnProfile, Secret, WireGuardConfig};

use super::tour::{Tour, unexpected};
use crate::failure::Failure;
use crate::file::Pending;

const NAME: &str = "liam";
/// Longer than a job of the sandbox takes.
const JOB: Duration = Duration::from_secs(5);
const ACTIVE: i64 = 1;

pub(super) const FILES: &[&str] = &["vpnscript-demo.ovpn", "vpnscript-demo.conf"];

pub(super) async fn tour(tour: &mut Tour<'_>) -> Result<(), Failure> {
    let openvpn_file = tour.pending(FILES[0])?;
    let wireguard_file = tour.pending(FILES[1])?;
    let visitor = VpnScript::builder(tour.sandbox.vpnscript_url()).build()?;
    let (vpn, servers) = join(tour, &visitor).await?;
    let first = |protocol: Protocol| {
        let found = servers.iter().find(|server| server.protocol == protocol);
        found.ok_or_else(|| unexpected("no server speaks it"))
    };
    openvpn(tour, &vpn, first(Protocol::OpenVpn)?, openvpn_file).await?;
    let id = wireguard(tour, &vpn, first(Protocol::WireGuard)?, wireguard_file).await?;
    leave(tour, &vpn, id).await
}

/// From the account that the provider's shop has made, to the list of servers.
async fn join(
    tour: &mut Tour<'_>,
    visitor: &VpnScript,
) -> Result<(VpnScript, Vec<Server>), Failure> {
    let password = "correct horse battery staple";
    tour.sandbox.vpnscript().add_account(NAME, password);
    let sign_in = CreateToken {
        username: NAME.to_owned(),
        password: Secret::from(password),
        device_name: "laptop".to_owned(),
    };
    let token = tour
        .step("create-token", "Sign in", visitor.call(sign_in), |_| "a token for laptop".to_owned())
        .await?;
    let vpn = visitor.with_token(token.token);
    tour.step("get-account", "Read the account", vpn.call(GetAccount {}), |account| {
        let plans: Vec<_> = account.service.iter().filter_map(|it| it.name.as_deref()).collect();
        format!("{}, with {}", account.username, plans.join(", "))
    })
    .await?;
    let mut servers = Vec::new();
    let pages = ListServers { paginate: Some(4), page: Some(1) };
    let first = tour
        .step("list-servers", "List the servers, page by page", vpn.call(pages), |page| {
            format!("{} of {} on the first page", page.servers.len(), page.total.unwrap_or(0))
        })
        .await?;
    servers.extend(first.servers);
    let all = ListServers { paginate: None, page: None };
    let all = tour
        .step("list-servers", "List them all at once", vpn.call(all), |page| {
            format!("{} of them", page.servers.len())
        })
        .await?;
    if !all.servers.iter().take(servers.len()).map(|it| it.id).eq(servers.iter().map(|it| it.id)) {
        return Err(unexpected("the first page has other servers than the list").into());
    }
    Ok((vpn, all.servers.items))
}

/// The server's name, which a provider may leave out.
fn name(server: &Server) -> &str {
    server.name.as_deref().unwrap_or("a server")
}

/// Profile and password together make one file.
async fn openvpn(
    tour: &mut Tour<'_>,
    vpn: &VpnScript,
    server: &Server,
    file: Pending,
) -> Result<(), Failure> {
    let request = GetOpenVpnProfile { server_id: server.id, cert_only: None };
    let text = tour
        .step("get-openvpn-profile", "Get an OpenVPN profile", vpn.call(request), |_| {
            format!("of {}", name(server))
        })
        .await?;
    let auth = tour
        .step("get-openvpn-auth", "Get its user name and password", vpn.call(GetOpenVpnAuth {}), {
            |auth| format!("{}, for {} devices", auth.username, auth.devices)
        })
        .await?;
    let path = file.path().display().to_string();
    let write = async {
        let profile = OpenVpnProfile::parse(text.expose()).map_err(Error::from)?;
        if !profile.directives().is_empty() {
            return Err(unexpected("the profile runs programs").into());
        }
        file.write(&profile.with_auth_user_pass(&auth.username, auth.password)?.to_secret())
    };
    tour.aside("Write an OpenVPN file", write, |()| path.clone()).await?;
    tour.wrote(path);
    Ok(())
}

/// A configuration is asked for, made by a job, and written.
async fn wireguard(
    tour: &mut Tour<'_>,
    vpn: &VpnScript,
    server: &Server,
    file: Pending,
) -> Result<u64, Failure> {
    let create = CreateWireGuardConfig { server_id: server.id };
    tour.step(
        "create-wireguard-config",
        "Ask for a WireGuard configuration",
        vpn.call(create),
        |()| format!("queued, on {}", name(server)),
    )
    .await?;
    let list = || vpn.call(ListWireGuardConfigs { server_id: Some(server.id) });
    let pending = tour
        .step("list-wireguard-configs", "Look at it", list(), |all| {
            format!("{} in the making", all.iter().filter(|it| it.status != ACTIVE).count())
        })
        .await?;
    let [WireGuardConfigEntry { id, .. }] = pending[..] else {
        return Err(unexpected("there is not one configuration").into());
    };
    pass(tour).await?;
    let made = tour
        .step("list-wireguard-configs", "Look again", list(), |all| {
            format!("{} active", all.iter().filter(|it| it.status == ACTIVE).count())
        })
        .await?;
    let text = made.into_iter().find(|it| it.id == id).and_then(|it| it.config);
    let path = file.path().display().to_string();
    let write = async {
        let text = text.ok_or_else(|| unexpected("the configuration has no text"))?;
        let config = WireGuardConfig::parse(text.expose()).map_err(Error::from)?;
        if !config.directives().is_empty() {
            return Err(unexpected("the configuration does more than describe a tunnel").into());
        }
        file.write(&config.to_secret())
    };
    tour.aside("Write a WireGuard file", write, |()| path.clone()).await?;
    tour.wrote(path);
    Ok(id)
}

/// Lets the sandbox's time pass, so that the job is done.
async fn pass(tour: &mut Tour<'_>) -> Result<(), Failure> {
    let clock = tour.sandbox.clock().clone();
    let title = "Let the provider's job be done";
    let advance = async {
        clock.advance(JOB);
        Ok(())
    };
    let seconds = JOB.as_secs();
    tour.aside(title, advance, |()| format!("the sandbox's clock goes {seconds} s on")).await
}

/// The configuration goes, by a job too.
async fn leave(tour: &mut Tour<'_>, vpn: &VpnScript, id: u64) -> Result<(), Failure> {
    let delete = DeleteWireGuardConfig { config_id: id };
    tour.step("delete-wireguard-config", "Delete the configuration", vpn.call(delete), |()| {
        "queued".to_owned()
    })
    .await?;
    pass(tour).await?;
    let list = async {
        match vpn.call(ListWireGuardConfigs { server_id: None }).await {
            // So VPN Script says that there is none.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            list => list,
        }
    };
    let left = tour
        .step("list-wireguard-configs", "Look once more", list, |all| format!("{} left", all.len()))
        .await?;
    if left.is_empty() { Ok(()) } else { Err(unexpected("it is still there").into()) }
}
