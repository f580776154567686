//! What a worker does: it makes things and deletes them in an account of its own, and looks after
//! every call at what has become of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyvpn::azire::ops::{CreateIp, DeleteIp, GetUser, ListIps, ListLocations};
use anyvpn::vpngn::ops::{AddAlias, DelAlias, GetProducts, ListAliases};
use anyvpn::vpnscript::ops::{
    CreateWireGuardConfig, DeleteWireGuardConfig, ListServers, ListWireGuardConfigs,
};
use anyvpn::{Error, Secret};
use anyvpn_http::{ClientBuilder, Dialect, Limits, RetryPolicy};
use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::vpnscript::ConfigState;

use crate::tally::{Effect, Tally};

/// A WireGuard server of every sandbox.
pub const SERVER: u64 = 2;

/// How many things a worker keeps before it deletes one.
const KEPT: usize = 3;

const PASSWORD: &str = "A-Passw0rd-0f-the-S0ak";

/// Works until the end; workers take turns with the providers.
pub async fn work(sandbox: &Sandbox, number: u64, end: Instant) -> Tally {
    match number % 3 {
        0 => azire(sandbox, number, end).await,
        1 => vpngn(sandbox, number, end).await,
        _ => vpnscript(sandbox, number, end).await,
    }
}

/// Times that a soak can afford: a silent server costs seconds, not minutes.
fn dressed<D: Dialect>(builder: ClientBuilder<D>) -> ClientBuilder<D> {
    let attempt = Duration::from_secs(2);
    let call = Duration::from_secs(15);
    let limits = Limits { attempt, call, reply: 1 << 20, values: 100_000, ..Limits::default() };
    let first_delay = Duration::from_millis(5);
    builder.limits(limits).retry(RetryPolicy { first_delay, ..RetryPolicy::default() })
}

/// A worker's calls, each with the things before and after it.
struct Worker<S: Fn() -> BTreeSet<String>> {
    tally: Tally,
    state: S,
}

impl<S: Fn() -> BTreeSet<String>> Worker<S> {
    async fn change<T>(
        &mut self,
        operation: &'static str,
        effect: Effect<'_>,
        call: impl Future<Output = Result<T, Error>>,
    ) {
        let before = (self.state)();
        let outcome = call.await;
        let after = (self.state)();
        self.tally.account(operation, &effect, &outcome, [&before, &after], |_| None);
    }

    /// A list of all things.
    async fn list<T>(
        &mut self,
        operation: &'static str,
        call: impl Future<Output = Result<Vec<T>, Error>>,
        name: impl Fn(&T) -> String,
    ) {
        let before = (self.state)();
        let outcome = call.await;
        let after = (self.state)();
        let listed = |list: &Vec<T>| Some(list.iter().map(&name).collect());
        self.tally.account(operation, &Effect::Reads, &outcome, [&before, &after], listed);
    }

    /// The oldest thing, when there are more than are kept.
    fn surplus(&self) -> Option<String> {
        let state = (self.state)();
        if state.len() > KEPT { state.into_iter().next() } else { None }
    }
}

async fn azire(sandbox: &Sandbox, number: u64, end: Instant) -> Tally {
    let name = format!("worker{number}");
    let account = sandbox.azire().add_account(&name, PASSWORD);
    let azire = anyvpn::azire::Azire::builder().base_url(sandbox.azire_url());
    let azire = dressed(azire).token(account.token).build().unwrap();
    let state = || sandbox.azire().devices(&name).into_iter().map(|it| it.id).collect();
    let mut worker = Worker { tally: Tally::default(), state };
    while Instant::now() < end {
        worker.change("azire.get-user", Effect::Reads, azire.call(GetUser {})).await;
        let key = anyvpn::PrivateKey::generate().unwrap().public_key().to_string();
        worker.change("azire.create-ip", Effect::Adds, azire.call(CreateIp { key })).await;
        worker.list("azire.list-ips", azire.call(ListIps {}), |it| it.id.to_string()).await;
        worker.change("azire.list-locations", Effect::Reads, azire.call(ListLocations {})).await;
        while let Some(id) = worker.surplus() {
            let delete = DeleteIp { id: id.as_str().into() };
            worker.change("azire.delete-ip", Effect::Removes(&id), azire.call(delete)).await;
        }
    }
    worker.tally
}

async fn vpngn(sandbox: &Sandbox, number: u64, end: Instant) -> Tally {
    let email = format!("worker{number}@example.com");
    let service = sandbox.vpngn();
    service.add_customer(&email, PASSWORD, Some(12));
    let access = anyvpn::vpngn::Access::server(service.api_key(), service.secret_key());
    let vpngn = dressed(anyvpn::vpngn::Vpngn::builder(sandbox.vpngn_url()));
    let vpngn = vpngn.credential(access).build().unwrap();
    let state = || service.customer(&email).unwrap().aliases.into_iter().collect();
    let mut worker = Worker { tally: Tally::default(), state };
    for count in 0_u64.. {
        if Instant::now() >= end {
            break;
        }
        let products = GetProducts { email: email.clone() };
        worker.change("vpngn.get-products", Effect::Reads, vpngn.call(products)).await;
        let add = AddAlias {
            email: email.clone(),
            // Older ones come first.
            setemail: format!("{count:012}-{number}@example.com"),
            setpassword: None,
            auto_passreset: false,
            first_name: None,
            last_name: None,
        };
        worker.change("vpngn.add-alias", Effect::Adds, vpngn.call(add)).await;
        let list = ListAliases { email: email.clone() };
        worker.list("vpngn.list-aliases", vpngn.call(list), |it| it.email.clone()).await;
        while let Some(alias) = worker.surplus() {
            let delete = DelAlias { email: email.clone(), alias: alias.clone() };
            worker.change("vpngn.del-alias", Effect::Removes(&alias), vpngn.call(delete)).await;
        }
    }
    worker.tally
}

async fn vpnscript(sandbox: &Sandbox, number: u64, end: Instant) -> Tally {
    let name = format!("worker{number}");
    let service = sandbox.vpnscript();
    let account = service.add_account(&name, PASSWORD);
    service.set_devices(&name, 1000);
    let vpn = anyvpn::vpnscript::VpnScript::builder(sandbox.vpnscript_url());
    let vpn = dressed(vpn).token(Secret::from(account.token)).build().unwrap();
    let state = || {
        let configs = service.configs(&name).into_iter();
        let there = configs.filter(|it| it.state != ConfigState::PendingDeletion);
        there.map(|it| format!("{:012}", it.id)).collect()
    };
    let mut worker = Worker { tally: Tally::default(), state };
    while Instant::now() < end {
        let servers = ListServers { paginate: None, page: None };
        worker.change("vpnscript.list-servers", Effect::Reads, vpn.call(servers)).await;
        let create = CreateWireGuardConfig { server_id: SERVER };
        worker.change("vpnscript.create-wireguard-config", Effect::Adds, vpn.call(create)).await;
        let list = ListWireGuardConfigs { server_id: None };
        let call = vpn.call(list);
        worker.list("vpnscript.list-wireguard-configs", call, |it| format!("{:012}", it.id)).await;
        while let Some(id) = worker.surplus() {
            let delete = DeleteWireGuardConfig { config_id: id.parse().unwrap() };
            let call = vpn.call(delete);
            worker.change("vpnscript.delete-wireguard-config", Effect::Removes(&id), call).await;
        }
    }
    worker.tally
}
